"""The worked calculation of a case or of a trained model, in every medium."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from rich.text import Text

from handgrad.cases.case import Case
from handgrad.errors import RenderError, SpecificationError
from handgrad.files import check_target, is_stream, write_whole
from handgrad.models.model import Model
from handgrad.nn.arrays import Array
from handgrad.render.document import Document
from handgrad.render.layout.sheet import lay_out
from handgrad.render.markdown import markdown
from handgrad.render.media import MEDIA, medium_for, medium_of, write
from handgrad.render.settings import Settings
from handgrad.render.terminal.sheet import to_text
from handgrad.training.history import Fit
from handgrad.worked.record import Options, Record
from handgrad.worked.trace import Trace
from handgrad.worksheets.choices import Choices, chosen
from handgrad.worksheets.json import encoded
from handgrad.worksheets.program import program
from handgrad.worksheets.recording import recorded
from handgrad.worksheets.steps import CaseSource, ModelSource, Rows, Source

MOST_STEPS = 100  # of a longer training the first step is opened, unless others are named
MOST_CHOSEN = 1_000  # a sheet of more steps is read by nobody, and may not fit into memory


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
    az, hy, xyz, capital; `first_index`: 0 or 1; `orientation`: column, row; `numerals`: latin, bengali. `layers`,
    `neuron` (from 1), `sample` (from 1) focus the sheet. `certify`: every digit as that of the
    exact value (extra `certify`).

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
        source, options, settings = chosen(self.source, choices)
        return replace(self, source=source, options=options, settings=settings)

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
        steps = _spanning(self.source, self.first, self.last).traces(self.first, self.last)
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
        trace = _next(_spanning(self.source, number, number).traces(number, number))
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
        if self.chosen and self.last - self.first >= MOST_CHOSEN:
            raise SpecificationError(
                f"steps {self.first} to {self.last}: a sheet shows at most {MOST_CHOSEN:,}; choose fewer, "
                "or write them as json"
            )
        last = self.last if self.chosen or self.last - self.first < MOST_STEPS else self.first
        return recorded(
            self.source,
            self.first,
            last,
            self.options,
            "formulas" in self.settings.parts,
            self.settings.certify,
        )

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
        made = program(self.source, self.first, self.last, self.options, self.settings)
        return replace(lay_out(self.record, self.settings), program=made)

    # -- how it is shown

    def text(self, width: int = 80, color: bool = False, depth: str = "256", ground: str = "") -> str:
        """The sheet for a terminal `width` columns wide; in `color`, quantities have those of the figures.

        `depth`: how many colours there are (standard, 256, truecolor); `ground`: light, dark, '' where unknown.

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> sheet.text().splitlines()[0].strip()
        '1-1'
        """
        return to_text(self.document, width, color, depth, ground)

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
            __version__,
            self.source.title,
            self.source.source,
            self.record.steps if self.settings.certify else self.traces(),
            self.last - self.first + 1,
        )

    def to(self, medium: str) -> bytes:
        """The sheet in a medium: md, html, tex, pdf, docx, ipynb, json or terminal (plain text).

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> sheet.to("md").decode().splitlines()[0]
        '<a id="title"></a>'

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
        medium, path = medium_of(path) if medium is None else medium_for(medium, path), Path(path)
        check_target(path)
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

    def live(self) -> Any:
        """The sheet for a notebook, with numbers that can be changed: an anywidget, its state visible from Python.

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> type(sheet.live()).__name__
        'LiveSheet'

        Raises MissingExtraError without anywidget, SpecificationError for what has no live sheet.
        """
        # the page stands above the sheets in the house; a notebook asks for it by its name
        return import_module("handgrad.live.widget").live_widget(self)

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

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be said of the reading of a large table, after its steps were opened.

        >>> sheet = explain({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0]], "y": [[5.0]]},
        ... })
        >>> sheet.remarks
        ()
        """
        return (self.source.remark,) if isinstance(self.source, ModelSource) and self.source.remark else ()

    def __repr__(self) -> str:
        steps = f"step {self.first}" if self.first == self.last else f"steps {self.first} to {self.last}"
        return f"Worksheet({self.source.title!r}, {steps} of {self.source.total})"

    def __str__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/markdown": write("md", self.document).decode()}

    def __rich__(self) -> Text:
        return Text(self.text())  # not markup: W[1] is a weight


def _next(steps: Iterator[Trace]) -> Trace | None:
    """The next step, without warnings: what is beyond float64 stands in the quantities as such."""
    with np.errstate(all="ignore"):
        return next(steps, None)


def _spanning(source: Source, first: int, last: int) -> Source:
    """The source of these steps: of a network that gathers categories, what they see of it."""
    return source.spanning(first, last) if isinstance(source, ModelSource) else source


def _source(what: Any, data: Any, rows: str | None) -> Source:
    if isinstance(what, str | os.PathLike):
        path = Path(what)
        if path.suffix == ".safetensors":
            return ModelSource(Model.load(path), data, None if rows is None else Rows.parse(rows), path)
        what = Case.load(path)
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
