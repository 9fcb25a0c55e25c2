"""Content on its way in: what is reserved for it, and how much of it has come."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from faultmaven_core.analysis.model import Role
from faultmaven_core.shared.errors import InvalidInputError, QuotaExceededError
from faultmaven_core.shared.ids import CaseId, OrganizationId, UserId
from faultmaven_core.shared.text import checked

MOST_DETAIL = 1000
MOST_DETAIL_NAME = 64

_SHA256 = re.compile("[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is being sent: `size` bytes are kept free for it, of which `received` are here, in the blobs `parts`.

    One that is not `resumable` comes in a single request and has no parts.
    """

    key: UUID
    id: str
    organization: OrganizationId
    case_id: CaseId
    owner: UserId
    name: str
    role: Role
    size: int
    created_at: datetime
    resumable: bool = False
    sha256: str = ""
    received: int = 0
    parts: tuple[str, ...] = ()
    details: dict[str, str] = field(default_factory=dict)
    version: int = 1

    @property
    def whole(self) -> bool:
        """Whether all of it is here."""
        return self.received == self.size


def upload_id(key: UUID) -> str:
    """The public id of an upload: `upl_` and the 12 last hexadecimal digits of its key."""
    return f"upl_{key.hex[-12:]}"


def checked_digest(given: str) -> str:
    """A SHA-256 as it is compared, "" without one. Raises InvalidInputError on what is none in hexadecimal."""
    if given and not _SHA256.fullmatch(given):
        raise InvalidInputError("A SHA-256 is written as 64 hexadecimal digits.", fields={"sha256": "not allowed"})
    return given.lower()


def checked_details(details: Mapping[str, str]) -> dict[str, str]:
    """What a sender says of content. Raises InvalidInputError on what is too long, or no database can hold."""
    return {
        checked("details", name, most=MOST_DETAIL_NAME): checked("details", text, most=MOST_DETAIL)
        for name, text in details.items()
    }


def grown(upload: Upload, blob: str, size: int) -> Upload:
    """Another part has come."""
    return replace(upload, received=upload.received + size, parts=(*upload.parts, blob))


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes of copies, and of what is kept free for uploads: of the organization, and of one user in it."""

    organization: int
    user: int


@dataclass(frozen=True, slots=True)
class Quota:
    """Bytes of copies that an organization and each of its users may hold; 0 is without limit."""

    organization: int = 0
    user: int = 0

    @property
    def limited(self) -> bool:
        """Whether anything is to be counted at all."""
        return bool(self.organization or self.user)

    def left(self, held: Held) -> int:
        """How many bytes more may be held; as many as a database can count where nothing is limited."""
        limits = ((self.organization, held.organization), (self.user, held.user))
        return min((limit - now for limit, now in limits if limit), default=2**62)

    def check(self, held: Held, more: int) -> None:
        """Raises QuotaExceededError where so many bytes more would be too many."""
        for whose, limit, now in (
            ("Your organization", self.organization, held.organization),
            ("You", self.user, held.user),
        ):
            if limit and now + more > limit:
                raise QuotaExceededError(
                    f"{whose} may hold {limit:,} bytes of files, and {max(limit - now, 0):,} are left: "
                    "delete evidence that nobody needs any more."
                )


class UploadRepository(Protocol):
    """The uploads of the unit's organization."""

    @abstractmethod
    async def add(self, upload: Upload) -> None:
        """Keep a new upload. Raises AlreadyExistsError where its key or id is taken."""

    @abstractmethod
    async def get(self, upload_id: str) -> Upload:
        """An upload. Raises NotFoundError."""

    @abstractmethod
    async def save(self, upload: Upload) -> None:
        """Keep a changed upload; the stored version grows by one. Raises StaleVersionError where somebody was faster."""

    @abstractmethod
    async def remove(self, uploads: Sequence[Upload]) -> None:
        """Remove uploads; what is gone already is no error."""

    @abstractmethod
    async def begun_before(self, moment: datetime, limit: int) -> Sequence[Upload]:
        """Uploads that began before a moment, oldest first."""

    @abstractmethod
    async def held(self, user: UserId) -> Held:
        """What is held. In a writing unit, whoever else asks waits until this one has ended."""
