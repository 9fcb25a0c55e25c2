"""Redis set-ups whose primary is lost while cache, leases and signals are used."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from faultmaven_contract_tests.servers import Process, private
from redis_backends import place
from redis_load import Load

KILL, HANG = Process.kill, Process.pause


@pytest.mark.parametrize("name", ["redis_sentinel", "redis_cluster"])
@pytest.mark.parametrize(
    "harm", [pytest.param(KILL, id="killed"), pytest.param(HANG, id="hung", marks=pytest.mark.soak)]
)
async def test_a_failover_under_load_gives_no_wrong_answer(name: str, harm: object) -> None:
    """No error but ours, no add refused to its only owner, tokens that grow, and all of it again within 15 seconds."""
    with private(name) as server:
        # The time-outs that the product has, not the patient ones of other tests.
        async with Load(replace(place(server), connect_timeout=1.0, timeout=2.0)) as load:
            await asyncio.sleep(1.5)
            assert not load.errors
            before, granted, since = load.done, len(load.tokens), time.monotonic()
            primary = server.primary()
            primary.kill() if harm is KILL else primary.pause()
            async with asyncio.timeout(25):
                seconds = await load.recovered(since)
        primary.resume()
    assert load.wrong == []
    assert seconds < 15
    assert load.errors, "nobody noticed: the failover did not happen under load"
    assert before > 500
    assert len(load.tokens) > granted
    assert load.tokens == sorted(set(load.tokens))
    assert len(load.heard) == len({payload for _, payload in load.heard})
