"""What identity answers. No view holds a password or digest; secrets are in those that hand them over once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OrganizationView:
    """An organization."""

    organization_id: str
    name: str
    state: str
    created_at: datetime
    session_idle_seconds: int
    session_absolute_seconds: int
    most_sessions: int
    version: int


@dataclass(frozen=True, slots=True)
class UserView:
    """A user. `is_admin` is whether he may manage users; `is_dev_user` whether he has no password."""

    user_id: str
    username: str
    email: str
    display_name: str
    roles: tuple[str, ...]
    is_admin: bool
    is_dev_user: bool
    is_active: bool
    created_at: datetime
    last_login: datetime | None
    organization_id: str
    organization_name: str
    state: str
    version: int


@dataclass(frozen=True, slots=True)
class UserPage:
    """Users; `next` is what the following page is `after`, None at the end."""

    users: tuple[UserView, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What signing in gives. `scope` is "" where the user may use all that he may."""

    access_token: str = field(repr=False)
    expires_in: int
    expires_at: datetime
    refresh_token: str = field(repr=False)
    refresh_expires_in: int
    session_id: str
    scope: str
    user: UserView


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """What ended."""

    revoked_tokens: int
    all_sessions_ended: bool


@dataclass(frozen=True, slots=True)
class SessionView:
    """A live session; `current` is the one that asks."""

    session_id: str
    method: str
    device: str
    address: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class SessionList:
    """A user's live sessions, oldest first."""

    sessions: tuple[SessionView, ...]


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """How many sessions ended."""

    ended: int


@dataclass(frozen=True, slots=True)
class Done:
    """It is done, or was already; also what is answered where nothing must be told."""

    done: bool = True


@dataclass(frozen=True, slots=True)
class ApiKeyView:
    """An API key without its secret."""

    api_key_id: str
    user_id: str
    name: str
    hint: str
    permissions: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class ApiKeyCreated:
    """A new key; `secret` is shown this once."""

    api_key: ApiKeyView
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApiKeyList:
    """Keys, oldest first."""

    api_keys: tuple[ApiKeyView, ...]


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation without its secret; `state` is pending | accepted | declined | revoked | expired."""

    invitation_id: str
    email: str
    roles: tuple[str, ...]
    invited_by: str
    state: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class InvitationCreated:
    """A new invitation; `token` is shown this once, and sent by mail where mail is set up."""

    invitation: InvitationView
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """Invitations; `next` is what the following page is `after`, None at the end."""

    invitations: tuple[InvitationView, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role and what it allows."""

    name: str
    permissions: tuple[str, ...]
    built_in: bool


@dataclass(frozen=True, slots=True)
class RoleList:
    """All roles of an organization, the built-in ones first."""

    roles: tuple[RoleView, ...]


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team; `members` are user ids."""

    team_id: str
    name: str
    parent: str
    created_at: datetime
    version: int
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TeamList:
    """All teams of an organization by name, without their members."""

    teams: tuple[TeamView, ...]


@dataclass(frozen=True, slots=True)
class AuditEventView:
    """What happened, by whom, to what. `digest` stands for all of it and, by `previous`, for all that was before."""

    sequence: int
    at: datetime
    action: str
    actor: str
    target: str
    outcome: str
    address: str
    request_id: str
    detail: dict[str, str]
    digest: str
    key: str
    previous: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Audit events; `next` is what the following page is `after`, None at the end."""

    events: tuple[AuditEventView, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class AuditVerified:
    """Whether the whole chain holds; `broken_at` is the first number where it does not, 0 where it does."""

    events: int
    intact: bool
    broken_at: int
    last_digest: str


@dataclass(frozen=True, slots=True)
class ConsentView:
    """What the user is asked: may this client act for him within this scope?"""

    client_id: str
    redirect_uri: str
    scope: str
    state: str
    code_challenge: str
    code_challenge_method: str
    user: UserView


@dataclass(frozen=True, slots=True)
class CodeGranted:
    """An authorization code, with the issuer's name as RFC 9207 wants."""

    code: str = field(repr=False)
    state: str
    redirect_uri: str
    iss: str


@dataclass(frozen=True, slots=True)
class TokenState:
    """Whose a good token is and what it may do now: permissions, or of a refresh token the scope of what it will give.

    `expires_at` is None where it does not end; `token_type` is "" for a refresh token, which opens nothing itself.
    """

    organization_id: str
    user_id: str
    username: str
    client_id: str
    scope: str
    expires_at: datetime | None
    issuer: str
    token_type: str


@dataclass(frozen=True, slots=True)
class SigningKeyView:
    """A key that signs access tokens or did; `state` is next | active | retired."""

    kid: str
    algorithm: str
    state: str
    created_at: datetime
    activated_at: datetime | None
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class SigningKeyList:
    """All keys that are published."""

    keys: tuple[SigningKeyView, ...]
