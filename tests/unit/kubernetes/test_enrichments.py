"""Events that an alerting tool attached to its finding."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from faultmaven_core.analysis.model import Entity, Extraction

Read = Callable[[str], Extraction]

MESSAGE = "0/3 nodes are available: 3 Insufficient memory."


def finding(data: str, **more: Any) -> str:
    subject = {"subject_type": "deployment", "subject_name": "web", "subject_namespace": "shop"}
    return json.dumps({"title": "Replicas mismatch", **subject, **more, "evidence": [{"data": data}]}, indent=1)


def table(title: str) -> str:
    rows = [["FailedScheduling", "Warning", 1772445600000.5, MESSAGE], ["short"]]
    headers = ["reason", "type", "time", "message"]
    return json.dumps(
        [{"type": "markdown", "data": title}, {"type": "table", "data": {"headers": headers, "rows": rows}}]
    )


@pytest.mark.parametrize("fold", [str, lambda text: json.dumps(text)[1:-1]])
def test_attached_events_are_facts_of_the_object_they_name(read: Read, fold: Callable[[str], str]) -> None:
    """Some exports escape the inner JSON twice."""
    extraction = read(finding(fold(table("**Pod events for web-0:**"))))
    events = [fact for fact in extraction.facts if fact.attribute == "event.FailedScheduling"]
    assert [(fact.entity, fact.value, fact.when) for fact in events] == [
        (Entity("pod", "web-0", "shop"), MESSAGE, 1772445600.0005)
    ]


def test_without_a_name_they_are_about_the_subject(read: Read) -> None:
    """The title says only that events are related."""
    extraction = read(finding(table("**Related Events**")))
    assert {fact.entity for fact in extraction.facts if fact.attribute.startswith("event.")} == {
        Entity("deployment", "web", "shop")
    }


@pytest.mark.parametrize("data", ["", "[{oops", "plain text", '[{"type": "table"}]', '"x"'])
def test_other_attachments_are_left_alone(read: Read, data: str) -> None:
    """Anything can stand in an attachment."""
    assert not [fact for fact in read(finding(data)).facts if fact.attribute.startswith("event.")]
