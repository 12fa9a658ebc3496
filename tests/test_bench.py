"""The benchmark's rules on made-up numbers; nothing here depends on how fast the machine is."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from benchmarks import goals, limits, protocol, report, tables
from benchmarks.chart import chart
from benchmarks.protocol import Timing
from benchmarks.workloads import WORKLOADS


def timing(peer: str, threads: int, *rounds: float, loss: float = 0.5) -> Timing:
    return Timing(peer, threads, rounds, (loss,) * len(rounds), 1.5, 50_000_000)


def result(name: str = "deep", void: str | None = None, **seconds: float) -> report.Result:
    made = report.Result(WORKLOADS[name], "synthetic", product_seconds=0.5, void=void)
    made.timings = [timing(peer, 1, value) for peer, value in seconds.items()]
    made.outcomes = [] if void else goals.judge(name, seconds, 0.0008)
    return made


# ---- the rules


def test_a_peer_counts_with_the_median_of_its_rounds_and_its_better_number_of_threads() -> None:
    slow, quick = timing("a", 1, 3.0, 1.0, 2.0), timing("a", 2, 1.5, 9.0, 1.4)
    assert slow.step_seconds == 2.0
    assert quick.step_seconds == 1.5
    assert slow.spread == 1.0
    assert protocol.best([slow, quick, timing("b", 1, 7.0)]) == {"a": quick, "b": timing("b", 1, 7.0)}


def test_every_peer_runs_once_in_each_round_and_nobody_always_follows_the_same() -> None:
    orders = [protocol.order_of_round(4, number) for number in range(8)]
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert len({order[0] for order in orders}) == 4
    followers = {(order[i], order[i + 1]) for order in orders for i in range(3)}
    assert {(0, 1), (1, 0)} <= followers


@pytest.mark.parametrize(
    ("losses", "reason"),
    [
        ({"a": [0.5, 0.5], "b": [0.50004]}, None),
        ({"a": [0.5], "b": [0.5], "c": [0.501]}, "final loss of c is 0.501"),
        ({"a": [0.5, 0.5, 0.6], "b": [0.5], "c": [0.5]}, "final loss of a is 0.6"),
        ({"a": [math.nan], "b": [0.5]}, "final loss of a is nan"),
        ({"a": [0.5], "b": [math.inf]}, "final loss of b is inf"),
    ],
)
def test_a_workload_is_void_where_final_losses_differ(
    losses: dict[str, list[float]], reason: str | None
) -> None:
    found = protocol.why_void(losses, 1e-3)
    assert found is None if reason is None else found is not None and found.startswith(reason)


def test_goals_divide_the_seconds_of_the_other_by_handgrads() -> None:
    outcomes = goals.judge("table", {"handgrad_native": 1.0, "jax_scan": 2.4, "sklearn_mlp": 11.0}, 0.7)
    assert [(o.goal.against, o.peer, o.measured, o.verdict) for o in outcomes] == [
        (goals.LIMIT, goals.LIMIT, 0.7, "not met"),
        (goals.BEST_PEER, "jax_scan", 2.4, "met"),
    ]


def test_handgrads_own_engines_are_not_peers() -> None:
    seconds = {"handgrad_native": 1.0, "handgrad_reference": 0.1, "jax_scan": 3.0, "numpy_out": 2.0}
    outcome = goals.judge("deep", seconds, None)[1]
    assert (outcome.peer, outcome.measured, outcome.verdict) == ("numpy_out", 2.0, "met")


@pytest.mark.parametrize("seconds", [{"jax_scan": 1.0}, {"handgrad_native": 1.0}, {}])
def test_a_goal_without_both_sides_is_not_measured(seconds: dict[str, float]) -> None:
    assert {outcome.verdict for outcome in goals.judge("wide", seconds, None)} == {"not measured"}


def test_every_workload_has_its_share_of_the_limit_and_its_best_peer() -> None:
    assert {(goal.workload, goal.against) for goal in goals.GOALS} == {
        (workload, against) for workload in WORKLOADS for against in (goals.LIMIT, goals.BEST_PEER)
    }


# ---- the limit


def rates(threads: int = 1, **others: float) -> limits.Rates:
    latency = {"sigmoid": 10e-9, "fma": 1e-9, "root": 4e-9, "division": 3e-9}
    made = limits.Rates(threads, 1e11 * threads, (2e11, 1e11, 4e10), 1e-10, 2e-10, 2e-10, 3e-10, latency)
    return made._replace(**others)


def test_the_limit_of_a_step_adds_what_no_trainer_can_leave_out() -> None:
    table = WORKLOADS["table"]
    found = limits.limit(table, [rates()])
    assert found is not None and found.threads == 1
    assert found.products == table.operations / 1e11
    assert found.functions == pytest.approx(200 * 1e-10)  # one exponential a sample; a ReLU is free
    assert found.update == pytest.approx(3201 * 3e-10)  # in the second-level cache arithmetic is what counts
    assert found.gather == pytest.approx(200 * 30 * 4 / 1e11)  # 12 MB of rows lie in the third-level cache
    assert found.seconds == found.products + found.functions + found.update + found.gather


def test_a_large_update_waits_for_the_memory_and_two_threads_share_what_they_can() -> None:
    wide = WORKLOADS["wide"]
    one, two = limits.limit(wide, [rates()]), limits.limit(wide, [rates(), rates(2)])
    assert one is not None and two is not None
    assert one.update == pytest.approx(2 * 3 * 4 * wide.parameter_count / 4e10)
    assert two.threads == 2 and two.products == one.products / 2 and two.seconds < one.seconds


def test_a_tiny_step_is_a_chain_of_operations_that_wait() -> None:
    sgd, adam = (limits.limit(WORKLOADS[f"tiny-1-{rule}"], [rates()]) for rule in ("sgd", "adam"))
    assert sgd is not None and adam is not None
    assert sgd.chain == pytest.approx((2 * 10 + 4 + 3 + 2) * 1e-9)
    assert adam.chain == pytest.approx(sgd.chain + (2 + 4 + 3) * 1e-9)
    assert sgd.seconds == sgd.chain


def test_the_best_of_each_rate_counts_and_without_a_compiler_there_is_no_limit() -> None:
    (found,) = limits.best([rates(fma=5e10, exp=3e-10), rates(exp=2e-10)])
    assert (found.fma, found.exp) == (1e11, 2e-10)
    assert limits.limit(WORKLOADS["deep"], []) is None


@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler")
def test_the_rates_of_this_machine_are_plausible(tmp_path: Path) -> None:
    (found,) = limits.measure(tmp_path, (1,))
    assert 1e9 < found.fma < 1e13
    assert all(1e8 < rate < 1e13 for rate in found.bandwidth)
    assert all(0 < seconds < 1e-6 for seconds in (found.exp, found.tanh, found.sigmoid, found.adam))


# ---- the report


def test_the_report_says_which_goal_is_not_met_and_what_is_void() -> None:
    facts = report.machine() | {"rounds": 5, "quick": False, "load_before": 0.9}
    text = report.markdown(
        [
            result("deep", handgrad_native=0.001, jax_scan=0.0015, pytorch_eager=0.002),
            result("small", void="final loss of a is nan", handgrad_native=1.0),
        ],
        facts,
    )
    assert "| deep | the machine's limit | 90 % | 80 % | **not met** |" in text
    assert "| deep | best peer (JAX scan) | 1 x | 1.5 x | met |" in text
    assert (
        "| deep | 64-[256]x8-10 relu, batch 256, adam, 25,600 rows | **1.00 ms** (1) | 1.50 ms (1) |" in text
    )
    assert "small is void: final loss of a is nan" in text
    assert "| small | | | | void |" in text
    assert "busy before the run: load 0.9" in text


def test_the_json_holds_every_round_and_every_goal() -> None:
    data = json.loads(json.dumps(report.as_data(result("deep", handgrad_native=1.0, jax_scan=2.0))))
    assert [peer["best"] for peer in data["peers"]] == [True, True]
    assert data["peers"][0]["rounds"] == [1.0]
    assert data["goals"][1] == {
        "against": "best peer",
        "peer": "jax_scan",
        "factor": 1.0,
        "measured": 2.0,
        "verdict": "met",
    }


def test_the_chart_draws_a_bar_for_each_peer_longer_for_slower_ones() -> None:
    results = [report.as_data(result("deep", handgrad_native=1e-6, jax_scan=1e-5, numpy_out=1e-4))]
    root = ElementTree.fromstring(
        chart({"machine": {"processor": "A & B"}, "results": results}, report.duration)
    )
    name = "{http://www.w3.org/2000/svg}"
    widths = [float(bar.attrib["width"]) for bar in root.iter(f"{name}rect") if "x" in bar.attrib]
    assert len(widths) == 3
    assert widths == sorted(widths)
    assert widths[2] - widths[1] == pytest.approx(
        widths[1] - widths[0], abs=0.2
    )  # the same factor, the same step
    assert "A & B" in "".join(root.itertext())


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(1.4e-7, "140 ns"), (9.996e-7, "1.00 us"), (3.61e-4, "361 us"), (0.0978, "97.8 ms"), (12.0, "12.0 s")],
)
def test_durations_have_three_digits(seconds: float, shown: str) -> None:
    assert report.duration(seconds) == shown


def test_a_table_is_measured_against_the_quickest_peer_of_its_kind_and_against_its_matrix() -> None:
    def runs(seconds: float, memory: float = 5e8) -> list[tables.Measured]:
        return [tables.Measured(seconds, 2 * seconds, int(memory))] * 3

    found = {
        ("handgrad", 2): runs(2.0, 6.4e8),
        ("polars + JAX", 1): runs(5.0),
        ("polars + JAX", 2): runs(4.0),
        ("XGBoost hist", 2): runs(1.0),
    }
    text, goals = tables.table_of("table-csv", 1_000_000, found)
    assert [goal.measured for goal in goals] == [0.5, 640.0]
    assert goals[1].most == pytest.approx(1.3 * 4 * 103 + 100)
    assert [goal.met for goal in goals] == [True, False]
    assert "| polars + JAX (2) | 4.00 s | 8.00 s | 500 MB |" in text
    assert "| peak memory, MB | 636 | 640 | **not met** |" in text
    _, slower = tables.table_of("table-parquet", 1_000_000, found)
    assert not slower[0].met
