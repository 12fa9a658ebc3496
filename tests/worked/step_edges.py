"""Cases at the edge of situations of the step: just within one, and just beyond or in another setting."""

from __future__ import annotations

from typing import Any

from tests.worked.situation_edges import Case
from tests.worked.test_situations import NORM, STAYS, VALUE, alternating, deep, line, masked, net


def steep(size: float, layers: int) -> Case:
    """As `deep`, with so many layers."""
    return net(
        {"W": [[1.0]]},
        *({"W": [[size]], "b": [1.0 - size]} for _ in range(layers - 1)),
        x=[[1.0]],
        y=[[2.0]],
        rate=1e-9,
    )


def weight(y: float, w: float = 1.0, x: float = 1.0, **more: Any) -> Case:
    """One weight without a bias."""
    return net({"W": [[w]], "bias": "none"}, x=[[x]], y=[[y]], **more)


def pulled(epsilon: float, gradients: tuple[float, float] = (1.0, 20.0), **more: Any) -> Case:
    """Two weights with these gradients."""
    x = [list(gradients)]
    y = sum(gradients) - 0.5  # the error is 1/2, so that the gradient is the input
    made = {"optimizer": "adagrad", "with_optimizer": {"epsilon": epsilon}} | more
    return net({"W": [[1.0, 1.0]], "bias": "none"}, x=x, y=[[y]], **made)


def adam(epsilon: float, **more: Any) -> Case:
    return weight(0.5, optimizer="adam", with_optimizer={"epsilon": epsilon}, **more)


A_THOUSANDTH = net(
    {"W": [[1.0]]}, {"W": [[0.001]], "b": [0.999]}, {"W": [[1.0]]}, x=[[1.0]], y=[[2.0]], rate=1e-9
)
TOO_SMALL_FOR_ONE = net(
    {"W": [[1.0, 1e-5, 1e-5]], "bias": "none"},
    x=[[1.0, 1.0, 20.0]],
    y=[[0.5]],
    optimizer="adagrad",
    rate=1e-18,
    with_optimizer={"epsilon": 0.0},
)
"""A step that is lost beside the first weight, and is the same for the other two."""

EDGES: dict[str, tuple[tuple[Case, ...], tuple[Case, ...]]] = {
    "vanishing": (
        (steep(1 / 10.1, 4), steep(1 / 40, 3)),
        (steep(1 / 9.9, 4), steep(1 / 2000, 2), steep(40, 3), A_THOUSANDTH),
    ),
    "exploding": (
        (steep(10.1, 4), steep(40, 3)),
        (steep(10.0, 4), steep(9.9, 4), steep(2000, 2), steep(1 / 40, 3), deep(1.0)),
    ),
    "clipped_norm": (
        (weight(0.49, with_optimizer=NORM),),
        (weight(0.5, with_optimizer=NORM), weight(9.0), weight(9.0, with_optimizer=VALUE)),
    ),
    "not_clipped": (
        (weight(0.5, with_optimizer=NORM),),
        (weight(0.49, with_optimizer=NORM), weight(1.0), weight(1.0, with_optimizer=VALUE)),
    ),
    "clipped_value": (
        (weight(0.49, with_optimizer=VALUE), weight(1.6, with_optimizer=VALUE)),
        (weight(0.5, with_optimizer=VALUE), weight(9.0), weight(9.0, with_optimizer=NORM)),
    ),
    "penalty_pulls": (
        (weight(1.01, 2.0, regularization={"l2": 1.0}),),
        (weight(1.0, 2.0, regularization={"l2": 1.0}), weight(1.01, 2.0)),
    ),
    "penalty_weighs": (
        (weight(0.01, 2.0, regularization={"l2": 2.0}),),
        (weight(0.0, 2.0, regularization={"l2": 2.0}), weight(2.0, 2.0)),
    ),
    "decay_alone": (
        (
            net(
                {"W": [[1.0, 1.0]]},
                x=[[0.0, 0.0]],
                y=[[5.0]],
                optimizer="adamw",
                with_optimizer={"weight_decay": 0.1},
            ),
        ),
        (
            line(
                [1.0, 1.0],
                ((0.0, 1.0),),
                ((5.0,),),
                optimizer="adamw",
                with_optimizer={"weight_decay": 0.1},
                steps=2,
            ),
            line([1.0, 1.0], ((0.0, 1.0),), ((5.0,),), optimizer="adam"),
            line([1.0], ((0.0,),), ((5.0,),), optimizer="adamw", with_optimizer={"weight_decay": 0.0}),
        ),
    ),
    "adam_first": (
        (adam(0.01), adam(0.0), weight(0.5, optimizer="adamw", with_optimizer={"weight_decay": 0.0})),
        (adam(0.03), adam(0.0, steps=2), weight(0.5, optimizer="nadam"), weight(1.0, optimizer="adam")),
    ),
    "adam_young": (
        (adam(0.0, steps=2), adam(0.0, steps=22), weight(9.0, optimizer="adamw", steps=2)),
        (adam(0.0), adam(0.0, steps=23), weight(9.0, optimizer="nadam", steps=2)),
    ),
    "evened_out": (
        (
            pulled(3.6),
            pulled(0.0, (1.0, 10.1)),
            pulled(0.0, (1.0, -20.0), optimizer="rmsprop"),
            pulled(0.0, (1.0, 20.0), optimizer="adamw"),
            TOO_SMALL_FOR_ONE,
        ),
        (
            pulled(3.9),
            pulled(0.0, (1.0, 10.0)),
            pulled(0.0, (1.0, 20.0), optimizer="sgd", with_optimizer={}),
            weight(0.5, optimizer="adam"),
        ),
    ),
    "adam_against": (
        (alternating("adamw", first=1.0, with_optimizer={"weight_decay": 0.0}),),
        (
            alternating("nadam", first=1.0),
            line([0.0], y=((1.0,),), optimizer="adam"),
            alternating("sgd", first=1.0),
        ),
    ),
    "velocity_zero": (
        (line([2.0], optimizer="momentum", with_optimizer=STAYS),),
        (
            line([0.0], optimizer="momentum", with_optimizer=STAYS),
            line([1.0], optimizer="momentum", with_optimizer=STAYS, steps=2),
            line([1.0], optimizer="nesterov", with_optimizer=STAYS),
        ),
    ),
    "velocity_carries": (
        tuple(
            weight(9.0, optimizer=name, rate=1e-6, steps=2, with_optimizer={"momentum": mu})
            for name, mu in (("momentum", 0.21), ("nesterov", 0.21))
        ),
        (
            weight(9.0, optimizer="momentum", rate=1e-6, steps=2, with_optimizer={"momentum": 0.19}),
            weight(9.0, optimizer="adam", steps=2),
            weight(1.0, optimizer="momentum", steps=2, with_optimizer=STAYS),
        ),
    ),
    "uphill": (
        (
            alternating("nesterov", rate=0.001, with_optimizer=STAYS),
            alternating("adam", rate=0.001),
            alternating("lion", rate=0.001),
        ),
        (alternating("sgd", rate=0.001), line([1.0], optimizer="adam")),
    ),
    "lion_even": (
        (weight(9.0, optimizer="lion", steps=2),),
        (
            weight(9.0, optimizer="lion", with_optimizer={"weight_decay": 0.1}),
            weight(1.0, optimizer="lion"),
            weight(9.0, optimizer="sgd", rate=1.0),
        ),
    ),
    "overshot": (
        (line([1.0], rate=0.51), line([1.0], rate=0.51, optimizer="momentum")),
        (
            line([1.0], rate=0.5),
            line([1.0], rate=0.49),
            line([1.0], rate=0.49, optimizer="momentum"),
            line([1.0], rate=0.51, rounding={"digits": 3, "carry": True}),
        ),
    ),
    "curvature_took": (
        (line([1.0], rate=0.126), line([1.0], rate=0.49)),
        (
            line([1.0], rate=0.125),
            line([1.0], rate=0.124),
            line([1.0], rate=0.5),
            line([1.0], rate=0.126, optimizer="adam"),
        ),
    ),
    "as_the_slope_said": (
        (line([1.0], rate=0.0249),),
        (line([1.0], rate=0.0251), line([0.0]), line([1.0], rate=0.01, optimizer="adam")),
    ),
    "long_step": (
        (line([1.0], rate=0.26),),
        (line([1.0], rate=0.25), line([1.0], rate=0.24), line([0.0], y=((1.0,),), rate=0.26)),
    ),
    "tiny_step": ((line([1.0], rate=4.9e-6),), (line([1.0], rate=5.1e-6), line([1.0], y=((1.0,),)))),
    "signs_changed": ((line([1.0], rate=0.51),), (line([1.0], rate=0.5), line([1.0], rate=0.49))),
    "bias_alone": (
        (line([1.0], ((0.0,),), ((1.0,),), optimizer="adam"),),
        (
            net({"W": [[1.0]], "bias": "none"}, x=[[0.0]], y=[[1.0]]),
            net({"W": [[1.0]], "bias": "frozen", "b": [0.5]}, x=[[0.0]], y=[[1.0]]),
            line([0.0], ((0.0,),)),
        ),
    ),
    "loss_zero": ((line([0.0]),), (line([1.0]),)),
    "same_mask": ((masked([1, 1]),), (masked([1, 1]) | {"optimizer": None},)),
}
