"""Long checks of a training in several processes, on the loopback: `python -m tests.engines.lost` (`make spread`).

Four devices, two processes of two devices and four processes take 200 steps with the losses of one; then, twenty
times, one of two processes is killed at a random moment, and the other must end with status 2, one line and no
file within a minute. The moments are drawn with a fixed seed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.engines.test_mesh import free_port, judge, started, train

LINE = "handgrad: another process of this training was lost"
MEETING = "did not meet the others"


def same_steps() -> None:
    for processes, devices in ((1, 4), (2, 2), (4, 1)):
        port, begun = free_port(), time.monotonic()
        ranks = map(str, range(processes))
        started_all = [
            started("tests.engines.spread", rank, str(processes), port, "float64", devices=devices)
            for rank in ranks
        ]
        for process in started_all:
            judge(process, processes * devices, "float64", 1e-6)
        print(
            f"{processes} processes x {devices} devices: the same losses ({time.monotonic() - begun:.0f} s)"
        )


def lost(moment: float, victim: int, folder: Path) -> tuple[float, str]:
    """Seconds that the other went on, and what was wrong with its end; '' where nothing was."""
    port, model = free_port(), folder / "model.safetensors"
    more = ("--epochs", "100000", "--patience", "100000", "--quiet")
    both = [train(k, port, model, *more) for k in (0, 1)]
    time.sleep(moment)
    os.killpg(both[victim].pid, signal.SIGKILL)
    both[victim].communicate()
    begun, other = time.monotonic(), both[1 - victim]
    try:
        _, errors = other.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        os.killpg(other.pid, signal.SIGKILL)
        other.communicate()
        return time.monotonic() - begun, "it hung"
    lines = errors.splitlines()
    told = len(lines) == 1 and (LINE in lines[0] or MEETING in lines[0])
    wrong = "" if told else f"it said {lines[-3:]}"
    wrong = wrong or ("" if other.returncode == 2 else f"status {other.returncode}")
    return time.monotonic() - begun, wrong or ("a file was left" if model.exists() else "")


def main(kills: int) -> int:
    same_steps()
    generator, bad, longest = random.Random(0), 0, 0.0
    for k in range(kills):
        moment = generator.uniform(0.5, 40)
        with tempfile.TemporaryDirectory() as folder:
            seconds, wrong = lost(moment, k % 2, Path(folder))
        longest, bad = max(longest, seconds), bad + bool(wrong)
        print(
            f"process {k % 2} killed after {moment:.1f} s: the other ended {seconds:.1f} s later {wrong}",
            flush=True,
        )
    print(f"{kills} kills, {bad} bad ends, the longest wait {longest:.1f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
