"""What a model or a case is written as for other programs: one row for each format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from handgrad.cases.case import Case
from handgrad.errors import MissingExtraError, ModelError, SpecificationError
from handgrad.interop import c_header, numpy_program, onnx
from handgrad.models.model import Model
from handgrad.nn.arrays import Array
from handgrad.nn.network import Network
from handgrad.worksheets.case_steps import initial_training
from handgrad.worksheets.steps import Rows

GOLDEN_SAMPLES = 2


class Exported(NamedTuple):
    """The files by their paths, and what their reader must know."""

    files: dict[Path, bytes]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Wish:
    """What to write, where, and with which samples of which data."""

    what: Model | Case
    path: Path
    data: Any = None
    rows: str | None = None

    @property
    def model(self) -> Model:
        """The model. Raises SpecificationError for a case, which is written as a C header only."""
        if isinstance(self.what, Model):
            return self.what
        raise SpecificationError(
            f"{self.path}: a case is exported as a C header (.h) only; {self.path.suffix} takes a model"
        )


def encoding(model: Model) -> tuple[str, ...]:
    """What the reader of a bare network must know of its inputs and outputs."""
    if model.schema is None:
        return ()
    target = model.schema.target
    outputs = (
        f"the outputs are standardised: value = output * {target.deviations[0]:.6g} + {target.means[0]:.6g}"
        if target.is_regression
        else f"the outputs stand for {', '.join(str(classes) for classes in target.classes)}"
    )
    return (
        f"the network alone was written: its {model.network.inputs} inputs are the features after the schema's "
        f"scaling ({', '.join(model.schema.features[:4])}{', ...' if model.network.inputs > 4 else ''}); {outputs}",
    )


def _onnx(wish: Wish) -> Exported:
    written = onnx.write(wish.model)
    apart = onnx.difference(written, wish.model)
    checked = (
        "not checked: onnxruntime is not installed"
        if apart is None
        else f"checked by onnxruntime: its outputs differ by at most {apart:.1e} on 64 random samples (float32)"
    )
    return Exported({wish.path: written}, (checked, *encoding(wish.model)))


def _torch(wish: Wish) -> Exported:
    torch = _needed("PyTorch's state dict", "torch", "torch", "handgrad.interop.torch")
    shape = str(torch.sequential(wish.model)).replace("\n", " ").replace("  ", " ")
    note = f"load it with torch.load into {shape}, in float64"
    return Exported({wish.path: torch.write(wish.model)}, (note, *encoding(wish.model)))


def _keras(wish: Wish) -> Exported:
    keras = _needed("Keras's file", "keras", "keras", "handgrad.interop.keras")
    return Exported({wish.path: keras.write(wish.model)}, encoding(wish.model))


def _scikit_learn(wish: Wish) -> Exported:
    library = _needed("a scikit-learn estimator", "sklearn", "sklearn", "handgrad.interop.scikit_learn")
    note = "a pickle runs what it holds: load it (joblib.load) only where you know who wrote it"
    return Exported({wish.path: library.write(wish.model)}, (note, *encoding(wish.model)))


def _c(wish: Wish) -> Exported:
    name = wish.path.stem
    notes: tuple[str, ...] = ()
    if isinstance(wish.what, Case):
        case = wish.what
        if case.X is None:
            raise SpecificationError(f"{wish.path}: golden values need inputs, and the case has no data.x")
        network, parameters = case.network, initial_training(case).parameters
        X, Y, about = case.X, case.Y, case.title or name
    else:
        network, parameters = wish.what.network, wish.what.parameters
        X, Y, origin = _golden_samples(wish.what, wish.data, wish.rows)
        about = f"a network {'-'.join(map(str, network.sizes))}, {origin}."
        notes = (origin, *encoding(wish.what))
    made = c_header.files(network, parameters, X, Y, name, about)
    program = wish.path.with_name(f"{name}_test.c")
    return Exported({wish.path: made.header, program: made.program}, notes)


def _golden_samples(model: Model, data: Any, rows: str | None) -> tuple[Array, Array | None, str]:
    """Rows of the data where some were named, else random samples."""
    network = model.network
    if data is None and rows is None:
        generator = np.random.default_rng(0)
        X = generator.normal(size=(GOLDEN_SAMPLES, network.inputs))
        return (
            X,
            _random_targets(model),
            f"on {GOLDEN_SAMPLES} random samples (--rows takes rows of the data)",
        )
    chosen = Rows.parse(rows or f"0:{GOLDEN_SAMPLES}")
    seen = model.training_data(data)
    if chosen.last > len(seen.X):
        raise SpecificationError(f"rows {rows}: the data has the rows 0 to {len(seen.X) - 1}")
    part = slice(chosen.first, chosen.last)
    X, Y = np.asarray(seen.X[part], np.float64), np.asarray(seen.Y[part], np.float64)
    return (
        X,
        Y if network.loss is not None else None,
        f"on rows {chosen.first} to {chosen.last - 1} of its data",
    )


def _random_targets(model: Model) -> Array | None:
    network = model.network
    if network.loss is None:
        return None
    kind, shape = network.loss.targets, (GOLDEN_SAMPLES, network.outputs)
    drawn = np.random.default_rng(1).normal(size=shape)
    if kind.classes:
        return np.eye(network.outputs)[np.arange(GOLDEN_SAMPLES) % network.outputs]
    if kind.only:
        return np.where(drawn > 0, *reversed(kind.only))
    if kind.highest == 1:
        return np.arange(drawn.size).reshape(shape) % 2.0
    return np.abs(drawn.round()) if kind.lowest == 0 else drawn


def _program(wish: Wish) -> Exported:
    model = wish.model
    made = numpy_program.files(model, model.training_data(wish.data), wish.path.stem)
    note = f"python {wish.path.name} trains it again and compares; it needs NumPy and {wish.path.stem}.npz beside it"
    return Exported({wish.path: made.program, wish.path.with_suffix(".npz"): made.data}, (note,))


def _needed(what: str, extra: str, library: str, module: str) -> Any:
    """The module that needs an optional library. Raises MissingExtraError where that is not installed."""
    from importlib import import_module

    try:
        import_module(library)
        return import_module(module)
    except ImportError:
        raise MissingExtraError(what, extra) from None


FORMATS: dict[str, Callable[[Wish], Exported]] = {
    ".onnx": _onnx,
    ".pt": _torch,
    ".pth": _torch,
    ".keras": _keras,
    ".joblib": _scikit_learn,
    ".pkl": _scikit_learn,
    ".h": _c,
    ".py": _program,
}
"""By the suffix of the file."""


def exported(wish: Wish) -> Exported:
    """The files for a model or a case, by the suffix of the path.

    Raises SpecificationError for a suffix that is not among `FORMATS`, ModelError for a network that the format
    cannot hold, MissingExtraError where a library is missing.
    """
    row = FORMATS.get(wish.path.suffix.lower())
    if row is None:
        raise SpecificationError(
            f"{wish.path}: a model is exported as {', '.join(FORMATS)}; end the name in one of them"
        )
    if isinstance(wish.what, Model) and not wish.what.network.layers:
        raise ModelError("the model has no layer")
    return row(_multiplying(wish))


def _multiplying(wish: Wish) -> Wish:
    """The same for a network whose categories are inputs of 0 and 1: other programs gather no rows.

    Raises SpecificationError for the formats that bring data of the training along.
    """
    if not isinstance(wish.what, Model) or not wish.what.network.gathered:
        return wish
    if wish.path.suffix.lower() in (".h", ".py"):
        columns = (
            [column.name for column in wish.what.schema.columns if column.sparse] if wish.what.schema else []
        )
        raise SpecificationError(
            f"{wish.path}: the network takes a row of weights for each category"
            f"{' of ' + ', '.join(columns) if columns else ''}, which {wish.path.suffix} does not have; train with "
            "--encode COLUMN=effect or COLUMN=onehot"
        )
    fit = wish.what.fit
    network = Network(fit.network.inputs, fit.network.layers, fit.network.loss)
    return replace(wish, what=Model(replace(fit, network=network), wish.what.schema))
