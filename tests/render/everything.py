"""A document made by hand that holds every kind of block and of node, and hostile text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handgrad.diagram.shapes import MATHEMATICS, Box, Circle, Line, Polyline, Scene, Text
from handgrad.render.document import (
    Bullets,
    Code,
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
from handgrad.worked.expressions import (
    Apply,
    BigSum,
    Cases,
    Divide,
    Ellipsis,
    Expression,
    Factor,
    Gradient,
    Grid,
    Hadamard,
    MatMul,
    Negative,
    Norm,
    Number,
    Outer,
    Power,
    Relation,
    Root,
    Sum,
    SumOver,
    Symbol,
    Times,
    Transpose,
)
from handgrad.writing.letter_parts import Notation

ONE, TWO = Number(1.0, exact=True), Number(2.0, exact=True)
W1, W2, X, Y, YHAT = Symbol("W", 1), Symbol("W", 2), Symbol("x"), Symbol("y"), Symbol("yhat")
Z1, A1, Z2, DELTA1, DELTA2 = (
    Symbol("z", 1),
    Symbol("a", 1),
    Symbol("z", 2),
    Symbol("delta", 1),
    Symbol("delta", 2),
)
HOSTILE = (
    """Cost $5 < 6 > 4 & a_b * c \\ "quoted" 'it' #1 50% ~x^2 {y} | `z` <script>alert(1)</script> [l](u)"""
)
CODE = 'if x < 1 and "a_b" != "#c":\n    print(f"{x} $ & % ~ ^ | *")  # ok\n'
BENGALI = "স্তর ১: ওজনযুক্ত যোগফল"
SCENE = Scene(
    300.0,
    160.0,
    "Network 2-1",
    "Two inputs & one output",
    (
        Line(40, 40, 250, 80, "#767676", 1.4),
        Line(40, 120, 250, 80, "#c62828", 2.5),
        Polyline(((10, 10), (10, 150), (290, 150)), "#000000", 1),
        Polyline(((10, 150), (100, 140), (200, 145)), "#14549c", 2, dashed=True),
        Box(120, 45, 44, 18, 4, "#f7f7f5", "#767676"),
        Text(142, 58, "0.1", 11, "#1f1f1f"),
        Circle(40, 40, 22, "#2e7d32"),
        Circle(40, 120, 22, "#2e7d32"),
        Circle(250, 80, 22, "#c62828"),
        Text(40, 45, "x\u2081", 16, "#ffffff", italic=True, family=MATHEMATICS),
        Text(250, 20, "Output <1> 100 % _", 13, "#767676", bold=True),
    ),
)
"""Every kind of shape."""


def numbers(*rows: tuple[str, ...], shape: tuple[int, int] | None = None) -> LaidMatrix:
    return LaidMatrix(
        tuple(tuple(Literal(text) for text in row) for row in rows), shape or (len(rows), len(rows[0]))
    )


ELIDED = LaidMatrix(
    (
        (Literal("0.1"), Ellipsis("horizontal"), Literal("-0.2")),
        (Ellipsis("vertical"), Ellipsis("diagonal"), Ellipsis("vertical")),
        (Literal("0.5"), Ellipsis("horizontal"), Literal("4.25")),
    ),
    (128, 784),
)

EXPRESSIONS: dict[str, Expression] = {
    "Symbol": W1,
    "Gradient": Gradient(Symbol("loss"), W1),
    "Number": Number(1e-8, exact=True),
    "Literal": Literal("-0.404", substituted=True),
    "LaidMatrix": numbers(("0.1", "-0.2"), ("0.3", "0.4")),
    "Grid": Grid(((Symbol("W", 1, (0, 0)), Symbol("W", 1, (0, 1))),)),
    "Sum": Sum((MatMul(W1, X), Symbol("b", 1), Negative(Literal("-0.5", substituted=True)))),
    "Negative": Negative(Sum((YHAT, Negative(Y)))),
    "Times": Times((Literal("0.1"), Literal("0.5")), sign=True),
    "MatMul": MatMul(W2, A1),
    "Hadamard": Hadamard((MatMul(Transpose(W2), DELTA2), Apply("relu'", (Z1,)))),
    "Outer": Outer(DELTA1, Transpose(X)),
    "Transpose": Transpose(W2),
    "Divide": Divide(ONE, Sum((ONE, Apply("exp", (Negative(Z2),))))),
    "Power": Power(Sum((YHAT, Negative(Y))), TWO),
    "Root": Root(Symbol("W", 1, mark="v_hat")),
    "Norm": Norm(W1),
    "Apply": Apply("leaky_relu", (Z1,), (Symbol("alpha"),)),
    "Factor": Factor("cost derivative", Sum((Times((TWO, YHAT)), Negative(Times((TWO, Y)))))),
    "BigSum": BigSum("i", ONE, Symbol("m"), Apply("ln", (Symbol("yhat", sample=0),))),
    "SumOver": SumOver(DELTA1, 1),
    "Relation": Relation(Z1, ">=", Literal("0")),
    "Cases": Cases(((Z1, Relation(Z1, ">", Literal("0"))), (Literal("0"), None))),
    "Ellipsis": Ellipsis("horizontal"),
}
"""One expression of each kind that can be written."""

LONG = Sum(
    tuple(
        Times((Literal(f"0.{n}123"), Literal(f"-0.{n}456", substituted=True)), sign=True)
        for n in range(1, 10)
    )
)


def document(language: str = "en", notation: Notation | None = None, contents: bool = True) -> Document:
    """The document; the same numbers and labels must show in every medium."""
    return Document(
        HOSTILE,
        language,
        (
            Heading(1, (HOSTILE,), "title"),
            Paragraph(("Source: a book & a half, https://example.org/a_b/c-d?e=1&f=%20#g.",), "source"),
            Paragraph(("Numbers are shown to 4 decimals.",), "settings"),
            Heading(2, ("Problem ", BENGALI), "problem"),
            Figure(SCENE, ("The network ", W1)),
            Bullets(
                (
                    (
                        "Inputs ",
                        X,
                        " are columns",
                    ),
                    ("Loss is ", Symbol("loss"), ", not $9"),
                ),
            ),
            Heading(2, ("Forward pass",), "forward"),
            Heading(3, ("Layer 1: ", Z1), "layer-1"),
            Paragraph(("Each unit adds up ", HOSTILE), ""),
            Formula(
                Z1,
                (
                    ("=", Sum((MatMul(W1, X), Symbol("b", 1)))),
                    (
                        "=",
                        Sum(
                            (
                                MatMul(numbers(("0.1", "0.2"), ("0.3", "-0.4")), numbers(("0.5",), ("0.3",))),
                                numbers(("0.1",), ("0.2",)),
                            )
                        ),
                    ),
                    ("~", numbers(("0.21",), ("0.2301",))),
                ),
                (W1, " 2×2, ", X, " 2×1 → ", Z1, " 2×1"),
            ),
            Formula(Symbol("z", 1, (0,)), (("=", LONG), ("~", Literal("-0.9876")))),
            Formula(
                Gradient(Symbol("loss"), W2),
                (
                    (
                        "=",
                        Times(
                            (
                                Factor("input", A1),
                                Factor("sigmoid prime & more", Apply("sigmoid'", (Z2,))),
                                EXPRESSIONS["Factor"],
                            )
                        ),
                    ),
                ),
            ),
            Formula(Symbol("W", 1), (("=", ELIDED),)),
            Formula(Symbol("loss"), ()),
            Fold(
                ("Entry by entry ", Z1),
                (
                    Paragraph(("Folded ", Literal("0.7531")), "note"),
                    *(Formula(Symbol("n"), (("=", tree),)) for tree in EXPRESSIONS.values()),
                    Formula(Symbol("n"), (("=", Literal("____")),)),
                ),
            ),
            Code(CODE),
            Heading(2, ("Before and after",), "changes"),
            Table(
                (("Parameter",), ("Before | after",), ("Of ", W1)),
                (
                    ((Symbol("W", 1, (0, 0)),), (Literal("-0.1357"),), ("a | b_c",)),
                    ((Symbol("W", 1, (0, 1)),), (Literal("0.2468"),), (HOSTILE,)),
                ),
                "lrc",
                ("Parameters & ", W1),
            ),
            Paragraph(
                ("The step lowered the loss from ", Literal("0.4794"), " to ", Literal("0.4421")),
                "observation",
            ),
        ),
        notation or Notation(),
        contents,
    )


def literals(held: Any) -> Iterator[str]:
    """The text of every number that the document shows, as often as it shows it."""
    if isinstance(held, Literal):
        yield held.text
    for part in _parts(held):
        yield from literals(part)


def labels(held: Any) -> Iterator[str]:
    """The label of every brace."""
    if isinstance(held, Factor):
        yield held.label
    for part in _parts(held):
        yield from labels(part)


def _parts(held: Any) -> Iterator[Any]:
    if isinstance(held, tuple):
        yield from held
    elif not isinstance(held, str | int | float | bool | None | Notation):
        yield from (getattr(held, name) for name in held.__slots__)
