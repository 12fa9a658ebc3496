"""Opening a step of a large table reads the rows that it needs, and gives what reading all of it gives."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import handgrad as hg
from handgrad.cli.main import app
from handgrad.data import delimited
from handgrad.data.rows import Picked
from handgrad.data.some_rows import records, some_rows
from handgrad.errors import ModelError
from handgrad.models import training_data
from handgrad.models.model import Model
from handgrad.training.replay import rows_taken

ROWS = 4000


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_data, "_LARGE", 1000)
    monkeypatch.setattr(delimited, "LOOKED_AT", 40_000)


def columns() -> dict[str, list[Any]]:
    g = np.random.default_rng(3)
    x = g.normal(size=ROWS).round(3)
    return {
        "x": [None if k % 37 == 0 else float(v) for k, v in enumerate(x)],
        "said": g.choice(['he said "no"', "two\nlines", "a, b", "plain"], ROWS).tolist(),
        "day": [str(np.datetime64("2020-03-01") + int(k)) for k in g.integers(0, 400, ROWS)],
        "z": g.normal(100, 5, ROWS).round(2).tolist(),
        "y": np.where(x + g.normal(size=ROWS) > 0, "up", "down").tolist(),
    }


def lines(path: Path, end: str = "\n", blank: bool = False) -> Path:
    """The table as CSV, with blank lines between its records if asked for."""
    held = columns()
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator=end)
        writer.writerow(held)
        for k, row in enumerate(zip(*held.values(), strict=True)):
            writer.writerow(["" if cell is None else cell for cell in row])
            if blank and k % 5 == 0:
                file.write(end)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("opening")
    lines(place / "t.csv")
    lines(place / "returns.csv", "\r\n", blank=True)
    made = pa.table(columns())
    pa.parquet.write_table(made, place / "t.parquet", row_group_size=700)
    pa.feather.write_feather(made, place / "t.feather", chunksize=900)
    return place


FILES = ["t.csv", "returns.csv", "t.parquet", "t.feather"]


def trained(data: Path, **keywords: Any) -> Model:
    usual = {"epochs": 3, "seed": 5, "hidden": (4,), "batch_size": 40, "class_weight": "balanced"}
    return hg.fit_table(str(data), "y", **(usual | keywords))


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("memory", [None, "1MiB"])
def test_a_step_is_the_one_that_reading_everything_opens(
    folder: Path, monkeypatch: pytest.MonkeyPatch, file: str, memory: str | None
) -> None:
    model = trained(folder / file, memory=memory)
    per_epoch = model.fit.steps_per_epoch
    for step in (1, per_epoch + 4, model.fit.steps - per_epoch + 1):
        seen = model.training_data(None, (step, step))
        assert isinstance(seen.X, Picked)
        assert len(seen.X.values) == len(rows_taken(model.fit, step, step)) < ROWS / 2
        some = hg.explain(model, step=step)
        numbers, sheet = some.quantities(), some.text()
        assert "4,000 rows of" in some.remarks[0] and "handgrad verify" in some.remarks[0]
        with monkeypatch.context() as patch:
            patch.setattr("handgrad.models.model.of_steps", lambda *_: None)
            patch.setattr(training_data, "some_rows", lambda *_: None)
            whole = hg.explain(model, step=step)
            assert whole.quantities().keys() == numbers.keys()
            for name, values in whole.quantities().items():
                np.testing.assert_array_equal(numbers[name], values)
            assert whole.text() == sheet and whole.remarks == ()


def test_the_command_line_says_what_was_read(folder: Path, tmp_path: Path) -> None:
    model = trained(folder / "t.csv").save(tmp_path / "m.safetensors")
    made = CliRunner().invoke(app, ["explain", str(model), "--step", "2", "--json"], catch_exceptions=False)
    assert made.exit_code == 0
    assert "of the 4,000 rows of" in made.stderr and "compares all" in " ".join(made.stderr.split())
    assert "note" not in CliRunner().invoke(app, ["explain", str(model), "--step", "2", "-q"]).stderr


@pytest.mark.parametrize("file", ["t.csv", "t.parquet"])
def test_an_altered_file_is_told_where_a_row_of_the_step_is_another(
    folder: Path, tmp_path: Path, file: str
) -> None:
    path = tmp_path / file
    path.write_bytes((folder / file).read_bytes())
    model = trained(path)
    needed = rows_taken(model.fit, 2, 2)
    other = np.setdiff1d(np.arange(ROWS), needed)[7]
    for row, wrong in ((int(needed[3]), True), (int(other), False)):
        held = columns()
        held["z"][row] = -5.0
        if file == "t.csv":
            with path.open("w", newline="") as target:
                writer = csv.writer(target, lineterminator="\n")
                writer.writerow(held)
                writer.writerows(
                    [["" if c is None else c for c in r] for r in zip(*held.values(), strict=True)]
                )
        else:
            pa.parquet.write_table(pa.table(held), path)
        if wrong:
            with pytest.raises(ModelError, match="is not the data of this training"):
                model.training_data(None, (2, 2))
        else:
            assert model.training_data(None, (2, 2)).remark
        with pytest.raises(ModelError, match="is not the data of this training"):
            model.training_data(None)  # as `handgrad verify` does


def test_a_row_more_or_another_order_is_told(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes((folder / "t.parquet").read_bytes())
    model, held = trained(path), pa.table(columns())
    turned = pa.concat_tables([held.slice(2000), held.slice(0, 2000)])
    for table in (pa.concat_tables([held, held.slice(0, 1)]), turned, held.slice(1)):
        pa.parquet.write_table(table, path)
        with pytest.raises(ModelError, match="is not the data of this training"):
            model.training_data(None, (2, 2))


def test_all_is_read_where_the_step_needs_most_rows_or_rows_are_not_known_one_by_one(folder: Path) -> None:
    model = trained(folder / "t.parquet", epochs=1)
    assert not isinstance(model.training_data(None, (1, model.fit.steps)).X, Picked)
    weighed = trained(folder / "t.parquet", class_weight=None, weight="z")
    assert not isinstance(weighed.training_data(None, (1, 1)).X, Picked)
    old = Model(model.fit, model.schema, model.origin, np.sort(model.hashes))
    assert not isinstance(old.training_data(None, (1, 1)).X, Picked)


@given(
    cells=st.lists(
        st.lists(st.text(st.sampled_from('ab,"\n 1'), max_size=6), min_size=2, max_size=2),
        min_size=1,
        max_size=30,
    ),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    closed=st.booleans(),
)
def test_records_begin_where_the_csv_module_begins_them(
    cells: list[list[str]], end: str, quoting: Any, closed: bool
) -> None:
    rows = []
    for row in cells:
        line = io.StringIO(newline="")
        csv.writer(line, lineterminator=end, quoting=quoting).writerow(row)
        rows.append(line.getvalue().encode())
    blank = end.encode()
    content = b"".join(row + (blank if k % 3 == 1 else b"") for k, row in enumerate(rows))
    if not closed:
        content, rows[-1] = content.rstrip(blank), rows[-1].rstrip(blank)
        if not rows[-1]:
            return
    found = records(content)
    assert found is not None
    taken = [content[a:b] for a, b in zip(*found, strict=True)]
    assert taken == rows


def test_old_line_ends_and_packed_files_are_not_taken_apart(folder: Path, tmp_path: Path) -> None:
    assert records(b"a,b\r1,2\r") is None
    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(b"\x1f\x8b")
    assert some_rows(packed, np.array([0]), ["x"], hg.data.reading.Reading(), True) is None


def test_a_step_that_was_not_taken_is_told(folder: Path) -> None:
    model = trained(folder / "t.csv", epochs=1)
    for step in (0, model.fit.steps + 1, "a", True, 1.0):
        with pytest.raises(hg.HandgradError, match="the training has the steps 1 to"):
            model.replay(step)  # type: ignore[arg-type]
