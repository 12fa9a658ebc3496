"""`load` and `explain` for everything that can be read: cases, our models, and those of other libraries."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, Unpack

import numpy as np

from handgrad.cases.case import Case
from handgrad.errors import ModelError, ShapeError, SpecificationError
from handgrad.interop import onnx
from handgrad.interop.foreign import Foreign, Standing, targets
from handgrad.models.model import Model
from handgrad.nn.arrays import Array
from handgrad.nn.forward import Masks
from handgrad.nn.losses import Loss
from handgrad.nn.optimizers import Optimizer, OptimizerState, initial_state
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe, Training
from handgrad.training.history import Fit
from handgrad.worked.rounding import Rounding
from handgrad.worked.trace import Trace, trace_step
from handgrad.worksheets import worksheet
from handgrad.worksheets.choices import Choices
from handgrad.worksheets.worksheet import Worksheet

READERS = {
    "sklearn": "handgrad.interop.scikit_learn",
    "torch": "handgrad.interop.torch",
    "keras": "handgrad.interop.keras",
    "equinox": "handgrad.interop.jax",
    "flax": "handgrad.interop.jax",
    "onnx": "handgrad.interop.onnx",
}
"""The library of a model's class, and who reads it."""

OURS = (Case, Fit, Model, Mapping, str, os.PathLike)


def reader_of(model: Any) -> ModuleType | None:
    """The module that reads the model, by the library of its class or of one that it is derived from."""
    libraries = [kind.__module__.partition(".")[0] for kind in type(model).__mro__]
    home = next((READERS[library] for library in libraries if library in READERS), None)
    return None if home is None else import_module(home)


def read(model: Any) -> Foreign:
    """A model of another library as a network of ours.

    Raises ModelError for one that cannot be read; it names the part that is not known.
    """
    reader = reader_of(model)
    if reader is None:
        raise ModelError(
            f"a {type(model).__name__} cannot be read; known are models of scikit-learn, PyTorch, Keras, flax, "
            "equinox and ONNX"
        )
    foreign: Foreign = reader.read(model)
    return foreign


def load(what: Any) -> Model:
    """A model: of a .safetensors file that handgrad wrote, of an .onnx file, or of another library's object.

    A model from elsewhere predicts, is drawn, saved and evaluated like one of handgrad's; it has no training of
    its own. Its weights are kept in float64.

    >>> import numpy as np
    >>> from sklearn.neural_network import MLPRegressor
    >>> X = np.eye(3)
    >>> theirs = MLPRegressor(hidden_layer_sizes=4, solver="lbfgs", random_state=0).fit(X, [1.0, 2.0, 3.0])
    >>> bool(np.allclose(load(theirs).predict(X)[:, 0], theirs.predict(X)))
    True

    Raises ModelError for a file or an object that cannot be read; it names the part that is not known.
    """
    if isinstance(what, Model):
        return what
    if _is_estimator(what):
        own: Model = what.to_model()
        return own
    if isinstance(what, str | os.PathLike):
        return onnx.load(what).model() if onnx.is_onnx(what) else Model.load(what)
    return read(what).model()


def explain(
    what: Any,
    *,
    step: int | tuple[int, int] | None = None,
    data: Any = None,
    rows: str | None = None,
    loss: Any = None,
    optimizer: Any = None,
    **choices: Unpack[Choices],
) -> Worksheet:
    """Opens the steps of a case, a `Fit` or a model of handgrad's, or the next step of another library's model.

    For handgrad's own, see `handgrad.worksheets.worksheet.explain`: `step` counted from 1, `data`, `rows`, and
    how the sheet is shown: `detail`, `digits`, `significant`, `digits_of`, `carry`, `parts`, `language`,
    `layer_notation`, `names`, `first_index`, `orientation`, `layers`, `neuron`, `sample`.

    For a scikit-learn MLP, a torch.nn.Sequential, a keras.Sequential, an equinox or flax network or an .onnx
    file, `data` is the batch (X, y), or X alone for a forward pass. `loss` is the library's own or a
    `handgrad.Loss`; without it the one that the estimator or the compiled model has, else the usual one of the
    output activation. `optimizer` is the library's own with its state, or one of handgrad's that begins: the sheet is
    the step that it takes on this batch. Without it the sheet ends with the gradients.

    >>> sheet = explain({
    ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
    ...     "data": {"x": [[3.0]], "y": [[5.0]]},
    ... })
    >>> float(sheet.quantities()["loss"])
    1.0

    Raises ModelError for a model or an optimizer with a part that is not known here, otherwise as
    `handgrad.worksheets.worksheet.explain`.
    """
    path = isinstance(what, str | os.PathLike) and onnx.is_onnx(what)
    if isinstance(what, OURS) and not path:
        if loss is not None or optimizer is not None:
            raise SpecificationError(
                "loss and optimizer belong to a model of another library; a case or a model of handgrad's has its own"
            )
        return worksheet.explain(what, step=step, data=data, rows=rows, **choices)
    if _is_estimator(what):
        X, y = data if isinstance(data, tuple) and len(data) == 2 else (data, None)
        sheet: Worksheet = what.explain(X, y, step=step, **choices)
        return sheet
    if step is not None or rows is not None:
        raise SpecificationError(
            "step and rows belong to a training of handgrad's; of another library's model the next step is opened, on "
            "the batch data=(X, y)"
        )
    source = _source(what, onnx.load(what) if path else read(what), data, loss, optimizer)
    return Worksheet(source, source.total, source.total, chosen=True).with_choices(**choices)


def _is_estimator(what: Any) -> bool:
    """True for an estimator of `handgrad.sklearn`."""
    return type(what).__module__ in ("handgrad.sklearn", "handgrad.estimators.tables")


class NextStep:
    """The next step of another library's training; see `worksheets.steps.Source`."""

    source = ""
    rounding = Rounding()

    def __init__(
        self,
        foreign: Foreign,
        standing: Standing | None,
        X: Array,
        Y: Array | None,
        masks: Masks | None = None,
        given: Mapping[str, Array] | None = None,
    ) -> None:
        self.network = foreign.network
        self.title = f"{foreign.maker} ({'-'.join(map(str, self.network.sizes))})"
        self.recipe: Recipe | None = None if standing is None else standing.recipe
        self.regularization = Regularization() if standing is None else standing.recipe.regularization
        self.total = 1 if standing is None else standing.t
        self._state = OptimizerState() if standing is None else standing.state
        self._X, self._Y, self._masks, self._given = X, Y, masks, given

    def traces(self, first: int, last: int) -> Iterator[Trace]:
        training = Training(self.network.initial_parameters(), self._state)
        rate = 0.0 if self.recipe is None else self.recipe.optimizer.learning_rate
        yield trace_step(
            self.network,
            self.recipe,
            training,
            self._X,
            self._Y,
            last,
            rate,
            self._masks,
            regularization=self.regularization,
            given=self._given,
            rows=tuple(range(len(self._X))),
        )


def _source(what: Any, foreign: Foreign, data: Any, loss: Any, optimizer: Any) -> NextStep:
    reader = reader_of(what)
    X, y = data if isinstance(data, tuple) and len(data) == 2 else (data, None)
    if X is None:
        raise SpecificationError("give the batch that the sheet is of, as in data=(X, y)")
    foreign = _under_loss(reader, what, foreign, loss)
    if y is not None:
        foreign = foreign.with_usual_loss()
    X = _matrix(foreign, _as_array(reader, X))
    Y = None if y is None else _encoded(reader, what, foreign, _as_array(reader, y))
    if Y is not None and Y.shape != (len(X), foreign.network.outputs):
        raise ShapeError(f"y must have shape ({len(X)}, {foreign.network.outputs}), got {Y.shape}")
    return NextStep(foreign, _standing(reader, what, foreign, optimizer, Y), X, Y)


def _as_array(reader: ModuleType | None, values: Any) -> Array:
    convert = None if reader is None else vars(reader).get("as_array")
    return np.asarray(values) if convert is None else convert(values)


def _matrix(foreign: Foreign, X: Array) -> Array:
    X = np.asarray(X, np.float64)
    X = X.reshape(1, -1) if X.ndim == 1 else X
    if X.ndim != 2 or X.shape[1] != foreign.network.inputs:
        raise ShapeError(f"X must have shape (samples, {foreign.network.inputs}), got {X.shape}")
    return X


def _encoded(reader: ModuleType | None, what: Any, foreign: Foreign, y: Array) -> Array:
    encode = None if reader is None else vars(reader).get("encoded")
    return targets(foreign.network, y) if encode is None else encode(what, y)


def _under_loss(reader: ModuleType | None, what: Any, foreign: Foreign, loss: Any) -> Foreign:
    if loss is None and reader is not None and reader.__name__.endswith(".keras"):
        loss = getattr(what, "loss", None)  # of a compiled model
    if loss is None:
        return foreign
    if isinstance(loss, Loss):
        return foreign.with_loss(loss)
    read = None if reader is None else vars(reader).get("with_loss")
    if read is None:
        raise SpecificationError(f"loss must be a handgrad.Loss for this model, got {loss!r}")
    under: Foreign = read(foreign, loss)
    return under


def _standing(
    reader: ModuleType | None, what: Any, foreign: Foreign, optimizer: Any, Y: Array | None
) -> Standing | None:
    """Where the training stands; None where nothing is updated."""
    if Y is None:
        return None
    if isinstance(optimizer, Optimizer):
        return Standing(Recipe(optimizer), initial_state(optimizer, foreign.network.initial_parameters()), 1)
    name = "" if reader is None else reader.__name__.rpartition(".")[2]
    if name == "scikit_learn" and optimizer is None and reader is not None:
        standing: Standing | None = reader.standing(foreign, what)
        return standing
    if optimizer is None:
        return None
    read = None if reader is None else vars(reader).get("standing")
    if read is None:
        raise SpecificationError(
            f"optimizer must be one of handgrad's for this model, got {type(optimizer).__name__}"
        )
    if foreign.drops_now:
        raise ModelError(
            f"{foreign.maker}: the dropout masks of a step to come are drawn by its own generator, and nobody knows "
            "them; switch dropout off (model.eval()), or record the step with handgrad.watch"
        )
    found: Standing = read(foreign, optimizer, what)
    return found
