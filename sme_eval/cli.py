"""The command line: arguments only; each verb calls one function.

Exit codes: 0 done, 1 bug, 2 usage, 10 data, 11 design, 12 identification, 13 parameters, 14 verification, 15 disclosure,
16 some runs failed, 17 differences found, 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, Final

from sme_eval import __version__
from sme_eval.errors import ParameterError, Problem, SmeEvalError

TRACEBACK: Final = "SME_EVAL_TRACEBACK"
BUG, INTERRUPTED, CHECKS_FAILED = 1, 130, 16
_SET: Final = "set a parameter; may be repeated (names and values: a wrong one lists them)"
_AT_ONCE: Final = "how many runs at once (default: 2)"
_REPORTS: Final = "folder of the reports (default: reports)"
EPILOGUE: Final = """\
exit codes: 0 done, 1 bug, 2 usage, 10 data, 11 design, 12 identification, 13 parameters, 14 verification, 15 disclosure,
16 some runs failed, 17 differences found, 130 interrupted. For the traceback of an error set SME_EVAL_TRACEBACK=1.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; every mistake of a user becomes a short message and an exit code, never a traceback."""
    _prepare()
    given = _parser().parse_args(arguments)
    verb: Callable[[argparse.Namespace], int] = given.function
    try:
        code = verb(given)
        sys.stdout.flush()
    except SmeEvalError as error:
        _complain(error.report(), error)
        return error.exit_code
    except KeyboardInterrupt:
        _complain("interrupted; run it again to continue")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe (`… | head`) has what it wanted; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _end(error)
    return code


def _end(error: Exception) -> int:
    """Say that nothing can be written here, or else that the package is wrong, not the person."""
    from sme_eval.runs.job import unwritable

    refusal = unwritable(error) if isinstance(error, OSError) else None
    if refusal is not None:
        _complain(refusal.report(), error)
        return refusal.exit_code
    lines = str(getattr(error, "what", error)).splitlines()
    _complain(f"This is a bug in sme_eval, not a mistake of yours: {type(error).__name__}: {lines[0] if lines else ''}", error)
    if not os.environ.get(TRACEBACK):
        _complain(f"For its traceback run the same with {TRACEBACK}=1.")
    return BUG


def _prepare() -> None:
    """Output that survives any terminal, and an end by SIGTERM that is like Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    # Not in the main thread (a test): then there is nothing to end.
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _complain(text: str, error: BaseException | None = None) -> None:
    """Speak on the standard error; with the traceback if the user asked for it."""
    if error is not None and os.environ.get(TRACEBACK):
        details = "\n".join([*getattr(error, "__notes__", []), getattr(error, "details", "")]).strip()
        sys.stderr.write("".join(traceback.format_exception(error)) + (f"\n{details}\n" if details else ""))
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


# --- arguments -------------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sme-eval",
        description="Evaluate support for enterprises: from declared policies and firm panels to briefings in Chinese and English.",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sme-eval {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add(verbs, _report, "report", "bring the sample report up to date: every notebook, every briefing, the index").add_argument(
        "--reports", metavar="FOLDER", default="reports", help=_REPORTS
    )
    policies = _add(verbs, _policies, "policies", "the declared policies and their designs, or why one cannot be evaluated")
    policies.add_argument(
        "name", metavar="NAME", nargs="?", help="one policy, with its limits and what --set takes; or facts, traps"
    )
    policies.add_argument("which", metavar="WHICH", nargs="?", help="after facts: a fact, a system or implied; after traps: a trap")
    _evaluate_arguments(_add(verbs, _evaluate, "evaluate", "one evaluation of a policy, without a notebook"))
    _run_arguments(_add(verbs, _run, "run", "one notebook with parameters, or every report of a plan that is stale"))
    plan = _add(verbs, _plan, "plan", "each report of a plan: fresh, stale, new or failed, and why; nothing is run")
    plan.add_argument("file", metavar="FILE", help="a plan, such as plan.toml")
    plan.add_argument("-j", metavar="N", dest="at_once", type=int, default=2, help=_AT_ONCE)
    plan.add_argument("--reports", metavar="FOLDER", default="reports", help=_REPORTS)
    check = _add(verbs, _verify, "verify", "whether a report is what its record says: files rehashed, pages rendered again")
    check.add_argument("report", metavar="REPORT", help="its folder, its name, or one of its files")
    check.add_argument("--reports", metavar="FOLDER", default="reports", help=_REPORTS)
    runs = _add(verbs, _runs, "runs", "what has been run, and with which parameters")
    runs.add_argument("matching", metavar="TEXT", nargs="?", default="", help="only runs that hold this text, such as seed=2")
    runs.add_argument("--prune", metavar="PLAN", default=None, help="remove the runs that this plan does not ask for")
    runs.add_argument("--reports", metavar="FOLDER", default="reports", help=_REPORTS)
    _simulate_arguments(_add(verbs, _simulate, "simulate", "a simulated panel with known effects, as a file"))
    _diff_arguments(_add(verbs, _diff, "diff", "what changed between two releases of reports, and why"))
    doctor = _add(verbs, _doctor, "doctor", "what works on this machine and what is missing")
    doctor.add_argument("--reports", metavar="FOLDER", default="reports", help=_REPORTS)
    return parser


def _add(verbs: Any, function: Callable[[argparse.Namespace], int], name: str, help_: str) -> argparse.ArgumentParser:
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=help_, description=help_, allow_abbrev=False)
    verb.set_defaults(function=function)
    return verb


def _evaluate_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("policy", metavar="POLICY", help="name of a policy, such as certification")
    verb.add_argument("--outcome", metavar="Y", default=None, help="one of its outcomes (default: its first)")
    verb.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="settings", help=_SET)
    verb.add_argument("--json", action="store_true", help="print the record instead of its summary")
    verb.add_argument("--reports", metavar="FOLDER", default="reports", help=_REPORTS)


def _run_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("notebook", metavar="NOTEBOOK", nargs="?", help="name of the notebook, such as training_grants")
    verb.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="settings", help=_SET)
    verb.add_argument("--plan", metavar="FILE", default=None, help="run what is stale of a plan instead of one notebook")
    verb.add_argument("-j", metavar="N", dest="at_once", type=int, default=2, help=_AT_ONCE)
    verb.add_argument("--only", metavar="NAME", action="append", default=[], help="reports of the plan by name or pattern (a*)")
    verb.add_argument("--force", action="store_true", help="run the plan's reports whether they are stale or not")
    verb.add_argument("--reports", metavar="FOLDER", default=None, help=_REPORTS)


def _simulate_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--seed", metavar="N", default="1", help="seed of the draws (default: 1)")
    verb.add_argument("--scenario", metavar="NAME", default="baseline", help="baseline, clean or null (default: baseline)")
    verb.add_argument("--firms", metavar="N", default="6000", help="number of firms (default: 6000)")
    verb.add_argument(
        "--output", metavar="FILE", required=True, help="the file to write: .parquet keeps the true effects; .csv, .xlsx"
    )


def _diff_arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("old", metavar="OLD", help="a folder of reports, a folder of a record, or an evaluation.json")
    verb.add_argument("new", metavar="NEW", help="the same, of the later release")
    verb.add_argument("--threshold", metavar="X", default="0.5", help="old standard errors that count as a move (default: 0.5)")
    verb.add_argument("--output", metavar="FOLDER", default=None, help="folder of the pages (default: NEW, or here for a record)")


# --- verbs -----------------------------------------------------------------------------------------------------------


def _report(given: argparse.Namespace) -> int:
    from sme_eval.runs.report import bring_up_to_date

    bring_up_to_date(given.reports, say=_print, complain=_complain).raise_failures()
    return 0


def _policies(given: argparse.Namespace) -> int:
    from sme_eval.runs.facts import describe_letter, is_of_letter

    if is_of_letter(given.name, given.which):
        _print(describe_letter(given.name, given.which))
        return 0
    from sme_eval.runs.policies import describe_policies

    _print(describe_policies(given.name))
    return 0


def _evaluate(given: argparse.Namespace) -> int:
    from sme_eval.runs.finish import finish
    from sme_eval.runs.run import run_policy
    from sme_eval.runs.settings import split_settings

    result = run_policy(given.policy, given.outcome, split_settings(given.settings), given.reports)
    _print(finish(result, given.reports, as_json=given.json))
    return 0


def _plan(given: argparse.Namespace) -> int:
    from sme_eval.runs.plan_file import read_plan
    from sme_eval.runs.report import describe_plan

    _print(describe_plan(given.reports, read_plan(given.file), given.at_once))
    return 0


def _verify(given: argparse.Namespace) -> int:
    from sme_eval.runs.verify import verify

    _print(verify(given.report, given.reports))
    return 0


def _runs(given: argparse.Namespace) -> int:
    from sme_eval.runs.history import describe_runs, prune
    from sme_eval.runs.plan_file import read_plan

    if given.prune:
        for slug in prune(given.reports, read_plan(given.prune)):
            _print(f"removed: {slug}")
    _print(describe_runs(given.reports, given.matching))
    return 0


def _run_plan(given: argparse.Namespace) -> int:
    from sme_eval.runs.plan_file import read_plan
    from sme_eval.runs.report import bring_up_to_date

    options = {"at_once": given.at_once, "only": given.only, "force": given.force}
    bring_up_to_date(given.reports or "reports", read_plan(given.plan), **options, say=_print, complain=_complain).raise_failures()
    return 0


def _run(given: argparse.Namespace) -> int:
    if given.plan and given.notebook is None and not given.settings:
        return _run_plan(given)
    if given.plan or given.notebook is None:
        remedy = "sme-eval run NOTEBOOK --set NAME=VALUE, or sme-eval run --plan FILE"
        raise ParameterError(Problem(what="A run is of one notebook or of one plan.", remedy=remedy))
    from sme_eval.runs.finish import finish
    from sme_eval.runs.run import run_notebook
    from sme_eval.runs.settings import split_settings

    settings = split_settings(given.settings)
    reports = given.reports or settings.get("reports", "reports")
    result = run_notebook(given.notebook, settings, reports)
    _print(finish(result, reports))
    return 0


def _simulate(given: argparse.Namespace) -> int:
    from sme_eval.runs.simulation import write_simulation

    _print(write_simulation({"seed": given.seed, "scenario": given.scenario, "firms": given.firms}, given.output))
    return 0


def _diff(given: argparse.Namespace) -> int:
    from sme_eval.runs.diff import diff

    result = diff(given.old, given.new, threshold=given.threshold, output=given.output)
    _print(result.text)
    return result.exit_code


def _doctor(given: argparse.Namespace) -> int:
    from sme_eval.runs.doctor import examine

    failed = 0
    for finding in examine(given.reports):
        _print(str(finding))
        failed += finding.state == "failed"
    return CHECKS_FAILED if failed else 0


def _print(text: str) -> None:
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
