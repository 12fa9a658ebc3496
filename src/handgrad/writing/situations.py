"""The sentences of the bank of situations (`worked/situations`): clauses without a full stop, as observations are."""

from __future__ import annotations

SITUATIONS: dict[str, str] = {
    # units
    "layer_dead": (
        "Every unit of layer {layer} is dead for this batch: no slope, so no error passed back and nothing below it "
        "could learn"
    ),
    "layer_off": "The mask switched all of layer {layer} off, so nothing that feeds it could learn in this step",
    "step_function": (
        "The step function of layer {layer} has the slope 0 everywhere, so no weight that leads to it or lies below "
        "it can learn by its gradient"
    ),
    "weights_zero": "All entries of {W} are zero, so no error passed down to layer {layer} in this step",
    "output_flat": (
        "The output is saturated on the wrong side: there its slope is only {slope}, so this loss hardly moves it; "
        "a cross-entropy would"
    ),
    "twin_units": (
        "{one} and {other} have the same weights and get the same gradient, so these units stay equal: they need "
        "different initial weights"
    ),
    "unit_dead": (
        "The unit of {unit} is dead for this batch: its slope is 0 for every sample, so its weights got no gradient"
    ),
    "units_dead": (
        "{dead} of {units} units of layer {layer} are dead for this batch: their slope is 0 for every sample, so "
        "their weights got no gradient"
    ),
    "unit_saturated": (
        "The unit of {unit} is saturated: its slope is at most {slope}, so hardly any error passed back through it"
    ),
    "units_saturated": (
        "{flat} of {units} units of layer {layer} are saturated, so hardly any error passed back through them"
    ),
    "units_off": (
        "The mask switched {off} of {units} units of layer {layer} off; the weights around them got no gradient from "
        "the data"
    ),
    # the batch
    "contradiction": (
        "{one} and {other} are equal, but their targets differ: no network can meet both, and the best it can do "
        "lies between"
    ),
    "zero_inputs": "All inputs are zero, so the weights of the first layer got no gradient from the data",
    "sure_and_wrong": (
        "The network was sure and wrong: it gave what is true a probability of {probability} only, and such mistakes "
        "have the largest errors"
    ),
    "tied_classes": "Two classes are tied for the first place with a probability of {probability} each",
    "half_and_half": "The output is exactly 0.5: the network says nothing about the class yet",
    "one_class_only": (
        "All {samples} samples of the batch are of the same class, so the step pushes towards that class whatever "
        "the inputs are"
    ),
    "imbalanced": (
        "{percent} % of the batch are of one class, so the step follows that class more than the others"
    ),
    "one_sample_drove": "{sample} drove the step: {percent} % of the error of the last layer is its own",
    "several_zero_inputs": (
        "{empty} of {inputs} inputs are zero in every sample of the batch, so their weights got no gradient from the "
        "data"
    ),
    "zero_input": "{input} is zero in every sample of the batch, so its weights got no gradient from the data",
    "output_met": "{output} met its target exactly, and sends no error back",
    "worst_output": "{output} is furthest from its target, by {error}, and sends the largest error back",
    "samples_met": "{met} of {samples} samples sent no error back",
    "beyond_threshold": (
        "{far} of {predictions} predictions are off by more than κ, where the Huber loss limits their gradient"
    ),
    "margins_met": "{met} of {samples} samples are beyond the margin, and the hinge loss asks no more of them",
    "weight_driven": "{weight} is the largest gradient of its layer, and {percent} % of it came from {sample}",
    "sure_and_right": (
        "The network was sure and right, with a probability of {probability}: little error is left to learn from"
    ),
    "wrong_class": "The largest probability, {probability}, lay on a wrong class",
    "right_class": "The largest probability, {probability}, lay on the true class already; the loss asks for more",
    "all_right": "All {samples} samples are classed rightly; what is left of the loss is doubt, not mistakes",
    "some_right": "{right} of {samples} samples are classed rightly",
    "all_below": "All predictions for the {samples} samples lay below their targets: all had to rise",
    "all_above": ("All predictions for the {samples} samples lay above their targets: all had to fall"),
    "mean_distance": "On average the predictions are off by {distance}, as the network sees the targets",
    # the step
    "bias_alone": "No weight has a gradient, so only biases could learn in this step",
    "loss_zero": "The loss is 0: there is nothing left to learn from this batch",
    "overshot": (
        "By the slope alone the loss should have fallen by {expected}; it rose by {rise}, because the slope changed "
        "on the way: the step was too long for the curvature here, and a smaller learning rate would help"
    ),
    "uphill": (
        "The step went against what this gradient asks, and by its slope the loss had to rise: the average of "
        "earlier gradients pointed another way and was stronger"
    ),
    "exploding": (
        "The gradient grew on its way down: its usual size is {last} in the last layer and {first} in the first; "
        "smaller initial weights or clipping would help"
    ),
    "vanishing": (
        "The gradient faded on its way down: its usual size is {last} in the last layer and only {first} in the "
        "first, which hardly learns"
    ),
    "clipped_norm": (
        "The gradient had the length {norm}, above the limit {limit}, so all of it was multiplied by {factor}"
    ),
    "clipped_value": "{cut} of {weights} gradients of weights lay beyond {limit} and were cut to it",
    "penalty_weighs": "The penalty, {penalty}, weighs more in this loss than the data, {data}",
    "penalty_pulls": (
        "The gradient of the penalty, of length {penalty}, is longer than that of the data, {data}: the step shrinks "
        "weights more than it fits the data"
    ),
    "long_step": "The step is long: it changed the weights by {percent} % of their size",
    "adam_first": (
        "It is the first step, in which Adam divides each gradient by its own size: every weight with a gradient "
        "moved by about {rate}, however large that gradient is"
    ),
    "velocity_zero": "The velocity was still zero, so this was a step of plain gradient descent",
    "adam_against": (
        "{against} of {weights} weights moved along their gradient, not against it: the average of the earlier "
        "gradients still pointed the other way"
    ),
    "velocity_carries": (
        "The velocity carried the step: it is {ratio} times as long as the gradient alone would have made it"
    ),
    "lion_even": "Every weight that moved did so by exactly {rate}, since only the sign of its direction counts",
    "decay_alone": "{alone} of {weights} weights had no gradient, and were moved by the decay alone",
    "evened_out": (
        "The largest gradient is {gradients} times the smallest, the largest step only {steps} times: the division "
        "by their usual size evened them out"
    ),
    "tiny_step": "The step is tiny: it changed the weights by {part} of their size",
    "adam_young": (
        "The averages are still young: the correction for their start at zero multiplies the first moment by {factor}"
    ),
    "curvature_took": (
        "By the slope alone the loss should have fallen by {expected}; the curvature left {percent} % of that"
    ),
    "signs_changed": "{turned} of {weights} weights changed their sign",
    "same_mask": "Both losses are taken with the mask of this step",
    "as_the_slope_said": (
        "The loss changed almost exactly as its slope said, by {expected}: over so short a step it is nearly straight"
    ),
    "not_clipped": "The gradient has the length {norm}, within the limit {limit}, so nothing was clipped",
}
"""One sentence for each row of the bank, by its key."""
