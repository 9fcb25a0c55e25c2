"""Events: what the cluster said about an object, from Event objects, `kubectl get events` and `kubectl describe`."""

from __future__ import annotations

import re

from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.graph.kubernetes_time import moment
from faultmaven_core.analysis.model import Entity, Fact, Mode, Span
from faultmaven_core.ports.structured_text import Node

_DESCRIBED = re.compile(
    r"\s+(?P<type>Normal|Warning)\s{2,}(?P<reason>\w+)\s{2,}(?P<age>\S.*?)\s{2,}(?P<source>\S.*?)\s{2,}(?P<message>\S.*)"
)
_REPEATED = re.compile(r"\(x(\d+) over")
_PULL = re.compile(r"pull(?:ing)? (?:and unpack )?image")
_UNSUITABLE = re.compile(r"[^\w-]")


def event(
    out: Findings,
    entity: Entity,
    reason: str,
    message: str,
    span: Span,
    *,
    level: str = "",
    when: float | None = None,
    count: int = 1,
    age: str = "",
) -> None:
    """A fact `event.<Reason>` with the message as its value, and the signatures that the message matches.

    `level` is Normal or Warning; `age` is how long ago it was seen, as printed, where no time stands.
    """
    attribute = f"event.{_UNSUITABLE.sub('_', reason) or 'Unknown'}"
    said = tuple((key, value) for key, value in (("age", age), ("reason", reason), ("type", level)) if value)
    text = " ".join(message.split())
    out.facts.append(Fact(entity, attribute, text, Mode.EVENT, (span,), when, count=max(1, count), params=said))
    area = _area(reason, text)
    matched = out.tools.signatures.facts(entity, text, span, Mode.EVENT, when=when, count=max(1, count))
    out.facts.extend(fact for fact in matched if fact.attribute.startswith(area))


def _area(reason: str, text: str) -> str:
    """The signatures that an event can match.

    A probe or pull that cannot connect is the kubelet's own connection, not one of the application.
    """
    if reason == "Unhealthy":
        return "signature.container."
    return "signature.image." if _PULL.search(text) else "signature."


def read_event(node: Node, passage: Passage, out: Findings) -> Entity | None:
    """An Event object (core/v1 or events.k8s.io/v1); the entity is the object that it is about."""
    about = node.get("involvedObject") or node.get("regarding")
    if about is None or not about.text("name"):
        return None
    kind = about.text("kind").lower()
    entity = Entity(kind, about.text("name"), "" if kind == "node" else about.text("namespace"))
    seen = [node.text(key) for key in ("lastTimestamp", "deprecatedLastTimestamp", "eventTime", "firstTimestamp")]
    times = node.text("series", "count") or node.text("count") or node.text("deprecatedCount")
    event(
        out,
        entity,
        node.text("reason"),
        node.text("message") or node.text("note"),
        passage.span(node.first, node.last),
        level=node.text("type"),
        when=next((found for text in seen if (found := moment(text)) is not None), None),
        count=int(times) if times.isdecimal() else 1,
    )
    return entity


def described_event(entity: Entity, line: str, span: Span, out: Findings) -> bool:
    """Whether a line of the Events table of `kubectl describe` could be read."""
    match = _DESCRIBED.match(line)
    if match is None:
        return False
    event(
        out,
        entity,
        match["reason"],
        match["message"].replace('\\"', '"'),
        span,
        level=match["type"],
        count=repeats(match["age"]),
        age=match["age"],
    )
    return True


def repeats(age: str) -> int:
    """How often an event was seen, from its printed age: `2m (x5 over 7m)` is 5."""
    found = _REPEATED.search(age)
    return int(found[1]) if found else 1
