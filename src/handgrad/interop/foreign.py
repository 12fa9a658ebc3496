"""A network that another library made, as a network of ours; and where its training stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from handgrad.errors import ModelError, SpecificationError
from handgrad.models.model import Model
from handgrad.nn.activations import ACTIVATIONS, Activation
from handgrad.nn.arrays import Array
from handgrad.nn.dropout import Dropout
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import OptimizerState, initial_state
from handgrad.nn.step import Recipe, Training
from handgrad.training.history import Fit, Snapshot
from handgrad.training.plan import Plan

USUAL_LOSSES = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}
"""The loss that an output activation is usually trained with; squared error for all others."""


class Standing(NamedTuple):
    """Where the training of another library stands: what its next step starts from."""

    recipe: Recipe
    state: OptimizerState
    t: int
    """The number of the next step, from 1."""


@dataclass(frozen=True, eq=False)
class Foreign:
    """A network that `maker` made; its weights are given in `network`, as float64 of what they were."""

    maker: str
    network: Network
    drops_now: bool = False
    """True where the library would draw dropout masks of its own at the next step."""

    def with_loss(self, loss: Loss | None, output: str | None = None) -> Foreign:
        """The same network under a loss; `output` puts an activation in the place of an identity.

        PyTorch's and Keras's losses on logits have the sigmoid or softmax in them; ours have it in the network.
        """
        layers = list(self.network.layers)
        if output is not None:
            last = layers[-1]
            if last.function.name != "identity":
                raise ModelError(
                    f"{self.maker}: the loss takes logits, and the last layer already has the activation "
                    f"{last.function.name}"
                )
            layers[-1] = Dense(last.units, output, W=last.W, b=last.b, bias=last.bias)
        network = Network(self.network.inputs, layers, loss)
        return Foreign(self.maker, network, self.drops_now)

    def with_usual_loss(self) -> Foreign:
        """The same network under the loss that its output activation is usually trained with, if it has none."""
        if self.network.loss is not None:
            return self
        return self.with_loss(Loss(USUAL_LOSSES.get(self.network.layers[-1].function.name, "squared_error")))

    def model(self) -> Model:
        """A model that predicts, is saved and opened like a trained one, with no step taken here."""
        parameters = self.network.initial_parameters()
        recipe = Recipe()
        training = Training(parameters, initial_state(recipe.optimizer, parameters))
        nothing = np.empty(0, np.int64)
        return Model(
            Fit(
                self.network,
                recipe,
                Plan(),
                training,
                (),
                (Snapshot(1, training),),
                nothing,
                nothing,
                "reference",
                "R2",
                f"made by {self.maker}",
            )
        )


@dataclass
class Layers:
    """The layers of a network as they are met, one after another."""

    maker: str
    found: list[dict[str, Any]] = field(default_factory=list)
    drops_now: bool = False

    def dense(self, place: str, W: Any, b: Any, bias: str = "trained") -> None:
        """A layer with W of shape (units, inputs) and b of shape (units,), or None."""
        W = np.asarray(W, np.float64)
        if W.ndim != 2:
            raise ModelError(f"{place}: its weights have shape {W.shape}; a dense layer has (units, inputs)")
        self.found.append(
            {
                "units": int(W.shape[0]),
                "W": W,
                "b": None if b is None else np.asarray(b, np.float64).reshape(-1),
                "bias": "none" if b is None else bias,
                "activation": Activation("identity"),
                "dropout": None,
            }
        )

    def activation(self, place: str, name: str, alpha: float | None = None) -> None:
        """An activation after the last dense layer."""
        if name == "identity":
            return
        if name not in ACTIVATIONS:
            raise ModelError(
                f"{place}: the activation {name!r} is not known here; known are {', '.join(ACTIVATIONS)}"
            )
        last = self._last(place, "an activation")
        if last["activation"].name != "identity":
            raise ModelError(f"{place}: a second activation after one dense layer; handgrad has one for each")
        if last["dropout"] is not None:
            raise ModelError(f"{place}: an activation after a dropout; put the dropout after the activation")
        last["activation"] = Activation(name, alpha)

    def weighs_itself(self, place: str) -> None:
        """z sigma(z) where sigma(z) was read: SiLU."""
        last = self._last(place, "a product")
        if last["activation"].name != "sigmoid":
            raise ModelError(f"{place}: a product is known only as z sigma(z), the SiLU")
        last["activation"] = Activation("silu")

    def dropout(self, place: str, part: float, now: bool) -> None:
        """Dropout after the last dense layer: the part of its units that is dropped."""
        if part == 0:
            return
        last = self._last(place, "dropout")
        if last["dropout"] is not None:
            raise ModelError(
                f"{place}: a second dropout after one dense layer; give their joint part at once"
            )
        last["dropout"] = Dropout(keep=1 - part)
        self.drops_now = self.drops_now or now

    def _last(self, place: str, what: str) -> dict[str, Any]:
        if not self.found:
            raise ModelError(
                f"{place}: {what} before the first dense layer, on the inputs, has no place here"
            )
        return self.found[-1]

    def done(self) -> Foreign:
        """The network. Raises ModelError for one without a dense layer, or that ends in a dropout."""
        if not self.found:
            raise ModelError(f"{self.maker}: there is no dense layer in this model")
        if self.found[-1]["dropout"] is not None:
            raise ModelError(f"{self.maker}: the model ends in a dropout; it belongs between layers")
        layers = [
            Dense(
                keys["units"],
                keys["activation"],
                W=keys["W"],
                b=keys["b"],
                bias=keys["bias"],
                dropout=keys["dropout"],
            )
            for keys in self.found
        ]
        return Foreign(self.maker, Network(int(self.found[0]["W"].shape[1]), layers), self.drops_now)


def unknown(place: str, what: object, known: str) -> ModelError:
    """The error for a part that cannot be said here; it names the part."""
    return ModelError(f"{place}: {what} is not known here; known are {known}")


def plain_number(place: str, value: Any) -> float:
    """A number of an option, which another library may keep as an array of one."""
    try:
        return float(np.asarray(value))
    except (TypeError, ValueError) as error:
        raise SpecificationError(f"{place} must be a number, got {value!r}") from error


def late_epsilon(epsilon: float, beta2: float, t: int) -> float:
    """The epsilon of Adam beside sqrt(v_hat) that does at step t what `epsilon` does beside sqrt(v).

        eta sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon)
        = eta m_hat / (sqrt(v_hat) + epsilon / sqrt(1 - beta2^t))

    Source: D. Kingma, J. Ba, Adam (ICLR 2015), the last lines of section 2.
    """
    return float(epsilon / np.sqrt(1 - beta2**t))


def targets(network: Network, y: Any) -> Array:
    """y as (samples, outputs), float64; class indices become rows of one 1."""
    Y = np.asarray(y)
    if Y.ndim == 1 and network.outputs > 1:
        if Y.dtype.kind not in "iub" and not np.array_equal(Y, np.floor(Y)):
            raise SpecificationError(
                f"y must hold class indices 0 to {network.outputs - 1}, or one row a sample"
            )
        if Y.size and not (Y.min() >= 0 and Y.max() < network.outputs):
            raise SpecificationError(f"y holds classes outside 0 to {network.outputs - 1}")
        return np.eye(network.outputs)[Y.astype(np.int64)]
    return np.asarray(Y, np.float64).reshape(len(Y), -1)
