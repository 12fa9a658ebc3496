"""What is found in small awkward files, and that random tables come back from random dialects as they were."""

from __future__ import annotations

import calendar
import csv
import gzip
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
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
    assert len({case.name for case in CORPUS}) == len(CORPUS) >= 100


DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "\t", "|"]),
        "decimal": st.sampled_from([".", ","]),
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
        "end": st.sampled_from(["\n", "\r\n"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        "packing": st.sampled_from(["", ".gz", ".zst"]),
        "header": st.booleans(),
        "thousands": st.booleans(),
        "unit": st.sampled_from(["", "€", "$", "%"]),
        "missing": st.sampled_from(["", "NA", "n/a", "-"]),
        "date": st.sampled_from(
            ["{0}-{1:02}-{2:02}", "{2:02}.{1:02}.{0}", "{0}{1:02}{2:02}", "{2} {name} {0}"]
        ),
        "blank": st.booleans(),
        "remark": st.booleans(),
    }
)
MONTH_NAMES = list(calendar.month_name)[1:]
WORD = st.text(st.sampled_from("abcdeäλ日 ,;|'"), min_size=1, max_size=8).filter(
    lambda word: (
        word.strip() == word
        and any(letter.isalpha() for letter in word)
        # three cells like 'this' are read as quoted, and that is said; they may be meant either way
        and not re.search(r"(?:^|[,;|])'[^']*'(?=[,;|]|$)", word)
    )
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
    texts = [data.draw(st.sampled_from(pool)) for _ in numbers]
    days = [
        np.datetime64("2001-05-06") + np.timedelta64(data.draw(st.integers(0, 9999)), "D") for _ in numbers
    ]
    # a column of one day or of a single text says little of itself, and the first rows show what is a name
    days[:4] = [np.datetime64(day) for day in ("2011-03-25", "2004-12-31", "2019-07-14", "2002-10-28")]
    gone = [k > 3 and data.draw(st.integers(0, 9)) == 0 for k in range(len(numbers))]
    file = io.StringIO(newline="")
    writer = csv.writer(
        file, delimiter=dialect["delimiter"], lineterminator=dialect["end"], quoting=dialect["quoting"]
    )
    if dialect["remark"]:
        file.write("# made by a test" + dialect["end"])
    if dialect["header"]:
        writer.writerow(["the number", "a word", "day"])
    for k, (number, text, day) in enumerate(zip(numbers, texts, days, strict=True)):
        year, month, date = map(int, str(day).split("-"))
        shown = dialect["date"].format(year, month, date, name=MONTH_NAMES[month - 1])
        writer.writerow([dialect["missing"] if gone[k] else _written(number, dialect), text, shown])
        if dialect["blank"] and k % 3 == 1:
            file.write(dialect["end"])
    content = file.getvalue().encode(dialect["encoding"])
    path = tmp_path_factory.mktemp("t") / f"t.csv{dialect['packing']}"
    path.write_bytes(_packed(content, dialect["packing"]))
    table = read_table(path)
    names = ["the number", "a word", "day"] if dialect["header"] else ["column 1", "column 2", "column 3"]
    assert table.names == names
    expected = np.where(gone, np.nan, numbers)
    np.testing.assert_array_equal(parsed(table, names[0], "number").values, expected)
    held = words(table, names[1])
    assert held.spread(np.array(held.values.to_pylist()), "").tolist() == texts
    assert parsed(table, names[2], "date").values.tolist() == [float(day.astype(int)) for day in days]


def _written(number: float, dialect: dict[str, Any]) -> str:
    text = f"{number:,.2f}" if dialect["thousands"] else f"{number:.2f}"
    if dialect["decimal"] == ",":
        text = text.replace(",", "_").replace(".", ",").replace("_", ".")
    unit = dialect["unit"]
    return f"{text} {unit}" if unit in ("€", "%") else f"{unit}{text}"


def _packed(content: bytes, packing: str) -> bytes:
    if packing == ".gz":
        return gzip.compress(content)
    if not packing:
        return content
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


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


def test_numbers_that_name_the_rows_keep_every_digit(tmp_path: Path) -> None:
    """float32 would make two customers one, and count 16,777,217 as 16,777,216."""
    g = np.random.default_rng(1)
    ids = g.choice(900_000_000, 60_000, replace=False) + 100_000_000
    lines = [f"{key},{k + 1},{k % 7},{g.normal():.3f}" for k, key in enumerate(ids.tolist())]
    path = tmp_path / "t.csv"
    path.write_text("customer_id,n,few,x\n" + "\n".join(lines) + "\n")
    assert path.stat().st_size > 1 << 20
    table = read_table(path, single=True)
    assert parsed(table, "customer_id", "number").values.tolist() == ids.tolist()
    assert find_kind(table, "customer_id").kind == find_kind(table, "n").kind == "identifier"
    assert [str(table.column(name).type) for name in table.names] == ["double", "double", "float", "float"]


def test_several_files_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("x,c\n1,a\n2,b\n")
    (tmp_path / "2.csv").write_text("c;x\nb;3,5\nword;4\n")
    (tmp_path / "notes.md").write_text("no table")
    for data in (tmp_path, str(tmp_path / "*.csv"), [tmp_path / "1.csv", tmp_path / "2.csv"]):
        table = read_table(data)
        assert (table.rows, table.names) == (4, ["x", "c"])
        assert words(table, "c").values.to_pylist() == ["a", "b", "word"]
        assert table.place(3, "x").endswith("2.csv, line 3, column 'x'")
