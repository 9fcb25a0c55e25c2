"""A doctor that finds nothing wrong with a broken backend is worse than none: each trial notices its own fault."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from faultmaven.doctor import trials
from faultmaven.doctor.probes import _inspected
from faultmaven_adapters.blobs.memory import MemoryBlobStore
from faultmaven_adapters.cache.memory import MemoryCache
from faultmaven_adapters.leases.memory import MemoryLeases
from faultmaven_adapters.ratelimit.memory import MemoryRateLimiter
from faultmaven_adapters.sessions.memory import MemorySessionStore
from faultmaven_adapters.signals.memory import MemorySignals
from faultmaven_adapters.sql.memory import MemoryStorage
from faultmaven_core.ports.health import Inspection
from faultmaven_core.shared.clock import SystemClock
from faultmaven_core.shared.errors import BackendError, CorruptDataError
from faultmaven_core.shared.ids import OrganizationId, RandomIds

CLOCK = SystemClock()


def storage() -> MemoryStorage:
    """Rows in memory."""
    return MemoryStorage("", CLOCK, RandomIds(CLOCK), lambda _jobs: None)


async def test_what_works_is_found_to_work_and_leaves_nothing() -> None:
    """Every trial on the memory backends."""
    rows, blobs, cache = storage(), MemoryBlobStore(), MemoryCache(CLOCK)
    await trials.rows(rows, "m")
    await trials.isolation(rows, "m")
    await trials.blobs(blobs, "m")
    assert await trials.conditional(blobs, "m") == ("also of two at the same moment",)
    await trials.cache(cache, "m")
    await trials.leases(MemoryLeases(CLOCK), "m")
    await trials.signals(MemorySignals(), "m")
    await trials.sessions(MemorySessionStore(CLOCK))
    await trials.rate_limits(MemoryRateLimiter(CLOCK), "m")
    assert await trials.backlog(rows, embedded=True) == ("0 waiting",)
    assert [info async for info in blobs.list("")] == []
    async with rows.cases(trials.ORGANIZATION, read_only=True) as unit:
        from faultmaven_core.cases.ports import CaseQuery

        assert (await unit.cases.page(CaseQuery(), after=None, limit=10)).items == ()


class EveryonesStorage(MemoryStorage):
    """Knows only one organization, as a database whose policies are off."""

    def cases(self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False) -> Any:
        """A unit of the one."""
        return super().cases(trials.ORGANIZATION, read_only=read_only, may_lag=may_lag)


class ForgetfulBlobs(MemoryBlobStore):
    """Gives other bytes than it was given."""

    async def put(self, key: Any, chunks: Any, **options: Any) -> Any:
        """Something else."""

        async def other() -> AsyncIterator[bytes]:
            async for chunk in chunks:
                yield chunk[::-1]

        return await super().put(key, other(), **options)


class CarelessBlobs(MemoryBlobStore):
    """Overwrites what is there."""

    async def put(self, key: Any, chunks: Any, **options: Any) -> Any:
        """Always by replacing."""
        return await super().put(key, chunks, **{**options, "mode": "replace"})


class GenerousCache(MemoryCache):
    """Lets everybody win."""

    async def add(self, key: Any, value: bytes, *, ttl: timedelta) -> bool:
        """Yes."""
        await super().add(key, value, ttl=ttl)
        return True


class GenerousLeases(MemoryLeases):
    """Grants everything."""

    async def acquire(self, name: str, *, ttl: timedelta, owner: str) -> Any:
        """Yes."""
        return await super().acquire(f"{name}.{owner}", ttl=ttl, owner=owner)


class ForgetfulSessions(MemorySessionStore):
    """Ends nothing."""

    async def end(self, sid: Any) -> None:
        """No."""


class GenerousLimiter(MemoryRateLimiter):
    """Counts nothing."""

    async def hit(self, key: Any, limit: Any, *, cost: int = 1) -> Any:
        """The first hit, every time."""
        return await MemoryRateLimiter(CLOCK).hit(key, limit, cost=cost)


@pytest.mark.parametrize(
    ("trial", "expected"),
    [
        (
            lambda: trials.isolation(EveryonesStorage("", CLOCK, RandomIds(CLOCK), lambda _jobs: None), "m"),
            BackendError,
        ),
        (lambda: trials.blobs(ForgetfulBlobs(), "m1"), CorruptDataError),
        (lambda: trials.conditional(CarelessBlobs(), "m"), BackendError),
        (lambda: trials.cache(GenerousCache(CLOCK), "m"), CorruptDataError),
        (lambda: trials.leases(GenerousLeases(CLOCK), "m"), BackendError),
        (lambda: trials.sessions(ForgetfulSessions(CLOCK)), CorruptDataError),
        (lambda: trials.rate_limits(GenerousLimiter(CLOCK), "m"), BackendError),
    ],
    ids=["isolation", "content", "conditions", "cache", "leases", "sessions", "rate limits"],
)
async def test_a_broken_backend_is_found_out(trial: Any, expected: type[Exception]) -> None:
    """Each by the trial of its own port."""
    with pytest.raises(expected):
        await trial()


@pytest.mark.parametrize(("ahead", "warned"), [(0, ""), (60, "60 s ahead of ours"), (-60, "60 s behind ours")])
async def test_a_clock_that_is_wrong_is_told(ahead: int, warned: str) -> None:
    """With what to do."""

    class Server:
        async def inspect(self) -> Inspection:
            return Inspection("Server", "1", datetime.now(UTC) + timedelta(seconds=ahead), ("one more",))

    said, *warnings = await _inspected(Server())
    assert said == "Server 1"
    assert len(warnings) == 1 + bool(ahead)
    assert warned in warnings[-1]
