"""The figures of each situation's sentence: which unit, sample, layer or part it speaks of, and how much, by hand."""

from __future__ import annotations

from typing import Any

import pytest
from tests.worked.plain import said
from tests.worked.test_situation_edges import EDGES
from tests.worked.test_situations import ROWS

import handgrad as hg
from handgrad.worked.situations.bank import MOST_SAID, SITUATIONS

FIGURES = (
    "layer_dead layer=1", "layer_off layer=1", "step_function layer=1", "weights_zero W=W2 layer=1",
    "output_flat slope=0.0001234", "twin_units one=z1[0] other=z1[1]", "unit_dead unit=z1[0]",
    "units_dead dead=2 units=3 layer=1", "unit_saturated unit=z1[0] slope=6.092e-08",
    "units_saturated flat=2 units=3 layer=1", "units_off off=1 units=2 layer=1", "contradiction one=x(0) other=x(1)",
    "zero_inputs", "sure_and_wrong probability=0.01799", "tied_classes probability=0.4223", "half_and_half",
    "one_class_only samples=2", "imbalanced percent=80", "one_sample_drove sample=x(0) percent=99",
    "several_zero_inputs empty=2 inputs=3", "zero_input input=x[0]", "output_met output=yhat[0]",
    "worst_output output=yhat[1] error=-3", "samples_met met=1 samples=2", "beyond_threshold far=1 predictions=1",
    "margins_met met=1 samples=2", "weight_driven weight=dloss/dW1 sample=x(0) percent=99",
    "sure_and_right probability=0.9975", "wrong_class probability=0.7109", "right_class probability=0.7109",
    "all_right samples=2", "some_right right=1 samples=2", "all_below samples=2", "all_above samples=2",
    "mean_distance distance=1", "bias_alone", "loss_zero", "overshot expected=12 rise=24", "uphill",
    "exploding first=5.4e+04 last=2", "vanishing first=5.4e-05 last=2",
    "clipped_norm norm=22.63 limit=1 factor=0.04419", "not_clipped norm=0.2828 limit=1",
    "clipped_value cut=1 weights=1 limit=1", "penalty_weighs penalty=2 data=0.01", "penalty_pulls data=0.2 penalty=2",
    "long_step percent=1780", "adam_first rate=0.01", "velocity_zero", "adam_against against=1 weights=1",
    "velocity_carries ratio=1.937", "lion_even rate=0.01", "decay_alone alone=1 weights=2",
    "evened_out gradients=99 steps=1", "tiny_step part=2e-07", "adam_young factor=5.263",
    "curvature_took expected=3.2 percent=20", "signs_changed turned=1 weights=1", "same_mask",
    "as_the_slope_said expected=0.008",
)  # fmt: skip

# sentence, and which of the cases at the edge it is said of
AT_THE_EDGE: tuple[tuple[str, int], ...] = (
    ("layer_dead layer=2", 1),
    ("step_function layer=1", 0),
    ("weights_zero W=W3 layer=2", 0),
    ("output_flat slope=0.001341", 1),
    ("output_flat slope=0", 2),
    ("twin_units one=z1[1] other=z1[2]", 0),
    ("twin_units one=z2[0] other=z2[1]", 2),
    ("unit_dead unit=z1[1]", 0),
    ("units_dead dead=2 units=3 layer=1", 0),
    ("unit_saturated unit=z1 slope=6.092e-08", 2),
    ("unit_saturated unit=z1[0] slope=0.0099", 0),
    ("units_saturated flat=2 units=2 layer=1", 0),
    ("contradiction one=x(1) other=x(2)", 0),
    ("sure_and_wrong probability=0.0499", 0),
    ("sure_and_wrong probability=0.049", 1),
    ("sure_and_right probability=0.9901", 0),
    ("tied_classes probability=0.4223", 0),
    ("one_class_only samples=3", 1),
    ("imbalanced percent=83", 0),
    ("one_sample_drove sample=x(1) percent=76", 1),
    ("one_sample_drove sample=x(0) percent=52", 3),
    ("samples_met met=2 samples=3", 1),
    ("weight_driven weight=dloss/dW1 sample=x(0) percent=44", 2),
    ("worst_output output=yhat[1] error=-1", 0),
    ("worst_output output=yhat[2] error=-6", 1),
    ("output_met output=yhat[1]", 0),
    ("zero_input input=x[0]", 0),
    ("mean_distance distance=1.5", 0),
    ("clipped_norm norm=1.02 limit=1 factor=0.9804", 0),
    ("not_clipped norm=1 limit=1", 0),
    ("penalty_pulls data=1.98 penalty=2", 0),
    ("penalty_weighs penalty=4 data=3.96", 0),
    ("decay_alone alone=2 weights=2", 0),
    ("adam_young factor=1.109", 1),
    ("velocity_carries ratio=1.21", 0),
    ("evened_out gradients=20 steps=3.9", 0),
    ("overshot expected=4.08 rise=0.0816", 0),
    ("curvature_took expected=1.008 percent=75", 0),
    ("long_step percent=52", 0),
    ("some_right right=1 samples=2", 0),
)


def said_of(case: dict[str, Any], key: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("handgrad.worked.derive.step.MOST_SAID", dict.fromkeys(MOST_SAID, len(SITUATIONS)))
    closing = hg.explain(case, language="en").record.steps[-1].closing
    return next(said(words) for words in closing if words.key == key)


@pytest.mark.parametrize("figures", FIGURES)
def test_a_situation_is_said_with_its_figures(figures: str, monkeypatch: pytest.MonkeyPatch):
    key = figures.split(maxsplit=1)[0]
    assert said_of(ROWS[key][0], key, monkeypatch) == figures


@pytest.mark.parametrize(("figures", "place"), AT_THE_EDGE)
def test_a_situation_at_its_edge_is_said_with_its_figures(
    figures: str, place: int, monkeypatch: pytest.MonkeyPatch
):
    key = figures.split(maxsplit=1)[0]
    assert said_of(EDGES[key][0][place], key, monkeypatch) == figures


def test_every_situation_has_its_figures():
    assert [figures.split()[0] for figures in FIGURES] == list(ROWS)
