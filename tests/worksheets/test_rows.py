"""Every activation, loss and optimizer is written in every medium and language."""

from __future__ import annotations

from itertools import cycle, islice

import pytest

import handgrad as hg
from handgrad.nn.activations import ACTIVATIONS
from handgrad.nn.losses import LOSSES
from handgrad.nn.optimizers import OPTIMIZERS
from handgrad.writing.phrasebook import Phrasebook

OUTPUTS = {
    "squared_error": ("identity", [0.5]),
    "binary_cross_entropy": ("sigmoid", [1]),
    "cross_entropy": ("softmax", [0, 1]),
    "huber": ("tanh", [0.5]),
    "absolute_error": ("identity", [0.5]),
    "hinge": ("mish", [-1]),
    "poisson": ("exponential", [3]),
}
MEDIA = {"en": ("md", "html", "tex", "docx", "ipynb", "json"), "bn": ("md", "html")}


def test_the_table_holds_every_loss() -> None:
    assert set(OUTPUTS) == set(LOSSES)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("language", ["en", "bn"])
def test_every_row_is_written(loss: str, language: str) -> None:
    """Two or three activations and an optimizer with each loss, so that each comes to its turn."""
    turn = list(LOSSES).index(loss)
    hidden = list(islice(cycle(ACTIVATIONS), 3 * turn, 3 * turn + 3))
    optimizers = list(islice(cycle(OPTIMIZERS), 2 * turn, 2 * turn + 2))
    output, y = OUTPUTS[loss]
    layers = [{"units": 1 if name != "softmax" else 2, "activation": name} for name in hidden]
    words = Phrasebook(language)
    for optimizer in optimizers:
        case = {
            "network": {
                "inputs": 1,
                "loss": loss,
                "layers": [*layers, {"units": len(y), "activation": output}],
            },
            "data": {"x": [[0.3]], "y": [y]},
            "optimizer": {"name": optimizer, "learning_rate": 0.1},
        }
        sheet = hg.explain(
            case, parts=("problem", "loss", "update", "formulas"), detail="scalar", language=language
        )
        for medium in MEDIA[language][:: 1 if optimizer == optimizers[0] else 5]:
            assert sheet.to(medium)
        text = sheet.to("md").decode().replace("\\", "")
        named = [f"loss:{loss}", f"optimizer:{optimizer}", *(f"activation:{name}" for name in hidden)]
        assert all(words.text(key) in text for key in named)
        assert str(sheet)
