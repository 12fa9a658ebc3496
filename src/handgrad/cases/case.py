"""A case: a network, data, an optimizer and claims, all given by hand.

>>> case = Case.from_dict({
...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
...     "data": {"x": [[3.0]], "y": [[5.0]]},
... })
>>> case.network.sizes
(1, 1)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from handgrad.cases.arrays import PER_SAMPLE, given_arrays, numbers, samples_of, shape_text, targets_of
from handgrad.cases.schema import (
    CaseKeys,
    ClaimKeys,
    InitializerKeys,
    L1Keys,
    L2Keys,
    LayerKeys,
    NetworkKeys,
    NotationKeys,
    OptimizerKeys,
    RegularizationKeys,
    TrainingKeys,
    parse_case,
    read_case_file,
)
from handgrad.errors import CaseError, HandgradError
from handgrad.nn.arrays import Array
from handgrad.nn.clipping import Clipping
from handgrad.nn.initializers import Initializer
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import OPTIMIZERS
from handgrad.nn.regularization import Regularization
from handgrad.nn.schedules import Schedule
from handgrad.nn.step import Recipe
from handgrad.training.plan import Plan, Step
from handgrad.worked.rounding import Rounding

MOST_STEPS = 10_000_000

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Case:
    """Everything of a case file, checked and built.

    `X` (samples, inputs) and `Y` (samples, outputs) are float64, None where the case has none; `recipe` is None
    where there is no optimizer; `given` holds the quantities that are taken as they are.

    >>> case = Case.from_dict({
    ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
    ...     "data": {"x": [[3.0], [1.0]], "y": [[5.0], [2.0]]},
    ... })
    >>> case.steps, case.samples
    (1, 2)
    """

    network: Network
    title: str = ""
    source: str = ""
    X: Array | None = None
    Y: Array | None = None
    given: Mapping[str, Array] = field(default_factory=dict)
    recipe: Recipe | None = None
    regularization: Regularization = field(default_factory=Regularization)
    plan: Plan = field(default_factory=lambda: Plan(batch_size=None, shuffle=False))
    steps: int = 1
    rounding: Rounding = field(default_factory=Rounding)
    notation: NotationKeys = field(default_factory=NotationKeys)
    claims: tuple[ClaimKeys, ...] = ()
    keys: CaseKeys | None = None
    """What the case was built of, as it was written."""

    @classmethod
    def load(cls, path: str | Path) -> Case:
        """A case from a TOML or JSON file.

        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "case.toml"
        ...     _ = path.write_text("[network]\\ninputs = 1\\n[[network.layers]]\\nunits = 3")
        ...     Case.load(path).network.sizes
        (1, 3)

        Raises CaseError naming the file, the key, what it holds and what is expected.
        """
        path = Path(path)
        return build_case(read_case_file(path), str(path))

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Case:
        """A case from a dictionary with the keys of a case file; raises CaseError as `load` does.

        >>> Case.from_dict({"network": {"inputs": 1, "layers": [{"units": 3}]}}).network.sizes
        (1, 3)
        """
        return build_case(parse_case(dict(document)), "case")

    @property
    def symbolic(self) -> bool:
        """True for a network without data and without given quantities: a sheet of formulas.

        >>> Case.from_dict({"network": {"inputs": 1, "layers": [{"units": 3}]}}).symbolic
        True
        """
        return self.X is None and self.Y is None and not self.given

    @property
    def samples(self) -> int:
        """Number of samples in the data; 1 where there is none.

        >>> case = Case.from_dict({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0], [1.0]], "y": [[5.0], [2.0]]},
        ... })
        >>> case.samples
        2
        """
        return _samples(self.X, self.given)

    def planned(self, first: int = 1, last: int | None = None) -> Iterator[Step]:
        """Epoch, batch, rows and rate of each step from `first` to `last`; the rate is 0 without an optimizer.

        >>> case = Case.from_dict({
        ...     "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[2.0]]}]},
        ...     "data": {"x": [[3.0], [1.0]], "y": [[5.0], [2.0]]},
        ... })
        >>> [step.rows.tolist() for step in case.planned()]
        [[0, 1]]
        """
        rate = 0.0 if self.recipe is None else self.recipe.optimizer.learning_rate
        last = self.steps if last is None else last
        return self.plan.steps(first, last, np.arange(self.samples, dtype=np.int64), rate)


def load_case(path: str | Path) -> Case:
    """A case from a TOML or JSON file; see `Case.load`."""
    return Case.load(path)


def build_case(keys: CaseKeys, place: str) -> Case:
    """The case that the keys describe; `place` (the file) stands at the head of every error message."""
    network = _at(place, "network", lambda: _network(keys.network, keys.training.seed, place))
    X = samples_of(keys.data.x, network.inputs, f"{place}: data.x", "inputs")
    Y = targets_of(keys.data.y, network, X, f"{place}: data.y")
    regularization = _at(place, "regularization", lambda: _regularization(keys.regularization))
    given = given_arrays(keys.given, network, place)
    optimizer, plan = keys.optimizer, _plan(keys, place)
    rounding = _at(
        place,
        "rounding",
        lambda: Rounding(
            keys.rounding.digits, keys.rounding.carry, tuple(sorted(keys.rounding.quantities.items()))
        ),
    )
    case = Case(
        network=network,
        title=keys.title,
        source=keys.source,
        X=X,
        Y=Y,
        recipe=None
        if optimizer is None
        else _at(place, "optimizer", lambda: _recipe(optimizer, regularization)),
        regularization=regularization,
        plan=plan,
        steps=_steps(keys.training, place, plan.steps_per_epoch(_samples(X, given))),
        rounding=rounding,
        notation=keys.notation,
        claims=tuple(keys.claims),
        keys=keys,
        given=given,
    )
    if case.steps > 1 and case.recipe is None:
        raise CaseError(
            f"{place}: training: {case.steps} steps need an [optimizer]; add one, or leave one step"
        )
    _check_enough(case, place)
    return case


def _at(place: str, key: str, build: Callable[[], T]) -> T:
    """What `build` gives, with the place at the head of its errors."""
    try:
        return build()
    except CaseError:
        raise
    except HandgradError as error:
        raise CaseError(f"{place}: {key}: {error}") from error


def _network(keys: NetworkKeys, training_seed: int | None, place: str) -> Network:
    seed = keys.seed if keys.seed is not None else training_seed or 0
    if seed < 0:
        raise CaseError(f"{place}: network.seed: must be a whole number >= 0, got {seed}")
    if keys.inputs < 1:
        raise CaseError(f"{place}: network.inputs: must be a whole number >= 1, got {keys.inputs}")
    if not keys.layers:
        raise CaseError(
            f"{place}: network.layers: a network needs at least one layer; add [[network.layers]]"
        )
    generator = np.random.default_rng(seed)
    layers = []
    width = keys.inputs
    for number, layer in enumerate(keys.layers):
        key = f"network.layers[{number}]"
        layers.append(_at(place, key, partial(_layer, layer, width, generator, f"{place}: {key}")))
        width = layer.units
    loss = (
        keys.loss if not isinstance(keys.loss, str) else _at(place, "network.loss", partial(Loss, keys.loss))
    )
    return Network(keys.inputs, layers, loss)


def _layer(keys: LayerKeys, inputs: int, generator: np.random.Generator, place: str) -> Dense:
    initializer: Initializer | str | None = keys.initializer
    own_seed = None
    if isinstance(initializer, InitializerKeys):
        own_seed = initializer.seed
        initializer = Initializer(initializer.name, initializer.distribution, initializer.scale)
    W = None if keys.W is None else numbers(keys.W, f"{place}.W")
    b = None if keys.b is None else numbers(keys.b, f"{place}.b")
    if b is not None and b.ndim == 0:
        b = np.full(keys.units, float(b))
    if b is not None and b.ndim == 2 and 1 in b.shape:
        b = b.reshape(-1)
    if W is not None and (W.ndim != 2 or W.shape != (keys.units, inputs)):
        raise CaseError(
            f"{place}.W: expected shape (units, inputs) = ({keys.units}, {inputs}), one row per unit, "
            f"got {shape_text(W)}"
        )
    if b is not None and b.shape != (keys.units,):
        raise CaseError(f"{place}.b: expected {keys.units} numbers, one per unit, got {shape_text(b)}")
    make = partial(
        Dense, keys.units, keys.activation, b=b, initializer=initializer, bias=keys.bias, dropout=keys.dropout
    )
    layer = make(W=W)
    if W is not None:
        return layer
    assert isinstance(layer.initializer, Initializer)
    if keys.units * inputs > 100_000_000:
        raise CaseError(f"{place}: {keys.units} x {inputs} weights are too many for a hand calculation")
    if own_seed is not None and own_seed < 0:
        raise CaseError(f"{place}.initializer.seed: must be a whole number >= 0, got {own_seed}")
    source = generator if own_seed is None else np.random.default_rng(own_seed)
    return make(W=layer.initializer.draw(source, keys.units, inputs))


def _regularization(keys: RegularizationKeys) -> Regularization:
    l2, l1 = keys.l2, keys.l1
    return Regularization(
        l2=l2.strength if isinstance(l2, L2Keys) else l2,
        l1=l1.strength if isinstance(l1, L1Keys) else l1,
        form=l2.form if isinstance(l2, L2Keys) else "half",
    )


def _recipe(keys: OptimizerKeys, regularization: Regularization) -> Recipe:
    rule = OPTIMIZERS[keys.__struct_config__.tag]
    optimizer = rule(**{field.name: getattr(keys, field.name) for field in fields(rule)})
    return Recipe(optimizer, regularization, Clipping(keys.clip_value, keys.clip_norm))


def _schedule(keys: OptimizerKeys | None) -> Schedule:
    if keys is None or keys.schedule is None:
        return Schedule()
    return keys.schedule if isinstance(keys.schedule, Schedule) else Schedule(keys.schedule)


def _samples(X: Array | None, given: Mapping[str, Array]) -> int:
    if X is not None:
        return int(X.shape[0])
    return next((int(v.shape[0]) for k, v in given.items() if PER_SAMPLE.fullmatch(k)), 1)


def _steps(keys: TrainingKeys, place: str, per_epoch: int) -> int:
    if keys.steps is not None and keys.epochs is not None:
        raise CaseError(f"{place}: training: give steps or epochs, not both")
    if keys.seed is not None and keys.seed < 0:
        raise CaseError(f"{place}: training.seed: must be a whole number >= 0, got {keys.seed}")
    steps = keys.steps if keys.steps is not None else 1
    if keys.epochs is not None:
        steps = keys.epochs * per_epoch
    if not 1 <= steps <= MOST_STEPS:
        key = "steps" if keys.epochs is None else "epochs"
        raise CaseError(f"{place}: training.{key}: must give 1 to {MOST_STEPS:,} steps, got {steps}")
    return steps


def _plan(keys: CaseKeys, place: str) -> Plan:
    asked = keys.training
    if asked.batch_size != "full" and asked.batch_size < 1:
        raise CaseError(f'{place}: training.batch_size: must be at least 1 or "full", got {asked.batch_size}')
    size = None if asked.batch_size == "full" else asked.batch_size
    schedule = _at(place, "optimizer.schedule", lambda: _schedule(keys.optimizer))
    return _at(
        place,
        "training",
        lambda: Plan(batch_size=size, shuffle=asked.shuffle, seed=asked.seed or 0, schedule=schedule),
    )


def _check_enough(case: Case, place: str) -> None:
    """A case needs data, or the gradients of every layer; with nothing at all it is a sheet of formulas."""
    if case.Y is not None and case.network.loss is None:
        raise CaseError(f'{place}: network.loss is missing; data.y needs one, for instance "squared_error"')
    if case.X is not None or case.symbolic:
        return
    outputs_given = "yhat" in case.given or f"a{case.network.depth}" in case.given
    if outputs_given:
        return
    for l, layer in case.network.numbered():
        wanted = [f"dW{l}"] if layer.bias in ("none", "frozen") else [f"dW{l}", f"db{l}"]
        for name in wanted:
            if name not in case.given:
                raise CaseError(
                    f"{place}: data.x is missing; give it, or give every gradient under [given] "
                    f"({name} is not there)"
                )
