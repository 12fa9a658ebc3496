"""Truth values in words: yes and no, in the languages in which tables are often written."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from handgrad.data.words import Bools, Floats, bools

_PAIRS = (
    "true false", "t f", "yes no", "y n", "on off", "ja nein", "j n", "oui non", "sí no", "si no", "sim não",
    "vrai faux", "wahr falsch", "verdadero falso", "да нет", "হ্যাঁ না", "tak nie", "ano ne",
)  # fmt: skip
TRUTH = {word: 1.0 - place for pair in _PAIRS for place, word in enumerate(pair.split())}
"""Word: 1 for what is so, 0 for what is not."""


def parse(texts: pa.Array) -> tuple[Floats, Bools]:
    """(values, wrong): 1, 0 and NaN; True where a text is no truth value.

    >>> parse(pa.array(["Yes", "no", "perhaps"]))[0].tolist()
    [1.0, 0.0, nan]
    """
    found = pc.index_in(pc.utf8_lower(texts), value_set=pa.array(list(TRUTH)))
    values = np.append(list(TRUTH.values()), np.nan)[np.asarray(pc.fill_null(found, len(TRUTH)))]
    return values, np.isnan(values) & bools(pc.is_valid(texts))


def of_one_language(texts: pa.Array) -> bool:
    """True where the texts are the words of one pair, so that "n" beside "m" and "f" stays a letter."""
    words = set(pc.utf8_lower(texts.drop_null()).to_pylist()) if len(texts) <= 12 else set()
    english = {"true", "false", "t", "f", "yes", "no", "y", "n"}
    return bool(words) and (words <= english or any(words <= set(pair.split()) for pair in _PAIRS))
