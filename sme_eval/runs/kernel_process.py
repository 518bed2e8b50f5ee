"""The kernel of a run: ipykernel's, with the package's modules noted as their functions run."""

from __future__ import annotations

from sme_eval.runs.used import begin


def main() -> None:
    """Start noting before any module of an evaluation is imported, then be an ordinary kernel."""
    begin()
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


if __name__ == "__main__":
    main()
