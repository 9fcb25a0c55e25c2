"""Tables of Kubernetes events that alerting tools attach to a finding, as JSON inside a string."""

from __future__ import annotations

import re
from collections.abc import Iterator

from faultmaven_core.analysis.extract.json_text import parse_json
from faultmaven_core.analysis.extract.kubernetes_events import event
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity
from faultmaven_core.ports.structured_text import Node
from faultmaven_core.shared.errors import InvalidInputError

_TITLE = re.compile(r"(?P<kind>Pod|Node|Deployment|Job) events for (?P<name>[\w.-]+)", re.IGNORECASE)
_COLUMNS = ("reason", "type", "time", "message")


def attached_events(document: Node, passage: Passage, out: Findings) -> bool:
    """Add the events of a finding's `evidence`. Always False: the finding itself is an alert, for the next reader."""
    kind, name = document.text("subject_type").lower(), document.text("subject_name")
    if kind and name:
        subject = Entity(kind, name, "" if kind == "node" else document.text("subject_namespace"))
        for item in document.items("evidence"):
            for about, row in _rows(item.text("data"), subject):
                when = row["time"].value
                event(
                    out,
                    about,
                    str(row["reason"].value),
                    str(row["message"].value),
                    passage.span(item.first, item.last),
                    level=str(row["type"].value),
                    when=when / 1000 if isinstance(when, float) else None,  # milliseconds
                )
    return False


def _rows(text: str, subject: Entity) -> Iterator[tuple[Entity, dict[str, Node]]]:
    about = subject
    blocks = _unfolded(text)
    for block in blocks.value if blocks is not None and isinstance(blocks.value, tuple) else ():
        title = _TITLE.search(block.text("data"))
        if title is not None:
            about = Entity(title["kind"].lower(), title["name"], subject.namespace)
        columns = [str(column.value).lower() for column in block.items("data", "headers")]
        for row in block.items("data", "rows") if set(_COLUMNS) <= set(columns) else ():
            if isinstance(row.value, tuple) and len(row.value) == len(columns):
                yield about, dict(zip(columns, row.value, strict=True))


def _unfolded(text: str) -> Node | None:
    """The JSON inside a string, which some exports escape twice; None where it is something else."""
    for candidate in (text, f'"{text}"') if text.startswith("[{") else ():
        try:
            found = parse_json(candidate)
            return parse_json(found.value) if isinstance(found.value, str) else found
        except InvalidInputError:
            continue  # not this way of writing it
    return None
