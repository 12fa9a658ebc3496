"""`handgrad train`: a table in, a model out."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, Literal

import pyarrow as pa
import typer

from handgrad.cli import options, run_file
from handgrad.cli.consoles import remark, remarks
from handgrad.cli.inspect import summary
from handgrad.cli.larger import budget_for, made_ready, opened
from handgrad.cli.options import described, whole_numbers
from handgrad.cli.outcome import Outcome, page_of, show
from handgrad.cli.outputs import Force, Output, check_outputs
from handgrad.cli.plots.loss_curve import as_svg
from handgrad.cli.progress import Announced, shown_on
from handgrad.cli.together import meet
from handgrad.cli.watching import Unwatched, Watching
from handgrad.data.inspection import Inspection
from handgrad.data.tables import read_table
from handgrad.data.weights import BALANCED
from handgrad.errors import OutputError, SpecificationError
from handgrad.files import is_stream, same_file, write_whole
from handgrad.live.walk.serving import check_installed
from handgrad.models.fit_table import fit_prepared, network_for
from handgrad.models.folds import folded_once
from handgrad.models.metrics import Evaluation
from handgrad.models.model import Model
from handgrad.models.prepared import released, short
from handgrad.models.splits import Parting, checked_parting, folds_of
from handgrad.nn.activations import Activation
from handgrad.nn.clipping import Clipping
from handgrad.nn.losses import Loss
from handgrad.nn.network import Network
from handgrad.nn.optimizers import OPTIMIZERS, Optimizer
from handgrad.nn.regularization import Regularization
from handgrad.nn.schedules import Schedule
from handgrad.training.interruption import Ended, Interruption
from handgrad.training.plan import DTYPE_OF_TABLES, EarlyStopping

_KEPT = frozenset(
    (
        *("data", "target", "model", "task", "hidden", "activation", "optimizer", "learning_rate"),
        *("batch_size", "epochs", "validation", "early_stopping", "patience", "schedule", "loss"),
        *("validation_file", "test", "group", "time", "folds"),
        *("l2", "l1", "dropout", "clip_norm", "clip_value", "seed", "engine", "device", "dtype", "threads"),
        *("categorical", "numeric", "date", "text", "ignore", "scaling", "missing", "memory"),
        *("encode", "class_weight", "weight", "snapshots"),
        *("delimiter", "header", "encoding", "decimal", "thousands", "dates", "missing_marker"),
    )
)
"""The flags that the run file beside the model keeps."""


def train(
    data: Annotated[list[Path], typer.Argument(help="Table: file, folder, several files, or - .")],
    *,
    target: Annotated[list[str], typer.Option(help="Column to predict; repeat it for several outputs.")],
    model: Annotated[Path, typer.Option("-o", "--output", help="Where the model goes (.safetensors).")],
    task: Annotated[
        str | None, typer.Option(help="binary, multiclass, multilabel or regression; found from the target.")
    ] = None,
    hidden: Annotated[str, typer.Option(help="Widths of the hidden layers, or none.")] = "100",
    activation: Annotated[
        str, typer.Option(help="Of the hidden layers, as in relu or leaky_relu:alpha=0.1.")
    ] = "relu",
    optimizer: Annotated[str, typer.Option(help=f"{', '.join(OPTIMIZERS)}; as in adam:beta1=0.8.")] = "adamw",
    learning_rate: Annotated[
        float | None, typer.Option(help="By default one that suits the optimizer.")
    ] = None,
    batch_size: Annotated[str, typer.Option(help="Rows in a batch, full, or auto: 32 to 1024.")] = "auto",
    epochs: Annotated[int, typer.Option(help="Passes over the training rows.")] = 100,
    validation: Annotated[float, typer.Option(help="Part of the rows kept for validation.")] = 0.1,
    validation_file: Annotated[
        Path | None, typer.Option(help="A table of its own that validates, with the same columns.")
    ] = None,
    test: Annotated[
        str | None, typer.Option(help="Part of the rows, or a file, on which the finished model is judged.")
    ] = None,
    group: Annotated[
        str | None, typer.Option("--split-by-group", help="Column whose rows of one value stay together.")
    ] = None,
    time: Annotated[
        str | None, typer.Option("--split-by-time", help="Column whose latest rows validate and test.")
    ] = None,
    folds: Annotated[
        int,
        typer.Option(help="Train on so many foldings first, each fold validating once, and tell the spread."),
    ] = 0,
    early_stopping: Annotated[
        bool | None,
        typer.Option(help="Stop when validation gets no better, restore the best epoch; on with validation."),
    ] = None,
    patience: Annotated[int, typer.Option(help="Epochs that early stopping waits.")] = 20,
    schedule: Annotated[
        str,
        typer.Option(
            help="constant, step, exponential, inverse_time, cosine; as in step:every=10,factor=0.5."
        ),
    ] = "constant",
    loss: Annotated[
        str | None, typer.Option(help="Instead of the task's own, as in huber:threshold=1.")
    ] = None,
    l2: Annotated[float, typer.Option(help="Strength of 1/2 lambda |W|^2.")] = 0.0,
    l1: Annotated[float, typer.Option(help="Strength of lambda |W|.")] = 0.0,
    dropout: Annotated[float, typer.Option(help="Part of the hidden units that is dropped.")] = 0.0,
    clip_norm: Annotated[float | None, typer.Option(help="Largest norm of all gradients together.")] = None,
    clip_value: Annotated[float | None, typer.Option(help="Largest gradient of a single weight.")] = None,
    categorical: options.Categorical = None,
    numeric: options.Numeric = None,
    date: options.DateColumn = None,
    text: options.TextColumn = None,
    ignore: options.Ignore = None,
    scaling: options.Scaling = "standard",
    missing: options.Missing = "mean",
    encode: options.Encode = None,
    class_weight: options.ClassWeight = None,
    weight: options.Weight = None,
    delimiter: options.Delimiter = None,
    header: options.Header = None,
    encoding: options.Encoding = None,
    decimal: options.Decimal = None,
    thousands: options.Thousands = None,
    dates: options.Dates = None,
    missing_marker: options.MissingMarker = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="Run file (.toml) whose values stand for the flags that are not given.",
            callback=run_file.apply,
            is_eager=True,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same engine, same threads: same bits.")] = 0,
    engine: Annotated[str, typer.Option(help="auto, native, reference or jax.")] = "auto",
    device: Annotated[
        str | None, typer.Option(help="Of the engine jax: cpu, gpu or tpu; by default the best there is.")
    ] = None,
    coordinator: Annotated[
        str | None, typer.Option(help="HOST:PORT of the first of several processes (engine jax).")
    ] = None,
    processes: Annotated[int | None, typer.Option(help="How many processes train together.")] = None,
    process: Annotated[int | None, typer.Option(help="Which of them this is, from 0.")] = None,
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = DTYPE_OF_TABLES,
    threads: Annotated[int | None, typer.Option(help="By default the engine chooses.")] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            help="Most that the training may take, as in 1GiB: the table is streamed. Chosen where it does not fit."
        ),
    ] = None,
    snapshots: Annotated[
        int,
        typer.Option(min=0, help="States kept on the way, from which steps are opened; 0: the first alone."),
    ] = 20,
    checkpoint: Annotated[
        int | None, typer.Option(min=1, help="Save the model so far every so many epochs.")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with the training that stands at -o, to the same bits as without a break."
        ),
    ] = False,
    plot: Annotated[bool, typer.Option("--plot", help="Draw the loss in the terminal.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Page with what was read, the curves, the metrics, what matters (.html)."),
    ] = None,
    plot_file: Annotated[Path | None, typer.Option(help="Draw the loss to this SVG file.")] = None,
    watch: Annotated[
        bool,
        typer.Option(
            "--open", help="Show the training in the browser while it trains, as handgrad open does."
        ),
    ] = False,
    browser: Annotated[
        bool, typer.Option(help="With --open: open the browser, or only print the address.")
    ] = True,
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no remarks, no table.")] = False,
) -> None:
    """Train a network on a table and save the model.

    What the columns mean is found from the file; missing cells may stay.

    Example: handgrad train penguins.csv --target species -o penguins.safetensors
    """
    _check_call(model, watch)
    flags = {key: value for key, value in locals().items() if key in _KEPT}
    writes = meet(engine, coordinator, processes, process)
    run = run_file.beside(model)
    rewrites = config is not None and same_file(run, config)
    outputs = _outputs(model, plot_file, report, None if rewrites else run)
    part, test_file = _test(test)
    parting = checked_parting(Parting(validation, part, group, time, folds))
    weights_file = None if class_weight in (None, BALANCED) else Path(class_weight or "")
    reads = [data] if isinstance(data, Path) else list(data)
    check_outputs(outputs, reads=[*reads, config, validation_file, test_file, weights_file], force=force)
    chosen: dict[str, Any] = {
        "optimizer": _optimizer(optimizer, learning_rate),
        "batch_size": _batch_size(batch_size),
        "schedule": described("--schedule", schedule, Schedule, _over(schedule, epochs)),
        "early_stopping": _stopping(early_stopping, patience, 1.0 if validation_file else validation),
        "regularization": Regularization(l2=l2, l1=l1),
        "clipping": Clipping(value=clip_value, norm=clip_norm),
    }
    shape: dict[str, Any] = {
        "activation": described("--activation", activation, Activation),
        "loss": None if loss is None else described("--loss", loss, Loss, {"outputs": "mean"}),
        "hidden": whole_numbers("--hidden", hidden),
        "dropout": dropout,
    }
    reading = options.reading(delimiter, header, encoding, decimal, thousands, dates, missing_marker)
    pa.set_memory_pool(pa.system_memory_pool())  # which gives back what it no longer needs
    budget = budget_for(memory, options.table_name(data), model, folds, quiet or as_json)
    table = opened(options.table_name(data), reading, dtype == "float32", budget)
    named = {"categorical": categorical, "numeric": numeric, "date": date, "text": text, "ignore": ignore}
    choices = options.choices(table.names, named, scaling, missing, class_weight, weight, encode)
    more = (
        None if validation_file is None else read_table(validation_file, reading, single=dtype == "float32")
    )
    names = options.columns_named(target, table.names)
    fitting: dict[str, Any] = {
        "epochs": epochs,
        "seed": seed,
        "engine": engine if device is None else f"{engine}:{device}",
        "dtype": dtype,
        "threads": threads,
        "snapshots": snapshots,
        **chosen,
    }
    silent, began = quiet or as_json or not writes, perf_counter()
    with Interruption(kept=True) as interruption:
        asked: dict[str, Any] = {"choices": choices, "seed": seed, "dtype": dtype}
        folded = [folded_once(table, names, task, one, shape, fitting, asked) for one in folds_of(parting)]
        ready = made_ready(table, names, task, parting._replace(folds=0), more, budget, asked)
        test_rows = ready.table.take(ready.test) if ready.test.size else None
        del table
        network = network_for(ready.schema, **shape)
        seen = None if silent else short(ready)
        ready = released(ready)
        watching = Watching(ready, model, epochs, browser, silent) if watch and writes else Unwatched()
        progress = Announced(shown_on(remarks(), silent), lambda: _before(seen, network))
        trained = fit_prepared(
            ready,
            network,
            progress=progress,
            checkpoint=watching.checkpoint(checkpoint if writes else None, lambda so_far: so_far.save(model)),
            resume=Model.load(model) if resume and model.exists() else None,
            **fitting,
        )
        seconds = perf_counter() - began
        if not writes:
            raise typer.Exit(0 if interruption.number is None else Ended(interruption.number).status)
        _write(trained, model, None if rewrites else run, flags, plot_file)
    on_test = _on_test(trained, test_file if test_rows is None else test_rows)
    outcome = Outcome(trained, ready, model, seconds, interruption.number, on_test, tuple(folded))
    _report(outcome, report)
    show(outcome, plot=plot, as_json=as_json, quiet=quiet)
    watching.finish(trained, wait=interruption.number is None)
    if interruption.number is not None:
        raise typer.Exit(Ended(interruption.number).status)


def _check_call(model: Path, watch: bool) -> None:
    """What is wrong with a call before anything is read."""
    if is_stream(model):
        raise OutputError(
            f"cannot write {model}: a model is a file; give -o a name that ends in .safetensors"
        )
    if watch:
        check_installed()


def _report(outcome: Outcome, path: Path | None) -> None:
    """Writes the report of a training where one is asked for."""
    if path is not None:
        write_whole(path, page_of(outcome))


def _outputs(model: Path, plot_file: Path | None, report: Path | None, run: Path | None) -> list[Output]:
    """The files that a training writes."""
    files = (
        ("-o", model, ".safetensors"),
        ("--plot-file", plot_file, ".svg"),
        ("--report", report, ".html"),
        ("-o (its run file)", run, ".toml"),
    )
    return [Output(flag, path, (suffix,)) for flag, path, suffix in files if path is not None]


def _on_test(trained: Model, tested: Any) -> Evaluation | None:
    """The metrics on the rows or the file of --test."""
    return None if tested is None else trained.evaluate(tested)


def _write(
    trained: Model, model: Path, run: Path | None, flags: dict[str, Any], plot_file: Path | None
) -> None:
    """The model, the run file beside it and the drawing of the loss."""
    trained.save(model)
    if run is not None:
        write_whole(run, run_file.written(flags, run.parent))
    if plot_file is not None:
        write_whole(plot_file, as_svg(trained.fit.history).encode())


def _before(seen: Inspection | None, network: Network) -> None:
    """What was read and decided, in a few lines, before training begins."""
    if seen is None:
        return
    widths = " -> ".join(map(str, network.sizes))
    console = remarks()
    console.print(
        f"{seen.source}: {seen.rows:,} rows; {'; '.join(summary(seen))}; network {widths}", soft_wrap=True
    )
    remark(seen.remarks)
    remark(seen.warnings)


def _optimizer(text: str, learning_rate: float | None) -> Optimizer:
    def make(name: str, **options: Any) -> Optimizer:
        if name not in OPTIMIZERS:
            raise SpecificationError(f"unknown optimizer {name!r}; choose one of {', '.join(OPTIMIZERS)}")
        rate = OPTIMIZERS[name].rate_for_tables if learning_rate is None else learning_rate
        return OPTIMIZERS[name](**{"learning_rate": rate, **options})

    return described("--optimizer", text, make)


def _stopping(wanted: bool | None, patience: int, validation: float) -> EarlyStopping | None:
    rule = EarlyStopping(patience)  # judged even where it is not used
    return rule if wanted or (wanted is None and validation > 0) else None


def _over(schedule: str, epochs: int) -> dict[str, int]:
    """A cosine falls over the whole training; no other schedule knows how long that is."""
    return {"over": max(1, epochs)} if schedule.startswith("cosine") else {}


def _batch_size(text: str) -> int | Literal["auto"] | None:
    if text in ("full", "auto"):
        return None if text == "full" else "auto"
    try:
        return int(text)
    except ValueError as error:
        raise SpecificationError(f"--batch-size must be a number, full or auto, got {text!r}") from error


def _test(text: str | None) -> tuple[float, Path | None]:
    """(part of the rows, file) of --test."""
    if text is None:
        return 0.0, None
    try:
        return float(text), None
    except ValueError:
        return 0.0, Path(text)
