"""What columns mean and how they are encoded, judged by NumPy."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad.data.batches import epoch_order, split_rows, steps_per_epoch
from handgrad.data.columns import decide_kind, measure, measured
from handgrad.data.schema import Schema, decide, measured_schema
from handgrad.data.tables import Table, read_table
from handgrad.data.targets import find_target
from handgrad.errors import DataError

LETTERS = ["red", "green", "blue", "red", "blue", "red"]


def text(**columns: list[Any]) -> Table:
    """A table as a CSV file gives it: cells of text."""
    return read_table({name: pa.array(values, pa.string()) for name, values in columns.items()})


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5", "-3e2", None, ".5", "+7"], "number"),
        (["true", "False", "TRUE", None, "no", "yes"], "boolean"),
        (LETTERS, "category"),
        (["2020-01-01", "2021-05-06", None, "2022-07-08", "2023-01-01", "2024-01-01"], "date"),
        ([None] * 6, "ignored"),
        (["1", "2", "3", "4", "5", "6"], "ignored"),  # counts the rows
        (["1", "2", "2", "4", "5", "6"], "number"),
        ([f"name {i}" for i in range(40)], "ignored"),  # names the rows
        (["1", "x", "2", "y", "3", "z"], "category"),
    ],
)
def test_the_kind_of_a_column_of_text(cells: list[Any], kind: str) -> None:
    assert decide_kind(text(c=cells), "c")[0] == kind


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (pa.array([1.5, None, 2.0]), "number"),
        (pa.array([5, 3, 9]), "number"),
        (pa.array([True, False, None]), "boolean"),
        (pa.array(["a", "b", "a"]).dictionary_encode(), "category"),
        (pa.array([1, 2], pa.date32()), "date"),
        (pa.array([1, 2], pa.duration("s")), "number"),
        (pa.array([[1], [2]]), "ignored"),
        (pa.array([None, None]), "ignored"),
        (pa.array([1.5, 2.5]).cast(pa.decimal128(5, 2)), "number"),
    ],
)
def test_the_kind_of_a_typed_column(array: pa.Array, kind: str) -> None:
    assert decide_kind(read_table({"c": array}), "c")[0] == kind


def test_numbers_are_standardised_and_missing_cells_flagged() -> None:
    table = text(c=["1", None, "3", "8"])
    column = measure(table, "c", "number")
    features, _ = column.encode(table)
    present = np.array([1.0, 3.0, 8.0])
    assert column.features == ("c", "c missing")
    np.testing.assert_allclose(features[[0, 2, 3], 0], (present - present.mean()) / present.std(), rtol=1e-15)
    assert features[1].tolist() == [0.0, 1.0]


def test_categories_are_one_hot_and_a_new_one_is_none_of_them() -> None:
    column = measure(text(c=LETTERS), "c", "category")
    features, unknown = column.encode(text(c=["green", "pink", None]))
    assert column.categories == ("blue", "green", "red")
    assert features.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert unknown == 1


def test_a_category_of_numbers_is_the_same_in_text_and_in_parquet() -> None:
    column = measure(text(c=["1", "2", "1"]), "c", "category")
    assert column.encode(read_table({"c": [2, 1]}))[0].tolist() == [[0, 1], [1, 0]]
    assert column.encode(read_table({"c": [2.0, 1.0]}))[0].tolist() == [[0, 1], [1, 0]]


def test_dates_become_a_trend_and_a_place_on_the_circle_of_the_year() -> None:
    table = text(d=["2020-01-01", "2020-07-01", "2021-01-01", None])
    features, _ = measure(table, "d", "date").encode(table)
    assert features.shape == (4, 4)
    np.testing.assert_allclose(features[:3, 1] ** 2 + features[:3, 2] ** 2, 1.0)
    assert np.all(np.diff(features[:3, 0]) > 0)
    assert features[3].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("values", [[1e308, -1e308, 5e307], [1e-300, 3e-300], [1e15, 1e15 + 2]])
def test_extreme_numbers_are_standardised_without_overflow(values: list[float]) -> None:
    table = read_table({"c": values})
    features, _ = measure(table, "c", "number").encode(table)
    assert np.all(np.isfinite(features))
    np.testing.assert_allclose([features.mean(), features.std()], [0, 1], atol=1e-9)


def test_mean_and_deviation_agree_with_numpy() -> None:
    values = np.random.default_rng(0).normal(5, 3, 100)
    np.testing.assert_allclose(measured(values), (values.mean(), values.std()), rtol=1e-13)


BASE = {"x": ["1", "2", "4", "7"], "y": ["a", "b", "a", "b"]}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            {"x": ["1", "2", "four", "5", "6", "7", "8"], "y": list("abababa")},
            ["row 3", "'four'", "--categorical"],
        ),
        ({"x": ["1", "2", "inf", "4"], "y": list("abab")}, ["row 3", "finite"]),
        ({"x": ["1", "1e999", "3", "4"], "y": list("abab")}, ["row 2", "finite"]),
        ({"x": ["5", "5", "5", "5"], "y": list("abab")}, ["no column is left", "constant"]),
        ({"x": ["1", "2", "4", "7"], "y": ["a"] * 4}, ["one class only", "'a'"]),
        ({"x": ["1", "2", "4", "7"], "y": [None] * 4}, ["missing"]),
        ({"y": ["a", "b"]}, ["no column is left"]),
        ({"x": ["1", "2"]}, ["no column 'y'", "'x'"]),
    ],
)
def test_a_table_that_cannot_be_trained_on_is_told(columns: dict[str, list[Any]], words: list[str]) -> None:
    with pytest.raises(DataError) as told:
        measured_schema(text(**columns), decide(text(**columns), ["y"]))
    for word in words:
        assert word in str(told.value)


def test_columns_are_what_the_caller_says() -> None:
    table = text(x=["1", "2", "1", "2"], z=["1", "2", "3", "4"], w=["5", "6", "8", "9"], y=list("abab"))
    kinds = decide(table, ["y"], categorical=["x"], numeric=["z"], ignore=["w"])
    schema = measured_schema(table, kinds)
    assert schema.features == ("x=1", "x=2", "z")
    with pytest.raises(DataError, match="two kinds"):
        decide(table, ["y"], categorical=["x"], ignore=["x"])
    with pytest.raises(DataError, match="no column 'q'"):
        decide(table, ["y"], ignore=["q"])
    with pytest.raises(DataError, match="target"):
        decide(table, ["y"], ignore=["y"])


def test_prediction_needs_the_columns_of_training_and_no_others() -> None:
    schema = measured_schema(text(**BASE), decide(text(**BASE), ["y"]))
    assert schema.encode(text(more=["?"], x=["1"]))[0].shape == (1, 1)
    with pytest.raises(DataError, match="needs the column 'x'; the file has 'other'"):
        schema.encode(text(other=["1"]))
    with pytest.raises(DataError, match="row 1, column 'x': 'one' is not a number"):
        schema.encode(text(x=["one"]))


def test_a_schema_survives_json() -> None:
    columns = {**BASE, "d": ["2020-01-01", None, "2021-01-01", "2022-01-01"], "c": ["u", "v", None, "u"]}
    schema = measured_schema(text(**columns), decide(text(**columns), ["y"]))
    again = msgspec.json.decode(msgspec.json.encode(schema), type=Schema)
    assert again == schema
    np.testing.assert_array_equal(again.encode(text(**columns))[0], schema.encode(text(**columns))[0])


@pytest.mark.parametrize(
    ("targets", "task", "outputs"),
    [
        ({"y": ["a", "b", "a", "b"]}, "binary", 1),
        ({"y": [0, 1, 1, 0]}, "binary", 1),
        ({"y": [True, False, True, None]}, "binary", 1),
        ({"y": list("abcabc")}, "multiclass", 3),
        ({"y": [0.5, 1.5, 2.5, 3.5]}, "regression", 1),
        ({"y": list(range(50))}, "regression", 1),
        ({"y": [1.5, 2.5, 3.0], "z": [1, 2, 3]}, "regression", 2),
        ({"y": [0, 1, 1, 0], "z": ["p", "q", "p", "q"]}, "multilabel", 2),
    ],
)
def test_the_task_is_found_from_the_target(targets: dict[str, list[Any]], task: str, outputs: int) -> None:
    target = find_target(read_table(targets), list(targets))
    assert (target.task, target.outputs) == (task, outputs)


def test_a_task_can_be_asked_for() -> None:
    table = read_table({"y": [1, 2, 3, 1]})
    assert find_target(table, ["y"]).task == "regression"  # three values in four rows
    assert find_target(table, ["y"], "multiclass").classes == (("1", "2", "3"),)
    for task, word in [("binary", "3 classes"), ("sorting", "unknown task")]:
        with pytest.raises(DataError, match=word):
            find_target(table, ["y"], task)
    with pytest.raises(DataError, match="not a number"):
        find_target(read_table({"y": ["a", "b"]}), ["y"], "regression").present(read_table({"y": ["a", "b"]}))


def test_a_million_classes_are_refused() -> None:
    table = read_table({"y": pa.array([f"c{i}" for i in range(1_000_000)])})
    with pytest.raises(DataError, match=r"1,000,000 classes.*regression"):
        find_target(table, ["y"])


def test_classes_are_the_same_in_text_and_numbers() -> None:
    target = find_target(text(y=["1", "2", "10", "1", "2", "10"]), ["y"])
    assert target.classes == (("1", "2", "10"),)
    assert target.class_indices(read_table({"y": [10.0, 1.0]})).tolist() == [2, 0]
    with pytest.raises(DataError, match=r"row 1.*'3' was not in the training data; known are 1, 2, 10"):
        target.class_indices(read_table({"y": [3]}))


@given(
    classes=st.lists(st.integers(0, 4), min_size=2, max_size=200),
    part=st.floats(0.01, 0.9),
    seed=st.integers(0, 2**32),
)
def test_a_split_is_disjoint_whole_and_keeps_every_class_in_training(
    classes: list[int], part: float, seed: int
) -> None:
    labels = np.array(classes)
    try:
        split = split_rows(len(labels), part, seed, labels)
    except DataError:
        assert len(labels) - max(1, round(len(labels) * part)) < 1 or np.unique(labels).size == len(labels)
        return
    together = np.concatenate(split)
    assert sorted(together.tolist()) == list(range(len(labels)))
    assert set(labels[split.training]) == set(classes)
    wanted = max(1, round(len(labels) * part))
    counts = np.bincount(labels, minlength=5)
    held = np.bincount(labels[split.validation], minlength=5)
    assert split.validation.size <= wanted
    for count, share in zip(counts, held, strict=True):
        assert share <= max(0, count - 1)
        assert share <= wanted * count // len(labels) + 1  # its share, and one that others could not spare


@given(
    seed=st.integers(0, 2**63), epoch=st.integers(0, 10**6), rows=st.integers(1, 50), batch=st.integers(1, 60)
)
def test_an_epoch_takes_each_row_once(seed: int, epoch: int, rows: int, batch: int) -> None:
    order = epoch_order(seed, epoch, rows)
    assert sorted(order.tolist()) == list(range(rows))
    np.testing.assert_array_equal(order, epoch_order(seed, epoch, rows))
    assert (steps_per_epoch(rows, batch) - 1) * batch < rows <= steps_per_epoch(rows, batch) * batch
    assert epoch_order(seed, epoch, rows, shuffle=False).tolist() == list(range(rows))
