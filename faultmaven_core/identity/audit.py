"""Writing, reading and verifying an organization's audit log."""

from __future__ import annotations

from dataclasses import replace

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.audit_chain import AuditEvent, Happening, first_broken, following
from faultmaven_core.identity.model import ClientInfo, Principal
from faultmaven_core.identity.ports import AuditQuery, IdentityUnitOfWork, IdentityUnits
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import Ids, OrganizationId
from faultmaven_core.shared.page import limited

_AT_ONCE = 1000

MOST_EVENTS = 2**63 - 1
"""What a database counts to."""


class AuditLog:
    """An event is in the log exactly if the change that it tells of happened: both are in one unit of work."""

    def __init__(self, units: IdentityUnits, clock: Clock, ids: Ids) -> None:
        self._units, self._clock, self._ids = units, clock, ids

    async def note(
        self, unit: IdentityUnitOfWork, organization: OrganizationId, happening: Happening, client: ClientInfo
    ) -> None:
        """Append what happened, as asked for by a client."""
        told = replace(happening, address=_plain(client.address)[:64], request_id=_plain(client.request_id)[:128])
        last = await unit.audit.last()
        await unit.audit.add(following(last, organization, self._ids.new(), self._clock.now(), told))

    async def list(self, command: c.ReadAudit, principal: Principal) -> v.AuditPage:
        """A page of events of the caller's organization, oldest first. Raises InvalidInputError for impossible numbers."""
        limit = limited(command.limit)
        if not 0 <= command.after <= MOST_EVENTS:
            raise InvalidInputError("`after` is the number of an event.", fields={"after": "out of range"})
        query = AuditQuery(command.actor, command.action, command.target)
        async with self._units(principal.caller.organization, read_only=True) as unit:
            events = await unit.audit.read(after=command.after, limit=limit + 1, query=query)
        shown = tuple(_view(event) for event in events[:limit])
        return v.AuditPage(shown, shown[-1].sequence if len(events) > limit else None)

    async def verify(self, caller: Caller) -> v.AuditVerified:
        """Walk the organization's whole chain, to its end as it is known apart from it."""
        last: AuditEvent | None = None
        async with self._units(caller.organization, read_only=True) as unit:
            head = await unit.audit.head()
            while events := await unit.audit.read(after=last.sequence if last else 0, limit=_AT_ONCE):
                if broken := first_broken(events, last):
                    return _verified(last, broken)
                last = events[-1]
        reached = (last.sequence, last.digest) if last else (0, "")
        if reached != ((head.sequence, head.digest) if head else (0, "")):
            return _verified(last, last.sequence + 1 if last else 1)
        return _verified(last, 0)


def _plain(text: str) -> str:
    """What a client says of itself, without what no database or terminal takes."""
    return "".join(char for char in text if char.isprintable())


def _verified(last: AuditEvent | None, broken: int) -> v.AuditVerified:
    return v.AuditVerified(last.sequence if last else 0, broken == 0, broken, last.digest if last else "")


def _view(event: AuditEvent) -> v.AuditEventView:
    told = event.happening
    return v.AuditEventView(
        event.sequence,
        event.at,
        told.action,
        told.actor,
        told.target,
        str(told.outcome),
        told.address,
        told.request_id,
        told.detail,
        event.digest,
        str(event.key),
        event.previous,
    )
