"""What a sheet says once of its notation: how numbers are rounded, and how what occurs in it is meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handgrad.render.document import Block, Fold, Formula, LaidMatrix
from handgrad.render.layout.context import Sheet
from handgrad.render.layout.names import shortened
from handgrad.worked.expressions import (
    Apply,
    Divide,
    Ellipsis,
    Expression,
    MatMul,
    Norm,
    Power,
    Root,
    SumOver,
    names_of,
)
from handgrad.worked.record import words

SAID_OF: dict[object, str] = {"ln": "logarithm", "entrywise": "entrywise", Ellipsis: "elided"}
"""What occurs somewhere in a sheet, and the sentence that is said of it."""
ENTRYWISE: dict[type[Expression], str] = {Divide: "denominator", Power: "base", Root: "operand"}
"""Operations that matrices have only entry by entry, and the part of them that must be no matrix otherwise."""


def conventions(sheet: Sheet, body: list[Block]) -> str:
    """The sentences that belong to what this sheet shows; none where it shows nothing that needs them."""
    kinds = set(_kinds(body))
    said = [_rounding(sheet)] if sheet.record.steps else []
    said += [sheet.text(key) for kind, key in SAID_OF.items() if kind in kinds]
    short = shortened(body, sheet.notation, sheet.record.names, sheet.record.outputs)
    if short:
        names = ", ".join(f"{name} ({whole})" for name, whole in short.items())
        said.append(sheet.text("names_shortened", names=names))
    return " ".join(said)


def _rounding(sheet: Sheet) -> str:
    if sheet.record.carry and sheet.record.digits is not None:
        text = sheet.text("rounding_carried", digits=words("n_decimals", count=sheet.record.digits))
    elif sheet.settings.significant is not None:
        text = sheet.text("rounding", digits=words("n_significant", count=sheet.settings.significant))
    else:
        text = sheet.text("rounding", digits=words("n_decimals", count=sheet.digits))
    if sheet.settings.digits_of or (sheet.settings.digits is None and sheet.record.rounding.quantities):
        text += " " + sheet.text("rounding_own")
    return text


def _kinds(held: Any) -> Iterator[object]:
    """The kinds of node in the mathematics of blocks, the functions that are applied, operations entry by entry."""
    waiting, entrywise = [held], False
    while waiting:
        part = waiting.pop()
        if isinstance(part, Expression):
            kind = type(part)
            yield part.function if isinstance(part, Apply) else kind
            # one such operation is enough: whether its part is a matrix is not asked again
            if not entrywise and kind in ENTRYWISE and _is_matrix(getattr(part, ENTRYWISE[kind])):
                entrywise = True
                yield "entrywise"
            waiting += [getattr(part, name) for name in names_of(kind)]
        elif isinstance(part, tuple | list):
            waiting += part
        elif isinstance(part, Formula):
            waiting.append(part.forms)
        elif isinstance(part, Fold):
            waiting.append(part.blocks)


def _is_matrix(tree: Expression) -> bool:
    """True for shown numbers in rows and columns, and for what is made of them entry by entry."""
    if isinstance(tree, LaidMatrix):
        return True
    if isinstance(tree, Norm | SumOver | MatMul):
        return False
    return any(_is_matrix(part) for part in _parts(tree))


def _parts(tree: Expression) -> list[Expression]:
    held = [getattr(tree, name) for name in names_of(type(tree))]
    return [part for value in held for part in _flat(value)]


def _flat(held: Any) -> list[Expression]:
    if isinstance(held, Expression):
        return [held]
    return [part for item in held for part in _flat(item)] if isinstance(held, tuple) else []
