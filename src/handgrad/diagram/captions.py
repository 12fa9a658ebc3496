"""The words of a drawing in the reader's language."""

from __future__ import annotations

from handgrad.diagram.scene import Captions
from handgrad.nn.network import Network
from handgrad.writing.phrasebook import Phrasebook


def captions_in(words: Phrasebook, network: Network) -> Captions:
    """The captions of a drawing of `network` from the message catalogue.

    >>> from handgrad.nn.network import Dense
    >>> captions_in(Phrasebook("en"), Network(1, [Dense(1)])).hidden
    'Hidden {number}'
    """
    # the places in braces stay for the drawing to fill
    places = {
        name: "{" + name + "}"
        for name in ("sizes", "layers", "name", "units", "activation", "count", "number")
    }
    keys = {
        "title": "title",
        "description": "description",
        "described": "layer",
        "input": "input",
        "hidden": "hidden",
        "output": "output",
        "more": "more",
        "more_layers": "more_layers",
        "weights": "weights",
        "gradients": "gradients",
        "positive": "positive",
        "negative": "negative",
    }
    functions = sorted({layer.function.name for layer in network.layers})
    return Captions(
        **{field: words.text(f"drawing_{key}", **places) for field, key in keys.items()},
        activations=tuple((name, words.text(f"activation:{name}")) for name in functions),
    )
