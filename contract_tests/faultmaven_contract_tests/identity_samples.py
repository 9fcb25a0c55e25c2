"""People and credentials that suites store: complete, distinct, and the same in every run."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from faultmaven_contract_tests.samples import ACME, START, Storage, key
from faultmaven_core.identity.audit_chain import AuditEvent, Happening, Outcome, following
from faultmaven_core.identity.credentials import (
    ApiKey,
    Grant,
    Invitation,
    Purpose,
    RefreshToken,
    api_key_id,
    digest,
    invitation_id,
)
from faultmaven_core.identity.model import (
    Membership,
    Organization,
    OrganizationSettings,
    OrganizationState,
    Role,
    Team,
    User,
    UserState,
    team_id,
    user_id,
)
from faultmaven_core.shared.ids import OrganizationId, UserId

DAY = timedelta(days=1)
FAMILY = key(7000)


def organization(name: OrganizationId = ACME, **changes: Any) -> Organization:
    """An organization with every field set to something."""
    plain = Organization(name, f"The {name}", START, OrganizationState.SUSPENDED, OrganizationSettings(60, 120, 3))
    return replace(plain, **changes)


def user(number: int = 1, organization: OrganizationId = ACME, **changes: Any) -> User:
    """The nth user of an organization, whose name and address nobody else has; every field is set to something."""
    uid = key(3000 + number)
    plain = User(
        uid,
        user_id(uid),
        organization,
        f"user{number}.{organization}",
        f"user{number}@{organization}.example",
        f"Ännchen {number} \U0001f9ea",
        ("admin", "on-call"),
        START + timedelta(minutes=number),
        UserState.ACTIVE,
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        START + timedelta(hours=number, microseconds=1),
        ("ab" * 32, "cd" * 32),
    )
    return replace(plain, **changes)


def role(name: str = "on-call", organization: OrganizationId = ACME, **changes: Any) -> Role:
    """A role of an organization's own."""
    return replace(Role(organization, name, ("case:read", "knowledge:write:org")), **changes)


def team(number: int = 1, organization: OrganizationId = ACME, **changes: Any) -> Team:
    """The nth team."""
    uid = key(4000 + number)
    return replace(Team(uid, team_id(uid), organization, f"team {number}", "", START), **changes)


def membership(of_team: int = 1, of_user: int = 1, organization: OrganizationId = ACME) -> Membership:
    """A user is in a team."""
    return Membership(organization, team(of_team).id, user(of_user).id, START)


def invitation(number: int = 1, organization: OrganizationId = ACME, **changes: Any) -> Invitation:
    """The nth invitation."""
    uid = key(5000 + number)
    plain = Invitation(
        uid,
        invitation_id(uid),
        organization,
        f"guest{number}@example.org",
        ("viewer", "on-call"),
        digest(f"invitation {number} {organization}"),
        user().id,
        START,
        START + 7 * DAY,
    )
    return replace(plain, **changes)


def token(number: int = 1, organization: OrganizationId = ACME, of: int = 1, **changes: Any) -> RefreshToken:
    """The nth refresh token of the first family, with every field set to something but for its end."""
    plain = RefreshToken(
        key(6000 + number),
        organization,
        digest(f"token {number} {organization}"),
        FAMILY,
        user(of).id,
        f"tag.{'e' * 64}",
        "faultmaven-copilot",
        "openid cases:read",
        "pwd",
        START,
        START + timedelta(seconds=number),
        START + 14 * DAY,
        START + 30 * DAY,
    )
    return replace(plain, **changes)


def api_key(number: int = 1, organization: OrganizationId = ACME, of: int = 1, **changes: Any) -> ApiKey:
    """The nth API key of a user."""
    uid = key(8000 + number)
    plain = ApiKey(
        uid,
        api_key_id(uid),
        organization,
        user(of).id,
        f"robot {number}",
        digest(f"key {number} {organization}"),
        "fmk_ab12",
        ("case:read",),
        START,
        START + 90 * DAY,
        START + timedelta(seconds=1),
    )
    return replace(plain, **changes)


def grant(
    number: int = 1, organization: OrganizationId = ACME, purpose: Purpose = Purpose.RESET, of: int = 1, **changes: Any
) -> Grant:
    """The nth grant of a user."""
    plain = Grant(
        key(9000 + number),
        organization,
        purpose,
        digest(f"{purpose} {number} {organization}"),
        user(of).id,
        START,
        START + timedelta(minutes=15),
        {"redirect_uri": "https://a.example/ü", "state": "\u2028"},
    )
    return replace(plain, **changes)


def happening(action: str = "user.created", **changes: Any) -> Happening:
    """Something that happened, with every field set to something."""
    plain = Happening(
        action,
        user().id,
        user(2).id,
        Outcome.DENIED,
        "2001:db8::1",
        "req-1",
        {"roles": "admin → owner", "a": "first", "name": "Ä'\"\\ \U0001f9ea"},
    )
    return replace(plain, **changes)


def audit_event(
    last: AuditEvent | None = None, organization: OrganizationId = ACME, what: Happening | None = None
) -> AuditEvent:
    """What happened after `last`."""
    number = last.sequence + 1 if last else 1
    uid: UUID = key(10_000 + number)
    return following(last, organization, uid, START + timedelta(seconds=number), what or happening())


async def people(storage: Storage, organization_: OrganizationId = ACME, users: int = 2) -> None:
    """Keep an organization with so many users."""
    async with storage.identity(organization_) as unit:
        await unit.organizations.add(organization(organization_))
        for number in range(1, users + 1):
            await unit.users.add(user(number, organization_))
        await unit.commit()


NOBODY = UserId("usr_000000000000")
