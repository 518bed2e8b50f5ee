"""A regression table as plain text, HTML, LaTeX and Typst."""

from __future__ import annotations

import html
import unicodedata
from typing import TYPE_CHECKING, Final

from .table_cells import Cell

if TYPE_CHECKING:
    from .tables import RegressionTable

MINUS: Final = "−"
RULE: Final = "1.2px solid currentColor"
CELL: Final = "padding:.15em .8em;text-align:center;white-space:nowrap"
LABEL: Final = "padding:.15em .8em .15em 0;text-align:left;font-weight:normal"
PLAIN: Final = "border:0;background:none"  # against the page's own rules for tables

LATEX: Final[dict[str, str]] = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", '"': r"\textquotedbl{}",
    "−": "$-$", "×": r"$\times$", "·": r"$\cdot$", "≥": r"$\geq$", "≤": r"$\leq$", "∞": r"$\infty$", "Σ": r"$\Sigma$",
    "α": r"$\alpha$", "β": r"$\beta$", "δ": r"$\delta$", "ε": r"$\varepsilon$", "λ": r"$\lambda$", "κ": r"$\kappa$",
    "²": r"\textsuperscript{2}", "√": r"$\surd$", "–": "--", "—": "---", "“": "``", "”": "''", "’": "'",
}  # fmt: skip
"""What LaTeX reads as a command, and what pdfLaTeX has no letter for; Chinese stays as it is."""


def minus(cell: Cell) -> str:
    """The text of a cell with real minus signs in its numbers."""
    return cell.text.replace("-", MINUS) if cell.number else cell.text


def numbered(table: RegressionTable) -> list[str]:
    """Notes with their numbers, then remarks, as plain text."""
    return [*(f"[{n}] {text}" for n, text in enumerate(table.notes, start=1)), *table.remarks]


def plain_text(table: RegressionTable) -> str:
    """Aligned columns; a Chinese character is two places wide."""
    blocks = [[("", *(head.plain for head in table.heads))]]
    blocks += [[(row.label, *(cell.plain for cell in row.cells)) for row in block] for block in table.blocks]
    columns = zip(*(row for block in blocks for row in block), strict=True)
    widths = [max(map(_places, column)) for column in columns]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    lines = [table.caption]
    for block in blocks:
        lines.append(rule)
        lines += [
            "  ".join(_padded(text, width, n) for n, (text, width) in enumerate(zip(row, widths, strict=True))) for row in block
        ]
    return "\n".join(line.rstrip() for line in [*lines, rule, *numbered(table)])


def _places(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _padded(text: str, width: int, column: int) -> str:
    space = " " * (width - _places(text))
    return space + text if column else text + space


def html_text(table: RegressionTable) -> str:
    """A `<div>` that carries its own form; notes are paragraphs below the table."""
    top, below = f"border-top:{RULE}", f"border-bottom:{RULE}"
    heads = "".join(f'<th scope="col" style="{PLAIN};{CELL};{below};font-weight:normal">{_html(head)}</th>' for head in table.heads)
    lines = [
        '<div class="regression-table" style="overflow-x:auto">',
        f'<table style="border-collapse:collapse;{top};{below};margin:.6em 0;font-variant-numeric:tabular-nums">',
        f'<caption style="caption-side:top;text-align:left;padding-bottom:.4em">{html.escape(table.caption)}</caption>',
        f'<thead><tr><td style="{PLAIN};{LABEL};{below}"></td>{heads}</tr></thead>',
    ]
    for number, block in enumerate(table.blocks):
        lines.append(f'<tbody style="border-top:{"thin solid currentColor" if number else "0"}">')
        for row in block:
            cells = "".join(f'<td style="{PLAIN};{CELL}">{_html(cell)}</td>' for cell in row.cells)
            lines.append(f'<tr><th scope="row" style="{PLAIN};{LABEL}">{html.escape(row.label)}</th>{cells}</tr>')
        lines.append("</tbody>")
    notes = [f"{_raised(str(n))} {html.escape(text)}" for n, text in enumerate(table.notes, start=1)]
    lines += ["</table>", '<div class="notes" style="font-size:.85em;line-height:1.4;max-width:52em">']
    lines += [f'<p style="margin:.15em 0">{text}</p>' for text in (*notes, *map(html.escape, table.remarks))]
    return "\n".join([*lines, "</div>", "</div>", ""])


def _html(cell: Cell) -> str:
    return html.escape(minus(cell)) + cell.stars + (_raised(",".join(map(str, cell.marks))) if cell.marks else "")


def _raised(text: str) -> str:
    return f'<sup style="font-size:.7em;line-height:0">{text}</sup>'


def html_page(table: RegressionTable) -> str:
    """A whole page, for a file."""
    language = {"en": "en", "zh": "zh-CN"}[table.language]
    fonts = '"Noto Serif","Noto Serif SC","Times New Roman",SimSun,serif'
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{html.escape(table.caption)}</title>\n'
        f"<style>body{{margin:2em;font-family:{fonts};color:#1f2933}}</style>\n</head>\n<body>\n{html_text(table)}</body>\n</html>\n"
    )


def latex_text(table: RegressionTable) -> str:
    """A `table` environment; rules by booktabs."""
    lines = [
        r"% needs \usepackage{booktabs}" + (r"; compile with XeLaTeX and \usepackage{ctex}" if table.language == "zh" else ""),
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{_latex_words(table.caption)}}}",
        rf"\begin{{tabular}}{{l{'c' * len(table.heads)}}}",
        r"\toprule",
        _latex_row("", table.heads),
    ]
    for block in table.blocks:
        lines.append(r"\midrule")
        lines += [_latex_row(row.label, row.cells) for row in block]
    notes = [rf"\textsuperscript{{{n}}} {_latex_words(text)}" for n, text in enumerate(table.notes, start=1)]
    lines += [r"\bottomrule", r"\end{tabular}", "", r"\begin{minipage}{0.95\linewidth}", r"\smallskip\footnotesize"]
    lines += [rf"{text}\par" for text in (*notes, *map(_latex_words, table.remarks))]
    return "\n".join([*lines, r"\end{minipage}", r"\end{table}", ""])


def _latex_words(text: str) -> str:
    return "".join(LATEX.get(character, character) for character in text)


def _latex_row(label: str, cells: tuple[Cell, ...]) -> str:
    return " & ".join([_latex_words(label), *map(_latex, cells)]) + r" \\"


def _latex(cell: Cell) -> str:
    marks = rf"\textsuperscript{{{','.join(map(str, cell.marks))}}}" if cell.marks else ""
    if not cell.number:
        # A line that begins with [ would be read as the length of \\ above it.
        text = _latex_words(cell.text)
        return (f"{{{text}}}" if text.startswith("[") else text) + marks
    number = cell.text.replace(",", "{,}") if not cell.text.startswith("[") else _latex_interval(cell.text)
    number = number.replace("∞", r"\infty").replace("%", r"\%")
    return f"${number}{f'^{{{cell.stars}}}' if cell.stars else ''}${marks}"


def _latex_interval(text: str) -> str:
    """Commas within numbers bind, the one between them separates."""
    return r",\ ".join(part.replace(",", "{,}") for part in text.split(", "))


def typst_text(table: RegressionTable) -> str:
    """A figure with a table of strings: nothing in them is read as markup."""
    columns = len(table.heads) + 1
    lines = [
        "#block[" if table.language == "en" else '#block[\n#set text(lang: "zh")',
        "#show figure.where(kind: table): set figure.caption(position: top)",
        "#figure(",
        "  kind: table,",
        f"  caption: {_string(table.caption)},",
        "  table(",
        f"    columns: {columns}, stroke: none, inset: (x: 0.7em, y: 0.3em),",
        "    align: (x, y) => if x == 0 { left } else { center },",
        "    table.hline(),",
        f"    table.header({_typst_row('', table.heads)}),",
    ]
    for block in table.blocks:
        lines.append("    table.hline(stroke: 0.5pt),")
        lines += [f"    {_typst_row(row.label, row.cells)}," for row in block]
    lines += ["    table.hline(),", "  ),", ")", "#set text(size: 0.85em)", "#set par(leading: 0.5em, spacing: 0.6em)"]
    lines += [f'#super("{n}") #{_string(text)}\n' for n, text in enumerate(table.notes, start=1)]
    return "\n".join([*lines, *(f"#{_string(text)}\n" for text in table.remarks), "]", ""])


def _typst_row(label: str, cells: tuple[Cell, ...]) -> str:
    return ", ".join([f"[#{_string(label)}]", *(f"[{_typst(cell)}]" for cell in cells)])


def _typst(cell: Cell) -> str:
    text = minus(cell) + cell.stars
    marks = ",".join(map(str, cell.marks))
    return (f"#{_string(text)}" if text else "") + (f"#super({_string(marks)})" if marks else "")


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
