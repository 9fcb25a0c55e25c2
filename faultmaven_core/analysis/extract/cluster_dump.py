"""`kubectl cluster-info dump`: API lists as JSON one after another, and container logs between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from faultmaven_core.analysis.extract.json_text import parse_json
from faultmaven_core.analysis.extract.kubernetes_manifest import objects
from faultmaven_core.analysis.extract.log import log
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity
from faultmaven_core.shared.errors import InvalidInputError

_LOG_STARTS = re.compile(r"==== START logs for container (\S+) of pod (\S+)/(\S+) ====")
_LOG_ENDS = re.compile(r"==== END logs for container \S+ of pod \S+ ====")


def cluster_dump(passage: Passage, out: Findings) -> None:
    """Objects of every list; every log line belongs to the pod that wrote it."""
    for first, end, owner in _sections(passage.lines):
        part = passage.part(first, end)
        if owner is None:
            try:
                objects(parse_json(part.text), part, out)
            except InvalidInputError as error:
                out.problems.append(f"The JSON document that begins on line {part.first + 1} is left out: {error}")
            continue
        inner = Findings(out.tools, owner, problems=out.problems)
        log(part, inner)
        out.facts.extend(inner.facts)
        out.relations.extend(inner.relations)
        out.series.extend(inner.series)


def _sections(lines: Sequence[str]) -> Iterator[tuple[int, int, Entity | None]]:
    """(first line, end, the pod whose log it is or None for JSON), in order."""
    start = 0
    owner: Entity | None = None
    for index, line in enumerate(lines):
        match = _LOG_STARTS.match(line) if owner is None else None
        if match is not None:
            owner, start = Entity("pod", match[3], match[2]), index + 1
        elif owner is not None and _LOG_ENDS.match(line):
            yield start, index, owner
            owner, start = None, index + 1
        elif owner is None and line == "{":
            start = index
        elif owner is None and line == "}":
            yield start, index + 1, None
            start = index + 1
    if owner is not None:
        yield start, len(lines), owner
