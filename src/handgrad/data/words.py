"""A column as its distinct texts and, for each row, which of them: what is judged is judged once a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Words:
    """`values` (distinct,) are the texts in the order in which they appear; `index` (rows,) is -1 where missing."""

    values: pa.Array
    index: npt.NDArray[Any]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """How many rows hold each of the values."""
        return np.bincount(self.index[self.index >= 0], minlength=len(self.values)).astype(np.int64)

    @property
    def present(self) -> int:
        """How many rows hold a value."""
        return int(np.count_nonzero(self.index >= 0))

    def spread(self, of_value: npt.NDArray[Any], missing: Any) -> npt.NDArray[Any]:
        """What each value has, for each row; `missing` where there is none."""
        return np.asarray(np.append(of_value, missing)[self.index])

    def rows(self, wanted: Bools) -> npt.NDArray[np.int64]:
        """The rows whose value is one of those marked in `wanted` (distinct,)."""
        return np.flatnonzero(self.spread(wanted, False))


def words_of(text: pa.Array | pa.ChunkedArray, missing: tuple[str, ...] = ()) -> Words:
    """The words of a column of text or of dictionary-encoded text, trimmed; `missing` words are no words.

    >>> words_of(pa.array(["b", " a", None, "b "]), missing=("",)).index.tolist()
    [0, 1, -1, 0]
    """
    encoded = _encoded(text)
    codes = encoded.indices.cast(pa.int32())
    index = np.asarray(pc.fill_null(codes, -1).to_numpy(zero_copy_only=False), np.int32)
    values = encoded.dictionary
    values = values.cast(pa.large_string() if values.nbytes > 1 << 30 else pa.string())
    trimmed = pc.utf8_trim_whitespace(values)
    kept = pc.if_else(pc.is_in(trimmed, value_set=pa.array(missing, trimmed.type)), None, trimmed)
    again = kept.dictionary_encode()
    place = np.append(np.asarray(pc.fill_null(again.indices, -1), np.int32), np.int32(-1))
    return Words(again.dictionary, index if _same(place, len(values)) else place[index])


def _encoded(text: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    if isinstance(text, pa.ChunkedArray):
        if pa.types.is_dictionary(text.type):
            text = text.unify_dictionaries()
        joined = text.combine_chunks()
        text = joined.chunk(0) if isinstance(joined, pa.ChunkedArray) else joined
    return text if pa.types.is_dictionary(text.type) else text.dictionary_encode()


def _same(place: npt.NDArray[np.int32], count: int) -> bool:
    return bool(np.array_equal(place[:-1], np.arange(count)))


def bools(mask: pa.Array) -> Bools:
    """An Arrow array of truth values, null as False."""
    return np.asarray(pc.fill_null(mask, False).to_numpy(zero_copy_only=False), bool)


def number_text(value: float) -> str:
    """A number as a class or category is called: 3 for 3.0.

    >>> number_text(3.0), number_text(0.5)
    ('3', '0.5')
    """
    return str(int(value)) if np.isfinite(value) and value == int(value) else repr(value)
