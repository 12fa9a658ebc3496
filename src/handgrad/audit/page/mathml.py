"""MathML in linear form: `<mfrac>` becomes `((a)/(b))`, `<mtable>` a list of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DEEPEST = 60


def linear_mathml(element: Any, depth: int = 0) -> str:
    """The mathematics of an element in linear form."""
    tag = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
    if not tag or depth > DEEPEST or tag in ("annotation", "annotation-xml", "mspace", "mphantom"):
        return ""
    parts = [linear_mathml(child, depth + 1) for child in element]
    rule = _RULES.get(tag)
    if rule is not None:
        return rule(parts)
    return (element.text or "").strip() + "".join(parts) if not parts else "".join(parts)


def _fraction(parts: list[str]) -> str:
    above, below = (*parts, "", "")[:2]
    if above[:1] in ("∂", "d") and below[:1] in ("∂", "d") and len(below) > 1:
        return f"{above}/{below}"
    return f"(({above})/({below}))"


def _over(parts: list[str]) -> str:
    base, mark = (*parts, "", "")[:2]
    return {"y": "ŷ", "Y": "Ŷ"}.get(base, f"{base}hat") if mark.strip() in ("^", "ˆ", "\u0302", "̂") else base


_RULES: dict[str, Callable[[list[str]], str]] = {
    "msub": lambda parts: f"{parts[0]}_{{{''.join(parts[1:])}}}" if parts else "",
    "msup": lambda parts: f"{parts[0]}^{{{''.join(parts[1:])}}}" if parts else "",
    "msubsup": lambda parts: (
        f"{parts[0]}_{{{parts[1]}}}^{{{parts[2]}}}" if len(parts) > 2 else "".join(parts)
    ),
    "mfrac": _fraction,
    "msqrt": lambda parts: f"sqrt({''.join(parts)})",
    "mover": _over,
    "munder": lambda parts: parts[0] if parts else "",
    "munderover": lambda parts: parts[0] if parts else "",
    "mtr": lambda parts: f"[{', '.join(parts)}]",
    "mtable": lambda parts: f"[{', '.join(parts)}]",
}
