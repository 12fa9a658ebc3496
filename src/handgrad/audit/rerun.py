"""The steps of a case, run again: as they are, with somebody's numbers carried forward, or with a mistake in them.

Every run goes through the equations of `nn`, shown to a recorder. A carried number takes the place of what the
equation gave, and both are kept; a rewriting is a mistake: it gives another value where a quantity comes to be.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from handgrad.cases.case import Case
from handgrad.engines import choose
from handgrad.nn.arrays import Array
from handgrad.nn.forward import Masks, dropout_masks
from handgrad.nn.network import Network
from handgrad.nn.observe import Observer
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe, Training, training_step
from handgrad.training.plan import Step
from handgrad.worked.trace import Recorder, trace_step
from handgrad.worksheets.case_steps import initial_training

Numbers = Mapping[str, Array]
"""Quantities by name. In carried ones an entry that was not printed is NaN."""


_WORTH_AN_ENGINE = 50  # steps; fewer are taken by the equations themselves
_BREADTH = 1e-6  # of a unit: 0.285 is stored below itself


class Moment(NamedTuple):
    """What a rewriting may look at: the step, and the quantities that came before (`q`)."""

    network: Network
    recipe: Recipe | None
    regularization: Regularization
    before: Training
    masks: Masks | None
    number: int
    rate: float
    q: Mapping[str, Array]
    own: Mapping[str, Array]
    """What the equations gave before anything took its place."""


Rewrite = Callable[[Moment, Array], Array]


Gaps = dict[tuple[object, ...], tuple[Training, object]]
"""Where stretches of training in which nobody looks have led, by where they began: the same stretch is run once."""


@dataclass(frozen=True, eq=False)
class World:
    """A way to run a case: which case, what is carried (by step), what is rewritten, what is rounded.

    `digits` rounds what is not carried to so many decimals; `chained` takes delta of the outputs from a carried
    dyhat by the chain rule, in place of its short form; `single` computes in single precision. `mixed`, a seed, goes
    on now with the rounded and now with the unrounded result, as it comes; `cutting` cuts digits off.
    """

    case: Case
    carried: Mapping[int, Numbers] = field(default_factory=dict)
    rewrites: Mapping[str, Rewrite] = field(default_factory=dict)
    digits: int | None = None
    chained: bool = False
    single: bool = False
    mixed: int | None = None
    cutting: bool = False
    gaps: Gaps = field(default_factory=dict)

    @property
    def skips(self) -> bool:
        """True where a step in which nothing is carried and nobody looks needs no trace."""
        whole = self.case.X is not None and self.case.Y is not None and not self.case.given
        return whole and self.digits is None and not self.single


class Seen(NamedTuple):
    """A step of a run: `quantities` as the run went on with them, `raw` as the equations gave them."""

    quantities: dict[str, Array]
    raw: dict[str, Array]
    before: Training

    def equation(self, name: str) -> Array | None:
        """What the equation of this quantity gave, from whatever was carried into it."""
        found = self.raw.get(name)
        return self.quantities.get(name) if found is None else found


class Auditor(Recorder):
    """Keeps what each equation gave; then rewrites, carries and rounds."""

    def __init__(self, world: World, given: Numbers, carried: Numbers) -> None:
        super().__init__(given)
        self.raw: dict[str, Array] = {}
        self.own: dict[str, Array] = {}
        self._world, self._carried = world, carried
        self._fused = not (world.chained and "dyhat" in carried)
        self.rounds = world.digits is not None
        self._random = None if world.mixed is None else np.random.default_rng(world.mixed)
        self._shorten = cut_off if world.cutting else rounded
        self.moment: Moment | None = None

    def __call__(self, name: str, value: Array) -> Array:
        """The value to go on with; what the equation gave is kept beside it."""
        if name in self.values_given:
            return super().__call__(name, value)
        self.own[name] = value
        rewrite = self._world.rewrites.get(name)
        if rewrite is not None and self.moment is not None:
            value = rewrite(self.moment, value)
        self.raw[name] = value
        self.quantities[name] = used = self._used(name, value)
        return used

    def _used(self, name: str, value: Array) -> Array:
        """The printed number where there is one, else the result, rounded where that is asked for."""
        keeps = self._random is not None and self._random.random() < 1 / 2
        printed, digits = self._carried.get(name), self._world.digits
        if keeps and (printed is None or _near(value, printed, digits)):
            return value
        if digits is not None and not name.startswith("mask"):
            value = self._shorten(value, digits)
        return value if printed is None else np.where(np.isnan(printed), value, printed)

    def given(self, name: str) -> bool:
        """True for what was given or carried; of dyhat only where delta is to be taken from it."""
        carried = name in self._carried and not (name == "dyhat" and self._fused)
        return carried or name in self.values_given


def _near(value: Array, printed: Array, digits: int | None) -> bool:
    """True where the printed numbers may well stand for the value."""
    unit = 0.0 if digits is None else 10.0**-digits
    return bool(np.all(np.isnan(printed) | (np.abs(printed - value) <= unit)))


def cut_off(values: Array, digits: int) -> Array:
    """Each entry without what stands after so many decimals.

    >>> cut_off(np.array([0.289, -0.289]), 2).tolist()
    [0.28, -0.28]
    """
    scale = 10.0**digits
    with np.errstate(all="ignore"):
        whole = np.floor(np.abs(values) * scale + _BREADTH)
        return np.where(whole < 2**52, np.copysign(whole / scale, values) + 0.0, values)


def rounded(values: Array, digits: int) -> Array:
    """Each entry rounded half up to `digits` decimals, with a hair's breadth for what is binary.

    >>> rounded(np.array([0.285, -0.285, 1e300]), 2).tolist()
    [0.29, -0.29, 1e+300]
    """
    scale = 10.0**digits
    with np.errstate(all="ignore"):
        whole = np.floor(np.abs(values) * scale + 0.5 + _BREADTH)
        return np.where(whole < 2**52, np.copysign(whole / scale, values) + 0.0, values)


def rerun(
    world: World,
    steps: Collection[int],
    start: tuple[int, Training] | None = None,
) -> dict[int, Seen]:
    """The steps asked for, of a run that begins with step 1 (or with `start`: a step and what stands before it)."""
    case, seen = world.case, {}
    first, training = (1, initial_training(case)) if start is None else start
    if world.single and start is None:
        training = _single(training)
    skips = world.skips and case.recipe is not None
    waiting: list[Step] = []
    for step in case.planned(first, max(steps)):
        if skips and step.number not in steps and step.number not in world.carried:
            waiting.append(step)
            continue
        training = _through(world, training, waiting)
        waiting = []
        found, training = _watched(world, training, step)
        if step.number in steps:
            seen[step.number] = found
    return seen


def _through(world: World, training: Training, steps: list[Step]) -> Training:
    """Where the steps lead, without looking."""
    if not steps:
        return training
    arrays = [*(part for layer in training.parameters for part in layer)]
    arrays += [part for layer in training.state for slots in layer for part in slots]
    whole = (np.asarray(part).tobytes() for part in arrays)
    rules = id(world.rewrites) if world.rewrites else 0
    key = (id(world.case), rules, steps[0].number, steps[-1].number, *whole)
    if key not in world.gaps:
        short = world.rewrites or len(steps) < _WORTH_AN_ENGINE
        run = _rewritten(world, training, steps) if short else _quick(world.case, training, steps)
        world.gaps[key] = run, world  # the world is held, so that no other takes its place in memory
    return world.gaps[key][0]


def _quick(case: Case, training: Training, steps: list[Step]) -> Training:
    """The stretch on the quickest engine: nothing is looked at, and nothing is changed."""
    assert case.recipe is not None
    assert case.X is not None
    assert case.Y is not None
    engine = choose("auto", case.network)
    session = engine.start(case.network, case.recipe, training, case.X, case.Y, case.plan.seed)
    rows, size = np.arange(case.samples, dtype=np.int64), case.plan.rows_of_batch(case.samples)
    rate = case.recipe.optimizer.learning_rate
    for stretch in case.plan.stretches(steps[0].number, steps[-1].number, rows, rate):
        if session.run(stretch.rows, size, stretch.rates, stretch.first).failed:
            return _rewritten(World(case), training, steps)  # engines stop there, the equations go on
    return session.training()


def _rewritten(world: World, training: Training, steps: list[Step]) -> Training:
    for step in steps:
        training = _step(world, training, step)
    return training


class Rewriter(Observer):
    """Rewrites while nobody looks, and keeps what rewritings may ask for."""

    complete = True

    def __init__(self, world: World) -> None:
        self.quantities: dict[str, Array] = {}
        self.own: dict[str, Array] = {}
        self._rewrites = world.rewrites
        self.moment: Moment | None = None

    def __call__(self, name: str, value: Array) -> Array:
        """The value, rewritten where there is a rule for it."""
        rule = self._rewrites.get(name)
        if rule is not None and self.moment is not None:
            self.own[name] = value
            value = rule(self.moment, value)
        self.quantities[name] = value
        return value

    def within(self, prefix: str) -> Observer:
        """The same for the quantities of one parameter."""
        return _Prefixed(self, prefix)


class _Prefixed(Observer):
    complete = True

    def __init__(self, rewriter: Rewriter, prefix: str) -> None:
        self._rewriter, self._prefix = rewriter, prefix

    def __call__(self, name: str, value: Array) -> Array:
        return self._rewriter(f"{self._prefix}_{name}", value)


def _step(world: World, training: Training, step: Step) -> Training:
    case = world.case
    masks = dropout_masks(case.network, case.plan.seed, step.number, len(step.rows))
    assert case.recipe is not None
    assert case.X is not None
    assert case.Y is not None
    observe = Rewriter(world)
    observe.quantities["x"] = case.X[step.rows]
    observe.moment = Moment(
        case.network,
        case.recipe,
        case.recipe.regularization,
        training,
        masks,
        step.number,
        step.rate,
        observe.quantities,
        observe.own,
    )
    with np.errstate(all="ignore"):
        return training_step(
            case.network,
            case.recipe,
            training,
            case.X[step.rows],
            case.Y[step.rows],
            step.number,
            step.rate,
            masks,
            observe,
        ).training


def _watched(world: World, training: Training, step: Step) -> tuple[Seen, Training]:
    case, number = world.case, step.number
    masks = dropout_masks(case.network, case.plan.seed, number, len(step.rows))
    given = {name: _of_batch(value, step.rows, case.samples) for name, value in case.given.items()}
    auditor = Auditor(world, given, world.carried.get(number, {}))
    regularization = case.regularization if case.recipe is None else case.recipe.regularization
    auditor.moment = Moment(
        case.network,
        case.recipe,
        regularization,
        training,
        masks,
        number,
        step.rate,
        auditor.quantities,
        auditor.own,
    )
    X = None if case.X is None else case.X[step.rows]
    Y = None if case.Y is None else case.Y[step.rows]
    if world.single:
        X, Y = _float32(X), _float32(Y)
        auditor.values_given = {name: value.astype(np.float32) for name, value in given.items()}
    trace = trace_step(
        case.network,
        case.recipe,
        training,
        X,
        Y,
        number,
        step.rate,
        masks,
        regularization=case.regularization,
        recorder=auditor,
    )
    return Seen(auditor.quantities, auditor.raw, training), trace.after


def step_again(
    world: World, training: Training, number: int, carried: Numbers, chained: bool = False
) -> Seen:
    """One step with these parameters and these numbers carried into it."""
    step = next(world.case.planned(number, number))
    once = World(world.case, {number: carried}, world.rewrites, chained=chained)
    return _watched(once, training, step)[0]


def _of_batch(value: Array, rows: Array, samples: int) -> Array:
    """The rows of a given quantity that belong to the batch, where it has one row a sample."""
    return value[rows] if value.ndim == 2 and value.shape[0] == samples and len(rows) < samples else value


def _float32(values: Array | None) -> Array | None:
    return None if values is None else values.astype(np.float32)


def _single(training: Training) -> Training:
    parameters = tuple(
        type(layer)(*(part.astype(np.float32) for part in layer)) for layer in training.parameters
    )
    state = tuple(
        tuple(tuple(part.astype(np.float32) for part in slots) for slots in layer) for layer in training.state
    )
    return Training(parameters, state)  # type: ignore[arg-type]
