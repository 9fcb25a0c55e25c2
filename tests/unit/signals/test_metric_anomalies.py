"""Deviations of metrics: against a given baseline, peers, themselves and absolute bounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven_core.analysis.model import Anomaly, Entity, Numbers, Places, Series
from faultmaven_core.analysis.signals.metric_anomalies import anomalies, as_facts, canonical_name, metric_facts

START = 1_700_000_000.0
DATABASE = Entity("database", "orders")


def series(
    values: Sequence[float], metric: str = "latency", entity: Entity = DATABASE, unit: str = "", step: float = 60
) -> Series:
    """Points a minute apart, each on a line of its own, ten bytes long."""
    count = len(values)
    lines = Numbers.of(range(1, count + 1))
    places = Places(
        "a" * 64, lines, lines, Numbers.of(range(0, count * 10, 10)), Numbers.of(range(9, count * 10 + 9, 10))
    )
    return Series(entity, metric, unit, Numbers.of(START + step * i for i in range(count)), Numbers.of(values), places)


def noisy(seed: int, count: int, level: float = 100.0, scale: float = 3.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(level, scale, count)


def one(found: Sequence[Anomaly]) -> Anomaly:
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("seed", range(40))
def test_noise_raises_no_alarm_against_itself_a_baseline_or_peers(seed: int) -> None:
    """Calm metrics stay calm, whatever they are judged by."""
    calm = series(noisy(seed, 30).tolist())
    given_baseline = series(noisy(seed + 1000, 200).tolist())
    peers = [series(noisy(seed + n, 30).tolist(), entity=Entity("pod", f"web-{n}")) for n in range(5)]
    assert anomalies([calm]) == []
    assert anomalies([calm], [given_baseline]) == []
    assert anomalies(peers) == []


def test_a_step_up_is_told_with_time_direction_levels_and_lines() -> None:
    """Onset is when it began, not when somebody was alerted; the lines show it."""
    values = [*noisy(1, 10), *noisy(2, 10, 400)]
    found = one(anomalies([series(values)]))
    assert (found.direction, found.baseline, found.recovered, found.hurts) == ("up", "self", False, True)
    assert found.onset == START + 60 * 10
    assert found.before == pytest.approx(100, rel=0.05)
    assert found.peak == max(values)
    assert found.spans[0].first_line == 11
    assert found.spans[-1].last_line == 20
    assert "rose from" in found.sentence


def test_what_came_back_is_a_deviation_of_the_past() -> None:
    """A spike that is over says nothing against the present."""
    values = [*noisy(1, 10), *noisy(2, 5, 400), *noisy(3, 15)]
    found = one(anomalies([series(values)]))
    assert found.recovered
    assert found.until == START + 60 * 15
    assert "has recovered" in found.sentence
    assert {fact.value for fact in as_facts(found)} == {"up", "recovered"}


@pytest.mark.parametrize("late", [0, 5, 40])
def test_the_onset_does_not_move_however_long_the_window_goes_on(late: int) -> None:
    """A late alert must not matter: three sigmas over the whole window would lose a change that fills most of it."""
    values = [*noisy(1, 8), *noisy(2, 6 + late, 400)]
    assert one(anomalies([series(values)])).onset == START + 60 * 8


def test_a_given_baseline_shows_what_a_short_window_cannot() -> None:
    """Five points that are all off look calm by themselves."""
    incident = series(noisy(1, 5, 160, 2).tolist())
    assert anomalies([incident]) == []
    found = one(anomalies([incident], [series(noisy(2, 100).tolist())]))
    assert (found.baseline, found.direction, found.onset) == ("given", "up", START)


def test_a_baseline_with_wild_points_of_its_own_is_no_alarm() -> None:
    """What was seen when all was well is usual."""
    baseline = noisy(1, 200)
    baseline[::20] = 190
    assert anomalies([series([*noisy(2, 5), 185, 188, *noisy(3, 5)])], [series(baseline.tolist())]) == []


def test_one_replica_among_equals_stands_out() -> None:
    """Peers are replicas of the same workload."""
    replicas = [
        series(noisy(n, 12, 400 if n == 2 else 100).tolist(), entity=Entity("pod", f"cart-6cfdd55578-gfj{n}q", "shop"))
        for n in range(5)
    ]
    found = one(anomalies(replicas))
    assert (found.entity.name, found.baseline) == ("cart-6cfdd55578-gfj2q", "peers")


def test_services_that_differ_are_no_peers() -> None:
    """Different services have different levels, and that is no fault."""
    different = [series(noisy(n, 12, 100 * 4**n).tolist(), entity=Entity("service", f"s{n}")) for n in range(5)]
    assert anomalies(different) == []


def test_a_metric_beyond_its_bound_all_the_time_is_found_without_a_change() -> None:
    """The window may begin after the incident did."""
    found = one(anomalies([series(noisy(1, 20, 95, 0.5).tolist(), "CPUUtilization", unit="Percent")]))
    assert (found.baseline, found.direction, found.hurts) == ("bound", "up", True)
    assert "above 90%" in found.sentence
    low = one(anomalies([series([2e8] * 10, "FreeStorageSpace", unit="Bytes")]))
    assert (low.baseline, low.direction) == ("bound", "down")


def test_the_harmful_direction_is_told_where_a_metric_went_both_ways() -> None:
    """Free storage that nearly ended and was then tripled: the end is what hurt, and it is over."""
    gigabyte = 1024.0**3
    values = [30 * gigabyte] * 8 + [3 * gigabyte] * 4 + [200 * gigabyte] * 8
    found = one(anomalies([series(values, "FreeStorageSpace", unit="Bytes")]))
    assert (found.direction, found.hurts, found.recovered) == ("down", True, True)
    assert "fell from 30 GiB to 3 GiB" in found.sentence


def test_a_change_for_the_better_does_not_hurt() -> None:
    """Latency that falls is no symptom, but worth knowing."""
    assert not one(anomalies([series([*noisy(1, 10), *noisy(2, 10, 20, 1)])])).hurts


def test_changes_that_stay_small_hurt_nobody() -> None:
    """CPU from 2 % to 30 % is a change, not a symptom."""
    found = one(anomalies([series([*noisy(1, 10, 2, 0.1), *noisy(2, 10, 30, 0.5)], "CPUUtilization", unit="Percent")]))
    assert not found.hurts


def test_counters_are_judged_by_their_rate() -> None:
    """A counter always grows; its rate does not."""
    steps = [*noisy(1, 15, 50, 1), *noisy(2, 15, 500, 5)]
    assert anomalies([series(np.cumsum(noisy(1, 30, 50, 1)).tolist(), "http_requests_errors_total")]) == []
    found = one(anomalies([series(np.cumsum(steps).tolist(), "http_requests_errors_total")]))
    assert found.onset == START + 60 * 15


def test_the_order_of_series_does_not_matter() -> None:
    """The same evidence, the same record."""
    many = [series([*noisy(n, 10), *noisy(n, 10, 300 + n)], entity=Entity("service", f"s{n}")) for n in range(4)]
    assert anomalies(many) == anomalies(many[::-1])


@given(st.integers(0, 10_000), st.sampled_from([0.001, 0.25, 4.0, 1000.0]))
@settings(max_examples=30)
def test_scale_changes_values_not_times(seed: int, factor: float) -> None:
    """Milliseconds or seconds: the same deviation at the same time."""
    values = np.concatenate([noisy(seed, 12), noisy(seed + 1, 12, 350)])
    plain, scaled = (
        one(anomalies([series(values.tolist(), "thing")])),
        one(anomalies([series((values * factor).tolist(), "thing")])),
    )
    assert (plain.onset, plain.direction, plain.until) == (scaled.onset, scaled.direction, scaled.until)
    assert scaled.peak == pytest.approx(plain.peak * factor)


@given(st.floats(-1e5, 1e5))
@settings(max_examples=30)
def test_with_a_given_baseline_a_shift_of_both_changes_nothing(shift: float) -> None:
    """Only the distance counts, as long as the baseline's own scatter exceeds the floor that follows its level."""
    incident, baseline = noisy(1, 6, 160, 20), noisy(2, 200, 0, 10)
    shifted = anomalies(
        [series((incident + shift / 1e3).tolist(), "thing")], [series((baseline + shift / 1e3).tolist(), "thing")]
    )
    plain = anomalies([series(incident.tolist(), "thing")], [series(baseline.tolist(), "thing")])
    assert [(a.onset, a.direction) for a in shifted] == [(a.onset, a.direction) for a in plain]


def test_facts_carry_what_texts_of_mechanisms_quote() -> None:
    """Slots like {cpu_peak} and the state that clauses ask for."""
    values = [*noisy(1, 10, 20, 1), *noisy(2, 10, 95, 1)]
    first, second, third = as_facts(one(anomalies([series(values, "cpu_usage", unit="%")])))
    assert (third.attribute, third.value) == ("metric.cpu.bound", "crossed")
    assert (first.attribute, first.value, first.when) == ("anomaly.cpu", "up", START + 600)
    assert (second.attribute, second.value) == ("metric.cpu.state", "high")
    params = dict(first.params)
    assert params["recovered"] == "no"
    assert params["hurts"] == "yes"
    assert params["cpu_peak"].endswith("%")
    assert params["text"].startswith("cpu_usage of database orders rose")


def test_metrics_nobody_knows_keep_their_own_name() -> None:
    """Underscores between words, and never an empty attribute."""
    assert canonical_name("frobnicator.Depth-Now") == "frobnicator_depth_now"
    assert canonical_name("???") == "value"
    assert canonical_name("CPUUtilization") == "cpu"


def test_a_series_without_points_is_passed_over() -> None:
    """Nothing measured, nothing said."""
    assert anomalies([series([])]) == []


def test_what_a_baseline_or_an_absolute_level_proves_calm_is_said_to_be_normal() -> None:
    """So that a prediction can fail; what only the window itself shows proves nothing."""
    idle = series(noisy(1, 20, 12, 0.5).tolist(), "CPUUtilization", unit="Percent")
    steady = series(noisy(2, 20).tolist())
    unknown = series(noisy(3, 20).tolist(), "SyscallRead")
    said = {(f.attribute, f.value) for f in metric_facts([idle, steady, unknown])}
    assert said == {("metric.cpu.state", "normal")}
    assert dict(metric_facts([idle])[0].params) == {"cpu_last": metric_facts([idle])[0].params[0][1]}
    given_baseline = [series(noisy(4, 200).tolist())]
    assert [f.value for f in metric_facts([steady], given_baseline)] == ["normal"]
    rising = series([*noisy(1, 10), *noisy(2, 10, 400)])
    assert [f.value for f in metric_facts([rising])] == ["up", "high"]


def test_load_is_neither_good_nor_bad_but_a_change_of_it_is_told() -> None:
    """More requests explain much and hurt nobody by themselves."""
    found = one(anomalies([series([*noisy(1, 10), *noisy(2, 10, 400)], "requests")]))
    assert not found.hurts


def test_a_counter_that_was_reset_has_no_negative_rate() -> None:
    """A restart sets it to zero."""
    values = [*np.cumsum(noisy(1, 15, 50, 1)), *np.cumsum(noisy(2, 15, 50, 1))]
    assert anomalies([series(values, "http_requests_total")]) == []


def test_a_fall_by_half_is_a_change_and_only_a_tenth_is_the_end() -> None:
    """What should be there is nearly gone only when little of it is left."""
    half, tenth = ([*[80e9] * 10, *[80e9 * share] * 10] for share in (0.5, 0.05))
    for values, ended in ((half, False), (tenth, True)):
        facts = as_facts(one(anomalies([series(values, "FreeStorageSpace", unit="Bytes")])))
        assert any(f.attribute == "metric.free_storage.bound" for f in facts) is ended
