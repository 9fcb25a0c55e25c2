"""Measurements as JSON and text exposition: Prometheus, CloudWatch, and others of the same build."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from faultmaven_core.analysis.extract import metrics_series
from faultmaven_core.analysis.extract.tools import Findings

Read = Callable[[str], Findings]


def test_a_range_query_has_a_series_per_result_with_the_pod_it_belongs_to(read: Read) -> None:
    """Values are strings, NaN is no value."""
    answer = {
        "status": "success",
        "data": {
            "resultType": "matrix",
            "result": [
                {
                    "metric": {"__name__": "up", "pod": "web-0", "namespace": "shop", "job": "web", "zone": "a"},
                    "values": [[1700000000, "1"], [1700000015.5, "NaN"], [1700000030, "0"]],
                }
            ],
        },
    }
    out = read(json.dumps(answer, indent=1))
    (one,) = out.series
    assert (str(one.entity), one.metric, one.labels) == ("pod shop/web-0", "up", (("zone", "a"),))
    assert list(one.times.view()) == [1700000000.0, 1700000030.0]
    assert list(one.values.view()) == [1.0, 0.0]


def test_an_instant_query_has_one_point(read: Read) -> None:
    """A vector, with the data alone."""
    answer = {"resultType": "vector", "result": [{"metric": {"instance": "10.0.0.7:9100"}, "value": [1700000000, "3"]}]}
    out = read(json.dumps(answer))
    assert [(str(s.entity), s.metric) for s in out.series] == [("host 10.0.0.7", "value")]


def test_cloudwatch_arrays_give_each_value_its_own_lines(read: Read) -> None:
    """Times and values stand in two lists; a point cites both of its lines."""
    answer = {
        "MetricDataResults": [
            {
                "Id": "m1",
                "Label": "CPUUtilization",
                "Timestamps": ["2026-01-01T00:01:00Z", "2026-01-01T00:00:00Z"],
                "Values": [7.5, 5.0],
            }
        ]
    }
    text = json.dumps(answer, indent=1)
    out = read(text)
    (one,) = out.series
    assert (one.metric, list(one.values.view())) == ("CPUUtilization", [5.0, 7.5])
    span = one.places.span(1)
    lines = text.splitlines()[span.first_line - 1 : span.last_line]
    assert "00:01:00" in lines[0]
    assert "7.5" in lines[-1]


def test_dimensions_say_whose_it_is_and_a_replica_is_known_by_its_name(read: Read) -> None:
    """Statistics are labels, units are kept."""

    def result(name: str) -> dict[str, object]:
        return {
            "metric_name": "ReplicaLag",
            "dimensions": [{"Name": "DBInstanceIdentifier", "Value": name}],
            "stat": "Average",
            "unit": "Seconds",
            "timestamps": ["2026-01-01T00:00:00Z"],
            "values": [1],
        }

    out = read(json.dumps({"metric_data_results": [result("orders"), result("orders-replica-1")]}))
    assert {str(s.entity) for s in out.series} == {"database orders", "database orders-replica-1"}
    assert out.series[0].labels == (("statistic", "Average"),)
    (relation,) = out.relations
    assert (relation.kind, relation.a.name, relation.b.name) == ("replicates", "orders-replica-1", "orders")


def test_lists_of_points_are_series_too(read: Read) -> None:
    """Datadog's pairs in milliseconds, Graphite's in reverse order, statistics as objects."""
    series = {
        "series": [
            {"metric": "system.load.1", "scope": "host:a", "pointlist": [[1700000000000, 1.5], [1700000060000, 2.5]]},
            {"target": "x", "name": "queue", "datapoints": [[7.0, 1700000000], [8.0, 1700000060]]},
            {
                "Label": "Latency",
                "Datapoints": [{"Timestamp": "2026-01-01T00:00:00Z", "Average": 3.0, "Unit": "Seconds"}],
            },
        ]
    }
    out = read(json.dumps(series))
    assert [(s.metric, list(s.values.view()), s.unit) for s in out.series] == [
        ("system.load.1", [1.5, 2.5], ""),
        ("queue", [7.0, 8.0], ""),
        ("Latency", [3.0], "Seconds"),
    ]


def test_exposition_text_without_times_states_values_with_times_makes_series(read: Read) -> None:
    """Labels may hold anything; buckets are left out; what is no number is not read."""
    out = read(
        "# HELP up Whether it is.\n# TYPE up gauge\n"
        'up{pod="web-0",path="a \\"b\\" }"} 1\n'
        'lag{topic="orders"} 5 1700000000000\nlag{topic="orders"} 9 1700000060000\n'
        'h_bucket{le="1"} 3\nbad{pod="x"} NaN\n'
    )
    assert [(str(f.entity), f.attribute, f.value) for f in out.facts] == [("pod web-0", "metric.up", 1.0)]
    assert dict(out.facts[0].params)["path"] == 'a "b" }'
    (one,) = out.series
    assert (str(one.entity), list(one.values.view())) == ("queue orders", [5.0, 9.0])


def test_series_deep_in_a_document_are_found_with_the_labels_on_the_way(read: Read) -> None:
    """Tags as strings, names from the key that holds the series; a point that is none is passed over."""
    document = {
        "host": "db-1",
        "report": {
            "queue_depth": {
                "tags": ["kube_namespace:shop", "pod_name:web-0"],
                "points": [["x", 1], [1700000000, 5], [1, 2, 3], 7],
            }
        },
    }
    out = read(json.dumps(document))
    assert [(str(s.entity), s.metric, list(s.values.view())) for s in out.series] == [
        ("pod shop/web-0", "queue_depth", [5.0])
    ]


def test_numbers_without_times_are_no_series(read: Read) -> None:
    """They are facts like any other."""
    out = read(json.dumps({"times": ["soon", "later"], "values": [1, 2], "points": [{"value": 3}]}))
    assert not out.series
    assert len(out.facts) == 5


def test_json_series_too_large_to_keep_are_thinned_and_that_is_said(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for tables."""
    monkeypatch.setattr(metrics_series, "MAX_CELLS", 300)
    values = [[1_700_000_000 + n, str(n)] for n in range(400)]
    answer = {"data": {"resultType": "matrix", "result": [{"metric": {"__name__": "up"}, "values": values}]}}
    plain = {"metric": "up", "points": [[1_700_000_000 + n, n] for n in range(400)]}
    for document in (answer, plain):
        out = read(json.dumps(document))
        assert 0 < len(out.series[0].times) < 100
        assert "was kept" in out.problems[0]
