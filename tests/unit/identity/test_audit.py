"""The audit log: every change in it, and no way to change it unseen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_contract_tests.identity_installation import OTHER_PASSWORD, PASSWORD, People
from faultmaven_core.identity import commands as c
from faultmaven_core.identity.audit_chain import AuditEvent, Happening, first_broken, following
from faultmaven_core.identity.ports import AuditRepository
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import OrganizationId

ACME = OrganizationId("acme")


def chain(length: int) -> list[AuditEvent]:
    """Events that follow from each other."""
    events: list[AuditEvent] = []
    for number in range(length):
        happening = Happening("user.created", "a", f"usr_{number}", detail={"n": str(number)})
        at = datetime(2026, 1, 1, tzinfo=UTC)
        events.append(following(events[-1] if events else None, ACME, UUID(int=number), at, happening))
    return events


@given(st.integers(1, 8), st.data())
def test_any_edit_removal_or_new_order_shows(length: int, data: st.DataObject) -> None:
    """O-5: and where it shows first."""
    events = chain(length)
    assert first_broken(events) == 0
    place = data.draw(st.integers(0, length - 1))
    edited = [*events]
    how = data.draw(st.sampled_from(["detail", "at", "actor", "organization", "digest"]))
    event = events[place]
    edited[place] = {
        "detail": replace(event, happening=replace(event.happening, detail={"n": "x"})),
        "actor": replace(event, happening=replace(event.happening, actor="b")),
        "at": replace(event, at=datetime(2026, 1, 2, tzinfo=UTC)),
        "organization": replace(event, organization=OrganizationId("other")),
        "digest": replace(event, digest="0" * 64),
    }[how]
    assert first_broken(edited) == place + 1
    if place < length - 1:
        assert first_broken(events[:place] + events[place + 1 :])
        assert first_broken(events[place + 1 :], events[place]) == 0
        swapped = [*events]
        swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
        assert first_broken(swapped) == place + 1


async def test_every_change_of_identity_is_in_the_log(people: People) -> None:
    """O-4: who did what to whom."""
    owner = await people.principal(await people.sign_up("ann"))
    service = people.service
    bob = await service.users.create(c.CreateUser("bob", password=PASSWORD), owner)
    team = await service.teams.create(c.CreateTeam("ops"), owner)
    key = await service.api_keys.create(c.CreateApiKey("x"), owner)
    await service.teams.add_member(c.AddMember(team.team_id, bob.user_id), owner)
    await service.teams.change(c.ChangeTeam(team.team_id, name="sre"), owner)
    await service.teams.remove_member(c.RemoveMember(team.team_id, bob.user_id), owner)
    await service.teams.delete(c.DeleteTeam(team.team_id), owner)
    await service.organizations.change(c.ChangeOrganization("Acme"), owner)
    await service.organizations.save_role(c.SaveRole("reader", ("case:read",)), owner)
    await service.organizations.delete_role(c.DeleteRole("reader"), owner)
    await service.users.set_roles(c.SetRoles(bob.user_id, ("viewer",)), owner)
    await service.users.set_password(c.SetPassword(bob.user_id, OTHER_PASSWORD), owner)
    await service.users.disable(c.DisableUser(bob.user_id), owner)
    await service.users.enable(c.EnableUser(bob.user_id), owner)
    await service.users.delete(c.DeleteUser(bob.user_id), owner)
    await service.api_keys.revoke(c.RevokeApiKey(key.api_key.api_key_id), owner)
    await service.passwords.change(c.ChangePassword(PASSWORD, OTHER_PASSWORD), owner)
    await service.logout(c.LogOut(), owner)
    events = (await people.actions(owner))[3:]
    assert [event.action for event in events] == [
        *("user.created", "team.created", "api_key.created", "team.member_added", "team.changed"),
        *("team.member_removed", "team.deleted", "organization.changed", "role.saved", "role.deleted"),
        *("user.roles_changed", "password.set", "user.disabled", "user.enabled", "user.deleted"),
        *("api_key.revoked", "password.changed", "user.signed_out"),
    ]
    assert {event.actor for event in events} == {owner.caller.user}
    assert {event.address for event in events} == {"192.0.2.10"}
    assert PASSWORD not in str(events)
    assert OTHER_PASSWORD not in str(events)
    assert key.secret not in str(events)


async def test_a_change_that_is_refused_is_not_in_the_log_as_done(people: People) -> None:
    """Both are in one unit of work."""
    owner = await people.principal(await people.sign_up("ann"))
    before = len(await people.actions(owner))
    with pytest.raises(Exception, match="at least one owner"):
        await people.service.users.delete(c.DeleteUser(owner.caller.user), owner)
    assert len(await people.actions(owner)) == before


async def test_the_log_is_paged_and_asked_by_actor_action_and_target(people: People) -> None:
    """Oldest first."""
    owner = await people.principal(await people.sign_up("ann"))
    await people.sign_in("ann")
    first = await people.service.audit.list(c.ReadAudit(limit=2), owner)
    rest = await people.service.audit.list(c.ReadAudit(after=first.next or 0), owner)
    assert [event.sequence for event in (*first.events, *rest.events)] == [1, 2, 3, 4]
    assert rest.next is None
    signed = await people.service.audit.list(c.ReadAudit(action="user.signed_in"), owner)
    assert [event.sequence for event in signed.events] == [3, 4]
    users = await people.service.audit.list(c.ReadAudit(action="user", target=owner.caller.user), owner)
    assert [event.sequence for event in users.events] == [2, 3, 4]
    assert (await people.service.audit.list(c.ReadAudit(actor="somebody"), owner)).events == ()


async def test_another_organization_has_a_log_of_its_own(people: People) -> None:
    """N-5."""
    ann = await people.principal(await people.sign_up("ann"))
    eve = await people.principal(await people.sign_up("eve"))
    assert ann.caller.organization not in str(await people.actions(eve))
    assert [event.sequence for event in await people.actions(eve)] == [1, 2, 3]


async def test_the_log_is_verified_to_its_end(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """O-5: an edit in its middle shows, and so does an end that was cut off."""
    owner = await people.principal(await people.sign_up("ann"))
    verified = await people.service.audit.verify(owner.caller)
    assert (verified.events, verified.intact, verified.broken_at) == (3, True, 0)
    nothing = await people.service.audit.verify(people.service.installation.operator().caller)
    assert (nothing.events, nothing.intact) == (0, True)
    async with people.units(owner.caller.organization, read_only=True) as unit:
        kind: type[AuditRepository] = type(unit.audit)
    read = kind.read

    async def edited(self: AuditRepository, *, after: int, limit: int) -> list[AuditEvent]:
        events = list(await read(self, after=after, limit=limit))
        return [
            replace(event, at=datetime(2020, 1, 1, tzinfo=UTC)) if event.sequence == 2 else event for event in events
        ]

    async def cut(self: AuditRepository, *, after: int, limit: int) -> list[AuditEvent]:
        return [event for event in await read(self, after=after, limit=limit) if event.sequence < 3]

    for tampered, place in ((edited, 2), (cut, 3)):
        monkeypatch.setattr(kind, "read", tampered)
        found = await people.service.audit.verify(owner.caller)
        assert (found.intact, found.broken_at) == (False, place)


@pytest.mark.parametrize("after", [-1, 2**63, 10**30])
async def test_a_place_that_no_log_has_is_refused(people: People, after: int) -> None:
    """Databases count so far and no further."""
    owner = await people.principal(await people.sign_up("ann"))
    with pytest.raises(InvalidInputError):
        await people.service.audit.list(c.ReadAudit(after=after), owner)
    assert not (await people.service.audit.list(c.ReadAudit(after=2**63 - 1), owner)).events
