"""The part of the auth service that the dashboard's screens of an organization call: its people, and what one may write to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_http.bodies import CLAIMS
from faultmaven_http.endpoint import Answer, Asked, Endpoint, Work
from faultmaven_http.paging import following
from faultmaven_http.services.knowledge import EVERYBODYS, GLOBAL, PERSONAL, WRITING
from faultmaven_http.shapes import members as s

USERS, TEAMS = "/api/v1/admin/users", "/api/v1/teams"
MEMBERS = "/api/v1/admin/organization/members"


async def available_scopes(asked: Asked) -> s.Scopes:
    """Where who asks may put documents."""
    everybodys = (GLOBAL, "team") if asked.who.may(EVERYBODYS) else ()
    return s.Scopes((*((PERSONAL,) if asked.who.may(WRITING[PERSONAL]) else ()), *everybodys))


async def users(asked: Asked) -> Answer:
    """A page of users."""
    page = await _page(asked)
    return Answer(page, headers=following(asked, page.next, "after"))


async def members(asked: Asked) -> Answer:
    """The same as an organization's members."""
    page = await _page(asked)
    return Answer(s.MemberList(page.users, page.next), headers=following(asked, page.next, "after"))


async def _page(asked: Asked) -> v.UserPage:
    q: s.UserQuery = asked.query
    command = c.ListUsers(q.text or q.search, q.after, q.limit, q.offset)
    return await asked.application.identity.users.list(command, asked.who)


async def join(asked: Asked) -> v.InvitationCreated:
    """Invite somebody: he comes in when he says yes."""
    body: s.Joining = asked.body
    command = c.Invite(body.email, body.roles, body.days)
    return await asked.application.identity.invitations.invite(command, asked.who)


async def change(asked: Asked) -> v.UserView:
    """Give a member these roles instead of those that he has."""
    command = c.SetRoles(asked.path["user_id"], asked.body.roles)
    return await asked.application.identity.users.set_roles(command, asked.who)


async def remove(asked: Asked) -> None:
    """Remove a member: who belongs to no organization is no user."""
    await asked.application.identity.users.delete(c.DeleteUser(asked.path["user_id"]), asked.who)


async def give_role(asked: Asked) -> v.UserView:
    """Give a user one more role."""
    command = c.GiveRole(asked.path["user_id"], asked.body.role)
    return await asked.application.identity.users.give_role(command, asked.who)


async def take_role(asked: Asked) -> v.UserView:
    """Take a role from a user."""
    command = c.TakeRole(asked.path["user_id"], asked.path["name"])
    return await asked.application.identity.users.take_role(command, asked.who)


async def deactivate(asked: Asked) -> v.UserView:
    """Let a user in no more."""
    return await asked.application.identity.users.disable(c.DisableUser(asked.path["user_id"]), asked.who)


async def leave(asked: Asked) -> None:
    """Leave a team."""
    command = c.RemoveMember(asked.path["team_id"], asked.who.caller.user)
    await asked.application.identity.teams.remove_member(command, asked.who)


def _at(
    method: str, path: str, name: str, summary: str, permission: str, work: Work, answer: type | None, **more: Any
) -> Endpoint:
    given = {"cost": 1 if method == "GET" else 2, "failures": (404,) if "{" in path else (), **more}
    return Endpoint(
        method=method,
        path=path,
        name=name,
        summary=summary,
        permission=permission,
        work=work,
        answer=answer,
        keyed=False,
        **given,
    )


_READING, _WRITING = partial(_at, permission="user:read"), partial(_at, permission="user:write")

ENDPOINTS: Sequence[Endpoint] = (
    _at(
        "GET",
        "/api/v1/auth/me/available-scopes",
        "auth.available-scopes",
        "Where one may put documents",
        "account:read",
        available_scopes,
        s.Scopes,
    ),
    _READING("GET", USERS, "user.list", "Users, oldest first", work=users, answer=v.UserPage, query=s.UserQuery),
    _WRITING(
        "POST",
        f"{USERS}/{{user_id}}/roles",
        "user.give-role",
        "Give a user one more role",
        work=give_role,
        answer=v.UserView,
        body=s.OneRole,
        claims=CLAIMS - {"role"},
    ),
    _WRITING(
        "DELETE",
        f"{USERS}/{{user_id}}/roles/{{name}}",
        "user.take-role",
        "Take a role from a user",
        work=take_role,
        answer=v.UserView,
    ),
    _WRITING(
        "POST",
        f"{USERS}/{{user_id}}/deactivate",
        "user.deactivate",
        "Let a user in no more",
        work=deactivate,
        answer=v.UserView,
        alias=True,
    ),
    _READING(
        "GET",
        MEMBERS,
        "member.list",
        "The organization's people, oldest first",
        work=members,
        answer=s.MemberList,
        query=s.UserQuery,
    ),
    _at(
        "POST",
        MEMBERS,
        "member.invite",
        "Ask somebody to join the organization",
        "invitation:write",
        join,
        v.InvitationCreated,
        body=s.Joining,
        claims=CLAIMS - {"roles"},
        status=201,
    ),
    _WRITING(
        "PATCH",
        f"{MEMBERS}/{{user_id}}",
        "member.change",
        "Give a member these roles instead of those that he has",
        work=change,
        answer=v.UserView,
        body=s.MemberRoles,
        claims=CLAIMS - {"roles"},
    ),
    _WRITING(
        "DELETE",
        f"{MEMBERS}/{{user_id}}",
        "member.remove",
        "Remove a member, and his account",
        work=remove,
        answer=None,
        status=204,
    ),
    _at(
        "DELETE",
        f"{TEAMS}/{{team_id}}/members/me",
        "team.leave",
        "Leave a team",
        "account:write",
        leave,
        None,
        status=204,
    ),
)
