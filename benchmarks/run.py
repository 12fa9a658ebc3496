"""The benchmark: `python -m benchmarks.run [--only tiny,table] [--rounds 5] [--quick]`."""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import limits, protocol, ratios, tables
from benchmarks.goals import judge
from benchmarks.peers import PEERS, Entry
from benchmarks.report import BUSY, Result, machine, write
from benchmarks.worker import save
from benchmarks.workloads import Workload, make, selected

ROOT = Path(__file__).resolve().parent.parent
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
STEERING = (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "OPENBLAS_VERBOSE",
    "MKL_ENABLE_INSTRUCTIONS",
    "HANDGRAD_THREADS",
)
"""Variables that change which kernels a library takes: no process of the benchmark sees them."""
SETTLE_SECONDS = 0.05  # idle threads of the one before stop spinning


class Process:
    """A worker under way: one line in, one JSON line out."""

    def __init__(self, module: str, arguments: list[str], threads: int, cache: Path) -> None:
        environment = dict(os.environ)
        environment.update({name: str(threads) for name in THREAD_VARIABLES})
        for name in STEERING:
            environment.pop(name, None)
        environment["TORCHINDUCTOR_CACHE_DIR"] = str(
            cache
        )  # a cold start must not find what an earlier run compiled
        self.threads = threads
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by `end`)
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=environment,
            cwd=ROOT,
        )

    def answer(self) -> dict[str, Any]:
        """The next answer; a worker that ended without one is skipped with the last line that it wrote."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self._process.wait()
        self._log.seek(0)
        last = [text for text in self._log.read().splitlines() if text.strip()][-1:]
        return {"skipped": f"ended with status {self._process.returncode}: {''.join(last)}"}

    def ask(self, command: str) -> dict[str, Any]:
        """Sends a command and waits for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self.answer()

    def end(self) -> None:
        """Closes the worker's input, which ends it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._log.close()


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns 1 where a workload is void or, with --check, a goal is not met."""
    options = _options(arguments)
    begun = time.perf_counter()
    busy = _load()
    if busy > BUSY and not (options.quick or options.busy):
        print(
            f"the machine is busy ({busy:.1f} processors in use): wait until it is not, or take --quick for a look, "
            "--busy to insist",
            file=sys.stderr,
        )
        return 2
    results: list[Result] = []
    rates: list[limits.Rates] = []
    with tempfile.TemporaryDirectory() as tools:
        rates += limits.measure(Path(tools))
        for workload in options.workloads:
            print(f"{workload.name}: {workload.describe()}", flush=True)
            with tempfile.TemporaryDirectory() as directory:
                results.append(_measure(workload, options, Path(directory)))
        rates += limits.measure(Path(tools))
    for result in results:
        _judge(result, rates)
    facts = machine() | {
        "rounds": options.rounds,
        "quick": options.quick,
        "load_before": round(busy, 2),
        "rates": [found._asdict() for found in limits.best(rates)],
        "minutes": round((time.perf_counter() - begun) / 60, 1),
    }
    print(write(results, facts, options.output))
    unmet_tables = _write_tables(options)
    if not (options.only or options.peers):
        _write_ratios(options)
    print(f"written to {options.output}/bench.md, bench.json and bench.svg")
    unmet = unmet_tables or any(outcome.verdict != "met" for result in results for outcome in result.outcomes)
    return 1 if any(result.void for result in results) or (options.check and unmet) else 0


def _load(seconds: float = 2.0) -> float:
    """How many processors others keep busy now, while this process waits; 0 where the system does not say."""

    def idle() -> float:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
        return (int(fields[3]) + int(fields[4])) / os.sysconf("SC_CLK_TCK")

    try:
        before, begun = idle(), time.perf_counter()
        time.sleep(seconds)
        return max(0.0, (os.cpu_count() or 1) - (idle() - before) / (time.perf_counter() - begun))
    except (OSError, AttributeError):
        return 0.0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--only", help="workloads, such as tiny,small,table")
    parser.add_argument("--peers", help="peers, such as handgrad_native,jax_scan (default: all)")
    parser.add_argument(
        "--rounds", type=int, default=5, help="interleaved rounds, at least 5 to count (default 5)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="2 rounds of shorter blocks: a look, not a measurement"
    )
    parser.add_argument("--busy", action="store_true", help="run although the machine is busy")
    parser.add_argument("--check", action="store_true", help="exit with status 1 where a goal is not met")
    parser.add_argument("--output", type=Path, help="default benchmarks/results, build/benchmarks for a part")
    options = parser.parse_args(arguments)
    names = [name for name in (options.only or "").split(",") if name]
    options.tables = [name for name in tables.WORKLOADS if not names or name in names]
    if options.peers:
        options.tables = []
    steps = [name for name in names if name not in tables.WORKLOADS]
    try:
        options.workloads = [] if names and not steps else selected(",".join(steps) or None)
    except ValueError as error:
        parser.error(str(error))
    known = {entry.name: entry for entry in PEERS}
    unknown = [name for name in (options.peers or "").split(",") if name and name not in known]
    if unknown:
        parser.error(f"unknown peer {unknown[0]!r}; choose from {', '.join(known)}")
    options.entries = [known[name] for name in options.peers.split(",")] if options.peers else list(PEERS)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if options.quick:
        options.rounds = min(options.rounds, 2)
    options.seconds = 0.05 if options.quick else 0.25
    part = options.only or options.peers or options.quick or options.rounds < 5
    if options.output is None:
        options.output = ROOT / ("build/benchmarks" if part else "benchmarks/results")
    return options


def _measure(workload: Workload, options: argparse.Namespace, directory: Path) -> Result:
    """One workload: every peer in its processes, then the rounds."""
    problem, source = make(workload)
    save(problem, directory / "problem")
    del problem
    gc.collect()
    counts = [threads for threads in workload.threads if threads <= (os.cpu_count() or 1)]
    result = Result(workload, source)
    running: list[tuple[Entry, Process, dict[str, Any]]] = []
    for entry in options.entries:
        running += _start(entry, counts, directory, result)
    yardsticks = [] if workload.tiny else _start_products(workload, counts, directory)
    rounds: dict[int, list[list[float]]] = {i: [] for i in range(len(running))}
    losses: dict[int, list[float]] = {i: [hello["loss"]] for i, (_, _, hello) in enumerate(running)}
    products: dict[int, list[list[float]]] = {i: [] for i in range(len(yardsticks))}
    for number in range(options.rounds):
        for i in protocol.order_of_round(len(running), number) if running else []:
            time.sleep(SETTLE_SECONDS)
            answer = running[i][1].ask(f"round {options.seconds}")
            if "skipped" in answer:
                raise RuntimeError(f"{running[i][0].name} on {workload.name}: {answer['skipped']}")
            rounds[i].append([seconds / workload.steps for seconds in answer["blocks"]])
            losses[i].append(answer["loss"])
        for i, yardstick in enumerate(yardsticks):
            time.sleep(SETTLE_SECONDS)
            products[i].append(yardstick.ask(f"round {options.seconds}")["products"])
    for process in [process for _, process, _ in running] + yardsticks:
        process.end()
    for i, (entry, process, hello) in enumerate(running):
        per_round = tuple(median(blocks) for blocks in rounds[i])
        result.timings.append(
            protocol.Timing(
                entry.name,
                process.threads,
                per_round,
                tuple(losses[i]),
                hello["cold_seconds"],
                hello["peak_bytes"],
            )
        )
    result.product_seconds = _best_products(list(products.values()))
    result.void = (
        protocol.why_void({f"{t.peer} ({t.threads})": t.losses for t in result.timings}, workload.tolerance)
        if result.timings
        else "no peer ran"
    )
    if any(entry.name == "handgrad_native" for entry, _, _ in running):
        result.first_epoch = _first_epoch(workload, directory)
    return result


def _write_tables(options: argparse.Namespace) -> bool:
    """From files to saved models, behind the results; True where a goal is not met."""
    if not options.tables:
        return False
    found = [
        tables.report(name, 100_000 if options.quick else 1_000_000, min(3, options.rounds))
        for name in options.tables
    ]
    text = "\n".join(part for part, _ in found)
    with (options.output / "bench.md").open("a", encoding="utf-8") as file:
        file.write(f"\n## From a file to a saved model\n\n{text}")
    print(text)
    return not all(goal.met for _, goals in found for goal in goals)


def _write_ratios(options: argparse.Namespace) -> None:
    """What is waited for beside the steps, behind the results."""
    with tempfile.TemporaryDirectory() as cache:
        process = Process("benchmarks.ratios", [str(options.seconds)], os.cpu_count() or 1, Path(cache))
        answer: Any = process.answer()
        process.end()
    if isinstance(answer, dict):
        text = f"Not measured: {answer['skipped']}\n"
    else:
        text = ratios.table([ratios.Row(*row) for row in answer])
    with (options.output / "bench.md").open("a", encoding="utf-8") as file:
        file.write(f"\n## Beside the steps\n\n{text}")
    print(text)


def _judge(result: Result, rates: list[limits.Rates]) -> None:
    """The limit of a workload from the best rates of the run, and what of it was reached."""
    result.limit = limits.limit(result.workload, limits.best(rates))
    if not result.void:
        seconds = {peer: timing.step_seconds for peer, timing in protocol.best(result.timings).items()}
        result.outcomes = judge(result.workload.name, seconds, result.limit and result.limit.seconds)


def _start(
    entry: Entry, counts: list[int], directory: Path, result: Result
) -> list[tuple[Entry, Process, dict[str, Any]]]:
    """A peer's processes, one for each number of threads that is worth measuring; the others end at once."""
    started: dict[int, tuple[Process, dict[str, Any]]] = {}
    for threads in counts:
        cache = directory / f"cache-{entry.name}-{threads}"
        process = Process(
            "benchmarks.worker", [str(directory / "problem"), entry.name, str(threads)], threads, cache
        )
        hello = process.answer()
        if "skipped" in hello:
            process.end()
            result.skipped[entry.name] = hello["skipped"]
            print(f"  {entry.title}: left out: {hello['skipped']}", flush=True)
            return []
        started[threads] = (process, hello)
    keep = protocol.worth_measuring(
        {threads: hello["block_seconds"] for threads, (_, hello) in started.items()}
    )
    steps = result.workload.steps
    shown = ", ".join(
        f"{threads} thread{'s' * (threads > 1)} {1e6 * hello['block_seconds'] / steps:.3g} us/step"
        for threads, (_, hello) in started.items()
    )
    print(f"  {entry.title}: {shown}; loss {started[keep[0]][1]['loss']:.6f}", flush=True)
    result.kernels[entry.name] = started[keep[0]][1].get("kernels", [])
    for threads, (process, _) in started.items():
        if threads not in keep:
            process.end()
    return [(entry, *started[threads]) for threads in keep]


def _start_products(workload: Workload, counts: list[int], directory: Path) -> list[Process]:
    started = []
    for library in ("numpy", "torch"):
        for threads in counts:
            process = Process(
                "benchmarks.products", [workload.name, library, str(threads)], threads, directory / "cache"
            )
            if "skipped" in process.answer():
                process.end()
                continue
            started.append(process)
    return started


def _best_products(measured: list[list[list[float]]]) -> float | None:
    """Seconds of a step's products: for each the median over rounds of the quickest library and threads."""
    if not measured:
        return None
    medians = [[median(times) for times in zip(*rounds, strict=True)] for rounds in measured]
    return float(sum(min(times) for times in zip(*medians, strict=True)))


def _first_epoch(workload: Workload, directory: Path) -> dict[str, Any]:
    """The first block from the import (median of three processes) and the memory of handgrad."""

    def once(what: str) -> dict[str, Any]:
        process = Process(
            "benchmarks.first_epoch",
            [str(directory / "problem"), what],
            os.cpu_count() or 1,
            directory / "cache",
        )
        answer = process.answer()
        process.end()
        return answer

    times = [once("time") for _ in range(3)]
    times.sort(key=lambda answer: float(answer.get("first_seconds", 0.0)))
    return times[1] | once("memory")


if __name__ == "__main__":
    sys.exit(main())
