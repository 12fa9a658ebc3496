"""PyTorch: a Sequential of Linear, activations and Dropout; its losses; where its optimizer stands."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from handgrad.errors import ModelError
from handgrad.interop.foreign import Foreign, Layers, Standing, unknown
from handgrad.models.model import Model
from handgrad.nn.activations import Activation
from handgrad.nn.arrays import Array
from handgrad.nn.losses import Loss
from handgrad.nn.network import Network
from handgrad.nn.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
    initial_state,
)
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe

KNOWN = "Sequential, Linear, Dropout, Identity, Flatten and activations"


def _exact(module: Any, options: dict[str, Any]) -> bool:
    return all(getattr(module, name) == value for name, value in options.items())


# torch's class: our name, the options it must have, the attribute that is our alpha
ACTIVATION_ROWS: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "ReLU": ("relu", {}, None),
    "Sigmoid": ("sigmoid", {}, None),
    "Tanh": ("tanh", {}, None),
    "LeakyReLU": ("leaky_relu", {}, "negative_slope"),
    "ELU": ("elu", {}, "alpha"),
    "GELU": ("gelu", {"approximate": "none"}, None),
    "SiLU": ("silu", {}, None),
    "Softplus": ("softplus", {"beta": 1}, None),
    "ReLU6": ("relu6", {}, None),
    "Hardsigmoid": ("hard_sigmoid", {}, None),
    "SELU": ("selu", {}, None),
    "Mish": ("mish", {}, None),
}


def read(model: Any) -> Foreign:
    """A torch.nn.Sequential (or a single Linear) as a network of ours.

    Raises ModelError, which names the part, for one that has no counterpart here.
    """
    layers = Layers("PyTorch")
    for name, module in _parts("", model):
        _add(layers, f"PyTorch, module {name or type(module).__name__}", module)
    return layers.done()


def _parts(name: str, module: Any) -> Iterator[tuple[str, Any]]:
    """The modules in the order in which they are run, nested Sequentials opened."""
    if type(module).__name__ == "Sequential" or isinstance(module, torch.nn.Sequential):
        for key, child in module.named_children():
            yield from _parts(f"{name}.{key}" if name else key, child)
        return
    yield f"{name} ({type(module).__name__})" if name else "", module


def _add(layers: Layers, place: str, module: Any) -> None:
    kind = type(module).__name__
    if isinstance(module, torch.nn.Linear):
        if not module.weight.requires_grad:
            raise ModelError(f"{place}: its weights do not require a gradient; handgrad trains all weights")
        bias = module.bias
        frozen = bias is not None and not bias.requires_grad
        layers.dense(
            place,
            _numbers(module.weight),
            None if bias is None else _numbers(bias),
            "frozen" if frozen else "trained",
        )
    elif isinstance(module, torch.nn.Dropout):
        layers.dropout(place, float(module.p), bool(module.training))
    elif isinstance(module, torch.nn.Softmax):
        if module.dim not in (1, -1):
            raise ModelError(
                f"{place}: softmax over dimension {module.dim}; it must be over the outputs, 1 or -1"
            )
        layers.activation(place, "softmax")
    elif isinstance(module, torch.nn.Identity | torch.nn.Flatten):
        return
    elif kind in ACTIVATION_ROWS:
        name, options, alpha = ACTIVATION_ROWS[kind]
        if not _exact(module, options):
            raise ModelError(f"{place}: {module} is not known here; known is {kind} with {options}")
        layers.activation(place, name, None if alpha is None else float(getattr(module, alpha)))
    else:
        raise unknown(place, kind, KNOWN)


def _numbers(tensor: Any) -> Array:
    numbers: Array = tensor.detach().cpu().to(torch.float64).numpy().copy()
    return numbers


def as_array(values: Any) -> Array:
    """A tensor, or anything else, as an array."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


# -- losses


def _reduced(name: str, loss: Any, **options: Any) -> Loss:
    """mean is over samples and outputs, sum over both."""
    if loss.reduction not in ("mean", "sum"):
        raise ModelError(
            f"PyTorch, {type(loss).__name__}: reduction {loss.reduction!r}; it must be 'mean' or 'sum'"
        )
    return Loss(name, outputs=loss.reduction, samples=loss.reduction, **options)


def _unweighted(loss: Any, *names: str) -> None:
    for name in names:
        if getattr(loss, name, None) is not None:
            raise ModelError(
                f"PyTorch, {type(loss).__name__}: its {name} has no counterpart here; leave it out"
            )


def _cross_entropy(loss: Any, foreign: Foreign) -> Foreign:
    _unweighted(loss, "weight")
    if loss.label_smoothing != 0:
        raise ModelError("PyTorch, CrossEntropyLoss: label_smoothing has no counterpart here; leave it out")
    # its mean is over the samples alone
    found = Loss("cross_entropy", outputs="sum", samples=_reduced("cross_entropy", loss).samples)
    return foreign.with_loss(found, "softmax")


def _logits(loss: Any, foreign: Foreign) -> Foreign:
    _unweighted(loss, "weight", "pos_weight")
    return foreign.with_loss(_reduced("binary_cross_entropy", loss), "sigmoid")


def _binary(loss: Any, foreign: Foreign) -> Foreign:
    _unweighted(loss, "weight")
    return foreign.with_loss(_reduced("binary_cross_entropy", loss))


LOSS_ROWS: dict[str, Callable[[Any, Foreign], Foreign]] = {
    "MSELoss": lambda loss, foreign: foreign.with_loss(_reduced("squared_error", loss)),
    "L1Loss": lambda loss, foreign: foreign.with_loss(_reduced("absolute_error", loss)),
    "HuberLoss": lambda loss, foreign: foreign.with_loss(
        _reduced("huber", loss, threshold=float(loss.delta))
    ),
    "BCELoss": _binary,
    "BCEWithLogitsLoss": _logits,
    "CrossEntropyLoss": _cross_entropy,
}


def with_loss(foreign: Foreign, loss: Any) -> Foreign:
    """The network under a loss of torch.nn. Raises ModelError for one that has no counterpart here."""
    row = LOSS_ROWS.get(type(loss).__name__)
    if row is None:
        raise unknown("PyTorch", f"the loss {type(loss).__name__}", ", ".join(LOSS_ROWS))
    return row(loss, foreign)


# -- optimizers


def standing(foreign: Foreign, optimizer: Any, model: Any) -> Standing:
    """Where a torch.optim optimizer stands: its next step, on the parameters of `model`.

    Raises ModelError for an optimizer or an option that has no counterpart here.
    """
    place = f"PyTorch, {type(optimizer).__name__}"
    row = OPTIMIZER_ROWS.get(type(optimizer).__name__)
    if row is None:
        raise unknown("PyTorch", f"the optimizer {type(optimizer).__name__}", ", ".join(OPTIMIZER_ROWS))
    linear = [part for _, part in _parts("", model) if isinstance(part, torch.nn.Linear)]
    group = _one_group(place, optimizer, linear)
    ours, slots = row(place, group)
    state, t = _state(place, foreign.network, ours, optimizer, linear, slots)
    return Standing(Recipe(ours, _penalty(place, optimizer, linear, ours)), state, t)


def _groups(optimizer: Any) -> dict[Any, dict[str, Any]]:
    return {parameter: group for group in optimizer.param_groups for parameter in group["params"]}


def _one_group(place: str, optimizer: Any, linear: list[Any]) -> dict[str, Any]:
    """The options, which must be the same for all parameters (weight decay may differ for biases)."""
    groups = _groups(optimizer)
    first: dict[str, Any] | None = None
    for module in linear:
        for parameter in module.parameters():
            if parameter not in groups:
                raise ModelError(f"{place}: it does not hold all parameters of the model")
            first = first or groups[parameter]
            for name in set(first) - {"params", "weight_decay"}:
                if groups[parameter][name] != first[name]:
                    raise ModelError(f"{place}: {name} differs between its groups; handgrad has one for all")
    assert first is not None
    if first.get("maximize"):
        raise ModelError(f"{place}: maximize=True; handgrad minimises")
    return first


def _penalty(place: str, optimizer: Any, linear: list[Any], ours: Optimizer) -> Regularization:
    """weight_decay of all but AdamW is the gradient of lambda / 2 |W|^2; on biases it has no counterpart."""
    if ours.name == "adamw":
        return Regularization()
    groups = _groups(optimizer)
    weights = {float(groups[module.weight]["weight_decay"]) for module in linear}
    biases = {float(groups[module.bias]["weight_decay"]) for module in linear if module.bias is not None}
    if len(weights) > 1 or biases - {0.0}:
        raise ModelError(
            f"{place}: its weight_decay also decays biases, or differs between layers; give the biases a group "
            "with weight_decay=0"
        )
    return Regularization(l2=weights.pop())


Row = Callable[[str, dict[str, Any]], tuple[Optimizer, tuple[str, ...]]]
"""From the options of a group: our optimizer, and the names of its state there, in the order of our slots."""


def _sgd(place: str, group: dict[str, Any]) -> tuple[Optimizer, tuple[str, ...]]:
    rate, momentum, dampening = float(group["lr"]), float(group["momentum"]), float(group["dampening"])
    if momentum == 0:
        return SGD(rate), ()
    if group["nesterov"]:
        return Nesterov(rate, momentum), ("momentum_buffer",)
    if dampening not in (0.0, momentum):
        raise ModelError(f"{place}: dampening {dampening}; known are 0 and the momentum itself")
    form = "average" if dampening else "velocity"
    return Momentum(rate, momentum, form=form), ("momentum_buffer",)


def _adam(place: str, group: dict[str, Any]) -> tuple[Optimizer, tuple[str, ...]]:
    decoupled = bool(group.get("decoupled_weight_decay"))
    options: dict[str, Any] = {"weight_decay": float(group["weight_decay"])} if decoupled else {}
    rule: type[Adam] = AdamW if decoupled else Adam
    ours = rule(
        float(group["lr"]),
        beta1=float(group["betas"][0]),
        beta2=float(group["betas"][1]),
        epsilon=float(group["eps"]),
        amsgrad=bool(group["amsgrad"]),
        **options,
    )
    return ours, ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")[: len(ours.slots)]


def _adamw(place: str, group: dict[str, Any]) -> tuple[Optimizer, tuple[str, ...]]:
    return _adam(place, group | {"decoupled_weight_decay": True})


def _rmsprop(place: str, group: dict[str, Any]) -> tuple[Optimizer, tuple[str, ...]]:
    if group["momentum"] or group["centered"]:
        raise ModelError(f"{place}: momentum and centered have no counterpart here; leave them out")
    ours = RMSprop(float(group["lr"]), decay=float(group["alpha"]), epsilon=float(group["eps"]))
    return ours, ("square_avg",)


def _adagrad(place: str, group: dict[str, Any]) -> tuple[Optimizer, tuple[str, ...]]:
    if group["lr_decay"]:
        raise ModelError(f"{place}: lr_decay has no counterpart here; leave it out")
    return Adagrad(float(group["lr"]), epsilon=float(group["eps"])), ("sum",)


def _adadelta(place: str, group: dict[str, Any]) -> tuple[Optimizer, tuple[str, ...]]:
    ours = Adadelta(float(group["lr"]), decay=float(group["rho"]), epsilon=float(group["eps"]))
    return ours, ("square_avg", "acc_delta")


OPTIMIZER_ROWS: dict[str, Row] = {
    "SGD": _sgd,
    "Adam": _adam,
    "AdamW": _adamw,
    "RMSprop": _rmsprop,
    "Adagrad": _adagrad,
    "Adadelta": _adadelta,
}


def _state(
    place: str, network: Network, ours: Optimizer, optimizer: Any, linear: list[Any], slots: tuple[str, ...]
) -> tuple[Any, int]:
    """The state of each parameter, zeros where it has none yet, and the number of the next step."""
    zeros = initial_state(ours, network.initial_parameters())
    steps = [0]

    def of(parameter: Any, nothing: tuple[Array, ...]) -> tuple[Array, ...]:
        held = {} if parameter is None else optimizer.state.get(parameter, {})
        if "step" in held:
            steps.append(int(held["step"]))
        if not held or held.get(slots[0] if slots else "") is None:
            if isinstance(ours, Momentum) and ours.form == "average":
                raise ModelError(f"{place}: its first step is not dampened; show a later one")
            return nothing
        return tuple(_numbers(held[name]) for name in slots)

    state = tuple(
        (of(module.weight, W), of(module.bias, b)) for module, (W, b) in zip(linear, zeros, strict=True)
    )
    return state, max(steps) + 1


# -- writing


def sequential(model: Model) -> torch.nn.Sequential:
    """The model as a torch.nn.Sequential in float64, in evaluation mode.

    Raises ModelError for an activation that PyTorch has no module for.
    """
    parts: list[torch.nn.Module] = []
    for (l, layer), (W, b) in zip(model.network.numbered(), model.parameters, strict=True):
        linear = torch.nn.Linear(W.shape[1], W.shape[0], bias=layer.bias != "none", dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(np.asarray(W, np.float64)))
            if layer.bias != "none":
                linear.bias.copy_(torch.tensor(np.asarray(b, np.float64)))
        parts.append(linear)
        if layer.function.name != "identity":
            parts.append(_module(l, layer.function))
        if layer.dropout is not None:
            parts.append(torch.nn.Dropout(1 - layer.dropout.keep))
    return torch.nn.Sequential(*parts).eval()


def _module(l: int, function: Activation) -> torch.nn.Module:
    if function.name == "softmax":
        return torch.nn.Softmax(dim=1)
    for kind, (name, options, alpha) in ACTIVATION_ROWS.items():
        if name == function.name:
            chosen = options if alpha is None else options | {alpha: function.alpha}
            module: torch.nn.Module = getattr(torch.nn, kind)(**chosen)
            return module
    raise ModelError(f"layer {l}: PyTorch has no module for the activation {function.name!r}")


def write(model: Model) -> bytes:
    """The bytes of a state dict of `sequential`, as torch.save writes it."""
    kept = io.BytesIO()
    torch.save(sequential(model).state_dict(), kept)
    return kept.getvalue()
