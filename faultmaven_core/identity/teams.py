"""Teams: some of an organization's users, in a tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import names
from faultmaven_core.identity import views as v
from faultmaven_core.identity.audit_chain import Happening
from faultmaven_core.identity.model import DEEPEST_TEAM, Membership, Principal, Team, TeamId, UserState, team_id
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.ports import IdentityUnitOfWork
from faultmaven_core.shared.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
    QuotaExceededError,
)
from faultmaven_core.shared.ids import UserId

MOST_TEAMS = 1000
MOST_OF_USER = 100
"""Teams that a user is in: they are said with each of his requests."""


class Teams:
    """Makes, moves and removes teams, and says who is in them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def list(self, principal: Principal) -> v.TeamList:
        """All teams, by name."""
        async with self._parts.units(principal.caller.organization, read_only=True) as unit:
            return v.TeamList(tuple(_view(team) for team in await unit.teams.all()))

    async def show(self, command: c.ShowTeam, principal: Principal) -> v.TeamView:
        """One team with its members. Raises NotFoundError."""
        async with self._parts.units(principal.caller.organization, read_only=True) as unit:
            return await _with_members(unit, await unit.teams.get(TeamId(command.team_id)))

    async def create(self, command: c.CreateTeam, principal: Principal) -> v.TeamView:
        """Make a team. Raises ConflictError where the name is taken, InvalidInputError where it would be too deep."""
        key, name = self._parts.ids.new(), names.team(command.name)
        organization = principal.caller.organization
        team = Team(key, team_id(key), organization, name, command.parent, self._parts.clock.now())

        async def work(unit: IdentityUnitOfWork) -> v.TeamView:
            await self._note(unit, "team.created", team.id, principal, {"name": name, "parent": command.parent})
            others = await unit.teams.all()
            if len(others) >= MOST_TEAMS:
                raise QuotaExceededError(f"An organization has at most {MOST_TEAMS} teams.")
            _require_place(team, others)
            await unit.teams.add(team)
            return _view(team)

        return await self._parts.write(command, principal.caller, v.TeamView, work)

    async def change(self, command: c.ChangeTeam, principal: Principal) -> v.TeamView:
        """Rename or move a team. Raises as `create`, and InvalidInputError where it would be within itself."""

        async def work(unit: IdentityUnitOfWork) -> v.TeamView:
            team = await unit.teams.get(TeamId(command.team_id))
            name = team.name if command.name is None else names.team(command.name)
            parent = team.parent if command.parent is None else command.parent
            await self._note(unit, "team.changed", team.id, principal, {"name": name, "parent": parent})
            changed = replace(team, name=name, parent=parent)
            _require_place(changed, await unit.teams.all())
            await unit.teams.save(changed)
            return await _with_members(unit, replace(changed, version=changed.version + 1))

        view = await self._parts.write(command, principal.caller, v.TeamView, work)
        self._parts.standings.forget()
        return view

    async def delete(self, command: c.DeleteTeam, principal: Principal) -> v.Done:
        """Remove a team. Raises PreconditionFailedError where there are teams within it."""

        async def work(unit: IdentityUnitOfWork) -> v.Done:
            team = await unit.teams.get(TeamId(command.team_id))
            await self._note(unit, "team.deleted", team.id, principal, {"name": team.name})
            if any(other.parent == team.id for other in await unit.teams.all()):
                raise PreconditionFailedError("There are teams within this one; move or remove them first.")
            await unit.teams.remove(team.id, team.version)
            return v.Done()

        done = await self._parts.write(command, principal.caller, v.Done, work)
        self._parts.standings.forget()
        return done

    async def add_member(self, command: c.AddMember, principal: Principal) -> v.TeamView:
        """Put a user into a team. Raises NotFoundError without either, QuotaExceededError where he is in too many."""

        async def work(unit: IdentityUnitOfWork) -> v.TeamView:
            team, user = await unit.teams.get(TeamId(command.team_id)), await unit.users.get(UserId(command.user_id))
            if user.state is UserState.DELETED:
                raise NotFoundError(f"There is no user {user.id}.")
            await self._note(unit, "team.member_added", team.id, principal, {"user": user.id})
            mine = [other.id for other in await unit.teams.of_user(user.id)]
            if len(mine) >= MOST_OF_USER and team.id not in mine:
                raise QuotaExceededError(f"A user is in at most {MOST_OF_USER} teams.")
            member = Membership(team.organization, team.id, user.id, self._parts.clock.now())
            await unit.teams.add_member(member)
            return await _with_members(unit, team)

        view = await self._parts.write(command, principal.caller, v.TeamView, work)
        self._parts.standings.forget()
        return view

    async def remove_member(self, command: c.RemoveMember, principal: Principal) -> v.TeamView:
        """Take a user out of a team. Raises NotFoundError without the team."""

        async def work(unit: IdentityUnitOfWork) -> v.TeamView:
            team = await unit.teams.get(TeamId(command.team_id))
            await self._note(unit, "team.member_removed", team.id, principal, {"user": command.user_id[:64]})
            await unit.teams.remove_member(team.id, UserId(command.user_id))
            return await _with_members(unit, team)

        view = await self._parts.write(command, principal.caller, v.TeamView, work)
        self._parts.standings.forget()
        return view

    async def _note(
        self, unit: IdentityUnitOfWork, action: str, target: str, principal: Principal, detail: dict[str, str]
    ) -> None:
        happening = Happening(action, principal.caller.user, target, detail=detail)
        await self._parts.audit.note(unit, principal.caller.organization, happening, principal.client)


def _require_place(team: Team, others: Sequence[Team]) -> None:
    """Raises where the tree would be none, or too deep, or two teams had one name."""
    tree: Mapping[str, Team] = {**{other.id: other for other in others}, team.id: team}
    if any(other.name == team.name and other.id != team.id for other in others):
        raise ConflictError(f"There is a team {team.name} already.")
    if team.parent and team.parent not in tree:
        raise NotFoundError(f"There is no team {team.parent[:64]}.")
    for each in tree.values():
        if _depth(each, tree) > DEEPEST_TEAM:
            raise InvalidInputError(
                f"Teams nest at most {DEEPEST_TEAM} deep, and none is within itself.", fields={"parent": "too deep"}
            )


def _depth(team: Team, tree: Mapping[str, Team]) -> int:
    depth, each = 1, team
    while each.parent and depth <= DEEPEST_TEAM:
        each = tree[each.parent]
        depth += 1
    return depth


async def _with_members(unit: IdentityUnitOfWork, team: Team) -> v.TeamView:
    members = await unit.teams.members(team.id)
    return replace(_view(team), members=tuple(member.user for member in members))


def _view(team: Team) -> v.TeamView:
    return v.TeamView(team.id, team.name, team.parent, team.created_at, team.version)
