"""What stands behind a tree and changes it: powers, the sign of the transpose, powers of ten."""

from __future__ import annotations

from handgrad.audit.page.formula_trees import Call, Listing, Minus, Name, Number, Operation, Tree, Turned
from handgrad.audit.page.tokens import Token, plain_marks, printed
from handgrad.audit.printed import Printed

TURNS = ("T", "⊤", "t", "top", "ᵀ")


def raised(base: Tree, word: Token) -> Tree:
    """A tree with raised letters behind it: transposed, or to a power."""
    mark = plain_marks(word.text)
    if mark in TURNS:
        return Turned(base)
    found = printed(mark.lstrip("-+"))
    if found is None:
        return base
    exponent: Tree = Number(found, mark, word.start, word.line)
    return Operation("^", base, Minus(exponent) if mark.startswith("-") else exponent)


def to_the(called: Call, power: str, name: Name) -> Tree:
    """tanh²(z) is the square of tanh(z)."""
    found = printed(power) if power else None
    return called if found is None else Operation("^", called, Number(found, power, name.start, name.line))


def scaled(left: Tree, right: Tree) -> Tree | None:
    """4.2 × 10^-3 as one number."""
    match left, right:
        case Number(), Operation("^", Number(Printed(10.0, _), "10"), Number() | Minus(Number()) as power):
            exponent = power.printed.value if isinstance(power, Number) else -power.of.printed.value  # type: ignore[union-attr]
            if exponent == int(exponent) and abs(exponent) < 300 and "." in left.text:
                value = float(f"{left.text.replace(',', '')}e{int(exponent)}")
                return Number(
                    Printed(value, left.printed.unit * 10.0 ** int(exponent)),
                    left.text,
                    left.start,
                    left.line,
                )
    return None


def wrapped(inner: Listing) -> bool:
    """True for array([...], dtype): the list is its first argument."""
    return isinstance(inner.items[0], Listing) and not isinstance(inner.items[-1], Listing)
