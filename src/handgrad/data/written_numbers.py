"""Numbers as people write them: marks of decimals and thousands, currencies, percent, signs before and after.

The texts of a column are judged together: "1,941" alone may be 1.941 or 1941, "0,941" beside it decides.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from handgrad.data.words import Bools, Floats, bools

PLAIN = r"^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[iI]nf(inity)?)$"

_MONEY = (
    r"(?:US\$|R\$|A\$|C\$|NZ\$|HK\$|S\$|[$\x{20ac}\x{a3}\x{a5}\x{20b9}\x{20bd}\x{20a9}\x{20ba}\x{20ab}\x{0e3f}"
    r"\x{09f3}\x{20aa}\x{a2}]|USD|EUR|GBP|CHF|JPY|INR|BDT|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|CNY|RMB|BRL|MXN|"
    r"ZAR|Fr\.|kr\.?|Rs\.?|Tk\.?|z\x{142})"
)
_EDITS = (
    (r"[\x{2212}\x{2013}\x{fe63}\x{ff0d}]", "-"),  # minus signs of typography
    (r"[\x{a0}\x{202f}\x{2009}\x{2007}]", " "),  # spaces that hold numbers together
    (r"[\x{2019}\x{60}\x{b4}]", "'"),
    (r"^\((.+)\)$", r"-\1"),  # as accountants write it
    (rf"^([+-]?)\s*(?i:{_MONEY})\s*([+-]?)", r"\1\2"),
    (rf"\s*(?i:{_MONEY})$", ""),
    (r"\s*[%\x{2030}]$", ""),
    (r"^(.*[0-9])\s*-$", r"-\1"),  # 12-, as some programs print it
    (r"^([+-])\s+", r"\1"),
)
_PERCENT = r"[%\x{2030}]\s*\)?$"


class Marks(NamedTuple):
    """The decimal mark and the mark between thousands ("" for none)."""

    decimal: str = "."
    thousands: str = ""

    @property
    def plain(self) -> bool:
        """True for numbers as programs write them."""
        return self == (".", "")


FORMS = {
    Marks(".", ""): PLAIN,
    Marks(",", ""): r"^[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?$",
    # groups of three, or as in India of two before the last three
    Marks(".", ","): r"^[+-]?(\d*|[1-9]\d{0,2}(,\d{3})+|[1-9]\d?(,\d{2})*,\d{3})(\.\d*)?$",
    Marks(",", "."): r"^[+-]?(\d*|[1-9]\d{0,2}(\.\d{3})+)(,\d*)?$",
    Marks(".", " "): r"^[+-]?(\d*|[1-9]\d{0,2}( \d{3})+)(\.\d*)?$",
    Marks(",", " "): r"^[+-]?(\d*|[1-9]\d{0,2}( \d{3})+)(,\d*)?$",
    Marks(".", "'"): r"^[+-]?(\d*|[1-9]\d{0,2}('\d{3})+)(\.\d*)?$",
    Marks(",", "'"): r"^[+-]?(\d*|[1-9]\d{0,2}('\d{3})+)(,\d*)?$",
}
"""How a whole column of numbers may be written, the likelier first where several fit."""

_ANY_DIGIT = r"\d"


class Numbers(NamedTuple):
    """What texts say as numbers."""

    values: Floats
    """(texts,) NaN where there is no number."""
    wrong: Bools
    """(texts,) True where a text is no number."""
    marks: Marks
    decided: bool
    """True where the texts leave no doubt about the decimal mark."""
    percent: bool = False
    money: bool = False


def parse(
    texts: pa.Array,
    counts: npt.NDArray[np.int64] | None = None,
    hint: str | None = None,
    given: Marks | None = None,
) -> Numbers:
    """Texts as float64. `hint` is the decimal mark where the texts leave it open, `given` the marks that hold.

    >>> parse(pa.array(["1.941,5", "12"])).values.tolist(), parse(pa.array(["$1,941", "(7)"])).values.tolist()
    ([1941.5, 12.0], [1941.0, -7.0])
    """
    plain = bools(pc.match_substring_regex(texts, pattern=PLAIN))
    weight = np.ones(len(texts), np.int64) if counts is None else counts
    present = bools(pc.is_valid(texts))
    if (given is None or given.plain) and hint != "," and bool(np.all(plain | ~present)):
        return Numbers(_cast(texts), np.zeros(len(texts), bool), Marks(), decided=_shows_decimals(texts))
    if not bools(pc.match_substring_regex(texts, pattern=_ANY_DIGIT)).any() and not plain.any():
        return Numbers(np.full(len(texts), np.nan), present, Marks(), decided=False)
    cleaned = texts
    for pattern, replacement in _EDITS:
        cleaned = pc.replace_substring_regex(cleaned, pattern=pattern, replacement=replacement)
    changed = ~plain & present
    percent = bool(bools(pc.match_substring_regex(texts, pattern=_PERCENT))[changed].any())
    money = bool(bools(pc.match_substring_regex(texts, pattern=f"(?i){_MONEY}"))[changed].any())
    has_digit = bools(pc.match_substring_regex(cleaned, pattern=_ANY_DIGIT))
    fits = {
        marks: bools(pc.match_substring_regex(cleaned, pattern=form)) & (has_digit | plain)
        for marks, form in FORMS.items()
        if given is None or marks == given
    }
    marks, decided = _decided(fits, weight, hint)
    good = fits[marks] | _infinite(cleaned)
    kept = pc.if_else(pa.array(good), cleaned, None)
    if marks.thousands:
        kept = pc.replace_substring(kept, pattern=marks.thousands, replacement="")
    if marks.decimal == ",":
        kept = pc.replace_substring(kept, pattern=",", replacement=".")
    return Numbers(_cast(kept), present & ~good, marks, decided, percent, money and bool(good.any()))


def _decided(fits: dict[Marks, Bools], weight: npt.NDArray[np.int64], hint: str | None) -> tuple[Marks, bool]:
    """The marks under which the most texts are numbers, and True where no other decimal mark does as well."""
    right = {marks: int(weight[fit].sum()) for marks, fit in fits.items()}
    most = max(right.values())
    best = [marks for marks, count in right.items() if count == most]
    decimals = {marks.decimal for marks in best}
    hinted = [marks for marks in best if marks.decimal == hint]
    # "1,941" is a number of thousands unless something speaks for the decimal comma
    by_custom = [marks for marks in best if marks.decimal == "."] or best
    return (hinted or by_custom)[0], len(decimals) == 1


def _infinite(texts: pa.Array) -> Bools:
    return bools(pc.match_substring_regex(texts, pattern=r"^[+-]?[iI]nf(inity)?$"))


def _shows_decimals(texts: pa.Array) -> bool:
    """True where a point cannot be one between thousands."""
    return bool(
        bools(pc.match_substring_regex(texts, pattern=r"^[+-]?0*\.|\.(\d{0,2}|\d{4,})$|^\d{4,}\.")).any()
    )


def _cast(texts: pa.Array) -> Floats:
    # Arrow's own parser refuses nothing that the patterns let through, and rounds correctly
    unsigned = pc.replace_substring_regex(texts, pattern=r"^\+", replacement="")
    return np.asarray(unsigned.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
