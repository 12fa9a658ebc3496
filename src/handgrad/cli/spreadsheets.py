"""Text that a spreadsheet would run as a formula, written so that it shows it instead."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_RUN = "^[=+@\\t\\r\\n\uff1d\uff0b\uff0d\uff20-]"
_NUMBER = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"


def defused(table: pa.Table) -> pa.Table:
    """The table with an apostrophe before each text that begins like a formula and is not a number.

    >>> defused(pa.table({"prediction": ["=1+1", "-5", "a"]}))["prediction"].to_pylist()
    ["'=1+1", '-5', 'a']

    Source: OWASP, CSV Injection.
    """
    columns = [_defused(column) for column in table.columns]
    return pa.table(columns, names=table.column_names)


def _defused(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_string(column.type):
        return column
    runs = pc.and_not(pc.match_substring_regex(column, _RUN), pc.match_substring_regex(column, _NUMBER))
    return pc.if_else(runs, pc.binary_join_element_wise("'", column, ""), column)
