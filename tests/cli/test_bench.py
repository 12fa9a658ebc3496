"""`handgrad bench`: the layer against scalar loops, and the verb."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from handgrad import bench
from handgrad.cli.main import app
from handgrad.engines.native import NativeEngine, available
from handgrad.engines.reference import ReferenceEngine
from handgrad.errors import SpecificationError, VerificationError


def test_scalar_loops_compute_the_layer() -> None:
    generator = np.random.default_rng(3)
    W, b, x = generator.normal(size=(7, 4)), generator.normal(size=7), generator.normal(size=4)
    assert np.allclose(bench.scalar_layer(W.tolist(), b.tolist(), x.tolist()), W @ x + b, rtol=1e-12)


def test_the_layer_counts_its_multiplications_and_compares_with_the_loops() -> None:
    rows = bench.layer_times([ReferenceEngine()], units=10, inputs=6, seconds=0.001, threads=None)
    assert [(row.method, row.samples, row.multiplications) for row in rows] == [
        ("scalar loops", 1, 60),
        ("NumPy product", 1, 60),
        ("reference core", 1, 60),
        ("NumPy product", bench.BATCH, 60 * bench.BATCH),
        ("reference core", bench.BATCH, 60 * bench.BATCH),
    ]
    assert rows[0].speedup == 1.0
    for row in rows:
        assert row.speedup == pytest.approx(rows[0].seconds * row.samples / row.seconds)


def test_a_layer_that_comes_out_differently_is_an_error() -> None:
    with pytest.raises(VerificationError, match=r"the layer by hand differs from the scalar loops by 0\.1"):
        bench._verify("hand", np.array([[1.1, 2.0]]), np.array([[1.0, 2.0]]))


@pytest.mark.parametrize(
    ("units", "inputs", "seconds"), [(0, 5, 1.0), (5, 0, 1.0), (5, 5, 0.0), (5, 5, math.nan)]
)
def test_sizes_and_times_that_cannot_be_are_refused(units: int, inputs: int, seconds: float) -> None:
    with pytest.raises(SpecificationError):
        bench.benchmark(units, inputs, seconds)


def test_the_verb_prints_tables_or_json() -> None:
    runner = CliRunner()
    plain = runner.invoke(app, ["bench", "--seconds", "0.001"])
    assert plain.exit_code == 0
    assert "500,000 multiplications" in " ".join(plain.stdout.split())
    data = json.loads(runner.invoke(app, ["bench", "--seconds", "0.001", "--json"]).stdout)
    assert data["layer"]["multiplications_per_sample"] == 500_000
    engines = {row["engine"] for row in data["training"]}
    assert engines == ({"reference", NativeEngine.name} if available() else {"reference"})
    assert (data["notes"] == []) == available()
    quiet = runner.invoke(app, ["bench", "--seconds", "0.001", "--quiet"])
    assert "A layer of" not in quiet.stdout
