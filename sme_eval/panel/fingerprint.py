"""The fingerprint of a panel's content: the same for the same data, whatever the file format or the order of rows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sme_eval.panel.dictionary import Dictionary

if TYPE_CHECKING:
    import pandas as pd

_VERSION: Final = b"sme_eval panel content, version 1"
_MANTISSA_BITS: Final = 40
"""About 12 significant digits: every change of data is noticed, how a parser rounded the last bit is not."""


def content_hash(frame: pd.DataFrame, dictionary: Dictionary) -> str:
    """sha256 (hexadecimal) over the columns of a canonical `frame`, sorted by name, rows sorted by firm and year.

    Numbers enter as little-endian doubles rounded to 40 bits, texts as their sorted distinct values in UTF-8 and an
    index.
    """
    order = np.lexsort((frame["year"].to_numpy(), _index(frame["firm"])[0]))
    digest = hashlib.sha256(_VERSION)
    for name in sorted(map(str, frame.columns)):
        _add_text(digest, name)
        if dictionary[name].type in ("identifier", "category"):
            index, texts = _index(frame[name])
            for text in texts:
                _add_text(digest, text)
            digest.update(index[order].astype("<i8").tobytes())
        else:
            digest.update(_rounded(frame[name].to_numpy(dtype=np.float64))[order].astype("<f8").tobytes())
    return digest.hexdigest()


def _index(series: pd.Series[Any]) -> tuple[NDArray[np.int64], list[str]]:
    """(rows,) positions among the sorted distinct texts, −1 if missing, and these texts."""
    import pandas as pd

    codes, values = pd.factorize(series, sort=True)
    texts = [str(value) for value in values]
    place = np.argsort(np.argsort(np.array(texts, dtype=object), kind="stable"))
    return np.append(place, -1)[codes].astype(np.int64), sorted(texts)


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """To `_MANTISSA_BITS` bits, with one kind of NaN and one zero."""
    mantissa, exponent = np.frexp(values)
    rounded = np.ldexp(np.rint(mantissa * 2.0**_MANTISSA_BITS), exponent - _MANTISSA_BITS) + 0.0
    return np.where(np.isnan(values), np.nan, rounded)


def _add_text(digest: hashlib._Hash, text: str) -> None:
    """The length goes first, so that no two lists of texts give the same bytes."""
    encoded = text.encode()
    digest.update(len(encoded).to_bytes(8, "little") + encoded)
