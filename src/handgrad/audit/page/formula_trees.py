"""What a linear formula says, as a tree: numbers, names with their marks, calls, signs, lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from handgrad.audit.printed import Printed


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was printed; `start` and `line` say where."""

    printed: Printed
    text: str
    start: int
    line: int


@dataclass(frozen=True, slots=True)
class Name:
    r"""A name with its marks: the base `W` of `W^{[1]}_{0,1}` has `raised` ("[1]",), `lowered` ("0,1",)."""

    base: str
    lowered: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    """What stood in brackets behind it, one for each pair."""
    primes: int = 0
    start: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True)
class Derivative:
    """The derivative of one name by another."""

    of: Name
    by: Name


@dataclass(frozen=True, slots=True)
class Call:
    """A function of arguments."""

    function: str
    arguments: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Minus:
    """The negative."""

    of: Tree


@dataclass(frozen=True, slots=True)
class Operation:
    """Two things with a sign between them."""

    sign: str
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Listing:
    """A list in brackets; lists in it are rows."""

    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Turned:
    """The transpose."""

    of: Tree


Tree: TypeAlias = Number | Name | Derivative | Call | Minus | Operation | Listing | Turned


def numbers_in(tree: Tree | None) -> Iterator[Number]:
    """The numbers of a tree from left to right."""
    match tree:
        case Number():
            yield tree
        case Call(_, items) | Listing(items):
            for item in items:
                yield from numbers_in(item)
        case Minus(of) | Turned(of):
            yield from numbers_in(of)
        case Operation(_, left, right):
            yield from numbers_in(left)
            yield from numbers_in(right)


def names_in(tree: Tree | None) -> Iterator[Name | Derivative]:
    """The names of a tree from left to right."""
    match tree:
        case Name() | Derivative():
            yield tree
        case Call(_, items) | Listing(items):
            for item in items:
                yield from names_in(item)
        case Minus(of) | Turned(of):
            yield from names_in(of)
        case Operation(_, left, right):
            yield from names_in(left)
            yield from names_in(right)


def literal(tree: Tree | None) -> bool:
    """True for a number or a list of numbers, signs allowed: something printed as a result."""
    match tree:
        case Number():
            return True
        case Minus(of) | Turned(of):
            return literal(of)
        case Listing(items):
            return bool(items) and all(literal(item) for item in items)
    return False
