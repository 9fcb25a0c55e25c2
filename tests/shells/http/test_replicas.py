"""Several servers that are one: what they count together, and one of them leaving while people work."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from tests.shells.http.processes import SECONDS, Replica, replicas, signed_in
from tests.shells.http.traffic import traffic

pytestmark = pytest.mark.servers("postgres", "redis")

RATE = 60
PARALLEL = 200


async def test_four_servers_count_a_users_requests_as_one(tmp_path: Path) -> None:
    """Of 200 at once, spread over all of them, as many pass as one server would let pass, and not one more."""
    async with replicas(4, tmp_path, FM_RATE_LIMIT=str(RATE)) as servers:
        ann = await signed_in(servers[0].address, "ann")
        began = time.monotonic()
        async with httpx2.AsyncClient(headers=ann, timeout=SECONDS) as client:
            # One after the other first, so that each has its part, however late it is with the others.
            answers = [await client.get(f"{server.address}/api/v1/cases") for server in servers]
            asked = (client.get(f"{servers[n % 4].address}/api/v1/cases") for n in range(PARALLEL))
            answers += await asyncio.gather(*asked)
        took = time.monotonic() - began
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses.keys() == {200, 429}
    assert [answer.status_code for answer in answers[:4]] == [200] * 4
    assert {answer.headers["x-ratelimit-remaining"] for answer in answers if answer.status_code == 429} == {"0"}
    assert RATE <= statuses[200] <= RATE + took * RATE / 60


@pytest.mark.parametrize(
    ("rate", "least", "restarted", "drain"),
    [
        pytest.param(20, 0, [1], 5.0, id="one"),
        pytest.param(100, 100, [0, 1] * 3, 5.0, id="all", marks=[pytest.mark.soak, pytest.mark.timeout(900)]),
    ],
)
async def test_servers_are_restarted_one_after_the_other_and_nobody_notices(
    rate: float, least: float, restarted: list[int], drain: float, tmp_path: Path
) -> None:
    """No request fails, and what comes twice at once, on two servers, under one key, is done once."""
    async with replicas(2, tmp_path, FM_RATE_LIMIT="0", FM_HTTP_DRAIN=f"{drain}s") as servers:
        ann = await signed_in(servers[0].address, "ann")
        async with traffic([server.address for server in servers], ann, rate) as work:
            for server in [servers[index] for index in restarted]:
                assert await server.stop() == 0, server.said()
                server.start()
                await server.ready()
                await work.balancer.sees(server.address, ready=True)
            reached = work.rate
        assert work.wrong == []
        assert reached >= least, f"{reached:.0f} requests a second is all that this machine does."
        assert work.read > 2 * len(work.opened) > 0
        assert await opened(servers[0].address, ann) == sorted(["read", *work.opened])


@pytest.mark.soak
async def test_servers_that_are_killed_at_work_double_nothing(tmp_path: Path) -> None:
    """Clients that got no answer ask the other one, under the same key, until they get one."""
    keys: list[str] = []
    over = asyncio.Event()

    async def work(client: httpx2.AsyncClient, servers: Sequence[Replica], name: int) -> None:
        while not over.is_set():
            key = f"killed-{name}-{len(keys):05}"
            await told(client, itertools.cycle(servers), key)
            keys.append(key)

    async with replicas(2, tmp_path, FM_RATE_LIMIT="0") as servers:
        ann = await signed_in(servers[0].address, "ann")
        async with httpx2.AsyncClient(headers=ann, timeout=SECONDS) as client, asyncio.TaskGroup() as group:
            for name in range(8):
                group.create_task(work(client, servers, name))
            for server in [*servers] * 3:
                before = len(keys)
                while len(keys) < before + 40:  # noqa: ASYNC110 - kills come by the work, which knows of none
                    await asyncio.sleep(0.01)
                server.kill()
                server.start()
                await server.ready()
            over.set()
        assert await opened(servers[0].address, ann) == sorted(keys)


async def told(client: httpx2.AsyncClient, servers: Iterator[Replica], key: str) -> None:
    """Return when a case was opened under this key."""
    for server in servers:
        with suppress(httpx2.TransportError):
            place = f"{server.address}/api/v1/cases"
            answer = await client.post(place, json={"title": key}, headers={"Idempotency-Key": key})
            if answer.status_code == 201:
                return
            assert answer.status_code == 503, answer.text
        await asyncio.sleep(0.05)


async def opened(address: str, who: dict[str, str]) -> list[str]:
    """The titles of all cases there."""
    titles: list[str] = []
    async with httpx2.AsyncClient(base_url=address, headers=who, timeout=SECONDS) as client:
        while True:
            answer = await client.get("/api/v1/cases", params={"limit": 100, "offset": len(titles)})
            assert answer.status_code == 200, answer.text
            titles += [case["title"] for case in answer.json()["cases"]]
            if not answer.json()["has_more"]:
                return sorted(titles)
