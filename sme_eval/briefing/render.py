"""One briefing in one language: record in, HTML and PDF out, and Word on request."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sme_eval.errors import ParameterError, Problem, raise_if_any, suggestion
from sme_eval.evaluation.record import Audience, Evaluation
from sme_eval.terms import LANGUAGES, Language

from .compose import Composer, speaker_of
from .document import EVERY_FORMAT, FORMATS, FORMS, Form, Format, file_stem
from .figure_reuse import DrawnFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Briefing:
    """A rendered briefing. `slug` and `form` name its files, the slug holds the kind of data; `figures` are PNG bytes by name.

    What is not of its `formats` is empty.
    """

    language: Language
    slug: str
    audience: Audience
    html: str
    pdf: bytes
    figures: Mapping[str, bytes]
    form: Form = "full"
    docx: bytes = b""
    formats: tuple[Format, ...] = FORMATS

    def write(self, reports: str | Path, formats: Sequence[Format] | None = None) -> tuple[Path, ...]:
        """Write files and figures into `<reports>/<audience>/<slug>/`, each file whole or not at all; returns their paths.

        `formats` are all that were rendered, unless fewer are named.
        """
        chosen = self.formats if formats is None else _checked(formats, self.formats)
        folder = Path(reports) / self.audience / self.slug
        stem = file_stem(self.slug, self.language, self.form)
        made: Mapping[Format, bytes] = {"html": self.html.encode("utf-8"), "pdf": self.pdf, "docx": self.docx}
        contents = {folder / f"{stem}.{name}": made[name] for name in chosen}
        for name, png in self.figures.items():
            contents[folder / "figures" / f"{self.slug}.{self.language}.{name}.png"] = png
        for path, content in contents.items():
            write_whole(path, content)
        return tuple(contents)


def render_briefing(
    source: str | Path | Evaluation, language: Language = "zh", form: Form = "full", formats: Sequence[Format] = FORMATS
) -> Briefing:
    """Render the briefing of a record (its path or folder) or of an evaluation, which is serialised and read back first.

    `form` is "full" (everything, for a referee), "bureau" (a draft briefing for the bureau) or "international" (two pages).
    `formats` are the files to make: "html", "pdf" and "docx", the last for offices that edit in Word.

    Raises
    ------
    DataError
        There is no record, or one of its texts refers to a value that it does not hold.
    ParameterError
        An unknown language, form or format.

    Examples
    --------
    >>> import sme_eval as sme
    >>> sme.render_briefing("nowhere")
    Traceback (most recent call last):
        ...
    sme_eval.errors.DataError: There is no evaluation record here.
        where   nowhere
        remedy  run `sme-eval evaluate` first
    """
    if form not in FORMS:
        raise ParameterError(Problem(what=f"There is no form {form!r} of a briefing.", remedy=suggestion(form, FORMS)))
    (briefing,) = render_forms(source, language, (form,), formats)
    return briefing


def render_forms(
    source: str | Path | Evaluation,
    language: Language = "zh",
    forms: Sequence[Form] = FORMS,
    formats: Sequence[Format] = FORMATS,
    beside: Collection[str] | None = None,
    drawn: DrawnFigures | None = None,
) -> Iterator[Briefing]:
    """Several forms of one record in one language, one after the other; what they share is drawn once.

    Nothing is made that is not of `formats`. A page links to the files `beside` it; to every page and PDF if not told. Figures that
    `drawn` holds from another copy of the record are not drawn again.
    """
    chosen = _checked(formats, EVERY_FORMAT)
    if language not in LANGUAGES:
        raise ParameterError(Problem(what=f"There is no wording in {language!r}.", remedy=suggestion(language, LANGUAGES)))
    evaluation = Evaluation.from_json(source.to_json()) if isinstance(source, Evaluation) else Evaluation.read(source)
    from .docx_writer import write_docx
    from .figures import draw_figures, draw_summary
    from .html_writer import write_html
    from .pdf_writer import write_pdf

    speaker = speaker_of(evaluation, language)
    summary: Mapping[str, bytes] = draw_summary(evaluation, speaker, drawn) if set(forms) - {"full"} else {}
    for form in forms:
        document = Composer(speaker).document(evaluation, form)
        figures = draw_figures(evaluation, speaker, drawn) if form == "full" else summary
        yield Briefing(
            language=language,
            slug=evaluation.slug,
            audience=evaluation.audience,
            html=write_html(document, figures, beside) if "html" in chosen else "",
            pdf=write_pdf(document, figures) if "pdf" in chosen else b"",
            docx=write_docx(document, figures) if "docx" in chosen else b"",
            figures=figures,
            form=form,
            formats=chosen,
        )


def _checked(formats: Sequence[Format], choices: tuple[Format, ...]) -> tuple[Format, ...]:
    """The formats that are asked for, each once, in our order."""
    asked: tuple[str, ...] = (formats,) if isinstance(formats, str) else tuple(formats)
    raise_if_any(
        ParameterError,
        [
            Problem(what=f"There is no format {name!r} of this briefing.", remedy=suggestion(name, choices))
            for name in asked
            if name not in choices
        ],
    )
    return tuple(name for name in choices if name in asked)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name first, so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    os.replace(part, path)
