"""`fm audit`: what happened to accounts and rights, and whether anybody tampered with the log of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from faultmaven_cli.generated import parameters
from faultmaven_cli.organization import ORGANIZATION_OPTION
from faultmaven_cli.output import json_option
from faultmaven_cli.session import HOME_OPTION, session
from faultmaven_cli.views import show
from faultmaven_core.identity.commands import ReadAudit
from faultmaven_core.identity.views import AuditVerified
from faultmaven_core.shared.page import MOST

if TYPE_CHECKING:
    from faultmaven_core.identity.service import IdentityService


@dataclass(frozen=True, slots=True)
class LogView:
    """An organization's log: how many events hold, and the newest one's digest. `broken_at` is 0 where all of them do."""

    organization: str
    events: int
    intact: bool
    broken_at: int
    head: str


@dataclass(frozen=True, slots=True)
class LogList:
    """The logs that were looked through."""

    logs: tuple[LogView, ...]


@click.group()
def audit() -> None:
    """The log of who came in and who changed what, chained so that an edit, a gap, a new order or a lost end shows."""


def _list(home: str, json_: bool, organization: str, **fields: Any) -> None:
    async def work(fm: Any) -> Any:
        service: IdentityService = fm.application.identity
        return await service.audit.list(ReadAudit(**fields), service.installation.operator(organization))

    show(session(home, work), json_=json_)


audit.add_command(
    json_option(
        HOME_OPTION(
            ORGANIZATION_OPTION(
                click.Command("list", callback=_list, params=parameters(ReadAudit), help=ReadAudit.__doc__)
            )
        )
    )
)


@audit.command()
@ORGANIZATION_OPTION
@HOME_OPTION
@click.option("--json", is_flag=True, expose_value=False, help="As always: there is no other form.")
def export(organization: str, home: str) -> None:
    """Print an organization's whole log as JSON, an event a line, with what its chain can be checked by."""
    from faultmaven_core.codec import encode

    async def work(fm: Any) -> None:
        service: IdentityService = fm.application.identity
        principal, after = service.installation.operator(organization), 0
        while True:
            page = await service.audit.list(ReadAudit(after=after, limit=MOST), principal)
            for event in page.events:
                click.echo(encode(event))
            if page.next is None:
                return
            after = page.next

    session(home, work)


@audit.command()
@click.option("--all", "every", is_flag=True, help="The logs of all organizations.")
@click.option(
    "--head", default="", metavar="N:DIGEST", help="What an earlier run told as head: this must still be in the log."
)
@ORGANIZATION_OPTION
@HOME_OPTION
@json_option
def verify(every: bool, head: str, organization: str, home: str, json_: bool) -> None:
    """Walk an organization's whole log and say where its chain breaks, if it does; the exit code is 70 then.

    The head that is told stands for everything before it. Kept elsewhere and given as --head another day, it also shows
    a log that somebody wrote anew from its beginning.
    """
    from faultmaven_core.shared.errors import CorruptDataError

    if every and (head or organization):
        raise click.UsageError("--all takes neither --head nor --organization.")

    async def work(fm: Any) -> LogList:
        service: IdentityService = fm.application.identity
        names = [organization or fm.caller.organization]
        if every:
            names = [view.organization_id for view in await service.installation.organizations()]
        return LogList(tuple([await _verified(service, name, head) for name in names]))

    logs = session(home, work)
    show(logs, json_=json_)
    if broken := [log for log in logs.logs if not log.intact]:
        where = ", ".join(f"{log.organization} at event {log.broken_at}" for log in broken)
        raise CorruptDataError(f"The audit log was tampered with or damaged: {where}.")


async def _verified(service: IdentityService, organization: str, head: str) -> LogView:
    principal = service.installation.operator(organization)
    found: AuditVerified = await service.audit.verify(principal.caller)
    broken_at = found.broken_at
    if head and not broken_at:
        number, digest = _told(head)
        events = (await service.audit.list(ReadAudit(after=number - 1, limit=1), principal)).events
        broken_at = 0 if [(event.sequence, event.digest) for event in events] == [(number, digest)] else number
    newest = f"{found.events}:{found.last_digest}" if found.events else ""
    return LogView(organization, found.events, not broken_at, broken_at, newest)


def _told(head: str) -> tuple[int, str]:
    number, _, digest = head.partition(":")
    if not (number.isascii() and number.isdigit() and int(number) and digest):
        raise click.UsageError("--head is a number, a colon and a digest, as `fm audit verify` told it.")
    return int(number), digest
