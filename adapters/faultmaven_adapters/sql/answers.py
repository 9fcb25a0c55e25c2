"""Repository of the answers to commands that carried a request key."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, tuple_

from faultmaven_adapters.sql.tables import ANSWER
from faultmaven_core.ports.transactions import Answer, AnswerRepository
from faultmaven_core.shared.caller import Caller

if TYPE_CHECKING:
    from faultmaven_adapters.sql.unit import SqlTransaction

_MOST_SWEPT = 100


class SqlAnswerRepository(AnswerRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def find(self, caller: Caller) -> Answer | None:
        row = await self._run.first(
            select(ANSWER).where(
                ANSWER.c.organization_id == self._run.organization,
                ANSWER.c.user_id == caller.user,
                ANSWER.c.request_key == caller.request_key,
            )
        )
        return None if row is None else Answer(row.command, row.answer, row.at)

    async def add(self, caller: Caller, answer: Answer) -> None:
        self._run.own(caller.organization)
        row: dict[str, Any] = {
            "organization_id": caller.organization,
            "user_id": caller.user,
            "request_key": caller.request_key,
        }
        row |= {"command": answer.command, "answer": answer.view, "at": answer.at}
        await self._run.run(insert(ANSWER).values(row))

    async def sweep(self, before: datetime) -> int:
        key = (ANSWER.c.user_id, ANSWER.c.request_key)
        own = ANSWER.c.organization_id == self._run.organization
        old = select(*key).where(own, ANSWER.c.at < before).limit(_MOST_SWEPT)
        # What another unit sweeps already is passed over: waiting for it would put writers in a row.
        done = await self._run.run(delete(ANSWER).where(own, tuple_(*key).in_(old.with_for_update(skip_locked=True))))
        return done.rowcount
