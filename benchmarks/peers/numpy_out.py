"""NumPy written by hand with `out=`: every array of a step is made once, nothing is allocated after that."""

from __future__ import annotations

import numpy as np

from benchmarks.peers import Array, Problem

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Buffers:
    """See `benchmarks.peers.Peer`."""

    def __init__(self, problem: Problem) -> None:
        workload, m = problem.workload, problem.workload.batch
        self._problem, self._Y = problem, problem.Y
        units = workload.sizes[1:]
        self._A = [np.empty((m, n), np.float32) for n in workload.sizes]
        self._delta = [np.empty((m, n), np.float32) for n in units]
        self._work = [np.empty((m, n), np.float32) for n in units]
        self._target = np.empty((m, units[-1]), np.float32)
        self._row = np.empty((m, 1), np.float32)
        sizes = [p.size for layer in problem.parameters for p in layer]
        self._flat = np.empty(sum(sizes), np.float32)  # one array for all, so that Adam is a few long loops
        self._gradient = np.empty_like(self._flat)
        self._m, self._v = np.empty_like(self._flat), np.empty_like(self._flat)
        self._s, self._r = np.empty_like(self._flat), np.empty_like(self._flat)
        self._layers = self._views(self._flat)
        self._gradients = self._views(self._gradient)
        self.reset()

    def reset(self) -> None:
        for (W, b), (W0, b0) in zip(self._layers, self._problem.parameters, strict=True):
            W[:], b[:] = W0, b0
        self._m.fill(0)
        self._v.fill(0)

    def run(self, steps: int) -> None:
        workload = self._problem.workload
        for t, rows in enumerate(self._problem.order[:steps], 1):
            if workload.full_batch:
                X, Y = self._problem.X, self._Y
            else:
                X = np.take(self._problem.X, rows, axis=0, out=self._A[0], mode="clip")
                Y = np.take(self._Y, rows, axis=0, out=self._target, mode="clip")
            self._forward(X)
            self._backward(X, Y)
            self._update(t)

    def parameters(self) -> list[tuple[Array, Array]]:
        return [(W.copy(), b.copy()) for W, b in self._layers]

    def _forward(self, X: Array) -> None:
        for l, (W, b) in enumerate(self._layers):
            A = np.matmul(X, W.T, out=self._A[l + 1])
            A += b
            X = self._activate(A, l == len(self._layers) - 1)

    def _activate(self, A: Array, last: bool) -> Array:
        name = self._problem.workload.output if last else self._problem.workload.hidden
        if name == "relu":
            return np.maximum(A, 0, out=A)
        if name == "tanh":
            return np.tanh(A, out=A)
        if name == "sigmoid":
            np.negative(A, out=A)
            np.exp(A, out=A)
            A += 1
            return np.reciprocal(A, out=A)
        A -= np.max(A, axis=1, keepdims=True, out=self._row)
        np.exp(A, out=A)
        A /= np.sum(A, axis=1, keepdims=True, out=self._row)
        return A

    def _backward(self, X: Array, Y: Array) -> None:
        delta = np.subtract(self._A[-1], Y, out=self._delta[-1])
        delta /= len(X)
        for l in range(len(self._layers) - 1, -1, -1):
            dW, db = self._gradients[l]
            np.matmul(self._delta[l].T, self._A[l] if l else X, out=dW)
            np.sum(self._delta[l], axis=0, out=db)
            if l:
                np.matmul(self._delta[l], self._layers[l][0], out=self._delta[l - 1])
                self._delta[l - 1] *= self._derivative(self._A[l], self._work[l - 1])

    def _derivative(self, A: Array, work: Array) -> Array:
        name = self._problem.workload.hidden
        if name == "relu":
            return np.sign(A, out=work)
        if name == "tanh":
            np.multiply(A, A, out=work)
            return np.subtract(1, work, out=work)
        np.subtract(1, A, out=work)
        return np.multiply(A, work, out=work)

    def _update(self, t: int) -> None:
        g, s, r, eta = self._gradient, self._s, self._r, self._problem.workload.learning_rate
        if self._problem.workload.optimizer == "sgd":
            g *= eta
            self._flat -= g
            return
        np.multiply(g, 1 - BETA1, out=s)
        self._m *= BETA1
        self._m += s
        np.multiply(g, g, out=s)
        s *= 1 - BETA2
        self._v *= BETA2
        self._v += s
        np.divide(self._v, 1 - BETA2**t, out=r)
        np.sqrt(r, out=r)
        r += EPSILON
        np.multiply(self._m, eta / (1 - BETA1**t), out=s)
        s /= r
        self._flat -= s

    def _views(self, flat: Array) -> list[tuple[Array, Array]]:
        views, place = [], 0
        for W, b in self._problem.parameters:
            middle, end = place + W.size, place + W.size + b.size
            views.append((flat[place:middle].reshape(W.shape), flat[middle:end]))
            place = end
        return views


def start(problem: Problem, threads: int) -> Buffers:
    """A training in NumPy; threads come from the BLAS's environment."""
    return Buffers(problem)
