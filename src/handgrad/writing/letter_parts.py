"""A symbol taken apart, and how symbols are written: the same in all media."""

from __future__ import annotations

from dataclasses import dataclass

from handgrad.errors import RenderError

NOTATION_CHOICES: dict[str, tuple[str | int, ...]] = {
    "layer": ("bracket", "superscript", "subscript"),
    "names": ("az", "hy", "xyz", "capital"),
    "first": (1, 0),
    "orientation": ("column", "row"),
    "decimal": (".", ","),
}


NAME = ("\u2068", "\u2069")
"""Between these a name stands in a script, whatever characters it has (Unicode 16.0, 23.2: an isolate)."""

NUMERALS: dict[str, str] = {"latin": "0123456789", "bengali": "০১২৩৪৫৬৭৮৯"}
"""Digits by the script that they are of (CLDR: latn, beng)."""


def digits_in(text: str, numerals: str) -> str:
    """The text with its digits in another script.

    >>> digits_in("0.25", "bengali")
    '০.২৫'
    """
    return text.translate(str.maketrans(NUMERALS["latin"], NUMERALS[numerals]))


@dataclass(frozen=True, slots=True)
class Notation:
    """How symbols are written, the same in all media.

    `layer`: bracket W^[1], superscript W^1, subscript W_1. `names`: az (a[l], z[l]), hy (h, yhat), xyz (layers X, Y, Z)
    or capital (A, Z, W, B and the cost C; the prediction is the A of layer `depth`). `first`: number of the first
    entry, 1 or 0. `orientation`: column or row. `decimal`: '.' or ','.
    `numbers` are the quantities, by public name, that are one number here and so not set bold; `of_samples` those of
    which each sample has one number. `numerals`: the script of the digits, latin or bengali. `inputs`,
    `outputs`: what entries of inputs and outputs are called in place of their number, '' where they keep it.

    Raises RenderError for a choice that there is not.
    """

    layer: str = "bracket"
    names: str = "az"
    first: int = 1
    orientation: str = "column"
    decimal: str = "."
    numbers: frozenset[str] = frozenset()
    of_samples: frozenset[str] = frozenset()
    numerals: str = "latin"
    depth: int | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, allowed in NOTATION_CHOICES.items():
            value = getattr(self, name)
            if value not in allowed:
                raise RenderError(
                    f"notation: {name} must be one of {', '.join(map(str, allowed))}, got {value!r}"
                )


@dataclass(frozen=True, slots=True)
class Written:
    """A symbol taken apart: `base` with its accent, subscript and superscript; '' where it has none.

    `bold`: a vector or matrix. `upright`: a name of several letters (such as sum or loss words), not a variable.
    `suffix`: follows the scripts on the line, the entry where the layer is the subscript: z_1[0].
    """

    base: str
    accent: str = ""  # "", hat, tilde, bar
    subscript: str = ""
    superscript: str = ""
    bold: bool = False
    upright: bool = False
    suffix: str = ""
