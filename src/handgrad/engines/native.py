"""The native engine: the equations of `nn` in fused C++, whole runs of steps in one call.

`HANDGRAD_THREADS` sets the number of threads, `HANDGRAD_ISA` (avx512, avx2, portable) the instruction set;
both are chosen by the machine and by the size of a step where they are not set.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from handgrad.engines.cpus import allowed_cores, cpu_share
from handgrad.engines.parts import multiplied, numbers_of, put, taken
from handgrad.engines.protocol import Forecast, Run, Stop
from handgrad.engines.reference import forecast
from handgrad.engines.shapes import check_parameters, check_samples
from handgrad.errors import MissingExtraError, ShapeError, SpecificationError
from handgrad.nn.arrays import Array
from handgrad.nn.network import LayerParameters, Network, Parameters
from handgrad.nn.optimizers import Optimizer, OptimizerState
from handgrad.nn.step import Recipe, Training

try:
    from handgrad import _native
except ImportError:  # built from source without a compiler: the reference engine does the work
    _native = None

# Floating-point operations of a step for each thread: with less, waiting for each other costs more than it
# brings (measured on two threads, quiet and busy).
ALONE = 4_000_000

DTYPES = (np.float32, np.float64)


_ROWS_A_CHUNK = 384  # that the core takes through all layers at once, at most


def available() -> bool:
    """True where the compiled core is installed.

    >>> from handgrad.engines import choose
    >>> available() == (choose("auto").name == "native")
    True
    """
    return _native is not None


def _core() -> Any:
    if _native is None:
        raise MissingExtraError("the native engine (no compiled core in this installation)", "native")
    return _native


def instruction_set() -> str:
    """Name of the instruction set that the kernels run with: avx512, avx2 or portable.

    Raises SpecificationError where HANDGRAD_ISA names one that is not known or that this machine lacks.
    """
    try:
        return str(_core().isa())
    except ValueError as error:
        raise SpecificationError(str(error)) from None


def thread_count(threads: int | None, operations: float = float("inf")) -> int:
    """Threads for a step of so many operations: `threads`, else HANDGRAD_THREADS, else by size.

    Never more than the CPUs that the process may use; by size not more than its cores or its share of CPU time either.

    >>> thread_count(1)
    1

    Raises SpecificationError for a number below 1.
    """
    wish = threads
    given = os.environ.get("HANDGRAD_THREADS")
    if wish is None and given:
        try:
            wish = int(given)
        except ValueError:
            raise SpecificationError(f"HANDGRAD_THREADS must be a whole number, got {given!r}") from None
    if wish is not None and wish < 1:
        raise SpecificationError(f"the number of threads must be at least 1, got {wish}")
    allowed = int(_core().allowed_cpus())
    if wish is not None:
        return min(wish, allowed)
    return max(1, int(min(operations / ALONE, allowed_cores(allowed), cpu_share())))


def evaluate(name: str, x: Array) -> Array:
    """One of the core's elementary functions on a float32 or float64 array; to measure their accuracy.

    >>> evaluate("tanh", np.zeros(1)).tolist() if available() else [0.0]
    [0.0]
    """
    x = np.ascontiguousarray(x)
    y = np.empty_like(x)
    _core().evaluate(name, x, y)
    return y


class NativeSession:
    """A training under way in the native core; see `handgrad.engines.protocol.Session`."""

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        training: Training,
        X: Array,
        Y: Array,
        seed: int,
        threads: int | None,
        path: str,
        weights: Array | None = None,
    ) -> None:
        self._network, self._recipe, self._seed = network, recipe, seed
        self._threads, self._wished_path = threads, path
        self._dtype = _dtype(training.parameters)
        self._X = np.ascontiguousarray(X, self._dtype)
        self._Y = np.ascontiguousarray(Y, self._dtype)
        self._weights = None if weights is None else np.ascontiguousarray(weights, self._dtype)
        check_samples(network, self._X, self._Y)
        check_parameters(network, training.parameters)
        self._beginning: Training | None = training  # until the first run says how large a batch is
        self._core: Any = None
        self._largest = 0

    @property
    def path(self) -> str:
        """Which way of sharing a step was chosen: tiny, sliced or tiled; empty before the first run."""
        return str(self._core.path) if self._core is not None else ""

    @property
    def threads(self) -> int:
        """Threads of this session, known from the first run on (0 before)."""
        return int(self._core.threads) if self._core is not None else 0

    @property
    def memory(self) -> int:
        """Bytes of the session's arena, known from the first run on (0 before)."""
        return int(self._core.bytes) if self._core is not None else 0

    def run(
        self, order: Array, batch_size: int, rates: Array, first_step: int, stop: Stop | None = None
    ) -> Run:
        """See `handgrad.engines.protocol.Session.run`; Ctrl-C and `stop` are seen every 0.05 s."""
        return self.run_epochs(order, max(1, len(order)), batch_size, rates, first_step, stop)

    def run_epochs(
        self,
        order: Array,
        epoch: int,
        batch_size: int,
        rates: Array,
        first_step: int,
        stop: Stop | None = None,
    ) -> Run:
        """See `handgrad.engines.protocol.EpochsSession.run_epochs`."""
        order = np.ascontiguousarray(order, np.int64)
        rates = np.ascontiguousarray(rates, np.float64)
        batch = max(1, min(int(batch_size), len(order)))
        # by the size that is meant, not by the batch that is left over: what is added up together depends on it
        planned = max(batch, min(int(batch_size), len(self._X)))
        if self._core is None or planned > self._largest:
            self._prepare(planned)
        epochs, rest = divmod(len(order), epoch)
        losses = np.empty(min(len(rates), epochs * -(-epoch // batch) + -(-rest // batch)))
        try:
            steps, failed = self._core.run(order, batch, rates, int(first_step), losses, stop, epoch)
        except IndexError:
            raise ShapeError(f"the order names rows outside the data of {len(self._X)} rows") from None
        return Run(losses[:steps], bool(failed))

    def training(self) -> Training:
        """A copy of the parameters and the optimizer's state as they stand."""
        if self._beginning is not None:
            return self._beginning
        slots = len(self._recipe.optimizer.slots)
        parameters, state = [], []
        for l, _ in self._network.numbered():
            pairs = [taken(self._core, self._network, l, slot, self._dtype) for slot in range(slots + 1)]
            parameters.append(LayerParameters(*pairs[0]))
            state.append((tuple(W for W, _ in pairs[1:]), tuple(b for _, b in pairs[1:])))
        return Training(tuple(parameters), OptimizerState(state))

    def predict(self, X: Array) -> Array:
        """Outputs for X (m, n_0) with the parameters as they stand, without dropout, shape (m, n_L)."""
        X = np.ascontiguousarray(X, self._dtype)
        check_samples(self._network, X, None)
        out = np.empty((len(X), self._network.outputs), self._dtype)
        if self._core is not None:
            self._core.predict(X, out, None, _threads_for(self._network, len(X), self.threads))
        else:
            Predictor(self._network, self.training().parameters, self._threads).write(X, out)
        return out

    def score(self, rows: Array) -> Forecast:
        """See `handgrad.engines.protocol.Session.score`; the rows and weights are used where they lie."""
        rows = np.ascontiguousarray(rows, np.int64)
        if self._core is None:
            weights = None if self._weights is None else self._weights[rows]
            return forecast(self._network, self.training().parameters, self._X[rows], self._Y[rows], weights)
        out = np.empty((len(rows), self._network.outputs), self._dtype)
        loss, _ = self._core.score(rows, out, _threads_for(self._network, len(rows), self.threads))
        return Forecast(out.astype(np.float64, copy=False), loss)

    def _prepare(self, batch: int) -> None:
        training = self.training()
        operations = 6.0 * batch * multiplied(self._network)
        threads = thread_count(self._threads, operations)
        core = _session(
            self._network, self._recipe, self._dtype, self._seed, threads, self._wished_path, batch, False
        )
        for l, _ in self._network.numbered():
            W, b = training.parameters[l - 1]
            W_state, b_state = training.state[l - 1]
            for slot, (part, bias) in enumerate(zip((W, *W_state), (b, *b_state), strict=True)):
                put(core, self._network, l, slot, part, bias, self._dtype)
        core.ready()
        core.data(self._X, self._Y, self._weights)
        self._core, self._largest, self._beginning = core, batch, None


class NativeEngine:
    """Starts `NativeSession`s; `path` (tiny, sliced, tiled) overrules the choice by size."""

    name = "native"

    def __init__(self, path: str = "automatic") -> None:
        if path not in (paths := _core().PATHS):
            raise SpecificationError(f"path must be one of {', '.join(paths)}, got {path!r}")
        self._path = path

    def start(
        self,
        network: Network,
        recipe: Recipe,
        training: Training,
        X: Array,
        Y: Array,
        seed: int,
        threads: int | None = None,
        weights: Array | None = None,
    ) -> NativeSession:
        """Takes data and a beginning; float32 parameters are trained in float32, float64 in float64.

        Raises SpecificationError for a mask given by hand, another precision or a network without loss: the
        reference engine takes those. Raises ShapeError for data that does not fit the network.
        """
        if network.loss is None:
            raise SpecificationError("the network has no loss; name one, for instance Loss('squared_error')")
        for l, layer in network.numbered():
            if layer.dropout is not None and layer.dropout.mask is not None:
                raise SpecificationError(
                    f"layer {l}: the native engine draws its dropout masks; for a mask given by hand take "
                    "engine='reference'"
                )
        return NativeSession(network, recipe, training, X, Y, seed, threads, self._path, weights)


def predict(network: Network, parameters: Parameters, X: Array, threads: int | None = None) -> Array:
    """Outputs for X (m, n_0), shape (m, n_L), by the kernels that train; no dropout.

    >>> from handgrad.nn.network import Dense
    >>> network = Network(2, [Dense(1, "relu", W=[[1.0, 2.0]], b=[0.5])])
    >>> x = np.array([[1.0, 1.0]])
    >>> predict(network, network.initial_parameters(), x).tolist() if available() else [[3.5]]
    [[3.5]]

    Raises ShapeError for an X that does not fit.
    """
    dtype = _dtype(parameters)
    X = np.ascontiguousarray(X, dtype)
    check_samples(network, X, None)
    check_parameters(network, parameters)
    out = np.empty((len(X), network.outputs), dtype)
    if not len(X):
        return out
    Predictor(network, parameters, threads).write(X, out)
    return out


class Predictor:
    """A network whose weights are laid out for prediction once; `threads` is how many it may take at most."""

    def __init__(self, network: Network, parameters: Parameters, threads: int | None = None) -> None:
        dtype = _dtype(parameters)
        self._network, self._most = network, thread_count(threads)
        rows = self._most * _ROWS_A_CHUNK
        self._core = _session(network, Recipe(), dtype, 0, self._most, "automatic", rows, True)
        for l, (W, b) in enumerate(parameters, 1):
            put(self._core, network, l, 0, W, b, dtype)
        self._core.ready()

    def write(self, X: Array, out: Array, Y: Array | None = None) -> tuple[float, bool]:
        """The outputs for X (m, n_0) into `out` (m, n_L), both of the parameters' dtype.

        Returns the loss where Y (m, n_L) is given, else 0, and whether X and the outputs are all finite.
        """
        found: tuple[float, bool] = self._core.predict(
            X, out, Y, _threads_for(self._network, len(X), self._most)
        )
        return found


def _threads_for(network: Network, rows: int, most: int) -> int:
    """Threads for so many rows, by what they cost."""
    return 1 if most == 1 else max(1, min(most, int(2.0 * rows * multiplied(network) / ALONE)))


def _session(
    network: Network,
    recipe: Recipe,
    dtype: Any,
    seed: int,
    threads: int,
    path: str,
    batch: int,
    predict_only: bool,
) -> Any:
    """The flat description that the core understands."""
    instruction_set()  # a clear error before anything is built
    layers = []
    for layer, width in zip(network.layers, (numbers_of(network), *network.sizes[1:]), strict=False):
        keep = layer.dropout.keep if layer.dropout is not None else 1.0
        layers.append(
            (
                width,
                layer.units,
                _known("activation", layer.function.name, _core().FUNCTIONS),
                float(layer.function.alpha or 0.0),
                layer.bias,
                layer.dropout is not None,
                float(keep),
            )
        )
    loss = ("none", 1.0, False, True, 0.0)
    if network.loss is not None:
        rule = network.loss
        loss = (
            _known("loss", rule.name, _core().LOSSES),
            float(rule.scale),
            rule.outputs == "mean",
            rule.samples == "mean",
            float(rule.threshold or 0.0),
        )
    penalties = recipe.regularization
    clipping = recipe.clipping
    return _core().Session(
        float64=dtype == np.float64,
        layers=layers,
        loss=loss,
        optimizer=_optimizer(recipe.optimizer),
        penalties=(float(penalties.l2), float(penalties.l1), penalties.form),
        clipping=(float(clipping.value or 0.0), float(clipping.norm or 0.0)),
        seed=seed & 0xFFFFFFFFFFFFFFFF,
        threads=threads,
        path=path,
        largest_batch=batch,
        predict_only=predict_only,
        gathered=list(network.gathered),
    )


def _optimizer(optimizer: Optimizer) -> tuple[str, dict[str, float], int]:
    """The rule by name, and its numbers by theirs; the learning rate comes with each step."""
    numbers = {
        name: float(value)
        for name, value in vars(optimizer).items()
        if isinstance(value, int | float) and name != "learning_rate"
    }
    return _known("optimizer", optimizer.rule, _core().RULES), numbers, len(optimizer.slots)


def _known(what: str, name: str, names: tuple[str, ...]) -> str:
    if name not in names:
        raise SpecificationError(
            f"the native engine does not know the {what} {name!r}; take engine='reference'"
        )
    return name


def _dtype(parameters: Parameters) -> Any:
    dtype = np.asarray(parameters[0].W).dtype
    if dtype not in (np.float32, np.float64):
        raise SpecificationError(
            f"the native engine computes in float32 or float64, got {dtype}; take engine='reference'"
        )
    return dtype
