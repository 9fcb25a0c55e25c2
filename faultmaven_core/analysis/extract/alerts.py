"""Alerts and monitors: Alertmanager, Grafana, PagerDuty, Datadog, CloudWatch alarms, and JSON that looks like them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from faultmaven_core.analysis.extract.metrics_labels import entities_of
from faultmaven_core.analysis.extract.metrics_time import moment
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity, Mode
from faultmaven_core.ports.structured_text import Node

FIRING = frozenset(
    (
        "firing",
        "alerting",
        "alert",
        "alarm",
        "triggered",
        "acknowledged",
        "open",
        "critical",
        "error",
        "warn",
        "warning",
        "active",
        "pending",
        "suppressed",
    )
)
RESOLVED = frozenset(("resolved", "recovered", "closed", "inactive"))
OK = frozenset(("ok", "normal", "green", "healthy"))

_LISTS = ("alerts", "monitors", "MetricAlarms", "incidents", "messages")
_STATE = ("state", "status", "overall_state", "StateValue", "event_state", "alert_status")
_NAME = ("alertname", "AlarmName", "name", "title", "rule_name", "ruleName", "summary")
_LABELS = ("labels", "commonLabels", "groupLabels", "tags", "details", "custom_details")
_TEXTS = ("commonAnnotations", "annotations")
_SUMMARY = ("summary", "description", "message", "body", "StateReason", "AlarmDescription", "title", "error")
_STARTED = (
    "startsAt",
    "activeAt",
    "triggered_at",
    "created_at",
    "StateUpdatedTimestamp",
    "overall_state_modified",
    "timestamp",
    "date",
    "fired_at",
    "starts_at",
)
_QUERY_TAG = re.compile(r"\b([a-z_]{3,40})[:=]\"?([\w./-]{2,200})")
_ALERT_KEYS = frozenset(
    (
        "annotations",
        "commonLabels",
        "commonAnnotations",
        "alertname",
        "AlarmName",
        "overall_state",
        "startsAt",
        "activeAt",
        "alert_source",
        "alert_status",
        "urgency",
        "ruleName",
        "rule_name",
        "evalMatches",
        "monitor_id",
    )
)
"""Keys that alerts have and log records have not: `severity`, `labels` and `status` stand in both."""


@dataclass(frozen=True, slots=True)
class _Alert:
    node: Node
    labels: Mapping[str, str]
    texts: Mapping[str, str]

    def first(self, *keys: str) -> str:
        """The first of the keys that has text, in annotations, labels, then the alert itself."""
        for key in keys:
            for place in (self.texts, self.labels):
                if place.get(key):
                    return place[key]
            if text := self.node.text(key):
                return text
        return ""


def alerts(node: Node, passage: Passage, out: Findings) -> bool:
    """One alert, or a list of alerts or monitors, at the top of a document or under `data`, `incident`, `event`."""
    found = [alert for part in _parts(node) if (alert := _alert(part, node)) is not None]
    for alert in found:
        _facts(alert, passage, out)
    return bool(found)


def _parts(node: Node) -> Sequence[Node]:
    for holder in (node, node.get("data"), node.get("event", "data"), node.get("payload")):
        if holder is None:
            continue
        if isinstance(holder.value, tuple) and holder.value and all(_is_alert(item) for item in holder.value):
            return holder.value
        for key in _LISTS:
            if (items := holder.items(key)) and all(_is_alert(item) for item in items):
                return items
    inner = node.get("incident") or node.get("event", "data") or node.get("payload") or node
    return [inner] if _is_alert(inner) else []


def _is_alert(node: Node) -> bool:
    """A state that alerts have, beside something else that only alerts have; or labels, beside what explains them."""
    keys = {key for key, _ in node.entries()}
    if node.text("labels", "alertname") or node.text("commonLabels", "alertname") or keys >= {"labels", "annotations"}:
        return True
    state = _state(node)
    return bool(keys & _ALERT_KEYS and state) or ("title" in keys and state not in ("", "unknown"))


def _state(node: Node) -> str:
    for key in _STATE:
        text = (node.text(key) or node.text(key, "state")).lower()
        if text in FIRING:
            return "firing"
        if text in RESOLVED:
            return "resolved"
        if text in OK:
            return "ok"
    return "unknown" if any(node.text(key) for key in _STATE) else ""


def _alert(part: Node, whole: Node) -> _Alert | None:
    labels: dict[str, str] = {}
    texts: dict[str, str] = {}
    for holder in (whole, part):
        for key in _LABELS:
            labels |= dict(_pairs(holder.get(key)))
        for key in _TEXTS:
            texts |= dict(_pairs(holder.get(key)))
    for dimension in part.items("Dimensions"):
        labels[dimension.text("Name")] = dimension.text("Value")
    if service := part.text("service", "summary") or part.text("service", "name"):
        labels.setdefault("service", service)
    return _Alert(part, labels, texts)


def _pairs(node: Node | None) -> Iterator[tuple[str, str]]:
    """Entries of a mapping, or `key:value` strings of a list."""
    if node is None:
        return
    for key, child in node.entries():
        if not isinstance(child.value, Mapping | tuple) and child.value is not None:
            yield key, str(child.value)
    for item in node.items():
        key, colon, value = str(item.value).partition(":") if isinstance(item.value, str) else ("", "", "")
        if colon:
            yield key, value


def _facts(alert: _Alert, passage: Passage, out: Findings) -> None:
    title = alert.first("title", "name", "AlarmName")
    name = alert.first(*_NAME)
    summary = " ".join(alert.first(*_SUMMARY).split()) or title or name
    state = _state(alert.node) or "firing"
    when = next((m for key in _STARTED if (m := moment(alert.node.text(key) or None)) is not None), None)
    span = passage.span(alert.node.first, alert.node.last)
    about = _about(alert, title, summary)
    params = {
        "state": state,
        "title": title,
        "alert": name,
        "severity": alert.first("severity", "priority", "urgency"),
        "value": alert.first("value", "current_value"),
        "query": alert.node.text("query"),
    }
    attribute = re.sub(r"\W+", "_", name).strip("_") or "unnamed"
    said = tuple(sorted((key, value) for key, value in params.items() if value))
    for entity in about[:1] or [out.origin]:
        out.fact(entity, f"alert.{attribute}", summary, span, Mode.STATUS, when=when, params=said)
        out.fact(entity, f"alert_state.{attribute}", state, span, Mode.STATUS, when=when, params=said)


def _about(alert: _Alert, title: str, summary: str) -> list[Entity]:
    """Whom it speaks of: the entity that its title names, else its summary, else the most specific of its labels."""
    labels = {**alert.texts, **alert.labels, **dict(_QUERY_TAG.findall(alert.node.text("query")))}
    known = list(entities_of(labels))
    for text in (title, summary):
        if named := [entity for entity in known if _stands(entity.name, text)]:
            # A pod's name begins with its workload's: the longest name that stands there is the one that is meant.
            return sorted(named, key=lambda entity: -len(entity.name))
    return known


def _stands(name: str, text: str) -> bool:
    """Whether a name stands in a text as a whole word, not as a part of another name."""
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text) is not None
