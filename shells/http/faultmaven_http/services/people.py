"""The part of the auth service that manages people: one's own account, and those of one's organization."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import MISSING, Field, field, fields, make_dataclass
from typing import Any, get_type_hints

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.service import IdentityService
from faultmaven_http.auth import ANYONE
from faultmaven_http.bodies import CLAIMS
from faultmaven_http.endpoint import Answer, Asked, Endpoint
from faultmaven_http.paging import following

_SUMMARIES = {
    "organization.show": "One's organization",
    "role.list": "All roles of the organization",
    "team.list": "All teams of the organization",
    "sign-in.list": "Where one is signed in",
    "sign-in.end-others": "Sign out everywhere else",
    "audit.verify": "Check the chain of the audit log",
}
"""Of those that have no command, which would say it."""

Pick = Callable[[IdentityService], Callable[..., Awaitable[object]]]

USERS, TEAMS, ROLES = "/api/v1/admin/users", "/api/v1/teams", "/api/v1/admin/roles"
KEYS, SESSIONS, PASSWORD = "/api/v1/auth/api-keys", "/api/v1/auth/sessions", "/api/v1/auth/password"
INVITATIONS, AUDIT, ORGANIZATION = "/api/v1/admin/invitations", "/api/v1/admin/audit", "/api/v1/admin/organization"


def _row(
    method: str, path: str, name: str, permission: str, pick: Pick, command: type | None, answer: type
) -> Endpoint:
    """An endpoint whose command is made of the path and, for the rest, of the query or the body."""
    rest = None if command is None else _without(command, path)
    given: dict[str, Any] = {"query" if method == "GET" else "body": rest} if rest is not None else {}

    async def work(asked: Asked) -> object:
        who = asked.client if permission == ANYONE else asked.who
        called = pick(asked.application.identity)
        if command is None:
            return await called(who)
        value = asked.query if method == "GET" else asked.body
        more = {} if rest is None else {part.name: getattr(value, part.name) for part in fields(rest)}
        found = await called(command(**asked.path, **more), who)
        after = getattr(found, "next", None)
        return found if after is None else Answer(found, headers=following(asked, str(after), "after"))

    return Endpoint(
        method=method,
        path=path,
        name=name,
        summary=_SUMMARIES.get(name) or (command.__doc__ or name).split("\n")[0].rstrip("."),
        permission=permission,
        work=work,
        answer=answer,
        status=201 if method == "POST" and name.endswith((".create", ".invite")) else 200,
        cost=1 if method == "GET" else 2,
        failures=_failures(method, command),
        claims=CLAIMS - {part.name for part in fields(command)} if command else CLAIMS,
        keyed=False,
        **given,
    )


def _failures(method: str, command: type | None) -> tuple[int, ...]:
    names_something = command is not None and any(
        part.name == "name" or part.name.endswith("_id") for part in fields(command)
    )
    return (*((404,) if names_something else ()), *((409,) if method != "GET" else ()))


def _without(command: type, path: str) -> type | None:
    """A type of those fields of a command that do not stand in the path; None where all do."""
    hints = get_type_hints(command)
    left = [part for part in fields(command) if f"{{{part.name}}}" not in path]
    if not left:
        return None
    return make_dataclass(
        f"{command.__name__}Wish",
        [(part.name, hints[part.name], _again(part)) for part in left],
        frozen=True,
        slots=True,
        namespace={"__doc__": command.__doc__},
    )


def _again(part: Field[Any]) -> Any:
    if part.default is not MISSING:
        return field(default=part.default, repr=part.repr)
    return field(repr=part.repr)


ENDPOINTS: Sequence[Endpoint] = (
    _row("POST", USERS, "user.create", "user:write", lambda i: i.users.create, c.CreateUser, v.UserView),
    _row("GET", f"{USERS}/{{user_id}}", "user.show", "user:read", lambda i: i.users.show, c.ShowUser, v.UserView),
    _row("DELETE", f"{USERS}/{{user_id}}", "user.delete", "user:write", lambda i: i.users.delete, c.DeleteUser, v.Done),
    _row(
        "POST",
        f"{USERS}/{{user_id}}/disable",
        "user.disable",
        "user:write",
        lambda i: i.users.disable,
        c.DisableUser,
        v.UserView,
    ),
    _row(
        "POST",
        f"{USERS}/{{user_id}}/enable",
        "user.enable",
        "user:write",
        lambda i: i.users.enable,
        c.EnableUser,
        v.UserView,
    ),
    _row(
        "PUT",
        f"{USERS}/{{user_id}}/roles",
        "user.set-roles",
        "user:write",
        lambda i: i.users.set_roles,
        c.SetRoles,
        v.UserView,
    ),
    _row(
        "PUT",
        f"{USERS}/{{user_id}}/password",
        "user.set-password",
        "user:write",
        lambda i: i.users.set_password,
        c.SetPassword,
        v.Done,
    ),
    _row(
        "GET",
        ORGANIZATION,
        "organization.show",
        "organization:read",
        lambda i: i.organizations.show,
        None,
        v.OrganizationView,
    ),
    _row(
        "PATCH",
        ORGANIZATION,
        "organization.change",
        "organization:write",
        lambda i: i.organizations.change,
        c.ChangeOrganization,
        v.OrganizationView,
    ),
    _row("GET", ROLES, "role.list", "role:read", lambda i: i.organizations.roles, None, v.RoleList),
    _row(
        "PUT",
        f"{ROLES}/{{name}}",
        "role.save",
        "role:write",
        lambda i: i.organizations.save_role,
        c.SaveRole,
        v.RoleView,
    ),
    _row(
        "DELETE",
        f"{ROLES}/{{name}}",
        "role.delete",
        "role:write",
        lambda i: i.organizations.delete_role,
        c.DeleteRole,
        v.Done,
    ),
    _row("GET", TEAMS, "team.list", "team:read", lambda i: i.teams.list, None, v.TeamList),
    _row("POST", TEAMS, "team.create", "team:write", lambda i: i.teams.create, c.CreateTeam, v.TeamView),
    _row("GET", f"{TEAMS}/{{team_id}}", "team.show", "team:read", lambda i: i.teams.show, c.ShowTeam, v.TeamView),
    _row(
        "PATCH", f"{TEAMS}/{{team_id}}", "team.change", "team:write", lambda i: i.teams.change, c.ChangeTeam, v.TeamView
    ),
    _row("DELETE", f"{TEAMS}/{{team_id}}", "team.delete", "team:write", lambda i: i.teams.delete, c.DeleteTeam, v.Done),
    _row(
        "PUT",
        f"{TEAMS}/{{team_id}}/members/{{user_id}}",
        "team.add-member",
        "team:write",
        lambda i: i.teams.add_member,
        c.AddMember,
        v.TeamView,
    ),
    _row(
        "DELETE",
        f"{TEAMS}/{{team_id}}/members/{{user_id}}",
        "team.remove-member",
        "team:write",
        lambda i: i.teams.remove_member,
        c.RemoveMember,
        v.TeamView,
    ),
    _row(
        "GET",
        INVITATIONS,
        "invitation.list",
        "invitation:read",
        lambda i: i.invitations.list,
        c.ListInvitations,
        v.InvitationPage,
    ),
    _row(
        "POST",
        INVITATIONS,
        "invitation.invite",
        "invitation:write",
        lambda i: i.invitations.invite,
        c.Invite,
        v.InvitationCreated,
    ),
    _row(
        "DELETE",
        f"{INVITATIONS}/{{invitation_id}}",
        "invitation.revoke",
        "invitation:write",
        lambda i: i.invitations.revoke,
        c.RevokeInvitation,
        v.InvitationView,
    ),
    _row(
        "POST",
        "/api/v1/auth/invitations/decline",
        "invitation.decline",
        ANYONE,
        lambda i: i.invitations.decline,
        c.DeclineInvitation,
        v.Done,
    ),
    _row("GET", KEYS, "api-key.list", "account:read", lambda i: i.api_keys.list, c.ListApiKeys, v.ApiKeyList),
    _row("POST", KEYS, "api-key.create", "account:write", lambda i: i.api_keys.create, c.CreateApiKey, v.ApiKeyCreated),
    _row(
        "DELETE",
        f"{KEYS}/{{api_key_id}}",
        "api-key.revoke",
        "account:write",
        lambda i: i.api_keys.revoke,
        c.RevokeApiKey,
        v.ApiKeyView,
    ),
    _row("GET", SESSIONS, "sign-in.list", "account:read", lambda i: i.sessions.list, None, v.SessionList),
    _row(
        "DELETE",
        SESSIONS,
        "sign-in.end-others",
        "account:write",
        lambda i: i.sessions.end_others,
        None,
        v.SessionsEnded,
    ),
    _row(
        "DELETE",
        f"{SESSIONS}/{{session_id}}",
        "sign-in.end",
        "account:write",
        lambda i: i.sessions.end,
        c.EndSession,
        v.SessionsEnded,
    ),
    _row("POST", PASSWORD, "password.change", "account:write", lambda i: i.passwords.change, c.ChangePassword, v.Done),
    _row(
        "POST",
        f"{PASSWORD}/reset",
        "password.request-reset",
        ANYONE,
        lambda i: i.passwords.request_reset,
        c.RequestReset,
        v.Done,
    ),
    _row(
        "POST",
        f"{PASSWORD}/reset/complete",
        "password.complete-reset",
        ANYONE,
        lambda i: i.passwords.complete_reset,
        c.CompleteReset,
        v.Done,
    ),
    _row("GET", AUDIT, "audit.list", "audit:read", lambda i: i.audit.list, c.ReadAudit, v.AuditPage),
    _row(
        "GET",
        f"{AUDIT}/verification",
        "audit.verify",
        "audit:read",
        lambda i: lambda who: i.audit.verify(who.caller),
        None,
        v.AuditVerified,
    ),
)
