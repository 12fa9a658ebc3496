"""One colour for each kind of quantity, in the picture, the equations and the tables.

The hues are those of Okabe and Ito, which people with any of the usual kinds of colour blindness tell apart:
M. Okabe, K. Ito, Color Universal Design (2008), https://jfly.uni-koeln.de/color/. Each is darker on a light ground
and lighter on a dark one, so that its letters keep a contrast of 4.5 : 1 (WCAG 2.2, 1.4.3). No colour says anything
alone: each quantity has its letter, and units stand in the layers of the picture.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Shade(NamedTuple):
    """A colour for a light ground and one for a dark ground."""

    light: str
    dark: str


PALETTE: dict[str, Shade] = {
    "input": Shade("#1f7a5b", "#7fd8b4"),  # bluish green
    "parameter": Shade("#5c1a45", "#d492b8"),  # reddish purple
    "hidden": Shade("#1a5fa0", "#4ca6ea"),  # blue
    "output": Shade("#9e3718", "#ee7a30"),  # vermillion
    "gradient": Shade("#856a00", "#d7cb14"),  # yellow
}
"""Kind of quantity and its colour."""

_LAYER = r"(\d+|l|l-1|l\+1|L)(_\w+)?"
_KINDS = (
    ("gradient", rf"delta{_LAYER}|d[Wbafz]{_LAYER}|dyhat|d\w+_d\w+|derivative{_LAYER}"),
    ("input", r"x"),
    ("parameter", rf"[Wb]{_LAYER}"),
    ("hidden", rf"([af]|mask){_LAYER}"),
    ("output", r"yhat"),
)


def kind_of(name: str) -> str:
    """The kind of a quantity by its public name; '' of one that has no colour.

    >>> kind_of("W1_new"), kind_of("dW1"), kind_of("eta")
    ('parameter', 'gradient', '')
    """
    return next((kind for kind, names in _KINDS if re.fullmatch(names, name)), "")
