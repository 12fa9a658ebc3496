"""A number as somebody writes it: with a comma, with a unit, as a fraction, in other digits, or not at all."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import NamedTuple

LONGEST = 200
"""Characters of an answer that are looked at."""
_LARGEST_EXPONENT = 400
_MOST_DIGITS = 60

_MINUS = dict.fromkeys(map(ord, "\u2212\u2013\u2014\u2010\u2011\ufe63\uff0d"), "-")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SPACES = re.compile(r"\s+")
_EQUALS = re.compile(r"^.*?[=≈≃:]\s*(?=[^=≈≃:]*$)")
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
_PLAIN = re.compile(rf"({_NUMBER})(?:e([+-]?\d+))?", re.IGNORECASE)
_POWER = re.compile(rf"({_NUMBER})\s*[x×*·⋅.]\s*10\s*(?:\^|\*\*)\s*[({{]?\s*([+-]?\d+)\s*[)}}]?")
_BARE_POWER = re.compile(r"([+-]?)10\s*(?:\^|\*\*)\s*[({]?\s*([+-]?\d+)\s*[)}]?")
_FRACTION = re.compile(rf"({_NUMBER})\s*/\s*({_NUMBER})")
_MIXED = re.compile(r"([+-]?)(\d+)\s+(\d+)\s*/\s*(\d+)")
_UNIT = re.compile(r"^(.*?\d[\s)}]*?)\s*(%|[^\W\d_][^\d]*|°.*|[$€£₹৳].*)$")
_CURRENCY = re.compile(r"^[$€£₹৳]\s*")
_NO_UNITS = ("e", "or", "oder", "to", "x")
_THOUSANDS = re.compile(r"^[+-]?\d{1,3}([,' ]\d{3})+(\.\d+)?$")


class Written(NamedTuple):
    """What an answer says: its number (None where there is none), its decimals (None: a fraction), what was done to it.

    `problem`: blank, not-a-number, several, too-large, too-long; '' where there is a number. `notes`: comma, digits,
    fraction, power, percent, unit, thousands; `unit` is the word that was left out.
    """

    value: float | None
    decimals: int | None = 0
    notes: tuple[str, ...] = ()
    problem: str = ""
    unit: str = ""


def read_number(text: str) -> Written:
    """The number that an answer says.

    >>> read_number("0,4790"), read_number("-1/4").value, read_number("1e-3").value
    (Written(value=0.479, decimals=4, notes=('comma',), problem='', unit=''), -0.25, 0.001)
    >>> read_number("০.৫").value, read_number("?").problem, read_number(" __ ").problem
    (0.5, 'not-a-number', 'blank')
    """
    if not text.strip(" \t\r\n\u00a0_.…-–—"):
        return Written(None, None, problem="blank")
    if len(text) > LONGEST:
        return Written(None, None, problem="too-long")
    plain, notes = _latin(text)
    body = _EQUALS.sub("", plain).strip().strip("()[]{}$").strip()  # z = 0.5
    if body in ("", "-"):
        return Written(None, None, notes, "blank")
    found = _value(body, notes)
    return _without_unit(body, notes, found) if found.problem == "not-a-number" else found


def _without_unit(body: str, notes: tuple[str, ...], found: Written) -> Written:
    """The number before a unit, a percent sign or behind a currency; `found` where there is none."""
    without = _CURRENCY.sub("", body)
    if without != body and (money := _value(without, (*notes, "unit"))).value is not None:
        return money
    unit = _UNIT.match(without)
    inner = found if unit is None else _value(unit[1].strip().strip("()[]{}").strip(), notes)
    if unit is None or inner.value is None:
        return inner if inner.problem == "too-large" else found
    name = unit[2].strip()
    if name.startswith("%"):
        decimals = None if inner.decimals is None else inner.decimals + 2
        return inner._replace(value=inner.value / 100, decimals=decimals, notes=(*inner.notes, "percent"))
    if name.lower() in _NO_UNITS or any(sign in name for sign in "=<>?!"):
        return found
    return inner._replace(notes=(*inner.notes, "unit"), unit=name[:20])


def _latin(text: str) -> tuple[str, tuple[str, ...]]:
    """The text in ASCII digits and signs, and what was changed for it."""
    notes: list[str] = []
    halves = "".join(_vulgar(sign) for sign in text.translate(_MINUS))
    lifted = re.sub(r"10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+)", lambda found: f"10^{found[1].translate(_RAISED)}", halves)
    signs = []
    for sign in unicodedata.normalize("NFKC", lifted).translate(_MINUS):
        digit = unicodedata.decimal(sign, None)
        if digit is not None and not sign.isascii():
            notes.append("digits")
        signs.append(sign if digit is None else str(digit))
    plain = "".join(signs).replace("\u2044", "/").replace("\u066b", ".").replace("\u200c", "")
    return _SPACES.sub(" ", plain).strip(), tuple(dict.fromkeys(notes))


def _vulgar(sign: str) -> str:
    """½ with a space before it, so that 1½ is a whole number and a fraction; other signs as they are."""
    return f" {sign}" if unicodedata.decomposition(sign).startswith("<fraction>") else sign


def _value(body: str, notes: tuple[str, ...]) -> Written:
    if _THOUSANDS.fullmatch(body) and (body.count(",") > 1 or ("." in body and "," in body) or "'" in body):
        body, notes = re.sub(r"[,' ]", "", body), (*notes, "thousands")
    if "," in body:
        if "." in body and body.rfind(",") > body.rfind("."):  # 1.234,5
            body, notes = body.replace(".", ""), (*notes, "thousands")
        if body.count(",") == 1 and re.search(r"\d?,\d", body) and "." not in body:
            body, notes = body.replace(",", "."), (*notes, "comma")
    body = re.sub(r"^([+-])\s+", r"\1", body)
    for rule, form in ((_plain_number, _PLAIN), (_power, _POWER), (_bare, _BARE_POWER)):
        found = form.fullmatch(body)
        if found is not None:
            return rule(found, notes)
    for ratio, form in ((_mixed, _MIXED), (_fraction, _FRACTION)):
        found = form.fullmatch(body)
        if found is not None:
            return ratio(found, notes)
    several = len(re.findall(_NUMBER, body)) > 1 and re.fullmatch(r"[\s\d.,;+eE-]+|.*\bor\b.*", body)
    return Written(None, None, notes, "several" if several else "not-a-number")


def _plain_number(found: re.Match[str], notes: tuple[str, ...]) -> Written:
    return _scaled(found[1], int(found[2] or 0) if _short(found[2]) else None, notes)


def _power(found: re.Match[str], notes: tuple[str, ...]) -> Written:
    return _scaled(found[1], int(found[2]) if _short(found[2]) else None, (*notes, "power"))


def _bare(found: re.Match[str], notes: tuple[str, ...]) -> Written:
    return _scaled(f"{found[1]}1", int(found[2]) if _short(found[2]) else None, (*notes, "power"))


def _short(exponent: str | None) -> bool:
    return exponent is None or len(exponent) < 8


def _scaled(digits: str, exponent: int | None, notes: tuple[str, ...]) -> Written:
    """digits times ten to the exponent; its decimals are those that are written, moved by the exponent."""
    if exponent is None or abs(exponent) > _LARGEST_EXPONENT or len(digits) > _MOST_DIGITS:
        return Written(None, None, notes, "too-large")
    try:
        value = float(Decimal(digits).scaleb(exponent))
    except (InvalidOperation, OverflowError):
        return Written(None, None, notes, "not-a-number")
    if not math.isfinite(value):
        return Written(None, None, notes, "too-large")
    decimals = len(digits.partition(".")[2]) - exponent
    return Written(value, max(0, decimals), notes)


def _fraction(found: re.Match[str], notes: tuple[str, ...]) -> Written:
    if len(found[1]) + len(found[2]) > _MOST_DIGITS:
        return Written(None, None, notes, "too-large")
    return _ratio(Fraction(found[1]), Fraction(found[2]), notes)


def _mixed(found: re.Match[str], notes: tuple[str, ...]) -> Written:
    if len(found[0]) > _MOST_DIGITS:
        return Written(None, None, notes, "too-large")
    part = Fraction(int(found[3])) + Fraction(int(found[2])) * int(found[4])
    return _ratio(-part if found[1] == "-" else part, Fraction(int(found[4])), notes)


def _ratio(top: Fraction, bottom: Fraction, notes: tuple[str, ...]) -> Written:
    if bottom == 0:
        return Written(None, None, notes, "not-a-number")
    return Written(float(top / bottom), None, (*notes, "fraction"))
