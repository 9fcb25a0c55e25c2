"""Turns schedules into jobs: one for each slot, however many schedulers there are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.ports.transactions import UnitOfWork, UnitOfWorkFactory
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.ids import OrganizationId, uuid7
from faultmaven_core.shared.schedule import Missed, Schedule

IN_TIME = timedelta(minutes=1)
"""A slot that began longer ago than this was missed."""


class Scheduler:
    """Asks for the jobs of slots on behalf of one caller. Keeps nothing: the job of a slot is the memory of it."""

    def __init__(
        self, units: UnitOfWorkFactory[UnitOfWork], schedules: Sequence[Schedule], caller: Caller, clock: Clock
    ) -> None:
        self._units, self._schedules, self._caller, self._clock = units, schedules, caller, clock
        self._last: dict[str, datetime] = {}

    async def tick(self) -> int:
        """Ask for the jobs of slots that began since the last tick; for how many. Call it every second or two."""
        now = self._clock.now()
        due = [
            (schedule, slot)
            for schedule in self._schedules
            if (slot := schedule.slot(now)) != self._last.get(schedule.name) and _wanted(schedule, slot, now)
        ]
        if due:
            async with self._units(self._caller.organization) as unit:
                for schedule, slot in due:
                    await unit.outbox.add(self._request(schedule, slot))
                await unit.commit()
        # Only now: what could not be committed is asked for again by the next tick.
        self._last |= {schedule.name: slot for schedule, slot in due}
        return len(due)

    def _request(self, schedule: Schedule, slot: datetime) -> JobRequest:
        return JobRequest(
            schedule.operation,
            b"{}",
            self._caller,
            # A slot whose predecessor still runs makes no second one; the id keeps an ended slot from coming back.
            dedupe_key=f"schedule {schedule.name}",
            id=slot_id(self._caller.organization, schedule.name, slot),
        )


def slot_id(organization: OrganizationId, name: str, slot: datetime) -> UUID:
    """The id of the job of `name@slot`: the same in every process, in the order of time among other ids."""
    digest = int.from_bytes(hashlib.sha256(f"{organization}/{name}@{slot.isoformat()}".encode()).digest())
    return uuid7(int(slot.timestamp() * 1000), digest & 0xFFF, digest >> 12 & (1 << 62) - 1)


def _wanted(schedule: Schedule, slot: datetime, now: datetime) -> bool:
    return schedule.missed is Missed.LATEST or now - slot <= IN_TIME
