"""Settings in YAML, INI and environment form, as facts of the file that holds them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from faultmaven_core.analysis.extract.json_documents import READERS
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Mode, Scalar
from faultmaven_core.ports.structured_text import Node
from faultmaven_core.shared.errors import InvalidInputError

MAX_SETTINGS = 5_000
"""Settings taken from one file; the rest is said to be left out."""

_SECTION = re.compile(r"\s*\[{1,2}\s*(?P<name>[^\]]+?)\s*\]{1,2}\s*")
_PAIR = re.compile(r"\s*(?:export\s+)?(?P<key>[A-Za-z_][\w.-]*)\s*=\s*(?P<value>.*?)\s*")


def read_settings(passage: Passage, out: Findings) -> None:
    """A fact `config.<path>` per value."""
    found = list(_pairs(passage)) or list(_yaml(passage, out))
    for path, value, first, last in found[:MAX_SETTINGS]:
        out.fact(out.origin, f"config.{path}", value, passage.span(first, last), Mode.SPEC)
    if len(found) > MAX_SETTINGS:
        out.problems.append(
            f"{out.origin.name} holds {len(found):,} settings; only the first {MAX_SETTINGS:,} were read. Split the file."
        )


def _pairs(passage: Passage) -> Iterator[tuple[str, Scalar, int, int]]:
    section = ""
    for index, line in enumerate(passage.lines):
        if match := _SECTION.fullmatch(line):
            section = f"{match['name']}."
        elif match := _PAIR.fullmatch(line):
            yield f"{section}{match['key']}", match["value"].strip("\"'"), index, index


def _yaml(passage: Passage, out: Findings) -> Iterator[tuple[str, Scalar, int, int]]:
    try:
        documents = out.tools.structured.parse(passage.text)
    except InvalidInputError as error:
        out.problems.append(f"{out.origin.name}: {error} Its settings are left out.")
        return
    for document in documents:
        # YAML that has the shape of a known JSON document (an alert, an API's answer) is one, whatever the notation.
        if not any(reader(document, passage, out) for reader in READERS):
            yield from _leaves(document, "")


def _leaves(node: Node, path: str) -> Iterator[tuple[str, Scalar, int, int]]:
    if isinstance(node.value, Mapping):
        for key, child in node.value.items():
            yield from _leaves(child, f"{path}.{key}" if path else key)
    elif isinstance(node.value, tuple):
        for index, item in enumerate(node.value):
            yield from _leaves(item, f"{path}.{item.text('name') or index}" if path else str(index))
    elif path:
        yield path, node.value, node.first, node.last
