"""People of an organization, as the dashboard's screens read and write them."""

from __future__ import annotations

from dataclasses import dataclass

from faultmaven_core.identity.views import UserView


@dataclass(frozen=True, slots=True)
class Scopes:
    """The scopes of documents that one may write to."""

    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserQuery:
    """Users, oldest first. `text` or `search` is part of a name or address; `after` is a page's `next`, or so many are passed over."""

    text: str = ""
    search: str = ""
    after: str | None = None
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class MemberList:
    """A page of an organization's people; `next` begins the next one."""

    members: tuple[UserView, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Joining:
    """Ask somebody to join, with these roles; the letter's text is good for so many days."""

    email: str
    roles: tuple[str, ...] = ("member",)
    days: int = 7


@dataclass(frozen=True, slots=True)
class MemberRoles:
    """The roles that a member has from now on."""

    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OneRole:
    """One role, by its name."""

    role: str
