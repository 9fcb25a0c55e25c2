"""What a user may do at this moment, remembered for some seconds: every request asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from faultmaven_core.identity.credentials import ApiKey
from faultmaven_core.identity.model import Organization, OrganizationState, Role, User, UserState, granted
from faultmaven_core.identity.ports import AccountDirectory, IdentityUnitOfWork, IdentityUnits
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import NotFoundError
from faultmaven_core.shared.ids import OrganizationId, UserId

FRESH = timedelta(seconds=2)
"""How long a process may go by what it read; a withdrawn right is gone everywhere within that time."""

MOST_REMEMBERED = 10_000

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Standing:
    """A user with all that he may do now."""

    user: User
    organization: Organization
    permissions: frozenset[str]
    teams: tuple[str, ...]

    @property
    def active(self) -> bool:
        """Whether he may come in at all."""
        return self.user.state is UserState.ACTIVE and self.organization.state is OrganizationState.ACTIVE


class Standings:
    """The standings of users and the API keys by digest."""

    def __init__(self, units: IdentityUnits, directory: AccountDirectory, clock: Clock) -> None:
        self._units, self._directory = units, directory
        self._users = _Recent[tuple[OrganizationId, UserId], Standing](clock)
        self._keys = _Recent[str, ApiKey](clock)

    async def of(self, organization: OrganizationId, user: UserId) -> Standing | None:
        """The user's standing; None where there is no such user."""

        async def read() -> Standing | None:
            async with self._units(organization, read_only=True) as unit:
                try:
                    return await standing(unit, user)
                except NotFoundError:
                    return None

        return await self._users.get((organization, user), read)

    async def api_key(self, digest: str) -> ApiKey | None:
        """The API key with this digest, revoked and expired ones too."""

        async def read() -> ApiKey | None:
            found = await self._directory.by_api_key_digest(digest)
            if found is None:
                return None
            async with self._units(found.organization, read_only=True) as unit:
                try:
                    return await unit.api_keys.by_digest(digest)
                except NotFoundError:
                    return None

        return await self._keys.get(digest, read)

    def forget_api_key(self, digest: str) -> None:
        """Read this key anew."""
        self._keys.drop(digest)

    def forget(self) -> None:
        """Read everything anew: this process has changed something."""
        self._users.forget()
        self._keys.forget()


async def standing(unit: IdentityUnitOfWork, user_id: UserId) -> Standing:
    """A user's standing as a unit sees it. Raises NotFoundError."""
    user = await unit.users.get(user_id)
    organization = await unit.organizations.get()
    custom: tuple[Role, ...] = tuple(await unit.roles.all())
    teams = tuple(team.name for team in await unit.teams.of_user(user_id))
    return Standing(user, organization, granted(user.roles, custom), teams)


class _Recent(Generic[Key, Value]):
    """Answers of the last seconds. Nothing found is not remembered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[Key, tuple[datetime, Value]] = {}
        self._changes = 0

    async def get(self, key: Key, read: Callable[[], Awaitable[Value | None]]) -> Value | None:
        now = self._clock.now()
        held = self._held.get(key)
        if held is not None and now - held[0] < FRESH:
            return held[1]
        before = self._changes
        value = await read()
        self._held.pop(key, None)
        # What was read before somebody changed something is not kept.
        if value is not None and before == self._changes:
            while len(self._held) >= MOST_REMEMBERED:
                del self._held[next(iter(self._held))]
            self._held[key] = now, value
        return value

    def drop(self, key: Key) -> None:
        self._changes += 1
        self._held.pop(key, None)

    def forget(self) -> None:
        self._changes += 1
        self._held.clear()
