"""The jobs that knowledge asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from faultmaven_core import codec
from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge.model import Document
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.shared.batches import batched
from faultmaven_core.shared.caller import Caller

INGEST = "knowledge.ingest"
EMBED = "knowledge.embed"
DISCARD = "knowledge.discard"
DISCARD_ORIGINAL = "knowledge.discard_original"

AT_ONCE = 100
"""Documents of one job: enough that starting a process costs little beside, few enough to share work among runners."""


def ingest(documents: Iterable[Document], caller: Caller, *, again: bool = False) -> Iterator[JobRequest]:
    """Read and embed these. Without a key against twins: a job that is open may be past the document that is asked for."""
    for keys in _batches(documents):
        yield JobRequest(INGEST, codec.encode(c.IngestDocuments(keys, again)), caller)


def discard(documents: Iterable[Document], caller: Caller) -> Iterator[JobRequest]:
    """Destroy what is left of deleted ones."""
    for keys in _batches(documents):
        yield JobRequest(DISCARD, codec.encode(c.DiscardDocuments(keys)), caller)


def discard_original(blob: str, caller: Caller) -> JobRequest:
    """Destroy an original that another has replaced."""
    return JobRequest(DISCARD_ORIGINAL, codec.encode(c.DiscardOriginal(blob)), caller)


def embed(caller: Caller, idle_seconds: int = 0) -> JobRequest:
    """Embed what is left."""
    return JobRequest(EMBED, codec.encode(c.EmbedKnowledge(idle_seconds)), caller)


def _batches(documents: Iterable[Document]) -> Iterator[tuple[str, ...]]:
    return batched((document.key.hex for document in documents), AT_ONCE)
