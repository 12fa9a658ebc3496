"""The page's quantities are Python's: as given, after edits, after many steps, after a swap."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handgrad.cases.case import Case
from handgrad.worksheets.worksheet import explain
from tests.live.conftest import Opened

EXAMPLES = Path(__file__).parents[2] / "examples"
CASES = sorted(path for path in EXAMPLES.glob("*.toml") if not Case.load(path).symbolic)
RELATIVE = 1e-12


def expected(case: Case | dict[str, Any]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = json.loads(explain(case).json())["steps"]
    return [step["quantities"] for step in steps]


def compare(found: dict[str, Any], wanted: dict[str, Any], place: str) -> None:
    assert set(wanted) <= set(found), f"{place}: {sorted(set(wanted) - set(found))} are missing"
    for name, value in wanted.items():
        right = np.array(value, dtype=object)
        mine = np.array(found[name], dtype=object)
        assert mine.shape == right.shape, f"{place}: {name} has shape {mine.shape}, not {right.shape}"
        unbounded = right == None  # noqa: E711
        assert np.array_equal(mine == None, unbounded), f"{place}: {name} = {found[name]}, not {value}"  # noqa: E711
        a, b = (np.where(unbounded, 0.0, array).astype(float) for array in (mine, right))
        scale = np.max(np.abs(b), initial=0.0)
        assert np.allclose(a, b, rtol=RELATIVE, atol=RELATIVE * scale + 1e-300), (
            f"{place}: {name} = {a}, not {b}"
        )


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_step_of_an_example_is_the_same_in_the_page(path: Path, opened: Opened) -> None:
    case = Case.load(path)
    page = opened(case)
    wanted = expected(case)
    for number in sorted({1, len(wanted) // 2 or 1, min(len(wanted), 200)}):
        found = page.evaluate(f"handgrad.quantities({number})")
        compare(found, wanted[number - 1], f"{path.stem}, step {number}")


ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "identity")
OPTIMIZERS: tuple[dict[str, Any], ...] = (
    {"name": "sgd"},
    {"name": "momentum", "momentum": 0.8},
    {"name": "momentum", "momentum": 0.9, "form": "heavy_ball"},
    {"name": "nesterov", "momentum": 0.9},
    {"name": "rmsprop"},
    {"name": "adam"},
    {"name": "adam", "amsgrad": True},
    {"name": "adamw", "weight_decay": 0.05},
)
ENDINGS = (
    ("sigmoid", "binary_cross_entropy"),
    ("softmax", "cross_entropy"),
    ("identity", "squared_error"),
    ("tanh", {"name": "squared_error", "scale": 0.5, "outputs": "mean"}),
    ("identity", {"name": "huber", "threshold": 0.4}),
)


def random_case(seed: int, steps: int = 20) -> dict[str, Any]:
    """A small network with random numbers, its functions chosen by the seed."""
    r = np.random.default_rng(seed)
    output, loss = ENDINGS[seed % len(ENDINGS)]
    depth = int(r.integers(1, 4))
    sizes = [int(n) for n in r.integers(1, 4, depth + 1)]
    if output == "softmax":
        sizes[-1] = max(2, sizes[-1])
    layers = []
    for l, (inputs, units) in enumerate(pairwise(sizes), 1):
        layer: dict[str, Any] = {
            "units": units,
            "activation": output if l == depth else str(r.choice(ACTIVATIONS)),
            "W": r.normal(0, 0.7, (units, inputs)).round(3).tolist(),
            "b": r.normal(0, 0.3, units).round(3).tolist(),
        }
        if l < depth and seed % 4 == 3:
            layer["dropout"] = {"keep": 0.6}
        layers.append(layer)
    samples = int(r.integers(1, 6))
    x = r.normal(0, 1, (samples, sizes[0])).round(2).tolist()
    if output == "softmax":
        y: list[Any] = np.eye(sizes[-1])[r.integers(0, sizes[-1], samples)].tolist()
    elif output == "sigmoid":
        y = r.integers(0, 2, (samples, sizes[-1])).tolist()
    else:
        y = r.normal(0, 1, (samples, sizes[-1])).round(2).tolist()
    case: dict[str, Any] = {
        "title": f"random {seed}",
        "network": {"inputs": sizes[0], "loss": loss, "layers": layers},
        "data": {"x": x, "y": y},
        "optimizer": {"learning_rate": 0.05, **OPTIMIZERS[seed % len(OPTIMIZERS)]},
        "training": {"steps": steps, "batch_size": int(r.integers(1, samples + 1)), "seed": seed},
    }
    if seed % 3 == 1:
        case["regularization"] = {"l2": 0.1, "l1": 0.01}
    if seed % 7 == 2:
        case["training"]["shuffle"] = True
    return case


def edited(case: dict[str, Any], r: np.random.Generator) -> list[tuple[str, list[int], float]]:
    """Random edits, made to the case as well."""
    edits = []
    for _ in range(3):
        layer = int(r.integers(len(case["network"]["layers"])))
        keys = case["network"]["layers"][layer]
        i, j = int(r.integers(keys["units"])), int(r.integers(len(keys["W"][0])))
        value = round(float(r.normal()), 3)
        keys["W"][i][j] = value
        edits.append((f"W{layer + 1}", [i, j], value))
        value = round(float(r.normal()), 3)
        keys["b"][i] = value
        edits.append((f"b{layer + 1}", [i], value))
    row, column = int(r.integers(len(case["data"]["x"]))), int(r.integers(len(case["data"]["x"][0])))
    value = round(float(r.normal()), 3)
    case["data"]["x"][row][column] = value
    edits.append(("x", [row, column], value))
    case["optimizer"]["learning_rate"] = 0.021
    edits.append(("learning_rate", [], 0.021))
    return edits


@pytest.mark.parametrize("seed", range(24))
def test_random_cases_walk_the_same_way_before_and_after_edits(seed: int, opened: Opened) -> None:
    case = random_case(seed)
    page = opened(case)
    wanted = expected(case)
    page.evaluate("handgrad.steps(20)")
    for number in (1, 2, 20):
        compare(page.evaluate(f"handgrad.quantities({number})"), wanted[number - 1], f"{seed}, step {number}")
    for quantity, index, value in edited(case, np.random.default_rng(seed + 1000)):
        page.evaluate("([q, i, v]) => handgrad.set(q, i, v)", [quantity, index, value])
    wanted = expected(case)
    for number in (1, 2, 20):
        compare(
            page.evaluate(f"handgrad.quantities({number})"),
            wanted[number - 1],
            f"edited {seed}, step {number}",
        )
    page.evaluate("handgrad.reset()")
    compare(page.evaluate("handgrad.quantities(1)"), expected(random_case(seed))[0], f"reset {seed}")


def test_a_case_of_one_step_walks_on(opened: Opened) -> None:
    case = random_case(5, steps=1)
    page = opened(case)
    page.evaluate("handgrad.steps(20)")
    compare(page.evaluate("handgrad.quantities(20)"), expected(random_case(5, steps=20))[19], "step 20")


@pytest.mark.parametrize(
    ("group", "name", "change"),
    [
        ("hidden", "silu", lambda case: case["network"]["layers"][0].update(activation="silu")),
        ("optimizer", "adam", lambda case: case.update(optimizer={"name": "adam", "learning_rate": 0.05})),
        (
            "ending",
            "tanh+squared_error",
            lambda case: (
                case["network"].update(loss="squared_error"),
                case["network"]["layers"][-1].update(activation="tanh"),
            ),
        ),
    ],
)
def test_another_function_of_the_tables_gives_the_case_that_has_it(
    group: str, name: str, change: Any, opened: Opened
) -> None:
    case: dict[str, Any] = {
        "network": {
            "inputs": 2,
            "loss": "binary_cross_entropy",
            "layers": [
                {"units": 2, "activation": "relu", "W": [[0.1, -0.2], [0.3, 0.4]], "b": [0.1, 0.2]},
                {"units": 1, "activation": "sigmoid", "W": [[0.5, 0.6]], "b": [0.1]},
            ],
        },
        "data": {"x": [[0.5, 0.3], [-1.0, 0.2], [0.1, 0.9]], "y": [[1], [0], [1]]},
        "optimizer": {"name": "sgd", "learning_rate": 0.05},
        "training": {"steps": 6, "batch_size": 2},
    }
    page = opened(case)
    page.evaluate("document.querySelector('details').open = true")
    page.select_option(f"select[data-swap={group}]", name)
    change(case)
    for number, wanted in enumerate(expected(case), 1):
        compare(page.evaluate(f"handgrad.quantities({number})"), wanted, f"{name}, step {number}")


def test_what_is_computed_cannot_be_set_and_a_link_carries_what_was(opened: Opened) -> None:
    case = random_case(0)
    page = opened(case)
    assert "computed" in page.evaluate(
        "(() => { try { handgrad.set('z1', [0, 0], 1) } catch (e) { return e.message } })()"
    )
    assert "entry" in page.evaluate(
        "(() => { try { handgrad.set('W1', [9, 9], 1) } catch (e) { return e.message } })()"
    )
    page.evaluate("handgrad.set('W1', '0,0', 0.75); handgrad.steps(3)")
    fragment = page.evaluate("location.hash")
    again = opened(case, fragment)
    assert again.evaluate("handgrad.quantities(1).W1[0][0]") == 0.75
    assert again.evaluate("handgrad.quantities()") == page.evaluate("handgrad.quantities(3)")
    page.evaluate("handgrad.undo()")
    assert math.isclose(
        page.evaluate("handgrad.quantities(1).W1[0][0]"), case["network"]["layers"][0]["W"][0][0]
    )


@pytest.mark.parametrize(
    ("optimizer", "loss", "output", "y"),
    [
        ("adagrad", "absolute_error", "mish", 0.5),
        ("adadelta", "hinge", "selu", -1),
        ("nadam", "poisson", "exponential", 3),
        ("lion", "poisson", "softplus", 2),
    ],
)
def test_the_latest_rows_walk_the_same_way(
    opened: Opened, optimizer: str, loss: str, output: str, y: float
) -> None:
    hidden = ("relu6", "hard_sigmoid", "selu", "mish", "exponential")
    layers = [{"units": 2, "activation": name, "initializer": "glorot"} for name in hidden]
    case = {
        "network": {"inputs": 2, "loss": loss, "layers": [*layers, {"units": 1, "activation": output}]},
        "data": {"x": [[0.5, -0.3], [1.0, 2.0]], "y": [[y], [1]]},
        "optimizer": {"name": optimizer},
        "training": {"steps": 3},
    }
    page = opened(case)
    for number, wanted in enumerate(expected(case), 1):
        compare(page.evaluate(f"handgrad.quantities({number})"), wanted, f"{optimizer}, step {number}")
