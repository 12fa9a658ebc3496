"""What the classifier and the regressor share: `fit`, `partial_fit`, prediction, and the way back to any step.

The attributes after `fit` are scikit-learn's: `coefs_` has shape (inputs, units), the transpose of W.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from handgrad.engines import choose, native
from handgrad.errors import DataError, SpecificationError
from handgrad.estimators.lbfgs import Objective, minimised
from handgrad.estimators.parameters import (
    check_ranges,
    check_solver,
    coefficients,
    drawn_parameters,
    from_coefficients,
    is_stochastic,
    network_of,
    optimizer_of,
)
from handgrad.estimators.reasons import Reasons
from handgrad.estimators.replay import Remembered, Sheets, fingerprint
from handgrad.estimators.sessions import outputs_of, rows_of
from handgrad.estimators.stochastic import (
    Beginning,
    Course,
    Ended,
    Epochs,
    OptimizerMemory,
    Patience,
    Rates,
    Samples,
)
from handgrad.nn.arrays import Array
from handgrad.nn.forward import predict
from handgrad.nn.network import Network, Parameters
from handgrad.nn.optimizers import Optimizer, initial_state
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe, Training

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed."
)


class MultilayerPerceptron(Sheets, Reasons, BaseEstimator):  # type: ignore[misc]
    """The base of `MLPClassifier` and `MLPRegressor`; see there."""

    n_outputs_: int

    # -- what the two differ in

    @abstractmethod
    def _targets(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Array]:
        """X and y judged; y as the network needs it, (samples,) or (samples, outputs)."""

    @abstractmethod
    def _output_activation(self) -> str:
        """identity, logistic or softmax."""

    @abstractmethod
    def _from_outputs(self, outputs: Array) -> Array:
        """What `predict` returns, from the outputs (samples, outputs)."""

    @abstractmethod
    def _held_out_score(self, Y: Array, outputs: Array, weights: Array | None) -> float:
        """Accuracy or R2 on the rows that early stopping keeps."""

    @abstractmethod
    def _stratified(self) -> bool:
        """True where the rows that early stopping keeps take of each class the same part."""

    def _samples_of(self, X: Any, y: Any) -> Samples:
        X, y = self._targets(X, y, incremental=True, reset=False)
        return Samples(rows_of(X), np.ascontiguousarray(y.reshape(len(y), -1), X.dtype))

    def _weights(self, sample_weight: Any, X: Any, y: Any) -> Array | None:
        """A weight for each sample (n,), None where all weigh the same."""
        if sample_weight is None:
            return None
        weights: Array = _check_sample_weight(sample_weight, X, dtype=X.dtype)
        if (weights < 0).any() or not weights.any():
            raise SpecificationError("sample_weight must hold numbers >= 0, and not zeros alone")
        return weights

    # -- fitting

    def _parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = self.get_params(deep=False)
        return parameters

    def _fit(self, X: Any, y: Any, sample_weight: Any = None, incremental: bool = False) -> Any:
        parameters = self._parameters()
        check_ranges(parameters)
        check_solver(parameters["solver"])
        fitted = "coefs_" in vars(self)
        first = not fitted or (not parameters["warm_start"] and not incremental)
        given = y
        X, y = self._targets(X, y, incremental, first)
        Y = np.ascontiguousarray(y.reshape(len(y), -1), X.dtype)
        samples = Samples(rows_of(X), Y, self._weights(sample_weight, X, given))
        self.n_outputs_ = Y.shape[1]
        random = self._random_state = check_random_state(parameters["random_state"])
        if first:
            self.out_activation_ = self._output_activation()
        network = network_of(parameters, X.shape[1], self.n_outputs_, self.out_activation_)
        if first:
            self._begin(network, random, X.dtype)
        began = from_coefficients(self.coefs_, self.intercepts_, X.dtype)
        if is_stochastic(parameters["solver"]):
            self._fit_stochastic(parameters, network, began, samples, incremental)
        else:
            self._fit_lbfgs(parameters, network, began, samples)
        return self

    def _begin(self, network: Network, random: Any, dtype: Any) -> None:
        """The attributes of a network that has learned nothing yet."""
        self.n_iter_, self.t_, self.n_layers_ = 0, 0, network.depth + 1
        self.coefs_, self.intercepts_ = coefficients(drawn_parameters(network, random, dtype))
        self._optimizer: OptimizerMemory | None = None
        if is_stochastic(self._parameters()["solver"]):
            scored = self._parameters()["early_stopping"]
            self.loss_curve_: list[float] = []
            self._no_improvement_count = 0
            self.best_loss_: float | None = None if scored else np.inf
            self.validation_scores_: list[float] | None = [] if scored else None
            self.best_validation_score_: float | None = -np.inf if scored else None

    def _fit_lbfgs(
        self, parameters: dict[str, Any], network: Network, began: Parameters, samples: Samples
    ) -> None:
        if any(layer.dropout is not None for layer in network.layers):
            raise SpecificationError(
                "dropout belongs to the stochastic solvers; leave it out, or choose 'adam'"
            )
        found = minimised(
            Objective(network, samples, float(parameters["alpha"]), parameters["engine"]),
            began,
            max_iter=int(parameters["max_iter"]),
            max_fun=int(parameters["max_fun"]),
            gtol=float(parameters["tol"]),
            verbose=bool(parameters["verbose"]),
        )
        self._keep(found.parameters)
        self.n_iter_, self.loss_ = found.iterations, found.loss
        self._remembered = Remembered(None, (), 0, fingerprint(samples), samples.weights is not None)
        if not found.converged:
            warnings.warn(
                f"lbfgs ended after {found.iterations} iterations without converging ({found.message}); "
                "raise max_iter or max_fun, or scale the data",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _fit_stochastic(
        self,
        parameters: dict[str, Any],
        network: Network,
        began: Parameters,
        samples: Samples,
        incremental: bool,
    ) -> None:
        course = self._course(parameters, network, began, samples, incremental)
        ended: Ended | None = None
        self.n_iter_ = 0
        try:
            while ended is None:
                self._run_epoch(course)
                ended = self._reason_to_end(course, incremental)
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=3)
        self._conclude(course)
        weighted = samples.weights is not None
        self._remembered = Remembered(
            course.epochs.beginning,
            tuple(course.past),
            course.epochs.step - 1,
            fingerprint(samples),
            weighted,
        )
        if ended is not None and not ended.converged:
            warnings.warn(ended.why, ConvergenceWarning, stacklevel=4)

    def _course(
        self,
        parameters: dict[str, Any],
        network: Network,
        began: Parameters,
        samples: Samples,
        incremental: bool,
    ) -> Course:
        """Everything that the epochs need: from zero, or where the last `partial_fit` stood."""
        optimizer = optimizer_of(parameters)
        memory: OptimizerMemory | None = vars(self).get("_optimizer") if incremental else None
        if memory is None:
            state = initial_state(optimizer, began)
            memory = OptimizerMemory(state, 1, optimizer.learning_rate, self._mask_seed(network))
        scored = bool(parameters["early_stopping"])
        if incremental and scored:
            raise SpecificationError(
                "partial_fit does not support early_stopping=True; call fit, or switch it off"
            )
        kept, held = self._split(samples) if scored else (None, None)
        beginning = Beginning(
            Training(began, memory.state), self._random_state.get_state(), memory.step, memory.seed, kept
        )
        epochs = self._epochs(network, optimizer, samples.take(kept), beginning, memory.learning_rate)
        best = self.best_validation_score_ if scored else self.best_loss_
        assert best is not None
        patience = Patience(
            float(parameters["tol"]),
            parameters["n_iter_no_change"],
            best,
            scored,
            self._no_improvement_count,
        )
        rates = Rates.of(parameters, optimizer.learning_rate, memory.learning_rate)
        return Course(epochs, rates, patience, held, began)

    def _run_epoch(self, course: Course) -> None:
        """One epoch, judged by its loss or by the rows kept for validation."""
        course.past.append(course.rates.current)
        course.epochs.change_rate(course.rates.current)
        rows = len(course.epochs.samples.Y)
        self._note_epoch(course.epochs.run(), rows)
        value = self.loss_ if course.held is None else self._held_out(course.epochs, course.held)
        if course.patience.update(value) and course.held is not None:
            course.best = course.epochs.session.training().parameters
        course.rates.epoch_ends(self.t_)

    def _conclude(self, course: Course) -> None:
        """The attributes after the last epoch. Raises DataError where the loss was no number."""
        epochs, patience = course.epochs, course.patience
        if epochs.failed and course.held is None:
            raise DataError(f"{NOT_FINITE} (The loss of step {epochs.step} is not finite.)")
        training = epochs.session.training()
        self._random_state.set_state(epochs.random_state)
        self._no_improvement_count = patience.waited
        if course.held is None:
            self.best_loss_ = patience.best
        else:
            self.best_validation_score_ = patience.best
        self._keep(training.parameters if course.held is None else course.best)
        self._optimizer = OptimizerMemory(
            training.state, epochs.step, course.rates.current, epochs.beginning.seed
        )

    def _epochs(
        self, network: Network, optimizer: Optimizer, samples: Samples, beginning: Beginning, rate: float
    ) -> Epochs:
        parameters = self._parameters()
        return Epochs(
            network,
            self._recipe(optimizer),
            samples,
            beginning,
            _batch_size(parameters["batch_size"], len(samples.Y)),
            bool(parameters["shuffle"]),
            parameters["engine"],
            rate,
        )

    def _recipe(self, optimizer: Optimizer) -> Recipe:
        """alpha / (2m) |W|^2, m the samples of the batch: scikit-learn's penalty."""
        return Recipe(optimizer, Regularization(l2=float(self._parameters()["alpha"]), form="half_mean"))

    def _mask_seed(self, network: Network) -> int:
        """A seed for the masks, drawn only where a layer drops units: else scikit-learn's numbers stay in step."""
        drops = any(layer.dropout is not None for layer in network.layers)
        return int(self._random_state.randint(2**31 - 1)) if drops else 0

    def _split(self, samples: Samples) -> tuple[Array, Samples]:
        """The rows that train, and the samples that judge."""
        kept, held = train_test_split(
            np.arange(len(samples.Y)),
            random_state=self._random_state,
            test_size=self._parameters()["validation_fraction"],
            stratify=samples.Y.astype(bool) if self._stratified() else None,
        )
        if len(held) < 2:
            raise SpecificationError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        return kept, samples.take(held)

    def _note_epoch(self, loss: float, rows: int) -> None:
        self.n_iter_ += 1
        self.t_ += rows
        self.loss_ = loss
        self.loss_curve_.append(loss)
        if self._parameters()["verbose"]:
            print(f"Iteration {self.n_iter_}, loss = {loss:.8f}")

    def _held_out(self, epochs: Epochs, held: Samples) -> float:
        """The score on the rows kept for validation, not a number where the outputs are none."""
        outputs = outputs_of(epochs.session.predict, held.X, self.n_outputs_)
        finite = not epochs.failed and bool(np.isfinite(outputs).all())
        score = self._held_out_score(held.Y, outputs, held.weights) if finite else float("nan")
        assert self.validation_scores_ is not None
        self.validation_scores_.append(score)
        if self._parameters()["verbose"]:
            print(f"Validation score: {score:.6f}")
        return score

    def _reason_to_end(self, course: Course, incremental: bool) -> Ended | None:
        """Why no further epoch follows, None where one does."""
        parameters = self._parameters()
        epochs, patience, rates = course.epochs, course.patience, course.rates
        if epochs.failed:
            return Ended(f"The loss of step {epochs.step} is not finite; the best epoch is restored.", False)
        if patience.exhausted:
            what = "Validation score" if patience.by_score else "Training loss"
            why = f"{what} did not improve more than tol={patience.tol:f} for {patience.most} consecutive epochs."
            if not rates.lowers():
                _print(parameters["verbose"], f"{why} Stopping.")
                return Ended(why, True)
            _print(parameters["verbose"], f"{why} Setting learning rate to {rates.current:f}")
            patience.waited = 0
        if incremental:
            return Ended("one epoch", True)
        if self.n_iter_ >= parameters["max_iter"]:
            return Ended(
                f"Stochastic Optimizer: Maximum iterations ({self.n_iter_}) reached and the optimization "
                "hasn't converged yet.",
                False,
            )
        return None

    def _keep(self, parameters: Parameters) -> None:
        """The parameters as `coefs_` and `intercepts_`. Raises DataError where one is not finite."""
        if not all(np.isfinite(part).all() for layer in parameters for part in layer):
            raise DataError(NOT_FINITE)
        self.coefs_, self.intercepts_ = coefficients(parameters)

    # -- using it

    def _forward(self, X: Any) -> Array:
        """The outputs (samples, outputs) for X, in the precision of the parameters."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        dtype = self.coefs_[0].dtype
        parameters = from_coefficients(self.coefs_, self.intercepts_, dtype)
        network = self._network()
        if choose(self._parameters()["engine"]).name == "native":
            return outputs_of(lambda part: native.predict(network, parameters, part), X, self.n_outputs_)
        with np.errstate(over="ignore", invalid="ignore"):
            return outputs_of(
                lambda part: predict(network, parameters, np.asarray(part, dtype)), X, self.n_outputs_
            )

    def _network(self) -> Network:
        """The network that was fitted, as its coefficients have it."""
        parameters = self._parameters() | {"hidden_layer_sizes": [coef.shape[1] for coef in self.coefs_[:-1]]}
        return network_of(parameters, self.coefs_[0].shape[0], self.coefs_[-1].shape[1], self.out_activation_)

    def _inputs(self, X: Any) -> Array:
        check_is_fitted(self)
        checked = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        dense: Array = checked if isinstance(checked, np.ndarray) else checked.toarray()
        return dense

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _batch_size(wish: Any, rows: int) -> int:
    """The size of a batch; 'auto' is 200 or all of them."""
    if isinstance(wish, str):
        return min(200, rows)
    if wish > rows:
        warnings.warn(
            f"batch_size is {wish}, and there are {rows} samples; a batch is all of them", stacklevel=2
        )
    return min(int(wish), rows)


def _print(wanted: Any, sentence: str) -> None:
    if wanted:
        print(sentence)
