"""What a reader asks of a sheet, as the options of its calculation and the settings of its layout."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import NamedTuple, TypedDict

from handgrad.errors import SpecificationError
from handgrad.render.settings import (
    ALL_OF_TEXTBOOK,
    ALSO,
    DEFAULT_DIGITS,
    DEFAULT_PARTS,
    TEXTBOOK,
    Settings,
)
from handgrad.worked.record import Options
from handgrad.worked.rounding import Rounding
from handgrad.worksheets.steps import CaseSource, ModelSource, Source
from handgrad.writing.letter_parts import Notation

FORMULAS = frozenset(("formulas",))  # of a network without numbers
WITHOUT_NUMBERS = frozenset(TEXTBOOK) - {"errors", "entries", "two_terms", "loop", "summary"}
"""Parts of the textbook that need no step."""
MOST_IN_FULL = 30
"""Parameters of a network whose matrices are all written out, unless another detail is asked for."""


class Choices(TypedDict, total=False):
    """What `explain` may be asked for; see there."""

    detail: str | None
    focus: str | None
    digits: int | None
    significant: int | None
    carry: bool | None
    digits_of: Mapping[str, int] | None
    parts: Collection[str]
    language: str | None
    layer_notation: str | None
    names: str | None
    first_index: int | None
    orientation: str | None
    layers: Collection[int] | None
    neuron: int | None
    sample: int | None
    certify: bool
    numerals: str | None


class Chosen(NamedTuple):
    """The source with the reader's rounding, and what the choices come to."""

    source: Source
    options: Options
    settings: Settings


def chosen(source: Source, choices: Choices) -> Chosen:
    """What the choices come to for a source. Raises SpecificationError for those that cannot be."""
    unknown = [name for name in choices if name not in Choices.__annotations__]
    if unknown:
        known = ", ".join(sorted(Choices.__annotations__))
        raise SpecificationError(f"there is no choice {unknown[0]!r}; a sheet takes {known}")
    source = _rounded(source, choices)
    case = source.case if isinstance(source, CaseSource) else None
    asked = case.notation if case is not None else None
    orientation = choices.get("orientation") or (asked and asked.orientation) or "column"
    first_index = choices.get("first_index")
    if first_index is None:
        first_index = asked.first if asked is not None and asked.first is not None else 1
    notation = Notation(
        layer=choices.get("layer_notation") or (asked and asked.layer) or "bracket",
        names=choices.get("names") or (asked and asked.names) or "az",
        first=first_index,
        orientation=orientation,
        depth=source.network.depth,
    )
    for name in ("digits", "significant"):
        if not isinstance(choices.get(name), int | None):
            raise SpecificationError(f"{name} must be a whole number, got {choices.get(name)!r}")
    asked_detail = choices.get("detail")
    detail = usual_detail(source) if asked_detail is None else ALSO.get(asked_detail, asked_detail)
    focus = choices.get("focus")
    parts = choices.get("parts")
    if case is not None and case.symbolic:
        parts = FORMULAS | (_parts(parts) & WITHOUT_NUMBERS)
    settings = Settings(
        digits=choices.get("digits"),
        significant=choices.get("significant"),
        digits_of=source.rounding.quantities,
        notation=notation,
        language=choices.get("language"),
        detail=detail,
        focus=focus,
        parts=_parts(parts),
        certify=bool(choices.get("certify", False)),
        numerals=choices.get("numerals") or "latin",
    )
    if settings.digits is not None and settings.significant is not None:
        raise SpecificationError("digits and significant exclude each other; give one of them")
    options = Options(
        orientation=orientation,
        detail=detail,
        focus=focus,
        layers=_layers(source, choices.get("layers")),
        neuron=_position("neuron", choices.get("neuron"), max(source.network.sizes[1:])),
        sample=_position("sample", choices.get("sample"), _samples(source)),
        gradient_check="gradient_check" in settings.parts,
        matrices="matrices" in settings.parts,
        textbook=settings.parts & frozenset(TEXTBOOK),
    )
    return Chosen(source, options, settings)


def _parts(parts: Collection[str] | None) -> frozenset[str]:
    """The parts by their names, `textbook` opened."""
    if parts is None:
        return DEFAULT_PARTS
    opened = TEXTBOOK if ALL_OF_TEXTBOOK in parts else ()
    return frozenset((*parts, *opened)) - {ALL_OF_TEXTBOOK}


def usual_detail(source: Source) -> str:
    """Small networks are shown in whole matrices, larger ones in brief."""
    return "matrix" if source.network.parameter_count <= MOST_IN_FULL else "brief"


def _rounded(source: Source, choices: Choices) -> Source:
    """The source with the reader's rounding in the place of its own."""
    carry, digits_of = choices.get("carry"), choices.get("digits_of")
    if digits_of is not None and not (
        isinstance(digits_of, Mapping) and all(isinstance(digits, int) for digits in digits_of.values())
    ):
        raise SpecificationError(f"digits_of must be such as {{'a1': 2}}, got {digits_of!r}")
    if carry is None and digits_of is None:
        return source
    if not isinstance(source, CaseSource):
        raise SpecificationError("carry and digits_of belong to a case; a trained model has its own numbers")
    own = source.rounding
    quantities = own.quantities if digits_of is None else tuple(sorted(digits_of.items()))
    digits = choices.get("digits") if choices.get("digits") is not None else own.digits
    carried = own.carry if carry is None else carry
    if carried and digits is None:
        digits = DEFAULT_DIGITS
    return CaseSource(replace(source.case, rounding=Rounding(digits, carried, quantities)))


def _layers(source: Source, layers: Collection[int] | None) -> tuple[int, ...] | None:
    depth = source.network.depth
    if not isinstance(layers, Collection | None) or not all(isinstance(l, int) for l in layers or ()):
        raise SpecificationError(f"layers must be layer numbers such as (1, 2), got {layers!r}")
    for layer in layers or ():
        if not 1 <= layer <= depth:
            raise SpecificationError(f"layer {layer}: the network has the layers 1 to {depth}")
    return tuple(sorted(layers)) if layers else None


def _samples(source: Source) -> int | None:
    """The most samples that a step sees; None where only the step itself can tell."""
    if isinstance(source, CaseSource):
        return source.case.plan.rows_of_batch(source.case.samples)
    rows = source.chosen if isinstance(source, ModelSource) else None
    if rows is not None:
        return rows.last - rows.first
    return source.model.fit.batch_size if isinstance(source, ModelSource) else None


def _position(what: str, number: int | None, most: int | None) -> int | None:
    """A position counted from 1 as one counted from 0."""
    if not isinstance(number, int | None):
        raise SpecificationError(f"{what} must be a whole number from 1, got {number!r}")
    if number is not None and most is not None and number > most:
        raise SpecificationError(f"{what} {number}: there are {most}, counted from 1")
    if number is not None and number < 1:
        raise SpecificationError(f"{what} is counted from 1, got {number}")
    return None if number is None else number - 1
