"""Users, roles and organizations: nobody gives what he lacks, and what is taken away is gone at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultmaven_contract_tests.identity_installation import OTHER_PASSWORD, PASSWORD, People
from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.model import Principal, Role, granted
from faultmaven_core.identity.permissions import ALL, BUILT_IN, OWN, known, of_scope
from faultmaven_core.identity.policy import IdentityPolicy
from faultmaven_core.identity.teams import MOST_OF_USER
from faultmaven_core.shared.errors import (
    ConflictError,
    FaultMavenError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    UnauthenticatedError,
)
from faultmaven_core.shared.ids import OrganizationId, UserId


async def gone(people: People, pair: v.TokenPair) -> None:
    """Neither the access token nor the refresh token is good."""
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(pair.access_token)
    with pytest.raises(UnauthenticatedError):
        await people.refresh(pair)


async def test_a_user_is_made_shown_and_listed(people: People) -> None:
    """By whoever may; without a hash of a password anywhere."""
    owner = await people.principal(await people.sign_up("ann"))
    bob = await people.service.users.create(c.CreateUser("Bob", "bob@example.org", password=PASSWORD), owner)
    assert (bob.username, bob.roles, bob.is_admin, bob.last_login) == ("bob", ("member",), False, None)
    assert await people.service.users.show(c.ShowUser(bob.user_id), owner) == bob
    page = await people.service.users.list(c.ListUsers(limit=1), owner)
    rest = await people.service.users.list(c.ListUsers(after=page.next), owner)
    assert [user.username for user in (*page.users, *rest.users)] == ["ann", "bob"]
    found = await people.service.users.list(c.ListUsers("EXAMPLE"), owner)
    assert [user.username for user in found.users] == ["bob"]
    assert "argon2" not in repr((bob, page, found))
    assert (await people.service.me(owner)).organization_name == "Ann's organization"


async def test_disabling_a_user_ends_all_that_he_holds_at_once(people: People) -> None:
    """T-10: and enabling him lets him sign in again, no more."""
    owner = await people.principal(await people.sign_up("ann"))
    pair = await people.join(owner, "bob")
    name = pair.user.user_id
    assert await people.service.authenticate(pair.access_token)
    off = await people.service.users.disable(c.DisableUser(name), owner)
    assert (off.state, off.is_active) == ("disabled", False)
    await gone(people, pair)
    await people.service.users.enable(c.EnableUser(name), owner)
    await gone(people, pair)
    assert await people.sign_in("bob")


async def test_deleting_a_user_leaves_no_name_behind(people: People) -> None:
    """T-10: the name and address are free again, the id is not."""
    owner = await people.principal(await people.sign_up("ann"))
    bob = await people.service.users.create(c.CreateUser("bob", "bob@example.org", "Bob", PASSWORD), owner)
    pair = await people.sign_in("bob")
    team = await people.service.teams.create(c.CreateTeam("ops"), owner)
    await people.service.teams.add_member(c.AddMember(team.team_id, bob.user_id), owner)
    await people.service.users.delete(c.DeleteUser(bob.user_id), owner)
    await gone(people, pair)
    with pytest.raises(NotFoundError):
        await people.service.users.show(c.ShowUser(bob.user_id), owner)
    with pytest.raises(NotFoundError):
        await people.service.teams.add_member(c.AddMember(team.team_id, bob.user_id), owner)
    assert (await people.service.teams.show(c.ShowTeam(team.team_id), owner)).members == ()
    with pytest.raises(UnauthenticatedError):
        await people.sign_in("bob")
    again = await people.sign_up("bob", email="bob@example.org")
    assert again.user.user_id != bob.user_id
    async with people.units(owner.caller.organization, read_only=True) as unit:
        row = repr(await unit.users.get(UserId(bob.user_id)))
    assert "example.org" not in row
    assert "Bob" not in row


async def test_a_change_of_roles_holds_for_tokens_that_are_out(people: People) -> None:
    """T-10: within two seconds in other processes, at once in this one."""
    owner = await people.principal(await people.sign_up("ann"))
    pair = await people.join(owner, "bob")
    assert (await people.principal(pair)).may("case:write")
    await people.service.users.set_roles(c.SetRoles(pair.user.user_id, ("viewer",)), owner)
    principal = await people.principal(pair)
    assert not principal.may("case:write")
    assert principal.roles == ("viewer",)


async def test_a_change_made_elsewhere_holds_within_two_seconds(
    people: People, make: Callable[[IdentityPolicy], People]
) -> None:
    """T-10: another process has its own memory of who may what."""
    other = make(people.service.policy)
    owner = await people.principal(await people.sign_up("ann"))
    pair = await people.join(owner, "bob")
    assert (await other.principal(pair)).may("case:write")
    await people.service.users.set_roles(c.SetRoles(pair.user.user_id, ("viewer",)), owner)
    people.later(seconds=2)
    assert not (await other.principal(pair)).may("case:write")
    await people.service.users.disable(c.DisableUser(pair.user.user_id), owner)
    with pytest.raises(UnauthenticatedError):
        await other.principal(pair)


async def test_nobody_gives_what_he_lacks(people: People) -> None:
    """N-9: an admin makes no owner, of himself least of all."""
    owner = await people.principal(await people.sign_up("ann"))
    admin = await people.principal(await people.join(owner, "bob", "admin"))
    users, roles = people.service.users, people.service.organizations
    with pytest.raises(PermissionDeniedError):
        await users.set_roles(c.SetRoles(admin.caller.user, ("owner",)), admin)
    with pytest.raises(PermissionDeniedError):
        await users.create(c.CreateUser("eve", roles=("owner",)), admin)
    with pytest.raises(PermissionDeniedError):
        await roles.save_role(c.SaveRole("boss", ("organization:delete",)), admin)
    with pytest.raises(PermissionDeniedError):
        await people.service.invitations.invite(c.Invite("eve@example.org", ("owner",)), admin)
    await roles.save_role(c.SaveRole("boss", ("organization:delete",)), owner)
    for command in (c.SaveRole("boss", ()), c.SaveRole("boss", ("case:read",))):
        with pytest.raises(PermissionDeniedError):
            await roles.save_role(command, admin)
    for role in ("boss", "owner"):
        with pytest.raises(PermissionDeniedError):
            await users.set_roles(c.SetRoles(admin.caller.user, ("admin", role)), admin)
        with pytest.raises(PermissionDeniedError):
            await users.give_role(c.GiveRole(admin.caller.user, role), admin)


@pytest.mark.parametrize("what", ["disable", "delete", "set_password", "set_roles", "give_role", "take_role", "enable"])
async def test_nobody_has_power_over_somebody_who_may_more(people: People, what: str) -> None:
    """N-9: an admin cannot take an owner's account."""
    owner = await people.principal(await people.sign_up("ann"))
    admin = await people.principal(await people.join(owner, "bob", "admin"))
    users, name = people.service.users, owner.caller.user
    attempts: dict[str, Callable[[], Awaitable[object]]] = {
        "disable": lambda: users.disable(c.DisableUser(name), admin),
        "enable": lambda: users.enable(c.EnableUser(name), admin),
        "delete": lambda: users.delete(c.DeleteUser(name), admin),
        "set_password": lambda: users.set_password(c.SetPassword(name, OTHER_PASSWORD), admin),
        "set_roles": lambda: users.set_roles(c.SetRoles(name, ("member",)), admin),
        "give_role": lambda: users.give_role(c.GiveRole(name, "viewer"), admin),
        "take_role": lambda: users.take_role(c.TakeRole(name, "owner"), admin),
    }
    with pytest.raises(PermissionDeniedError):
        await attempts[what]()
    assert await people.sign_in("ann")


async def test_the_last_owner_stays(people: People) -> None:
    """N-9: unless there is another who may come in."""
    owner = await people.principal(await people.sign_up("ann"))
    second = await people.principal(await people.join(owner, "bob", "owner"))
    users, name = people.service.users, owner.caller.user
    await users.disable(c.DisableUser(second.caller.user), owner)
    for attempt in (
        users.disable(c.DisableUser(name), owner),
        users.delete(c.DeleteUser(name), owner),
        users.set_roles(c.SetRoles(name, ("admin",)), owner),
        users.take_role(c.TakeRole(name, "owner"), owner),
    ):
        with pytest.raises(PreconditionFailedError):
            await attempt
    await users.enable(c.EnableUser(second.caller.user), owner)
    assert (await users.set_roles(c.SetRoles(name, ("admin",)), owner)).roles == ("admin",)


async def test_a_password_that_was_set_for_somebody_signs_him_out(people: People) -> None:
    """T-10: one's own takes the current one."""
    owner = await people.principal(await people.sign_up("ann"))
    pair = await people.join(owner, "bob")
    await people.service.users.set_password(c.SetPassword(pair.user.user_id, OTHER_PASSWORD), owner)
    await gone(people, pair)
    assert await people.sign_in("bob", OTHER_PASSWORD)
    with pytest.raises(InvalidInputError):
        await people.service.users.set_password(c.SetPassword(owner.caller.user, OTHER_PASSWORD), owner)


async def test_a_suspended_organization_lets_nobody_in(people: People) -> None:
    """T-10: and all of them again afterwards."""
    pair = await people.sign_up("ann")
    operator = people.service.installation.operator(pair.user.organization_id)
    assert await people.service.authenticate(pair.access_token)
    await people.service.organizations.suspend(c.SuspendOrganization(suspended=True), operator)
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(pair.access_token)
    with pytest.raises(UnauthenticatedError):
        await people.refresh(pair)
    with pytest.raises(UnauthenticatedError):
        await people.sign_in("ann")
    await people.service.organizations.suspend(c.SuspendOrganization(suspended=False), operator)
    assert await people.refresh(pair)


async def test_an_organization_has_a_policy_of_its_own(people: People) -> None:
    """S-2: for sessions that begin from then on, and never longer than the installation's."""
    first = await people.sign_up("ann")
    owner = await people.principal(first)
    change = c.ChangeOrganization("Acme", 600, 3600, 1)
    changed = await people.service.organizations.change(change, owner)
    assert (changed.name, changed.session_idle_seconds, changed.most_sessions) == ("Acme", 600, 1)
    assert await people.service.organizations.show(owner) == changed
    second = await people.sign_in("ann")
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(first.access_token)
    session = (await people.service.sessions.list(await people.principal(second))).sessions[0]
    assert (session.expires_at - session.created_at).total_seconds() == 600
    for wrong in (
        *(c.ChangeOrganization(session_idle_seconds=number) for number in (-1, 7200, 10**20)),
        c.ChangeOrganization(session_absolute_seconds=10**20),
        c.ChangeOrganization(most_sessions=101),
    ):
        with pytest.raises(InvalidInputError):
            await people.service.organizations.change(wrong, owner)


async def test_roles_of_one_s_own_are_made_given_and_removed(people: People) -> None:
    """N-9: what they allow holds at once for those who have them."""
    owner = await people.principal(await people.sign_up("ann"))
    organizations = people.service.organizations
    await organizations.save_role(c.SaveRole("auditor", ("audit:read",)), owner)
    pair = await people.join(owner, "bob", "auditor")
    assert (await people.principal(pair)).permissions == {"audit:read"}
    await organizations.save_role(c.SaveRole("auditor", ("audit:read", "case:read")), owner)
    assert (await people.principal(pair)).permissions == {"audit:read", "case:read"}
    listed = (await organizations.roles(owner)).roles
    assert [role.name for role in listed] == [*BUILT_IN, "auditor"]
    with pytest.raises(ConflictError):
        await organizations.delete_role(c.DeleteRole("auditor"), owner)
    await people.service.users.set_roles(c.SetRoles(pair.user.user_id, ()), owner)
    await organizations.delete_role(c.DeleteRole("auditor"), owner)
    assert (await people.principal(pair)).permissions == frozenset()
    for name, error in (("auditor", NotFoundError), ("owner", NotFoundError)):
        with pytest.raises(error):
            await organizations.delete_role(c.DeleteRole(name), owner)
    for command in (c.SaveRole("owner", ()), c.SaveRole("A B", ()), c.SaveRole("ok", ("no:such",))):
        with pytest.raises((ConflictError, InvalidInputError)):
            await organizations.save_role(command, owner)
    with pytest.raises(InvalidInputError):
        await people.service.users.set_roles(c.SetRoles(pair.user.user_id, ("no-such-role",)), owner)
    with pytest.raises(InvalidInputError):
        await people.service.users.set_roles(c.SetRoles(pair.user.user_id, tuple(map(str, range(21)))), owner)


async def test_teams_nest_five_deep_and_never_within_themselves(people: People) -> None:
    """N-9."""
    owner = await people.principal(await people.sign_up("ann"))
    teams, parent, made = people.service.teams, "", []
    for depth in range(5):
        made.append(await teams.create(c.CreateTeam(f"t{depth}", parent), owner))
        parent = made[-1].team_id
    with pytest.raises(InvalidInputError):
        await teams.create(c.CreateTeam("t5", parent), owner)
    with pytest.raises(InvalidInputError):
        await teams.change(c.ChangeTeam(made[0].team_id, parent=made[4].team_id), owner)
    with pytest.raises(InvalidInputError):
        await teams.change(c.ChangeTeam(made[0].team_id, parent=made[0].team_id), owner)
    other = await teams.create(c.CreateTeam("other"), owner)
    with pytest.raises(InvalidInputError):
        await teams.change(c.ChangeTeam(made[0].team_id, parent=other.team_id), owner)
    moved = await teams.change(c.ChangeTeam(made[4].team_id, name="leaf", parent=""), owner)
    assert (moved.name, moved.parent) == ("leaf", "")
    with pytest.raises(PreconditionFailedError):
        await teams.delete(c.DeleteTeam(made[0].team_id), owner)
    await teams.delete(c.DeleteTeam(made[3].team_id), owner)
    for command in (c.CreateTeam("leaf"), c.CreateTeam("x", "team_000000000000"), c.CreateTeam("Not A Name")):
        with pytest.raises((ConflictError, NotFoundError, InvalidInputError)):
            await teams.create(command, owner)
    assert {team.name for team in (await teams.list(owner)).teams} == {"t0", "t1", "t2", "leaf", "other"}


async def test_who_is_in_a_team_is_part_of_who_calls(people: People) -> None:
    """At once, both ways; another organization's team and users look like none."""
    owner = await people.principal(await people.sign_up("ann"))
    stranger = await people.principal(await people.sign_up("eve"))
    pair = await people.join(owner, "bob")
    team = await people.service.teams.create(c.CreateTeam("payments"), owner)
    joined = await people.service.teams.add_member(c.AddMember(team.team_id, pair.user.user_id), owner)
    assert joined.members == (pair.user.user_id,)
    assert (await people.principal(pair)).teams == ("payments",)
    for attempt in (
        people.service.teams.add_member(c.AddMember(team.team_id, stranger.caller.user), owner),
        people.service.teams.add_member(c.AddMember(team.team_id, pair.user.user_id), stranger),
        people.service.teams.show(c.ShowTeam(team.team_id), stranger),
    ):
        with pytest.raises(NotFoundError):
            await attempt
    await people.service.teams.remove_member(c.RemoveMember(team.team_id, pair.user.user_id), owner)
    assert (await people.principal(pair)).teams == ()


async def test_a_user_is_in_so_many_teams(people: People) -> None:
    """They are said with each request; one that he is in already is no further one."""
    owner = await people.principal(await people.sign_up("ann"))
    teams = people.service.teams
    for number in range(MOST_OF_USER + 1):
        team = await teams.create(c.CreateTeam(f"t{number}"), owner)
        joining = c.AddMember(team.team_id, owner.caller.user)
        if number < MOST_OF_USER:
            assert await teams.add_member(joining, owner)
            last = joining
    with pytest.raises(QuotaExceededError):
        await teams.add_member(joining, owner)
    assert await teams.add_member(last, owner)


async def test_another_organization_s_user_looks_like_none(people: People) -> None:
    """N-4: with the same words as for an id that never existed."""
    owner = await people.principal(await people.sign_up("ann"))
    eve = (await people.sign_up("eve")).user.user_id
    users = people.service.users
    said: dict[str, list[str]] = {}
    for name in (eve, "usr_000000000000"):
        for attempt in (
            users.show(c.ShowUser(name), owner),
            users.disable(c.DisableUser(name), owner),
            users.enable(c.EnableUser(name), owner),
            users.delete(c.DeleteUser(name), owner),
            users.set_roles(c.SetRoles(name, ("member",)), owner),
            users.set_password(c.SetPassword(name, OTHER_PASSWORD), owner),
        ):
            with pytest.raises(NotFoundError) as refused:
                await attempt
            said.setdefault(name, []).append(str(refused.value).replace(name, "ID"))
    assert said[eve] == said["usr_000000000000"]
    assert await people.sign_in("eve")


async def test_the_installation_has_a_first_owner_once(people: People) -> None:
    """By the command line; he is a user as any other then."""
    start = c.StartInstallation("root", password=PASSWORD, organization_name="Head office")
    made = await people.service.installation.start(start)
    assert (made.organization_id, made.organization_name, made.roles) == ("local", "Head office", ("owner", "admin"))
    assert (await people.sign_in("root")).user.user_id == made.user_id
    with pytest.raises(ConflictError):
        await people.service.installation.start(c.StartInstallation("root2", password=PASSWORD))
    command = c.CreateOrganization("Acme", "boss", password=PASSWORD)
    acme = await people.service.installation.create_organization(command)
    listed = await people.service.installation.organizations()
    assert {each.name for each in listed} == {"Head office", "Acme"}
    events = await people.actions(people.service.installation.operator(acme.organization_id))
    assert {event.actor for event in events} == {"operator"}


async def test_keys_are_rotated_from_the_machine(people: People) -> None:
    """T-5: with an entry in the installation's own log."""
    pair = await people.sign_up("ann")
    with pytest.raises(PreconditionFailedError):
        await people.service.installation.rotate_keys(c.RotateKeys())
    assert {key.state for key in (await people.service.installation.keys()).keys} == {"active", "next"}
    await people.service.installation.rotate_keys(c.RotateKeys(compromised=True))
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(pair.access_token)
    assert await people.service.authenticate((await people.refresh(pair)).access_token)
    events = await people.actions(people.service.installation.operator())
    assert [(event.action, event.detail) for event in events] == [("signing_key.rotated", {"compromised": "True"})]
    assert (await people.service.jwks())["keys"]


def test_built_in_roles_grow_and_every_role_has_its_own_account() -> None:
    """Viewer < member < admin < owner, who has all."""
    viewer, member, admin, owner = (BUILT_IN[name] for name in ("viewer", "member", "admin", "owner"))
    assert OWN < viewer < member < admin < owner == ALL
    assert of_scope("") == of_scope("nonsense profile") == frozenset()
    assert of_scope("openid cases:read") >= OWN | {"case:read"}


@given(
    st.lists(st.sampled_from([*BUILT_IN, "one", "two", "none"]), max_size=4),
    st.lists(st.sampled_from(sorted(ALL)), max_size=4),
)
def test_more_roles_never_allow_less(roles: list[str], permissions: list[str]) -> None:
    """A role is a set; roles together are its union."""
    custom = (Role(OrganizationId("acme"), "one", tuple(permissions)), Role(OrganizationId("acme"), "two", ()))
    together = granted(roles, custom)
    assert all(granted([role], custom) <= together for role in roles)
    assert together <= ALL
    assert known(together) == together


async def _step(people: People, actor: Principal, target: str, what: str) -> None:
    users = people.service.users
    if what == "disable":
        await users.disable(c.DisableUser(target), actor)
    elif what == "enable":
        await users.enable(c.EnableUser(target), actor)
    else:
        await users.set_roles(c.SetRoles(target, (what,)), actor)


@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 3), st.integers(0, 3), st.sampled_from(["owner", "admin", "member", "disable", "enable"])
        ),
        max_size=12,
    )
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_way_leads_to_more_rights_or_to_no_owner(people: People, steps: list[tuple[int, int, str]]) -> None:
    """N-9: whoever does what to whom, an active owner is left, and no step succeeded whose actor lacked a right of it."""
    people.later(minutes=10)
    suffix = people.clock.now().strftime("%d%H%M%S")
    first = await people.service.installation.create_organization(c.CreateOrganization("Acme", f"u0-{suffix}"))
    operator = people.service.installation.operator(first.organization_id)
    names = [first.user_id]
    for number, role in enumerate(("owner", "admin", "member")):
        command = c.CreateUser(f"u{number + 1}-{suffix}", roles=(role,))
        names.append((await people.service.users.create(command, operator)).user_id)
    for who, whom, what in steps:
        seen = await people.service.users.show(c.ShowUser(names[who]), operator)
        if not seen.is_active or not seen.is_admin:
            continue
        rights = granted(seen.roles, ())
        before = granted((await people.service.users.show(c.ShowUser(names[whom]), operator)).roles, ())
        actor = replace(operator, permissions=rights)
        try:
            await _step(people, actor, names[whom], what)
        except FaultMavenError:
            continue
        assert before <= rights
        assert what not in BUILT_IN or BUILT_IN[what] <= rights
    left = [await people.service.users.show(c.ShowUser(name), operator) for name in names]
    assert any("owner" in user.roles and user.is_active for user in left)
