"""What opens a door: refresh tokens, API keys, invitations and grants. Of each only a digest is stored, never the text."""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from faultmaven_core.identity.model import ApiKeyId, InvitationId
from faultmaven_core.shared.ids import OrganizationId, UserId

_SECRET_BYTES = 32


class InvitationState(StrEnum):
    """What became of an invitation; a pending one also ends by its time."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"


class Purpose(StrEnum):
    """What a grant is good for; one for another purpose is none."""

    RESET = "reset"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One link of a chain: used once, it is followed by the next of its `family`.

    `session` is the id of the family's session ("<tag>.<digest>"). `ends_at` is when the whole family ends, `expires_at`
    when this link does. `method`, `scope` and `signed_in_at` are the sign-in's.
    """

    key: UUID
    organization: OrganizationId
    digest: str
    family: UUID
    user: UserId
    session: str
    client_id: str
    scope: str
    method: str
    signed_in_at: datetime
    created_at: datetime
    expires_at: datetime
    ends_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of a user for programs: may at most `permissions`, and never more than its user. `hint` is its beginning."""

    key: UUID
    id: ApiKeyId
    organization: OrganizationId
    user: UserId
    name: str
    digest: str
    hint: str
    permissions: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody is asked to join an organization, with these roles."""

    key: UUID
    id: InvitationId
    organization: OrganizationId
    email: str
    roles: tuple[str, ...]
    digest: str
    invited_by: UserId
    created_at: datetime
    expires_at: datetime
    state: InvitationState = InvitationState.PENDING
    decided_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Grant:
    """A text that lets a user do one thing once: set a new password, or hand a client its tokens (an OAuth code).

    `detail` is what the purpose needs besides.
    """

    key: UUID
    organization: OrganizationId
    purpose: Purpose
    digest: str
    user: UserId
    created_at: datetime
    expires_at: datetime
    detail: dict[str, str] = field(default_factory=dict)
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    version: int = 1


def api_key_id(key: UUID) -> ApiKeyId:
    """The public id of an API key: `key_` and the 12 last hexadecimal digits of its key."""
    return ApiKeyId(f"key_{key.hex[-12:]}")


def invitation_id(key: UUID) -> InvitationId:
    """The public id of an invitation: `inv_` and the 12 last hexadecimal digits of its key."""
    return InvitationId(f"inv_{key.hex[-12:]}")


def new_secret() -> str:
    """256 random bits as text of 43 letters, digits, `-` and `_`."""
    return as_text(secrets.token_bytes(_SECRET_BYTES))


def as_text(raw: bytes) -> str:
    """Bytes as letters, digits, `-` and `_`."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def digest(text: str) -> str:
    """What is stored of a secret text: its SHA-256. Enough for 256 random bits; never for a password."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
