"""Signing in, as clients read and write it. Secrets are in no text that Python makes of these."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """Sign in by name or address, and password. What else clients send is what they send to sign up."""

    username: str
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SignUp:
    """Sign up for an organization of one's own, or with an invitation into another."""

    username: str
    email: str = ""
    display_name: str = ""
    password: str = field(default="", repr=False)
    invitation: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NameOnly:
    """Sign in by name alone, where the installation allows it."""

    username: str


@dataclass(frozen=True, slots=True)
class RefreshBody:
    """Give a refresh token for the next one."""

    refresh_token: str = field(repr=False)
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """A user. `roles` holds `user`, and `admin` for whoever manages users, beside the organization's own."""

    user_id: str
    username: str
    email: str
    display_name: str
    roles: tuple[str, ...]
    is_admin: bool
    is_dev_user: bool
    is_active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Tokens:
    """What signing in gives. `expires_in` and `refresh_expires_in` are seconds, `expires_at` milliseconds since 1970.

    Some clients read the user, some the members beside it; both are the same.
    """

    access_token: str = field(repr=False)
    token_type: str
    expires_in: int
    expires_at: int
    refresh_token: str = field(repr=False)
    refresh_expires_in: int
    session_id: str
    scope: str
    user: User
    user_id: str
    username: str
    email: str
    display_name: str
    roles: tuple[str, ...]
    idp_logout_url: None = None


@dataclass(frozen=True, slots=True)
class OwnOrganization:
    """Where a user belongs."""

    organization_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Me:
    """Who asks, and what he may do."""

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
    organization: OwnOrganization
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignedOut:
    """What ended."""

    message: str
    revoked_tokens: int
    all_sessions_ended: bool


@dataclass(frozen=True, slots=True)
class OAuthConfig:
    """Where clients send people who sign in through the dashboard."""

    authorize_url: str
    token_url: str
    client_id: str
    scopes: tuple[str, ...]
    hosted_login_url: str


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """How one signs in here; `auth_mode` is local or oauth."""

    auth_mode: str
    supports_registration: bool
    login_endpoint: str
    register_endpoint: str | None
    oauth: OAuthConfig | None


@dataclass(frozen=True, slots=True)
class AuthorizeQuery:
    """What a client asks for, by RFC 6749 and 7636."""

    client_id: str = ""
    redirect_uri: str = ""
    response_type: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""
    scope: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class ConsentBody:
    """What the user answered."""

    approved: bool
    client_id: str
    redirect_uri: str
    code_challenge: str
    code_challenge_method: str
    scope: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class SignInForm:
    """What somebody answered on the page of ours, with what the client asked for; `answer` is allow or deny."""

    client_id: str = ""
    redirect_uri: str = ""
    response_type: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""
    scope: str = ""
    state: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    answer: str = ""


@dataclass(frozen=True, slots=True)
class ConsentUser:
    """Who is asked."""

    user_id: str
    username: str
    email: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What the user is asked: may this client act for him?"""

    client_id: str
    redirect_uri: str
    scope: str
    state: str
    code_challenge: str
    code_challenge_method: str
    user: ConsentUser


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code, and who made it (RFC 9207)."""

    code: str = field(repr=False)
    state: str
    iss: str


@dataclass(frozen=True, slots=True)
class TokenBody:
    """grant_type: refresh_token (with refresh_token) or authorization_code (with the other three)."""

    grant_type: str = ""
    client_id: str = ""
    refresh_token: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    code_verifier: str = field(default="", repr=False)
    redirect_uri: str = ""


@dataclass(frozen=True, slots=True)
class RevokeBody:
    """A token that is to be good for nothing."""

    token: str = field(repr=False)
    token_type_hint: str = ""
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class IntrospectBody:
    """A token that somebody came with (RFC 7662). The hint is taken and not needed."""

    token: str = field(repr=False)
    token_type_hint: str = ""


@dataclass(frozen=True, slots=True)
class TokenState:
    """What a token is good for: its members are there only where `active` is true. `scope` is what it may do now.

    `token_type` is absent for refresh tokens, `exp` where a key does not end.
    """

    active: bool
    sub: str = ""
    organization_id: str = ""
    username: str = ""
    client_id: str = ""
    scope: str = ""
    iss: str = ""
    token_type: str = ""
    exp: int = 0


@dataclass(frozen=True, slots=True)
class Nothing:
    """It is done; there is nothing to tell."""
