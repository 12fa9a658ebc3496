"""The bank: every situation, and which of them a sheet speaks of."""

from __future__ import annotations

import numpy as np

from handgrad.worked.paper import Paper
from handgrad.worked.record import Words
from handgrad.worked.situations.batch import BATCH
from handgrad.worked.situations.facts import Facts, Situation
from handgrad.worked.situations.motion import MOTION
from handgrad.worked.situations.units import UNITS

ORDER = (
    "loss_zero",
    "layer_dead",
    "layer_off",
    "overshot",
    "step_function",
    "weights_zero",
    "output_flat",
    "zero_inputs",
    "uphill",
    "exploding",
    "twin_units",
    "vanishing",
    "bias_alone",
    "clipped_norm",
    "clipped_value",
    "contradiction",
    "sure_and_wrong",
    "unit_dead",
    "units_dead",
    "penalty_pulls",
    "penalty_weighs",
    "long_step",
    "adam_first",
    "velocity_zero",
    "adam_against",
    "velocity_carries",
    "unit_saturated",
    "units_saturated",
    "one_class_only",
    "lion_even",
    "tied_classes",
    "decay_alone",
    "half_and_half",
    "evened_out",
    "imbalanced",
    "tiny_step",
    "one_sample_drove",
    "several_zero_inputs",
    "zero_input",
    "output_met",
    "samples_met",
    "worst_output",
    "beyond_threshold",
    "margins_met",
    "weight_driven",
    "adam_young",
    "sure_and_right",
    "curvature_took",
    "wrong_class",
    "right_class",
    "signs_changed",
    "all_right",
    "some_right",
    "same_mask",
    "units_off",
    "all_below",
    "all_above",
    "as_the_slope_said",
    "not_clipped",
    "mean_distance",
)
"""What matters most first: what stops the learning, what the step did wrong, what explains it, what is as it should."""
_ROWS = {situation.key: situation for situation in (*UNITS, *BATCH, *MOTION)}
SITUATIONS: tuple[Situation, ...] = tuple(_ROWS[key] for key in ORDER)
"""All of them in this order."""
MOST_SAID = {"brief": 2, "matrix": 3, "scalar": 3}
"""A reader remembers so many; a sheet in brief says two."""


def situations(paper: Paper, before: float | None, after: float | None) -> tuple[Words, ...]:
    """Every situation that the step is in, what matters most first, as the keys of its sentences."""
    facts = Facts(paper, before, after)
    found: list[Words] = []
    with np.errstate(all="ignore"):
        for situation in SITUATIONS:
            arguments = situation.holds(facts)
            if arguments is not None:
                found.append(Words(situation.key, tuple(arguments.items())))
    return tuple(found)
