"""The operations over evidence."""

from __future__ import annotations

from datetime import time
from typing import Any

from faultmaven_core.evidence import commands as c
from faultmaven_core.evidence.service import EvidenceService
from faultmaven_core.shared.operation import Operation
from faultmaven_core.shared.schedule import Schedule

Service = EvidenceService

OPERATIONS: tuple[Operation[EvidenceService, Any, Any], ...] = (
    Operation(
        "evidence.add",
        c.AddEvidence,
        c.EvidenceAdded,
        Service.add,
        "Add a file, a folder or an archive",
        permission="evidence:write",
    ),
    Operation(
        "evidence.list",
        c.ListEvidence,
        c.EvidencePage,
        Service.list,
        "List a case's evidence",
        permission="evidence:read",
    ),
    Operation(
        "evidence.show",
        c.ShowEvidence,
        c.EvidenceDetail,
        Service.show,
        "Show evidence and lines of it",
        permission="evidence:read",
    ),
    Operation(
        "evidence.classify",
        c.ClassifyEvidence,
        c.EvidenceView,
        Service.classify,
        "Say what a file is",
        permission="evidence:write",
    ),
    Operation(
        "evidence.search",
        c.SearchEvidence,
        c.SearchResult,
        Service.search,
        "Find lines in evidence",
        permission="evidence:read",
    ),
    Operation(
        "evidence.delete",
        c.DeleteEvidence,
        c.EvidenceDeleted,
        Service.delete,
        "Take evidence off a case",
        permission="evidence:delete",
    ),
    Operation(
        "evidence.discard", c.DiscardEvidence, c.Discarded, Service.discard, "Remove a gone case's evidence", True
    ),
    Operation("evidence.sweep", c.SweepCopies, c.Discarded, Service.sweep, "Destroy copies that nothing names", True),
    Operation("evidence.discard_blob", c.DiscardBlob, c.Discarded, Service.discard_blob, "Destroy a stored copy", True),
)

SCHEDULES = (Schedule("evidence.sweep", "evidence.sweep", at=time(3)),)
