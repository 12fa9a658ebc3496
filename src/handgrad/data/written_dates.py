"""Dates and times as people write them: each form is a row of a table, the order of day and month is evidence.

Texts become days since 1970-01-01 (UTC where they name a zone), times of the day parts of a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from handgrad.data.words import Bools, Floats, bools

_TIME = (
    r"(?P<hour>\d{1,2})[:h](?P<minute>\d{2})(?::(?P<second>\d{2}(?:[.,]\d{1,9})?))?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?"
)
_ZONE = r"(?:\s?(?P<zone>[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?"
_CLOCK = rf"(?:(?:[Tt]|,?\s+|,){_TIME}{_ZONE})?$"
_WEEKDAY = r"^(?:\pL{2,10}\.?,?\s+)?"
_MONTH = r"(?P<name>[\pL\pM]{2,14})\.?"  # vowel signs of Bengali are marks
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"


class Form(NamedTuple):
    """One way of writing a date: a mark that every such text holds, and its fields."""

    mark: str
    pattern: str


COMPACT = (
    r"^(?P<year>(?:18|19|20|21)\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])"
    r"(?:[Tt_ ]?(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)[Zz]?)?$"
)
"""Digits alone: a column of them is dates only if every one of them is."""

FORMS = (
    Form(r"^\d{4}-\d\d?-", r"^(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})" + _CLOCK),
    Form(r"^\d{4}/\d\d?/", r"^(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})" + _CLOCK),
    Form(r"^\d{4}\.\d\d?\.", r"^(?P<year>\d{4})\.(?P<month>\d{1,2})\.(?P<day>\d{1,2})" + _CLOCK),
    Form(r"^\d\d?/\d\d?/", r"^(?P<one>\d{1,2})/(?P<two>\d{1,2})/(?P<year>\d{4}|\d{2})" + _CLOCK),
    Form(r"^\d\d?\.\s?\d\d?\.", r"^(?P<one>\d{1,2})\.\s?(?P<two>\d{1,2})\.\s?(?P<year>\d{4}|\d{2})" + _CLOCK),
    Form(r"^\d\d?-\d\d?-", r"^(?P<one>\d{1,2})-(?P<two>\d{1,2})-(?P<year>\d{4}|\d{2})" + _CLOCK),
    Form(
        r"\d[a-z.]*[ \-/][^ ]",
        _WEEKDAY
        + _DAY
        + r"(?:\s+(?:of\s+|de\s+)?|-|/)"
        + _MONTH
        + r"(?:,?\s+(?:de\s+)?|-|/)(?P<year>\d{4}|\d{2})"
        + _CLOCK,
    ),
    Form(r"[^\d\s] +\d", _WEEKDAY + _MONTH + r"\s+" + _DAY + r",?\s+(?P<year>\d{4})" + _CLOCK),
    Form(r"^\d{4}[- ]\D", r"^(?P<year>\d{4})[- ]" + _MONTH + r"[- ]" + _DAY + _CLOCK),
    Form(r"^\D+\d{4}$", r"^" + _MONTH + r"[-/ ,]\s?(?P<year>\d{4})$"),
    Form(r"^\d{4}-\d\d$", r"^(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])$"),
    Form(r"^\d\d/\d{4}$", r"^(?P<month>0[1-9]|1[0-2])/(?P<year>\d{4})$"),
    Form(r"Q[1-4]$", r"^(?P<year>\d{4})[- ]?Q(?P<quarter>[1-4])$"),
    Form(r"^Q[1-4]", r"^Q(?P<quarter>[1-4])[- /]?(?P<year>\d{4})$"),
    Form(r"^\d{8}", COMPACT),
    Form(r"^\d\d?[:h]\d\d", r"^" + _TIME + r"$"),
)

_SLASHES = "/(?P<two>"
_LANGUAGES = (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "jän feb mär apr mai jun jul aug sept okt nov dez",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "janv févr mars avr mai juin juil août sept oct nov déc",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "ene feb mar abr may jun jul ago set oct nov dic",
    "জানুয়ারি ফেব্রুয়ারি মার্চ এপ্রিল মে জুন জুলাই আগস্ট সেপ্টেম্বর অক্টোবর নভেম্বর ডিসেম্বর",
)
MONTHS = {name: month for names in _LANGUAGES for month, name in enumerate(names.split(), 1)}


@dataclass(frozen=True)
class Dates:
    """What texts say as dates."""

    values: Floats
    """(texts,) days since 1970-01-01, NaN where there is no date."""
    wrong: Bools
    """(texts,) True where a text is no date."""
    order: str = ""
    """day-first or month-first where the texts have both before the year."""
    decided: bool = True
    """False where all of them could be read in both orders."""
    time: bool = False
    """True where some have a time of the day."""
    clock: bool = False
    """True where all of them are times of the day alone."""
    short_years: bool = False
    """True where years have two digits."""


class _Read(NamedTuple):
    """The fields of the texts of one form, (texts,) each, NaN where the form has no such field."""

    fields: dict[str, npt.NDArray[np.float64]]
    rows: Bools


def parse(
    texts: pa.Array,
    counts: npt.NDArray[np.int64] | None = None,
    order: str | None = None,
    prefer: str = "",
    slashes: str = "month-first",
) -> Dates:
    """Texts as days; the order of day and month is `order`, or what the texts speak for.

    Where they speak for neither it is `prefer`, or what is the custom: 1.2.2010 and 1-2-2010 begin with the
    day, 1/2/2010 is `slashes`.

    >>> dates = parse(pa.array(["01/13/2010", "02/01/2010"]))
    >>> dates.order, dates.decided, dates.values.tolist()
    ('month-first', True, [14622.0, 14641.0])
    """
    weight = np.ones(len(texts), np.int64) if counts is None else counts
    present = bools(pc.is_valid(texts))
    values, left = np.full(len(texts), np.nan), present.copy()
    found, decided, times, clocks, short = "", True, False, present.any(), False
    left &= bools(pc.match_substring_regex(texts, pattern=r"\d.*\d"))
    for form in FORMS:
        if not left.any():
            break
        if not (bools(pc.match_substring_regex(texts, pattern=form.mark)) & left).any():
            continue  # the pattern itself is dear
        fields, rows = _fields(texts, form.pattern, left)
        if not rows.any():
            continue
        left &= ~rows
        if "one" in fields:
            usual = slashes if _SLASHES in form.pattern else "day-first"
            chosen, sure = (order, True) if order else _order(fields, rows, weight, prefer or usual)
            found, decided = found or chosen, decided and sure
            day, month = ("one", "two") if chosen == "day-first" else ("two", "one")
            fields |= {"day": fields[day], "month": fields[month]}
        values[rows] = _days(fields)[rows]
        times |= bool(np.nansum(fields.get("hour", np.zeros(1))) > 0)
        clocks &= "year" not in fields
        short |= "year" in fields and bool((fields["year"][rows] < 100).any())
    wrong = present & np.isnan(values)
    return Dates(values, wrong, found, decided, bool(times), bool(clocks) and not wrong.all(), bool(short))


def _fields(texts: pa.Array, form: str, left: Bools) -> _Read:
    """The numbers that a form finds in the texts that are `left`."""
    candidates = pc.if_else(pa.array(left), texts, None)
    parts = pc.extract_regex(candidates, pattern=form)
    rows = bools(pc.is_valid(parts))
    if not rows.any():
        return _Read({}, rows)
    fields: dict[str, npt.NDArray[np.float64]] = {}
    for name in [field.name for field in parts.type]:
        part = pc.struct_field(parts, name)
        if name == "name":
            names = pa.array(MONTHS)
            months = np.append(np.array(list(MONTHS.values()), float), np.nan)
            place = pc.fill_null(
                pc.index_in(pc.utf8_lower(pc.utf8_normalize(part, form="NFC")), value_set=names), len(MONTHS)
            )
            fields["month"] = months[np.asarray(place)]
            rows &= ~np.isnan(fields["month"])
        elif name == "half":
            half = pc.utf8_lower(part)
            fields["half"] = np.where(
                bools(pc.equal(half, "p")), 12.0, np.where(bools(pc.equal(half, "a")), 0.0, np.nan)
            )
        elif name == "zone":
            fields["zone"] = _offsets(part)
        else:
            fields[name] = _whole(pc.replace_substring(part, pattern=",", replacement="."))
    return _Read(fields, rows)


def _whole(part: pa.Array) -> Floats:
    kept = pc.if_else(pc.equal(part, ""), None, part)
    return np.asarray(kept.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _offsets(zone: pa.Array) -> Floats:
    """Hours before UTC of each zone; 0 where none is named."""
    parts = pc.extract_regex(zone, pattern=r"^(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})?$")
    hours, minutes = (_whole(pc.struct_field(parts, name)) for name in ("hours", "minutes"))
    sign = np.where(bools(pc.equal(pc.struct_field(parts, "sign"), "-")), -1.0, 1.0)
    return sign * (np.nan_to_num(hours) + np.nan_to_num(minutes) / 60)


def _days(fields: dict[str, npt.NDArray[np.float64]]) -> Floats:
    """Days since 1970-01-01 of year, month, day, hour, ...; NaN where there is no such day or time."""
    size = len(next(iter(fields.values())))
    clock = _clock(fields, size)
    if "year" not in fields:
        return clock
    year = fields["year"]
    year = np.where(year < 69, year + 2000, np.where(year < 100, year + 1900, year))  # as POSIX has it
    month = fields.get("month", 3 * fields.get("quarter", np.full(size, 1 / 3)) - 2)
    day = fields.get("day", np.ones(size))
    good = (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1)
    months = (np.where(good, (year - 1970) * 12 + month - 1, 0)).astype(np.int64).astype("M8[M]")
    first = months.astype("M8[D]").astype(np.int64)
    good &= day <= (months + 1).astype("M8[D]").astype(np.int64) - first
    return np.where(good, first + day - 1, np.nan) + clock


def _clock(fields: dict[str, npt.NDArray[np.float64]], size: int) -> Floats:
    """The time as a part of the day, 0 where none is given, NaN where there is no such time."""
    if "hour" not in fields:
        return np.zeros(size)
    hour, minute = np.nan_to_num(fields["hour"]), np.nan_to_num(fields["minute"])
    second = np.nan_to_num(fields["second"])
    half = fields.get("half", np.full(size, np.nan))
    twelve = ~np.isnan(half)
    good = (minute < 60) & (second < 61) & np.where(twelve, (hour >= 1) & (hour <= 12), hour <= 24)
    good &= (hour < 24) | ((minute == 0) & (second == 0))
    hour = np.where(twelve, hour % 12 + np.nan_to_num(half), hour)
    seconds = 3600 * (hour - fields.get("zone", np.zeros(size))) + 60 * minute + second
    return np.where(good, seconds / 86_400, np.nan)


def _order(
    fields: dict[str, npt.NDArray[np.float64]], rows: Bools, weight: npt.NDArray[np.int64], custom: str
) -> tuple[str, bool]:
    """(order, True where the texts leave no doubt): by impossible months, then by even steps, then by custom."""
    one, two, weight = fields["one"][rows], fields["two"][rows], weight[rows]
    against_day_first, against_month_first = int(weight[two > 12].sum()), int(weight[one > 12].sum())
    if against_day_first != against_month_first:
        return ("month-first" if against_day_first > against_month_first else "day-first"), True
    steps = [
        _step({name: values[rows] for name, values in fields.items()}, day, month)
        for day, month in (("one", "two"), ("two", "one"))
    ]
    if min(steps) * 4 < max(steps):
        return ("day-first" if steps[0] < steps[1] else "month-first"), True
    same = bool((one == two).all())  # then it makes no difference
    return custom, same


def _step(fields: dict[str, npt.NDArray[np.float64]], day: str, month: str) -> float:
    """The median distance of neighbours, infinite for fewer than five: who writes a diary writes day after day."""
    values = _days({**fields, "day": fields[day], "month": fields[month]})
    values = values[~np.isnan(values)]
    return float(np.median(np.abs(np.diff(values)))) if values.size >= 5 else float("inf")
