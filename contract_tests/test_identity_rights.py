"""Random organizations, people and roles: who comes in, what he may do and whom he can change is what a small model says."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from faultmaven_adapters.mail.memory import MemoryMailer
from faultmaven_adapters.passwords.argon2 import Argon2Passwords
from faultmaven_adapters.passwords.common import CommonPasswords
from faultmaven_adapters.ratelimit.memory import MemoryRateLimiter
from faultmaven_adapters.sessions.memory import MemorySessionStore
from faultmaven_adapters.tokens.jose import JoseTokens
from faultmaven_adapters.tokens.key_folder import KeyFolder
from faultmaven_contract_tests.samples import START, Storage
from faultmaven_core.identity import commands as c
from faultmaven_core.identity.api_keys import new_key
from faultmaven_core.identity.credentials import ApiKey, api_key_id, digest
from faultmaven_core.identity.model import Principal
from faultmaven_core.identity.permissions import ALL, BUILT_IN
from faultmaven_core.identity.policy import IdentityPolicy
from faultmaven_core.identity.service import IdentityService
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import (
    ConflictError,
    FaultMavenError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionFailedError,
    UnauthenticatedError,
)
from faultmaven_core.shared.ids import OrganizationId, RandomIds, UserId
from storages import OPENERS

WHO = st.integers(0, 7)
ROLES = st.lists(st.sampled_from([*BUILT_IN, "on-call", "night"]), max_size=2, unique=True).map(tuple)
PERMISSIONS = st.lists(st.sampled_from(sorted(ALL)), max_size=3, unique=True).map(tuple)
NAMES = st.sampled_from(["on-call", "night", "owner"])

Outcome = type[FaultMavenError] | None


@dataclass
class Person:
    """A user as the model knows him; `key` is an API key of his that would allow everything."""

    id: UserId
    organization: str
    roles: tuple[str, ...]
    key: str
    state: str = "active"


@dataclass
class Model:
    """All that decides who may do what."""

    people: list[Person] = field(default_factory=list)
    custom: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    suspended: set[str] = field(default_factory=set)

    def allowed(self, organization: str, roles: Iterable[str]) -> frozenset[str]:
        """What these roles allow in an organization."""
        none: frozenset[str] = frozenset()
        return none.union(*(BUILT_IN.get(name) or self.custom.get((organization, name), none) for name in roles))

    def rights(self, person: Person) -> frozenset[str] | None:
        """What somebody may do; None where he does not come in."""
        if person.state != "active" or person.organization in self.suspended:
            return None
        return self.allowed(person.organization, person.roles)

    def reach(self, actor: Person, target: Person) -> Outcome:
        """Whether somebody can be changed at all."""
        if target.organization != actor.organization or target.state == "deleted":
            return NotFoundError
        held = self.allowed(actor.organization, actor.roles)
        return None if self.allowed(target.organization, target.roles) <= held else PermissionDeniedError

    def give(self, actor: Person, roles: tuple[str, ...]) -> Outcome:
        """Whether somebody can be given these roles."""
        if any(name not in BUILT_IN and (actor.organization, name) not in self.custom for name in roles):
            return InvalidInputError
        held = self.allowed(actor.organization, actor.roles)
        return None if self.allowed(actor.organization, roles) <= held else PermissionDeniedError

    def leave(self, target: Person) -> Outcome:
        """Whether an organization can do without this owner."""
        if "owner" not in target.roles or target.state != "active":
            return None
        others = [one for one in self.people if one.organization == target.organization and one is not target]
        return (
            None if any("owner" in one.roles and one.state == "active" for one in others) else PreconditionFailedError
        )

    def save(self, actor: Person, name: str, asked: frozenset[str]) -> Outcome:
        """Whether a role can be made so."""
        if name in BUILT_IN:
            return ConflictError
        before = self.custom.get((actor.organization, name), frozenset())
        return None if asked | before <= self.allowed(actor.organization, actor.roles) else PermissionDeniedError

    def drop(self, actor: Person, name: str) -> Outcome:
        """Whether a role can be removed."""
        if name in BUILT_IN or (actor.organization, name) not in self.custom:
            return NotFoundError
        held = [one for one in self.people if one.organization == actor.organization and name in one.roles]
        return ConflictError if any(one.state != "deleted" for one in held) else None


class Rights(RuleBasedStateMachine):
    """Each rule is somebody's attempt, which must end as the model says."""

    def __init__(self) -> None:
        super().__init__()
        self.runner, self.stack = asyncio.Runner(), AsyncExitStack()
        self.folder, self.clock, self.model = Path(tempfile.mkdtemp()), FixedClock(START), Model()
        self.steps = 0
        self.ids = RandomIds(self.clock)
        self.storage: Storage = self.runner.run(self.stack.enter_async_context(OPENERS["sqlite"](self.folder)))
        keys, hasher = KeyFolder(self.folder / "keys", self.clock), Argon2Passwords(memory_kib=8, passes=1)
        self.stack.push_async_callback(keys.aclose)
        self.stack.push_async_callback(hasher.aclose)
        self.service = IdentityService(
            units=self.storage.identity,
            directory=self.storage.accounts,
            sessions=MemorySessionStore(self.clock),
            hasher=hasher,
            tokens=JoseTokens(keys, "https://fm.example", self.clock),
            keys=keys,
            limiter=MemoryRateLimiter(self.clock),
            mailer=MemoryMailer(),
            clock=self.clock,
            ids=self.ids,
            policy=IdentityPolicy(OrganizationId("local")),
            common=CommonPasswords(),
        )

    def teardown(self) -> None:
        """Everything is closed, whatever the steps found."""
        self.runner.run(self.stack.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    def person(self, number: int) -> Person:
        """One of those there are."""
        return self.model.people[number % len(self.model.people)]

    def attempt(self, work: Awaitable[Any], expected: Outcome) -> Any:
        """What an attempt gives, which ends as expected."""

        async def tried() -> tuple[Any, Outcome]:
            try:
                return await work, None
            except FaultMavenError as error:
                return None, type(error)

        answer, ended = self.runner.run(tried())
        assert ended is expected
        return answer

    def principal(self, actor: Person) -> Principal | None:
        """The actor, if he comes in."""
        rights = self.model.rights(actor)
        return self.attempt(  # type: ignore[no-any-return]  # a principal or nobody
            self.service.authenticate(actor.key), UnauthenticatedError if rights is None else None
        )

    def met(self, user_id: str, organization: str, roles: tuple[str, ...]) -> None:
        """Remember a new user, and give him a key."""
        text, key = new_key(), self.ids.new()

        async def keep() -> None:
            async with self.storage.identity(OrganizationId(organization)) as unit:
                every, end = tuple(sorted(ALL)), self.clock.now().replace(year=2099)
                user = UserId(user_id)
                made = ApiKey(
                    key, api_key_id(key), OrganizationId(organization), user, "k", digest(text), "", every, START, end
                )
                await unit.api_keys.add(made)
                await unit.commit()

        self.runner.run(keep())
        self.model.people.append(Person(UserId(user_id), organization, roles, text))

    @initialize()
    def two_organizations(self) -> None:
        """Each with an owner; one has people of every kind, and a role that only some may touch."""
        for name in ("one", "two"):
            view = self.attempt(self.service.installation.create_organization(c.CreateOrganization(name, name)), None)
            self.met(view.user_id, view.organization_id, view.roles)
        self.define(0, "on-call", ("organization:delete", "case:read"))
        for roles in (("admin",), ("member",), ("viewer", "on-call"), ("owner",)):
            self.hire(0, roles)

    @rule(actor=WHO, roles=ROLES)
    def hire(self, actor: int, roles: tuple[str, ...]) -> None:
        """Somebody new, with roles that may be too much or none."""
        boss, number = self.person(actor), len(self.model.people)
        if (who := self.principal(boss)) is not None:
            command = c.CreateUser(f"user{number}", roles=roles)
            view = self.attempt(self.service.users.create(command, who), self.model.give(boss, roles))
            if view is not None:
                self.met(view.user_id, boss.organization, roles)

    @rule(actor=WHO, whom=WHO, roles=ROLES)
    def promote(self, actor: int, whom: int, roles: tuple[str, ...]) -> None:
        """Somebody, perhaps of the other organization, perhaps the last owner, perhaps oneself."""
        boss, other, model = self.person(actor), self.person(whom), self.model
        if (who := self.principal(boss)) is None:
            return
        expected = model.reach(boss, other)
        if expected is None and other.state != "active":
            expected = PreconditionFailedError
        expected = expected or model.give(boss, roles) or (None if "owner" in roles else model.leave(other))
        if self.attempt(self.service.users.set_roles(c.SetRoles(other.id, roles), who), expected):
            other.roles = roles

    @rule(actor=WHO, whom=WHO, what=st.sampled_from(["disable", "enable", "delete"]))
    def change(self, actor: int, whom: int, what: str) -> None:
        """Somebody is let in no more, again, or never."""
        boss, other = self.person(actor), self.person(whom)
        if (who := self.principal(boss)) is None:
            return
        users = self.service.users
        attempts: dict[str, Callable[[], Awaitable[Any]]] = {
            "disable": lambda: users.disable(c.DisableUser(other.id), who),
            "enable": lambda: users.enable(c.EnableUser(other.id), who),
            "delete": lambda: users.delete(c.DeleteUser(other.id), who),
        }
        expected = self.model.reach(boss, other) or (None if what == "enable" else self.model.leave(other))
        if self.attempt(attempts[what](), expected):
            other.state = {"disable": "disabled", "enable": "active", "delete": "deleted"}[what]
            other.roles = () if what == "delete" else other.roles

    @rule(actor=WHO, name=NAMES, asked=PERMISSIONS)
    def define(self, actor: int, name: str, asked: tuple[str, ...]) -> None:
        """A role, new or there already."""
        boss = self.person(actor)
        if (who := self.principal(boss)) is not None:
            expected = self.model.save(boss, name, frozenset(asked))
            if self.attempt(self.service.organizations.save_role(c.SaveRole(name, asked), who), expected):
                self.model.custom[boss.organization, name] = frozenset(asked)

    @rule(actor=WHO, name=NAMES)
    def undefine(self, actor: int, name: str) -> None:
        """A role, perhaps one that somebody has."""
        boss = self.person(actor)
        if (who := self.principal(boss)) is not None:
            work = self.service.organizations.delete_role(c.DeleteRole(name), who)
            if self.attempt(work, self.model.drop(boss, name)):
                del self.model.custom[boss.organization, name]

    @rule(whom=WHO, suspended=st.sampled_from([False, False, True]))
    def suspend(self, whom: int, *, suspended: bool) -> None:
        """A whole organization, by who works at the machine."""
        organization = self.person(whom).organization
        operator = self.service.installation.operator(organization)
        self.attempt(self.service.organizations.suspend(c.SuspendOrganization(suspended), operator), None)
        (self.model.suspended.add if suspended else self.model.suspended.discard)(organization)

    @invariant()
    def everybody_may_what_the_model_says(self) -> None:
        """By a key that would allow more; and nobody sees anybody of another organization."""
        for person in self.model.people:
            who = self.principal(person)
            if who is not None:
                assert who.permissions == self.model.rights(person)
                self.steps += 1
                other = self.person(self.steps)
                there = other.organization == person.organization and other.state != "deleted"
                self.attempt(self.service.users.show(c.ShowUser(other.id), who), None if there else NotFoundError)


Rights.TestCase.settings = settings(max_examples=10, stateful_step_count=30, suppress_health_check=list(HealthCheck))
TestRights = Rights.TestCase
