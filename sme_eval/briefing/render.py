"""One briefing in one language: record in, HTML and PDF out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sme_eval.errors import ParameterError, Problem, suggestion
from sme_eval.evaluation.record import Audience, Evaluation
from sme_eval.terms import LANGUAGES, Language

from .compose import Composer, speaker_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Briefing:
    """A rendered briefing. `slug` names its files and holds the kind of data; `figures` are PNG bytes by name."""

    language: Language
    slug: str
    audience: Audience
    html: str
    pdf: bytes
    figures: Mapping[str, bytes]

    def write(self, reports: str | Path) -> tuple[Path, ...]:
        """Write page, PDF and figures into `<reports>/<audience>/<slug>/`, each file whole or not at all; returns their paths."""
        folder = Path(reports) / self.audience / self.slug
        stem = f"{self.slug}.{self.language}"
        contents = {folder / f"{stem}.html": self.html.encode("utf-8"), folder / f"{stem}.pdf": self.pdf}
        for name, png in self.figures.items():
            contents[folder / "figures" / f"{stem}.{name}.png"] = png
        for path, content in contents.items():
            write_whole(path, content)
        return tuple(contents)


def render_briefing(source: str | Path | Evaluation, language: Language = "zh") -> Briefing:
    """Render the briefing of a record (its path or folder) or of an evaluation, which is serialised and read back first.

    Raises
    ------
    DataError
        There is no record, or one of its texts refers to a value that it does not hold.
    ParameterError
        An unknown language.

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
    if language not in LANGUAGES:
        raise ParameterError(Problem(what=f"There is no wording in {language!r}.", remedy=suggestion(language, LANGUAGES)))
    evaluation = Evaluation.from_json(source.to_json()) if isinstance(source, Evaluation) else Evaluation.read(source)
    from .figures import draw_figures
    from .html_writer import write_html
    from .pdf_writer import write_pdf

    speaker = speaker_of(evaluation, language)
    document = Composer(speaker).document(evaluation)
    figures = draw_figures(evaluation, speaker)
    return Briefing(
        language=language,
        slug=evaluation.slug,
        audience=evaluation.audience,
        html=write_html(document, figures),
        pdf=write_pdf(document, figures),
        figures=figures,
    )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name first, so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    os.replace(part, path)
