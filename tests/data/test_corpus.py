"""What is found in small awkward files, and that random tables come back from random dialects as they were."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad.data.cells import column_values, parsed, words
from handgrad.data.columns import encoded
from handgrad.data.inspection import inspect
from handgrad.data.kinds import find_kind
from handgrad.data.reading import Reading
from handgrad.data.tables import read_table
from tests.data.corpus import CORPUS, Awkward


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_what_is_found(case: Awkward, tmp_path: Path) -> None:
    path = tmp_path / f"t{case.suffix}"
    path.write_bytes(case.data)
    table = read_table(path)
    seen = inspect(table, [case.target] if case.target else [])
    assert {column.name: column.kind for column in seen.columns} == case.kinds
    assert seen.task == case.task
    if case.rows is not None:
        assert seen.rows == case.rows
    for name, values in case.values.items():
        kind = encoded(find_kind(table, name))[0]
        np.testing.assert_allclose(column_values(table, name, kind)[: len(values)], values, rtol=1e-12)
    missing = {column.name: column.missing for column in seen.columns}
    assert {name: missing[name] for name in case.missing} == case.missing
    said = "\n".join((*seen.warnings, *seen.remarks, *(column.note or "" for column in seen.columns)))
    for part in case.says:
        assert part in said


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    assert len({case.name for case in CORPUS}) == len(CORPUS) >= 40


DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "\t", "|"]),
        "decimal": st.sampled_from([".", ","]),
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
        "end": st.sampled_from(["\n", "\r\n"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        "packing": st.sampled_from(["", ".gz"]),
    }
)
WORD = st.text(st.sampled_from("abcdeäλ日 ,;|'"), min_size=1, max_size=8).filter(
    lambda word: word.strip() == word and any(letter.isalpha() for letter in word)
)


@given(
    dialect=DIALECTS,
    numbers=st.lists(st.floats(-1e6, 1e6).map(lambda v: round(v, 2)), min_size=5, max_size=25, unique=True),
    pool=st.lists(WORD, min_size=2, max_size=4, unique=True),
    data=st.data(),
)
def test_a_table_comes_back_from_any_dialect(
    dialect: dict[str, Any], numbers: list[float], pool: list[str], data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    import gzip

    texts = [data.draw(st.sampled_from(pool)) for _ in numbers]
    days = [
        np.datetime64("2001-05-06") + np.timedelta64(data.draw(st.integers(0, 9999)), "D") for _ in numbers
    ]
    file = io.StringIO(newline="")
    writer = csv.writer(
        file, delimiter=dialect["delimiter"], lineterminator=dialect["end"], quoting=dialect["quoting"]
    )
    writer.writerow(["the number", "a word", "day"])
    for number, text, day in zip(numbers, texts, days, strict=True):
        writer.writerow([str(number).replace(".", dialect["decimal"]), text, str(day)])
    content = file.getvalue().encode(dialect["encoding"])
    path = tmp_path_factory.mktemp("t") / f"t.csv{dialect['packing']}"
    path.write_bytes(gzip.compress(content) if dialect["packing"] else content)
    table = read_table(path)
    assert table.names == ["the number", "a word", "day"]
    assert parsed(table, "the number", "number").values.tolist() == numbers
    assert (
        words(table, "a word").spread(np.array(words(table, "a word").values.to_pylist()), "").tolist()
        == texts
    )
    assert parsed(table, "day", "date").values.tolist() == [float(day.astype(int)) for day in days]


@pytest.mark.parametrize(
    ("content", "reading", "name", "expected"),
    [
        ("x\n1,941\n2,500\n", Reading(decimal=",", delimiter="\t"), "x", [1.941, 2.5]),
        ("x\n1.941\n2.500\n", Reading(decimal=",", thousands="."), "x", [1941, 2500]),
        ("a\n1\n2\n", Reading(header=False), "column 1", [np.nan, 1, 2]),
        ("1\n2\n", Reading(header=True), "1", [2]),
        ("a:b\n1:5\n2:6\n", Reading(delimiter=":"), "b", [5, 6]),
        ("a,b\n1,-1\n2,7\n3,-1\n", Reading(missing=("-1",)), "b", [np.nan, 7, np.nan]),
    ],
)
def test_what_is_said_wins(
    content: str, reading: Reading, name: str, expected: list[float], tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    values = parsed(read_table(path, reading), name, "number").values
    np.testing.assert_array_equal(values, expected)


def test_the_order_of_dates_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("d\n01/02/2010\n03/04/2010\n")
    day = parsed(read_table(path, Reading(dates="day-first")), "d", "date").values[0]
    month = parsed(read_table(path, Reading(dates="month-first")), "d", "date").values[0]
    assert np.datetime64(int(day), "D") == np.datetime64("2010-02-01")
    assert np.datetime64(int(month), "D") == np.datetime64("2010-01-02")


def test_a_large_file_is_read_as_a_small_one(tmp_path: Path) -> None:
    """Beyond the beginning from which the dialect is found stands what its beginning did not show."""
    rows = 60_000
    numbers = np.round(np.random.default_rng(0).normal(0, 10, rows), 3)
    lines = [f"{v},{k % 4},w{k % 5},{'' if k % 50 else 'x'}{k}" for k, v in enumerate(numbers)]
    lines[50_000] = "what,1,w0,y"
    path = tmp_path / "t.csv"
    path.write_text("a,b,c,d\n" + "\n".join(lines) + "\n")
    assert path.stat().st_size > 1 << 20
    for single in (False, True):
        table = read_table(path, single=single)
        made = parsed(table, "a", "number")
        assert made.bad.tolist() == [50_000]
        np.testing.assert_allclose(np.delete(made.values, 50_000), np.delete(numbers, 50_000), atol=1e-5)
        assert (
            find_kind(table, "a")
            .doubts[0]
            .startswith("column 'a': 1 cell is not a number: 'what' in line 50002")
        )
        assert find_kind(table, "b").kind == "numeric"
        assert words(table, "c").counts.tolist() == [12_000] * 5


def test_several_files_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("x,c\n1,a\n2,b\n")
    (tmp_path / "2.csv").write_text("c;x\nb;3,5\nword;4\n")
    (tmp_path / "notes.md").write_text("no table")
    for data in (tmp_path, str(tmp_path / "*.csv"), [tmp_path / "1.csv", tmp_path / "2.csv"]):
        table = read_table(data)
        assert (table.rows, table.names) == (4, ["x", "c"])
        assert words(table, "c").values.to_pylist() == ["a", "b", "word"]
        assert table.place(3, "x").endswith("2.csv, line 3, column 'x'")
