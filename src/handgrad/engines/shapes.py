"""Whether arrays have the shapes that a network needs."""

from __future__ import annotations

from handgrad.errors import ShapeError
from handgrad.nn.arrays import Array
from handgrad.nn.network import Network, Parameters


def check_samples(network: Network, X: Array, Y: Array | None) -> None:
    """Raises ShapeError unless X is (m, n_0) and Y, where there is one, (m, n_L).

    Where categories are gathered, X has a column for them in the place of the inputs that they are.
    """
    if X.ndim != 2 or X.shape[1] != network.columns:
        raise ShapeError(f"X must have shape (samples, {network.columns}), got {X.shape}")
    if Y is not None and Y.shape != (len(X), network.outputs):
        raise ShapeError(f"Y must have shape ({len(X)}, {network.outputs}), got {Y.shape}")


def check_parameters(network: Network, parameters: Parameters) -> None:
    """Raises ShapeError unless each W is (units, inputs) and each b (units,), as the layer has them."""
    for l, layer in network.numbered():
        W, b = parameters[l - 1]
        if W.shape != (layer.units, network.sizes[l - 1]) or b.shape != (layer.units,):
            raise ShapeError(
                f"layer {l}: W must have shape ({layer.units}, {network.sizes[l - 1]}) and b "
                f"({layer.units},), got {W.shape} and {b.shape}"
            )
