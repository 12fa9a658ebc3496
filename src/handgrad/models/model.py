"""A trained model: predicts and evaluates raw files, is saved whole, and lets any of its steps be opened."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from rich.console import Console, ConsoleOptions, RenderResult

from handgrad.data.batches import checked_rows
from handgrad.data.cells import Floats
from handgrad.data.reading import AS_FOUND, Reading
from handgrad.data.schema import Schema
from handgrad.data.stored import StoredTable, streams
from handgrad.data.tables import Table, read_table
from handgrad.engines.protocol import Forecast
from handgrad.errors import ModelError, SpecificationError
from handgrad.files import write_whole
from handgrad.models.budget import USUAL, Budget, bytes_of
from handgrad.models.metrics import Evaluation
from handgrad.models.origin import Origin
from handgrad.models.predictions import check_threshold, predicted, prediction_columns
from handgrad.models.safetensors import Contents, packed, unpacked
from handgrad.models.streaming import Asked, Predictions, evaluated, known_again, stored_for
from handgrad.models.tallies import tally_of
from handgrad.models.training_data import TrainingData, from_arrays, from_table, of_steps, recorded_file
from handgrad.nn.arrays import Array
from handgrad.nn.network import Network
from handgrad.rich_repr import Presented, history_table, printable
from handgrad.training.history import Fit
from handgrad.training.replay import Replayed, replay
from handgrad.training.score import check_finite


@dataclass(frozen=True, eq=False)
class Model(Presented):
    """A fit with the schema of its data; without a schema it takes arrays (samples, inputs).

    >>> from handgrad.nn.network import Dense
    >>> from handgrad.training.fit import fit
    >>> network = Network(1, [Dense(1, W=[[2.0]], b=[1.0])], "squared_error")
    >>> model = Model(fit(network, [[1.0], [2.0]], [3.0, 5.0], epochs=1))
    >>> model.predict([[4.0]]).round(1).tolist()
    [[9.0]]
    """

    fit: Fit
    schema: Schema | None = None
    origin: Origin | None = None
    hashes: Any = None
    """A number for each row of the training, by which it is known again."""

    @property
    def network(self) -> Network:
        """The network, as it was described before training.

        >>> import handgrad as hg
        >>> line = hg.Network(1, [hg.Dense(1, W=[[0.0]])], "squared_error")
        >>> result = hg.fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=2, batch_size=2, shuffle=False)
        >>> hg.Model(result).network.sizes
        (1, 1)
        """
        return self.fit.network

    @property
    def parameters(self) -> tuple[Any, ...]:
        """W and b of each layer, as training left them.

        >>> import handgrad as hg
        >>> line = hg.Network(1, [hg.Dense(1, W=[[0.0]])], "squared_error")
        >>> result = hg.fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=2, batch_size=2, shuffle=False)
        >>> (W, b), = hg.Model(result).parameters
        >>> W.shape, b.shape
        ((1, 1), (1,))
        """
        return self.fit.training.parameters

    # -- using it

    def predict(self, data: Any, threshold: float = 0.5) -> Array:
        """The class of each row, or its number in the file's units, (samples,) or (samples, targets).

        `data` is a file name, a mapping of columns, an Arrow, pandas or polars table; without a schema an
        array, and the outputs come back as they are.

        >>> import handgrad as hg
        >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "kind": ["a", "a", "b", "b"]}
        >>> model = hg.fit_table(table, "kind", hidden=(4,), validation=0, epochs=200, optimizer=hg.Adam(0.05))
        >>> model.predict({"x": [0.5, 2.5]}).tolist()
        ['a', 'b']

        Raises DataError for data that does not fit the schema.
        """
        check_threshold(threshold)
        outputs, _ = self._outputs(data)
        if self.schema is None:
            return outputs
        return predicted(self.schema.target, outputs, threshold)

    def predict_proba(self, data: Any) -> Floats:
        """A probability per class (samples, classes); for several targets that of the second class of each.

        >>> import handgrad as hg
        >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "kind": ["a", "a", "b", "b"]}
        >>> model = hg.fit_table(table, "kind", hidden=(4,), validation=0, epochs=200, optimizer=hg.Adam(0.05))
        >>> model.predict_proba({"x": [0.5, 2.5]}).round().tolist()
        [[1.0, 0.0], [0.0, 1.0]]

        Raises SpecificationError for a regression.
        """
        outputs, _ = self._outputs(data)
        if self.schema is None:
            return outputs
        if self.schema.target.is_regression:
            raise SpecificationError("a regression has no probabilities; use predict")
        return self.schema.target.probabilities(outputs)

    def predictions(self, data: Any, threshold: float = 0.5) -> tuple[pa.Table, tuple[str, ...]]:
        """The table that `handgrad predict` writes, and remarks about categories that were not known.

        >>> import handgrad as hg
        >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "kind": ["a", "a", "b", "b"]}
        >>> model = hg.fit_table(table, "kind", hidden=(4,), validation=0, epochs=200, optimizer=hg.Adam(0.05))
        >>> predicted, remarks = model.predictions({"x": [0.5, 2.5]})
        >>> predicted.column_names
        ['prediction', 'probability_a', 'probability_b']
        """
        check_threshold(threshold)
        outputs, remarks = self._outputs(data)
        target = None if self.schema is None else self.schema.target
        return pa.table(prediction_columns(target, outputs, threshold)), remarks

    def streamed(
        self, data: Any, threshold: float = 0.5, *, beside: Sequence[str] = (), memory: int | str = USUAL
    ) -> Predictions:
        """The tables of `predictions` one after another, of files larger than memory, behind the columns `beside`.

        >>> import handgrad as hg
        >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "kind": ["a", "a", "b", "b"]}
        >>> model = hg.fit_table(table, "kind", hidden=(4,), validation=0, epochs=200, optimizer=hg.Adam(0.05))
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "new.csv"
        ...     _ = path.write_text("x\\n0.5\\n2.5\\n")
        ...     [part["prediction"].to_pylist() for part in model.streamed(path)]
        [['a', 'b']]

        Raises DataError for data that does not fit the schema, SpecificationError for what is no file.
        """
        check_threshold(threshold)
        budget = Budget(bytes_of(memory))
        return Predictions(self.asked, self._stored(data, budget), budget, threshold, beside)

    def evaluate(self, data: Any, threshold: float = 0.5, *, memory: int | str | None = None) -> Evaluation:
        """The metrics on the rows of `data` that have a target, and a class that the model knows.

        The second of two classes is predicted where its probability is above the threshold. `memory` ("1GiB") is
        the most that files may take: their rows are streamed then.

        >>> import handgrad as hg
        >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "kind": ["a", "a", "b", "b"]}
        >>> model = hg.fit_table(table, "kind", hidden=(4,), validation=0, epochs=200, optimizer=hg.Adam(0.05))
        >>> model.evaluate(table).accuracy
        1.0

        Raises DataError for data that does not fit, SpecificationError for a model without a schema.
        """
        check_threshold(threshold)
        if memory is not None or isinstance(data, StoredTable):
            budget = Budget(bytes_of(USUAL if memory is None else memory))
            return evaluated(self.asked, self._stored(data, budget), budget, threshold)
        return self._evaluate(self.read(data), threshold)

    def evaluate_rows(self, data: Any, rows: Any) -> Evaluation:
        """The metrics on some samples of the training data, for instance `fit.validation_rows`.

        >>> import handgrad as hg
        >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "kind": ["a", "a", "b", "b"]}
        >>> model = hg.fit_table(table, "kind", hidden=(4,), validation=0, epochs=200, optimizer=hg.Adam(0.05))
        >>> model.evaluate_rows(table, [0, 3]).rows
        2
        """
        table = self.read(data)
        keep = np.flatnonzero(self._with_schema().target.present(table))
        return self._evaluate(table.take(keep[checked_rows(rows, len(keep))]))

    def _evaluate(self, table: Table, threshold: float = 0.5) -> Evaluation:
        schema = self._with_schema()
        present = schema.target.present(table)
        if not present.any():
            raise ModelError(
                f"{table.source}: no row has a value of the target {', '.join(schema.target.names)}"
            )
        known = present & schema.target.known(table)
        if not known.any():
            raise ModelError(f"{table.source}: no row has a class that was in the training data")
        kept = table if known.all() else table.take(np.flatnonzero(known))
        X, remarks = schema.encode(kept)
        Y = schema.target.encode(kept)
        return replace(
            self.evaluate_encoded(X, Y, table.source, threshold),
            left_out=table.rows - int(present.sum()),
            unknown=int(present.sum()) - kept.rows,
            seen=known_again(self.asked, X, Y),
            remarks=(*schema.on_weights, *remarks),
        )

    def evaluate_encoded(
        self, X: Array, Y: Array, source: str = "the data", threshold: float = 0.5
    ) -> Evaluation:
        """The metrics on encoded samples X (samples, inputs) and Y (samples, outputs).

        >>> import handgrad as hg
        >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "kind": ["a", "a", "b", "b"]}
        >>> model = hg.fit_table(table, "kind", hidden=(4,), validation=0, epochs=200, optimizer=hg.Adam(0.05))
        >>> seen = model.training_data(table)
        >>> model.evaluate_encoded(seen.X, seen.Y).accuracy
        1.0
        """
        outputs, loss = self._forecast(source, X, Y)
        return self._metrics(outputs, np.asarray(Y, np.float64), loss, threshold)

    def _metrics(self, outputs: Floats, truth: Floats, loss: float | None, threshold: float) -> Evaluation:
        schema = self._with_schema()
        tally = tally_of(schema.target, threshold)
        tally.add(outputs, truth)
        return replace(tally.evaluation(loss), remarks=schema.on_weights)

    def _outputs(self, data: Any) -> tuple[Floats, tuple[str, ...]]:
        remarks: tuple[str, ...] = ()
        if self.schema is None:
            if not isinstance(data, np.ndarray) and isinstance(data, Table | str | os.PathLike):
                self._with_schema()
            return self.fit.predict(data), remarks
        X, remarks = self.schema.encode(self.read(data))
        return self._forecast("the data", X, None).outputs, remarks

    def _forecast(self, source: str, X: Floats, Y: Floats | None) -> Forecast:
        """The outputs for encoded samples. Raises DataError where one of them is not finite."""
        made = self.fit.forecaster.forecast(X, Y)
        with np.errstate(over="ignore"):  # an error below
            units = made.outputs
            if Y is None and self.schema is not None and self.schema.target.is_regression:
                units = self.schema.target.values(made.outputs)
        check_finite(source, units)
        return made if made.loss is None or np.isfinite(made.loss) else Forecast(made.outputs, None)

    def read(self, data: Any, reading: Reading | None = None) -> Table:
        """A table, read as the training file was, or as `reading` says.

        >>> import handgrad as hg
        >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "kind": ["a", "a", "b", "b"]}
        >>> hg.fit_table(table, "kind", hidden=(), validation=0, epochs=1).read({"x": [1.5]}).rows
        1

        Raises DataError for what is no table.
        """
        usual = AS_FOUND if self.schema is None else self.schema.reading
        return read_table(data, reading or usual, single=self.fit.plan.dtype == "float32")

    @property
    def asked(self) -> Asked:
        """What predictions need of it.

        >>> import handgrad as hg
        >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "kind": ["a", "a", "b", "b"]}
        >>> hg.fit_table(table, "kind", hidden=(), validation=0, epochs=1).asked.dtype
        'float32'
        """
        return Asked(self._with_schema(), self.fit.forecaster, self.fit.plan.dtype, self.hashes)

    def _stored(self, data: Any, budget: Budget | None = None) -> StoredTable:
        return stored_for(self.asked, data, None, budget)

    def _with_schema(self) -> Schema:
        if self.schema is None:
            raise SpecificationError(
                "this model was trained on arrays and has no schema of a table; use fit_table"
            )
        return self.schema

    # -- opening its training

    def training_file(self) -> Path:
        """The recorded file of the training. Raises ModelError where none is recorded, or it has moved.

        >>> import handgrad as hg
        >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "kind": ["a", "a", "b", "b"]}
        >>> model = hg.fit_table(table, "kind", hidden=(4,), validation=0, epochs=200, optimizer=hg.Adam(0.05))
        >>> model.training_file()
        Traceback (most recent call last):
        handgrad.errors.ModelError: the model does not name its training file; give the table with --data (data=...)
        """
        return recorded_file(self.origin)

    def training_data(self, data: Any = None, steps: tuple[int, int] | None = None) -> TrainingData:
        """The arrays that training saw, from the recorded file or from `data`; of a model without a schema the
        arrays themselves, given as (X, Y). With `steps`, first and last, only what these need of a large file.

        >>> import handgrad as hg
        >>> table = {"x": [0.0, 1.0, 2.0, 3.0], "kind": ["a", "a", "b", "b"]}
        >>> model = hg.fit_table(table, "kind", hidden=(4,), validation=0, epochs=200, optimizer=hg.Adam(0.05))
        >>> model.training_data(table).X.shape
        (4, 1)

        Raises ModelError where the file is not the one of the training, or none is recorded; SpecificationError
        where the arrays of a model without a schema are not given.
        """
        if self.schema is None:
            return from_arrays(self.fit, data)
        source = self.training_file() if data is None else data
        some = None if steps is None else of_steps(self.asked, self.fit, self.origin, source, *steps)
        if some is not None:
            return some
        if self.fit.plan.block and streams(source):
            table: Table = self._stored(source)
        else:
            table = self.read(source)
        return from_table(self.fit, self.schema, self.origin, table)

    def replay(self, step: int, data: Any = None, engine: str | None = None) -> Replayed:
        """Where training stood before a step; see `handgrad.training.replay.replay`.

        `data` is the table of the training (by default its recorded file), or (X, Y) for a model of arrays.

        >>> import handgrad as hg
        >>> line = hg.Network(1, [hg.Dense(1, W=[[0.0]])], "squared_error")
        >>> result = hg.fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=2, batch_size=2, shuffle=False)
        >>> before = hg.Model(result).replay(3, ([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]))
        >>> before.epoch, before.batch, before.rows.tolist()
        (2, 1, [0, 1])
        """
        seen = self.training_data(data, (step, step))
        return replay(self.fit, seen.X, seen.Y, step, engine, seen.weights)

    # -- keeping it

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the model to one .safetensors file. Raises OutputError where that cannot be done.

        >>> import handgrad as hg
        >>> line = hg.Network(1, [hg.Dense(1, W=[[0.0]])], "squared_error")
        >>> result = hg.fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=2, batch_size=2, shuffle=False)
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = hg.Model(result).save(Path(folder) / "line.safetensors")
        ...     hg.Model.load(path)
        Model(sizes=(1, 1), steps=4)
        """
        return write_whole(path, packed(Contents(self.fit, self.schema, self.origin, self.hashes)))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """The model of a file that `save` wrote. Raises ModelError for any other file.

        >>> import handgrad as hg
        >>> line = hg.Network(1, [hg.Dense(1, W=[[0.0]])], "squared_error")
        >>> result = hg.fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=2, batch_size=2, shuffle=False)
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = hg.Model(result).save(Path(folder) / "line.safetensors")
        ...     hg.Model.load(path)
        Model(sizes=(1, 1), steps=4)
        """
        return cls(*unpacked(path))

    # -- showing it

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = " -> ".join(
            [
                str(self.network.inputs),
                *(f"{layer.units} {layer.function.name}" for layer in self.network.layers),
            ]
        )
        yield f"network   {widths}   ({self.network.parameter_count:,} parameters)"
        if self.schema is not None:
            target = self.schema.target
            used = [column.name for column in self.schema.columns if column.kind != "ignored"]
            yield f"target    {printable(', '.join(target.names))} ({target.task})"
            yield f"columns   {printable(', '.join(used))}"
        optimizer = self.fit.recipe.optimizer
        yield (
            f"training  {optimizer.name}, rate {optimizer.learning_rate:g}, {self.fit.steps:,} steps in "
            f"{len(self.fit.history)} epochs, engine {self.fit.engine}, ended by {self.fit.ended}"
        )
        yield history_table(self.fit.history, self.fit.metric, self.fit.best_epoch)

    def __repr__(self) -> str:
        names = () if self.schema is None else self.schema.target.names
        target = f"target={', '.join(names)!r}, " if names else ""
        return f"Model({target}sizes={self.network.sizes}, steps={self.fit.steps})"
