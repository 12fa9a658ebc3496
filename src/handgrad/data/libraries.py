"""Tables of other libraries (pandas, polars, Arrow, whatever speaks Arrow's PyCapsule interface), as Arrow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from handgrad.errors import DataError, ShapeError


@runtime_checkable
class Stream(Protocol):
    """Gives its rows through Arrow's PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule of an ArrowArrayStream."""


@runtime_checkable
class Frame(Protocol):
    """Columns by name, as pandas has them."""

    columns: Any

    def __getitem__(self, name: Any) -> Any: ...


def arrow_of(data: Any) -> pa.Table:
    """The Arrow table of a table of any library.

    Raises DataError for what is no table, naming the column that cannot be read.
    """
    if isinstance(data, pa.Table):
        return data
    if _of_pandas(data) and isinstance(data, Frame):
        names = [str(name) for name in data.columns]
        repeated = next((name for name, times in Counter(names).items() if times > 1), None)
        if repeated is not None:
            raise DataError(f"the table: two columns are called {repeated!r}; rename one of them")
        return pa.table(columns_of("the table", {name: data[name] for name in data.columns}))
    if isinstance(data, Stream | pa.RecordBatch | pa.RecordBatchReader):
        try:
            table = pa.table(data)
        except (TypeError, ValueError, pa.ArrowException) as error:
            raise DataError(
                f"a {type(data).__name__} could not be read as a table: {_line(error)}"
            ) from error
        if any(isinstance(kind, pa.BaseExtensionType) for kind in table.schema.types):
            return pa.table({n: _storage(c) for n, c in zip(table.column_names, table.columns, strict=True)})
        return table
    raise DataError(
        f"a value of the type {type(data).__name__} is not a table; give a file name, a mapping of columns, or an "
        "Arrow, pandas or polars table"
    )


def columns_of(source: str, columns: Mapping[Any, Any]) -> dict[str, Any]:
    """The columns as Arrow arrays; names that are numbers become text.

    Raises DataError for values that are not of one kind, or two columns of one name.
    """
    named: dict[str, Any] = {}
    for name, values in columns.items():
        if str(name) in named:
            raise DataError(f"{source}: two columns are called {str(name)!r}; rename one of them")
        named[str(name)] = array_of(source, str(name), values)
    return named


def array_of(source: str, name: str, values: Any) -> pa.Array | pa.ChunkedArray:
    """One column. Raises DataError where its values are not of one kind, naming the first that differs."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return _storage(values)
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise DataError(
            f"{source}, column {name!r} is {values!r}; a column is a list of values, one for each row"
        )
    try:
        array = pa.array(values, from_pandas=True)
    except (TypeError, ValueError, OverflowError, NotImplementedError, pa.ArrowException) as error:
        raise DataError(
            f"{source}, column {name!r}: its values are not of one kind ({_odd(values) or _line(error)}); give "
            "numbers or text"
        ) from error
    return _storage(array)


def equal_lengths(source: str, arrays: Mapping[str, Any]) -> pa.Table:
    """The table of these columns. Raises ShapeError where they are not equally long."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ShapeError(
            f"{source}: columns must have equal lengths, got "
            + ", ".join(f"{name!r}: {length}" for name, length in lengths.items())
        )
    return pa.table(dict(arrays))


def _storage(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """What an extension type (such as the intervals of pandas) is made of."""
    if not isinstance(array.type, pa.BaseExtensionType):
        return array
    return array.cast(array.type.storage_type)


def _of_pandas(data: Any) -> bool:
    return type(data).__module__.split(".")[0] == "pandas"


def _odd(values: Any) -> str:
    """The first two values of different kinds, for the message."""
    first: Any = None
    for row, value in enumerate(values):
        if value is None or value != value:  # noqa: PLR0124  NaN
            continue
        if first is not None and type(value) is not type(first[1]):
            return f"{first[1]!r} in row {first[0] + 1}, {value!r} in row {row + 1}"
        first = first or (row, value)
    return ""


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
