"""Writes events at the end of a case's journal, in the unit of work that they belong to."""

from __future__ import annotations

from faultmaven_core.cases.journal import following
from faultmaven_core.cases.ports import CaseUnitOfWork
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.events import Event
from faultmaven_core.shared.ids import CaseId, Ids


class JournalWriter:
    """Chains each event to the one before it."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock, self._ids = clock, ids

    async def __call__(self, unit: CaseUnitOfWork, name: CaseId, event: Event, caller: Caller) -> None:
        """Append an event that happens now."""
        last = await unit.journal.last(name)
        now = self._clock.now()
        entry = following(last, name, self._ids.new(), now, caller.user, event.kind, event.detail())
        await unit.journal.add(entry)
