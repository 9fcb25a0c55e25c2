"""Refresh families as a state machine: whatever clients, thieves and time do, a model of twenty lines says what is good."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from faultmaven_contract_tests.identity_installation import HOME
from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.policy import IdentityPolicy
from faultmaven_core.sessions.expiry import SessionLimits
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import UnauthenticatedError
from faultmaven_core.shared.ids import OrganizationId
from tests.unit.identity.memory import Memory

Result = TypeVar("Result")

IDLE, ABSOLUTE, GRACE = timedelta(days=14), timedelta(days=30), timedelta(seconds=10)


@dataclass
class Link:
    """A token as the model knows it."""

    text: str
    access: str
    born: datetime
    used: datetime | None = None
    successor: str = ""


@dataclass
class Family:
    """A sign-in as the model knows it."""

    began: datetime
    links: list[Link] = field(default_factory=list)
    dead: bool = False


class RefreshFamilies(RuleBasedStateMachine):
    """Signs in, refreshes with any token ever given, lets time pass, signs out."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
        self.families: list[Family] = []
        self.memory = Memory(Path(self.folder.name), self.clock)
        sessions = SessionLimits(timedelta(hours=12), timedelta(days=30), 100)
        policy = IdentityPolicy(OrganizationId("local"), dev_login=True, session=sessions)
        self.service = self.memory.people(policy).service

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """To its end."""
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        """Close what was opened."""
        self.run(self.service.aclose())
        self.run(self.memory.aclose())
        self.loop.close()
        self.folder.cleanup()

    @rule()
    def sign_in(self) -> None:
        """A new family."""
        if len(self.families) < 6:
            self.clock.advance(timedelta(minutes=1))
            pair = self.run(self.service.dev_login(c.DevLogin("dev"), HOME))
            family = Family(self.clock.now())
            family.links.append(self._link(pair))
            self.families.append(family)

    @rule(
        passed=st.sampled_from(
            [timedelta(seconds=1), timedelta(seconds=9), timedelta(seconds=11), timedelta(hours=13), timedelta(days=8)]
        )
    )
    def time_passes(self, passed: timedelta) -> None:
        """Around the limits that matter."""
        self.clock.advance(passed)

    @precondition(lambda self: self.families)
    @rule(data=st.data())
    def refresh(self, data: st.DataObject) -> None:
        """Somebody presents any token that was ever given, perhaps several times at once."""
        family = data.draw(st.sampled_from(self.families))
        link = data.draw(st.sampled_from(family.links))
        times = data.draw(st.sampled_from([1, 1, 3]))

        async def present() -> list[v.TokenPair | BaseException]:
            calls = (self.service.refresh(c.Refresh(link.text), HOME) for _ in range(times))
            return await asyncio.gather(*calls, return_exceptions=True)

        answers = self.run(present())
        pairs = [answer for answer in answers if isinstance(answer, v.TokenPair)]
        refused = [answer for answer in answers if not isinstance(answer, v.TokenPair)]
        assert all(isinstance(each, UnauthenticatedError) for each in refused), refused
        now = self.clock.now()
        over = now >= family.began + ABSOLUTE
        if family.dead or over:
            assert not pairs
        elif link.used is not None and now - link.used > GRACE:
            assert not pairs
            family.dead = True
        elif link.used is not None:
            assert {pair.refresh_token for pair in pairs} == {link.successor}
            assert not refused
        elif now >= link.born + IDLE:
            assert not pairs
        else:
            assert len({pair.refresh_token for pair in pairs}) == 1
            assert not refused
            link.used, link.successor = now, pairs[0].refresh_token
            family.links.append(self._link(pairs[0]))

    @precondition(lambda self: any(not family.dead for family in self.families))
    @rule(data=st.data())
    def sign_out(self, data: st.DataObject) -> None:
        """One sign-in ends, by an access token that is good."""
        family = data.draw(st.sampled_from([each for each in self.families if not each.dead]))
        try:
            principal = self.run(self.service.authenticate(family.links[-1].access))
        except UnauthenticatedError:
            return
        self.run(self.service.logout(c.LogOut(everywhere=False), principal))
        family.dead = True

    @invariant()
    def a_dead_family_opens_nothing(self) -> None:
        """No access token of it is good, whenever it was issued."""
        for family in self.families:
            if family.dead:
                for link in family.links[-2:]:
                    try:
                        self.run(self.service.authenticate(link.access))
                    except UnauthenticatedError:
                        continue
                    raise AssertionError("an access token outlived its family")

    @invariant()
    def a_family_has_one_unused_token_at_most(self) -> None:
        """What 50 parallel refreshes or a thief could break."""
        for family in self.families:
            assert sum(link.used is None for link in family.links) <= 1

    def _link(self, pair: v.TokenPair) -> Link:
        return Link(pair.refresh_token, pair.access_token, self.clock.now())


TestRefreshFamilies = RefreshFamilies.TestCase
TestRefreshFamilies.settings = settings(
    max_examples=25, stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow]
)
