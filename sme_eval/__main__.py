"""`python -m sme_eval`: the command line."""

import sys

from sme_eval.cli import main

if __name__ == "__main__":
    sys.exit(main())
