"""One JSON document: parsed once, then offered to the readers of known shapes, the general one last."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from faultmaven_core.analysis.extract.alerts import alerts
from faultmaven_core.analysis.extract.call_graph import calls_json
from faultmaven_core.analysis.extract.cloudwatch import time_series
from faultmaven_core.analysis.extract.database_report import database_report
from faultmaven_core.analysis.extract.enrichments import attached_events
from faultmaven_core.analysis.extract.json_text import parse_json
from faultmaven_core.analysis.extract.kubernetes_manifest import objects
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.prometheus import prometheus_answer
from faultmaven_core.analysis.extract.records_json import records
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.extract.traces_json import traces_json
from faultmaven_core.ports.structured_text import Node

Reader = Callable[[Node, Passage, Findings], bool]
"""Reads a document of its shape and answers whether it was one; of any other it adds nothing."""

READERS: Sequence[Reader] = (
    objects,
    attached_events,
    prometheus_answer,
    traces_json,
    alerts,
    database_report,
    time_series,
    calls_json,
    records,
)


def json_document(passage: Passage, out: Findings) -> None:
    """A source that is one JSON document. Raises InvalidInputError that names the line where it is not JSON."""
    node = parse_json("\n".join(passage.lines))
    any(reader(node, passage, out) for reader in READERS)
