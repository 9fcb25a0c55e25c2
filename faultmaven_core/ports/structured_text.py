"""Port for YAML: text to trees whose every node knows the lines it stands on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Node:
    """A mapping, a sequence or a scalar, with the first and last line (from 0, inclusive) that it covers."""

    value: Mapping[str, Node] | tuple[Node, ...] | str | int | float | bool | None
    first: int
    last: int

    def get(self, *path: str) -> Node | None:
        """The node at the end of a path of mapping keys, or None where the path breaks off."""
        node: Node | None = self
        for key in path:
            if node is None or not isinstance(node.value, Mapping):
                return None
            node = node.value.get(key)
        return node

    def text(self, *path: str) -> str:
        """The scalar at the end of a path as text; empty where there is none."""
        node = self.get(*path)
        if node is None or isinstance(node.value, Mapping | tuple) or node.value is None:
            return ""
        return str(node.value)

    def items(self, *path: str) -> Sequence[Node]:
        """The items of the sequence at the end of a path; none where there is no sequence."""
        node = self.get(*path)
        return node.value if node is not None and isinstance(node.value, tuple) else ()

    def entries(self, *path: str) -> Iterator[tuple[str, Node]]:
        """The entries of the mapping at the end of a path; none where there is no mapping."""
        node = self.get(*path)
        if node is not None and isinstance(node.value, Mapping):
            yield from node.value.items()


class StructuredText(Protocol):
    """Parses YAML streams. A compute port: synchronous and pure, called in extraction processes."""

    @abstractmethod
    def parse(self, text: str) -> Sequence[Node]:
        """The documents of a YAML stream, empty ones left out.

        Values stay what YAML 1.2's core schema says (`on`, `yes` and dates are text). Anchors and aliases are followed,
        the tree that results is bounded. Raises InvalidInputError that names the line where the text is not YAML.
        """
