"""SQLite, PostgreSQL and memory, driven by the same random steps, know the same people, credentials and events."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from faultmaven_contract_tests.identity_samples import (
    api_key,
    audit_event,
    grant,
    happening,
    invitation,
    membership,
    organization,
    role,
    team,
    token,
    user,
)
from faultmaven_contract_tests.samples import ACME, OTHER, START, Storage
from faultmaven_core.identity.credentials import Purpose
from faultmaven_core.identity.model import UserState
from faultmaven_core.identity.ports import IdentityUnitOfWork
from faultmaven_core.shared.errors import FaultMavenError, NotFoundError
from storages import OPENERS

pytestmark = pytest.mark.servers("postgres")

NUMBERS = st.integers(1, 3)
ORGANIZATIONS = st.sampled_from([ACME, OTHER])
NAMES = st.sampled_from(["ann", "bob", "straße", "100%_sure"])
LATER = START + timedelta(hours=1)
KINDS = {
    "invitations": invitation,
    "refresh_tokens": token,
    "api_keys": api_key,
    "grants": grant,
}


class SamePeople(RuleBasedStateMachine):
    """Each rule is one unit of work on each; what they answer is compared at once."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = Path(tempfile.mkdtemp())
        self.storages: list[Storage] = [
            self.runner.run(self.stack.enter_async_context(OPENERS[name](self.folder)))
            for name in ("memory", "sqlite", "postgres")
        ]
        self.everywhere(ACME, lambda unit: unit.organizations.add(organization(ACME)))

    def teardown(self) -> None:
        """Everything is closed, whatever the steps found."""
        self.runner.run(self.stack.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    def same(self, ask: Callable[[Storage], Awaitable[Any]]) -> Any:
        """The answer of all, which must be one: a value, or the class of an error."""

        async def once(storage: Storage) -> Any:
            try:
                return await ask(storage)
            except FaultMavenError as error:
                return type(error)

        first, *others = [self.runner.run(once(storage)) for storage in self.storages]
        assert all(other == first for other in others), (first, others)
        return first

    def everywhere(self, owner: Any, work: Callable[[IdentityUnitOfWork], Awaitable[Any]]) -> Any:
        """The answer of a unit that is committed."""

        async def unit_of(storage: Storage) -> Any:
            async with storage.identity(owner) as unit:
                answer = await work(unit)
                await unit.commit()
                return answer

        return self.same(unit_of)

    @rule(owner=ORGANIZATIONS)
    def found(self, owner: Any) -> None:
        """An organization, perhaps one that is there."""
        self.everywhere(owner, lambda unit: unit.organizations.add(organization(owner)))

    @rule(number=NUMBERS, owner=ORGANIZATIONS, name=NAMES, email=st.sampled_from(["", "a@x.example", "b@x.example"]))
    def add_user(self, number: int, owner: Any, name: str, email: str) -> None:
        """A user, perhaps under a name or address that somebody has."""
        self.everywhere(owner, lambda unit: unit.users.add(user(number, owner, username=name, email=email)))

    @rule(
        number=NUMBERS,
        owner=ORGANIZATIONS,
        name=NAMES,
        version=st.integers(1, 3),
        state=st.sampled_from(UserState),
        roles=st.sampled_from([(), ("owner",), ("Owner", "admin")]),
    )
    def save_user(self, number: int, owner: Any, name: str, version: int, state: UserState, roles: Any) -> None:
        """A user in some version, perhaps not the stored one."""
        changed = user(number, owner, username=name, email="", version=version, state=state, roles=roles)
        self.everywhere(owner, lambda unit: unit.users.save(changed))

    @rule(number=NUMBERS, owner=ORGANIZATIONS, of_user=NUMBERS, version=st.integers(1, 2))
    def teams(self, number: int, owner: Any, of_user: int, version: int) -> None:
        """A team and a member, both perhaps there; then perhaps neither."""
        self.everywhere(owner, lambda unit: unit.teams.add(team(number, owner, name=f"team {of_user}")))
        self.everywhere(owner, lambda unit: unit.teams.add_member(membership(number, of_user, owner)))
        self.everywhere(owner, lambda unit: unit.teams.save(team(number, owner, name=f"team {of_user}")))
        self.everywhere(owner, lambda unit: unit.teams.remove(team(of_user).id, version))

    @rule(owner=ORGANIZATIONS, name=NAMES, version=st.integers(1, 2))
    def roles(self, owner: Any, name: str, version: int) -> None:
        """A role, kept, changed or removed."""
        self.everywhere(owner, lambda unit: unit.roles.add(role(name, owner)))
        self.everywhere(owner, lambda unit: unit.roles.save(role(name, owner, version=version)))
        self.everywhere(owner, lambda unit: unit.roles.remove(name, 1))

    @rule(kind=st.sampled_from(sorted(KINDS)), number=NUMBERS, owner=ORGANIZATIONS, again=st.booleans())
    def credential(self, kind: str, number: int, owner: Any, *, again: bool) -> None:
        """Something that lets somebody in, perhaps with a digest that is taken; then once more, changed or not."""
        item: Any = KINDS[kind](number, ACME if again else owner)  # type: ignore[operator]  # of different kinds
        self.everywhere(owner, lambda unit: getattr(unit, kind).add(replace(item, organization=owner)))
        self.everywhere(owner, lambda unit: getattr(unit, kind).save(replace(item, organization=owner)))

    @rule(owner=ORGANIZATIONS, number=NUMBERS, keep=st.booleans(), ends=st.integers(-1, 1))
    def revoke(self, owner: Any, number: int, *, keep: bool, ends: int) -> None:
        """What a user has, or what ended."""
        who, kept = user(number).id, token().session if keep else ""
        at = token().ends_at + timedelta(seconds=ends)
        for work in (
            lambda unit: unit.refresh_tokens.revoke_user(who, LATER, keep_session=kept),
            lambda unit: unit.api_keys.revoke_user(who, LATER),
            lambda unit: unit.grants.revoke_user(Purpose.RESET, who, LATER),
            lambda unit: unit.refresh_tokens.sweep(at),
            lambda unit: unit.grants.sweep(at - timedelta(days=30)),
        ):
            self.everywhere(owner, work)

    @rule(owner=ORGANIZATIONS, action=st.sampled_from(["user.created", "User.x", "user"]), again=st.booleans())
    def happen(self, owner: Any, action: str, *, again: bool) -> None:
        """An event at the end, or the last one once more."""

        async def work(unit: IdentityUnitOfWork) -> None:
            last = await unit.audit.last()
            await unit.audit.add(last if again and last else audit_event(last, owner, happening(action)))

        self.everywhere(owner, work)

    @invariant()
    def all_that_can_be_read_is_the_same(self) -> None:
        """By both organizations, and by who does not know one yet."""
        for owner in (ACME, OTHER):
            self.everywhere(owner, seen)
        self.same(located)


async def seen(unit: IdentityUnitOfWork) -> list[Any]:
    """What there is of everything."""
    found: list[Any] = [
        await unit.users.page(after=None, limit=2),
        await unit.users.page(after=None, limit=2, offset=1),
    ]
    found += [await unit.users.with_role("owner")]
    found += [await unit.users.page(after=None, limit=9, text=text) for text in ("STRASSE", "0%_", "n")]
    found += [await unit.teams.all(), await unit.roles.all(), await unit.invitations.page(after=None, limit=2)]
    found += [await unit.audit.read(after=0, limit=99), await unit.audit.head(), await unit.audit.last()]
    for number in (1, 2, 3):
        name = user(number).id
        found += [await unit.teams.members(team(number).id), await unit.teams.of_user(name)]
        found += [await unit.api_keys.of_user(name)]
        for owner in (ACME, OTHER):
            for ask in (
                unit.refresh_tokens.by_digest(token(number, owner).digest),
                unit.grants.by_digest(Purpose.RESET, grant(number, owner).digest),
            ):
                try:
                    found += [await ask]
                except NotFoundError as error:
                    found += [type(error)]
    return found


async def located(storage: Storage) -> list[Any]:
    """What the directory says."""
    directory = storage.accounts
    found: list[Any] = [await directory.organizations()]
    found += [await directory.by_username(name) for name in ("ann", "bob", "straße", "100%_sure")]
    found += [await directory.by_email(email) for email in ("", "a@x.example", "b@x.example")]
    for owner in (ACME, OTHER):
        for number in (1, 2, 3):
            found += [await directory.by_refresh_digest(token(number, owner).digest)]
            found += [await directory.by_api_key_digest(api_key(number, owner).digest)]
            found += [await directory.by_invitation_digest(invitation(number, owner).digest)]
            found += [await directory.by_grant_digest(Purpose.RESET, grant(number, owner).digest)]
    return found


SamePeople.TestCase.settings = settings(max_examples=8, stateful_step_count=12, suppress_health_check=list(HealthCheck))
TestSamePeople = SamePeople.TestCase
