"""Alerts and monitors of several products: what fires, what is well, and whom it is about."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Fact

Read = Callable[[str], Findings]

WEBHOOK = {
    "version": "4",
    "status": "firing",
    "commonLabels": {"namespace": "shop"},
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "PodCrashLooping", "pod": "web-0", "service": "web", "severity": "critical"},
            "annotations": {"summary": "Pod web-0 restarts."},
            "startsAt": "2026-01-01T00:00:00Z",
        },
        {"status": "resolved", "labels": {"alertname": "Slow", "service": "web"}, "annotations": {}},
    ],
}
GRAFANA = {"title": "[Alerting] cart", "state": "alerting", "commonLabels": {"alertname": "Errors", "service": "cart"}}
PAGERDUTY = {
    "incident": {
        "title": "checkout is down",
        "status": "triggered",
        "urgency": "high",
        "created_at": "2026-01-01T00:00:00Z",
        "service": {"summary": "checkout"},
    }
}
MONITORS = {
    "monitors": [
        {"name": "error rate", "overall_state": "OK", "query": "sum:errors{service:web} > 1", "tags": ["service:web"]},
        {
            "name": "restarts",
            "overall_state": "Alert",
            "query": "sum:restarts{kube_pod:web-7} > 3",
            "message": "too many",
        },
    ]
}
ALARM = {
    "MetricAlarms": [
        {
            "AlarmName": "orders cpu",
            "StateValue": "ALARM",
            "StateReason": "Threshold Crossed",
            "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "orders"}],
            "AlarmDescription": "CPU",
            "severity": "high",
        }
    ]
}


def states(out: Findings) -> list[tuple[str, str, object]]:
    return [(str(f.entity), f.attribute, f.value) for f in out.facts if f.attribute.startswith("alert_state.")]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            WEBHOOK,
            [
                ("pod shop/web-0", "alert_state.PodCrashLooping", "firing"),
                ("service shop/web", "alert_state.Slow", "resolved"),
            ],
        ),
        (GRAFANA, [("service cart", "alert_state.Errors", "firing")]),
        (PAGERDUTY, [("service checkout", "alert_state.checkout_is_down", "firing")]),
        (
            MONITORS,
            [("service web", "alert_state.error_rate", "ok"), ("pod web-7", "alert_state.restarts", "firing")],
        ),
        (ALARM, [("database orders", "alert_state.orders_cpu", "firing")]),
    ],
)
def test_alerts_of_each_product_have_a_state_and_somebody_they_are_about(
    read: Read, document: Mapping[str, object], expected: list[tuple[str, str, object]]
) -> None:
    """The most specific entity that is named, by its labels, dimensions, tags or query."""
    assert states(read(json.dumps(document, indent=1))) == expected


def test_an_alert_keeps_its_words_time_and_lines(read: Read) -> None:
    """The summary is the value; severity and title are parameters."""
    out = read(json.dumps(WEBHOOK, indent=1))
    fact: Fact = next(f for f in out.facts if f.attribute == "alert.PodCrashLooping")
    assert (fact.value, fact.when) == ("Pod web-0 restarts.", 1767225600.0)
    assert dict(fact.params)["severity"] == "critical"
    assert fact.spans[0].first_line == 8


def test_the_title_decides_whom_an_alert_is_about(read: Read) -> None:
    """Its labels may name the workload, the node and the cluster at once."""
    document = {
        "title": "Node ip-10-0-1-7.internal is not ready",
        "state": "alerting",
        "commonLabels": {"alertname": "NodeNotReady", "service": "web", "kube_node": "ip-10-0-1-7.internal"},
        "commonAnnotations": {"kube_deployment": "web", "summary": "pods of web are lost"},
    }
    assert [state[0] for state in states(read(json.dumps(document)))] == ["node ip-10-0-1-7.internal"]


def test_a_product_name_of_a_cloud_is_nobodys_service(read: Read) -> None:
    """`service: rds` says where the alert comes from; the instance is what it is about, not its cluster."""
    document = {
        "title": "[my-rds] connections of orders-1",
        "state": "alerting",
        "commonLabels": {"alertname": "Connections", "service": "rds"},
        "commonAnnotations": {"db_cluster": "orders-cluster", "db_instance_identifier": "orders-1"},
    }
    assert [state[0] for state in states(read(json.dumps(document)))] == ["database orders-1"]


def test_an_alert_that_names_nobody_belongs_to_its_file(read: Read) -> None:
    """Better somewhere than lost."""
    document = {"status": "firing", "labels": {"alertname": "Watchdog"}, "annotations": {"summary": "all alerts work"}}
    assert states(read(json.dumps(document))) == [("source file", "alert_state.Watchdog", "firing")]


@pytest.mark.parametrize(
    "document",
    [
        [{"timestamp": "2026-01-01T00:00:00Z", "severity": "ERROR", "labels": {"app": "web"}, "message": "cannot pay"}],
        {
            "logs": [
                {"timestamp": "2026-01-01T00:00:00Z", "status": "error", "severity": "high", "message": "cannot pay"}
            ]
        },
    ],
)
def test_log_records_with_labels_and_severity_are_no_alerts(read: Read, document: object) -> None:
    """Cloud logs look much like alerts; nobody was paged for them."""
    out = read(json.dumps(document))
    assert states(out) == []
    assert [f.attribute for f in out.facts] == ["log.error"]


def test_an_explained_set_of_labels_without_a_state_is_an_alert_that_fires(read: Read) -> None:
    """Alerting tools hand on findings that way; nobody sends one to say that all is well."""
    found = read(
        json.dumps(
            {"title": "SlowCheckout", "description": "takes 4 s", "labels": {"service": "web"}, "annotations": {}}
        )
    )
    alert = next(fact for fact in found.facts if fact.attribute.startswith("alert."))
    assert (alert.attribute, alert.value, dict(alert.params)["state"]) == ("alert.SlowCheckout", "takes 4 s", "firing")
