# Every verb is bootstrap.py's; `make VERB ARGS="…"` passes arguments on. Without make: python3 bootstrap.py VERB
VERBS := report test lab setup doctor lint lock environment contact-sheet simulations bench

# The first Python that fits; if none does, bootstrap.py says so in one line.
PYTHON ?= $(shell for p in python3 python python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && exit; \
	done; command -v python3 || echo python)

.PHONY: help $(VERBS)
help $(VERBS):
	@$(PYTHON) bootstrap.py $@ $(ARGS)

.DEFAULT_GOAL := help
