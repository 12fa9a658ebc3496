"""What a terminal does for the styles of a sheet, and for the quantities that have a colour.

The colours are those of the figures (`diagram/palette.py`). Where the ground is unknown they are as far from white as
from black: of a relative luminance of 0.18, which has a contrast of 4.5 : 1 with both (WCAG 2.2, 1.4.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from handgrad.diagram.palette import PALETTE, Shade

STYLES: dict[str, str] = {
    "title": "1",
    "heading": "1",
    "subheading": "1",
    "shape": "2",
    "label": "2",
    "result": "1",
    "note": "2",
    "observation": "1",
    "math": "",
    "header": "1",
    "rule": "2",
}
"""Names of styles and what a terminal does for them (SGR codes); colours are left to the quantities."""
STANDARD = {"input": "32", "parameter": "35", "hidden": "34", "output": "31", "gradient": "33"}
"""The nearest of the eight colours, whose shades are the terminal's own."""
DEPTHS = ("none", "standard", "256", "truecolor")
"""How many colours there are: none, 8, 256, all."""
GROUNDS = ("", "light", "dark")
_MIDDLE = 0.18
_CUBE = (0, 95, 135, 175, 215, 255)
_LIGHT_GROUNDS = ("7", "15")


def depth_of(environment: Mapping[str, str]) -> str:
    """How many colours the terminal has, as its variables say.

    >>> depth_of({"COLORTERM": "truecolor"}), depth_of({"TERM": "xterm-256color"}), depth_of({"TERM": "linux"})
    ('truecolor', '256', 'standard')
    """
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "truecolor"
    return "256" if "256" in environment.get("TERM", "") else "standard"


def ground_of(environment: Mapping[str, str]) -> str:
    """Whether the terminal is light or dark, where it says so; '' where it does not.

    >>> ground_of({"COLORFGBG": "15;0"}), ground_of({"COLORFGBG": "0;15"}), ground_of({})
    ('dark', 'light', '')
    """
    ground = environment.get("COLORFGBG", "").rpartition(";")[2]
    if not ground.isdigit():
        return ""
    return "light" if ground in _LIGHT_GROUNDS else "dark"


@cache
def codes(depth: str, ground: str = "") -> dict[str, str]:
    """The SGR code of every style, and of every kind of quantity.

    >>> codes("standard")["input"], codes("truecolor", "light")["input"]
    ('32', '38;2;31;122;91')
    """
    kinds = {kind: _code(kind, shade, depth, ground) for kind, shade in PALETTE.items()}
    return {**STYLES, **kinds}


def _code(kind: str, shade: Shade, depth: str, ground: str) -> str:
    if depth == "standard":
        return STANDARD[kind]
    red, green, blue = _channels({"light": shade.light, "dark": shade.dark}.get(ground) or middle(shade))
    return f"38;2;{red};{green};{blue}" if depth == "truecolor" else f"38;5;{_nearest(red, green, blue)}"


def middle(shade: Shade) -> str:
    """A colour between both shades that is as far from white as from black."""
    low, high = ([_linear(channel) for channel in _channels(side)] for side in (shade.light, shade.dark))
    part = (_MIDDLE - _luminance(low)) / (_luminance(high) - _luminance(low))
    mixed = (one + part * (other - one) for one, other in zip(low, high, strict=True))
    return "#" + "".join(f"{_encoded(max(0.0, value)):02x}" for value in mixed)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _linear(channel: int) -> float:
    """A channel of sRGB as light (IEC 61966-2-1)."""
    part = channel / 255
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _encoded(light: float) -> int:
    part = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return round(255 * min(1.0, part))


def _luminance(light: list[float]) -> float:
    red, green, blue = light
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _nearest(red: int, green: int, blue: int) -> int:
    """The nearest of xterm's colours 16 to 255: a cube of six steps a side, then greys."""
    palette = [
        (16 + 36 * r + 6 * g + b, (_CUBE[r], _CUBE[g], _CUBE[b]))
        for r in range(6)
        for g in range(6)
        for b in range(6)
    ]
    wanted = (red, green, blue)
    return min(palette, key=lambda entry: sum((a - b) ** 2 for a, b in zip(entry[1], wanted, strict=True)))[0]
