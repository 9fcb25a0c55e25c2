"""Repository of the audit log. Its tables are appended to: the services' role can neither change nor remove an event."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.dialects.postgresql import insert

from faultmaven_adapters.sql.identity_credential_rows import audit_of, audit_row
from faultmaven_adapters.sql.identity_entities import Entities
from faultmaven_adapters.sql.identity_tables import AUDIT, AUDIT_HEAD
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.identity.audit_chain import AuditEvent
from faultmaven_core.identity.ports import EVERY_EVENT, AuditHead, AuditQuery, AuditRepository

_EVENTS = Entities("event", AUDIT, audit_row, audit_of)
_LAST = _EVENTS.all.order_by(AUDIT.c.sequence.desc()).limit(1)
_NEXT = _EVENTS.all.where(AUDIT.c.sequence > bindparam("after")).order_by(AUDIT.c.sequence).limit(bindparam("most"))
_HEAD = select(AUDIT_HEAD).where(AUDIT_HEAD.c.organization_id == bindparam("own"))
_NEW_HEAD = insert(AUDIT_HEAD)
_MOVE_HEAD = _NEW_HEAD.on_conflict_do_update(
    index_elements=[AUDIT_HEAD.c.organization_id],
    set_={"sequence": _NEW_HEAD.excluded.sequence, "digest": _NEW_HEAD.excluded.digest},
)


class SqlAuditRepository(AuditRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def last(self) -> AuditEvent | None:
        await self._run.lock("audit")
        found = await _EVENTS.many(self._run, _LAST)
        return found[0] if found else None

    async def add(self, event: AuditEvent) -> None:
        await _EVENTS.add(self._run, event)
        head = {"organization_id": event.organization, "sequence": event.sequence, "digest": event.digest}
        await self._run.run(_MOVE_HEAD, head)

    async def head(self) -> AuditHead | None:
        row = await self._run.first(_HEAD, {"own": self._run.organization})
        return AuditHead(row.sequence, row.digest) if row else None

    async def read(self, *, after: int, limit: int, query: AuditQuery = EVERY_EVENT) -> Sequence[AuditEvent]:
        wanted = _NEXT
        if query.actor:
            wanted = wanted.where(AUDIT.c.actor == query.actor)
        if query.target:
            wanted = wanted.where(AUDIT.c.target == query.target)
        if query.action:
            # No LIKE, which in SQLite takes capitals for small letters; the slash is what follows the dot.
            within = and_(AUDIT.c.action > f"{query.action}.", AUDIT.c.action < f"{query.action}/")
            wanted = wanted.where(or_(AUDIT.c.action == query.action, within))
        return await _EVENTS.many(self._run, wanted, {"after": after, "most": limit})
