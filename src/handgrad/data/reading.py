"""What a caller says about the reading of a file, instead of what would be found in it."""

from __future__ import annotations

import msgspec

from handgrad.errors import SpecificationError

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-nan", "NULL", "null", "None", "?", "<NA>")
"""What a cell holds where its value is missing, in a column of any kind."""

MISSING_AMONG_NUMBERS = (
    "-", "--", "---", ".", "..", "na", "n.a.", "N.A.", "N.a.", "nil", "none", "NONE", "NAN", "Null", "(null)",
    "(blank)", "missing", "Missing", "unknown", "Unknown", "NaT", "#VALUE!", "#DIV/0!", "#REF!", "#NUM!",
    "#NAME?", "#NULL!", "*", "**", "nd", "n/d", "ND", "\u2014", "\u2013",
)  # fmt: skip
"""What also means so among numbers, dates and truth values; among words it is a word."""

DATE_ORDERS = ("day-first", "month-first")


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a file is to be read; None is found from the file.

    `missing` are further markers of missing cells.
    """

    delimiter: str | None = None
    header: bool | None = None
    encoding: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    dates: str | None = None
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.delimiter is not None and (
            len(self.delimiter) != 1 or self.delimiter in '"\r\n\0' or not self.delimiter.isascii()
        ):
            raise SpecificationError(
                f"the delimiter must be one ASCII character other than a quote or the end of a line, got "
                f"{self.delimiter!r}"
            )
        if self.decimal not in (None, ".", ","):
            raise SpecificationError(f"the decimal mark must be '.' or ',', got {self.decimal!r}")
        if self.thousands not in (None, "", ",", ".", " ", "'"):
            raise SpecificationError(
                f"the thousands separator must be one of , . ' or a space, or nothing, got {self.thousands!r}"
            )
        if self.decimal is not None and self.decimal == self.thousands:
            raise SpecificationError(
                f"{self.decimal!r} cannot be decimal mark and thousands separator at once"
            )
        if self.dates not in (None, *DATE_ORDERS):
            raise SpecificationError(f"the order of dates is {' or '.join(DATE_ORDERS)}, got {self.dates!r}")
        if self.encoding is not None:
            try:
                "".encode(self.encoding)
            except (LookupError, ValueError) as error:
                raise SpecificationError(
                    f"unknown encoding {self.encoding!r}; such as utf-8, utf-16, latin-1, cp1252"
                ) from error


AS_FOUND = Reading()
"""Everything is found from the file."""
