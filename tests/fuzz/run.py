"""Feeds mutated files to handgrad in processes of their own, and keeps what crashes it.

    python -m tests.fuzz.run --seconds 60              # a fixed seed: everybody feeds the same files
    python -m tests.fuzz.run --mutations 100000 --workers 2 --first 0

A crasher is written to tests/fuzz/regressions, where the test suite feeds it again for ever.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REGRESSIONS = Path(__file__).parent / "regressions"
PROCESSOR_TIME = 60.0  # seconds for one input; then SIGPROF ends the worker
PATIENCE = 900.0  # seconds until a worker that only waits is ended, on a busy machine


class Worker:
    """A process that takes a line `kind seed` and answers a line of JSON; when it dies, the line is a crasher."""

    def __init__(self) -> None:
        self.task: tuple[str, int] | None = None
        self.began = 0.0
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "tests.fuzz.run", "--worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1,
        )  # fmt: skip

    def give(self, kind: str, seed: int) -> None:
        assert self.process.stdin is not None
        self.task, self.began = (kind, seed), time.monotonic()
        self.process.stdin.write(f"{kind} {seed}\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """What it answered; a death is an answer as well."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return dict(json.loads(line))
        code = self.process.wait()
        self.close()
        return {
            "finding": f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}",
            "dead": True,
        }

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.close()

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def work() -> None:
    """The worker's loop."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    from tests.fuzz.targets import attempt, mutated

    for line in sys.stdin:
        kind, seed = line.split()
        finding = None
        signal.setitimer(signal.ITIMER_PROF, PROCESSOR_TIME)
        try:
            attempt(kind, int(seed), mutated(kind, int(seed)))
        except Exception as error:
            finding = f"{type(error).__name__}: {error}"[:500]
        answers.write(json.dumps({"finding": finding}) + "\n")


def keep(kind: str, seed: int) -> Path:
    """Writes the crasher down."""
    from tests.fuzz.targets import TARGETS, mutated

    data = mutated(kind, seed)
    REGRESSIONS.mkdir(exist_ok=True)
    path = REGRESSIONS / f"{kind}-{hashlib.sha256(data).hexdigest()[:12]}{TARGETS[kind].suffix}"
    path.write_bytes(data)
    return path


def fuzz(
    tasks: Iterator[tuple[str, int]], workers: int, seconds: float, kept: int
) -> tuple[Counter[str], list[str]]:
    """Counts of the inputs by kind, and the findings."""
    fed: Counter[str] = Counter()
    findings: list[str] = []
    until = time.monotonic() + seconds
    pool = [Worker() for _ in range(workers)]
    idle, busy = list(pool), {}
    while True:
        while idle and time.monotonic() < until and (task := next(tasks, None)) is not None:
            worker = idle.pop()
            worker.give(*task)
            assert worker.process.stdout is not None
            busy[worker.process.stdout] = worker
        if not busy:
            break
        ready, _, _ = select.select(list(busy), [], [], 1.0)
        late = [pipe for pipe, worker in busy.items() if time.monotonic() - worker.began > PATIENCE]
        for pipe in {*ready, *late}:
            worker = busy.pop(pipe)
            assert worker.task is not None
            kind, seed = worker.task
            if pipe in ready:
                answer = worker.answer()
            else:
                worker.kill()
                answer = {"finding": f"no answer in {PATIENCE:.0f} s", "dead": True}
            fed[kind] += 1
            if answer["finding"]:
                place = keep(kind, seed) if len(findings) < kept else "not kept"
                findings.append(f"{kind} {seed}: {answer['finding']} ({place})")
                print(findings[-1], flush=True)
            idle.append(Worker() if answer.get("dead") else worker)
            if sum(fed.values()) % 5000 == 0:
                print(f"{sum(fed.values()):,} fed, {len(findings)} findings", flush=True)
    for worker in idle:
        worker.kill()
    return fed, findings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, default=10**9)
    parser.add_argument("--workers", type=int, default=max(1, min(4, os.cpu_count() or 1)))
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--kinds", default="", help="csv,model,...; all without it")
    parser.add_argument("--keep", type=int, default=50, help="the most crashers that are written down")
    parser.add_argument("--worker", action="store_true")
    chosen = parser.parse_args()
    if chosen.worker:
        work()
        return 0
    from tests.fuzz.targets import TARGETS

    kinds = chosen.kinds.split(",") if chosen.kinds else list(TARGETS)
    tasks = itertools.islice(
        ((kind, seed) for seed in itertools.count(chosen.first) for kind in kinds), chosen.mutations
    )
    began = time.monotonic()
    fed, findings = fuzz(tasks, chosen.workers, chosen.seconds, chosen.keep)
    total = sum(fed.values())
    print(", ".join(f"{kind} {count:,}" for kind, count in sorted(fed.items())))
    print(f"{total:,} mutated files in {time.monotonic() - began:.0f} s, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
