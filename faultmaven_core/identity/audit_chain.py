"""The append-only audit log of an organization, chained by digests so that an edit, a gap or a new order shows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from faultmaven_core import codec
from faultmaven_core.shared.ids import OrganizationId

GENESIS = "0" * 64
"""What the first event has as the digest before it."""


class Outcome(StrEnum):
    """How it ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened, before it has its place in the log. `actor` and `target` are ids; "" where there is none."""

    action: str
    actor: str = ""
    target: str = ""
    outcome: Outcome = Outcome.SUCCESS
    address: str = ""
    request_id: str = ""
    detail: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """A happening at its place in the organization's chain: `sequence` counts from 1, `key` is unique."""

    organization: OrganizationId
    sequence: int
    key: UUID
    at: datetime
    happening: Happening
    previous: str
    digest: str


def following(
    last: AuditEvent | None, organization: OrganizationId, key: UUID, at: datetime, happening: Happening
) -> AuditEvent:
    """The event that comes after `last`."""
    sequence = last.sequence + 1 if last else 1
    previous = last.digest if last else GENESIS
    digest = _digest(organization, sequence, key, at, happening, previous)
    return AuditEvent(organization, sequence, key, at, happening, previous, digest)


def first_broken(events: Sequence[AuditEvent], before: AuditEvent | None = None) -> int:
    """Where consecutive events do not follow from each other, or from the one before them: a sequence number; 0 nowhere."""
    last = before
    for event in events:
        expected = following(last, event.organization, event.key, event.at, event.happening)
        if event != expected:
            return expected.sequence
        last = event
    return 0


def _digest(*parts: object) -> str:
    return hashlib.sha256(codec.canonical(parts)).hexdigest()
