"""Knowledge: documents of four tiers, cut into chunks along their headings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import CaseId, DocumentId, OrganizationId, UserId

_TEAM = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_CASE = re.compile(r"case_[0-9a-f]{12}")


class Tier(StrEnum):
    """Whose a document is: everybody's of the organization, a team's, one user's, or one case's."""

    GLOBAL = "global"
    TEAM = "team"
    PERSONAL = "personal"
    CASE = "case"


@dataclass(frozen=True, slots=True, order=True)
class KnowledgeScope:
    """A tier and its owner: a team's name, a user, a case's id; empty for GLOBAL alone.

    Raises InvalidInputError where the owner does not fit the tier.
    """

    tier: Tier
    owner: str = ""

    def __post_init__(self) -> None:
        fits = {
            Tier.GLOBAL: not self.owner,
            Tier.TEAM: _TEAM.fullmatch(self.owner),
            Tier.PERSONAL: bool(self.owner),
            Tier.CASE: _CASE.fullmatch(self.owner),
        }
        if not fits[self.tier]:
            raise _no_scope(str(self))

    def __str__(self) -> str:
        """As callers write it: `global`, `team:payments`, `personal`, `case:case_0123456789ab`."""
        return f"{self.tier}:{self.owner}" if self.tier in (Tier.TEAM, Tier.CASE) else str(self.tier)


def scope_of(text: str, user: UserId) -> KnowledgeScope:
    """The scope that a caller names; `personal` is always the caller's own. Raises InvalidInputError."""
    tier, _, owner = text.partition(":")
    if tier not in tuple(Tier) or (owner and tier in (Tier.GLOBAL, Tier.PERSONAL)):
        raise _no_scope(text)
    return KnowledgeScope(Tier(tier), user if tier == Tier.PERSONAL else owner)


def _no_scope(text: str) -> InvalidInputError:
    return InvalidInputError(
        f"{text[:80]!r} is no scope: use global, team:NAME, personal, or case:CASE_ID.", fields={"scope": "unknown"}
    )


class DocumentState(StrEnum):
    """PENDING: not read yet. FAILED: `problem` says why it cannot be read. REMOVED: deleted, its chunks are on their way out."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"
    REMOVED = "removed"


class Status(StrEnum):
    """What its authors say of a document. A DEPRECATED one is never found by a search."""

    UNSTATED = ""
    DRAFT = "draft"
    IN_REVIEW = "in-review"
    VERIFIED = "verified"
    STALE = "stale"
    DEPRECATED = "deprecated"


@dataclass(frozen=True, slots=True)
class Document:
    """A document of knowledge; the original stands in the blob store under `blob`.

    `name` is the path or address it came from, one of its kind in a scope; `source` the folder or checkout it is synced
    with, empty where it was added by itself. `sha256`, `size` (bytes) and `modified_ns` (nanoseconds since the epoch, 0 =
    unknown) are the original's. `characters` is the length of its text, `words` the number of its chunks' terms.
    `embedded` is the fingerprint of the embedder under which all of its chunks stand in the vector store, empty for none.
    It is stale `stale_after_days` days after `reviewed_on`; 0 = never. `details` are what whoever added it said of it, which
    nothing here depends on, but for a `title` that goes before the one in its text.
    """

    key: UUID
    id: DocumentId
    organization: OrganizationId
    scope: KnowledgeScope
    title: str
    name: str
    media_type: str
    blob: str
    sha256: str
    size: int
    added_at: datetime
    added_by: UserId
    updated_at: datetime
    source: str = ""
    modified_ns: int = 0
    state: DocumentState = DocumentState.PENDING
    problem: str = ""
    tags: tuple[str, ...] = ()
    status: Status = Status.UNSTATED
    reviewed_on: date | None = None
    stale_after_days: int = 0
    chunks: int = 0
    characters: int = 0
    words: int = 0
    embedded: str = ""
    details: dict[str, str] = field(default_factory=dict)
    version: int = 1

    @property
    def searchable(self) -> bool:
        """Whether a search may find it."""
        return self.state is DocumentState.READY and self.status is not Status.DEPRECATED

    def is_stale(self, today: date) -> bool:
        """Whether its authors called it stale, or its review is too long ago."""
        if self.status is Status.STALE:
            return True
        if self.reviewed_on is None or not self.stale_after_days:
            return False
        return (today - self.reviewed_on).days > self.stale_after_days


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a document's text that is found as a whole.

    The chunks of a document, by `number` from 0, tile its text: joined they are the text, `start` and `end` are offsets in
    characters. `headings` leads to it from the outermost heading in. `terms` are the tokens of the text, with repeats, in
    order; `labels` those of the document's title and the headings; `names` the exact names in it, folded.
    """

    document: UUID
    number: int
    headings: tuple[str, ...]
    text: str
    start: int
    end: int
    terms: tuple[str, ...]
    labels: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def id(self) -> str:
        """Its id in a vector store."""
        return chunk_id(self.document, self.number)


def chunk_id(document: UUID, number: int) -> str:
    """The id in a vector store of a document's chunk."""
    return f"{document.hex}.{number}"


def chunk_of(text: str) -> tuple[UUID, int]:
    """The document and number that a chunk's id stands for."""
    document, _, number = text.partition(".")
    return UUID(hex=document), int(number)


def removed(document: Document, now: datetime) -> Document:
    """The document is deleted: no search finds it, and what is left of it goes by a job."""
    return replace(document, state=DocumentState.REMOVED, updated_at=now)


def renewed(document: Document, blob: str, sha256: str, size: int, now: datetime) -> Document:
    """The document has another original, which is still to be read; until then no search finds it."""
    return replace(
        document, blob=blob, sha256=sha256, size=size, state=DocumentState.PENDING, problem="", updated_at=now
    )


def ready(document: Document, chunks: Sequence[Chunk], now: datetime) -> Document:
    """The document was read and cut into these chunks, of which none is embedded yet."""
    return replace(
        document,
        state=DocumentState.READY,
        chunks=len(chunks),
        characters=chunks[-1].end if chunks else 0,
        words=sum(len(chunk.terms) for chunk in chunks),
        embedded="",
        updated_at=now,
    )


def failed(document: Document, problem: str, now: datetime) -> Document:
    """The document cannot be read."""
    return replace(
        document,
        state=DocumentState.FAILED,
        problem=problem,
        chunks=0,
        characters=0,
        words=0,
        embedded="",
        updated_at=now,
    )


def case_scope(case_id: CaseId) -> KnowledgeScope:
    """What belongs to one case."""
    return KnowledgeScope(Tier.CASE, case_id)
