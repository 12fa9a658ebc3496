"""Steps of a running PyTorch loop, recorded as they happen and opened as sheets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from handgrad.errors import MissingExtraError, ModelError, SpecificationError
from handgrad.interop.foreign import Foreign, Standing, targets
from handgrad.interop.opening import NextStep
from handgrad.nn.arrays import Array
from handgrad.nn.clipping import Clipping
from handgrad.worksheets.choices import Choices
from handgrad.worksheets.worksheet import Worksheet

if TYPE_CHECKING:
    import torch

FIRST_STEPS = range(1, 101)
_AGREEMENT = 1e-3  # of the largest gradient: theirs are float32 or less


@dataclass(frozen=True, eq=False)
class Recorded:
    """A step as it stood before the update."""

    foreign: Foreign
    standing: Standing
    X: Array
    Y: Array | None
    dyhat: Array | None
    masks: tuple[Array | None, ...] | None
    gradients: tuple[Array, ...]
    """Of the weights, as the optimizer was about to take them."""


class Watched:
    """The recording of a loop; see `watch`."""

    def __init__(self, model: Any, optimizer: Any, loss: Any, steps: Collection[int]) -> None:
        from handgrad.interop import torch as reader

        self._reader, self._model, self._optimizer, self._loss = reader, model, optimizer, loss
        self._wanted, self._recorded = steps, dict[int, Recorded]()
        self._count = 0
        self._handles: list[Any] = []
        self._X: Any = None
        self._dyhat: Any = None
        self._target: Any = None
        self._masks: dict[int, Array] = {}
        reader.read(model)  # what cannot be shown is told before the loop begins

    @property
    def steps(self) -> tuple[int, ...]:
        """The recorded steps: the calls of `optimizer.step()` since the recording began, from 1."""
        return tuple(self._recorded)

    def explain(self, step: int | None = None, **choices: Unpack[Choices]) -> Worksheet:
        """The sheet of a recorded step, by default the last one; the choices are those of `handgrad.explain`.

        Raises ModelError for a step that was not recorded, or whose gradient is not that of one batch.
        """
        if not self._recorded:
            raise ModelError("no step was recorded; call optimizer.step() inside the with block")
        number = max(self._recorded) if step is None else step
        if number not in self._recorded:
            shown = ", ".join(map(str, self.steps[:12])) + (" ..." if len(self.steps) > 12 else "")
            raise ModelError(f"step {number} was not recorded; recorded are {shown}")
        source = _opened(self._recorded[number])
        return Worksheet(source, source.total, source.total, chosen=True).with_choices(**choices)

    # -- recording

    def __enter__(self) -> Watched:
        self._handles = [
            self._model.register_forward_pre_hook(self._forward_begins),
            self._model.register_forward_hook(self._forward_ends),
            self._optimizer.register_step_pre_hook(self._step_begins),
        ]
        for place, module in enumerate(self._dropouts()):
            self._handles.append(module.register_forward_hook(self._dropped(place)))
        if self._loss is not None:
            self._handles.append(self._loss.register_forward_hook(self._loss_ends))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _dropouts(self) -> list[Any]:
        return [module for module in self._model.modules() if type(module).__name__ == "Dropout"]

    @property
    def _comes(self) -> bool:
        """True where the next step is one to record."""
        return self._count + 1 in self._wanted and bool(self._model.training)

    def _forward_begins(self, module: Any, arguments: Any) -> None:
        if self._comes:
            self._X, self._masks, self._target, self._dyhat = arguments[0].detach(), {}, None, None

    def _dropped(self, place: int) -> Any:
        def hook(module: Any, arguments: Any, output: Any) -> None:
            if self._comes and module.p > 0 and module.training:
                # where the input is 0 it does not matter whether it was kept
                self._masks[place] = self._reader.as_array((output != 0) | (arguments[0] == 0))

        return hook

    def _forward_ends(self, module: Any, arguments: Any, output: Any) -> None:
        if self._comes and output.requires_grad:
            output.register_hook(self._gradient_comes)

    def _gradient_comes(self, gradient: Any) -> None:
        self._dyhat = gradient.detach()

    def _loss_ends(self, module: Any, arguments: Any, output: Any) -> None:
        if self._comes:
            self._target = arguments[1].detach()

    def _step_begins(self, optimizer: Any, arguments: Any, options: Any) -> None:
        self._count += 1
        if self._count not in self._wanted or self._X is None:
            return
        foreign = self._reader.read(self._model)
        if self._loss is not None and self._target is not None:
            foreign = self._reader.with_loss(foreign, self._loss)
        as_array = self._reader.as_array
        X = np.asarray(as_array(self._X), np.float64).reshape(len(self._X), -1)
        known = foreign.network.loss is not None
        self._recorded[self._count] = Recorded(
            foreign,
            self._reader.standing(foreign, optimizer, self._model),
            X,
            targets(foreign.network, as_array(self._target)) if known else None,
            None if known or self._dyhat is None else np.asarray(as_array(self._dyhat), np.float64),
            self._masks_of(foreign),
            tuple(
                np.asarray(as_array(module.weight.grad), np.float64)
                for module in self._model.modules()
                if type(module).__name__ == "Linear"
            ),
        )

    def _masks_of(self, foreign: Foreign) -> tuple[Array | None, ...] | None:
        """The masks by layer: the k-th dropout that drops belongs to the k-th layer with one."""
        if not self._masks:
            return None
        masks = iter(self._masks[place] for place in sorted(self._masks))
        return tuple(None if layer.dropout is None else next(masks) for layer in foreign.network.layers)


def watch(
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    loss: torch.nn.Module | None = None,
    steps: Collection[int] = FIRST_STEPS,
) -> Watched:
    """Records chosen steps of the training loop inside the `with` block; they open as sheets.

    `loss` is the torch.nn loss that the loop calls; without it the sheet begins its backward pass with the
    gradient of the outputs that PyTorch had. Steps are the calls of `optimizer.step()` in the block, from 1; the
    first 100 unless others are named. Dropout is shown with the masks that PyTorch drew.

    >>> import torch
    >>> model, criterion = torch.nn.Linear(2, 1), torch.nn.MSELoss()
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> with watch(model, optimizer, loss=criterion, steps=(1, 3)) as watched:
    ...     for X, y in [(torch.ones(4, 2), torch.zeros(4, 1))] * 3:
    ...         optimizer.zero_grad()
    ...         criterion(model(X), y).backward()
    ...         optimizer.step()
    >>> watched.steps
    (1, 3)
    >>> watched.explain(3).quantities()["x"].shape
    (4, 2)

    Raises ModelError for a model, a loss or an optimizer with a part that is not known here.
    """
    try:
        import torch
    except ImportError:
        raise MissingExtraError("watch", "torch") from None
    if not isinstance(model, torch.nn.Module) or not isinstance(optimizer, torch.optim.Optimizer):
        raise SpecificationError(
            f"watch takes a torch.nn.Module and a torch.optim.Optimizer, got {type(model).__name__} and "
            f"{type(optimizer).__name__}"
        )
    if loss is not None and not isinstance(loss, torch.nn.Module):
        raise SpecificationError(
            f"loss must be the module that the loop calls, such as torch.nn.MSELoss(), got {type(loss).__name__}; "
            "without one the gradient of the outputs is taken"
        )
    return Watched(model, optimizer, loss, steps)


def _opened(recorded: Recorded) -> NextStep:
    """The step, after its gradient was found to be that of the recorded batch, or that clipped by its norm."""
    given = {} if recorded.dyhat is None else {"dyhat": recorded.dyhat}
    if recorded.Y is None and recorded.dyhat is None:
        raise ModelError("the loop did not run backward through the model's output before this step")

    def source(standing: Standing) -> NextStep:
        return NextStep(recorded.foreign, standing, recorded.X, recorded.Y, masks=recorded.masks, given=given)

    whole = source(recorded.standing)
    computed = next(whole.traces(whole.total, whole.total)).quantities
    ours = [computed[f"dW{l}"] for l, _ in recorded.foreign.network.numbered()]
    penalty = recorded.standing.recipe.regularization.l2  # PyTorch adds it inside the step
    theirs = [gradient + penalty * computed[f"W{l}"] for l, gradient in enumerate(recorded.gradients, 1)]
    if _agree(ours, theirs):
        return whole
    norm = float(np.sqrt(sum(np.sum(gradient**2) for gradient in _with_biases(computed, recorded))))
    factor = _factor(ours, theirs)
    if penalty == 0 and factor < 1 and _agree([factor * gradient for gradient in ours], theirs):
        recipe = replace(recorded.standing.recipe, clipping=Clipping(norm=factor * norm))
        return source(recorded.standing._replace(recipe=recipe))
    raise ModelError(
        "the gradient that the optimizer took is not that of the last batch through the model: gradients added up "
        "over batches, or changed before the step, cannot be shown"
    )


def _with_biases(computed: dict[str, Array], recorded: Recorded) -> list[Array]:
    return [
        computed[name]
        for l, _ in recorded.foreign.network.numbered()
        for name in (f"dW{l}", f"db{l}")
        if name in computed
    ]


def _agree(ours: list[Array], theirs: list[Array]) -> bool:
    largest = max(float(np.abs(gradient).max()) for gradient in theirs)
    return all(
        bool(np.all(np.abs(one - other) <= _AGREEMENT * largest))
        for one, other in zip(ours, theirs, strict=True)
    )


def _factor(ours: list[Array], theirs: list[Array]) -> float:
    """The number c for which c times ours comes nearest to theirs."""
    above = sum(float(np.sum(one * other)) for one, other in zip(ours, theirs, strict=True))
    below = sum(float(np.sum(one * one)) for one in ours)
    return above / below if below else 1.0
