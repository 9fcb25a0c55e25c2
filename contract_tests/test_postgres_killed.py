"""A PostgreSQL that is killed and started again in the middle of commands.

What was acknowledged is there once, what was refused is not, and what is unknown is found out by its request key.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_contract_tests.request_keys import ANN, everything
from faultmaven_contract_tests.servers import Server, private
from faultmaven_core.cases import commands as c
from faultmaven_core.cases.service import CaseService
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import SystemClock
from faultmaven_core.shared.errors import AmbiguousError, BackendUnavailableError
from faultmaven_core.shared.ids import RandomIds
from storages import DATABASE, as_app, new_database, sql

CLIENTS = 8


@pytest.fixture
def server() -> Iterator[Server]:
    """One to kill."""
    with private("postgres") as started:
        yield started


@dataclass
class Outcome:
    """What the clients were told. `unknown` counts answers that only the key could give."""

    acknowledged: dict[str, list[str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    unknown: int = 0


async def client(cases: CaseService, names: list[str], outcome: Outcome) -> None:
    """Opens cases and closes them, each command under a key of its own."""
    while names:
        name = names.pop()
        opened = await told(cases, c.OpenCase(name), name, outcome)
        if opened is None:
            outcome.refused.append(name)
            continue
        kinds = outcome.acknowledged[name] = ["case_opened"]
        if await told(cases, c.CloseCase(opened.case_id), f"{name}-close", outcome) is not None:
            kinds.append("case_closed")


async def told(cases: CaseService, command: c.OpenCase | c.CloseCase, key: str, outcome: Outcome) -> c.CaseView | None:
    """The answer; None where the command was refused. What is unknown is asked for again."""
    caller = Caller(ANN.organization, ANN.user, key)
    while True:
        try:
            if isinstance(command, c.OpenCase):
                return await cases.open(command, caller)
            return await cases.close(command, caller)
        except AmbiguousError:
            outcome.unknown += 1
        except BackendUnavailableError:
            return None


async def trouble(server: Server, names: list[str], kills: int, chance: random.Random) -> None:
    """Kills it again and again, spread over the commands; it stays away for a moment."""
    every = len(names) // (kills + 1)
    for _ in range(kills):
        reached = len(names) - every
        async with asyncio.timeout(120):
            while len(names) > reached:  # noqa: ASYNC110 - the list is the commands' own, and they know of no kills
                await asyncio.sleep(0.002)
        server.kill()
        await asyncio.sleep(chance.uniform(0, 0.3))
        await asyncio.to_thread(server.restart)


async def look(storage: SqlStorage) -> dict[str, list[list[str]]]:
    """For every title the journals of the cases that have it."""
    found: dict[str, list[list[str]]] = {}
    rows = await everything(storage)
    for case, journal in zip(rows[::2], rows[1::2], strict=True):
        found.setdefault(case.title, []).append([entry.kind for entry in journal])
    return found


@pytest.mark.parametrize(
    ("commands", "kills"), [(200, 4), pytest.param(1000, 20, marks=pytest.mark.soak)], ids=["some", "many"]
)
async def test_each_acknowledged_command_is_there_once_and_no_refused_one(
    server: Server, commands: int, kills: int
) -> None:
    """Whatever was under way when the server died."""
    names = [f"case-{number:04}" for number in range(commands // 2)]
    outcome = Outcome()
    await new_database(server.url, DATABASE)
    async with sql(as_app(server.url), SqlOptions(pool_size=CLIENTS)) as storage:
        cases = CaseService(storage.cases, SystemClock(), RandomIds(SystemClock()))
        async with asyncio.TaskGroup() as group:
            group.create_task(trouble(server, names, kills, random.Random(commands)))
            for _ in range(CLIENTS):
                group.create_task(client(cases, names, outcome))
        found = await look(storage)
    assert found == {name: [kinds] for name, kinds in outcome.acknowledged.items()}
    assert not found.keys() & set(outcome.refused)
    told = Counter(len(kinds) for kinds in outcome.acknowledged.values())
    assert told[2] > commands // 4, (told, outcome.refused)
