"""The textbook: its equations are verified like all others, its program runs, its tables say what NumPy says."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len

from handgrad.errors import RenderError, VerificationError
from handgrad.render.document import Code
from handgrad.render.media import MEDIA
from handgrad.render.settings import TEXTBOOK
from handgrad.worked.evaluate import evaluate, map_tree
from handgrad.worked.expressions import Expression, Symbol
from handgrad.worked.record import Equation, Lesson, Record
from handgrad.worked.textbook.lessons import LESSONS
from handgrad.worked.verify import verify
from handgrad.worksheets.timing import timed, unit_by_unit
from handgrad.worksheets.worksheet import Worksheet, explain

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def network(
    activations: list[str], loss: Any, outputs: int = 1, samples: int = 1, **extra: Any
) -> dict[str, Any]:
    """A case of two inputs and layers of 3, 3, ... and `outputs` units."""
    draw = np.random.default_rng(5)
    sizes = [2, *(3 for _ in activations[:-1]), outputs]
    layers = [
        {"units": n, "activation": name, "W": draw.normal(size=(n, m)).round(2).tolist(), "b": [0.1] * n}
        for name, m, n in zip(activations, sizes, sizes[1:], strict=False)
    ]
    y = np.eye(outputs)[np.arange(samples) % outputs] if outputs > 1 else np.arange(samples)[:, None] % 2
    data = {"x": draw.normal(size=(samples, 2)).round(2).tolist(), "y": np.asarray(y, float).tolist()}
    return {
        "network": {"inputs": 2, "loss": loss, "layers": layers},
        "data": data,
        "optimizer": {"name": "sgd", "learning_rate": 0.1},
        **extra,
    }


HALF = {"name": "squared_error", "scale": 0.5}
CASES: dict[str, dict[str, Any]] = {
    "relu sigmoid": network(["relu", "sigmoid"], "binary_cross_entropy"),
    "deep": network(
        ["tanh", "relu", "sigmoid", "elu", "sigmoid", "sigmoid"], "binary_cross_entropy", samples=3
    ),
    "softmax": network(["leaky_relu", "softmax"], "cross_entropy", outputs=3, samples=4),
    "regression": network(["relu", "identity"], HALF, outputs=2, samples=2),
    "one layer": network(["sigmoid"], "squared_error"),
    "mean": network(["sigmoid", "sigmoid"], {"name": "squared_error", "outputs": "mean"}, outputs=2),
    "hinge": {
        **network(["tanh", "identity"], "hinge", samples=2),
        "data": {"x": [[1.0, 2.0], [0.5, -1.0]], "y": [[1.0], [-1.0]]},
    },
    "penalty": network(["relu", "sigmoid"], "binary_cross_entropy", regularization={"l2": 0.1}),
    "carried": network(["sigmoid", "sigmoid"], "binary_cross_entropy", rounding={"digits": 3, "carry": True}),
}


@cache
def sheet(name: str, orientation: str = "column") -> Worksheet:
    return explain(
        CASES[name],
        parts=("problem", "forward", "loss", "backward", "update", "textbook"),
        language="en",
        orientation=orientation,
    )


@pytest.mark.parametrize("orientation", ["column", "row"])
@pytest.mark.parametrize("name", CASES)
def test_every_lesson_is_part_of_the_record_and_verified(name: str, orientation: str) -> None:
    record = sheet(name, orientation).record
    lessons = record.textbook
    assert set(lessons) == set(LESSONS)
    for lesson in lessons.values():
        assert lesson.proofs, "nothing holds the lesson"
        assert all(proof.steps for proof in lesson.proofs)
    assert verify(record) > sum(len(step.steps) for step in record.steps)


def replaced(record: Record, name: str, lesson: Lesson) -> Record:
    step = dataclasses.replace(record.steps[0], lessons={**record.steps[0].lessons, name: lesson})
    return dataclasses.replace(record, steps=(step, *record.steps[1:]))


def forged(lesson: Lesson, change: Any) -> Lesson:
    """The lesson with another equation at the end of its last proof."""
    *others, proof = lesson.proofs
    *steps, last = proof.steps
    changed = dataclasses.replace(last, equation=change(last.equation))
    return dataclasses.replace(lesson, proofs=(*others, dataclasses.replace(proof, steps=(*steps, changed))))


def off(equation: Equation) -> Equation:
    """The same letters, with another result."""
    assert equation.result is not None
    return dataclasses.replace(equation, numbers=(), result=_shifted(equation.result))


def _shifted(tree: Expression) -> Expression:
    from handgrad.worked.substitute import node

    return node(evaluate(tree) + 0.001)


@pytest.mark.parametrize("name", LESSONS)
def test_what_is_wrong_in_a_lesson_is_found(name: str) -> None:
    record = sheet("relu sigmoid").record
    lesson = record.textbook[name]
    assert verify(record)
    with pytest.raises(VerificationError):
        verify(replaced(record, name, forged(lesson, off)))


def test_another_letter_in_a_lesson_is_found() -> None:
    record = sheet("relu sigmoid").record

    def exchanged(equation: Equation) -> Equation:
        def other(part: Expression) -> Expression:
            return (
                dataclasses.replace(part, layer=1)
                if isinstance(part, Symbol) and part == Symbol("b", 2)
                else part
            )

        return dataclasses.replace(
            equation, numbers=(), symbols=tuple(map_tree(tree, other) for tree in equation.symbols)
        )

    with pytest.raises(VerificationError):
        verify(replaced(record, "composition", forged(record.textbook["composition"], exchanged)))


# --- against NumPy -----------------------------------------------------------------------------------------


def test_the_composition_is_the_network() -> None:
    case = CASES["relu sigmoid"]
    (W1, b1), (W2, b2) = ((np.array(layer["W"]), np.array(layer["b"])) for layer in case["network"]["layers"])
    x = np.array(case["data"]["x"])[0]
    expected = sigmoid(W2 @ np.maximum(W1 @ x + b1, 0) + b2)
    *_, whole = sheet("relu sigmoid").record.textbook["composition"].equations
    assert whole.result is not None
    np.testing.assert_allclose(evaluate(whole.result).ravel(), expected, rtol=1e-14)
    np.testing.assert_allclose(evaluate(whole.numbers[-1]).ravel(), expected, rtol=1e-12)


def test_the_first_unit_is_a_sum_over_its_inputs() -> None:
    case = CASES["relu sigmoid"]
    layer, x = case["network"]["layers"][0], case["data"]["x"][0]
    expected = max(0.0, sum(w * v for w, v in zip(layer["W"][0], x, strict=True)) + layer["b"][0])
    *_, example = sheet("relu sigmoid").record.textbook["unit"].equations
    assert example.result is not None
    assert evaluate(example.result).item() == pytest.approx(expected, rel=1e-14)


def test_errors_are_output_minus_target() -> None:
    record = sheet("regression").record
    yhat, y = (record.steps[0].quantities[name] for name in ("yhat", "y"))
    found = [evaluate(e.result).item() for e in record.textbook["errors"].equations if e.result is not None]
    np.testing.assert_allclose(found, (yhat - y).ravel(), rtol=1e-15)
    assert "Error" in sheet("regression").text()


def test_the_losses_are_compared_at_this_prediction() -> None:
    record = sheet("relu sigmoid").record
    yhat, y = (float(record.steps[0].quantities[name].item()) for name in ("yhat", "y"))
    equations = record.textbook["losses"].equations
    squared, binary = equations[2], equations[8]
    assert squared.result is not None and binary.result is not None and equations[5].result is None
    assert evaluate(squared.result).item() == pytest.approx((yhat - y) ** 2, rel=1e-14)
    expected = -(y * np.log(yhat) + (1 - y) * np.log(1 - yhat))
    assert evaluate(binary.result).item() == pytest.approx(expected, rel=1e-14)


def test_cross_entropy_is_compared_where_there_are_classes() -> None:
    record = sheet("softmax").record
    yhat, y = (record.steps[0].quantities[name][0] for name in ("yhat", "y"))
    equations = record.textbook["losses"].equations
    assert equations[5].result is not None and equations[8].result is None
    assert evaluate(equations[5].result).item() == pytest.approx(float(-(y * np.log(yhat)).sum()), rel=1e-14)


def test_the_derivative_of_the_loss_stands_in_two_terms_before_it_is_merged() -> None:
    step = sheet("relu sigmoid").record.steps[0]
    (worked,) = (worked for worked in step.steps if worked.quantity == "dyhat")
    apart, merged = worked.equation.symbols
    yhat, y = (float(step.quantities[name].item()) for name in ("yhat", "y"))
    for tree in (apart, merged):
        assert evaluate(tree, step.bindings).item() == pytest.approx(
            -y / yhat + (1 - y) / (1 - yhat), rel=1e-12
        )
    plain = explain(CASES["relu sigmoid"], language="en").record.steps[0]
    assert len(next(w for w in plain.steps if w.quantity == "dyhat").equation.symbols) == 1


@pytest.mark.parametrize("detail", ["scalar", "matrix"])
def test_what_comes_back_and_the_slopes_stand_entry_by_entry(detail: str) -> None:
    parts = () if detail == "scalar" else ("entries",)
    record = explain(CASES["relu sigmoid"], detail=detail, parts=("backward", *parts), language="en").record
    step = record.steps[0]
    for name, wanted in (
        ("da1", step.quantities["delta2"] @ step.quantities["W2"]),
        ("derivative1", (step.quantities["z1"] > 0).astype(float)),
    ):
        (worked,) = (worked for worked in step.steps if worked.quantity == name)
        found = [evaluate(entry.result).item() for entry in worked.scalar if entry.result is not None]
        np.testing.assert_allclose(found, wanted.ravel(), rtol=1e-14)


# --- the program ---------------------------------------------------------------------------------------------

OPTIMIZERS: list[dict[str, Any]] = [
    {"name": "sgd", "learning_rate": 0.1},
    {"name": "momentum", "learning_rate": 0.1},
    {"name": "nesterov", "learning_rate": 0.05},
    {"name": "rmsprop", "learning_rate": 0.01},
    {"name": "adam", "learning_rate": 0.01},
    {"name": "adamw", "learning_rate": 0.01, "weight_decay": 0.1},
    {"name": "lion", "learning_rate": 0.01},
]
PROGRAMS = {
    **{f"{rule['name']}": {**CASES["relu sigmoid"], "optimizer": rule} for rule in OPTIMIZERS},
    **{
        name: CASES[name]
        for name in ("deep", "softmax", "regression", "one layer", "mean", "hinge", "penalty")
    },
    "l1": network(["selu", "identity"], "absolute_error", regularization={"l1": 0.01}),
    "no bias": {
        **CASES["relu sigmoid"],
        "network": {
            **CASES["relu sigmoid"]["network"],
            "layers": [
                {**{k: v for k, v in layer.items() if k != "b"}, "bias": "none"}
                for layer in CASES["relu sigmoid"]["network"]["layers"]
            ],
        },
    },
}


def program_of(case: dict[str, Any], language: str = "en") -> str:
    blocks = explain(case, parts=("loop",), language=language, detail="matrix").document.blocks
    (code,) = (block for block in blocks if isinstance(block, Code))
    return code.text


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_loop_is_a_program_whose_steps_are_those_of_the_training(name: str) -> None:
    case = PROGRAMS[name]
    text, held, said = program_of(case), dict[str, Any](), io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(text, "loop", "exec"), held)
    losses = [float(line.split(": ")[1]) for line in said.getvalue().splitlines()]
    trained = explain({**case, "training": {"steps": 10}}, language="en", step=(1, 10))
    steps = [trace.quantities for trace in trained.traces()]
    np.testing.assert_allclose(losses, [float(step["loss"]) for step in steps], atol=2e-6)
    for l, W in held["W"].items():
        np.testing.assert_allclose(W, steps[-1][f"W{l}_new"], rtol=1e-9, atol=1e-12)
    for l, b in held.get("b", {}).items():
        np.testing.assert_allclose(b, steps[-1][f"b{l}_new"], rtol=1e-9, atol=1e-12)


def test_a_large_network_has_a_program_that_draws_its_numbers() -> None:
    draw = np.random.default_rng(1)
    case = {
        "network": {
            "inputs": 20,
            "loss": "cross_entropy",
            "seed": 1,
            "layers": [{"units": 30, "activation": "tanh"}, {"units": 4, "activation": "softmax"}],
        },
        "data": {"x": draw.normal(size=(8, 20)).tolist(), "y": [0, 1, 2, 3] * 2},
        "optimizer": {"name": "adam", "learning_rate": 0.01},
    }
    text, said = program_of(case), io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(text, "loop", "exec"), {})
    losses = [float(line.split(": ")[1]) for line in said.getvalue().splitlines()]
    assert len(text) < 3000 and losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dropout": {"keep": 0.5, "mask": [[1, 0, 1]]}}, "dropout"),
        ({"bias": "frozen"}, "a bias that is shared or frozen"),
        ({"activation": "gelu"}, "GELU"),
    ],
)
def test_what_has_no_program_is_said(change: dict[str, Any], reason: str) -> None:
    case = CASES["relu sigmoid"]
    first, *others = case["network"]["layers"]
    changed = {**case, "network": {**case["network"], "layers": [{**first, **change}, *others]}}
    made = explain(changed, parts=("loop",), language="en")
    assert f"The program is left out: {reason}" in " ".join(made.text().split())


# --- timing, media, choices ------------------------------------------------------------------------------------


def test_both_ways_of_a_layer_give_the_same_sums() -> None:
    W, x, b = [[1.0, 2.0], [3.0, -4.0]], [0.5, 0.25], [0.1, 0.2]
    np.testing.assert_allclose(unit_by_unit(W, x, b), np.array(W) @ x + b, rtol=1e-15)
    timing = timed(500, 1000)
    assert timing.scalar > timing.matrix > 0
    assert (
        sheet("relu sigmoid").record.timings[-1].units * sheet("relu sigmoid").record.timings[-1].inputs
        == 500_000
    )


@pytest.mark.parametrize("language", ["en", "bn"])
@pytest.mark.parametrize("medium", [*MEDIA, "terminal"])
def test_the_textbook_is_written_in_every_medium(medium: str, language: str) -> None:
    for extra in ({"html": (), "docx": ("lxml", "docx"), "pdf": ("typst",)}).get(medium, ()):
        pytest.importorskip(extra)
    if medium == "slides-pdf":
        pytest.importorskip("typst")
    made = explain(EXAMPLES / "relu-sigmoid-2-2-1.toml", parts=("textbook",), language=language).to(medium)
    assert len(made) > 1000


def test_the_program_is_a_cell_of_the_notebook_that_runs() -> None:
    made = json.loads(
        explain(EXAMPLES / "relu-sigmoid-2-2-1.toml", parts=("loop",), language="bn").to("ipynb")
    )
    cells = [cell["source"] for cell in made["cells"] if cell["cell_type"] == "code"]
    (source,) = (cell for cell in cells if "for step in range" in cell)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(source, "cell", "exec"), {})


@pytest.mark.parametrize("width", [30, 60, 80, 120])
def test_the_flow_is_drawn_in_the_terminal_within_its_width(width: int) -> None:
    text = explain(CASES["deep"], parts=("flow",), language="en").text(width)
    assert text.count("┌") == text.count("└") == 8
    assert all(cell_len(line) <= width for line in text.splitlines())


@pytest.mark.parametrize("language", ["en", "bn"])
@pytest.mark.parametrize("case", ["deep", "softmax", "relu sigmoid"])
def test_no_line_of_the_terminal_is_wider_than_asked_for(case: str, language: str) -> None:
    made = explain(CASES[case], parts=("textbook",), language=language)
    for width in (60, 100):
        assert [line for line in made.text(width).splitlines() if cell_len(line) > width] == []


@pytest.mark.parametrize("part", TEXTBOOK)
def test_each_part_has_a_switch_of_its_own(part: str) -> None:
    with_part = explain(CASES["relu sigmoid"], parts=("backward", part), language="en").text()
    without = explain(CASES["relu sigmoid"], parts=("backward",), language="en").text()
    assert len(with_part) > len(without)


def test_a_formula_sheet_has_the_lessons_that_need_no_numbers() -> None:
    made = explain(EXAMPLES / "formula-sheet.toml", parts=("textbook",), language="en")
    text = made.text()
    assert "Variants of gradient descent" in text and "Key takeaways" in text
    assert verify(made.record)
    assert "The errors" not in text


def test_an_unknown_part_names_those_that_are_there() -> None:
    with pytest.raises(RenderError, match="textbook"):
        explain(CASES["relu sigmoid"], parts=("poetry",), language="en")


def test_capital_letters_name_the_prediction_by_its_layer() -> None:
    text = explain(
        CASES["relu sigmoid"],
        parts=("forward", "backward", "braces"),
        names="capital",
        layer_notation="subscript",
        language="en",
    ).text(100)
    for letters in ("A₂ = σ(Z₂)", "∂C/∂B₁", "Z₂ = W₂ · A₁ + B₂", "(Z₁ > 0)"):
        assert letters in text.replace("\u2009", " "), letters


def test_certified_sheets_have_the_textbook() -> None:
    pytest.importorskip("flint")
    made = explain(EXAMPLES / "relu-sigmoid-2-2-1.toml", parts=("textbook",), certify=True, language="en")
    assert "Key takeaways" in made.text()
