"""A search for widths, learning rate, penalty, dropout and batch size, by Optuna's tree-structured Parzen estimator.

Each trial is a whole training on the same prepared table, judged by its lowest validation loss; one that is worse
than the median of the trials before it, at the same epoch, is ended.

Source: J. Bergstra, R. Bardenet, Y. Bengio, B. Kegl, Algorithms for hyper-parameter optimization (NIPS 2011).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from handgrad.errors import DataError, MissingExtraError, SpecificationError, TrainingError
from handgrad.models.fit_table import fit_prepared, network_for
from handgrad.models.model import Model
from handgrad.models.prepared import Prepared
from handgrad.nn.network import Network
from handgrad.nn.optimizers import Adam
from handgrad.nn.regularization import Regularization
from handgrad.training.callbacks import Underway
from handgrad.training.history import Epoch

WIDTHS = (16, 32, 64, 128, 256)
BATCHES = (16, 32, 64, 128, 256, 512)
MOST_LAYERS = 3
FIRST_TRIALS = 5
"""Trials before any is ended early: the median needs some."""


class Settings(NamedTuple):
    """What one trial tried."""

    hidden: tuple[int, ...]
    learning_rate: float
    l2: float
    dropout: float
    batch_size: int

    def flags(self) -> str:
        """The same as flags of `handgrad train`.

        >>> Settings((64, 32), 0.001, 0.0, 0.1, 32).flags()
        '--optimizer adam --hidden 64,32 --learning-rate 0.001 --l2 0 --dropout 0.1 --batch-size 32'
        """
        return (
            f"--optimizer adam --hidden {','.join(map(str, self.hidden))} --learning-rate {self.learning_rate:.4g} "
            f"--l2 {self.l2:.4g} --dropout {self.dropout:.4g} --batch-size {self.batch_size}"
        )


class Trial(NamedTuple):
    """One training: what it tried and what it came to."""

    number: int
    """Counted from 1."""
    settings: Settings
    loss: float | None
    """The lowest validation loss; None where the training broke off or was ended early."""
    epochs: int
    ended: str
    """best, judged, worse than the median, or not finite."""


@dataclass(frozen=True)
class Search:
    """The best model, and all trials in their order."""

    model: Model
    best: Trial
    trials: tuple[Trial, ...]


Callback = Callable[[Trial], None]
"""Called after each trial."""


def search(
    ready: Prepared,
    *,
    trials: int = 30,
    seconds: float | None = None,
    epochs: int = 100,
    seed: int = 0,
    engine: str = "auto",
    callback: Callback = lambda trial: None,
) -> Search:
    """Trains up to `trials` networks on a prepared table, and keeps the one with the lowest validation loss.

    The first trial has the defaults of `fit_table`; with the same seed, one after another, the trials are the same.
    Means, kinds and the split are those of `ready`. The loss of the best trial was chosen among many, and flatters it:
    judge the model on rows that the search did not see.

    Raises MissingExtraError without Optuna, SpecificationError for fewer than one trial, DataError where no rows were
    kept for validation, TrainingError where no trial ended with a finite loss.
    """
    try:
        import optuna
    except ImportError:
        raise MissingExtraError("tune", "tune") from None
    if trials < 1:
        raise SpecificationError(f"trials must be at least 1, got {trials}")
    if not ready.split.validation.size:
        raise DataError("a search is judged by validation rows; keep some with validation > 0")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=FIRST_TRIALS, n_warmup_steps=5),
    )
    study.enqueue_trial(
        {
            "layers": 2,
            "width1": 64,
            "width2": 32,
            "learning_rate": 0.001,
            "l2": 1e-6,
            "dropout": 0.0,
            "batch_size": 32,
        }
    )
    run = _Run(ready, epochs, seed, engine, callback, optuna.TrialPruned)
    study.optimize(run, n_trials=trials, timeout=seconds, catch=(TrainingError,))
    if run.best is None or run.model is None:
        raise TrainingError("no trial ended with a finite loss; look for wrong cells (handgrad inspect)")
    return Search(run.model, run.best, tuple(run.trials))


class _Run:
    """Optuna's objective, which remembers its trials and the best model."""

    def __init__(
        self,
        ready: Prepared,
        epochs: int,
        seed: int,
        engine: str,
        callback: Callback,
        pruned: type[Exception],
    ) -> None:
        self._ready, self._epochs, self._seed, self._engine = ready, epochs, seed, engine
        self._callback, self._pruned = callback, pruned
        self.trials: list[Trial] = []
        self.model: Model | None = None
        self.best: Trial | None = None

    def __call__(self, trial: Any) -> float:
        settings = suggested(trial)
        ended_early = False

        def watch(epoch: Epoch, now: Underway) -> bool:
            nonlocal ended_early
            trial.report(epoch.validation_loss, epoch.epoch)
            ended_early = bool(trial.should_prune())
            return ended_early

        try:
            model = fit_prepared(
                self._ready,
                network_of(self._ready, settings),
                optimizer=Adam(settings.learning_rate),
                regularization=Regularization(l2=settings.l2),
                batch_size=settings.batch_size,
                epochs=self._epochs,
                seed=self._seed,
                engine=self._engine,
                callbacks=[watch],
            )
        except TrainingError:
            self._keep(Trial(len(self.trials) + 1, settings, None, 0, "not finite"))
            raise
        history = model.fit.history
        if ended_early:
            self._keep(Trial(len(self.trials) + 1, settings, None, len(history), "worse than the median"))
            raise self._pruned
        loss = min(line.validation_loss for line in history if line.validation_loss is not None)
        best = self.best is None or self.best.loss is None or loss < self.best.loss
        done = Trial(len(self.trials) + 1, settings, loss, len(history), "best" if best else "judged")
        if best:
            self.best, self.model = done, model
        self._keep(done)
        return loss

    def _keep(self, trial: Trial) -> None:
        self.trials.append(trial)
        self._callback(trial)


def suggested(trial: Any) -> Settings:
    """What Optuna suggests: rates and penalties on a logarithmic scale."""
    layers = trial.suggest_int("layers", 1, MOST_LAYERS)
    return Settings(
        tuple(int(trial.suggest_categorical(f"width{k}", WIDTHS)) for k in range(1, layers + 1)),
        float(trial.suggest_float("learning_rate", 1e-4, 3e-2, log=True)),
        float(trial.suggest_float("l2", 1e-7, 1e-1, log=True)),
        float(trial.suggest_float("dropout", 0.0, 0.5, step=0.1)),
        int(trial.suggest_categorical("batch_size", BATCHES)),
    )


def network_of(ready: Prepared, settings: Settings) -> Network:
    """The network of a trial."""
    return network_for(ready.schema, settings.hidden, dropout=settings.dropout)
