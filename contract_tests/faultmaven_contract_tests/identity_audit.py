"""What every audit log promises: one chain per organization, in order, that nobody can rewrite."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.identity_samples import audit_event, happening, user
from faultmaven_contract_tests.nasty import TEXTS
from faultmaven_contract_tests.samples import ACME, OTHER, Storage, key
from faultmaven_core.identity.audit_chain import AuditEvent, Happening, Outcome, first_broken
from faultmaven_core.identity.ports import AuditHead, AuditQuery
from faultmaven_core.shared.errors import AlreadyExistsError
from faultmaven_core.shared.ids import OrganizationId

SOME = (
    happening("user.created"),
    happening("user.created.again", actor="", target=""),
    happening("users.listed"),
    happening("user"),
    happening("User.created", actor="other"),
    happening("user_created", target="other"),
)


async def write(
    storage: Storage, *happenings: Happening, organization: OrganizationId = ACME, commit: bool = True
) -> None:
    """What happened, one after another, each in a unit of its own."""
    for what in happenings:
        async with storage.identity(organization) as unit:
            await unit.audit.add(audit_event(await unit.audit.last(), organization, what))
            if commit:
                await unit.commit()


async def log(storage: Storage, organization: OrganizationId = ACME) -> list[AuditEvent]:
    """All events."""
    async with storage.identity(organization, read_only=True) as unit:
        return list(await unit.audit.read(after=0, limit=1000))


class AuditContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    async def test_every_event_comes_back_whole_and_in_order(self, subject: Storage) -> None:
        """So the chain holds after it was stored, whatever the details are; each organization has its own."""
        texts = [happening(detail={text[:40]: text, "b": text}) for text in TEXTS]
        await write(subject, *texts, replace(happening(), detail={}, outcome=Outcome.SUCCESS))
        await write(subject, happening(), organization=OTHER)
        events = await log(subject)
        assert [event.happening.detail for event in events[:-1]] == [text.detail for text in texts]
        assert [event.sequence for event in events] == list(range(1, len(TEXTS) + 2))
        assert first_broken(events) == 0
        assert first_broken(await log(subject, OTHER)) == 0
        async with subject.identity(ACME) as unit:
            assert await unit.audit.last() == events[-1]

    async def test_the_head_says_how_far_the_log_went(self, subject: Storage) -> None:
        """Kept beside it and moved in the same transaction."""
        async with subject.identity(ACME, read_only=True) as unit:
            assert await unit.audit.head() is None
            assert await unit.audit.last() is None
        await write(subject, *SOME)
        await write(subject, happening(), commit=False)
        newest = (await log(subject))[-1]
        async with subject.identity(ACME, read_only=True) as unit:
            assert await unit.audit.head() == AuditHead(len(SOME), newest.digest)
        async with subject.identity(OTHER, read_only=True) as unit:
            assert await unit.audit.head() is None

    async def test_of_many_who_write_at_once_none_takes_anothers_place(self, subject: Storage) -> None:
        """Who asks for the last one in order to follow it is alone until the end of the unit."""
        await asyncio.gather(*(write(subject, happening(f"user.{number}")) for number in range(12)))
        events = await log(subject)
        assert first_broken(events) == 0
        assert {event.happening.action for event in events} == {f"user.{number}" for number in range(12)}

    async def test_a_place_is_taken_once(self, subject: Storage) -> None:
        """As a key is."""
        await write(subject, happening())
        first = (await log(subject))[0]
        for twin in (replace(first, key=key(1)), replace(audit_event(first), key=first.key)):
            async with subject.identity(ACME) as unit:
                with pytest.raises(AlreadyExistsError):
                    await unit.audit.add(twin)

    async def test_events_are_asked_for_by_actor_action_and_target(self, subject: Storage) -> None:
        """An action stands for all below it; case and signs of patterns count."""
        await write(subject, *SOME)
        for query, found in (
            (AuditQuery(), {1, 2, 3, 4, 5, 6}),
            (AuditQuery(action="user"), {1, 2, 4}),
            (AuditQuery(action="user.created"), {1, 2}),
            (AuditQuery(action="user.create"), set()),
            (AuditQuery(action="user_created"), {6}),
            (AuditQuery(action="%"), set()),
            (AuditQuery(actor="other"), {5}),
            (AuditQuery(target="other"), {6}),
            (AuditQuery(actor=user().id, action="user", target=user(2).id), {1, 4}),
        ):
            async with subject.identity(ACME, read_only=True) as unit:
                events = await unit.audit.read(after=0, limit=99, query=query)
                later = await unit.audit.read(after=2, limit=1, query=query)
            assert {event.sequence for event in events} == found, query
            assert [event.sequence for event in later] == sorted(found - {1, 2})[:1], query

    async def test_a_forged_event_shows(self, subject: Storage) -> None:
        """At its place, however it was put there."""
        await write(subject, *SOME)
        last = (await log(subject))[-1]
        forged = replace(audit_event(last), happening=happening("user.deleted"))
        async with subject.identity(ACME) as unit:
            await unit.audit.add(forged)
            await unit.commit()
        assert first_broken(await log(subject)) == len(SOME) + 1
