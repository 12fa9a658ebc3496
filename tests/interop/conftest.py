"""Keras runs on JAX here; it asks once, when it is first imported."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
