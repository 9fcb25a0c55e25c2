"""Identifiers: UUIDv7 inside, so that order is order of creation; short public ids outside."""

from __future__ import annotations

import secrets
from abc import abstractmethod
from typing import NewType, Protocol
from uuid import UUID

from faultmaven_core.shared.clock import Clock

OrganizationId = NewType("OrganizationId", str)
UserId = NewType("UserId", str)
CaseId = NewType("CaseId", str)
EvidenceId = NewType("EvidenceId", str)
DocumentId = NewType("DocumentId", str)
MessageId = NewType("MessageId", str)

_COUNTER_BITS = 12
_TAIL_BITS = 62


class Ids(Protocol):
    """Makes new identifiers."""

    @abstractmethod
    def new(self) -> UUID:
        """A UUIDv7 above all that this object gave before."""


class RandomIds(Ids):
    """UUIDv7 as RFC 9562 section 6.2, method 1: a counter keeps ids of one millisecond in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def new(self) -> UUID:
        """See Ids."""
        # Milliseconds and counter are one number, so a full counter borrows from the next millisecond.
        now = int(self._clock.now().timestamp() * 1000) << _COUNTER_BITS
        self._last = max(self._last + 1, now)
        return uuid7(self._last >> _COUNTER_BITS, self._last & 0xFFF, secrets.randbits(_TAIL_BITS))


class SequentialIds(Ids):
    """The same ids in every run: for replays and tests."""

    def __init__(self) -> None:
        self._count = 0

    def new(self) -> UUID:
        """See Ids."""
        self._count += 1
        return uuid7(0, 0, self._count)


def uuid7(milliseconds: int, counter: int, tail: int) -> UUID:
    """A UUIDv7 (RFC 9562 section 5.7) from 48 bits of time, 12 of a counter and 62 of chance."""
    return UUID(int=(milliseconds << 80) | (7 << 76) | (counter << 64) | (2 << 62) | tail)


def case_id(key: UUID) -> CaseId:
    """The public id of a case: `case_` and the 12 last hexadecimal digits of its key."""
    return CaseId(f"case_{key.hex[-12:]}")


def evidence_id(key: UUID) -> EvidenceId:
    """The public id of a piece of evidence: `ev_` and the 12 last hexadecimal digits of its key."""
    return EvidenceId(f"ev_{key.hex[-12:]}")


def document_id(key: UUID) -> DocumentId:
    """The public id of a document of knowledge: `doc_` and the 12 last hexadecimal digits of its key."""
    return DocumentId(f"doc_{key.hex[-12:]}")


def message_id(key: UUID) -> MessageId:
    """The public id of a message: `msg_` and the 12 last hexadecimal digits of its key."""
    return MessageId(f"msg_{key.hex[-12:]}")
