"""What a sheet holds, step by step, for networks that meet every branch of the derivation.

Each file of tests/worked/sheets has a sheet in plain lines (plain.py): which quantities are worked out and in which
order, why, with which letters, which numbers are put in and worked out in which line, which shapes meet. They were read
line by line against docs/notation.md; that letters and numbers are worth the same is tested here as well. Who changes
what a sheet holds reads the lines that differ, and writes down those that are right (write_sheets.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.worked.plain import in_lines, said, steps_in_lines, whole
from tests.worked.test_program import assert_whole

from handgrad.cases.case import Case
from handgrad.nn.step import Training
from handgrad.worked.derive.chain_rule import braced
from handgrad.worked.derive.formulas import formula_sheet
from handgrad.worked.derive.letters import constants_of
from handgrad.worked.derive.step import derive
from handgrad.worked.paper import Paper
from handgrad.worked.record import Options, Record, StepRecord
from handgrad.worked.trace import trace_step
from handgrad.worked.verify import verify
from handgrad.worksheets.case_steps import initial_training, trace_case

SHEETS = Path(__file__).parent / "sheets"
W21, W12, W22 = [[0.5, -0.25]], [[0.5], [-0.75]], [[0.5, -0.25], [0.75, 1.5]]
X1, X2 = [[0.5, -1.5]], [[0.5, -1.5], [1.0, 0.25]]
SGD = {"name": "sgd", "learning_rate": 0.1}


def net(loss: Any, *layers: dict[str, Any], x: Any = X1, y: Any = None, **more: Any) -> dict[str, Any]:
    """A case; layers are given their units by their weights."""
    made = [{"units": len(layer["W"]), **layer} for layer in layers]
    data = {"x": x} if y is None else {"x": x, "y": y}
    return {"network": {"inputs": len(layers[0]["W"][0]), "loss": loss, "layers": made}, "data": data, **more}


def layer(W: Any, activation: Any = "identity", **more: Any) -> dict[str, Any]:
    return {"W": W, "activation": activation, **more}


TANH, SIGMOID = layer(W22, "tanh", b=[0.1, -0.2]), layer([[1.0, -0.5]], "sigmoid", b=[0.25])
SOFTMAX = layer([[1.0, -0.5], [0.25, 0.5], [-1.0, 0.75]], "softmax")
RELU, WIDE = (
    layer([[1.0, 0.5], [0.25, 2.0]], "relu"),
    layer([[0.5], [-0.25], [0.75], [1.0], [1.25]], "softmax"),
)
MASK = {"keep": 0.5, "mask": [[1, 0]]}
HALF = {"name": "squared_error", "scale": 0.5, "outputs": "mean"}
CLIPPED = {"name": "adam", "clip_norm": 0.5}
ADDED = {"name": "squared_error", "scale": 0.5, "samples": "sum"}
LEAKS = [layer(W22, {"name": "leaky_relu", "alpha": 0.125}), layer(W22, {"name": "elu", "alpha": 0.5})]
LIMITED = {"name": "rmsprop", "clip_value": 9.0}
THIRTEEN = [[0.25 * i] for i in range(13)]
SEVEN = [[0.1 * i, -0.3 * i] for i in range(7)]

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "one sample in scalars": (
        net("binary_cross_entropy", TANH, SIGMOID, y=[[1]], optimizer=SGD), {"detail": "scalar"},
    ),
    "two samples in scalars": (
        net("cross_entropy", TANH, SOFTMAX, x=X2, y=[[0, 1, 0], [1, 0, 0]], optimizer=CLIPPED),
        {"detail": "scalar"},
    ),
    "two samples in rows": (
        net("cross_entropy", TANH, SOFTMAX, x=X2, y=[[0, 1, 0], [1, 0, 0]], optimizer=SGD), {"orientation": "row"},
    ),
    "seven samples with penalties": (
        net(HALF, layer(W22, "tanh", bias="shared", b=[0.1, 0.1]), layer(W22, bias="frozen", b=[0.5, 0.25]),
            x=SEVEN, y=[[1.0, 0.5]] * 7, optimizer={"name": "momentum", "clip_value": 0.5, "clip_norm": 0.25},
            regularization={"l2": {"strength": 0.1, "form": "half_mean"}, "l1": 0.01}),
        {},
    ),
    "dropout": (
        net("squared_error", {**TANH, "dropout": MASK}, layer([[1.0, -0.5]], bias="none"), y=[[1.0]], optimizer=SGD),
        {},
    ),
    "dropout of two samples in rows": (
        net(ADDED, {**RELU, "dropout": {"keep": 0.5, "mask": [[1, 0], [1, 1]]}},
            layer([[1.0, -0.5]]), x=X2, y=[[1.0], [0.0]], regularization={"l2": {"strength": 0.1, "form": "full"}}),
        {"orientation": "row", "detail": "scalar", "most_scalar": 3},
    ),
    "a saturated output": (
        net("binary_cross_entropy", layer([[60.0, 0.0]], "sigmoid"), x=[[30.0, 0.0]], y=[[0.0]], optimizer=SGD),
        {"detail": "scalar"},
    ),
    "saturated classes": (
        net("cross_entropy", layer([[900.0], [0.0]], "softmax"), x=[[1.0], [0.5]], y=[[0, 1], [1, 0]]),
        {"detail": "scalar"},
    ),
    "saturated and right": (net("cross_entropy", layer([[900.0], [0.0]], "softmax"), x=[[1.0]], y=[[1, 0]]), {}),
    "a deep network": (
        net("squared_error", layer([[0.5]], "tanh"), layer([[1.5]], "sigmoid"), layer([[0.75]]),
            layer([[1.25]], "relu"), layer([[0.8]], "tanh"), layer([[2.0]]), x=[[0.5]], y=[[1.0]]),
        {},
    ),
    "softmax in the middle": (
        net({"name": "huber", "threshold": 0.5, "outputs": "mean"}, layer(W22, "softmax"), layer(W22), y=[[1.0, -2.0]]),
        {"detail": "scalar"},
    ),
    "five classes": (
        net("cross_entropy", WIDE, x=[[1.0]], y=[[0, 0, 0.5, 0.5, 0]]), {},
    ),
    "targets that add up to less": (
        net("cross_entropy", layer([[1.0], [0.5]], "softmax"), x=[[1.0]], y=[[0.25, 0.25]]), {},
    ),
    "carried rounding": (
        net("binary_cross_entropy", TANH, SIGMOID, y=[[1]], rounding={"digits": 3, "carry": True}, optimizer=SGD),
        {"detail": "scalar"},
    ),
    "forward only": (net("squared_error", TANH, SIGMOID), {"detail": "scalar", "neuron": 1}),
    "one neuron and one sample": (
        net("squared_error", TANH, SIGMOID, x=X2, y=[[1.0], [0.0]], optimizer=SGD),
        {"detail": "scalar", "neuron": 1, "sample": 1, "layers": (1,)},
    ),
    "a delta given": (
        net("squared_error", TANH, SIGMOID, y=[[1.0]], given={"delta2": [[0.25]]}), {"detail": "scalar"},
    ),
    "gradients given": (
        {"network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]], "b": [1.0]}]},
         "given": {"dW1": [[4.0]], "db1": [-1.0]}, "optimizer": SGD},
        {},
    ),
    "an upstream given at a saturated output": (
        net("binary_cross_entropy", layer([[60.0]], "sigmoid"), x=[[30.0]], y=[[0.0]], given={"dyhat": [[0.5]]}),
        {},
    ),
    "four samples share a bias": (
        net("squared_error", layer(W22, bias="shared", b=[0.5, 0.5]), x=SEVEN[:4], y=[[1.0, 0.5]] * 4), {},
    ),
    "five samples": (net("squared_error", layer([[0.5, -0.25]]), x=SEVEN[:5], y=[[1.0]] * 5), {}),
    "two samples share a bias": (
        net("squared_error", layer(W22, bias="shared", b=[0.5, 0.5]), x=X2, y=[[1.0, 0.5]] * 2), {},
    ),
    "twelve terms": (net("squared_error", layer([[0.5]]), x=THIRTEEN[:12], y=THIRTEEN[:12]), {}),
    "thirteen terms": (net("squared_error", layer([[0.5]]), x=THIRTEEN, y=THIRTEEN), {}),
    "two terms and entries": (
        net("squared_error", layer(W22, "relu"), layer([[1.0, -0.5]], "tanh"), x=X2, y=[[1.0], [0.0]]),
        {"textbook": frozenset(("two_terms", "entries"))},
    ),
    "an output given": (
        {"network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "activation": "sigmoid"}]},
         "given": {"yhat": [[0.25]]}, "data": {"y": [[1.0]]}},
        {},
    ),
    "leaks": (
        net("squared_error", *LEAKS, layer([[1.0, -0.5]], "selu"), y=[[1.0]], optimizer=LIMITED),
        {"detail": "scalar", "layers": (1, 2)},
    ),
    "clipped nowhere": (
        net("squared_error", layer([[1.0]]), x=[[1.0]], y=[[1.25]], optimizer=SGD | {"clip_norm": 9}), {},
    ),
    "two outputs of which one counts": (
        net("cross_entropy", layer(W22, "sigmoid"), y=[[0, 1]]), {"detail": "scalar"},
    ),
    "probabilities of two labels": (
        net("binary_cross_entropy", layer(W22, "sigmoid"), x=X2, y=[[0, 1], [0.5, 1]]), {"detail": "scalar"},
    ),
    "probabilities and their mean": (
        net({"name": "binary_cross_entropy", "scale": 0.5, "outputs": "mean"}, layer(W22, "sigmoid"), y=[[0, 1]]), {},
    ),
    "rates": (net("poisson", layer([[0.5, 0.25]], "exponential"), y=[[2]]), {"detail": "scalar"}),
    "margins": (net("hinge", layer([[0.5, 0.25]]), x=X2, y=[[1], [-1]]), {"detail": "scalar"}),
    "distances": (net("absolute_error", layer(W22, "hard_sigmoid"), y=[[1.0, 0.0]]), {"detail": "scalar"}),
}  # fmt: skip


def stepped(name: str) -> tuple[Record, StepRecord]:
    """The last step of a case, worked out."""
    made, chosen = CASES[name]
    case, options = Case.from_dict(made), Options(**chosen)
    trace = list(trace_case(case))[-1]
    step = derive(trace, case.network, case.recipe, options, case.regularization)
    rounding = case.rounding
    record = Record(
        "", "", case.network, case.recipe, (step,), rounding.digits, rounding.carry, rounding=rounding
    )
    return record, step


def sheet(step: StepRecord) -> list[str]:
    """The worked steps, then what the step did in words."""
    observed = [f"observed {said(words)}" for words in step.observation]
    changed = [f"changed {change.quantity}" for change in step.changes]
    return [*steps_in_lines(step), *observed, *changed]


def file_of(name: str) -> Path:
    return SHEETS / f"{name.replace(' ', '-')}.txt"


def held(name: str) -> list[str]:
    return file_of(name).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", CASES)
def test_a_sheet_holds_these_steps(name: str):
    record, step = stepped(name)
    assert sheet(step) == held(name)
    assert verify(record) > 0
    if (
        "saturated" not in name or "upstream" in name
    ):  # there the derivative by the outputs is infinite, or 0/0
        assert_whole(record)


# --- samples that count by a weight ---------------------------------------------------------------------


def weighted(samples: int, orientation: str) -> StepRecord:
    y = [[1], [0]] if samples == 2 else [[1]]
    case = Case.from_dict(net("binary_cross_entropy", TANH, SIGMOID, x=X2[:samples], y=y, optimizer=SGD))
    training = Training(*initial_training(case))
    weights = np.array([0.5, 1.5])[:samples]
    trace = trace_step(case.network, case.recipe, training, case.X, case.Y, 1, 0.1, weights=weights)
    step = derive(trace, case.network, case.recipe, Options(orientation=orientation, detail="scalar"))
    assert verify(Record("", "", case.network, case.recipe, (step,))) > 0
    return step


@pytest.mark.parametrize("samples", [1, 2])
def test_samples_with_weights(samples: int):
    name = f"weights of {samples}"
    assert sheet(weighted(samples, ("row", "column")[samples - 1])) == held(name)


# --- every optimizer ------------------------------------------------------------------------------------

OPTIMIZERS: tuple[dict[str, Any], ...] = (
    {"name": "sgd"},
    *({"name": "momentum", "form": form} for form in ("velocity", "heavy_ball", "average")),
    {"name": "nesterov"},
    {"name": "rmsprop"},
    {"name": "adam"},
    {"name": "adam", "epsilon_inside": True, "amsgrad": True},
    {"name": "adamw"},
    {"name": "adagrad"},
    {"name": "adadelta"},
    {"name": "nadam"},
    {"name": "lion"},
    {"name": "lion", "weight_decay": 0.1},
)


def optimizers() -> Iterator[str]:
    for optimizer in OPTIMIZERS:
        case = Case.from_dict(
            net(
                "squared_error",
                layer([[0.5, -1.0]], bias="none"),
                x=[[1.0, 2.0]],
                y=[[1.0]],
                optimizer=optimizer,
                training={"steps": 2},
            )
        )
        trace = list(trace_case(case))[-1]
        step = derive(trace, case.network, case.recipe, Options(detail="scalar", most_scalar=1))
        assert verify(Record("", "", case.network, case.recipe, (step,))) > 0
        yield ", ".join(f"{key} {value}" for key, value in optimizer.items())
        yield from (
            f"  {line}" for worked in step.steps if worked.part == "update" for line in in_lines(worked)
        )


def test_the_step_of_every_optimizer():
    assert list(optimizers()) == held("optimizers")


# --- why matrices, the formula sheet --------------------------------------------------------------------


MATRICES = ("one sample in scalars", "two samples in rows", "five classes", "forward only")


def matrices(name: str) -> list[str]:
    made, chosen = CASES[name]
    case = Case.from_dict(made)
    options = Options(**{**chosen, "matrices": True, "detail": "matrix"})
    (trace,) = trace_case(case)
    step = derive(trace, case.network, case.recipe, options, case.regularization)
    assert verify(Record("", "", case.network, case.recipe, (step,))) > 0
    assert step.matrices is not None
    return steps_in_lines(step.matrices)


@pytest.mark.parametrize("name", MATRICES)
def test_why_matrices(name: str):
    assert matrices(name) == held(f"matrices of {name}")


def formulas(name: str, samples: int) -> list[str]:
    made, chosen = CASES[name]
    case = Case.from_dict(made)
    options = Options(orientation=chosen.get("orientation", "column"))
    made_sheet = formula_sheet(case.network, case.recipe, case.regularization, samples, options)
    assert verify(Record("", "", case.network, case.recipe, (), formulas=made_sheet)) > 0
    lines = [f"general {whole(equation)}" for equation in made_sheet.general]
    lines += [f"layer by layer {whole(equation)}" for equation in made_sheet.written_out]
    lines += [
        f"{function}: {whole(value)}; {whole(slope)}" for function, value, slope in made_sheet.activations
    ]
    lines += [
        f"loss {whole(equation)}"
        for equation in (made_sheet.loss, made_sheet.penalty)
        if equation is not None
    ]
    lines += [f"term {whole(equation)}" for equation in made_sheet.term]
    lines += [f"optimizer {whole(equation)}" for equation in made_sheet.optimizer]
    return lines + [f"proof of {len(proof.steps)}" for proof in made_sheet.proofs]


FORMULAS = (
    ("one sample in scalars", 1), ("two samples in rows", 2), ("seven samples with penalties", 7), ("dropout", 1),
    ("softmax in the middle", 3), ("leaks", 2), ("a deep network", 1), ("dropout of two samples in rows", 2),
)  # fmt: skip


@pytest.mark.parametrize(("name", "samples"), FORMULAS)
def test_the_formula_sheet(name: str, samples: int):
    assert formulas(name, samples) == held(f"formulas of {name}")


# --- every factor under a brace of its own --------------------------------------------------------------

BRACED = (
    "one sample in scalars",
    "two terms and entries",
    "five samples",
    "rates",
)


def braces(name: str) -> Iterator[str]:
    made, chosen = CASES[name]
    case = Case.from_dict(made)
    (trace,) = trace_case(case)
    constants = constants_of(trace, case.network, case.recipe, case.regularization)
    paper = Paper(trace, case.network, case.recipe, Options(**chosen), case.regularization, constants)
    for l, bias in product(range(1, case.network.depth + 1), (False, True)):
        equation = braced(paper, l, bias=bias)
        yield f"{'b' if bias else 'W'}{l}: {'none' if equation is None else whole(equation)}"


@pytest.mark.parametrize("name", BRACED)
def test_the_chain_in_braces(name: str):
    assert list(braces(name)) == held(f"braces of {name}")


# --- the path to one entry ------------------------------------------------------------------------------

PATHS = {
    "one sample in scalars": (
        "W1[0,1]",
        "b1[1]",
        "W2[0,0]",
        "a1[1]",
        "z2[0]",
        "delta1[0]",
        "yhat[0]",
        "x[0]",
    ),
    "two samples in rows": ("W1[1,0]", "b2[2]", "a1[1]", "yhat[1]", "x[1]", "delta2[0]"),
    "seven samples with penalties": ("W1[0,1]", "W2[1,1]", "b1[0]"),
    "dropout": ("W1[0,1]", "a1[0]"),
    "softmax in the middle": ("W1[0,1]",),
    "leaks": ("W1[0,1]", "W3[0,0]"),
}


def paths(name: str) -> Iterator[str]:
    made, chosen = CASES[name]
    case = Case.from_dict(made)
    (trace,) = trace_case(case)
    for text in (*PATHS[name], None):
        options = Options(
            **{**chosen, "layers": None, "focus": text, "detail": "matrix" if text else "brief"}
        )
        step = derive(trace, case.network, case.recipe, options, case.regularization)
        assert verify(Record("", "", case.network, case.recipe, (step,))) > 0
        yield text or "the weight that stands for all"
        for worked in step.path:
            (equation,) = worked.scalar
            layer = "" if worked.layer is None else f" {worked.layer}"
            yield f"  {worked.quantity} [{worked.part}{layer}] {whole(equation)}"


@pytest.mark.parametrize("name", PATHS)
def test_the_path_to_an_entry(name: str):
    assert list(paths(name)) == held(f"paths of {name}")
