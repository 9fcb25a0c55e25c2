"""Any other JSON: lists of log records and events, logs inside strings, and what else a document states."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from faultmaven_core.analysis.extract.metrics_labels import entities_of, relations_of
from faultmaven_core.analysis.extract.metrics_time import TIME_NAMES, moment
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.severity import severity
from faultmaven_core.analysis.extract.stack_traces import add_exceptions
from faultmaven_core.analysis.extract.timestamps import first_timestamp
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity, Mode, Span
from faultmaven_core.ports.structured_text import Node

MAX_GROUPS = 2_000
"""Different messages kept of one document; the rest is counted."""

MAX_LEAVES = 5_000
"""Scalars that become facts `data.<path>`; a document with more is data, not a statement."""

_MESSAGE = ("message", "msg", "log", "text", "body", "Message", "description", "content", "event_message", "summary")
_LEVEL = ("status", "level", "severity", "levelname", "log_level", "loglevel", "Level", "severity_text", "priority")
_TYPE = (
    "event_categories",
    "categories",
    "category",
    "event_type",
    "eventType",
    "eventName",
    "type",
    "action",
    "reason",
)
_TEXT_LOGS = ("logs", "log", "output", "stdout", "stderr", "content", "text")
_LEVEL_WORD = re.compile(r"\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL|PANIC)\b")
_LOUD = frozenset(("log.warning", "log.error", "log.critical"))
_VALUES = re.compile(r"\d+")


@dataclass
class _Group:
    """Records that differ in numbers only. `above` is the service or workload of the entity, where the record names it."""

    entity: Entity
    above: Entity
    attribute: str
    message: str
    when: float | None
    span: Span
    mode: Mode
    params: tuple[tuple[str, str], ...]
    count: int = 1


@dataclass
class _Collected:
    """What a document says, before it becomes facts."""

    groups: dict[tuple[Entity, str, str], _Group] = field(default_factory=dict)
    relations: dict[tuple[str, Entity, Entity], Span] = field(default_factory=dict)
    leaves: int = 0
    dropped: int = 0

    def add(self, group: _Group) -> None:
        key = (group.entity, group.attribute, _VALUES.sub("0", group.message))
        known = self.groups.get(key)
        if known:
            known.count += 1
        elif len(self.groups) < MAX_GROUPS:
            self.groups[key] = group
        else:
            self.dropped += 1

    def finish(self, out: Findings) -> None:
        """Facts and relations. What several replicas complain of is their service's trouble, not one replica's."""
        loud: dict[Entity, set[Entity]] = defaultdict(set)
        for group in self.groups.values():
            if group.attribute in _LOUD:
                loud[group.above].add(group.entity)
        for g in self.groups.values():
            shared = g.attribute in _LOUD and len(loud[g.above]) > 1
            entity = g.above if shared else g.entity
            out.fact(entity, g.attribute, g.message, g.span, g.mode, when=g.when, count=g.count, params=g.params)
        for (kind, a, b), span in self.relations.items():
            out.relation(kind, a, b, span)
        if self.leaves > MAX_LEAVES:
            out.problems.append(f"{out.origin.name}: of {self.leaves} values only the first {MAX_LEAVES} were read.")
        if self.dropped:
            out.problems.append(
                f"{out.origin.name}: {self.dropped} records beyond {MAX_GROUPS} different ones were left out."
            )


def records(node: Node, passage: Passage, out: Findings) -> bool:
    """Everything that a document of unknown shape says."""
    found = _Collected()
    for path, part, context in _walk(node, "", {}):
        named = list(entities_of(context)) or [out.origin]
        if isinstance(part.value, Mapping):
            for relation in relations_of(named):
                found.relations.setdefault(relation, passage.span(part.first, part.last))
            _record(part, named, passage, found)
        elif isinstance(part.value, str) and "\n" in part.value and path.rsplit(".", 1)[-1] in _TEXT_LOGS:
            _text(part, named, passage, found, out)
        elif isinstance(part.value, str | int | float) and part.value != "":
            found.leaves += 1
            if found.leaves <= MAX_LEAVES:
                span = passage.span(part.first, part.last)
                out.fact(named[0], f"data.{path}", part.value, span, Mode.STATUS)
    found.finish(out)
    return True


def _walk(node: Node, path: str, context: Mapping[str, str]) -> Iterator[tuple[str, Node, Mapping[str, str]]]:
    """Records (mappings with a message and a time or level) and all other scalars, with the labels that hold there."""
    if isinstance(node.value, Mapping):
        inner = {**context, **_scalars(node)}
        if _message(node) and (_when(node) is not None or _level(node)):
            yield path, node, inner
            return
        for key, child in node.value.items():
            yield from _walk(child, f"{path}.{key}" if path else key, inner)
    elif isinstance(node.value, tuple):
        for index, item in enumerate(node.value):
            key = item.text("name") or item.text("id") or str(index)
            yield from _walk(item, f"{path}.{key}" if path else key, context)
    else:
        yield path, node, context


def _scalars(node: Node) -> dict[str, str]:
    found = {key: str(child.value) for key, child in node.entries() if isinstance(child.value, str | int)}
    for key in ("tags", "labels", "attributes", "resource", "kubernetes"):
        found |= {name: str(child.value) for name, child in node.entries(key) if isinstance(child.value, str | int)}
        for item in node.items(key):
            name, colon, value = str(item.value).partition(":") if isinstance(item.value, str) else ("", "", "")
            if colon:
                found.setdefault(name, value)
    return found


def _message(node: Node) -> str:
    return next((text for key in _MESSAGE if (text := node.text(key).strip())), "")


def _when(node: Node) -> float | None:
    return next((m for key, child in node.entries() if key.lower() in TIME_NAMES and (m := moment(child.value))), None)


def _level(node: Node) -> str:
    return next((found for key in _LEVEL if (found := severity(node.text(key)))), "")


def _above(named: Sequence[Entity]) -> Entity:
    return next((other for kind, other, _ in relations_of(named) if kind in ("owns", "selects")), named[0])


def _record(node: Node, named: Sequence[Entity], passage: Passage, found: _Collected) -> None:
    """`log.<severity>` where the record states a level, else `event.<category>`."""
    message = " ".join(_message(node).split())
    level = _level(node)
    if level:
        attribute, mode = f"log.{level}", Mode.LOG
        params: tuple[tuple[str, str], ...] = (("message", message[:200]),)
    else:
        kinds = [kind for key in _TYPE for kind in _kinds(node, key)]
        attribute, mode = f"event.{kinds[0] if kinds else 'record'}", Mode.EVENT
        params = (
            (("categories", ", ".join(kinds)), ("message", message[:200])) if kinds else (("message", message[:200]),)
        )
    span = passage.span(node.first, node.last)
    found.add(_Group(named[0], _above(named), attribute, message, _when(node), span, mode, params))


def _kinds(node: Node, key: str) -> Iterator[str]:
    texts = [item.value for item in node.items(key)] or [node.text(key)]
    for text in texts:
        if isinstance(text, str) and (name := re.sub(r"\W+", "_", text).strip("_")):
            yield name


def _text(node: Node, named: Sequence[Entity], passage: Passage, found: _Collected, out: Findings) -> None:
    """Lines inside one string: all stand on the line of the string."""
    span = passage.span(node.first, node.last)
    lines = str(node.value).split("\n")
    for line in lines:
        if not line.strip():
            continue
        stamp = first_timestamp(line)
        word = _LEVEL_WORD.search(line[:120])
        attribute = f"log.{(severity(word[1]) if word else '') or 'unknown'}"
        when = stamp.when if stamp else None
        said = line.strip()
        params = (("message", said[:200]),)
        found.add(_Group(named[0], _above(named), attribute, said, when, span, Mode.LOG, params))
    add_exceptions(lines, lambda _first, _end: span, named[0], out)
