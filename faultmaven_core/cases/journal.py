"""The append-only journal of a case, chained by digests so that a change to its past shows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from faultmaven_core import codec
from faultmaven_core.shared.ids import CaseId, UserId

GENESIS = "0" * 64
"""What the first entry has as the digest before it."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An event at its place in the chain; `key` is the event's own id, unique within the case."""

    case_id: CaseId
    sequence: int
    key: UUID
    at: datetime
    actor: UserId
    kind: str
    detail: dict[str, str]
    previous: str
    digest: str


def following(
    last: JournalEntry | None,
    case_id: CaseId,
    key: UUID,
    at: datetime,
    actor: UserId,
    kind: str,
    detail: dict[str, str],
) -> JournalEntry:
    """The entry that comes after `last`."""
    sequence = last.sequence + 1 if last else 1
    previous = last.digest if last else GENESIS
    digest = _digest(case_id, sequence, key, at, actor, kind, detail, previous)
    return JournalEntry(case_id, sequence, key, at, actor, kind, detail, previous, digest)


def intact(entries: Sequence[JournalEntry], before: JournalEntry | None = None) -> bool:
    """Whether consecutive entries follow from each other, and from the one before them."""
    last = before
    for entry in entries:
        if entry != following(last, entry.case_id, entry.key, entry.at, entry.actor, entry.kind, entry.detail):
            return False
        last = entry
    return True


def _digest(*parts: object) -> str:
    return hashlib.sha256(codec.canonical(parts)).hexdigest()
