"""PyTorch, eager: nn.Sequential, losses of logits, fused Adam, batches gathered from resident tensors.

As the PyTorch documentation has it: class indices for cross-entropy, `zero_grad` setting to None,
`fused=True`, `torch.set_num_threads`; no DataLoader, since the data are in memory and indexing a tensor is
quicker.
"""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.peers import Array, Problem

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


class Eager:
    """See `benchmarks.peers.Peer`."""

    def __init__(self, problem: Problem, threads: int) -> None:
        torch.set_num_threads(threads)
        workload = problem.workload
        layers: list[nn.Module] = []
        for inputs, units in zip(workload.sizes, workload.sizes[1:], strict=False):
            layers += [nn.Linear(inputs, units), ACTIVATIONS[workload.hidden]()]
        self._model = nn.Sequential(*layers[:-1])  # the output activation is inside the loss
        self._X = torch.from_numpy(problem.X)
        self._loss: nn.Module
        if workload.output == "sigmoid":
            self._Y, self._loss = torch.from_numpy(problem.Y), nn.BCEWithLogitsLoss()
        else:
            self._Y, self._loss = torch.from_numpy(problem.classes), nn.CrossEntropyLoss()
        self._order = list(torch.from_numpy(problem.order))
        self._problem = problem
        self._forward = self._batch_loss
        self.reset()

    def reset(self) -> None:
        workload = self._problem.workload
        with torch.no_grad():
            for linear, (W, b) in zip(self._linears(), self._problem.parameters, strict=True):
                linear.weight.copy_(torch.from_numpy(W))
                linear.bias.copy_(torch.from_numpy(b))
        self._optimizer: torch.optim.Optimizer
        if workload.optimizer == "adam":
            self._optimizer = torch.optim.Adam(
                self._model.parameters(), lr=workload.learning_rate, fused=True
            )
        else:
            self._optimizer = torch.optim.SGD(self._model.parameters(), lr=workload.learning_rate, fused=True)

    def run(self, steps: int) -> None:
        full_batch = self._problem.workload.full_batch
        for rows in self._order[:steps]:
            X, Y = (self._X, self._Y) if full_batch else (self._X[rows], self._Y[rows])
            self._optimizer.zero_grad()
            self._forward(X, Y).backward()
            self._optimizer.step()

    def parameters(self) -> list[tuple[Array, Array]]:
        return [
            (layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy())
            for layer in self._linears()
        ]

    def _linears(self) -> list[nn.Linear]:
        return [layer for layer in self._model if isinstance(layer, nn.Linear)]

    def _batch_loss(self, X: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self._loss(self._model(X), Y)
        return result


def start(problem: Problem, threads: int) -> Eager:
    """A training in eager PyTorch."""
    return Eager(problem, threads)
