"""`fm admin`: the first owner, users, organizations, roles, teams and signing keys, for who works at the machine itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from typing import Any

import click

from faultmaven_cli.generated import confirm, parameters
from faultmaven_cli.organization import ORGANIZATION_OPTION
from faultmaven_cli.output import json_option
from faultmaven_cli.password import PASSWORD_OPTION, password_of
from faultmaven_cli.session import HOME_OPTION, session
from faultmaven_cli.views import show
from faultmaven_core.identity import commands as c
from faultmaven_core.identity.model import Principal
from faultmaven_core.identity.service import IdentityService
from faultmaven_core.identity.views import OrganizationView

Call = Callable[[IdentityService, Any, Principal], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Nothing:
    """A use case that is told nothing."""


@dataclass(frozen=True, slots=True)
class OrganizationList:
    """All organizations, by id."""

    organizations: tuple[OrganizationView, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A command: its place among the groups, what it takes, whom it calls; `question` is asked before what is not undone.

    `asks` commands ask for a password where none is given.
    """

    path: str
    command: type
    call: Call
    help: str = ""
    question: str = ""
    asks: bool = False


async def _organizations(service: IdentityService, _command: Nothing, _principal: Principal) -> OrganizationList:
    return OrganizationList(tuple(await service.installation.organizations()))


OFFERS = (
    Offer("init", c.StartInstallation, lambda s, command, _: s.installation.start(command), asks=True),
    Offer("user list", c.ListUsers, lambda s, command, who: s.users.list(command, who)),
    Offer("user show", c.ShowUser, lambda s, command, who: s.users.show(command, who)),
    Offer("user create", c.CreateUser, lambda s, command, who: s.users.create(command, who)),
    Offer("user disable", c.DisableUser, lambda s, command, who: s.users.disable(command, who)),
    Offer("user enable", c.EnableUser, lambda s, command, who: s.users.enable(command, who)),
    Offer(
        "user delete",
        c.DeleteUser,
        lambda s, command, who: s.users.delete(command, who),
        question="Delete the user, with name, address, password and all that lets him in?",
    ),
    Offer("user roles", c.SetRoles, lambda s, command, who: s.users.set_roles(command, who)),
    Offer("user password", c.SetPassword, lambda s, command, who: s.users.set_password(command, who), asks=True),
    Offer("org list", Nothing, _organizations, help="All organizations of the installation."),
    Offer("org show", Nothing, lambda s, _, who: s.organizations.show(who), help="One organization and its policy."),
    Offer("org create", c.CreateOrganization, lambda s, command, _: s.installation.create_organization(command)),
    Offer("org change", c.ChangeOrganization, lambda s, command, who: s.organizations.change(command, who)),
    Offer(
        "org suspend",
        Nothing,
        lambda s, _, who: s.organizations.suspend(c.SuspendOrganization(suspended=True), who),
        help="Let nobody of an organization in; all that they hold stops at once.",
    ),
    Offer(
        "org resume",
        Nothing,
        lambda s, _, who: s.organizations.suspend(c.SuspendOrganization(suspended=False), who),
        help="Let the people of a suspended organization in again.",
    ),
    Offer("role list", Nothing, lambda s, _, who: s.organizations.roles(who), help="All roles and what they allow."),
    Offer("role save", c.SaveRole, lambda s, command, who: s.organizations.save_role(command, who)),
    Offer("role delete", c.DeleteRole, lambda s, command, who: s.organizations.delete_role(command, who)),
    Offer("team list", Nothing, lambda s, _, who: s.teams.list(who), help="All teams of an organization."),
    Offer("team show", c.ShowTeam, lambda s, command, who: s.teams.show(command, who)),
    Offer("team create", c.CreateTeam, lambda s, command, who: s.teams.create(command, who)),
    Offer("team change", c.ChangeTeam, lambda s, command, who: s.teams.change(command, who)),
    Offer("team delete", c.DeleteTeam, lambda s, command, who: s.teams.delete(command, who)),
    Offer("team add", c.AddMember, lambda s, command, who: s.teams.add_member(command, who)),
    Offer("team remove", c.RemoveMember, lambda s, command, who: s.teams.remove_member(command, who)),
    Offer("key list", Nothing, lambda s, _, __: s.installation.keys(), help="The keys that sign and check tokens."),
    Offer("key rotate", c.RotateKeys, lambda s, command, _: s.installation.rotate_keys(command)),
)
"""All that is offered; permissions do not bind who may read the installation's files."""

GROUPS = {
    "user": "The people of an organization.",
    "org": "Organizations: who shares cases and knowledge.",
    "role": "What people may do, as sets of permissions.",
    "team": "Some of an organization's people, in a tree.",
    "key": "The keys that access tokens are signed with.",
}

EVERYWHERE = ("init", "org list", "org create", "key list", "key rotate")
"""Commands that are about no single organization."""


@click.group()
def admin() -> None:
    """The first owner, users, organizations, roles, teams and signing keys.

    For who works at the machine itself: whoever may read the installation's settings and files. Everything is written
    into the organization's audit log.
    """


def _command(offer: Offer) -> click.Command:
    secret = "password" in {field.name for field in fields(offer.command)}

    def run(home: str, json_: bool, organization: str = "", **given: Any) -> None:
        if offer.question and not given.pop("yes"):
            confirm(offer.question)
        if secret:
            given["password"] = password_of(given.pop("password_file"), ask=offer.asks)
        command = offer.command(**given)

        async def work(fm: Any) -> Any:
            service: IdentityService = fm.application.identity
            return await offer.call(service, command, service.installation.operator(organization))

        show(session(home, work), json_=json_)

    made = click.Command(
        offer.path.rpartition(" ")[2],
        callback=run,
        params=parameters(offer.command, without=("password",)),
        help=offer.help or offer.command.__doc__,
    )
    if offer.question:
        made.params.append(click.Option(["--yes", "-y"], is_flag=True, help="Do not ask."))
    if secret:
        made = PASSWORD_OPTION(made)
    if offer.path not in EVERYWHERE:
        made = ORGANIZATION_OPTION(made)
    return json_option(HOME_OPTION(made))


_groups = {name: click.Group(name, help=text) for name, text in GROUPS.items()}
for _group in _groups.values():
    admin.add_command(_group)
for _offer in OFFERS:
    _groups.get(_offer.path.partition(" ")[0], admin).add_command(_command(_offer))
