"""The operations over knowledge."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge import requests
from faultmaven_core.knowledge.service import KnowledgeService
from faultmaven_core.shared.operation import Operation
from faultmaven_core.shared.schedule import Schedule

Service = KnowledgeService

OPERATIONS: tuple[Operation[KnowledgeService, Any, Any], ...] = (
    Operation(
        "knowledge.add",
        c.AddDocuments,
        c.DocumentsTaken,
        Service.add,
        "Add documents",
        watched=Service.add,
        permission="knowledge:write",
    ),
    Operation(
        "knowledge.sync",
        c.SyncDocuments,
        c.DocumentsTaken,
        Service.sync,
        "Keep a scope the same as a folder or git checkout",
        watched=Service.sync,
        permission="knowledge:write:org",
    ),
    Operation(
        "knowledge.search",
        c.SearchKnowledge,
        c.SearchResult,
        Service.search,
        "Search documents",
        permission="knowledge:read",
    ),
    Operation(
        "knowledge.list", c.ListDocuments, c.DocumentPage, Service.list, "List documents", permission="knowledge:read"
    ),
    Operation(
        "knowledge.show",
        c.ShowDocument,
        c.DocumentDetail,
        Service.show,
        "Show a document and its text",
        permission="knowledge:read",
    ),
    Operation(
        "knowledge.update",
        c.UpdateDocument,
        c.DocumentsTaken,
        Service.update,
        "Change what is said of a document",
        permission="knowledge:write",
    ),
    Operation(
        "knowledge.delete",
        c.DeleteDocument,
        c.DocumentDeleted,
        Service.delete,
        "Delete a document",
        permission="knowledge:delete",
    ),
    Operation(
        "knowledge.reindex",
        c.ReindexKnowledge,
        c.ReindexAsked,
        Service.reindex,
        "Read and embed documents anew",
        permission="knowledge:write:org",
    ),
    Operation(
        "knowledge.stats",
        c.CountKnowledge,
        c.KnowledgeCounts,
        Service.stats,
        "Count what there is",
        permission="knowledge:read",
    ),
    Operation(
        requests.INGEST,
        c.IngestDocuments,
        c.DocumentsIngested,
        Service.ingest,
        "Read and embed documents",
        background=True,
        watched=Service.ingest,
    ),
    Operation(
        requests.EMBED,
        c.EmbedKnowledge,
        c.KnowledgeEmbedded,
        Service.embed,
        "Embed what is not embedded",
        background=True,
        watched=Service.embed,
    ),
    Operation(
        requests.DISCARD, c.DiscardDocuments, c.KnowledgeDiscarded, Service.discard, "Destroy deleted documents", True
    ),
    Operation(
        requests.DISCARD_ORIGINAL,
        c.DiscardOriginal,
        c.KnowledgeDiscarded,
        Service.discard_original,
        "Destroy a replaced original",
        True,
    ),
    Operation(
        "knowledge.discard_case",
        c.DiscardCaseKnowledge,
        c.KnowledgeDiscarded,
        Service.discard_case,
        "Delete a gone case's documents",
        True,
    ),
    Operation(
        "knowledge.sweep", c.SweepKnowledge, c.KnowledgeDiscarded, Service.sweep, "Take up what crashes left", True
    ),
)

SCHEDULES = (
    # Besides the jobs of ingestion: after the embedder was changed, or was away for longer than a job tries.
    Schedule("knowledge.embed", requests.EMBED, every=timedelta(minutes=10)),
    Schedule("knowledge.sweep", "knowledge.sweep", at=time(3, 30)),
)
