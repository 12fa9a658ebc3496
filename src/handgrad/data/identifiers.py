"""Which columns name the rows instead of saying something about them, and which hold sentences."""

from __future__ import annotations

import re

import numpy as np
import pyarrow.compute as pc

from handgrad.data.words import Floats, Words, bools

_ROW_NUMBERS = {"id", "index", "row", "rownames", "row_number", "rowid", "unnamed: 0", "column 1"}
_NAMES = re.compile(
    r"(?:^|[^a-z])(?:id|ids|uid|uuid|guid|pk|key|idx|index|row|rownum|record|serial|no|nr|num|number|code|account|"
    r"customer|client|user|member|patient|student|employee|order|invoice|ticket|transaction|passport|phone|"
    r"isbn|ean|sku|ssn|imei)(?:$|[^a-z])"
)
_TOKENS = (
    r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$",  # UUID
    r"^[0-9a-fA-F]{16,}$",
    r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    r"^(?:https?|ftp)://\S+$",
)
_MANY = 20
_NEVER = 0.8
"""Part of the rows with a text of their own above which texts name the rows: below it most categories come again."""
_LARGEST = 1e18  # of a number that names something
_WORDS_OF_A_SENTENCE = 3


def of_numbers(name: str, values: Floats) -> str:
    """Why whole numbers name the rows; empty where they do not."""
    present = values[~np.isnan(values)]
    if present.size <= 2 or np.abs(present).max() > _LARGEST or not np.all(present == np.floor(present)):
        return ""
    if present.size == values.size and bool(np.all(np.diff(present) == 1)):
        years = present[0] >= 1500 and present[-1] <= 2200
        if present[0] in (0, 1) or (present.size >= _MANY and not years):
            return "counts the rows"
    called = name.strip().lower()
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip()).lower()
    named = called in _ROW_NUMBERS or (present.size >= 5 and _NAMES.search(apart) is not None)
    return "names the rows (never repeats)" if named and np.unique(present).size == present.size else ""


def mostly_different(text: Words) -> bool:
    """True where more than half the rows have a text of their own, and there are many."""
    return len(text.values) > _MANY and len(text.values) > text.present / 2


def of_words(name: str, text: Words) -> tuple[str, str]:
    """(categorical, identifier or text; why it is no category)."""
    distinct, present = len(text.values), text.present
    unique = distinct == present
    count = f"{distinct} different texts in {present} rows"
    if unique and present >= 5 and (_tokens(text) or (_single(text) and _named(name))):
        return "identifier", f"{count} name the rows"
    words = _words_a_cell(text)
    sentences = words >= _WORDS_OF_A_SENTENCE or float(pc.mean(pc.utf8_length(text.values)).as_py()) > 40
    if mostly_different(text) and sentences:
        return "text", f"{count} are free text"
    if distinct > max(_MANY, _NEVER * present):
        return "identifier", f"{count} name the rows"
    if (unique and present >= 5 and words >= 4) or (distinct > _MANY and words >= 8):
        return "text", f"{count} are free text"
    return "categorical", ""


def _named(name: str) -> bool:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip()).lower()
    return apart in _ROW_NUMBERS or _NAMES.search(apart) is not None


def _single(text: Words) -> bool:
    return not bools(pc.match_substring_regex(text.values, pattern=r"\s")).any()


def _tokens(text: Words) -> bool:
    """True for UUIDs, addresses, and codes that all have letters and digits in the same places."""
    if any(bools(pc.match_substring_regex(text.values, pattern=token)).all() for token in _TOKENS):
        return True
    if not _single(text) or not bools(pc.match_substring_regex(text.values, pattern=r"\d")).all():
        return False
    shape = pc.replace_substring_regex(text.values, pattern=r"\d+", replacement="9")
    return len(pc.unique(pc.replace_substring_regex(shape, pattern=r"\pL", replacement="a"))) == 1


def _words_a_cell(text: Words) -> float:
    return float(pc.mean(pc.count_substring_regex(text.values, pattern=r"\S+")).as_py())
