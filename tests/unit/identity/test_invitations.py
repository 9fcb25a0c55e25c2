"""Invitations: bound to an organization, an address and roles; good once, for a while, and only while the inviter may."""

from __future__ import annotations

import pytest

from faultmaven_contract_tests.identity_installation import ELSEWHERE, HOME, PASSWORD, People
from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.model import Principal
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError, PermissionDeniedError


async def invited(people: People, owner: Principal, *roles: str) -> v.InvitationCreated:
    """Bob, by mail."""
    command = c.Invite("Bob@Example.org", roles or ("member",))
    return await people.service.invitations.invite(command, owner)


async def worthless(people: People, token: str) -> None:
    """Nobody gets in by it, and all hear the same."""
    with pytest.raises(InvalidInputError, match="This invitation is unknown, was decided already"):
        await people.sign_up("late", invitation=token)


async def test_who_is_invited_joins_with_the_roles_that_he_was_promised(people: People) -> None:
    """A-8: by the text of the letter, with the invited address."""
    owner = await people.principal(await people.sign_up("ann"))
    made = await invited(people, owner)
    letters = await people.post()
    assert [(letter.to, made.token in letter.text) for letter in letters] == [("bob@example.org", True)]
    assert made.token not in repr(made)
    bob = await people.sign_up("bob", invitation=made.token)
    assert bob.user.organization_id == owner.caller.organization
    assert (bob.user.email, bob.user.roles) == ("bob@example.org", ("member",))
    await worthless(people, made.token)
    listed = await people.service.invitations.list(c.ListInvitations(), owner)
    assert [(each.state, each.email) for each in listed.invitations] == [("accepted", "bob@example.org")]


async def test_an_invitation_is_for_one_address(people: People) -> None:
    """A-8: whoever names another one does not join; the invitation stays good."""
    owner = await people.principal(await people.sign_up("ann"))
    made = await invited(people, owner)
    with pytest.raises(InvalidInputError, match="another address"):
        await people.sign_up("eve", email="eve@example.org", invitation=made.token)
    assert await people.sign_up("bob", email="BOB@example.org", invitation=made.token)


async def test_an_invitation_ends_by_its_time(people: People) -> None:
    """A-8: and says so."""
    owner = await people.principal(await people.sign_up("ann"))
    made = await invited(people, owner)
    people.later(days=7)
    await worthless(people, made.token)
    owner = await people.principal(await people.sign_in("ann"))
    listed = await people.service.invitations.list(c.ListInvitations(), owner)
    assert [each.state for each in listed.invitations] == ["expired"]


async def test_an_invitation_is_declined_or_taken_back(people: People) -> None:
    """A-8: once; both are decisions."""
    owner = await people.principal(await people.sign_up("ann"))
    declined, revoked = await invited(people, owner), await invited(people, owner)
    await people.service.invitations.decline(c.DeclineInvitation(declined.token), ELSEWHERE)
    name = revoked.invitation.invitation_id
    assert (await people.service.invitations.revoke(c.RevokeInvitation(name), owner)).state == "revoked"
    for made in (declined, revoked):
        await worthless(people, made.token)
        with pytest.raises(InvalidInputError):
            await people.service.invitations.decline(c.DeclineInvitation(made.token), ELSEWHERE)
        with pytest.raises(InvalidInputError):
            await people.service.invitations.revoke(c.RevokeInvitation(made.invitation.invitation_id), owner)
    actions = [event.action for event in await people.actions(owner, "invitation")]
    assert actions == ["invitation.created", "invitation.created", "invitation.declined", "invitation.revoked"]


async def test_an_invitation_promises_no_more_than_its_inviter_has_when_it_is_accepted(people: People) -> None:
    """A-8: rights that he lost meanwhile are not passed on, nor any once he may not come in."""
    owner = await people.principal(await people.sign_up("ann"))
    admin = await people.principal(await people.join(owner, "carl", "admin"))
    tokens = [(await invited(people, admin, "admin")).token, (await invited(people, admin, "viewer")).token]
    await people.service.users.set_roles(c.SetRoles(admin.caller.user, ("member",)), owner)
    for token in tokens:
        await worthless(people, token)
    await people.service.users.set_roles(c.SetRoles(admin.caller.user, ("admin",)), owner)
    await people.service.users.disable(c.DisableUser(admin.caller.user), owner)
    await worthless(people, tokens[1])
    await people.service.users.enable(c.EnableUser(admin.caller.user), owner)
    assert await people.sign_up("bob", invitation=tokens[1])


async def test_nobody_invites_to_more_than_he_has(people: People) -> None:
    """N-9: nor to roles that do not exist."""
    owner = await people.principal(await people.sign_up("ann"))
    admin = await people.principal(await people.join(owner, "carl", "admin"))
    with pytest.raises(PermissionDeniedError):
        await invited(people, admin, "owner")
    with pytest.raises(InvalidInputError):
        await invited(people, admin, "no-such-role")
    for command in (c.Invite(""), c.Invite("no address"), c.Invite("a@b.c", days=0), c.Invite("a@b.c", days=31)):
        with pytest.raises(InvalidInputError):
            await people.service.invitations.invite(command, owner)
    assert await people.post() == []


async def test_another_organization_s_invitation_looks_like_none(people: People) -> None:
    """N-4."""
    owner = await people.principal(await people.sign_up("ann"))
    stranger = await people.principal(await people.sign_up("eve"))
    made = await invited(people, owner)
    with pytest.raises(NotFoundError):
        await people.service.invitations.revoke(c.RevokeInvitation(made.invitation.invitation_id), stranger)
    assert (await people.service.invitations.list(c.ListInvitations(), stranger)).invitations == ()
    assert await people.sign_up("bob", invitation=made.token)


async def test_invitations_are_paged_newest_first(people: People) -> None:
    """By the key of the last one."""
    owner = await people.principal(await people.sign_up("ann"))
    for number in range(3):
        people.later(seconds=1)
        await people.service.invitations.invite(c.Invite(f"u{number}@example.org"), owner)
    first = await people.service.invitations.list(c.ListInvitations(limit=2), owner)
    rest = await people.service.invitations.list(c.ListInvitations(after=first.next), owner)
    seen = [each.email for each in (*first.invitations, *rest.invitations)]
    assert seen == ["u2@example.org", "u1@example.org", "u0@example.org"]
    assert rest.next is None


async def test_a_taken_name_leaves_the_invitation_good(people: People) -> None:
    """Whole or not at all."""
    owner = await people.principal(await people.sign_up("ann"))
    made = await invited(people, owner)
    command = c.Register("ann", password=PASSWORD, invitation=made.token)
    with pytest.raises(Exception, match="taken"):
        await people.service.register(command, HOME)
    assert await people.sign_up("bob", invitation=made.token)
