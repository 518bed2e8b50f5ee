"""A worker seen from its parent: started apart from the terminal, watched, and ended together with its kernel."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sme_eval.errors import Problem, RunError, SmeEvalError
from sme_eval.runs.job import Job, error_from_plain

GRACE_SECONDS: Final = 5
Listener = Callable[[Mapping[str, Any]], None]


class WorkerBug(Exception):
    """A worker failed in a way that is no refusal; `details` is its traceback."""

    def __init__(self, what: str, details: str) -> None:
        super().__init__(what)
        self.details = details


class Worker:
    """One job in its own process."""

    def __init__(self, job: Job, environment: Mapping[str, str], log: Path, deadline: float) -> None:
        self.job = job
        self._environment = environment
        self._log = log
        self._deadline = deadline
        self._process: subprocess.Popen[str] | None = None
        self._late = False
        self._stopped = False
        self._lock = threading.Lock()

    def run(self, listen: Listener) -> str:
        """Do the job and return the slug of its record; `listen` hears every message.

        Raises
        ------
        SmeEvalError
            What the job was refused for; `RunError` when it was too late or its process died.
        WorkerBug
            Anything else.
        """
        with self._log.open("w", encoding="utf-8") as log:
            self._start(log)
            timer = threading.Timer(self._deadline, self._expire)
            timer.daemon = True
            timer.start()
            try:
                last = self._converse(listen)
            finally:
                timer.cancel()
                self.stop()
        return self._conclude(last)

    def stop(self) -> None:
        """End the process and everything that it started."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is None or process.poll() is not None:
            return
        import psutil

        try:
            root = psutil.Process(process.pid)
            family = [*root.children(recursive=True), root]
        except psutil.NoSuchProcess:
            return
        for member in family:
            _quietly(psutil, member.terminate)
        for member in psutil.wait_procs(family, timeout=GRACE_SECONDS)[1]:
            _quietly(psutil, member.kill)
        process.wait()

    def _start(self, log: Any) -> None:
        with self._lock:
            if self._stopped:
                raise KeyboardInterrupt
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sme_eval.runs.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=dict(self._environment),
                encoding="utf-8",
                start_new_session=True,  # a Ctrl-C of the terminal reaches the parent, which decides
            )

    def _expire(self) -> None:
        self._late = True
        self.stop()

    def _converse(self, listen: Listener) -> Mapping[str, Any]:
        """Hand over the job, pass on what is said, and return the last message."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise AssertionError("the worker has been started with pipes")
        last: Mapping[str, Any] = {"event": "silence"}
        try:
            process.stdin.write(self.job.to_json() + "\n")
            process.stdin.close()
        except BrokenPipeError:
            pass
        for line in process.stdout:
            last = json.loads(line)
            listen(last)
        process.wait()
        return last

    def _conclude(self, last: Mapping[str, Any]) -> str:
        if last["event"] == "done":
            return str(last["slug"])
        if self._late:
            raise self._refusal(f"{self.job.name} was ended: it took longer than {self._deadline:g} seconds.")
        if last["event"] == "failed":
            error: SmeEvalError = error_from_plain(last)
            error.__notes__ = [str(last["traceback"])]
            raise error
        if last["event"] == "bug":
            raise WorkerBug(str(last["what"]), str(last["traceback"]))
        raise self._refusal(f"The process of {self.job.name} died (often: not enough memory).")

    def _refusal(self, what: str) -> RunError:
        return RunError(Problem(what=what, remedy=f"then again: {self.job.command}"))


def _quietly(psutil: Any, act: Callable[[], None]) -> None:
    """End a process that may have ended by itself."""
    with contextlib.suppress(psutil.NoSuchProcess):
        act()
