"""A form in JupyterLab for the parameters of a notebook: it refuses in words, runs, shows progress, and links what was made."""

from __future__ import annotations

import atexit
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

import ipywidgets as widgets

from sme_eval.errors import ParameterError, Problem, SmeEvalError, suggestion
from sme_eval.panel.dictionary import load_dictionary
from sme_eval.resources import project_folder
from sme_eval.runs.form_words import FORM_WORDS, allowed
from sme_eval.runs.parameters import notebook_name, resolve, rules
from sme_eval.runs.process import Worker
from sme_eval.runs.render import executed_name
from sme_eval.runs.run import RunResult, run_notebook, run_units
from sme_eval.runs.settings import Rule, Value
from sme_eval.terms import LANGUAGES, Language

Runner = Callable[..., RunResult]
_WIDE: Final = "42em"


def parameter_form(notebook: str = "certification", language: Language = "zh", *, runner: Runner = run_notebook) -> ParameterForm:
    """A form for the parameters of `notebook`, to be shown as the last line of a cell in JupyterLab.

    It has a field per parameter with its meaning in `language`, says under a field why a value is refused, runs the notebook in
    a process of its own, and shows the result with links to the pages and to the executed notebook.

    Raises
    ------
    ParameterError
        There is no such notebook or language.
    """
    if language not in LANGUAGES:
        raise ParameterError(Problem(what=f"There is no language {language!r}.", remedy=suggestion(language, LANGUAGES)))
    return ParameterForm(notebook_name(notebook), language, runner)


class ParameterForm:
    """The form; `fields` and `messages` are its widgets by parameter, `wait` waits for a run."""

    def __init__(self, notebook: str, language: Language, runner: Runner) -> None:
        self.notebook = notebook
        self.language = language
        self._words = FORM_WORDS[language]
        self._runner = runner
        self._rules = {rule.name: rule for rule in rules(notebook)}
        self._thread: threading.Thread | None = None
        self._worker: Worker | None = None
        self._stopping = False
        self._started = 0.0
        self.fields: dict[str, Any] = {name: _field(rule, language) for name, rule in self._rules.items()}
        self.messages: dict[str, Any] = {name: widgets.HTML(layout=_below()) for name in self._rules}
        self.run = widgets.Button(description=self._words["run"], button_style="primary", icon="play")
        self.stop = widgets.Button(description=self._words["stop"], icon="stop", disabled=True)
        self.progress = widgets.IntProgress(value=0, max=1, layout=widgets.Layout(width=_WIDE, visibility="hidden"))
        self.status = widgets.HTML()
        self.result = widgets.Output()
        self.widget = widgets.VBox(
            [*map(self._row, self._rules), widgets.HBox([self.run, self.stop]), self.progress, self.status, self.result]
        )
        for field in self.fields.values():
            field.observe(lambda _: self._check(), names="value")
        self.run.on_click(lambda _: self._start())
        self.stop.on_click(lambda _: self._stop())
        self._check()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget)  # type: ignore[no-untyped-call]

    def settings(self) -> dict[str, Value]:
        """The values that differ from the defaults."""
        return {name: field.value for name, field in self.fields.items() if field.value != self._rules[name].default}

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the run that was started has ended."""
        if self._thread is not None:
            self._thread.join(seconds)

    # --- before a run ------------------------------------------------------------------------------------------------

    def _row(self, name: str) -> Any:
        rule = self._rules[name]
        bounds = "" if rule.choices or rule.kind is str else self._words["bounds"].format(allowed=allowed(rule, self.language))
        meaning = rule.zh if self.language == "zh" else rule.en
        help_ = widgets.HTML(f"<small>{escape(meaning + bounds)}</small>", layout=_below())
        return widgets.VBox([self.fields[name], help_, self.messages[name]])

    def _check(self) -> bool:
        """Say under every field why its value is refused; True if none is."""
        fine = True
        settings = self.settings()
        for name, rule in self._rules.items():
            refused = name in settings and _is_refused(self.notebook, name, settings[name])
            text = self._words["not"].format(value=settings.get(name), allowed=allowed(rule, self.language)) if refused else ""
            self.messages[name].value = f'<span role="alert" style="color: #b00020">{escape(text)}</span>' if text else ""
            fine = fine and not refused
        if not self._is_running():
            self.run.disabled = not fine
            self._say("ready" if fine else "refused")
        return fine

    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and self._thread is not threading.current_thread()

    # --- a run -------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._is_running() or not self._check():
            return
        settings = self.settings()
        parameters = resolve(self.notebook, settings)
        self._worker, self._stopping = None, False
        self._started = time.monotonic()
        self.result.outputs = ()
        self.progress.value, self.progress.max = 0, run_units(self.notebook, parameters)
        self.progress.layout.visibility = "visible"
        self._enable(running=True)
        reports = project_folder() / parameters.reports
        # A thread: the kernel must stay free to hear the Stop button.
        self._thread = threading.Thread(target=self._work, args=(settings, reports), daemon=True)
        self._thread.start()

    def _work(self, settings: Mapping[str, Value], reports: Path) -> None:
        try:
            result = self._runner(self.notebook, settings, reports, listen=self._hear, hold=self._hold)
            self._show(result, reports)
            self._say("done", seconds=f"{result.seconds:.0f}")
        except (Exception, KeyboardInterrupt) as error:
            self._tell(error)
        finally:
            if self._worker is not None:
                atexit.unregister(self._worker.stop)
            self.progress.layout.visibility = "hidden"
            self._enable(running=False)

    def _hold(self, worker: Worker) -> None:
        self._worker = worker
        atexit.register(worker.stop)  # a kernel that is shut down takes its run with it
        if self._stopping:
            worker.stop()

    def _hear(self, message: Mapping[str, Any]) -> None:
        self.progress.value += message.get("event") == "advance"
        if not self._stopping:
            seconds = f"{time.monotonic() - self._started:.0f}"
            self._say("running", done=self.progress.value, steps=self.progress.max, seconds=seconds)

    def _stop(self) -> None:
        self._stopping = True
        self.stop.disabled = True
        self._say("stopping")
        if self._worker is not None:
            self._worker.stop()

    def _enable(self, *, running: bool) -> None:
        self.run.disabled, self.stop.disabled = running, not running
        if running:
            self._say("running", done=0, steps=self.progress.max, seconds=0)

    # --- after a run -------------------------------------------------------------------------------------------------

    def _tell(self, error: BaseException) -> None:
        if self._stopping:
            self._say("stopped")
        elif isinstance(error, SmeEvalError):
            self._say("failed")
            self._print(error.report())
        else:
            self._say("failed")
            self._print(self._words["bug"].format(what=f"{type(error).__name__}: {error}"))

    def _show(self, result: RunResult, reports: Path) -> None:
        from sme_eval.runs.index import write_index
        from sme_eval.runs.page_record import read_record

        write_index(reports)
        self._print(read_record(result.record).summary())
        folder, slug = result.record.parent, result.slug
        release = reports / "release" / slug
        links = [
            ("page", folder / f"{slug}.{self.language}.html"),
            ("pdf", folder / f"{slug}.{self.language}.pdf"),
            ("notebook", folder / executed_name(slug)),
            ("release", release / f"{slug}.{self.language}.html"),
            ("index", reports / "index.html"),
        ]
        items = "".join(f"<li>{self._link(path, self._words[key])}</li>" for key, path in links if path.exists())
        self._display(f"<ul>{items}</ul>")

    def _link(self, path: Path, text: str) -> str:
        """A link that JupyterLab opens: seen from the folder of the notebook, which its kernel works in."""
        target = Path(os.path.relpath(path)).as_posix()
        return f'<a href="{escape(target)}" target="_blank">{escape(text)}</a> <code>{escape(target)}</code>'

    def _say(self, key: str, **values: object) -> None:
        self.status.value = f'<span role="status">{escape(self._words[key].format(**values))}</span>'

    def _print(self, text: str) -> None:
        self._display(f"<pre>{escape(text)}</pre>")

    def _display(self, html: str) -> None:
        # Not an HTML widget: of an output JupyterLab resolves the links.
        data = {"text/html": html, "text/plain": html}
        self.result.outputs += ({"output_type": "display_data", "data": data, "metadata": {}},)


def _below() -> Any:
    """The place under a field."""
    return widgets.Layout(margin="0 0 0 9.5em", width=_WIDE)


def _is_refused(notebook: str, name: str, value: Value) -> bool:
    try:
        resolve(notebook, {name: value})
    except ParameterError:
        return True
    return False


def _field(rule: Rule, language: Language) -> Any:
    """The widget of one parameter. Numbers with both bounds keep to them by themselves; all else is refused in words."""
    options: dict[str, Any] = {
        "value": rule.default,
        "description": rule.name,
        "style": {"description_width": "9em"},
        "layout": widgets.Layout(width=_WIDE),
    }
    if rule.choices:
        return widgets.Dropdown(options=[(_choice(key, language), key) for key in rule.choices], **options)
    if rule.kind is str:
        return widgets.Text(**options)
    low, high = min((rule.low, *rule.exceptions)), max((rule.high, *rule.exceptions))
    if math.isinf(low) or math.isinf(high):
        return widgets.IntText(**options) if rule.kind is int else widgets.FloatText(**options)
    if rule.kind is int:
        return widgets.BoundedIntText(min=int(low), max=int(high), **options)
    return widgets.BoundedFloatText(min=low, max=high, step=0.01, **options)


def _choice(key: str, language: Language) -> str:
    """A choice as it is shown: columns with their label."""
    dictionary = load_dictionary()
    return f"{key}: {dictionary[key].label.text(language)}" if key in dictionary else key
