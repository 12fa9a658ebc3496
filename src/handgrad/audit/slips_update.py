"""Mistakes in the update of the parameters, and in what the optimizer remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from handgrad.audit.alternative import Alternative, each_and_all, layers_of
from handgrad.audit.rerun import Moment, Rewrite
from handgrad.cases.case import Case
from handgrad.nn.arrays import Array
from handgrad.nn.optimizers import SGD, Adam, Momentum, Nesterov, Optimizer, RMSprop


def _parameters(case: Case, l: int) -> tuple[str, ...]:
    return (f"W{l}", f"b{l}") if case.network.layers[l - 1].bias in ("trained", "shared") else (f"W{l}",)


def _old(moment: Moment, name: str) -> Array:
    W, b = moment.before.parameters[int(name[1:]) - 1]
    return W if name[0] == "W" else b


def update_sign(case: Case) -> Iterator[Alternative]:
    """The step is added where it is to be subtracted: p + eta g."""

    def uphill(name: str) -> Rewrite:
        return lambda moment, new: 2 * _old(moment, name) - new

    if case.recipe is not None:
        yield from each_and_all(
            {l: {f"{name}_new": uphill(name) for name in _parameters(case, l)} for l in layers_of(case)}
        )


def bias_not_updated(case: Case) -> Iterator[Alternative]:
    """The biases stay as they were."""

    def kept(l: int) -> Rewrite:
        return lambda moment, new: _old(moment, f"b{l}")

    if case.recipe is not None:
        layers = {l for l in layers_of(case) if len(_parameters(case, l)) > 1}
        yield from each_and_all({l: {f"b{l}_new": kept(l)} for l in layers})


def rate_forgotten(case: Case) -> Iterator[Alternative]:
    """The whole gradient is subtracted, without the learning rate."""
    if case.recipe is None:
        return

    def whole(name: str) -> Rewrite:
        return lambda moment, new: _old(moment, name) + (new - _old(moment, name)) / moment.rate

    yield from each_and_all(
        {l: {f"{name}_new": whole(name) for name in _parameters(case, l)} for l in layers_of(case)}
    )


def _optimizer(case: Case) -> Optimizer | None:
    return None if case.recipe is None else case.recipe.optimizer


def _with(case: Case, optimizer: Optimizer) -> Alternative:
    assert case.recipe is not None
    return Alternative(case=replace(case, recipe=replace(case.recipe, optimizer=optimizer)))


def _every(case: Case, state: str, rule: Callable[[str], Rewrite]) -> dict[str, Rewrite]:
    return {f"{name}_{state}": rule(name) for l in layers_of(case) for name in _parameters(case, l)}


def adam_no_correction(case: Case) -> Iterator[Alternative]:
    """m and v used as they are, not divided by 1 - beta^t."""
    if not isinstance(_optimizer(case), Adam):
        return
    first = _every(case, "m_hat", lambda name: lambda moment, hat: moment.q[f"{name}_m"])
    second = _every(
        case, "v_hat", lambda name: lambda moment, hat: moment.q.get(f"{name}_v_max", moment.q[f"{name}_v"])
    )
    yield Alternative({**first, **second})
    yield Alternative(first)
    yield Alternative(second)


def adam_step_counter(case: Case) -> Iterator[Alternative]:
    """1 - beta^t with another t: counted from 0 or 2, or never counted on."""
    optimizer = _optimizer(case)
    if not isinstance(optimizer, Adam):
        return
    beta1, beta2 = optimizer.beta1, optimizer.beta2

    def corrected(counted: Callable[[int], int]) -> dict[str, Rewrite]:
        def hat(state: str, beta: float) -> Callable[[str], Rewrite]:
            return lambda name: (
                lambda moment, hat: _safely(
                    moment.q.get(f"{name}_{state}_max", moment.q[f"{name}_{state}"]),
                    1 - beta ** counted(moment.number),
                )
            )

        return {**_every(case, "m_hat", hat("m", beta1)), **_every(case, "v_hat", hat("v", beta2))}

    yield Alternative(corrected(lambda t: t + 1))
    yield Alternative(corrected(lambda t: t - 1))
    yield Alternative(corrected(lambda t: 1))


def _safely(value: Array, divisor: float) -> Array:
    return value / divisor if divisor else np.full_like(value, np.nan)


def epsilon_place(case: Case) -> Iterator[Alternative]:
    """epsilon under the root where it is to stand beside it, or the other way about."""
    optimizer = _optimizer(case)
    if isinstance(optimizer, Adam):
        yield _with(case, replace(optimizer, epsilon_inside=not optimizer.epsilon_inside))
    if isinstance(optimizer, RMSprop):
        epsilon = optimizer.epsilon

        def inside(name: str) -> Rewrite:
            def rule(moment: Moment, new: Array) -> Array:
                letter, layer = name[0], name[1:]
                g = moment.q.get(f"d{letter}{layer}_clipped", moment.q[f"d{letter}{layer}"])
                return _old(moment, name) - moment.rate * g / np.sqrt(moment.q[f"{name}_s"] + epsilon)

            return rule

        yield Alternative(_every(case, "new", inside))


def momentum_form(case: Case) -> Iterator[Alternative]:
    """Another published form of momentum."""
    optimizer = _optimizer(case)
    if isinstance(optimizer, Momentum):
        forms = [form for form in ("velocity", "heavy_ball", "average") if form != optimizer.form]
        yield from (_with(case, replace(optimizer, form=form)) for form in forms)
        yield _with(case, Nesterov(optimizer.learning_rate, optimizer.momentum))
    if isinstance(optimizer, Nesterov):
        yield from (
            _with(case, Momentum(optimizer.learning_rate, optimizer.momentum, form))
            for form in ("velocity", "heavy_ball", "average")
        )


def momentum_forgotten(case: Case) -> Iterator[Alternative]:
    """Plain gradient descent: what the optimizer remembers is left out of the step."""
    optimizer = _optimizer(case)
    if optimizer is None or isinstance(optimizer, SGD):
        return

    def plain(name: str) -> Rewrite:
        def rule(moment: Moment, new: Array) -> Array:
            g = moment.q.get(f"d{name}_clipped", moment.q[f"d{name}"])
            return _old(moment, name) - moment.rate * g

        return rule

    yield Alternative(_every(case, "new", plain))


def decay_forgotten(case: Case) -> Iterator[Alternative]:
    """The new gradient enters a running mean whole, not with its share 1 - beta."""
    optimizer = _optimizer(case)
    if isinstance(optimizer, RMSprop):
        rho = optimizer.decay
        yield Alternative(_every(case, "s", _whole(lambda s, g: rho * s + g * g)))
    if isinstance(optimizer, Adam):
        beta1, beta2 = optimizer.beta1, optimizer.beta2
        yield Alternative(_every(case, "m", _whole(lambda m, g: beta1 * m + g)))
        yield Alternative(_every(case, "v", _whole(lambda v, g: beta2 * v + g * g, 1)))


def _whole(mean: Callable[[Array, Array], Array], slot: int = 0) -> Callable[[str], Rewrite]:
    def for_parameter(name: str) -> Rewrite:
        def rule(moment: Moment, value: Array) -> Array:
            state = moment.before.state[int(name[1:]) - 1][0 if name[0] == "W" else 1][slot]
            return mean(state, moment.q.get(f"d{name}_clipped", moment.q[f"d{name}"]))

        return rule

    return for_parameter
