"""YAML by PyYAML's C parser, event by event: no tag constructs an object, no nesting overruns the stack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import yaml

from faultmaven_core.ports.structured_text import Node, StructuredText
from faultmaven_core.shared.errors import InvalidInputError

MAX_NODES = 500_000
"""A tree larger than this is refused: aliases can grow a kilobyte of YAML to billions of nodes."""

MAX_DEPTH = 100

_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z")
_WORDS = dict.fromkeys(("null", "Null", "NULL", "~", "")) | {
    word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}
# What YAML refuses, and what it takes for a line end where nobody else does: both would cost a document its lines.
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]|\ufeff(?!\A)")


class PyYamlStructuredText(StructuredText):
    """See the port. Scalars are read by YAML 1.2's core schema, not by 1.1's, where `no` is false."""

    def parse(self, text: str) -> Sequence[Node]:
        try:
            return list(_Builder().documents(_UNFIT.sub("\ufffd", text.removeprefix("\ufeff"))))
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise InvalidInputError(f"Not YAML: {error.problem} on line {line}.") from error
        except yaml.YAMLError as error:
            raise InvalidInputError(f"Not YAML: {error}.") from error


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet; in a mapping, `key` waits for its value."""

    event: yaml.CollectionStartEvent
    entries: dict[str, Node] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    key: Node | None = None

    @property
    def mapping(self) -> bool:
        return isinstance(self.event, yaml.MappingStartEvent)

    def add(self, node: Node) -> None:
        if not self.mapping:
            self.items.append(node)
        elif self.key is None:
            self.key = node
        else:
            name = self.key.value if isinstance(self.key.value, str) else str(self.key.first)
            first = self.key.first
            self.entries[name] = Node(node.value, first, max(node.last, first))
            self.key = None

    def node(self, end: yaml.CollectionEndEvent) -> Node:
        first = _mark(self.event.start_mark).line
        children = self.entries.values() if self.mapping else self.items
        # A block collection ends where the next token begins; what it covers ends with its last child.
        inside = max((child.last for child in children), default=first)
        last = _mark(end.end_mark).line if self.event.flow_style else inside
        return Node(self.entries if self.mapping else tuple(self.items), first, max(first, last))


class _Builder:
    """Builds documents from events, with a stack of its own."""

    def __init__(self) -> None:
        self._count = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}

    def documents(self, text: str) -> Iterator[Node]:
        root: Node | None = None
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentStartEvent):
                root, self._anchors = None, {}
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open.append(_Open(event))
                self._counted(1)
            elif isinstance(event, yaml.CollectionEndEvent | yaml.ScalarEvent | yaml.AliasEvent):
                root = self._placed(self._node(event))
            elif isinstance(event, yaml.DocumentEndEvent) and root is not None and root.value is not None:
                yield root

    def _node(self, event: yaml.CollectionEndEvent | yaml.ScalarEvent | yaml.AliasEvent) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(str(event.anchor), _mark(event.start_mark).line)
        if isinstance(event, yaml.ScalarEvent):
            self._counted(1)
            inside = self._open[-1] if self._open else None
            node, anchor = (
                _scalar(event, key=inside is not None and inside.mapping and inside.key is None),
                event.anchor,
            )
        else:
            opened = self._open.pop()
            node, anchor = opened.node(event), opened.event.anchor
        if anchor:
            self._anchors[str(anchor)] = (node, *_extent(node))
        return node

    def _alias(self, anchor: str, line: int) -> Node:
        if anchor not in self._anchors:
            raise InvalidInputError(f"Not YAML: unknown alias on line {line + 1}.")
        node, size, depth = self._anchors[anchor]
        self._counted(size, depth)
        return Node(node.value, line, line)

    def _placed(self, node: Node) -> Node:
        if self._open:
            self._open[-1].add(node)
        return node

    def _counted(self, nodes: int, depth: int = 0) -> None:
        self._count += nodes
        if self._count > MAX_NODES or len(self._open) + depth > MAX_DEPTH:
            raise InvalidInputError(f"This YAML unfolds to over {MAX_NODES:,} nodes or {MAX_DEPTH} levels.")


def _extent(node: Node) -> tuple[int, int]:
    """Nodes and levels of a tree; trees are bounded, so the recursion is too."""
    children = node.value if isinstance(node.value, tuple) else [child for _, child in node.entries()]
    extents = [_extent(child) for child in children]
    return 1 + sum(size for size, _ in extents), 1 + max((depth for _, depth in extents), default=0)


def _mark(mark: object) -> yaml.Mark:
    return cast(yaml.Mark, mark)  # the C parser always sets marks; the stubs allow for none


def _scalar(event: yaml.ScalarEvent, *, key: bool) -> Node:
    first, end = _mark(event.start_mark).line, _mark(event.end_mark)
    last = end.line - 1 if end.column == 0 and end.line > first else end.line
    plain = not event.style and not key  # quoted and block scalars are text, whatever they look like
    return Node(_typed(event.value) if plain else event.value, first, last)


def _typed(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text) and len(text) <= 18:
        return int(text)
    return float(text) if _FLOAT.match(text) and len(text) <= 300 else text
