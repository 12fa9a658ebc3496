"""Layout: which parts a sheet has, and that nothing of the record is lost or changed on its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from handgrad.diagram.shapes import Circle, Polyline
from handgrad.errors import RenderError
from handgrad.render.document import (
    Document,
    Figure,
    Fold,
    Formula,
    Heading,
    LaidMatrix,
    Literal,
    Paragraph,
    Table,
)
from handgrad.render.layout.elision import Display, Limits
from handgrad.render.layout.sheet import lay_out
from handgrad.render.settings import DEFAULT_PARTS, PARTS, Settings
from handgrad.worked.evaluate import evaluate, map_tree
from handgrad.worked.expressions import (
    NODES,
    Ellipsis,
    Expression,
    Factor,
    Grid,
    Hadamard,
    Matrix,
    Negative,
    Number,
    Power,
    Sum,
    Symbol,
    Times,
)
from handgrad.worked.record import Record, Words
from handgrad.worksheets.worksheet import explain
from handgrad.writing.letter_parts import Notation
from handgrad.writing.numerals import Precision
from tests.render.everything import EXPRESSIONS
from tests.render.records import CASE, record

DISPLAY = Display(Precision(4))


def everything(held: Any) -> Iterator[Any]:
    """The blocks, spans and expressions of a document, all the way down."""
    yield held
    if isinstance(held, tuple | list):
        parts: Any = held
    elif isinstance(held, str | int | float | bool | None | Notation):
        parts = ()
    else:
        parts = [getattr(held, name) for name in held.__slots__]
    for part in parts:
        yield from everything(part)


def sheet(settings: Settings | None = None, **choices: Any) -> Document:
    return lay_out(record(**choices), settings or Settings(language="en"))


def text(document: Document) -> str:
    return " ".join(part for part in everything(document.blocks) if isinstance(part, str))


def value_of(shown: Any) -> float:
    """What a shown number says."""

    def number(part: Expression) -> Expression:
        return Number(float(part.text)) if isinstance(part, Literal) else part

    return float(evaluate(map_tree(shown, number))[0, 0])


@pytest.mark.parametrize("part", PARTS)
def test_each_part_has_its_own_switch(part: str):
    document = sheet(Settings(language="en", parts=frozenset([part])))
    anchors = [block.anchor for block in document.blocks if isinstance(block, Heading) and block.level == 2]
    expected = {"loss": "loss-part", "gradient_check": "gradient-check"}.get(part, part)
    # a case has no training, and its gradient check is made by the record's options
    assert anchors == ([] if part == "training" else [expected])


def test_parts_stand_in_their_order_and_anchors_are_unique():
    document = sheet(Settings(language="en", parts=frozenset(PARTS)), steps=2)
    anchors = [block.anchor for block in document.blocks if isinstance(block, Heading)]
    assert len(set(anchors)) == len(anchors)
    assert [anchor for anchor in anchors if anchor.startswith("step")] == ["step-of-1-2", "step-of-2-2"]
    assert all(anchor.replace("-", "").isalnum() for anchor in anchors)


def test_every_number_of_the_record_is_shown_rounded():
    document = sheet()
    shown = {part.text for part in everything(document.blocks) if isinstance(part, Literal)}
    for name in ("x", "W1", "b1", "z1", "a1", "yhat", "delta2", "dW1", "W1_new", "b2_new"):
        for value in np.ravel(record().steps[0].quantities[name]):
            assert any(abs(float(number) - value) <= 0.5001e-4 for number in shown), (name, value)


@pytest.mark.parametrize("detail", ["brief", "matrix", "scalar"])
@pytest.mark.parametrize("orientation", ["column", "row"])
@pytest.mark.parametrize("language", ["en", "bn"])
def test_no_number_is_left_to_the_writers(detail: str, orientation: str, language: str):
    settings = Settings(language=language, detail=detail, parts=frozenset(PARTS))
    document = sheet(settings, detail=detail, orientation=orientation)
    assert document.language == language
    assert document.notation.orientation == orientation
    kinds = {type(part) for part in everything(document.blocks)}
    assert not kinds & {Number, Matrix, Grid, Words}


def test_a_column_stands_as_a_column_and_a_row_as_a_row():
    shapes = {}
    for orientation in ("column", "row"):
        for block in sheet(orientation=orientation, samples=1).blocks:
            if isinstance(block, Formula) and block.target == Symbol("x"):
                (_, matrix), *_ = block.forms
                assert isinstance(matrix, LaidMatrix)
                shapes[orientation] = matrix.shape
    assert shapes == {"column": (2, 1), "row": (1, 2)}


def test_scalar_detail_is_folded_and_a_brief_sheet_has_nothing_to_fold():
    folds = [block for block in sheet(detail="scalar").blocks if isinstance(block, Fold)]
    assert folds and all(isinstance(block, Formula | Paragraph) for fold in folds for block in fold.blocks)
    assert not [block for block in sheet().blocks if isinstance(block, Fold)]
    brief = sheet(Settings(language="en", detail="brief"), detail="brief")
    assert not [block for block in brief.blocks if isinstance(block, Fold)]


def test_a_reason_is_said_once_in_a_step():
    paragraphs = [block.spans for block in sheet().blocks if isinstance(block, Paragraph) and not block.role]
    assert len(set(paragraphs)) == len(paragraphs)


def observed(document: Document) -> str:
    (observation,) = [b for b in document.blocks if isinstance(b, Paragraph) and b.role == "observation"]
    return " ".join(str(span) for span in observation.spans)


def test_the_observation_says_what_the_step_did_and_why():
    words = observed(sheet())
    assert "predictions," in words and "gradient" in words and "The step lowered the loss from" in words
    assert words.endswith(".")


def one_neuron(**changes: Any) -> Record:
    """x = 2, w = 0.5, no bias, identity: the prediction is 1."""
    case: dict[str, Any] = {
        "network": {
            "inputs": 1,
            "loss": {"name": "squared_error"},
            "layers": [{"units": 1, "activation": "identity", "bias": "none", "W": [[0.5]]}],
        },
        "data": {"x": [[2.0]], "y": [[3.0]]},
        "optimizer": {"name": "sgd", "learning_rate": 0.1},
    }
    return explain({**case, **changes}, digits=2).record


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {},
            "The prediction 1 was below the target 3, so it had to rise. The weight grew, because its gradient is "
            "negative. With the new parameters the prediction is 2.6. The step lowered the loss from 4 to 0.16.",
        ),
        (
            {"optimizer": {"name": "sgd", "learning_rate": 0.5}},
            "a smaller learning rate would help.",
        ),
        (
            {"data": {"x": [[2.0]], "y": [[1.0]]}},
            "All gradients of the weights are zero, so no weight changed.",
        ),
        (  # the same to two decimals, and yet lower: more decimals are shown
            {"optimizer": {"name": "sgd", "learning_rate": 1e-6}},
            "The step lowered the loss from 4 to 3.9999.",
        ),
    ],
)
def test_the_observation_is_true(changes: dict[str, Any], expected: str):
    assert expected in observed(lay_out(one_neuron(**changes), Settings(language="en", digits=2)))


def test_a_weight_that_goes_on_by_its_velocity_is_not_said_to_follow_its_gradient():
    momentum = {"name": "momentum", "learning_rate": 0.2, "momentum": 0.9}
    record = one_neuron(optimizer=momentum, training={"steps": 3})
    step = next(
        step
        for step in record.steps
        if np.sign(step.changes[0].after - step.changes[0].before) == np.sign(step.changes[0].gradient)
    )
    keys = [words.key for words in step.observation]
    assert "weights_besides" in keys and not {"weights_all_grew", "weights_all_shrank"} & set(keys)


def test_a_layer_without_bias_and_one_of_everything_are_said_so():
    parts = frozenset(PARTS) - {"training"}
    shown = text(lay_out(one_neuron(), Settings(language="en", parts=parts, digits=2)))
    assert "1 input and 1 layer" in shown and "1 number that" in shown
    assert "adds its bias" not in shown
    letters = {
        part.letter
        for part in everything(lay_out(one_neuron(), Settings(language="en", parts=parts)).blocks)
        if isinstance(part, Symbol)
    }
    assert "b" not in letters


def test_an_entry_that_is_the_whole_is_not_written_twice():
    document = lay_out(explain(CASE, detail="scalar").record, Settings(language="en", detail="scalar"))
    for fold, before in zip(document.blocks[1:], document.blocks, strict=False):
        if isinstance(fold, Fold) and isinstance(before, Formula):
            assert [block.forms for block in fold.blocks if isinstance(block, Formula)] != [before.forms]


def test_changes_show_each_parameter_before_and_after():
    document = sheet(Settings(language="en", parts=frozenset(["changes"])))
    (table,) = [block for block in document.blocks if isinstance(block, Table)]
    assert len(table.rows) == 9
    step = record().steps[0]
    for row in table.rows:
        symbol, before, _, change, after = (cell[0] for cell in row)
        assert isinstance(symbol, Symbol)
        place = symbol.entry or (0,)
        name = f"{symbol.letter}{symbol.layer}"
        old, new = (float(step.quantities[key][place]) for key in (name, f"{name}_new"))
        assert value_of(before) == pytest.approx(old, abs=0.51e-4)
        assert value_of(after) == pytest.approx(new, abs=0.51e-4)
        assert value_of(change) == pytest.approx(new - old, abs=0.51e-4)


def test_a_large_table_of_changes_shows_its_ends():
    settings = Settings(language="en", parts=frozenset(["changes"]), most_entries=3)
    (table,) = [block for block in sheet(settings).blocks if isinstance(block, Table)]
    symbols = [row[0][0] for row in table.rows]
    weights = [s.entry for s in symbols if isinstance(s, Symbol) and (s.letter, s.layer) == ("W", 1)]
    assert weights == [(0, 0), (1, 1)]
    assert any(isinstance(symbol, Ellipsis) for symbol in symbols)


def test_digits_come_from_the_reader_then_the_quantity_then_the_case():
    def shown(digits: int | None, **settings: Any) -> str:
        case = {**CASE, "rounding": {"digits": 2, "quantities": {"yhat": 6}}}
        document = lay_out(explain(case, parts=["forward"]).record, Settings(digits=digits, **settings))
        for block in document.blocks:
            if isinstance(block, Formula) and block.target == Symbol("yhat"):
                matrix = block.forms[-1][1]
                assert isinstance(matrix, LaidMatrix)
                entry = matrix.rows[0][0]
                assert isinstance(entry, Literal)
                return entry.text
        raise AssertionError("yhat is not shown")

    assert len(shown(None)) == len("0.123456")
    assert len(shown(3)) == len("0.123")
    assert len(shown(3, digits_of=(("yhat", 5),))) == len("0.12345")
    assert len(shown(None, significant=3)) in (len("0.123"), len("0.123456"))
    assert "," in shown(3, decimal=",")


def test_notation_comes_from_the_settings():
    assert lay_out(record(), Settings(language="en")).notation.layer == "bracket"
    chosen = Settings(language="en", notation=Notation(layer="superscript"))
    assert lay_out(record(), chosen).notation.layer == "superscript"


def test_the_figure_shows_the_network_and_can_be_left_out():
    (figure,) = [block for block in sheet().blocks if isinstance(block, Figure)]
    assert figure.scene.shapes and "2-2-1" in figure.scene.description
    without = sheet(Settings(language="en", figures=False))
    assert not [block for block in without.blocks if isinstance(block, Figure)]


def test_training_shows_where_the_step_stands_on_the_curve():
    losses = tuple(1 / (epoch + 1) for epoch in range(40))
    trained = replace(record(), losses=losses, epoch=12)
    document = lay_out(trained, Settings(language="en", parts=frozenset(["training"])))
    (figure,) = [block for block in document.blocks if isinstance(block, Figure)]
    (mark,) = [shape for shape in figure.scene.shapes if isinstance(shape, Circle)]
    curve = [shape for shape in figure.scene.shapes if isinstance(shape, Polyline)][-1]
    assert len(curve.points) == 40
    assert curve.points[11] == (mark.cx, mark.cy)
    assert "epoch 12 of 40" in text(document)
    assert "12 ←" in text(document)


def test_two_layouts_are_the_same():
    assert lay_out(record(), Settings(language="en")) == lay_out(record(), Settings(language="en"))


# --- single trees


@pytest.mark.parametrize("count", [5, 6, 7, 100])
def test_a_large_matrix_shows_its_corners_and_its_true_shape(count: int):
    values = np.arange(count * count, dtype=float).reshape(count, count)
    laid = Display(Precision(), Limits(6, 6)).tree(Matrix(values))
    assert isinstance(laid, LaidMatrix)
    assert laid.shape == (count, count)
    assert len(laid.rows) == len(laid.rows[0]) == min(count, 6)
    corners = [laid.rows[i][j] for i in (0, -1) for j in (0, -1)]
    assert [float(c.text) for c in corners if isinstance(c, Literal)] == [
        float(values[i, j]) for i in (0, -1) for j in (0, -1)
    ]
    dots = [part.direction for part in everything(laid) if isinstance(part, Ellipsis)]
    expected = ["diagonal"] + ["horizontal"] * 5 + ["vertical"] * 5
    assert sorted(dots) == ([] if count <= 6 else sorted(expected))


def test_a_long_sum_shows_its_ends():
    tree = Sum(tuple(Number(float(n)) for n in range(100)))
    shown = Display(Precision(), Limits(terms=6)).tree(tree)
    assert isinstance(shown, Sum)
    assert len(shown.terms) == 6
    assert shown.terms[0] == Literal("0") and shown.terms[-1] == Literal("99")


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (Sum((Number(-1.0), Number(-2.0))), Sum((Literal("-1"), Literal("-2", True)))),
        (Times((Number(-1.0), Symbol("x"))), Times((Literal("-1", True), Symbol("x")))),
        (Power(Number(-3.0), Number(2.0, True)), Power(Literal("-3", True), Literal("2"))),
        (Negative(Number(-3.0)), Negative(Literal("-3", True))),
        (
            Sum((Number(1.0), Times((Number(-1.0), Number(2.0)), True))),
            Sum((Literal("1"), Times((Literal("-1", True), Literal("2")), True))),
        ),
        (Hadamard((Number(2.0), Number(3.0))), Times((Literal("2"), Literal("3")), True)),
        (
            Number(2e-7),
            Times((Literal("2"), Power(Literal("10"), Literal("-7"))), True),
        ),
    ],
)
def test_negative_numbers_take_parentheses_where_they_are_put_in(tree: Expression, expected: Expression):
    assert DISPLAY.tree(tree) == expected


def test_every_kind_of_node_can_be_shown_and_labels_are_words():
    kinds = {type(tree) for tree in EXPRESSIONS.values()}
    assert kinds >= set(NODES) - {Matrix}
    for tree in EXPRESSIONS.values():
        shown = DISPLAY.tree(tree)
        assert not {type(part) for part in everything(shown)} & {Number, Matrix, Grid}
    labelled = Display(Precision(), label=str.upper).tree(Factor("delta", Symbol("y")))
    assert labelled == Factor("DELTA", Symbol("y"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"detail": "much"}, "brief, matrix, scalar"),
        ({"parts": frozenset(["problems"])}, "'problems'"),
        ({"decimal": ";"}, "';'"),
        ({"most_rows": 2}, "at least 3"),
    ],
)
def test_choices_that_cannot_be_are_refused(wrong: dict[str, Any], message: str):
    with pytest.raises(RenderError, match=message):
        Settings(**wrong)


def test_a_language_without_a_catalogue_is_refused():
    with pytest.raises(RenderError, match="'tlh'"):
        lay_out(record(), Settings(language="tlh"))


def test_default_parts_are_parts():
    assert set(PARTS) > DEFAULT_PARTS
