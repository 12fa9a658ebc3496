"""`handgrad diagram`: the network of a case or of a trained model as a figure."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from handgrad.cli.consoles import print_line
from handgrad.cli.outputs import Force, Output, check_outputs
from handgrad.diagram import DrawingOptions, Scene, draw
from handgrad.diagram.captions import captions_in
from handgrad.errors import SpecificationError
from handgrad.files import is_stream, write_whole
from handgrad.nn.arrays import Array
from handgrad.nn.forward import Activity
from handgrad.nn.network import LayerParameters, Parameters
from handgrad.render.typst.raster import FORMATS, picture
from handgrad.rich_repr import printable
from handgrad.worked.trace import Trace
from handgrad.worksheets.steps import ModelSource
from handgrad.worksheets.worksheet import Worksheet
from handgrad.worksheets.worksheet import explain as open_worksheet
from handgrad.writing.letter_parts import Notation
from handgrad.writing.phrasebook import Phrasebook, chosen_language, decimal_mark

VALUES = ("weights", "gradients")


def diagram(
    what: Annotated[Path, typer.Argument(metavar="CASE|MODEL", help="A case (.toml, .json) or a model.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="net.svg, net.png or net.pdf; without it SVG is printed."),
    ] = None,
    values: Annotated[str, typer.Option(help="On the connections: weights or gradients.")] = "weights",
    sample: Annotated[
        int | None, typer.Option(help="Put the activations of this sample (from 1) into the neurons.")
    ] = None,
    step: Annotated[
        int | None, typer.Option(help="Parameters before this step (from 1); a model's are its last.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="For a model: the table it was trained on.")] = None,
    rows: Annotated[
        str | None, typer.Option(help="For a model: rows of the table, N or A:B, from 0.")
    ] = None,
    most_units: Annotated[int, typer.Option(help="Neurons drawn of a layer; the rest become dots.")] = 10,
    numbers: Annotated[
        bool, typer.Option("--numbers/--widths", help="A number on every connection where there is room.")
    ] = True,
    digits: Annotated[int, typer.Option(min=1, max=17, help="Significant digits.")] = 3,
    notation: Annotated[
        str | None, typer.Option(help="Layer index: bracket, superscript or subscript.")
    ] = None,
    names: Annotated[str | None, typer.Option(help="Letters: az, hy, xyz or capital.")] = None,
    first_index: Annotated[int | None, typer.Option(help="Entries are counted from 1 or from 0.")] = None,
    language: Annotated[
        str | None, typer.Option(help="Language of the words: en, bn; otherwise that of the locale.")
    ] = None,
    force: Force = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Do not name the file that was written.")
    ] = False,
) -> None:
    """Draw the network: inputs green, hidden layers blue, outputs red, weights on the connections.

    Example: handgrad diagram examples/relu-sigmoid-2-2-1.toml -o net.svg

    Example: handgrad diagram penguins.safetensors --values gradients --step 40 -o net.png
    """
    if values not in VALUES:
        raise SpecificationError(f"--values must be one of {', '.join(VALUES)}, got {values!r}")
    form = _form(output)
    outputs = [] if output is None else [Output("-o", output, (f".{form}",))]
    check_outputs(outputs, reads=[what, data], force=force)
    worksheet = open_worksheet(
        what,
        step=step,
        data=data,
        rows=rows,
        layer_notation=notation,
        names=names,
        first_index=first_index,
        language=language,
    )
    check_outputs(outputs, reads=worksheet.reads(), force=force)
    needs_trace = values == "gradients" or sample is not None or step is not None
    drawn = _Drawn(what, worksheet, needs_trace)
    spoken = chosen_language(language)
    chosen = worksheet.settings.notation or Notation()
    scene = draw(
        drawn.network,
        drawn.parameters,
        activity=None if sample is None else drawn.activity(sample),
        gradients=drawn.gradients() if values == "gradients" else None,
        options=DrawingOptions(
            sample=0 if sample is None else sample - 1,
            digits=digits,
            most_units=most_units,
            numbers=numbers,
            notation=replace(chosen, decimal=decimal_mark(spoken)),
            captions=captions_in(Phrasebook(spoken), drawn.network),
            inputs=drawn.names,
            outputs=drawn.classes,
        ),
    )
    if output is None:
        sys.stdout.write(scene.svg())
        return
    path = write_whole(output, _written(scene, form))
    if not (quiet or is_stream(output)):
        print_line(f"wrote {path}")


def _form(output: Path | None) -> str:
    form = "svg" if output is None else output.suffix.lower().removeprefix(".")
    if form not in ("svg", *FORMATS):
        raise SpecificationError(
            f"{output}: a figure is written as .svg, .png or .pdf; name such a file with -o"
        )
    return form


def _written(scene: Scene, form: str) -> bytes:
    if form == "svg":
        return scene.svg().encode()
    return picture(scene, form, scene.title)


class _Drawn:
    """What there is to draw: parameters, and the quantities of a step where one is asked for."""

    def __init__(self, what: Path, worksheet: Worksheet, needs_trace: bool) -> None:
        source = worksheet.source
        if needs_trace and isinstance(source, ModelSource):
            source = source.spanning(worksheet.first, worksheet.last)
        self.what, self.network = what, source.network
        self.names, self.classes = _names(source) if isinstance(source, ModelSource) else ((), ())
        self.trace: Trace | None = None
        self.parameters: Parameters
        if needs_trace:
            self.trace = next(worksheet.traces())
            self.parameters = self.trace.before.parameters
        elif isinstance(source, ModelSource):
            self.parameters = source.model.parameters
        else:
            self.parameters = source.network.initial_parameters()

    def activity(self, sample: int) -> Activity:
        """What each neuron puts out, by the quantities of the step."""
        layers = range(1, self.network.depth + 1)
        A = (self._quantity("x"), *(self._quantity(f"a{l}", "yhat") for l in layers))
        if not 1 <= sample <= A[0].shape[0]:
            raise SpecificationError(f"--sample {sample}: the batch has the samples 1 to {A[0].shape[0]}")
        return Activity(A, A, A, (None,) * len(A))

    def gradients(self) -> Parameters:
        """dW and db of the step; a bias that is not trained has none, drawn as 0."""
        assert self.trace is not None
        quantities = self.trace.quantities
        return tuple(
            LayerParameters(
                self._quantity(f"dW{l}"), quantities.get(f"db{l}", 0.0 * self.parameters[l - 1].b)
            )
            for l in range(1, self.network.depth + 1)
        )

    def _quantity(self, name: str, last: str = "") -> Array:
        assert self.trace is not None
        quantities = self.trace.quantities
        if name not in quantities and name == f"a{self.network.depth}":
            name = last
        if name not in quantities:
            raise SpecificationError(
                f"{self.what}: step {self.trace.number} has no {name}; give it the data it needs"
            )
        return quantities[name]


def _names(source: ModelSource) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the inputs and the outputs, where there is one for each neuron."""
    model, network = source.model, source.network
    if model.schema is None:
        return (), ()
    features = tuple(map(printable, source.names))
    classes = (
        tuple(map(printable, model.schema.target.classes[0])) if len(model.schema.target.classes) == 1 else ()
    )
    return (
        features if len(features) == network.inputs else (),
        classes if len(classes) == network.outputs else (),
    )
