"""Names of metrics, whoever recorded them."""

from __future__ import annotations

import pytest

from faultmaven_core.analysis.signals.metric_catalog import base_unit, known, load, unit_of, words_of
from faultmaven_core.analysis.signals.metric_sentence import quantity
from faultmaven_core.shared.errors import InvalidInputError

ENTRY = '[[metric]]\nname = "cpu"\ntitle = "CPU"\nhurts = "up"\naliases = ["cpu usage"]\n'


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CPUUtilization", "cpu"),
        ("container_cpu_usage_seconds_total", "cpu"),
        ("NodeCpuUsageRate(%)", "node_cpu"),
        ("FreeStorageSpace", "free_storage"),
        ("pg_stat_database_numbackends", "connections"),
        ("PodServerLatencyP95(s)", "latency"),
        ("hikaricp.connections.pending", "pool_waiting"),
        ("kafka_consumergroup_lag", "consumer_lag"),
        ("HTTPCode_Target_5XX_Count", "errors"),
        ("ReplicaLag", "replication_lag"),
        ("MaximumUsedTransactionIDs", "transaction_ids"),
    ],
)
def test_metrics_are_known_by_any_of_their_names(name: str, meant: str) -> None:
    """Camel case, snake case, dots, dashes and units in brackets."""
    found = known(name)
    assert found is not None
    assert found.name == meant


def test_a_metric_that_nobody_knows_is_not_guessed() -> None:
    """Syscalls are counted, not judged."""
    assert known("SyscallRead") is None
    assert words_of("") == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (ENTRY.replace('"up"', '"sideways"'), "sideways"),
        (ENTRY + 'colour = "red"\n', "colour"),
        (ENTRY.replace('title = "CPU"\n', ""), "title"),
        (ENTRY + ENTRY.replace('"cpu"', '"other"'), "taken"),
        (ENTRY.replace('"cpu usage"', '"--"'), "empty"),
    ],
)
def test_a_catalogue_with_a_mistake_is_refused_by_name(text: str, problem: str) -> None:
    """The file and the entry are named."""
    with pytest.raises(InvalidInputError, match=problem) as caught:
        load(text, "mine.toml")
    assert "mine.toml" in str(caught.value)


def test_units_are_read_from_names_and_brought_to_their_base() -> None:
    """Milliseconds are seconds, mebibytes are bytes."""
    assert unit_of("CpuUsageRate(%)") == "%"
    assert unit_of("request_duration_milliseconds") == "milliseconds"
    assert unit_of("latency") == ""
    assert unit_of("disk_used_percent") == "percent"
    assert base_unit("Milliseconds") == ("s", 0.001)
    assert base_unit("furlong") == ("furlong", 1.0)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (3221225472, "B", "3 GiB"),
        (211812352, "B/s", "202 MiB/s"),
        (0.0123, "s", "12.3 ms"),
        (34.12, "s", "34.1 s"),
        (19.4, "%", "19.4%"),
        (4998.0, "Count", "4998"),
        (25440, "/s", "25440/s"),
        (9.9, "AAS", "9.9 AAS"),
        (0, "s", "0 s"),
    ],
)
def test_quantities_read_as_people_write_them(value: float, unit: str, text: str) -> None:
    """Three digits say enough."""
    assert quantity(value, unit) == text
