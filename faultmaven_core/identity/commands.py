"""What can be asked of identity. Secrets among the fields are in no text that Python makes of a command."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Register:
    """Sign up. With the text of an invitation into that organization, else into a new one whose owner one is."""

    username: str
    email: str = ""
    display_name: str = ""
    password: str = field(default="", repr=False)
    invitation: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """Sign in; `username` may be the address too."""

    username: str
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DevLogin:
    """Sign in without a password, where the installation allows that; a name that nobody has makes a user."""

    username: str


@dataclass(frozen=True, slots=True)
class Refresh:
    """Give the refresh token for the next one and a new access token."""

    refresh_token: str = field(repr=False)
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class LogOut:
    """End one's session, or all of them; a program's own in any case."""

    everywhere: bool = True


@dataclass(frozen=True, slots=True)
class EndSession:
    """End one of one's own sessions by its id."""

    session_id: str


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Change one's own password; all other sessions end."""

    current: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RequestReset:
    """Have a text sent to one's address that lets one set a new password. The answer is the same whoever asks."""

    email: str


@dataclass(frozen=True, slots=True)
class CompleteReset:
    """Set a new password with such a text."""

    token: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CreateApiKey:
    """Make a key for a program. `permissions` are among one's own; none means all of them, as they are now."""

    name: str
    permissions: tuple[str, ...] = ()
    days: int = 90


@dataclass(frozen=True, slots=True)
class RevokeApiKey:
    """Let nobody in by this key any more: one of one's own, or with `user:write` anybody's of the organization."""

    api_key_id: str


@dataclass(frozen=True, slots=True)
class ListApiKeys:
    """The keys of a user; "" is oneself, anybody else takes `user:write`."""

    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Invite:
    """Ask somebody by mail to join the organization."""

    email: str
    roles: tuple[str, ...] = ("member",)
    days: int = 7


@dataclass(frozen=True, slots=True)
class DeclineInvitation:
    """Say no; whoever holds the text may."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RevokeInvitation:
    """Take an invitation back."""

    invitation_id: str


@dataclass(frozen=True, slots=True)
class ListInvitations:
    """Invitations, newest first; `after` is a page's `next`."""

    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ListUsers:
    """Users, oldest first; `text` is part of a name or address; `after` is a page's `next`. `offset` of them are passed over."""

    text: str = ""
    after: str | None = None
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class ShowUser:
    """One user."""

    user_id: str


@dataclass(frozen=True, slots=True)
class CreateUser:
    """Make a user. Without a password nobody signs in by one until it is set or reset."""

    username: str
    email: str = ""
    display_name: str = ""
    password: str = field(default="", repr=False)
    roles: tuple[str, ...] = ("member",)


@dataclass(frozen=True, slots=True)
class DisableUser:
    """Let a user in no more; all that he holds ends at once."""

    user_id: str


@dataclass(frozen=True, slots=True)
class EnableUser:
    """Let a disabled user in again."""

    user_id: str


@dataclass(frozen=True, slots=True)
class DeleteUser:
    """Remove a user: what he made stays, his name, address and password go."""

    user_id: str


@dataclass(frozen=True, slots=True)
class SetRoles:
    """Give a user these roles and no others; nobody gives what he lacks, and the last owner stays one."""

    user_id: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GiveRole:
    """Give a user one more role."""

    user_id: str
    role: str


@dataclass(frozen=True, slots=True)
class TakeRole:
    """Take one role from a user, by its name; the last owner stays one."""

    user_id: str
    name: str


@dataclass(frozen=True, slots=True)
class SetPassword:
    """Set somebody's password for him; all his sessions end."""

    user_id: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangeOrganization:
    """Change one's organization; None leaves as it is. Times are seconds, 0 is what the installation says."""

    name: str | None = None
    session_idle_seconds: int | None = None
    session_absolute_seconds: int | None = None
    most_sessions: int | None = None


@dataclass(frozen=True, slots=True)
class SaveRole:
    """Make a role, or change one, of one's own organization."""

    name: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeleteRole:
    """Remove a role; whoever has it loses what it allowed."""

    name: str


@dataclass(frozen=True, slots=True)
class CreateTeam:
    """Make a team, within another where `parent` is its id."""

    name: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class ChangeTeam:
    """Rename a team or put it elsewhere; None leaves as it is, "" as parent is the top."""

    team_id: str
    name: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteTeam:
    """Remove a team that has none within it."""

    team_id: str


@dataclass(frozen=True, slots=True)
class ShowTeam:
    """One team with its members."""

    team_id: str


@dataclass(frozen=True, slots=True)
class AddMember:
    """Put a user into a team."""

    team_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """Take a user out of a team."""

    team_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class ReadAudit:
    """Audit events, oldest first. `action` may be a whole name or its beginning before a dot."""

    after: int = 0
    limit: int = 100
    actor: str = ""
    action: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Authorize:
    """What a client asks for in OAuth: a code, by RFC 6749 4.1.1 with PKCE of RFC 7636."""

    response_type: str
    client_id: str
    redirect_uri: str
    code_challenge: str
    code_challenge_method: str
    scope: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """What the user answers to `Authorize`."""

    approved: bool
    client_id: str
    redirect_uri: str
    code_challenge: str
    code_challenge_method: str
    scope: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Give an authorization code for tokens."""

    code: str = field(repr=False)
    code_verifier: str = field(repr=False)
    client_id: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Revoke:
    """Let a refresh token (with its family and session) or an access token (with its session) be good for nothing."""

    token: str = field(repr=False)
    client_id: str = ""
    token_type_hint: str = ""


@dataclass(frozen=True, slots=True)
class Introspect:
    """Ask what a token may do now: an access token, a refresh token or an API key."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StartInstallation:
    """Make the installation's own organization, if need be, and its first owner. Refused where there is one."""

    username: str
    email: str = ""
    display_name: str = ""
    password: str = field(default="", repr=False)
    organization_name: str = ""


@dataclass(frozen=True, slots=True)
class CreateOrganization:
    """Make an organization with an owner, at the machine itself."""

    name: str
    username: str
    email: str = ""
    display_name: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SuspendOrganization:
    """Let nobody of an organization in, or all of them again."""

    suspended: bool


@dataclass(frozen=True, slots=True)
class RotateKeys:
    """Sign with the next key from now on. `compromised` also stops trusting all that were in use: access tokens end."""

    compromised: bool = False
