"""The colours of quantities: legible on every ground, and told apart by the colour-blind.

The matrices are those of Machado, Oliveira, Fernandes, IEEE TVCG 15 (2009), severity 1; distances are in OKLab
(B. Ottosson 2020).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from handgrad.diagram.palette import PALETTE, kind_of
from tests.render.test_html import contrast

EYES = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
LMS = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
LAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def seen(colour: str, eye: str) -> np.ndarray:
    """The colour as that eye sees it, in OKLab."""
    shown = np.clip(np.array(EYES[eye]) @ linear(colour), 0, 1)
    return np.array(LAB) @ np.cbrt(np.array(LMS) @ shown)


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("ground", [0, 1], ids=["light", "dark"])
def test_every_two_colours_are_told_apart(eye: str, ground: int):
    for one, other in combinations(PALETTE, 2):
        far = np.linalg.norm(seen(PALETTE[one][ground], eye) - seen(PALETTE[other][ground], eye))
        assert far >= 0.04, (one, other, far)  # 0.02 is just noticed


@pytest.mark.parametrize("kind", PALETTE)
def test_letters_stand_out_from_every_ground(kind: str):
    shade = PALETTE[kind]
    for ground in ("#ffffff", "#fbfbf9", "#f2f3ef", "#eef4fb"):
        assert contrast(shade.light, ground) >= 4.5, ground
    for ground in ("#15181b", "#1b1f23", "#23282d", "#1d2a38"):
        assert contrast(shade.dark, ground) >= 4.5, ground


def test_quantities_of_one_kind_have_one_colour():
    kinds = {"W1": "parameter", "b2_new": "parameter", "W1_m_hat": "parameter", "x": "input", "a1": "hidden",
             "yhat": "output", "dW1": "gradient", "delta2": "gradient", "dyhat": "gradient", "da1": "gradient",
             "derivative1": "gradient", "beta1": "", "eta": "", "loss": "", "data_loss": "", "y": "", "z1": "",
             "decay": "", "alpha1": ""}  # fmt: skip
    assert {name: kind_of(name) for name in kinds} == kinds
