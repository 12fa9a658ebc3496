"""Cases at the edge of each situation of the bank: just within it, and just beyond or in another setting."""

from __future__ import annotations

import math
from typing import Any

from tests.worked.test_situations import (
    NORM,
    STAYS,
    VALUE,
    alternating,
    deep,
    hidden,
    line,
    masked,
    net,
    sigmoid,
    softmax,
)

Case = dict[str, Any]


def labelled(w: float, *labels: int) -> Case:
    """A neuron for samples with these labels."""
    return net(
        {"W": [[w]], "activation": "sigmoid"},
        loss="binary_cross_entropy",
        x=[[1.0]] * len(labels),
        y=[[y] for y in labels],
    )


def sure(probability: float, samples: int = 1) -> Case:
    """A neuron that gives what is true this probability."""
    return labelled(math.log(probability / (1 - probability)), *(1,) * samples)


def class_of(probability: float, true: int = 0, samples: int = 1) -> Case:
    return softmax([math.log(probability / (1 - probability)), 0.0], (true,) * samples, ((1.0,),) * samples)


def parts(*targets: float, loss: str = "squared_error", **more: Any) -> Case:
    """A neuron that says 0 to every sample: the errors of the samples are as their targets."""
    return line([0.0], ((1.0,),) * len(targets), [(float(y),) for y in targets], loss=loss, **more)


def flat(function: str, slope: float) -> Case:
    """A hidden unit with this slope beside one that is steep."""
    z = (
        math.atanh(math.sqrt(1 - slope))
        if function == "tanh"
        else math.log((1 - 2 * slope + math.sqrt(1 - 4 * slope)) / (2 * slope))
    )
    return hidden([[z], [0.1]], [1.0, 1.0], function)


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


SIGNS = {"loss": "hinge"}
HUBER = {"name": "huber", "threshold": 1.0}
TWO_OUTPUTS = {"W": [[1.0], [2.0]]}

# key: (cases that are in it, cases that are not)
EDGES: dict[str, tuple[tuple[Case, ...], tuple[Case, ...]]] = {
    "sure_and_wrong": ((sure(0.0499), class_of(0.049)), (sure(0.0501), sure(0.01, 2), parts(9.0))),
    "sure_and_right": ((sure(0.9901), class_of(0.991)), (sure(0.9899), sure(0.999, 2), parts(0.0))),
    "right_class": (
        (class_of(0.9899), class_of(0.51)),
        (class_of(0.9901), class_of(0.9, 0, 2), class_of(0.9, 1), sure(0.9)),
    ),
    "wrong_class": (
        (class_of(0.999, 1),),
        (class_of(0.9, 1, 2), class_of(0.9, 0), softmax([1.0, 1.0, 0.0], (2,)), sure(0.1)),
    ),
    "tied_classes": (
        (softmax([0.0, 1.0, 1.0], (0,)),),
        (softmax([0.0, 0.0, 1.0]), softmax([1.0, 1.0], (0, 1), ((1.0,), (1.0,))), softmax([1.0, 1.0 + 1e-9])),
    ),
    "half_and_half": ((sigmoid(0.0, y=0),), (sure(0.5, 2), sigmoid(0.0, loss="squared_error"))),
    "some_right": ((labelled(1.0, 1, 0),), (sure(0.9, 2), sure(0.1), class_of(0.9, 1))),
    "all_right": ((sure(0.51, 2),), (sure(0.9), class_of(0.9), sure(0.5, 2))),
    "one_sample_drove": (
        (parts(76, 24), parts(24, 76), parts(-76, 24), parts(52, 16, 16, 16)),
        (parts(75, 25), parts(74, 26), parts(49, 17, 17, 17), parts(1), parts(0, 0)),
    ),
    "samples_met": ((parts(0, 1), parts(0, 0, 1)), (parts(0, 0), parts(1, 1), parts(0))),
    "weight_driven": (
        (parts(76, 24), parts(-76, 24), parts(44, 14, 14, 14, 14)),
        (
            parts(75, 25),
            parts(36, 16, 16, 16, 16),
            parts(0, 0),
            parts(9),
            parts(76, 24, regularization={"l2": 0.1}),
        ),
    ),
    "all_below": ((parts(1, 2),), (parts(0, 2), parts(1), sure(0.9, 2), parts(-1, 2))),
    "all_above": ((parts(-1, -2),), (parts(0, -2), parts(-1), labelled(1.0, 0, 0), parts(-1, 2))),
    "mean_distance": (
        (
            parts(1, 2),
            parts(1, 2, loss="absolute_error"),
            line([0.0], ((1.0,),) * 2, ((1.0,), (2.0,)), loss=HUBER),
        ),
        (parts(1), parts(0, 0), sure(0.9, 2)),
    ),
    "worst_output": (
        (net(TWO_OUTPUTS, x=[[1.0]], y=[[1.0, 3.0]]),),
        (parts(9), net(TWO_OUTPUTS, x=[[1.0]] * 2, y=[[1.0, 3.0]] * 2), softmax([0.1, 1.0])),
    ),
    "output_met": (
        (net(TWO_OUTPUTS, x=[[1.0]], y=[[4.0, 2.0]]),),
        (
            net(TWO_OUTPUTS, x=[[1.0]], y=[[1.0, 2.0]]),
            parts(0),
            net(TWO_OUTPUTS, x=[[1.0]] * 2, y=[[4.0, 2.0]] * 2),
        ),
    ),
    "zero_input": (
        (line([1.0, 2.0], ((0.0, 1.0), (0.0, 2.0)), ((9.0,), (9.0,))),),
        (
            line([1.0] * 3, ((0.0, 1.0, 0.0),), ((9.0,),)),
            line([1.0], ((0.0,),)),
            line([1.0, 2.0], ((0.0, 1.0), (1.0, 2.0)), ((9.0,), (9.0,))),
        ),
    ),
    "several_zero_inputs": (
        (line([1.0] * 3, ((0.0, 0.0, 1.0),), ((9.0,),)),),
        (line([1.0] * 2, ((0.0, 0.0),), ((9.0,),)), line([1.0] * 2, ((0.0, 1.0),), ((9.0,),))),
    ),
    "zero_inputs": (
        (line([1.0], ((0.0,), (0.0,)), ((1.0,), (2.0,))),),
        (line([1.0], ((0.0,), (1.0,)), ((1.0,), (2.0,))),),
    ),
    "contradiction": (
        (line([1.0], ((2.0,), (1.0,), (1.0,)), ((2.0,), (0.0,), (2.0,))),),
        (line([1.0], ((1.0,), (2.0,)), ((0.0,), (2.0,))), parts(1)),
    ),
    "one_class_only": ((sure(0.9, 2), class_of(0.9, 1, 3)), (sure(0.9), class_of(0.9), parts(1, 1))),
    "imbalanced": (
        (
            softmax([0.1, 0.2], (1, 1, 1, 1, 1, 0), ((1.0,),) * 6),
            softmax([0.1, 0.2], (0, 0, 0, 0, 1), ((1.0,),) * 5),
        ),
        (
            softmax([0.1, 0.2], (1,) * 5, ((1.0,),) * 5),
            softmax([0.1, 0.2], (1, 1, 1, 0), ((1.0,),) * 4),
            parts(1, 1, 1, 1, 2),
        ),
    ),
    "beyond_threshold": (
        (parts(1.01, loss=HUBER), parts(-1.01, loss=HUBER)),
        (parts(1, loss=HUBER), parts(9), parts(0, loss=HUBER)),
    ),
    "margins_met": (
        (
            line([1.0], ((1.0,), (0.1,)), ((1,), (1,)), **SIGNS),
            line([1.0], ((-1.0,), (0.1,)), ((-1,), (1,)), **SIGNS),
        ),
        (
            line([1.0], ((0.99,), (0.1,)), ((1,), (1,)), **SIGNS),
            line([1.0], ((2.0,),), ((1,),), **SIGNS),
            line([1.0], ((2.0,), (2.0,)), ((1.0,), (1.0,))),
        ),
    ),
    # units
    "unit_saturated": (
        (flat("tanh", 0.0099), flat("sigmoid", 0.0099), hidden([[9.0]], [1.0], "tanh")),
        (
            flat("tanh", 0.0101),
            flat("sigmoid", 0.0101),
            hidden([[-1.0], [1.0]], [1.0, 1.0]),
            hidden([[9.0], [8.0]], [1.0, 1.0], "tanh"),
        ),
    ),
    "units_saturated": (
        (hidden([[9.0], [8.0]], [1.0, 1.0], "tanh"),),
        (hidden([[9.0]], [1.0], "tanh"), hidden([[-1.0], [-2.0]], [1.0, 1.0])),
    ),
    "unit_dead": (
        (hidden([[1.0], [-2.0]], [1.0, 1.0]),),
        (
            hidden([[-1.0]], [1.0]),
            hidden([[-1.0], [-2.0], [1.0]], [1.0] * 3),
            hidden([[1.0], [2.0]], [1.0, 1.0], "step"),
        ),
    ),
    "units_dead": (
        (hidden([[-1.0], [1.0], [-2.0]], [1.0] * 3),),
        (hidden([[-1.0], [-2.0]], [1.0, 1.0]), hidden([[-1.0], [2.0]], [1.0, 1.0])),
    ),
    "layer_dead": (
        (
            hidden([[-1.0]], [1.0]),
            net({"W": [[1.0]]}, {"W": [[-1.0]], "activation": "relu"}, {"W": [[1.0]]}, x=[[1.0]], y=[[1.0]]),
        ),
        (
            hidden([[1.0], [1.0]], [1.0, 1.0], "step"),
            hidden([[-1.0]], [1.0], x=[[1.0], [-1.0]], y=[[1.0], [1.0]]),
        ),
    ),
    "step_function": (
        (net({"W": [[1.0]], "activation": "step"}, x=[[1.0]], y=[[0.0]]),),
        ({"network": hidden([[1.0]], [1.0], "step")["network"], "data": {"x": [[1.0]]}},),
    ),
    "output_flat": (
        (
            sigmoid(-9.0, loss="absolute_error"),
            net({"W": [[-4.0]], "activation": "tanh"}, x=[[1.0]], y=[[1.0]]),
            net({"W": [[-4.0]], "activation": "hard_sigmoid"}, x=[[1.0]], y=[[1.0]]),
        ),
        (
            sigmoid(-9.0, y=0, loss="squared_error"),
            sigmoid(-4.0, loss="squared_error"),
            net({"W": [[-4.0]], "activation": "relu"}, x=[[1.0]], y=[[1.0]]),
            net({"W": [[-9.0]], "activation": "sigmoid"}, x=[[1.0]], y=[[0.5]]),
            net({"W": [[-9.0], [0.1]], "activation": "sigmoid"}, x=[[1.0]], y=[[0.0, 1.0]]),
        ),
    ),
    "twin_units": (
        (
            hidden([[2.0], [1.0], [1.0]], [1.0, 2.0, 2.0]),
            hidden([[1.0], [1.0]], [2.0, 2.0], b=[0.5, 0.5]),
            net({"W": [[1.0]]}, {"W": [[1.0], [1.0]]}, {"W": [[1.0, 1.0]]}, x=[[1.0]], y=[[9.0]]),
            hidden([[1.0], [1.0]], [2.0, 2.0], first={"bias": "none"}),
        ),
        (
            hidden([[1.0], [1.0]], [2.0, 2.0], b=[0.5, 0.6]),
            hidden([[1.0], [2.0]], [2.0, 2.0]),
            hidden([[-1.0], [-1.0]], [2.0, 2.0]),
            net({"W": [[1.0], [1.0]]}, x=[[1.0]], y=[[9.0, 9.0]]),
            hidden([[1.0], [1.0]], [2.0, 2.0], first={"dropout": {"keep": 0.5, "mask": [[1, 0]]}}),
        ),
    ),
    "weights_zero": (
        (net({"W": [[1.0]]}, {"W": [[1.0]]}, {"W": [[0.0]]}, x=[[1.0]], y=[[1.0]]),),
        (net({"W": [[0.0]]}, {"W": [[1.0]]}, x=[[1.0]], y=[[1.0]]), parts(1)),
    ),
    "units_off": ((masked([1, 0]),), (masked([0, 0]), hidden([[1.0], [2.0]], [1.0, 3.0]))),
    "layer_off": ((masked([0, 0]),), (masked([1, 0]), masked([1, 1]))),
    # the step
    "vanishing": (
        (steep(1 / 10.1, 4), steep(1 / 40, 3)),
        (steep(1 / 9.9, 4), steep(1 / 2000, 2), steep(40, 3)),
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
        (line([1.0], rate=0.51),),
        (
            line([1.0], rate=0.5),
            line([1.0], rate=0.49),
            line([1.0], rate=0.51, optimizer="momentum"),
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
