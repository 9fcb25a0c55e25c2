"""Users, organizations and roles against a model: whoever does what to whom, service and model give the same answer (N-7)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from faultmaven_contract_tests.identity_installation import PASSWORD
from faultmaven_core.identity import commands as c
from faultmaven_core.identity.model import Principal
from faultmaven_core.identity.permissions import BUILT_IN
from faultmaven_core.identity.policy import IdentityPolicy, SignInLimits
from faultmaven_core.ports.rate_limit import RateLimit
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import FaultMavenError, UnauthenticatedError
from faultmaven_core.shared.ids import OrganizationId
from tests.unit.identity.memory import Memory

Result = TypeVar("Result")
ROLES = ("owner", "admin", "member", "viewer")


@dataclass
class Person:
    """A user as the model knows him: `signed_in` is whether the token that he holds is good."""

    id: str
    name: str
    organization: str
    role: str
    token: str = ""
    state: str = "active"
    signed_in: bool = False

    @property
    def rights(self) -> frozenset[str]:
        """What he may do."""
        return BUILT_IN[self.role]


class Organizations(RuleBasedStateMachine):
    """Several organizations whose people hire, promote, disable and remove each other, and try it across them."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.memory = Memory(Path(self.folder.name), FixedClock(datetime(2026, 3, 1, tzinfo=UTC)))
        plenty = RateLimit(10_000, timedelta(minutes=5), 10_000)
        limits = SignInLimits(*(plenty,) * 6)
        self.people = self.memory.people(IdentityPolicy(OrganizationId("local"), limits=limits))
        self.persons: list[Person] = []

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """To its end."""
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        """Close what was opened."""
        self.run(self.people.service.aclose())
        self.run(self.memory.aclose())
        self.loop.close()
        self.folder.cleanup()

    def person(self, data: st.DataObject) -> Person:
        """Anybody."""
        return data.draw(st.sampled_from(self.persons))

    @precondition(lambda self: len({person.organization for person in self.persons}) < 3)
    @rule()
    def found(self) -> None:
        """Somebody signs up."""
        name = f"p{len(self.persons)}"
        user = self.run(self.people.sign_up(name)).user
        self.persons.append(Person(user.user_id, name, user.organization_id, "owner"))

    @precondition(lambda self: self.persons)
    @rule(data=st.data(), role=st.sampled_from(ROLES))
    def hire(self, data: st.DataObject, role: str) -> None:
        """Somebody makes a user."""
        actor, name = self.person(data), f"p{len(self.persons)}"
        allowed = "user:write" in actor.rights and BUILT_IN[role] <= actor.rights
        command = c.CreateUser(name, password=PASSWORD, roles=(role,))
        if self.does(actor, allowed, lambda who: self.people.service.users.create(command, who)):
            found = self.run(self.people.directory.by_username(name))
            assert found is not None
            self.persons.append(Person(found.user, name, actor.organization, role))

    @precondition(lambda self: self.persons)
    @rule(data=st.data())
    def sign_in(self, data: st.DataObject) -> None:
        """With the right password, whoever may."""
        person = self.person(data)
        try:
            person.token = self.run(self.people.sign_in(person.name)).access_token
        except UnauthenticatedError:
            assert person.state != "active"
        else:
            assert person.state == "active"
            person.signed_in = True

    @precondition(lambda self: self.persons)
    @rule(data=st.data(), role=st.sampled_from(ROLES))
    def promote(self, data: st.DataObject, role: str) -> None:
        """Somebody gives somebody a role."""
        actor, target = self.person(data), self.person(data)
        allowed = self.may_change(actor, target) and target.state == "active" and BUILT_IN[role] <= actor.rights
        allowed = allowed and (role == "owner" or not self.is_last_owner(target))
        command = c.SetRoles(target.id, (role,))
        if self.does(actor, allowed, lambda who: self.people.service.users.set_roles(command, who)):
            target.role = role

    @precondition(lambda self: self.persons)
    @rule(data=st.data(), what=st.sampled_from(["disabled", "active", "deleted"]))
    def change_state(self, data: st.DataObject, what: str) -> None:
        """Somebody disables, enables or removes somebody."""
        actor, target = self.person(data), self.person(data)
        users = self.people.service.users
        allowed = self.may_change(actor, target) and (what == "active" or not self.is_last_owner(target))
        calls = {
            "disabled": lambda who: users.disable(c.DisableUser(target.id), who),
            "active": lambda who: users.enable(c.EnableUser(target.id), who),
            "deleted": lambda who: users.delete(c.DeleteUser(target.id), who),
        }
        if self.does(actor, allowed, calls[what]):
            target.state = what
            target.signed_in = target.signed_in and what == "active"

    def may_change(self, actor: Person, target: Person) -> bool:
        """Whether the model lets one change the other."""
        near = actor.organization == target.organization and target.state != "deleted"
        return near and "user:write" in actor.rights and target.rights <= actor.rights

    def is_last_owner(self, person: Person) -> bool:
        """Whether nobody else owns the organization and may come in."""
        owners = [
            other.id
            for other in self.persons
            if (other.organization, other.role, other.state) == (person.organization, "owner", "active")
        ]
        return owners == [person.id]

    def does(self, actor: Person, allowed: bool, call: Any) -> bool:
        """Whether it happened; it must exactly where the model allows it and the actor's token is good."""

        async def attempt() -> bool:
            try:
                principal: Principal = await self.people.service.authenticate(actor.token)
                if not principal.may("user:write"):
                    return False
                await call(principal)
            except FaultMavenError:
                return False
            return True

        happened = self.run(attempt())
        assert happened is (allowed and actor.signed_in), (actor, allowed)
        return happened

    @invariant()
    def everybody_who_is_signed_in_may_what_his_role_allows(self) -> None:
        """And nobody else gets in by the token that he holds."""
        for person in self.persons:
            try:
                principal = self.run(self.people.service.authenticate(person.token))
            except UnauthenticatedError:
                assert not person.signed_in, person
            else:
                assert person.signed_in, person
                assert principal.permissions == person.rights
                assert principal.caller.organization == person.organization

    @invariant()
    def each_organization_sees_its_own_people(self) -> None:
        """All of them, and nobody else's."""
        for organization in {person.organization for person in self.persons}:
            operator = self.people.service.installation.operator(organization)
            users = self.run(self.people.service.users.list(c.ListUsers(limit=1000), operator)).users
            seen = {(user.user_id, user.roles[0], user.state) for user in users}
            assert seen == {
                (person.id, person.role, person.state)
                for person in self.persons
                if person.organization == organization and person.state != "deleted"
            }


TestOrganizations = Organizations.TestCase
TestOrganizations.settings = settings(max_examples=25, stateful_step_count=25, suppress_health_check=list(HealthCheck))
