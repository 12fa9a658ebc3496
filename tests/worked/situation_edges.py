"""Cases at the edge of situations of units and of the batch: just within one, and just beyond or in another setting."""

from __future__ import annotations

import math
from typing import Any

from tests.worked.test_situations import (
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


SIGNS = {"loss": "hinge"}
HUBER = {"name": "huber", "threshold": 1.0}
OUTPUTS_ALONE = {
    "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1}]},
    "given": {"yhat": [[0.25], [0.5]]},
    "data": {"y": [[1.0], [0.5]]},
}
TWO_LABELS = net(
    {"W": [[-5.0], [5.0]], "activation": "sigmoid"}, loss="binary_cross_entropy", x=[[1.0]], y=[[1, 1]]
)
TWO_OUTPUTS = {"W": [[1.0], [2.0]]}

# key: (cases that are in it, cases that are not)
EDGES: dict[str, tuple[tuple[Case, ...], tuple[Case, ...]]] = {
    "sure_and_wrong": (
        (sure(0.0499), class_of(0.049)),
        (sure(0.0501), sure(0.01, 2), parts(9.0), TWO_LABELS),
    ),
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
    "samples_met": ((parts(0, 1), parts(0, 0, 1)), (parts(0, 0), parts(1, 1), parts(0), OUTPUTS_ALONE)),
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
        (
            net(TWO_OUTPUTS, x=[[1.0]], y=[[1.0, 3.0]]),
            net({"W": [[1.0], [2.0], [3.0]]}, x=[[1.0]], y=[[1.0, 2.5, 9.0]]),
        ),
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
}
