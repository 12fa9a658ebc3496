"""The papers of a class, marked by as many processes as there are processors; the marks do not depend on how many."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

from handgrad.audit.conventions import Convention
from handgrad.audit.diagnosis import Explanation
from handgrad.audit.verdicts import Verdict
from handgrad.exercises.answers import Answers
from handgrad.exercises.exercise import Exercise
from handgrad.exercises.marking import Marked, Paper, mark

WORTH_A_PROCESS = 25
"""Papers; fewer are marked in the time that a process takes to begin."""
MOST_PROCESSES = 16

Work = tuple[Exercise, Answers, Mapping[str, float]]


def mark_all(work: Sequence[Work], processes: int | None = None) -> list[Paper]:
    """The papers of (exercise, answers, shares), in order; `processes` None: by the processors and the papers."""
    if processes is None:
        processes = min(_processors(), len(work) // WORTH_A_PROCESS, MOST_PROCESSES)
    if processes < 2:
        return [mark(*each) for each in work]
    try:
        return list(_apart(work, processes))
    except (BrokenProcessPool, OSError):  # a machine that refuses processes: one after the other, then
        return [mark(*each) for each in work]


def _apart(work: Sequence[Work], processes: int) -> Iterator[Paper]:
    # begun anew, not forked: the core has threads
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin)
    try:
        sent = [(exercise.as_dict(), answers, table) for exercise, answers, table in work]
        found = pool.map(_marked, sent, chunksize=max(1, min(8, len(work) // processes)))
        for (exercise, answers, _), (numbers, verdicts, convention, remarks) in zip(work, found, strict=True):
            yield Paper(
                exercise.name or answers.name, answers.file, exercise, numbers, verdicts, convention, remarks
            )
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """Ctrl-C ends the process that marks, and with it these."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


Sent = tuple[dict[str, Any], Answers, Mapping[str, float]]
Back = tuple[tuple[Marked, ...], tuple[Verdict, ...], Convention | None, tuple[str, ...]]


def _marked(sent: Sent) -> Back:
    """What is known of a paper, without the exercise, which the other process has."""
    held, answers, table = sent
    paper = mark(Exercise.from_dict(held, answers.file), answers, table)
    return paper.numbers, tuple(map(_plain, paper.verdicts)), paper.convention, paper.remarks


def _plain(verdict: Verdict) -> Verdict:
    """The verdict without the calculation that explained it, which stays in its process."""
    cause = verdict.explanation
    if not isinstance(cause, Explanation):
        return verdict
    return replace(verdict, explanation=replace(cause, alternative=None))


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if "sched_getaffinity" in dir(os) else os.cpu_count() or 1
