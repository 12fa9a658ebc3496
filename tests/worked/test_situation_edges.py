"""How far each situation of the bank reaches: a step just within it, and one just beyond, or in another setting."""

from __future__ import annotations

import pytest
from tests.worked import situation_edges, step_edges
from tests.worked.situation_edges import Case
from tests.worked.test_situations import found, line

from handgrad.worked.situations.bank import ORDER, SITUATIONS
from handgrad.worked.situations.batch import BATCH
from handgrad.worked.situations.motion import MOTION
from handgrad.worked.situations.units import UNITS

EDGES = situation_edges.EDGES | step_edges.EDGES


def without_nothing(case: Case) -> Case:
    return {key: value for key, value in case.items() if value is not None}


@pytest.mark.parametrize(
    ("key", "place"), [(key, place) for key, (there, _) in EDGES.items() for place in range(len(there))]
)
def test_a_situation_reaches_as_far(key: str, place: int, monkeypatch: pytest.MonkeyPatch):
    assert key in found(without_nothing(EDGES[key][0][place]), monkeypatch)


@pytest.mark.parametrize(
    ("key", "place"),
    [(key, place) for key, (_, not_there) in EDGES.items() for place in range(len(not_there))],
)
def test_a_situation_reaches_no_further(key: str, place: int, monkeypatch: pytest.MonkeyPatch):
    assert key not in found(without_nothing(EDGES[key][1][place]), monkeypatch)


def test_every_row_of_the_bank_has_its_place_in_the_order():
    rows = [situation.key for situation in (*UNITS, *BATCH, *MOTION)]
    assert len(set(rows)) == len(rows) == len(ORDER)
    assert set(rows) == set(ORDER) == set(EDGES)
    assert [situation.key for situation in SITUATIONS] == list(ORDER)


@pytest.mark.parametrize(("other", "seen"), [(35, True), (36, False)])
def test_500_pairs_of_samples_are_compared(other: int, seen: bool, monkeypatch: pytest.MonkeyPatch):
    """Of 40 samples the first 15 have 480 pairs; the 20th of the next one is the last that is looked at."""
    x = [[float(i)] for i in range(40)]
    x[other] = x[15]
    y = [[float(i == 15)] for i in range(40)]
    case = line([1.0], [tuple(row) for row in x], [tuple(row) for row in y])
    assert ("contradiction" in found(case, monkeypatch)) is seen
