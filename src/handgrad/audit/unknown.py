"""Which quantities hang on something that the case does not give: weights that it leaves to chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from handgrad.audit.rerun import Numbers, World, rerun
from handgrad.cases.case import Case
from handgrad.cases.schema import InitializerKeys, LayerKeys
from handgrad.nn.network import Dense, Network

_DRAWS = 3
_FIXED = ("zeros",)


def unknown_layers(case: Case) -> tuple[int, ...]:
    """The layers (from 1) whose weights are neither given nor drawn from a seed that is."""
    if case.keys is None:
        return ()
    network, training = case.keys.network, case.keys.training
    seeded = network.seed is not None or training.seed is not None
    return tuple(
        l for l, layer in enumerate(network.layers, 1) if layer.W is None and not _determined(layer, seeded)
    )


def _determined(layer: LayerKeys, seeded: bool) -> bool:
    if isinstance(layer.initializer, InitializerKeys):
        return layer.initializer.name in _FIXED or seeded or layer.initializer.seed is not None
    return layer.initializer in _FIXED or seeded


def unknown_quantities(
    case: Case, steps: tuple[int, ...], carried: Mapping[int, Numbers] | None = None
) -> dict[int, frozenset[str]]:
    """By step the quantities that change when the weights that are not known do."""
    layers = unknown_layers(case)
    if not layers:
        return {step: frozenset() for step in steps}
    runs = [rerun(World(_drawn(case, layers, seed), carried or {}), steps) for seed in range(_DRAWS)]
    return {
        step: frozenset(
            name
            for name in runs[0][step].quantities
            if any(
                not np.array_equal(run[step].equation(name), runs[0][step].equation(name), equal_nan=True)  # type: ignore[arg-type]
                for run in runs[1:]
            )
        )
        for step in steps
    }


def _drawn(case: Case, layers: tuple[int, ...], seed: int) -> Case:
    generator = np.random.default_rng([seed, 10])
    made = []
    for l, layer in case.network.numbered():
        W = layer.W
        if l in layers:
            W = generator.uniform(0.2, 1.0, (layer.units, case.network.sizes[l - 1]))
        made.append(
            Dense(
                layer.units,
                layer.function,
                W=W,
                b=layer.b,
                initializer=layer.initializer,
                bias=layer.bias,
                dropout=layer.dropout,
            )
        )
    return replace(case, network=Network(case.network.inputs, made, case.network.loss))
