"""The text of `kubectl describe` as nested fields, each with the lines it covers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from faultmaven_core.analysis.extract.kubectl_table import Header
from faultmaven_core.ports.structured_text import Node

_KEY = re.compile(r"(?P<indent> *)(?P<key>[^\s:][^:]*?):(?:\s+(?P<value>\S.*))?\Z")

# What stands under these keys is text, however much a line of it may look like another key.
_VERBATIM = frozenset(
    {
        "Annotations",
        "Args",
        "Command",
        "Conditions",
        "Events",
        "Labels",
        "Metrics",
        "Mounts",
        "Node-Selectors",
        "Rules",
        "Selector",
        "Taints",
        "Tolerations",
        "Topology Spread Constraints",
    }
)


@dataclass(slots=True)
class Field:
    """A key with its value, the fields below it, and (for keys whose content is text) the lines below it."""

    key: str
    value: str
    first: int
    last: int
    children: dict[str, Field] = field(default_factory=dict)
    lines: list[tuple[int, str]] = field(default_factory=list)

    def get(self, *path: str) -> Field | None:
        """The field at the end of a path of keys."""
        found: Field | None = self
        for key in path:
            found = found.children.get(key) if found is not None else None
        return found

    def text(self, *path: str) -> str:
        """The value at the end of a path; empty where there is none or kubectl printed `<none>` or `<unset>`."""
        found = self.get(*path)
        value = found.value if found is not None else ""
        return "" if value in ("<none>", "<unset>", "<nil>", "<unknown>") else value

    def all_lines(self) -> Iterator[tuple[int, str]]:
        """The value and the lines below it, without the empty ones."""
        if self.value and self.value != "<none>":
            yield self.first, self.value
        yield from ((index, text.strip()) for index, text in self.lines if text.strip())

    def table(self) -> Iterator[tuple[int, dict[str, str]]]:
        """The rows of a table that stands below the key."""
        rows = [(index, text) for index, text in self.lines if text.strip() and not set(text) <= {" ", "-"}]
        if rows:
            header = Header.of(rows[0][1])
            for index, text in rows[1:]:
                cells = header.row(text)
                if cells is not None:
                    yield index, dict(cells)


def fields(lines: Sequence[str], first: int) -> Field:
    """The fields of one described object, whose first line has the index `first`."""
    root = Field("", "", first, first + len(lines) - 1)
    stack: list[tuple[int, Field]] = [(-1, root)]
    for index, line in enumerate(lines, first):
        indent = len(line) - len(line.lstrip())
        below, owner = stack[-1]
        if owner.key in _VERBATIM and (indent > below or not line.strip()):
            owner.lines.append((index, line))
            _stretch(stack, index if line.strip() else owner.last)
            continue
        match = _KEY.match(line.rstrip())
        if match is None:
            continue
        while stack[-1][0] >= indent:
            stack.pop()
        parent = stack[-1][1]
        child = Field(match["key"], (match["value"] or "").strip(), index, index)
        parent.children[_free(child.key, parent)] = child
        stack.append((indent, child))
        _stretch(stack, index)
    return root


def _free(key: str, parent: Field) -> str:
    """The key, or with the next number where it repeats: the second `Port` of a service is `Port 2`."""
    if key not in parent.children:
        return key
    return next(name for number in count(2) if (name := f"{key} {number}") not in parent.children)


def _stretch(stack: Sequence[tuple[int, Field]], index: int) -> None:
    for _, open_field in stack[1:]:
        open_field.last = max(open_field.last, index)


def leaf(value: str | int | bool, at: Field) -> Node:
    """A scalar that stands where a field stands."""
    return Node(value, at.first, at.last)


def typed(text: str) -> str | int | bool:
    """True, False and whole numbers as such, everything else as it is printed."""
    if text in ("True", "False", "true", "false"):
        return text.lower() == "true"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text


def tree(parts: dict[str, Node], at: Field) -> Node:
    """A mapping that covers a field's lines."""
    return Node(parts, at.first, at.last)


def pairs(found: Field | None, separator: str = "=") -> Node | None:
    """A mapping from lines of `key=value`; None where there are none."""
    if found is None:
        return None
    entries = {}
    for index, text in found.all_lines():
        for part in text.split(",") if separator == "=" and " " not in text else (text,):
            key, mark, value = part.partition(separator)
            if mark:
                entries[key.strip()] = Node(value.strip(), index, index)
    return Node(entries, found.first, found.last) if entries else None


def conditions(found: Field | None) -> Node | None:
    """The Conditions table as the API's list."""
    if found is None:
        return None
    names = {"Type": "type", "Status": "status", "Reason": "reason", "Message": "message"}
    items = tuple(
        Node({names[key]: Node(cell, index, index) for key, cell in row.items() if key in names and cell}, index, index)
        for index, row in found.table()
    )
    return Node(items, found.first, found.last) if items else None
