"""What the benchmark leaves: a Markdown table, JSON and a chart, from the same results."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.chart import chart
from benchmarks.first_epoch import MOST_EXTRA_SECONDS
from benchmarks.goals import BEST_PEER, LIMIT, OURS, Outcome
from benchmarks.limits import Limit
from benchmarks.peers import PEERS
from benchmarks.protocol import Timing, best
from benchmarks.workloads import Workload

BUSY = 0.3  # processors in use by others, above which a measurement says little
LIBRARIES = ("numpy", "torch", "jax", "scikit-learn", "keras")
TITLES = {entry.name: entry.title for entry in PEERS} | {
    LIMIT: "the machine's limit",
    BEST_PEER: "best peer",
}


@dataclass
class Result:
    """One workload measured."""

    workload: Workload
    source: str
    timings: list[Timing] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    product_seconds: float | None = None
    limit: Limit | None = None
    kernels: dict[str, list[str]] = field(default_factory=dict)
    first_epoch: dict[str, Any] | None = None
    void: str | None = None
    outcomes: list[Outcome] = field(default_factory=list)


def machine() -> dict[str, Any]:
    """What the numbers belong to: processor, threads, systems, versions, date."""
    model = platform.processor() or platform.machine()
    flags = ""
    information = Path("/proc/cpuinfo")
    if information.exists():
        text = information.read_text()
        found = re.search(r"model name\s*:\s*(.+)", text)
        model = found.group(1) if found else model
        flags = "AVX-512" if " avx512f" in text else "AVX2" if " avx2" in text else ""
    versions = {}
    for library in LIBRARIES:
        try:
            versions[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            versions[library] = "absent"
    return {
        "processor": " ".join(part for part in (model, flags) if part),
        "hardware_threads": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": versions,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def as_data(result: Result) -> dict[str, Any]:
    """A result as plain data, for JSON."""
    workload = result.workload
    return {
        "workload": workload.name,
        "description": workload.describe(),
        "data": result.source,
        "steps_per_block": workload.steps,
        "void": result.void,
        "tolerance": workload.tolerance,
        "product_operations": workload.operations,
        "product_seconds": result.product_seconds,
        "limit_seconds": result.limit and result.limit.seconds,
        "limit": result.limit and result.limit._asdict(),
        "kernels": result.kernels,
        "peers": [
            {
                "peer": timing.peer,
                "title": TITLES[timing.peer],
                "threads": timing.threads,
                "best": best(result.timings)[timing.peer] is timing,
                "step_seconds": timing.step_seconds,
                "rounds": list(timing.rounds),
                "spread": timing.spread,
                "final_loss": timing.losses[-1],
                "cold_seconds": timing.cold_seconds,
                "peak_bytes": timing.peak_bytes,
            }
            for timing in result.timings
        ],
        "skipped": result.skipped,
        "first_epoch": result.first_epoch,
        "goals": [
            {
                "against": outcome.goal.against,
                "peer": outcome.peer,
                "factor": outcome.goal.factor,
                "measured": outcome.measured,
                "verdict": outcome.verdict,
            }
            for outcome in result.outcomes
        ],
    }


def markdown(results: list[Result], facts: dict[str, Any]) -> str:
    """The report that people read."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    lines = [
        "# Benchmark",
        "",
        f"{facts['processor']}, {facts['hardware_threads']} hardware threads; {facts['system']}; {versions};"
        f" {facts['date']}. float32. Median of {facts['rounds']} interleaved rounds, each peer in a process"
        " of its own with the better of 1 and 2 threads, data resident; every block starts from the same"
        " parameters, takes the same batches and must end with the same loss.",
        "",
    ]
    if facts["quick"]:
        lines += ["**A quick look with short rounds, not a measurement.**", ""]
    if facts["load_before"] > BUSY:
        lines += [f"**The machine was busy before the run: load {facts['load_before']}.**", ""]
    lines += ["## Time of a training step", "", *_step_table(results), ""]
    lines += ["## Share of the machine's limit", "", *_limit_table(results, facts), ""]
    lines += ["## What must be reached", "", *_goal_table(results), ""]
    lines += ["## Against the matrix product", "", *_product_table(results), ""]
    lines += ["## Cold start: import to the end of the first step, seconds", ""]
    lines += [*_peer_table(results, lambda timing: f"{timing.cold_seconds:.2f}"), ""]
    lines += ["## Peak memory of the process, MB", ""]
    lines += [*_peer_table(results, _megabytes), ""]
    first = _first_epoch_table(results)
    if first:
        lines += ["## handgrad's first epoch and memory", "", *first, ""]
    notes = sorted({f"{TITLES[peer]}: {why}" for r in results for peer, why in r.skipped.items()})
    chosen = sorted({f"{TITLES[p]}: {', '.join(k)}" for r in results for p, k in r.kernels.items() if k})
    notes += [f"kernels of {line}" for line in chosen]
    notes += [f"{r.workload.name} is void: {r.void}" for r in results if r.void]
    notes += [f"{r.workload.name}: data are {r.source}" for r in results if r.workload.name == "images"]
    if notes:
        lines += ["## Notes", "", *(f"- {note}" for note in notes), ""]
    return "\n".join(lines)


def write(results: list[Result], facts: dict[str, Any], directory: Path) -> str:
    """Writes bench.md, bench.json and bench.svg, each whole; returns the Markdown."""
    directory.mkdir(parents=True, exist_ok=True)
    text = markdown(results, facts)
    data = {"machine": facts, "results": [as_data(result) for result in results]}
    for name, content in (
        ("bench.md", text),
        ("bench.json", json.dumps(data, indent=1) + "\n"),
        ("bench.svg", chart(data, duration)),
    ):
        temporary = directory / f".{name}.part"
        temporary.write_text(content, encoding="utf-8")
        temporary.replace(directory / name)
    return text


def duration(seconds: float) -> str:
    """Three significant digits in ns, us or ms.

    >>> duration(0.000361), duration(0.098), duration(1.4e-7)
    ('361 us', '98.0 ms', '140 ns')
    """
    for factor, unit in ((1e9, "ns"), (1e6, "us"), (1e3, "ms"), (1.0, "s")):
        value = seconds * factor
        if value < 999.5 or unit == "s":
            digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
            return f"{value:.{digits}f} {unit}"
    raise AssertionError("unreachable: seconds always fit")


def _shown_peers(results: list[Result]) -> list[str]:
    seen = {timing.peer for result in results for timing in result.timings}
    return [entry.name for entry in PEERS if entry.name in seen]


def _peer_table(results: list[Result], cell: Any) -> list[str]:
    peers = _shown_peers(results)
    lines = [
        "| workload | " + " | ".join(TITLES[peer] for peer in peers) + " |",
        "| --- |" + " ---: |" * len(peers),
    ]
    for result in results:
        chosen = best(result.timings)
        cells = [cell(chosen[peer]) if peer in chosen else "-" for peer in peers]
        lines.append(f"| {result.workload.name} | " + " | ".join(cells) + " |")
    return lines


def _step_table(results: list[Result]) -> list[str]:
    """Time of a step and, in brackets, the threads; the quickest is bold."""
    peers = _shown_peers(results)
    lines = [
        "| workload | network | " + " | ".join(TITLES[peer] for peer in peers) + " |",
        "| --- | --- |" + " ---: |" * len(peers),
    ]
    for result in results:
        chosen = best(result.timings)
        quickest = min((t.step_seconds for t in chosen.values()), default=0.0)
        cells = []
        for peer in peers:
            if peer not in chosen:
                cells.append("-")
                continue
            shown = duration(chosen[peer].step_seconds)
            bold = "**" if chosen[peer].step_seconds == quickest else ""
            cells.append(f"{bold}{shown}{bold} ({chosen[peer].threads})")
        name = f"{result.workload.name}{' (void)' if result.void else ''}"
        lines.append(f"| {name} | {result.workload.describe()} | " + " | ".join(cells) + " |")
    return lines


def _goal_table(results: list[Result]) -> list[str]:
    lines = ["| workload | against | must reach | measured | |", "| --- | --- | ---: | ---: | --- |"]
    for result in results:
        if result.void:
            lines.append(f"| {result.workload.name} | | | | void |")
        for outcome in result.outcomes:
            against = TITLES.get(outcome.goal.against, outcome.goal.against)
            if outcome.goal.against == BEST_PEER:
                against = f"best peer ({TITLES[outcome.peer]})"
            number = _percent if outcome.goal.against == LIMIT else _times
            measured = "-" if outcome.measured is None else number(outcome.measured)
            verdict = outcome.verdict if outcome.verdict == "met" else f"**{outcome.verdict}**"
            lines.append(
                f"| {result.workload.name} | {against} | {number(outcome.goal.factor)} | {measured} | {verdict} |"
            )
    return lines


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %"


def _times(factor: float) -> str:
    return f"{factor:.3g} x"


def _limit_table(results: list[Result], facts: dict[str, Any]) -> list[str]:
    """What a step must take at least, by its parts, and which part of it handgrad reaches."""
    rates = [
        f"{found['threads']} thread{'s' * (found['threads'] > 1)}: {found['fma'] / 1e9:.0f} GFLOP/s, "
        + ", ".join(f"{rate / 1e9:.0f}" for rate in found["bandwidth"])
        + " GB/s (second cache, third cache, memory)"
        for found in facts.get("rates", [])
    ]
    lines = [f"Measured in this run: {'; '.join(rates)}.", ""] if rates else []
    lines += [
        "| workload | products | functions | update | gather | chain | limit | handgrad | share |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for result in results:
        if result.limit is None:
            continue
        parts = result.limit[:5]
        ours = best(result.timings).get(OURS)
        cells = [duration(part) if part else "-" for part in (*parts, result.limit.seconds)]
        cells += (
            ["-", "-"]
            if ours is None
            else [duration(ours.step_seconds), _percent(result.limit.seconds / ours.step_seconds)]
        )
        lines.append(f"| {result.workload.name} ({result.limit.threads}) | {' | '.join(cells)} |")
    return lines


def _product_table(results: list[Result]) -> list[str]:
    lines = [
        "| workload | products alone, best library | rate | handgrad's rate | share |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for result in results:
        if result.product_seconds is None:
            continue
        rate = result.workload.operations / result.product_seconds / 1e9
        ours = best(result.timings).get(OURS)
        cells = ["-", "-"]
        if ours is not None:
            own = result.workload.operations / ours.step_seconds / 1e9
            cells = [f"{own:.3g} GFLOP/s", f"{100 * own / rate:.0f} %"]
        lines.append(
            f"| {result.workload.name} | {duration(result.product_seconds)} | {rate:.3g} GFLOP/s | "
            + " | ".join(cells)
            + " |"
        )
    return lines


def _megabytes(timing: Timing) -> str:
    return "-" if timing.peak_bytes is None else f"{timing.peak_bytes / 1e6:.0f}"


def _first_epoch_table(results: list[Result]) -> list[str]:
    lines = []
    for result in results:
        first = result.first_epoch
        if not first or "first_seconds" not in first:
            continue
        extra = first["first_seconds"] - first["steady_seconds"]
        times = (f"{first['first_seconds']:.3f}", f"{first['steady_seconds']:.4f}", f"{extra:.3f}")
        line = f"| {result.workload.name} | {' | '.join(times)} |"
        used = first.get("used_bytes")
        most = first.get("bound_bytes", 0) + first.get("allowance_bytes", 0)
        if used is None:
            line += " - | - | |"
        else:
            verdict = "met" if used <= most else "**not met**"
            line += f" {used / 1e6:.1f} | {first['bound_bytes'] / 1e6:.1f} | {verdict} |"
        if result.workload.name == "table":
            verdict = "met" if extra <= MOST_EXTRA_SECONDS else "**not met**"
            line += f" {verdict} (at most {MOST_EXTRA_SECONDS} s) |"
        else:
            line += " |"
        lines.append(line)
    if not lines:
        return []
    return [
        "| workload | import to end of first block, s | steady block, s | difference, s | memory used, MB |"
        " bound, MB (4 MiB allowed beyond) | memory | first epoch |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- | --- |",
        *lines,
    ]
