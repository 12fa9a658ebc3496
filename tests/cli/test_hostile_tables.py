"""Whatever stands in a table: a model or one line, never a traceback, never a half-written file."""

from __future__ import annotations

import contextlib
import io
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad.cli.evaluate import evaluate
from handgrad.cli.main import guarded
from handgrad.cli.predict import predict
from handgrad.cli.train import train
from handgrad.models.model import Model

HARD = [
    *(
        "",
        "NA",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "1e308",
        "-1e308",
        "1e-320",
        "0",
        "1",
        "2.5",
        "-7",
        "true",
        "False",
    ),
    *(
        "yes",
        "2020-01-01",
        "2021-02-30",
        "0001-01-01",
        "9999-12-31T23:59:59",
        "a",
        "b",
        "ä",
        "日本",
        " 1 ",
        "+3",
    ),
    *(
        "0x10",
        "1_000",
        "1,5",
        '"',
        "\x00",
        "\u0663",
        "\u22121",
    ),  # an Arabic three, a minus sign of typography
]
CELLS = st.one_of(st.sampled_from(HARD), st.floats().map(repr), st.integers().map(str), st.text(max_size=6))
OPTIONS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {"task": "regression"},
        {"task": "multiclass"},
        {"numeric": ["x"]},
        {"categorical": ["x"]},
        {"validation": 0.0},
        {"dtype": "float32"},
        {"target": ["y", "z"]},
        {"ignore": ["z"]},
        {"hidden": "none"},
    ]
)


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if random.random() < 0.3 or '"' in cell else cell


def called(verb: Callable[[], object]) -> tuple[int, str]:
    """Exit status and stderr of a verb; a warning of any library is a failure."""
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        code = guarded(verb)
    return code, errors.getvalue()


def judged(folder: Path, data: Path, options: dict[str, Any]) -> None:
    """Trains on the file; then either all of it works or nothing is left behind."""
    path = folder / "m.safetensors"
    before = set(folder.iterdir())
    asked: dict[str, Any] = {"target": ["y"], "hidden": "3", "epochs": 2, "quiet": True, **options}
    code, errors = called(lambda: train(data, model=path, **asked))
    assert code in (0, 2), errors
    if code == 2:
        assert errors.startswith("handgrad: ") and errors.count("\n") == 1, errors
        assert set(folder.iterdir()) == before
        return
    assert errors == ""
    assert set(folder.iterdir()) == {*before, path, folder / "m.run.toml"}
    origin = Model.load(path).origin
    left_out = origin is not None and origin.left_out > 0
    for verb in (
        lambda: evaluate(path, data, quiet=True),
        lambda: predict(path, data, quiet=True, as_json=True),
    ):
        code, errors = called(verb)
        # rows that training left out for want of a target may hold what cannot be used
        explained = left_out or "too far from the training data" in errors
        assert code == 0 or (code == 2 and explained and errors.count("\n") == 1), errors
    assert all(np.isfinite(array).all() for layer in Model.load(path).parameters for array in layer)


@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=14), options=OPTIONS, mark=st.sampled_from(",;\t")
)
def test_any_cells(rows: list[tuple[str, str, str]], options: dict[str, Any], mark: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "t.csv"
        random.seed(len(rows))
        lines = [mark.join(["x", "z", "y"]), *(mark.join(map(quoted, row)) for row in rows)]
        data.write_text("\n".join(lines), encoding="utf-8", errors="surrogatepass")
        judged(Path(name), data, options)


@given(
    x=st.lists(st.floats(allow_nan=True, width=64), min_size=2, max_size=30),
    y=st.lists(
        st.sampled_from(["0", "1", "2", "a", "b", "NA", "1e300", "-1e300", "3.5"]), min_size=30, max_size=30
    ),
    options=OPTIONS,
)
def test_any_numbers(x: list[float], y: list[str], options: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "t.csv"
        lines = [f"{value!r},{k % 3},{label}" for k, (value, label) in enumerate(zip(x, y, strict=False))]
        data.write_text("\n".join(["x,z,y", *lines]))
        judged(Path(name), data, options)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "feather", "npz", "csv.gz", "xlsx"])
@given(
    content=st.one_of(st.binary(max_size=200), st.text(alphabet='xy,"\n\r1;\t', max_size=60).map(str.encode))
)
def test_any_bytes(suffix: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / f"t.{suffix}"
        data.write_bytes(content)
        judged(Path(name), data, {})


@given(content=st.binary(max_size=300))
def test_any_bytes_as_a_model(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        path, data = Path(name) / "m.safetensors", Path(name) / "t.csv"
        path.write_bytes(content)
        data.write_text("x,y\n1,2\n")
        code, errors = called(lambda: predict(path, data))
        assert code == 2
        assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "cells",
    [
        [f"{(-1) ** i * 1.7e308}" for i in range(30)],  # their differences, their sum and squares overflow
        [f"{1.7e308 - i * 1e300}" for i in range(30)],
        [f"{i}e-320" for i in range(30)],
        [f"{(-1) ** i * 2**62}" for i in range(30)],
    ],
    ids=lambda cells: cells[1],
)
def test_numbers_near_the_ends_of_float64(tmp_path: Path, cells: list[str]) -> None:
    data = tmp_path / "t.csv"
    data.write_text("x,z,y\n" + "\n".join(f"{cell},{i % 7},{i % 2}" for i, cell in enumerate(cells)))
    judged(tmp_path, data, {})
