"""Manifests and API answers: YAML streams and JSON, single objects, lists, and what a dump has between its documents."""

from __future__ import annotations

from faultmaven_core.analysis.extract.kubernetes import read_objects
from faultmaven_core.analysis.extract.kubernetes_vendor import vendor_objects
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.ports.structured_text import Node
from faultmaven_core.shared.errors import InvalidInputError


def manifest(passage: Passage, out: Findings) -> None:
    """The objects of a YAML stream; a document that is broken costs that document, and a sentence says so."""
    first = 0
    bounds = [index for index, line in enumerate(passage.lines) if line.rstrip() == "---"]
    for end in (*bounds, len(passage.lines)):
        part = passage.part(first, end)
        first = end + 1
        if any(line.strip() for line in part.lines):
            _document(part, out)


def _document(part: Passage, out: Findings) -> None:
    try:
        documents = out.tools.structured.parse(part.text)
    except InvalidInputError as error:
        out.problems.append(f"The manifest that begins on line {part.first + 1} is left out: {error}")
        return
    for document in documents:
        objects(document, part, out)


def objects(document: Node, part: Passage, out: Findings) -> bool:
    """Read a document that is an object, a list, a plain sequence of objects, or a vendor's rendering of some.

    False, and nothing added, where it is none of them.
    """
    if document.text("kind").endswith("List") and document.get("items") is not None:
        read_objects(document, part, out)
        return True
    if document.get("metadata") is not None or isinstance(document.value, tuple):
        items = document.value if isinstance(document.value, tuple) else (document,)
        return bool([entity for item in items for entity in read_objects(item, part, out)])
    return vendor_objects(document, part, out)
