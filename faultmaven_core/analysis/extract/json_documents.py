"""One JSON document: parsed once, then offered to the readers of known shapes, the general one last."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from faultmaven_core.analysis.extract.json_text import parse_json
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Mode
from faultmaven_core.ports.structured_text import Node
from faultmaven_core.shared.errors import InvalidInputError

Reader = Callable[[Node, Passage, Findings], bool]
"""Reads a document of its shape and answers whether it was one; of any other it adds nothing."""

READERS: Sequence[Reader] = ()


def json_document(passage: Passage, out: Findings) -> None:
    """A source that is one JSON document. What cannot be parsed becomes a problem, and signatures still see its lines."""
    try:
        node = parse_json("\n".join(passage.lines))
    except InvalidInputError as error:
        out.problems.append(f"{out.origin.name}: {error} Its lines were read as plain text.")
        for index, line in enumerate(passage.lines):
            out.facts.extend(out.tools.signatures.facts(out.origin, line, passage.span(index), Mode.LOG))
        return
    any(reader(node, passage, out) for reader in READERS)
