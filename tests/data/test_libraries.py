"""Tables of pandas and polars, and what is said of wrong arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from handgrad.data.cells import column_numbers, words
from handgrad.data.tables import read_table
from handgrad.errors import HandgradError
from handgrad.models.fit_table import fit_table
from handgrad.worksheets.worksheet import explain

G = np.random.default_rng(0)
FRAME = pd.DataFrame({"a": G.normal(size=60), "b": G.normal(size=60), "y": G.integers(0, 2, 60)})
LEVELS = ["low", "middle", "high"]


def test_frames_of_every_library_are_one_table() -> None:
    for data in (FRAME, pl.from_pandas(FRAME), pa.Table.from_pandas(FRAME), FRAME.to_dict("list")):
        table = read_table(data)
        assert table.names == ["a", "b", "y"]
        np.testing.assert_array_equal(column_numbers(table, "a"), FRAME["a"])


def test_missing_values_of_pandas_are_missing() -> None:
    frame = pd.DataFrame(
        {
            "n": pd.array([1, None, 3], dtype="Int64"),
            "s": pd.array(["a", None, "b"], dtype="string"),
            "o": ["a", np.nan, None],
            "f": [1.0, np.nan, 2.0],
        }
    )
    table = read_table(frame)
    assert np.isnan(column_numbers(table, "n")).tolist() == [False, True, False]
    assert np.isnan(column_numbers(table, "f")).tolist() == [False, True, False]
    assert words(table, "s").index.tolist() == [0, -1, 1]
    assert words(table, "o").index.tolist() == [0, -1, -1]


@pytest.mark.parametrize(
    "levels",
    [
        pd.Categorical(LEVELS * 20, categories=LEVELS, ordered=True),
        pl.Series(LEVELS * 20, dtype=pl.Enum(LEVELS)),
    ],
    ids=["pandas", "polars"],
)
def test_ordered_categories_keep_their_order(levels: Any) -> None:
    frame: Any = (
        FRAME.assign(c=levels)
        if isinstance(levels, pd.Categorical)
        else pl.from_pandas(FRAME).with_columns(levels.alias("c"))
    )
    model = fit_table(frame, "y", epochs=1)
    assert model.schema is not None
    assert model.schema.features == ("a", "b", *(f"c={level}" for level in LEVELS))
    model = fit_table(frame, "c", epochs=1)
    assert model.schema is not None and model.schema.target.classes == (tuple(LEVELS),)


def test_columns_may_be_called_by_numbers() -> None:
    frame = FRAME.set_axis([0, 1, 2], axis=1)
    model = fit_table(frame, 2, epochs=1, numeric=0)
    assert model.schema is not None and model.schema.features == ("0", "1")


WRONG: list[tuple[str, Callable[[], object], str]] = [
    ("mixed", lambda: fit_table(FRAME.assign(m=[1, "a", None] * 20), "y"), "column 'm'.*1 in row 1, 'a' in row 2"),
    ("series", lambda: fit_table(FRAME, FRAME["y"]), "target must be the name of a column.*got a Series"),
    ("activation", lambda: fit_table(FRAME, "y", activation=["relu"]), r"activation must be.*\['relu'\]"),
    ("validation", lambda: fit_table(FRAME, "y", validation="file"), "validation must be.*no file 'file'"),
    ("choice", lambda: explain(fit_table(FRAME, "y", epochs=1), data=FRAME, with_=["a"]), "there is no choice 'with_'"),
    ("hidden", lambda: fit_table(FRAME, "y", hidden=64), "hidden must be the widths.*64"),
    ("loss", lambda: fit_table(FRAME, "y", loss=3), "loss must be.*3"),
    ("initializer", lambda: fit_table(FRAME, "y", initializer=3), "initializer must be.*3"),
    ("argument", lambda: fit_table(FRAME, "y", speed=3), "no argument 'speed'"),
    ("dtype", lambda: fit_table(FRAME, "y", dtype="int8"), "dtype must be one of.*int8"),
    ("group", lambda: fit_table(FRAME, "y", group=["a"]), "group must be the name of a column"),
    ("test", lambda: fit_table(FRAME, "y", test=2), "test must be a part"),
    ("twice", lambda: fit_table(pd.concat([FRAME, FRAME[["a"]]], axis=1), "y"), "two columns are called 'a'"),
    ("scalars", lambda: fit_table({"x": 1, "y": [2]}, "y"), "column 'x' is 1; a column is a list"),
    ("complex", lambda: fit_table({"x": [1j], "y": [2]}, "y"), "column 'x'"),
    ("no table", lambda: fit_table(5, "y"), "int is not a table"),
    ("nothing", lambda: fit_table(None, "y"), "NoneType is not a table"),
    ("scaling", lambda: fit_table(FRAME, "y", scaling="huge"), "unknown scaling 'huge'"),
    ("missing", lambda: fit_table(FRAME, "y", missing="never"), "missing must be one of.*'never'"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "words"), [line[1:] for line in WRONG], ids=[line[0] for line in WRONG])
def test_a_wrong_argument_is_one_error_that_names_it(call: Callable[[], object], words: str) -> None:
    with pytest.raises(HandgradError, match=words):
        call()


def test_intervals_and_lists_are_left_out_and_said() -> None:
    frame = FRAME.assign(i=pd.interval_range(0, 60), l=[[1, 2]] * 60)
    model = fit_table(frame, "y", epochs=1)
    assert model.schema is not None
    assert {column.name: column.reason[:5] for column in model.schema.ignored} == {"i": "holds", "l": "holds"}
