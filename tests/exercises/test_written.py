"""Numbers as students write them: each is read, or named."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad.exercises.written import read_number

READ = {
    "0.4790": (0.479, 4),
    " 0.5\n": (0.5, 1),
    "0,4790": (0.479, 4),
    "-0,25": (-0.25, 2),
    "−0.25": (-0.25, 2),
    "- 0.25": (-0.25, 2),
    ".5": (0.5, 1),
    "5.": (5.0, 0),
    "+3": (3.0, 0),
    "০.৪৭৯০": (0.479, 4),
    "−০,২৫": (-0.25, 2),
    "०.५": (0.5, 1),
    "٠٫٥": (0.5, 1),
    "０．５": (0.5, 1),
    "1/3": (1 / 3, None),
    "-১/৪": (-0.25, None),
    "½": (0.5, None),
    "1½": (1.5, None),
    "-1 1/2": (-1.5, None),
    "1e-3": (0.001, 3),
    "2.5E-1": (0.25, 2),
    "2*10^-3": (0.002, 3),
    "2 × 10⁻³": (0.002, 3),
    "1,5·10^{-2}": (0.015, 3),
    "10^-2": (0.01, 2),
    "62 %": (0.62, 2),
    "62,5%": (0.625, 3),
    "0.5 V": (0.5, 1),
    "0,5 units": (0.5, 1),
    "$0.5$": (0.5, 1),
    "z1 = 0.5": (0.5, 1),
    "≈ 0.5": (0.5, 1),
    "(0.5)": (0.5, 1),
    "1.234,5": (1234.5, 1),
    "1,234.5": (1234.5, 1),
    "1,234,567": (1234567.0, 0),
}
NAMED = {
    "": "blank",
    "  ": "blank",
    "____": "blank",
    "—": "blank",
    "?": "not-a-number",
    "abc": "not-a-number",
    "inf": "not-a-number",
    "nan": "not-a-number",
    "1/0": "not-a-number",
    "0x10": "not-a-number",
    "1_000": "not-a-number",
    "0.5?": "not-a-number",
    "1/2/3": "not-a-number",
    "0.5e": "not-a-number",
    "\x00": "not-a-number",
    "=cmd|' /C calc'!A0": "not-a-number",
    "1.2.3": "several",
    "0.5 or 0.6": "several",
    "0.5; 0.6": "several",
    "1e400": "too-large",
    "1e99999999999999999999": "too-large",
    "9" * 100: "too-large",
    "9" * 100_000: "too-long",
}


@pytest.mark.parametrize("text", READ)
def test_a_number_is_read(text: str) -> None:
    found = read_number(text)
    assert found.problem == ""
    assert (found.value, found.decimals) == READ[text]


@pytest.mark.parametrize("text", NAMED, ids=lambda text: repr(text[:20]))
def test_what_is_no_number_is_named(text: str) -> None:
    found = read_number(text)
    assert found.value is None
    assert found.problem == NAMED[text]


@given(st.text(max_size=60))
def test_whatever_stands_there_is_a_number_or_named(text: str) -> None:
    found = read_number(text)
    assert (found.value is None) == bool(found.problem)
    assert found.value is None or math.isfinite(found.value)


@given(st.floats(-1e6, 1e6), st.integers(0, 8), st.sampled_from(".,"))
def test_what_was_written_with_decimals_is_read_back(value: float, digits: int, mark: str) -> None:
    text = f"{value:.{digits}f}"
    found = read_number(text.replace(".", mark))
    assert found.value == float(text)
    assert found.decimals == digits


def test_what_was_done_to_a_number_is_said() -> None:
    assert read_number("০,৫ V")[2:] == (("digits", "comma", "unit"), "", "V")
    assert read_number("12 %").notes == ("percent",)
