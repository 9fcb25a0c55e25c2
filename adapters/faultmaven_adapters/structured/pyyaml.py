"""YAML by PyYAML's C parser, composed to nodes so that lines are kept; no tag can construct an object."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from faultmaven_core.ports.structured_text import Node, StructuredText
from faultmaven_core.shared.errors import InvalidInputError

MAX_NODES = 500_000
"""A tree larger than this is refused: aliases can grow a kilobyte of YAML to billions of nodes."""

MAX_DEPTH = 100

_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    "null": None,
    "Null": None,
    "NULL": None,
    "~": None,
    "": None,
}


class PyYamlStructuredText(StructuredText):
    """See the port. Scalars are read by YAML 1.2's core schema, not by 1.1's, where `no` is false."""

    def parse(self, text: str) -> Sequence[Node]:
        try:
            documents = list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise InvalidInputError(f"Not YAML: {error.problem} on line {line}.") from error
        except (yaml.YAMLError, RecursionError) as error:
            raise InvalidInputError(f"Not YAML: {error}.") from error
        builder = _Builder()
        return [builder.build(document, 0) for document in documents if document is not None]


class _Builder:
    def __init__(self) -> None:
        self._count = 0

    def build(self, node: yaml.Node, depth: int) -> Node:
        self._count += 1
        if self._count > MAX_NODES or depth > MAX_DEPTH:
            raise InvalidInputError(f"This YAML unfolds to over {MAX_NODES} nodes or {MAX_DEPTH} levels.")
        first = node.start_mark.line
        end = node.end_mark
        last = end.line - 1 if end.column == 0 and end.line > first else end.line
        if isinstance(node, yaml.ScalarNode):
            return Node(_scalar(node), first, last)
        if isinstance(node, yaml.MappingNode):
            entries = {}
            for key, value in node.value:
                built = self.build(value, depth + 1)
                name = key.value if isinstance(key, yaml.ScalarNode) else str(key.start_mark.line)
                entries[name] = Node(built.value, key.start_mark.line, max(built.last, key.start_mark.line))
            return Node(entries, first, last)
        return Node(tuple(self.build(item, depth + 1) for item in node.value), first, last)


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool | None:
    text: str = node.value
    if node.style:  # quoted or block: text, whatever it looks like (plain is '' in the C parser, None in the other)
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text) and len(text) <= 18:
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text
