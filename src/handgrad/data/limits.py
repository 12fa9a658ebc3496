"""How wide a table and how long a cell may be before something else than a table is meant."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from handgrad.errors import DataError

MOST_COLUMNS = 100_000
MOST_CHARACTERS = 1_000_000
"""In a cell, as bytes of UTF-8; a whole book has as many."""


def check_width(source: str, columns: int) -> None:
    """Raises DataError for more columns than anything here is made for; reading them would take minutes."""
    if columns > MOST_COLUMNS:
        raise DataError(
            f"{source} has {columns:,} columns, at most {MOST_COLUMNS:,} are read; leave columns out, or "
            "exchange rows and columns"
        )


def check_cells(source: str, name: str, column: pa.ChunkedArray) -> None:
    """Raises DataError for a cell as long as a library."""
    start = 0
    for chunk in column.chunks:
        text = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
        plain = pa.types.is_string(text.type) or pa.types.is_large_string(text.type)
        if (
            plain
            and text.nbytes > MOST_CHARACTERS
            and (pc.max(pc.binary_length(text)).as_py() or 0) > MOST_CHARACTERS
        ):
            decoded = chunk.dictionary_decode() if pa.types.is_dictionary(chunk.type) else chunk
            row = start + pc.index(pc.greater(pc.binary_length(decoded), MOST_CHARACTERS), True).as_py()
            raise DataError(
                f"{source}, row {row + 1}, column {name!r}: the cell holds more than {MOST_CHARACTERS:,} bytes "
                "of text; look for a quotation mark that is never closed"
            )
        start += len(chunk)
