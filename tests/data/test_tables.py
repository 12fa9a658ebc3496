"""Reading: every format gives the same table, and every torn file one message that names it."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from handgrad.data.cells import column_days, column_numbers, words
from handgrad.data.reading import Reading
from handgrad.data.source import Source
from handgrad.data.tables import read_table
from handgrad.errors import DataError, ShapeError

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
COLUMNS = {"a": [1.5, -2.0, 3.25], "b": ["x", "y", "x"], "c": [True, False, True]}


def written(path: Path) -> Path:
    table = pa.table(COLUMNS)
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path)
    elif path.suffix == ".feather":
        pyarrow.feather.write_feather(table, path)
    elif path.suffix == ".npz":
        np.savez(path, **{name: np.array(values) for name, values in COLUMNS.items()})
    else:
        mark = "\t" if ".tsv" in path.suffixes else ","
        lines = [
            mark.join(COLUMNS),
            *(mark.join(map(str, row)) for row in zip(*COLUMNS.values(), strict=True)),
        ]
        data = "\n".join(lines).encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt", "t.csv.gz", "t.parquet", "t.feather", "t.npz"])
def test_every_format_gives_the_same_columns(tmp_path: Path, name: str) -> None:
    table = read_table(written(tmp_path / name))
    assert table.names == ["a", "b", "c"]
    assert table.rows == 3
    assert column_numbers(table, "a").tolist() == COLUMNS["a"]
    assert table.column("b").cast(pa.string()).to_pylist() == COLUMNS["b"]


def test_text_lies_in_memory_that_belongs_to_arrow(tmp_path: Path) -> None:
    # a buffer of Python's, let go by one of Arrow's threads while the interpreter ends, aborts the process
    path = tmp_path / "t.csv"
    path.write_bytes(b"x,y\n" + b"1,2\n" * 100_000)
    before = pa.total_allocated_bytes()
    content = Source(path).buffer()
    assert pa.total_allocated_bytes() - before >= content.size == path.stat().st_size


def test_a_matrix_of_an_npz_becomes_numbered_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    np.savez(path, X=np.arange(6.0).reshape(3, 2), y=np.array([0, 1, 0]))
    table = read_table(path)
    assert table.names == ["X1", "X2", "y"]
    assert column_numbers(table, "X2").tolist() == [1, 3, 5]


def test_mappings_matrices_and_arrow_tables_are_tables() -> None:
    assert read_table(COLUMNS).names == list(COLUMNS)
    assert read_table(np.ones((2, 3))).names == ["X1", "X2", "X3"]
    assert read_table(pa.table(COLUMNS)).rows == 3


def test_penguins_keep_their_missing_cells() -> None:
    table = read_table(PENGUINS)
    assert table.rows == 344
    assert table.column("sex").null_count == 11
    assert np.isnan(column_numbers(table, "bill_length_mm")).sum() == 2
    assert np.nanmean(column_numbers(table, "body_mass_g")) == pytest.approx(4201.754386, abs=1e-6)


def test_semicolons_bring_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a;b\n1,5;2\n-0,25;3\n")
    assert column_numbers(read_table(path), "a").tolist() == [1.5, -0.25]


def test_byte_order_mark_spaces_quotes_and_blank_lines_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'\xef\xbb\xbf a , "b"\r\n 1 ,"x, y"\r\n\r\n NA ,z\r\n')
    table = read_table(path)
    assert table.names == ["a", "b"] or table.names[0] == "a"
    assert np.isnan(column_numbers(table, "a")).tolist() == [False, True]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["empty"]),
        (b"\n \n", ["empty"]),
        (b"a,b\n", ["no rows"]),
        (b"a,a\n1,2\n", ["line 1", "'a'", "rename"]),
        (b"a,b\n1,2\n3\n", ["line 3", "1 cells", "2"]),
        (b'a,b\n1,"two\nlines"\n3,4,5\n', ["line 4", "3 cells"]),
        (b"\xff\xfea\x00,\x00", ["no rows"]),
    ],
)
def test_a_broken_text_file_is_told_with_its_line(tmp_path: Path, content: bytes, words: list[str]) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as told:
        read_table(path)
    for word in [str(path), *words]:
        assert word in str(told.value)


@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "t.npz", "t.csv.gz"])
@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_a_torn_binary_file_is_told(tmp_path: Path, name: str, kept: float) -> None:
    path = written(tmp_path / name)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(DataError, match=name):
        read_table(path)


def test_other_things_than_files_are_told(tmp_path: Path) -> None:
    for data, word in [
        (tmp_path, "directory"),
        (tmp_path / "no.csv", "no such file"),
        ("nul\0.csv", "no such"),
    ]:
        with pytest.raises(DataError, match=word):
            read_table(data)
    (tmp_path / "t.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"\.xlsx.*\.csv"):
        read_table(tmp_path / "t.xlsx")
    with pytest.raises(ShapeError, match="equal lengths"):
        read_table({"a": [1], "b": [1, 2]})
    with pytest.raises(DataError, match="not a table"):
        read_table(3)


def test_pickled_arrays_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    np.savez(path, a=np.array([{"x": 1}], dtype=object))
    with pytest.raises(DataError, match="plain arrays"):
        read_table(path)


def test_a_cell_is_found_on_its_line_behind_quoted_line_breaks_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a,b\n1,"x\ny"\n\n2,z\nword,z\n')
    table = read_table(path)
    with pytest.raises(DataError, match="line 6, column 'a': 'word' is not a number"):
        column_numbers(table, "a")
    with pytest.raises(DataError, match="line 6"):
        column_numbers(table.take([2, 0]), "a")


def test_dates_are_days_since_1970(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("d\n1970-01-02\n2000-02-29T12:00:00\n1969-12-31T00:00:00+00:00\nNA\n")
    days = column_days(read_table(path), "d")
    assert days[:3].tolist() == [1.0, 11016.5, -1.0]
    assert np.isnan(days[3])
    typed = {"d": pa.array([86_400, None], pa.timestamp("s"))}
    assert column_days(read_table(typed), "d")[0] == 1.0
    path.write_text("d\n2001-02-30\n")
    with pytest.raises(DataError, match=r"line 2.*not a date"):
        column_days(read_table(path), "d")


def test_a_million_columns_are_refused_before_they_are_read(tmp_path: Path) -> None:
    wide = tmp_path / "wide.csv"
    wide.write_text(",".join(f"c{j}" for j in range(1_000_000)) + "\n" + "1," * 999_999 + "2\n")
    with pytest.raises(DataError, match="has 1,000,000 columns, at most 100,000"):
        read_table(wide)
    np.savez(tmp_path / "wide.npz", X=np.zeros((1, 100_001)))
    for data in (tmp_path / "wide.npz", np.zeros((1, 100_001))):
        with pytest.raises(DataError, match="has 100,001 columns"):
            read_table(data)


def test_a_cell_as_long_as_a_library_is_told_by_its_row(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,2\n" + "a" * 1_000_001 + ",3\n")
    with pytest.raises(DataError, match=r"t\.csv, row 2, column 'x': the cell holds more than 1,000,000"):
        read_table(path)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.feather", "t.npz"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="is a pipe"):
        read_table(tmp_path / name)


def test_no_feather_file_with_damaged_bytes_gets_further_than_the_reader(tmp_path: Path) -> None:
    """Offsets and names that point outside are found when the file is read, not by a crash when it is used."""
    whole = written(tmp_path / "t.feather").read_bytes()
    table = pa.table({"text": ["first", "second", "third"]})
    pyarrow.feather.write_feather(table, tmp_path / "plain.feather", compression="uncompressed")
    plain = (tmp_path / "plain.feather").read_bytes()
    offsets = plain.index(np.array([0, 5, 11, 16], "<i4").tobytes())
    torn = tmp_path / "torn.feather"
    for damaged in (
        plain[: offsets + 8] + (1 << 30).to_bytes(4, "little") + plain[offsets + 12 :],
        plain.replace(b"second", b"sec\xff\xfed"),
        whole.replace(b"b\x00\x00\x00", b"\xff\x00\x00\x00"),
    ):
        torn.write_bytes(damaged)
        with pytest.raises(DataError, match=r"not a whole Arrow \(Feather\) file"):
            read_table(torn)


def test_an_encoding_that_was_asked_for_must_fit(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1,\xff\xfe\n")
    with pytest.raises(DataError, match=r"line 2: byte 0xff is not UTF-8 text.*--encoding"):
        read_table(path, Reading(encoding="utf-8"))
    assert words(read_table(path), "b").values.to_pylist() == ["ÿþ"]


def test_an_npz_with_damaged_bytes_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    np.savez_compressed(path, X=np.arange(60.0).reshape(20, 3), y=np.arange(20))
    whole = path.read_bytes()
    for place in range(30, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            read_table(path)
        except DataError:
            continue
