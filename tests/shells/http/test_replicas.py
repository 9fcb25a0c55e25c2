"""Several servers that are one: what they count together, and one of them leaving while people work."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx2
import pytest

from tests.shells.http.processes import SECONDS, replicas, signed_in

pytestmark = pytest.mark.servers("postgres", "redis")

RATE = 60
PARALLEL = 200


async def test_four_servers_count_a_users_requests_as_one(tmp_path: Path) -> None:
    """Of 200 at once, spread over all of them, as many pass as one server would let pass, and not one more."""
    async with replicas(4, tmp_path, FM_RATE_LIMIT=str(RATE)) as servers:
        ann = await signed_in(servers[0].address, "ann")
        began = time.monotonic()
        async with httpx2.AsyncClient(headers=ann, timeout=SECONDS) as client:
            asked = (client.get(f"{servers[n % 4].address}/api/v1/cases") for n in range(PARALLEL))
            answers = await asyncio.gather(*asked)
        took = time.monotonic() - began
    passed = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(passed) + len(refused) == PARALLEL
    assert {answer.headers["x-ratelimit-remaining"] for answer in refused} == {"0"}
    assert RATE <= len(passed) <= RATE + took * RATE / 60
    assert {answer.url.port for answer in passed} == {httpx2.URL(server.address).port for server in servers}
