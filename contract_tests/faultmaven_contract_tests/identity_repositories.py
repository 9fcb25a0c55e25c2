"""What every repository of organizations, users, roles and teams promises, and the directory of accounts."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.identity_samples import (
    membership,
    organization,
    people,
    role,
    team,
    user,
)
from faultmaven_contract_tests.nasty import REFUSED, TEXTS
from faultmaven_contract_tests.samples import ACME, OTHER, START, Storage
from faultmaven_core.identity.model import Membership, OrganizationSettings, OrganizationState, User, UserState
from faultmaven_core.identity.ports import FoundUser
from faultmaven_core.shared.errors import AlreadyExistsError, InvalidInputError, NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import OrganizationId, UserId


async def change(storage: Storage, changed: User) -> None:
    """Save a user and commit."""
    async with storage.identity(changed.organization) as unit:
        await unit.users.save(changed)
        await unit.commit()


async def listed(storage: Storage, text: str) -> list[UserId]:
    """Whom a search gives."""
    async with storage.identity(ACME, read_only=True) as unit:
        return [one.id for one in (await unit.users.page(after=None, limit=99, text=text)).items]


class PeopleContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    async def test_an_organization_comes_back_and_changes(self, subject: Storage) -> None:
        """With its policy; a change that somebody else overtook is told so."""
        await people(subject, users=0)
        async with subject.identity(ACME) as unit:
            found = await unit.organizations.get()
            assert found == organization()
            settings = OrganizationSettings(0, 30, 100)
            await unit.organizations.save(replace(found, name="New", state=OrganizationState.ACTIVE, settings=settings))
            assert (await unit.organizations.get()).version == found.version + 1
            with pytest.raises(StaleVersionError):
                await unit.organizations.save(found)
            await unit.commit()
        async with subject.identity(ACME) as unit:
            assert (await unit.organizations.get()).settings == settings
            with pytest.raises(AlreadyExistsError):
                await unit.organizations.add(organization())

    async def test_all_organizations_are_told_to_who_works_at_the_machine(self, subject: Storage) -> None:
        """In order, those only that were committed."""
        await people(subject, OTHER)
        await people(subject, ACME)
        async with subject.identity(OrganizationId("never")) as unit:
            await unit.organizations.add(organization(OrganizationId("never")))
        assert list(await subject.accounts.organizations()) == [ACME, OTHER]

    async def test_every_field_of_a_user_comes_back_whatever_it_holds(self, subject: Storage) -> None:
        """Byte for byte, and once more after a change."""
        await people(subject, users=0)
        stored = [user(number, display_name=text, password=text) for number, text in enumerate(TEXTS)]
        async with subject.identity(ACME) as unit:
            for one in stored:
                await unit.users.add(one)
            await unit.commit()
        async with subject.identity(ACME) as unit:
            for one in stored:
                assert await unit.users.get(one.id) == one
                changed = replace(one, roles=(), remembered=(), last_login_at=None, state=UserState.DISABLED)
                await unit.users.save(changed)
                assert await unit.users.get(one.id) == replace(changed, version=2)

    @pytest.mark.parametrize("text", REFUSED)
    async def test_text_that_no_backend_can_hold_is_refused_by_all_that_cannot(
        self, subject: Storage, text: str
    ) -> None:
        """Never stored as something else."""
        await people(subject, users=0)
        stored = user(display_name=text)
        async with subject.identity(ACME) as unit:
            try:
                await unit.users.add(stored)
            except InvalidInputError:
                return
            assert await unit.users.get(stored.id) == stored

    async def test_a_user_needs_an_organization(self, subject: Storage) -> None:
        """One that there is."""
        async with subject.identity(ACME) as unit:
            with pytest.raises(NotFoundError):
                await unit.users.add(user())

    @pytest.mark.parametrize("field", ["username", "email"])
    async def test_names_and_addresses_are_unique_within_the_installation(self, subject: Storage, field: str) -> None:
        """For new users and for changed ones, whatever the organization; the refusal names the field."""
        await people(subject, ACME)
        await people(subject, OTHER)
        taken = {field: getattr(user(1, OTHER), field)}
        for organization_, number in ((OTHER, 9), (ACME, 9)):
            async with subject.identity(organization_) as unit:
                with pytest.raises(AlreadyExistsError, match=field):
                    await unit.users.add(user(number, organization_, **taken))
        async with subject.identity(ACME) as unit:
            with pytest.raises(AlreadyExistsError, match=field):
                await unit.users.save(user(2, **taken))

    async def test_many_may_have_no_address(self, subject: Storage) -> None:
        """Nobody is found by none."""
        await people(subject, users=0)
        async with subject.identity(ACME) as unit:
            for number in (1, 2, 3):
                await unit.users.add(user(number, email=""))
            await unit.commit()
        assert await subject.accounts.by_email("") is None

    async def test_a_user_is_found_by_name_and_address_after_the_commit(self, subject: Storage) -> None:
        """By the present ones alone, in whatever organization; a name that was given up is free again."""
        await people(subject, ACME)
        await people(subject, OTHER)
        first = user()
        assert await subject.accounts.by_username(first.username) == FoundUser(ACME, first.id)
        assert await subject.accounts.by_email(user(2, OTHER).email) == FoundUser(OTHER, user(2).id)
        assert await subject.accounts.by_username(first.email) is None
        async with subject.identity(ACME) as unit:
            await unit.users.save(replace(first, username="ännchen", email=""))
            assert await subject.accounts.by_username("ännchen") is None
            await unit.commit()
        assert await subject.accounts.by_username("ännchen") == FoundUser(ACME, first.id)
        assert await subject.accounts.by_username(first.username) is None
        assert await subject.accounts.by_email(first.email) is None
        await change(subject, user(2, OTHER, username=first.username, email=first.email))
        assert await subject.accounts.by_email(first.email) == FoundUser(OTHER, user(2).id)

    async def test_of_two_who_take_a_name_at_once_one_gets_it(self, subject: Storage) -> None:
        """In two organizations at the same time."""
        await people(subject, ACME)
        await people(subject, OTHER)

        async def take(organization_: OrganizationId) -> str:
            try:
                await change(subject, user(1, organization_, username="the-name"))
            except AlreadyExistsError:
                return "taken"
            return "got"

        assert sorted(await asyncio.gather(take(ACME), take(OTHER))) == ["got", "taken"]

    async def test_a_lost_race_is_stale(self, subject: Storage) -> None:
        """For a user, a role and a team; nothing of the loser's is kept."""
        await people(subject)
        async with subject.identity(ACME) as unit:
            await unit.roles.add(role())
            await unit.teams.add(team())
            await unit.commit()
        async with subject.identity(ACME) as unit:
            await unit.users.save(user(display_name="first"))
            await unit.roles.save(role(permissions=("case:read",)))
            await unit.teams.save(team(name="first"))
            for late in (
                unit.users.save(user(display_name="second")),
                unit.roles.save(role(permissions=())),
                unit.teams.save(team(name="second")),
                unit.roles.remove(role().name, 1),
                unit.teams.remove(team().id, 1),
                unit.users.save(user(9)),
                unit.roles.save(role("none")),
            ):
                with pytest.raises(StaleVersionError):
                    await late
            assert (await unit.users.get(user().id)).display_name == "first"
            assert await unit.roles.get(role().name) == role(permissions=("case:read",), version=2)
            assert await unit.teams.get(team().id) == team(name="first", version=2)

    async def test_users_come_in_pages_oldest_first_without_the_deleted(self, subject: Storage) -> None:
        """Each once."""
        await people(subject, users=5)
        await change(subject, user(3, state=UserState.DELETED))
        seen, after = [], None
        while True:
            async with subject.identity(ACME, read_only=True) as unit:
                page = await unit.users.page(after=after, limit=2)
            seen += [one.id for one in page.items]
            if page.next is None:
                break
            after = page.next
        assert seen == [user(number).id for number in (1, 2, 4, 5)]
        async with subject.identity(ACME, read_only=True) as unit:
            later = await unit.users.page(after=None, limit=2, offset=1)
            assert ([one.id for one in later.items], later.next) == ([user(2).id, user(4).id], user(4).key)
            assert (await unit.users.page(after=None, limit=2, offset=4)).items == ()

    async def test_users_are_searched_for_by_any_name_folded(self, subject: Storage) -> None:
        """Without case and accents; signs of a pattern stand for themselves."""
        await people(subject, users=3)
        await change(subject, user(2, display_name="Zoë Straße", email="100%_sure@x.example"))
        assert await listed(subject, "ZOE STRASSE") == [user(2).id]
        assert await listed(subject, "100%_S") == [user(2).id]
        assert await listed(subject, "1__%") == []
        assert await listed(subject, "user3.ac") == [user(3).id]
        assert len(await listed(subject, "  ")) == 3

    async def test_users_with_a_role_are_those_who_have_exactly_it(self, subject: Storage) -> None:
        """Not one whose name it is part of, nor a deleted user."""
        await people(subject, users=5)
        for number, roles in enumerate((("own",), ("admin", "owner"), ("Owner",), ("owner",), ("owner",)), 1):
            state = UserState.DELETED if number == 5 else UserState.DISABLED
            await change(subject, user(number, roles=roles, state=state))
        async with subject.identity(ACME) as unit:
            assert [one.id for one in await unit.users.with_role("owner")] == [user(2).id, user(4).id]
            assert list(await unit.users.with_role("none")) == []

    async def test_who_asks_for_the_owners_in_order_to_change_them_is_alone(self, subject: Storage) -> None:
        """So of two owners who step down at once, one stays."""
        await people(subject)
        for number in (1, 2):
            await change(subject, user(number, roles=("owner",)))

        async def step_down(number: int) -> None:
            async with subject.identity(ACME) as unit:
                owners = await unit.users.with_role("owner")
                if len(owners) > 1:
                    mine = next(one for one in owners if one.id == user(number).id)
                    await unit.users.save(replace(mine, roles=()))
                    await unit.commit()

        await asyncio.gather(step_down(1), step_down(2))
        async with subject.identity(ACME, read_only=True) as unit:
            assert len(await unit.users.with_role("owner")) == 1

    async def test_roles_are_named_once_within_an_organization(self, subject: Storage) -> None:
        """And come by name."""
        await people(subject)
        await people(subject, OTHER)
        for organization_ in (ACME, OTHER):
            async with subject.identity(organization_) as unit:
                for name in ("zz", "Ops", "on-call"):
                    await unit.roles.add(role(name, organization_))
                await unit.commit()
        async with subject.identity(ACME) as unit:
            assert list(await unit.roles.all()) == [role("Ops"), role("on-call"), role("zz")]
            await unit.roles.remove("Ops", 1)
            with pytest.raises(NotFoundError):
                await unit.roles.get("Ops")
            with pytest.raises(AlreadyExistsError):
                await unit.roles.add(role("zz"))

    async def test_teams_and_who_is_in_them(self, subject: Storage) -> None:
        """A team takes its memberships along; the users stay."""
        await people(subject, users=3)
        async with subject.identity(ACME) as unit:
            for number in (2, 1):
                await unit.teams.add(team(number))
            await unit.teams.save(team(2, parent=team(1).id))
            for of_team, of_user in ((1, 2), (1, 1), (2, 2), (1, 2)):
                await unit.teams.add_member(membership(of_team, of_user))
            await unit.commit()
        async with subject.identity(ACME) as unit:
            assert [one.name for one in await unit.teams.all()] == ["team 1", "team 2"]
            assert list(await unit.teams.members(team(1).id)) == [membership(1, 1), membership(1, 2)]
            assert [one.parent for one in await unit.teams.of_user(user(2).id)] == ["", team(1).id]
            await unit.teams.remove_member(team(1).id, user(2).id)
            await unit.teams.remove_member(team(1).id, user(2).id)
            await unit.teams.remove(team(2).id, 2)
            assert list(await unit.teams.of_user(user(2).id)) == []
            assert list(await unit.teams.members(team(2).id)) == []
            await unit.users.get(user(2).id)
            await unit.commit()

    async def test_a_membership_of_another_organization_is_none_here(self, subject: Storage) -> None:
        """Whose team and user have the same ids."""
        for organization_ in (ACME, OTHER):
            await people(subject, organization_)
            async with subject.identity(organization_) as unit:
                await unit.teams.add(team(1, organization_))
                await unit.commit()
        async with subject.identity(OTHER) as unit:
            await unit.teams.add_member(membership(organization=OTHER))
            await unit.commit()
        async with subject.identity(ACME, read_only=True) as unit:
            assert list(await unit.teams.of_user(user().id)) == []
            assert list(await unit.teams.members(team().id)) == []

    async def test_a_name_of_a_team_is_unique_within_its_organization(self, subject: Storage) -> None:
        """Another one may have it."""
        await people(subject)
        await people(subject, OTHER)
        for organization_ in (ACME, OTHER):
            async with subject.identity(organization_) as unit:
                await unit.teams.add(team(1, organization_))
                await unit.commit()
        async with subject.identity(ACME) as unit:
            with pytest.raises(AlreadyExistsError, match="name"):
                await unit.teams.add(team(2, name="team 1"))

    @pytest.mark.parametrize("missing", [membership(of_team=9), membership(of_user=9)], ids=["no team", "no user"])
    async def test_a_membership_needs_both(self, subject: Storage, missing: Membership) -> None:
        """The team and the user."""
        await people(subject)
        async with subject.identity(ACME) as unit:
            await unit.teams.add(team())
            await unit.commit()
        async with subject.identity(ACME) as unit:
            with pytest.raises(NotFoundError):
                await unit.teams.add_member(missing)

    async def test_moments_are_kept_to_the_microsecond(self, subject: Storage) -> None:
        """Also those of a sign-in."""
        await people(subject)
        await change(subject, user(last_login_at=START))
        async with subject.identity(ACME, read_only=True) as unit:
            assert (await unit.users.get(user().id)).last_login_at == START
