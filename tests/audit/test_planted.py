"""A small share of `make planted`, with fixed seeds: planted slips are found and named, right sheets are left alone."""

from __future__ import annotations

import pytest

from tests.audit.measure import false_alarms, planted

CODES = (
    "updated-weights",
    "derivative-forgotten",
    "bias-forgotten",
    "log10",
    "half-missing",
    "entries-swapped",
)


def test_right_sheets_raise_no_alarm() -> None:
    assert false_alarms(10, seed=4) == (10, [])


@pytest.mark.parametrize("code", CODES)
def test_a_planted_slip_is_found(code: str) -> None:
    [(count, _)] = planted(code, 1, seed=5)
    assert count["planted"] == count["root"] == 1
    assert count["wrong"] == 0
    assert count["right"] == count["long"]
