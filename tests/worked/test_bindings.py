"""Letters: their names, and the part of a quantity that an entry, a sample or an index means."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from handgrad.errors import VerificationError
from handgrad.worked.bindings import Bindings, array_of, bind, is_placed, name_of, position, taken
from handgrad.worked.expressions import Expression, Gradient, Matrix, Number, Symbol

L, DATA, PENALTY = Symbol("loss"), Symbol("data_loss"), Symbol("penalty")
CLIPPED = Symbol("loss", mark="clipped")

NAMES: dict[str, Expression] = {
    "x": Symbol("x"),
    "W1": Symbol("W", 1, (0, 1)),
    "b2_new": Symbol("b", 2, mark="new"),
    "W1_v_max_old": Symbol("W", 1, mark="v_max", old=True),
    "delta3": Gradient(L, Symbol("z", 3)),
    "dW1": Gradient(L, Symbol("W", 1, (0, 1))),
    "dW1_data": Gradient(DATA, Symbol("W", 1)),
    "dW1_penalty": Gradient(PENALTY, Symbol("W", 1)),
    "db2_clipped": Gradient(CLIPPED, Symbol("b", 2)),
    "dyhat": Gradient(Symbol("loss", sample="i"), Symbol("yhat")),
    "da1": Gradient(L, Symbol("a", 1)),
    "df1": Gradient(L, Symbol("f", 1)),
    "derivative1": Gradient(Symbol("f", 1), Symbol("z", 1)),
    "derivative2": Gradient(Symbol("yhat"), Symbol("z", 2)),
    "dz2_da1": Gradient(Symbol("z", 2), Symbol("a", 1)),
    "dz2_dW2": Gradient(Symbol("z", 2), Symbol("W", 2)),
    "da1_dW1": Gradient(Symbol("a", 1), Symbol("W", 1)),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_letter_goes_by_its_public_name(name: str):
    assert name_of(NAMES[name]) == name


def test_what_is_no_letter_has_no_name():
    with pytest.raises(VerificationError, match="Number is no letter"):
        name_of(Number(1.0))


A = np.arange(12.0).reshape(3, 4)  # on paper: 3 units and 4 samples, or 3 samples of 4 units
V = np.array([[5.0], [6.0], [7.0]])


def part(symbol: Expression, array: np.ndarray, column: bool = True, **indices: list[int]) -> list:
    counted = {name: np.array(numbers) for name, numbers in indices.items()}
    return taken(array, symbol, counted, column).tolist()


def test_an_entry_and_a_sample_are_taken_where_they_stand_on_paper():
    for i, j in itertools.product(range(3), range(4)):
        assert part(Symbol("W", 1, (i, j)), A) == [[A[i, j]]]
        assert part(Symbol("a", 1, (i,), sample=j), A) == [[A[i, j]]]
        assert part(Symbol("a", 1, (j,), sample=i), A, column=False) == [[A[i, j]]]
    assert part(Symbol("a", 1, sample=2), A) == A[:, [2]].tolist()
    assert part(Symbol("a", 1, sample=2), A, column=False) == A[[2]].tolist()
    assert part(Symbol("b", 1, (2,)), V) == [[7.0]]
    assert part(Symbol("b", 1, (2,)), V.T, column=False) == [[7.0]]
    assert part(Symbol("a", 1), A) == A.tolist()
    assert part(Gradient(L, Symbol("W", 1, (2, 3))), A) == [[11.0]]


def test_an_index_counts_from_1_along_an_axis_in_front():
    assert part(Symbol("b", 1, ("k",)), V, k=[1, 3]) == [[[5.0]], [[7.0]]]
    assert part(Symbol("W", 1, ("j", "k")), A, j=[[1], [3]], k=[[2, 4]]) == [
        [[[1.0]], [[3.0]]],
        [[[9.0]], [[11.0]]],
    ]
    assert part(Symbol("a", 1, sample="i"), A, i=[1, 4]) == [A[:, [0]].tolist(), A[:, [3]].tolist()]
    assert part(Symbol("a", 1, sample="i"), A, column=False, i=[2]) == [A[[1]].tolist()]


OUTSIDE: list[tuple[Expression, dict[str, list[int]], str]] = [
    (Symbol("W", 1, (3, 0)), {}, "lies outside its 3 x 4"),
    (Symbol("W", 1, (0, 4)), {}, "lies outside its 3 x 4"),
    (Symbol("W", 1, (-1, 0)), {}, "lies outside its 3 x 4"),
    (Symbol("W", 1, (0, -1)), {}, "lies outside its 3 x 4"),
    (Symbol("a", 1, ("k",), sample=0), {"k": [4]}, "lies outside its 3 x 4"),
    (Symbol("a", 1, ("k",), sample=0), {"k": [0]}, "lies outside its 3 x 4"),
    (Symbol("a", 1, sample=4), {}, "lies outside its 3 x 4"),
    (Symbol("a", 1, (0,)), {}, "is one of 4 samples, and does not say which"),
    (Symbol("a", 1, ("k",), sample=0), {}, "the index k of .* stands for no number"),
]


@pytest.mark.parametrize(("symbol", "indices", "message"), OUTSIDE)
def test_an_entry_that_is_not_there_is_refused(symbol: Expression, indices: dict, message: str):
    with pytest.raises(VerificationError, match=message):
        part(symbol, A, **indices)


def test_the_last_entries_are_there():
    assert part(Symbol("W", 1, (2, 3)), A) == [[11.0]]
    assert part(Symbol("a", 1, ("k",), sample=3), A, k=[3]) == [[[11.0]]]


SYMBOLS = (
    Symbol("a", 1, (2,), sample=3),
    Symbol("a", 1, (2,)),
    Symbol("a", 1, sample=3),
    Symbol("a", 1),
    Symbol("W", 1, (1, 2)),
    Symbol("W", 1, (9, 0)),
    Symbol("W", 1, (0, 9)),
    Symbol("W", 1, (-1, 0)),
    Symbol("W", 1, (0, -1)),
    Symbol("W", 1, ("j", 0)),
    Symbol("W", 1, (0, "j")),
    Symbol("b", 1, (1,)),
    Symbol("b", 1, (3,)),
    Symbol("b", 1, (-1,)),
    Gradient(L, Symbol("W", 1, (1, 0))),
    Symbol("k", entry=(0,)),
    Symbol("q", entry=(0,)),
    Symbol("c", 1, (3,)),
    Symbol("c", 1, (1,), sample=0),
)


@pytest.mark.parametrize("column", [True, False])
@pytest.mark.parametrize("symbol", SYMBOLS, ids=str)
def test_a_number_looked_up_is_the_one_that_is_taken(symbol: Expression, column: bool):
    held = {
        "a1": Matrix(A),
        "W1": Matrix(A),
        "b1": Matrix(V if column else V.T),
        "c1": Matrix(V.T if column else V),
    }
    letters = Bindings(held | {"k": Number(1.0), "dW1": Matrix(A)}, column)
    number = letters.number(symbol)
    try:
        whole = letters.part(symbol, {})
    except VerificationError:
        whole = None
    indexed = any(isinstance(index, str) for index in position(symbol)[0])
    if not is_placed(symbol) or whole is None or indexed or name_of(symbol) == "k":
        assert number is None
    elif whole.size == 1:
        assert number == whole.item()
    else:
        assert number is None


def test_a_number_of_one_entry_of_a_vector_needs_no_sample():
    assert Bindings({"b1": Matrix(V)}).number(Symbol("b", 1, (2,))) == 7.0
    assert Bindings({"b1": Matrix(V.T)}, column=False).number(Symbol("b", 1, (2,))) == 7.0
    assert Bindings({"a1": Matrix(A)}).number(Symbol("a", 1, (2,), sample=3)) == 11.0
    assert Bindings({"a1": Matrix(A)}, column=False).number(Symbol("a", 1, (3,), sample=2)) == 11.0
    assert Bindings({"W1": Matrix(A)}).number(Symbol("W", 1, (0, 0))) == 0.0
    assert Bindings({"W1": Matrix(A)}).number(Symbol("W", 1, (2, 3))) == 11.0
    assert Bindings({"W1": Matrix(A)}).number(Number(1.0)) is None


@pytest.mark.parametrize(
    ("symbol", "placed"),
    [
        (Symbol("W", 1), False),
        (Symbol("W", 1, (0, 0)), True),
        (Symbol("a", 1, sample=0), True),
        (Symbol("loss", sample=0), False),  # the loss of a sample has a name of its own
        (Gradient(Symbol("loss", sample=0), Symbol("a", 1)), False),
        (Gradient(L, Symbol("a", 1, sample=0)), True),
        (Number(1.0), False),
    ],
)
def test_a_letter_is_placed_where_it_means_a_part(symbol: Expression, placed: bool):
    assert is_placed(symbol) is placed


def test_letters_of_a_step_are_a_mapping():
    letters = Bindings({"x": Number(2.0), "y": Number(3.0)})
    assert (list(letters), len(letters), letters["y"]) == (["x", "y"], 2, Number(3.0))
    assert letters.column
    assert array_of(Number(2.0)).tolist() == [[2.0]]


def test_a_letter_with_two_values_is_refused_with_both():
    held = {}
    bind(held, "W1", Matrix(A))
    bind(held, "W1", Matrix(A.copy()))
    bind(held, "nothing", Number(float("nan")))
    bind(held, "nothing", Number(float("nan")))  # a number that is none agrees with itself
    with pytest.raises(
        VerificationError, match=r"the letter W1 stands for a matrix of 3 x 4 and for 2\.5; give"
    ):
        bind(held, "W1", Number(2.5))
