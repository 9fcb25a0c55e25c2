"""Work on cases, in a process of its own: `python -m benchmarks.speed.repository_work ours|ORM get|update|page PLACE`.

Each operation is a unit of work (a session) of its own, as in a service that answers one request.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from time import time_ns

from benchmarks.speed.measure import timed
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_contract_tests.samples import ACME, START, case
from faultmaven_core.cases.model import CaseStatus
from faultmaven_core.cases.ports import CaseQuery
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.ids import RandomIds

CASES = 500
PAGE = 40
OPERATIONS = {"get": 1000, "update": 500, "page": 150}

Operation = Callable[[int], Awaitable[object]]
"""Does it once, with a number that picks the case."""


def storage(place: str) -> SqlStorage:
    """Our storage at a path or URL."""
    clock = FixedClock(START)
    return SqlStorage(place, clock, RandomIds(clock), lambda _: None)


async def fill(place: str) -> None:
    """Keep the cases that all programs work on."""
    ours = storage(place)
    await ours.start()
    async with ours.cases(ACME) as unit:
        for number in range(CASES):
            await unit.cases.add(case(number))
        await unit.commit()
    await ours.aclose()


@asynccontextmanager
async def our_operations(place: str) -> AsyncIterator[dict[str, Operation]]:
    """The product's repositories."""
    ours = storage(place)
    await ours.start()

    async def get(number: int) -> object:
        async with ours.cases(ACME, read_only=True) as unit:
            return await unit.cases.get(case(number).id)

    async def update(number: int) -> object:
        async with ours.cases(ACME) as unit:
            found = await unit.cases.get(case(number).id)
            await unit.cases.save(replace(found, title=f"changed {time_ns()}"))
            await unit.commit()
        return None

    async def page(_number: int) -> object:
        async with ours.cases(ACME, read_only=True) as unit:
            return await unit.cases.page(CaseQuery(), after=None, limit=PAGE)

    yield {"get": get, "update": update, "page": page}
    await ours.aclose()


@asynccontextmanager
async def orm_operations(place: str) -> AsyncIterator[dict[str, Operation]]:
    """The peer."""
    from benchmarks.speed.orm_peer import OrmCases

    url = place.replace("postgresql:", "postgresql+asyncpg:", 1)
    peer = OrmCases(url if url != place else f"sqlite+aiosqlite:///{place}", ACME)
    yield {
        "get": lambda number: peer.get(case(number).id),
        "update": lambda number: peer.update(case(number).id, f"changed {time_ns()}"),
        "page": lambda _number: peer.page([str(status) for status in CaseStatus], PAGE),
    }
    await peer.aclose()


WHOSE = {"ours": our_operations, "ORM": orm_operations}


def main() -> None:
    """Do what the arguments name; what is done once (connecting, compiling statements) is done before."""
    whose, work, place = sys.argv[1:]
    count = OPERATIONS[work]
    with asyncio.Runner() as runner:
        context = WHOSE[whose](place)
        operation = runner.run(context.__aenter__())[work]

        async def several(times: int) -> float:
            for number in range(times):
                await operation(number % CASES)
            return times

        runner.run(several(20))
        timed(lambda: runner.run(several(count)))
        runner.run(context.__aexit__(None, None, None))


if __name__ == "__main__":
    main()
