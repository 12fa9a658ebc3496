"""Predictions and metrics of files that are streamed are those of the table in memory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

import handgrad as hg
from handgrad.cli import larger
from handgrad.cli.main import app
from handgrad.data.stored import stored_table
from handgrad.errors import DataError, ModelError, SpecificationError
from handgrad.models import blocks
from handgrad.models.model import Model

ROWS = 900
TARGETS = {"two": {"target": "two"}, "three": {"target": "three"}, "number": {"target": "number"}}


def columns(rows: int = ROWS, seed: int = 1) -> dict[str, list[object]]:
    """Every kind of cell, and texts that only their whole column can tell: dates, prices, truth in words."""
    g = np.random.default_rng(seed)
    x, price = g.normal(size=rows).round(4), (g.uniform(1000, 90_000, rows) // 1).astype(int)
    days = np.datetime64("2021-01-01") + g.integers(0, 900, rows)
    score = x + (price > 40_000) + g.normal(size=rows) / 2
    return {
        "id": [f"ab,{k:05d}" for k in range(rows)],
        "x": [None if k % 41 == 0 else float(v) for k, v in enumerate(x)],
        "count": g.poisson(3, rows).tolist(),
        "kind": g.choice(["a", "b", "c, or d"], rows).tolist(),
        "price": [f"{v:,} €" for v in price],
        "when": ["{2}/{1}/{0}".format(*str(day).split("-")) for day in days],
        "new": g.choice(["yes", "no"], rows).tolist(),
        "two": np.where(score > 0.5, "up", "down").tolist(),
        "three": np.array(["low", "mid", "top"])[np.digitize(score, [0, 1])].tolist(),
        "number": (7 + 3 * score).round(3).tolist(),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("streamed")
    pa.csv.write_csv(pa.table(columns()), place / "train.csv")
    odd = columns(700, seed=2)
    odd["kind"][5], odd["when"][7] = "unseen", "soon"
    for k in (11, 300):
        odd["two"][k], odd["three"][k], odd["number"][k] = None, None, None
    odd["two"][400] = odd["three"][400] = "sideways"
    trained = columns()
    for name, cells in odd.items():
        cells.extend(trained[name][:50])
    made = pa.table(odd)
    pa.csv.write_csv(made, place / "t.csv")
    pa.parquet.write_table(made, place / "t.parquet", row_group_size=333)
    pa.feather.write_feather(made, place / "t.feather", chunksize=211)
    (place / "parts").mkdir()
    for k in range(3):
        pa.parquet.write_table(made.slice(k * 250, 250), place / "parts" / f"{k}.parquet")
    return place


@pytest.fixture(scope="module")
def models(folder: Path) -> dict[str, Model]:
    ignored = {"two", "three", "number"}
    return {
        name: hg.fit_table(
            folder / "train.csv", name, ignore=sorted(ignored - {name}), hidden=(5,), epochs=3, seed=2
        )
        for name in TARGETS
    }


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_MOST", 128)
    monkeypatch.setattr(blocks, "_FEWEST", 64)


FILES = ["t.csv", "t.parquet", "t.feather", "parts"]


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("file", FILES)
def test_metrics_are_those_of_the_table_in_memory(
    folder: Path, models: dict[str, Model], name: str, file: str
) -> None:
    model, data = models[name], str(folder / file)
    held, streamed = model.evaluate(data).as_json(), model.evaluate(data, memory="1MiB").as_json()
    assert held["rows_trained_on"] == 45 or held["rows_trained_on"] > 30
    assert held["left_out"] == 2 and held["unknown_class"] == (0 if name == "number" else 1)
    assert len(held["remarks"]) == 2
    assert streamed.keys() == held.keys()
    same = {key for key in held if not isinstance(held[key], float | list | dict)} | {"confusion", "remarks"}
    assert {key: streamed[key] for key in same & held.keys()} == {
        key: held[key] for key in same & held.keys()
    }
    # the core adds up the loss in float32, of some rows at a time
    assert streamed.pop("loss") == pytest.approx(held.pop("loss"), rel=1e-6)
    flat = [json.loads(json.dumps(found), parse_float=float) for found in (held, streamed)]
    for one, other in zip(*map(_numbers, flat), strict=True):
        assert one == pytest.approx(other, rel=1e-12, abs=1e-12)


def _numbers(found: object) -> list[float]:
    """Every number of a nested answer in its order."""
    if isinstance(found, dict):
        return [number for value in found.values() for number in _numbers(value)]
    if isinstance(found, list):
        return [number for value in found for number in _numbers(value)]
    return [float(found)] if isinstance(found, int | float) else []


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".feather"])
def test_what_is_written_is_what_is_written_from_memory(
    folder: Path, models: dict[str, Model], tmp_path: Path, file: str, suffix: str
) -> None:
    model = models["two"].save(tmp_path / "m.safetensors")
    written = []
    for place, flags in enumerate(([], ["--memory", "1MiB"])):
        out = tmp_path / f"{place}{suffix}"
        call = ["predict", str(model), str(folder / file), "-o", str(out), "--keep", "price,when", *flags]
        made = CliRunner().invoke(app, call, catch_exceptions=False)
        assert made.exit_code == 0
        assert "1 cells hold a category that was not in the training data" in " ".join(made.output.split())
        written.append(_read(out))
    assert written[0].column_names[:3] == ["id", "price", "when"]
    assert written[1].equals(written[0])
    assert written[0].num_rows == 750
    if suffix in (".csv", ".tsv"):
        assert (tmp_path / f"0{suffix}").read_bytes() == (tmp_path / f"1{suffix}").read_bytes()


def _read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pa.parquet.read_table(path)
    if path.suffix == ".feather":
        return pa.feather.read_table(path)
    return pa.csv.read_csv(
        path, parse_options=pa.csv.ParseOptions(delimiter="," if path.suffix == ".csv" else "\t")
    )


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_the_standard_output_is_the_same(
    folder: Path, models: dict[str, Model], tmp_path: Path, flags: list[str]
) -> None:
    model = models["three"].save(tmp_path / "m.safetensors")
    call = ["predict", str(model), str(folder / "t.csv"), "-q", *flags]
    held, streamed = (CliRunner().invoke(app, [*call, *more]).stdout for more in ([], ["--memory", "1MiB"]))
    assert held == streamed
    assert len(json.loads(held) if flags else held.splitlines()[1:]) == 750


def test_predictions_in_python_come_in_parts(folder: Path, models: dict[str, Model]) -> None:
    made = models["number"].streamed(folder / "t.parquet", beside=["id"], memory="1MiB")
    parts = list(made)
    assert [part.num_rows for part in parts[:-1]] == [128] * (len(parts) - 1) or len(parts) > 3
    whole = pa.concat_tables(parts)
    assert whole["prediction"].to_pylist() == models["number"].predict(folder / "t.parquet").tolist()
    assert whole["id"].to_pylist()[:2] == ["ab,00000", "ab,00001"]
    assert len(made.remarks) == 2
    again = pa.concat_tables(list(made))
    assert again.equals(whole) and len(made.remarks) == 2


def test_a_table_without_rows_to_judge_is_told(
    folder: Path, models: dict[str, Model], tmp_path: Path
) -> None:
    model = models["two"]
    for value, words in ((None, "no row has a value of the target"), ("??", "no row has a class")):
        odd = columns(50)
        odd["two"] = [value] * 50
        pa.parquet.write_table(pa.table(odd), tmp_path / "t.parquet")
        for memory in (None, "1MiB"):
            with pytest.raises(ModelError, match=words):
                model.evaluate(tmp_path / "t.parquet", memory=memory)


def test_what_does_not_fit_is_told_as_in_memory(
    folder: Path, models: dict[str, Model], tmp_path: Path
) -> None:
    model, path = models["two"], tmp_path / "t.parquet"
    pa.parquet.write_table(pa.table({n: c for n, c in columns(200).items() if n not in ("x", "count")}), path)
    for memory in (None, "1MiB"):
        with pytest.raises(DataError, match="the model needs the columns 'x', 'count'"):
            model.evaluate(path, memory=memory)
    odd = columns(200)
    odd["x"][150] = float("inf")
    pa.parquet.write_table(pa.table(odd), path)
    for memory in (None, "1MiB"):
        with pytest.raises(DataError, match=r"row 151, column 'x'"):
            model.evaluate(path, memory=memory)
    with pytest.raises(DataError, match="there is no column 'w'"):
        list(model.streamed(folder / "t.csv", beside=["w"]))
    with pytest.raises(SpecificationError, match="only files"):
        model.evaluate(columns(20), memory="1GiB")
    with pytest.raises(SpecificationError, match="threshold"):
        model.streamed(folder / "t.csv", 2)


def test_more_rows_than_the_memory_are_refused(
    folder: Path, models: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "HELD", 1 << 12)
    with pytest.raises(DataError, match="to read the column 'price' of text as numbers takes some"):
        list(models["two"].streamed(folder / "t.csv", memory="1MiB"))


@pytest.mark.parametrize("verb", ["predict", "evaluate"])
def test_a_table_that_does_not_fit_is_streamed_and_said(
    folder: Path, models: dict[str, Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    model = models["two"].save(tmp_path / "m.safetensors")
    monkeypatch.setattr(larger, "available", lambda: 1_000.0 * (1 << 12))
    monkeypatch.setattr(larger, "needed_for", lambda files: 1e9)
    made = CliRunner().invoke(app, [verb, str(model), str(folder / "t.csv")], catch_exceptions=False)
    assert made.exit_code == 0
    assert "it is streamed, with --memory 1MiB" in " ".join(made.stderr.split())
    plain = CliRunner().invoke(app, [verb, str(model), "-", "--memory", "1GiB"], input="x\n1\n")
    assert isinstance(plain.exception, SpecificationError)


def test_columns_of_files_are_read_beside_each_other(folder: Path) -> None:
    for file in FILES:
        table = stored_table(str(folder / file))
        parts = list(table.blocks(["kind", "x", "kind"], 100))
        assert all(0 < len(part["x"]) <= 100 for part in parts)
        for name in ("kind", "x"):
            found = pa.chunked_array([part[name] for part in parts]).to_pylist()
            assert str(found).replace("None", "nan") == str(table.columns[name].to_pylist())
        assert sum(len(part[""]) for part in table.blocks([], 100)) == table.rows == 750
