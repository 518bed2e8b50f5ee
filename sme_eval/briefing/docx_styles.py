"""Styles, lists and settings of a Word document, with a font named for Chinese and for Latin characters."""

from __future__ import annotations

from typing import Any, Final

from sme_eval.results.word_parts import LATIN_FONT, THICK, THIN, border, element, name_fonts, properties

from .document import Document
from .docx_look import HEI, SONG, Look

INK, SOFT, ACCENT, WARNING, PALE, ALARM = "1F2933", "52606D", "0B6E8F", "C2410C", "EEF5F8", "FFF4EC"
TWIPS: Final = 20
"""Per point."""
TABLE_STYLE: Final = "ThreeLine"
BULLETS, BULLETS_INSIDE, NUMBERS, NUMBERS_INSIDE = range(4)
"""Kinds of lists: those of a box or of the bureau's prose do not hang, so that their lines begin where the other lines do."""
BUILT_IN: Final = {
    *("Normal", "Title", "Heading1", "Heading2", "BodyText", "ListBullet", "ListNumber", "Caption", "Header", "Footer"),
}
CROWDED_SIZE: Final = 8.0
"""Of the words of a table with too many columns, in points."""
HANGING: Final = 360
"""Twips from the mark of a list to its text."""


def styles(document: Document, look: Look) -> Any:
    """The `w:styles` of a document: these and no others, so that an office's list of styles stays short."""
    return element("w:styles", _defaults(document, look), *_paragraph_styles(document, look), *_table_styles())


def _defaults(document: Document, look: Look) -> Any:
    run = element(
        "w:rPr",
        name_fonts(element("w:rFonts"), look.fonts[0]),
        element("w:color", val=INK),
        *_size(look.body),
        # Latin words of a Chinese page are English: as Chinese they would be broken anywhere.
        element("w:lang", val="en-GB", eastAsia="zh-CN", bidi="ar-SA"),
    )
    return element("w:docDefaults", element("w:rPrDefault", run), element("w:pPrDefault", element("w:pPr")))


def _paragraph_styles(document: Document, look: Look) -> list[Any]:
    chinese = document.language == "zh"
    _, title_font, *heading_fonts = look.fonts
    after = 0 if look.official and chinese else 120
    indent = [element("w:ind", firstLineChars=200, firstLine=round(2 * look.body * TWIPS))] if chinese else []
    # Twenty-eight characters fill the line of an official document.
    tight = [element("w:spacing", val=-5)] if look.official and chinese else []
    prose = [_lines(look, document, look.body, after), *indent, element("w:jc", val="both" if chinese else "left")]
    free = [_lines(look, document, look.body, 120)]
    colour = INK if look.official else ACCENT
    small = [*_size(look.small)]
    alarm = WARNING if document.data_kind == "simulated" else SOFT
    bar = [element("w:pBdr", border("left", 16, ACCENT, 8))]
    heading = [element("w:keepNext"), element("w:keepLines")]
    levels = [
        _style(
            f"Heading{level}",
            f"heading {level}",
            [
                *heading,
                element("w:spacing", before=(280, 200)[level - 1], after=(140, 100)[level - 1]),
                *(indent if look.official else []),
                element("w:outlineLvl", val=level - 1),
            ],
            [*_fonts(font), *_bold(not chinese), element("w:color", val=colour), *_size(size)],
            following="BodyText",
        )
        for level, (font, size) in enumerate(zip(heading_fonts, look.headings, strict=True), start=1)
    ]
    centre = [element("w:jc", val="center")] if look.official else []
    tabs = element("w:tabs", element("w:tab", val="right", pos=round(look.width * TWIPS)))
    return [
        _style("Normal", "Normal", [element("w:widowControl")], []),
        _style(
            "Title",
            "Title",
            [*heading, element("w:spacing", before=0, after=560 if look.official else 160), *centre],
            [*_fonts(title_font), *_bold(look.official or not chinese), *_size(look.title)],
            following="BodyText",
        ),
        *levels,
        _style("BodyText", "Body Text", prose, tight),
        _style(
            "Claim", "Claim", prose if look.official else [_lines(look, document, look.claim, 120)], [*tight, *_size(look.claim)]
        ),
        _style(
            "Question",
            "Question",
            prose if look.official else [*bar, *free, element("w:ind", left=240)],
            tight,
        ),
        _style("SmallPrint", "Small Print", [element("w:spacing", before=0, after=100)], [element("w:color", val=SOFT), *small]),
        _style("ListBullet", "List Bullet", prose if look.official else _list(free), tight),
        _style("ListNumber", "List Number", prose if look.official else _list(free), tight),
        _style("Drawing", "Drawing", [element("w:keepNext"), element("w:spacing", before=120, after=40)], [], following="Caption"),
        _style(
            "Caption",
            "caption",
            [element("w:keepLines"), element("w:spacing", before=160, after=80), element("w:jc", val="center")],
            [*_fonts(HEI), *_bold(not chinese), element("w:color", val=INK), *small],
            following="BodyText",
        ),
        _style("TableText", "Table Text", [table_lines(look.table)], [*_fonts(SONG), *_size(look.table)]),
        _style("TableSmall", "Table Text Small", [table_lines(CROWDED_SIZE)], [*_fonts(SONG), *_size(CROWDED_SIZE)]),
        _style(
            "TableNote",
            "Table Note",
            [element("w:keepLines"), element("w:spacing", before=40, after=0)],
            [*_fonts(SONG), element("w:color", val=SOFT), *small],
        ),
        _style("BoxTitle", "Box Title", heading, [*_fonts(HEI), *_bold(not chinese), *_size(min(look.headings[0], 14))]),
        _style(
            "BoxText",
            "Box Text",
            [element("w:keepLines"), element("w:spacing", before=60, after=0)],
            [element("w:color", val=WARNING), *_size(12)] if look.official else [],
        ),
        _style("Header", "header", [tabs], [*_fonts(SONG), element("w:color", val=alarm), *_size(look.header)]),
        _style("Footer", "footer", [element("w:jc", val="center")], [*_fonts(SONG), *_size(14 if look.official else 9)]),
    ]


def _lines(look: Look, document: Document, size: float, after: int) -> Any:
    """Distance of lines; Chinese fonts differ so much in height that only an exact one prints alike everywhere."""
    if look.official:
        return element("w:spacing", before=0, after=after, line=578, lineRule="exact")
    if document.language == "zh":
        return element("w:spacing", before=0, after=after, line=round(1.65 * size * TWIPS), lineRule="exact")
    return element("w:spacing", before=0, after=after, line=280, lineRule="auto")


def table_lines(size: float) -> Any:
    """Lines of a table's cells: exact, so that numbers stand level with Chinese words."""
    return element("w:spacing", before=20, after=20, line=round(1.3 * size * TWIPS), lineRule="exact")


def _list(paragraph: list[Any]) -> list[Any]:
    return [*paragraph, element("w:ind", left=HANGING, hanging=HANGING)]


def _table_styles() -> list[Any]:
    """The rules belong to the style: a row that somebody adds moves the lowest rule down."""
    sides = (("top", 20), ("left", 70), ("bottom", 20), ("right", 70))
    return [
        element(
            "w:style",
            element("w:name", val="Normal Table"),
            element("w:uiPriority", val=99),
            element("w:tblPr", element("w:tblInd", w=0, type="dxa")),
            type="table",
            default=1,
            styleId="TableNormal",
        ),
        element(
            "w:style",
            element("w:name", val="Three Line"),
            element("w:basedOn", val="TableNormal"),
            element("w:qFormat"),
            element(
                "w:tblPr",
                element("w:tblBorders", border("top", THICK), border("bottom", THICK)),
                element("w:tblCellMar", *(element(f"w:{side}", w=width, type="dxa") for side, width in sides)),
            ),
            element("w:tblStylePr", element("w:tcPr", element("w:tcBorders", border("bottom", THIN))), type="firstRow"),
            type="table",
            customStyle=1,
            styleId=TABLE_STYLE,
        ),
    ]


def _style(key: str, name: str, paragraph: list[Any], run: list[Any], following: str = "") -> Any:
    made = element("w:style", element("w:name", val=name), type="paragraph", styleId=key)
    if key == "Normal":
        made.set(element("w:style", default=1).keys()[0], "1")
    else:
        made.append(element("w:basedOn", val="Normal"))
    if following:
        made.append(element("w:next", val=following))
    made.extend([element("w:qFormat"), properties("w:pPr", *paragraph), properties("w:rPr", *run)])
    if key not in BUILT_IN:
        made.set(element("w:style", customStyle=1).keys()[0], "1")
    return made


def _fonts(chinese: str) -> list[Any]:
    return [name_fonts(element("w:rFonts"), chinese)]


def _size(points: float) -> list[Any]:
    return [element(f"w:{name}", val=round(2 * points)) for name in ("sz", "szCs")]


def _bold(really: bool) -> list[Any]:
    return [element("w:b")] if really else []


def lists(ordered: int) -> list[Any]:
    """Definitions of the lists: bullets have the numbers 1 and 2, and each ordered list (`ordered` of either kind) begins anew."""
    abstract = []
    for kind in range(4):
        hangs, counts = kind in (BULLETS, NUMBERS), kind in (NUMBERS, NUMBERS_INSIDE)
        level = [
            element("w:start", val=1),
            element("w:numFmt", val="decimal" if counts else "bullet"),
            element("w:suff", val="tab" if hangs else "space"),
            element("w:lvlText", val="%1." if counts else "•"),
            element("w:lvlJc", val="left"),
        ]
        level += [properties("w:pPr", element("w:ind", left=HANGING, hanging=HANGING))] if hangs else []
        level += [] if counts else [properties("w:rPr", name_fonts(element("w:rFonts"), LATIN_FONT))]
        identity = element("w:nsid", val=f"{kind + 1:08X}")
        abstract.append(
            element(
                "w:abstractNum",
                identity,
                element("w:multiLevelType", val="singleLevel"),
                element("w:lvl", *level, ilvl=0),
                abstractNumId=kind,
            )
        )
    plain = [element("w:num", element("w:abstractNumId", val=kind), numId=kind + 1) for kind in (BULLETS, BULLETS_INSIDE)]
    counted = [
        element(
            "w:num",
            element("w:abstractNumId", val=kind),
            element("w:lvlOverride", element("w:startOverride", val=1), ilvl=0),
            numId=list_number(place, kind),
        )
        for place in range(ordered)
        for kind in (NUMBERS, NUMBERS_INSIDE)
    ]
    return [*abstract, *plain, *counted]


def list_number(place: int, kind: int) -> int:
    """Number of the definition of the ordered list at `place` (from 0), hanging or not; bullets come first."""
    return 3 + 2 * place + (kind == NUMBERS_INSIDE)


def settings(look: Look) -> list[Any]:
    """What Word should do with the document: nothing that depends on whose Word it is."""
    address = "http://schemas.microsoft.com/office/word"
    modes = (("compatibilityMode", 15), ("overrideTableStyleFontSizeAndJustification", 1), ("enableOpenTypeFeatures", 1))
    return [
        element("w:zoom", percent=100),
        element("w:defaultTabStop", val=420),
        *([element("w:evenAndOddHeaders")] if look.official else []),
        element("w:characterSpacingControl", val="compressPunctuation"),
        element("w:compat", *(element("w:compatSetting", name=name, uri=address, val=value) for name, value in modes)),
        element("w:themeFontLang", val="en-GB", eastAsia="zh-CN"),
        element("w:decimalSymbol", val="."),
        element("w:listSeparator", val=","),
    ]
