"""The worked calculation of a case or of a trained model, in every medium."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, repeat
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
from rich.text import Text

from handgrad.cases.case import Case
from handgrad.cases.python import case_program
from handgrad.errors import RenderError, SpecificationError
from handgrad.files import is_stream, judge_target, write_whole
from handgrad.models.model import Model
from handgrad.nn.arrays import Array
from handgrad.render.document import Document
from handgrad.render.layout.sheet import lay_out
from handgrad.render.markdown import markdown
from handgrad.render.media import MEDIA, medium_of, write
from handgrad.render.settings import ALSO, DEFAULT_DIGITS, DEFAULT_PARTS, Settings
from handgrad.render.terminal.sheet import to_text
from handgrad.rich_repr import printable
from handgrad.training.history import Fit
from handgrad.worked.bindings import array_of
from handgrad.worked.derive.formulas import formula_sheet
from handgrad.worked.derive.step import derive
from handgrad.worked.record import FormulaSheet, Options, Record, StepRecord
from handgrad.worked.rounding import Rounding
from handgrad.worked.trace import Trace
from handgrad.worked.verify import verify
from handgrad.worksheets.json import encoded
from handgrad.worksheets.steps import CaseSource, ModelSource, Rows, Source
from handgrad.writing.letter_parts import Notation

FORMULAS = frozenset(("formulas",))  # of a network without numbers
MOST_IN_FULL = (
    30  # parameters of a network whose matrices are all written out, unless another detail is asked for
)
MOST_STEPS = 100  # of a longer training the first step is opened, unless others are named
MOST_CHOSEN = 1_000  # a sheet of more steps is read by nobody, and may not fit into memory


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


def explain(
    what: Case | Fit | Model | Mapping[str, Any] | str | os.PathLike[str],
    *,
    step: int | tuple[int, int] | None = None,
    data: Any = None,
    rows: str | None = None,
    **choices: Unpack[Choices],
) -> Worksheet:
    """Opens the steps of a case (a `Case`, its dictionary, its file), of a `Fit`, or of a model (or its file).

    `step`: a step counted from 1, or (first, last); without it all steps up to 100, of a longer training
    the first. For a model, `data` is the table it was trained on (the recorded file otherwise), for a `Fit` the
    arrays (X, Y); `rows` ("0:2") chooses rows of it: the step that training would take on them, by default
    after the training.
    `detail`: brief (usual above 30 parameters), matrix, scalar; `focus`: nothing but the path to one entry
    ("W2[0,1]"). `digits` (decimals) or `significant`, `digits_of` single quantities
    ({"a1": 2}); `carry` rounds each result of a case before it is used again, as on paper; `parts`: see
    `render.settings.PARTS`; `language`: en, bn. `layer_notation`: bracket, superscript, subscript; `names`:
    az, hy, xyz; `first_index`: 0 or 1; `orientation`: column, row. `layers`, `neuron` (from 1), `sample`
    (from 1) focus the sheet.

    >>> sheet = explain({
    ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
    ...     "data": {"x": [[3.0]], "y": [[5.0]]},
    ... })
    >>> float(sheet.quantities()["loss"])
    1.0

    Raises CaseError, ModelError, DataError or SpecificationError for what cannot be opened, VerificationError
    where a number shown would not follow from the numbers beside it.
    """
    source = _source(what, data, rows)
    first, last = _steps(source, step, rows)
    worksheet = Worksheet(source, first, last, chosen=step is not None)
    return worksheet.with_choices(**choices)


@dataclass(frozen=True, eq=False)
class Worksheet:
    """The worked steps `first` to `last` of a case or a model; it shows itself in terminals and notebooks.

    >>> sheet = explain({
    ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
    ...     "data": {"x": [[3.0]], "y": [[5.0]]},
    ... })
    >>> sheet
    Worksheet('1-1', step 1 of 1)
    """

    source: Source
    first: int
    last: int
    chosen: bool = False
    options: Options = field(default_factory=Options)
    settings: Settings = field(default_factory=Settings)

    def with_choices(self, **choices: Unpack[Choices]) -> Worksheet:
        """The same steps with other choices; see `explain`.

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> sheet.with_choices(layer_notation="superscript").settings.notation.layer
        'superscript'
        """
        source = _rounded(self.source, choices)
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
        )
        for name in ("digits", "significant"):
            if not isinstance(choices.get(name), int | None):
                raise SpecificationError(f"{name} must be a whole number, got {choices.get(name)!r}")
        asked_detail = choices.get("detail")
        detail = usual_detail(source) if asked_detail is None else ALSO.get(asked_detail, asked_detail)
        focus = choices.get("focus")
        parts = choices.get("parts")
        if case is not None and case.symbolic:
            parts = FORMULAS
        settings = Settings(
            digits=choices.get("digits"),
            significant=choices.get("significant"),
            digits_of=source.rounding.quantities,
            notation=notation,
            language=choices.get("language"),
            detail=detail,
            focus=focus,
            parts=DEFAULT_PARTS if parts is None else frozenset(parts),
        )
        if settings.digits is not None and settings.significant is not None:
            raise SpecificationError("digits and significant exclude each other; give one of them")
        options = Options(
            orientation=orientation,
            detail=detail,
            focus=focus,
            layers=self._layers(choices.get("layers")),
            neuron=_position("neuron", choices.get("neuron"), max(self.source.network.sizes[1:])),
            sample=_position("sample", choices.get("sample"), self._samples()),
            gradient_check="gradient_check" in settings.parts,
            matrices="matrices" in settings.parts,
        )
        return replace(self, source=source, options=options, settings=settings)

    def _layers(self, layers: Collection[int] | None) -> tuple[int, ...] | None:
        depth = self.source.network.depth
        if not isinstance(layers, Collection | None) or not all(isinstance(l, int) for l in layers or ()):
            raise SpecificationError(f"layers must be layer numbers such as (1, 2), got {layers!r}")
        for layer in layers or ():
            if not 1 <= layer <= depth:
                raise SpecificationError(f"layer {layer}: the network has the layers 1 to {depth}")
        return tuple(sorted(layers)) if layers else None

    def _samples(self) -> int | None:
        """The most samples that a step sees; None where only the step itself can tell."""
        if isinstance(self.source, CaseSource):
            return self.source.case.plan.rows_of_batch(self.source.case.samples)
        rows = self.source.chosen if isinstance(self.source, ModelSource) else None
        if rows is not None:
            return rows.last - rows.first
        return self.source.model.fit.batch_size if isinstance(self.source, ModelSource) else None

    # -- what it holds

    def traces(self) -> Iterator[Trace]:
        """The steps as they happened, one after another.

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> [trace.number for trace in sheet.traces()]
        [1]
        """
        steps = self.source.traces(self.first, self.last)
        while (trace := _next(steps)) is not None:
            yield trace

    def quantities(self, step: int | None = None) -> dict[str, Array]:
        """Every quantity of a step (the first one shown, unless another is named), one sample a row.

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> sheet.quantities()["dW1"].tolist()
        [[6.0]]
        """
        number = self.first if step is None else step
        if not 1 <= number <= self.source.total:
            raise SpecificationError(f"step {number}: there are the steps 1 to {self.source.total}")
        trace = _next(self.source.traces(number, number))
        assert trace is not None
        return trace.quantities

    @cached_property
    def record(self) -> Record:
        """The worked record, verified.

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> [step.number for step in sheet.record.steps]
        [1]
        """
        with np.errstate(all="ignore"):  # what is beyond float64 stands in the sheet as such
            return self._record()

    def _record(self) -> Record:
        source = self.source
        if self.chosen and self.last - self.first >= MOST_CHOSEN:
            raise SpecificationError(
                f"steps {self.first} to {self.last}: a sheet shows at most {MOST_CHOSEN:,}; choose fewer, "
                "or write them as json"
            )
        last = self.last if self.chosen or self.last - self.first < MOST_STEPS else self.first
        symbolic = isinstance(source, CaseSource) and source.case.symbolic
        steps = (
            ()
            if symbolic
            else tuple(
                derive(trace, source.network, source.recipe, options, source.regularization)
                for trace, options in zip(
                    source.traces(self.first, last), self._options_by_step(), strict=False
                )
            )
        )
        model = source.model if isinstance(source, ModelSource) else None
        record = Record(
            title=source.title,
            source=source.source,
            network=source.network,
            recipe=source.recipe,
            steps=steps,
            digits=source.rounding.digits,
            carry=source.rounding.carry,
            options=self.options,
            losses=() if model is None else tuple(line.loss for line in model.fit.history),
            epoch=None if model is None else _epoch(model, self.first),
            names=()
            if model is None or model.schema is None
            else tuple(map(printable, model.schema.features)),
            classes=() if model is None else _classes(model),
            engine=_taken_by(source),
            total=source.total,
            rounding=source.rounding,
            regularization=source.regularization,
            formulas=self._formulas(steps) if "formulas" in self.settings.parts else None,
        )
        verify(record)
        return record

    def _formulas(self, steps: tuple[StepRecord, ...]) -> FormulaSheet:
        """The formulas for batches of the size of the first step; without any step, of m samples."""
        batch = [int(array_of(step.bindings["m"]).item()) for step in steps]
        source = self.source
        return formula_sheet(
            source.network, source.recipe, source.regularization, batch[0] if batch else 2, self.options
        )

    def _options_by_step(self) -> Iterator[Options]:
        """What a sheet says once it says of its first step."""
        return chain((self.options,), repeat(replace(self.options, matrices=False)))

    @cached_property
    def document(self) -> Document:
        """The laid-out sheet.

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> sheet.document.title
        '1-1'
        """
        return replace(lay_out(self.record, self.settings), program=self._program())

    def _program(self) -> str:
        """What a notebook runs; a model is a file, and this object does not know which."""
        case = self.source.case if isinstance(self.source, CaseSource) else None
        if case is None or case.keys is None or case.symbolic:
            return ""
        return case_program(
            case.keys,
            step=self.first if self.first == self.last else (self.first, self.last),
            detail=self.options.detail,
            digits=self.settings.digits,
            carry=self.source.rounding.carry or None,
            digits_of=dict(self.settings.digits_of) or None,
        )

    # -- how it is shown

    def text(self, width: int = 80, color: bool = False) -> str:
        """The sheet for a terminal `width` columns wide.

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> sheet.text().splitlines()[0].strip()
        '1-1'
        """
        return to_text(self.document, width, color)

    def json(self) -> bytes:
        """Title and every quantity of every step, full precision; infinite values are null.

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> import json
        >>> json.loads(sheet.json())["steps"][0]["quantities"]["loss"]
        1.0
        """
        from handgrad.version import __version__

        return encoded(
            __version__, self.source.title, self.source.source, self.traces(), self.last - self.first + 1
        )

    def to(self, medium: str) -> bytes:
        """The sheet in a medium: md, html, tex, pdf, docx, ipynb, json or terminal (plain text).

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> sheet.to("md").decode().splitlines()[0]
        '# 1-1'

        Raises RenderError for another name, MissingExtraError where a library is missing.
        """
        if medium == "json":
            return self.json()
        if medium == "terminal":
            return self.text().encode()
        if medium not in MEDIA:
            raise RenderError(
                f"there is no medium {medium!r}; choose from {', '.join(('terminal', 'json', *MEDIA))}"
            )
        return write(medium, self.document)

    def save(self, path: str | os.PathLike[str], medium: str | None = None) -> Path:
        """Writes the sheet to a file, whole or not at all, in the medium of its suffix or the one named.

        Beside Markdown stand its figures, as files of their own: that is where GitHub shows them from.

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     sheet.save(Path(folder) / "sheet.html").name
        'sheet.html'
        """
        medium, path = medium or medium_of(path), Path(path)
        judge_target(path)
        for name, content in self.files(path, medium).items():
            write_whole(name, content)
        return path

    def files(self, path: Path, medium: str) -> dict[Path, bytes]:
        """What `save` writes: each file and its content, the sheet last.

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> [path.name for path in sheet.files(Path("sheet.md"), "md")]
        ['sheet-figure-1.svg', 'sheet.md']
        """
        if medium != "md" or is_stream(path) or (path.exists() and not path.is_file()):
            return {path: self.to(medium)}
        figures = markdown.figures(self.document, path.stem)
        beside: dict[Path, bytes] = {path.with_name(name): figure for name, figure in figures.items()}
        return {**beside, path: markdown.write(self.document, path.stem)}

    def reads(self) -> tuple[Path, ...]:
        """The files that a model names as its own; what is written must not replace them.

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> sheet.reads()
        ()
        """
        model = self.source.model if isinstance(self.source, ModelSource) else None
        origin = None if model is None else model.origin
        return () if origin is None or origin.file is None else (Path(origin.file),)

    def __repr__(self) -> str:
        steps = f"step {self.first}" if self.first == self.last else f"steps {self.first} to {self.last}"
        return f"Worksheet({self.source.title!r}, {steps} of {self.source.total})"

    def __str__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/markdown": write("md", self.document).decode()}

    def __rich__(self) -> Text:
        return Text(self.text())  # not markup: W[1] is a weight


def usual_detail(source: Source) -> str:
    """Small networks are shown in whole matrices, larger ones in brief."""
    return "matrix" if source.network.parameter_count <= MOST_IN_FULL else "brief"


def _next(steps: Iterator[Trace]) -> Trace | None:
    """The next step, without warnings: what is beyond float64 stands in the quantities as such."""
    with np.errstate(all="ignore"):
        return next(steps, None)


def _source(what: Any, data: Any, rows: str | None) -> Source:
    if isinstance(what, str | os.PathLike):
        path = Path(what)
        what = Model.load(path) if path.suffix == ".safetensors" else Case.load(path)
    elif isinstance(what, Mapping):
        what = Case.from_dict(what)
    if isinstance(what, Fit):
        what = Model(what)
    if isinstance(what, Model):
        return ModelSource(what, data, None if rows is None else Rows.parse(rows))
    if not isinstance(what, Case):
        raise SpecificationError(
            f"explain takes a case, a fit, a model, or the file of one; got {type(what).__name__}"
        )
    if data is not None or rows is not None:
        raise SpecificationError("data and rows belong to a trained model; a case brings its own data")
    return CaseSource(what)


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


def _steps(source: Source, step: int | tuple[int, int] | None, rows: str | None) -> tuple[int, int]:
    """First and last step; of a model the last one before its end, or the one on chosen rows."""
    if step is None and isinstance(source, ModelSource):
        number = source.trained_step if rows is not None else source.total
        return number, number
    several = isinstance(step, tuple) and len(step) == 2 and all(isinstance(n, int) for n in step)
    if not (step is None or isinstance(step, int) or several):
        raise SpecificationError(f"step must be a step N or the steps (first, last), got {step!r}")
    first, last = (1, source.total) if step is None else (step, step) if isinstance(step, int) else step
    if not 1 <= first <= last <= source.total:
        shown = f"{first}" if first == last else f"{first} to {last}"
        raise SpecificationError(f"step {shown}: there are the steps 1 to {source.total}")
    return first, last


def _position(what: str, number: int | None, most: int | None) -> int | None:
    """A position counted from 1 as one counted from 0."""
    if not isinstance(number, int | None):
        raise SpecificationError(f"{what} must be a whole number from 1, got {number!r}")
    if number is not None and most is not None and number > most:
        raise SpecificationError(f"{what} {number}: there are {most}, counted from 1")
    if number is not None and number < 1:
        raise SpecificationError(f"{what} is counted from 1, got {number}")
    return None if number is None else number - 1


def _epoch(model: Model, step: int) -> int:
    return min(model.fit.at(step).epoch, max(1, len(model.fit.history)))


def _taken_by(source: Source) -> tuple[str, str] | None:
    """Engine and precision of a step that happened; none of one on rows that the reader chose."""
    if not isinstance(source, ModelSource) or source.chosen is not None:
        return None
    return source.model.fit.engine, source.model.fit.plan.dtype


def _classes(model: Model) -> tuple[str, ...]:
    schema = model.schema
    if schema is None or schema.target.is_regression or len(schema.target.classes) != 1:
        return ()
    return tuple(map(printable, schema.target.classes[0]))
