"""A claim's quantity as it is written on paper, entry by entry."""

from __future__ import annotations

import re
from dataclasses import replace

from handgrad.audit.claims import Claim, Index
from handgrad.worked.expressions import Expression, Gradient, Symbol

_LAYERED = re.compile(r"(z|a|f|mask|delta|da|df|derivative)(\d+)")
_GRADIENT = re.compile(r"d([Wb])(\d+)(?:_(\w+))?")
_PARAMETER = re.compile(r"([Wb])(\d+)(?:_(\w+))?")
_LOSS_OF = {"data": "data_loss", "penalty": "penalty"}


def symbol_of(claim: Claim, index: Index | None, samples: int, orientation: str) -> Expression | str:
    """The symbol, with the entry where one is named; the text of a formula as it is."""
    if claim.formula is not None:
        return claim.quantity if index in (None, claim.index) else f"({claim.quantity}){list(index or ())}"
    return quantity_symbol(claim.quantity, index, samples)


def quantity_symbol(  # noqa: PLR0911  one family of names after another
    name: str, index: Index | None, samples: int = 1
) -> Expression:
    """The symbol of a quantity by its public name; `index` is that of the arrays: one sample a row."""
    if found := _GRADIENT.fullmatch(name):
        letter, layer, mark = found[1], int(found[2]), found[3] or ""
        whole = Symbol(_LOSS_OF.get(mark, "loss"), mark="clipped" if mark == "clipped" else "")
        return Gradient(whole, Symbol(letter, layer, entry=tuple(index or ())))
    if found := _PARAMETER.fullmatch(name):
        return Symbol(found[1], int(found[2]), entry=tuple(index or ()), mark=found[3] or "")
    loss = Symbol("loss")
    if found := _LAYERED.fullmatch(name):
        kind, layer = found[1], int(found[2])
        if kind in ("da", "df"):
            return Gradient(loss, _of_sample(Symbol(kind[1], layer), index, samples))
        if kind == "derivative":
            return Gradient(
                _of_sample(Symbol("a", layer), index, samples), _of_sample(Symbol("z", layer), index, samples)
            )
        return _of_sample(Symbol(kind, layer), index, samples)
    if name == "dyhat":
        return Gradient(loss, _of_sample(Symbol("yhat"), index, samples))
    if name == "loss_terms":
        return _of_sample(loss, index, samples)
    if name in ("x", "y", "yhat"):
        return _of_sample(Symbol(name), index, samples)
    return Symbol(name)


def _of_sample(symbol: Symbol, index: Index | None, samples: int) -> Symbol:
    if not index:
        return symbol
    return replace(symbol, sample=index[0] if samples > 1 else None, entry=tuple(index[1:]))
