"""The package around a Word document: the library's template emptied, properties that name nobody, the same bytes every time."""

from __future__ import annotations

import io
import zipfile
from typing import Any, Final

from .document import Document, plain
from .html_writer import HTML_LANGUAGES

STAMP: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every file inside: a record is as old as it says, not as its file."""
NEEDED: Final = ("styles", "numbering", "settings", "officeDocument", "core-properties", "header", "footer", "image")
"""Parts of the library's template that are kept, by the end of their relation."""


def put_in_place(known: Any, children: Any) -> None:
    """Put `children` into an element in place of what the library's template has there."""
    for child in list(known):
        known.remove(child)
    known.extend(list(children))


def describe(file: Any, document: Document) -> None:
    """Title, subject and language; no author, no time, nothing of the machine or the library."""
    core = file.core_properties
    put_in_place(core._element, [])
    core.title, core.subject = plain(document.title), document.labels["subject"]
    core.language = HTML_LANGUAGES[document.language]


def packed_bytes(file: Any) -> bytes:
    """The file's bytes, the same for the same content whenever and wherever it is packed."""
    package = file.part.package
    for owner in (package, file.part):
        for key, relation in list(owner.rels.items()):
            if relation.reltype.rpartition("/")[2] not in NEEDED:
                del owner.rels[key]
    made, packed = io.BytesIO(), io.BytesIO()
    file.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(packed, "w") as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, STAMP)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 0
            target.writestr(entry, source.read(name))
    return packed.getvalue()
