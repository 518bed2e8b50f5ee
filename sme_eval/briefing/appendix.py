"""A notebook that was run, as a page of our own: nbconvert gives the body, the frame is ours and fetches nothing."""

from __future__ import annotations

from functools import cache
from typing import Any

from sme_eval.terms import DataKind, Language

from .html_writer import HTML_LANGUAGES, environment, stylesheet, with_web_font
from .wording import load_wording


def notebook_page(
    notebook: Any,
    title: str,
    language: Language = "zh",
    *,
    data_kind: DataKind = "observed",
    index_page: str = "../index.html",
    published: bool = False,
) -> str:
    """The page of a notebook node. It is always internal, because nothing of a notebook passes the disclosure gate.

    `index_page` is the address of the list of briefings, seen from the folder the page will lie in. `published`:
    facts that were published stand on it beside the data.
    """
    wording = load_wording(language)
    words = {key.removeprefix("appendix."): text for key, text in wording.templates.items() if key.startswith("appendix.")}
    page = environment().get_template("notebook.html")
    html = page.render(
        title=title,
        lang=HTML_LANGUAGES[language],
        words=words,
        frame={name: wording.plain(f"frame.{name}") for name in ("skip", "index")},
        notice=words["published" if published else "simulated"] if data_kind == "simulated" else "",
        style=stylesheet(),
        code_style=_code_style(),
        body=_body(notebook),
        index_page=index_page,
    )
    return with_web_font(html.strip() + "\n")


def _body(notebook: Any) -> str:
    """The cells and their outputs. The basic template has no head, so it names no address outside."""
    from markupsafe import Markup
    from nbconvert.exporters import HTMLExporter

    exporter: Any = HTMLExporter(template_name="basic")  # type: ignore[no-untyped-call]
    exporter.exclude_input_prompt = True
    exporter.exclude_output_prompt = True
    exporter.exclude_anchor_links = True
    body, _ = exporter.from_notebook_node(notebook)
    return Markup(body)


@cache
def _code_style() -> str:
    """Colours of code, for light and dark."""
    from markupsafe import Markup
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    return Markup(f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}")
