"""The live sheet of a trained model: from a step on, the page walks as the training did."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import handgrad as hg
from handgrad.errors import SpecificationError
from handgrad.live.page import live_sheet
from handgrad.worksheets.worksheet import explain
from tests.live.test_numbers import compare

OPTIMIZERS = (hg.SGD(0.1), hg.Momentum(0.05), hg.Adam(0.02), hg.RMSprop(0.01))


def trained(optimizer: Any, **options: Any) -> tuple[hg.Model, Any]:
    r = np.random.default_rng(4)
    data = r.normal(0, 1, (17, 3)), r.integers(0, 2, (17, 1)).astype(float)
    layers = [hg.Dense(4, "tanh", dropout=0.25), hg.Dense(1, "sigmoid")]
    network = hg.Network(3, layers, "binary_cross_entropy")
    fit = hg.fit(network, *data, optimizer=optimizer, epochs=5, batch_size=5, seed=6, **options)
    return hg.Model(fit), data


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.name)
def test_it_walks_on_with_the_batches_rates_and_masks_that_came_next(
    optimizer: Any, open_bytes: Callable[..., Any]
) -> None:
    model, data = trained(
        optimizer, schedule=hg.Schedule("inverse_time", factor=0.1), regularization=hg.Regularization(l2=0.01)
    )
    page = open_bytes(live_sheet(explain(model, step=7, data=data)))
    assert page.inner_text("#step") == "Step 7 of 20"
    for number in (7, 8, 12, 20):
        wanted = {
            name: value.tolist()
            for name, value in explain(model, step=number, data=data).quantities().items()
        }
        compare(page.evaluate(f"handgrad.quantities({number})"), wanted, f"{optimizer.name}, step {number}")
    assert "from 7 to" in page.evaluate(
        "(() => { try { handgrad.quantities(6) } catch (e) { return e.message } })()"
    )
    page.click("#forward")
    assert page.inner_text("#step") == "Step 8 of 20"
    assert page.is_enabled("#back")
    page.evaluate("handgrad.set('W1', [0, 0], 0.5); handgrad.reset()")
    assert page.inner_text("#step") == "Step 7 of 20"
    assert page.is_disabled("#back")
    assert page.locator(".note[data-say=live_single]").count() == 0


def test_a_training_in_single_precision_says_so(open_bytes: Callable[..., Any]) -> None:
    model, data = trained(hg.Adam(0.02), dtype="float32")
    page = open_bytes(live_sheet(explain(model, step=3, data=data)))
    assert "float32" in page.inner_text(".note[data-say=live_single]")
    wanted = explain(model, step=3, data=data).quantities()
    assert np.allclose(page.evaluate("handgrad.quantities(3).dW1"), wanted["dW1"], rtol=1e-4, atol=1e-6)


def test_samples_with_weights_walk_on_and_their_weights_can_be_edited(open_bytes: Callable[..., Any]) -> None:
    r = np.random.default_rng(5)
    X, Y = r.normal(0, 1, (11, 2)), r.integers(0, 3, 11)
    weights = r.uniform(0.2, 3.0, 11)
    network = hg.Network(2, [hg.Dense(3, "tanh"), hg.Dense(3, "softmax")], "cross_entropy")
    targets = np.eye(3)[Y]
    fit = hg.fit(
        network, X, targets, optimizer=hg.Adam(0.05), epochs=3, batch_size=4, seed=2, weights=weights
    )
    data = (X, targets, weights)
    page = open_bytes(live_sheet(explain(hg.Model(fit), step=2, data=data)))
    for number in (2, 3, 9):
        wanted = {
            name: value.tolist()
            for name, value in explain(hg.Model(fit), step=number, data=data).quantities().items()
        }
        assert "omega" in wanted
        compare(page.evaluate(f"handgrad.quantities({number})"), wanted, f"step {number}")
    page.evaluate("handgrad.set('omega', '0,0', 0)")  # the first sample of the part counts no more
    places = [
        (values, k)
        for values in (page.evaluate(f"handgrad.quantities({number})") for number in range(2, 10))
        for k, weight in enumerate(values["omega"])
        if weight == [0]
    ]
    assert 2 <= len(places) <= 3  # once an epoch
    for values, k in places:
        assert values["delta2"][k] == pytest.approx([0, 0, 0], abs=1e-300)


def test_rows_of_ones_own_are_refused() -> None:
    model, data = trained(hg.SGD(0.1))
    with pytest.raises(SpecificationError, match="leave --rows out"):
        live_sheet(explain(model, data=data, rows="0:2"))


def test_the_command_line_writes_it(tmp_path: Path) -> None:
    from handgrad.cli.main import status
    from tests.live.walk.conftest import write_table

    table = write_table(tmp_path / "kinds.csv")
    path = hg.fit_table(str(table), "kind", hidden=(3,), epochs=2, seed=1).save(tmp_path / "m.safetensors")
    sheet = tmp_path / "sheet.html"
    assert status(["explain", str(path), "--step", "2", "--to", "live", "-o", str(sheet), "-q"]) == 0
    assert b'"first":2' in sheet.read_bytes()
