"""Redis set-ups whose primary is lost while cache, leases and signals are used."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from faultmaven_contract_tests.servers import Process, private
from redis_backends import place
from redis_load import Load
from redis_promotion import MOST, promotion

KILL, HANG = Process.kill, Process.pause


@pytest.mark.parametrize("name", ["redis_sentinel", "redis_cluster"])
@pytest.mark.parametrize(
    "harm", [pytest.param(KILL, id="killed"), pytest.param(HANG, id="hung", marks=pytest.mark.soak)]
)
async def test_a_failover_under_load_gives_no_wrong_answer(name: str, harm: object) -> None:
    """No error but ours, no add refused to its only owner, tokens that grow, and all of it again soon after the servers."""
    with private(name) as server:
        # The time-outs that the product has, not the patient ones of other tests.
        async with Load(replace(place(server), connect_timeout=1.0, timeout=2.0)) as load:
            await load.busy()
            assert not load.errors
            granted, since = len(load.tokens), time.monotonic()
            primary = server.primary()
            primary.kill() if harm is KILL else primary.pause()
            promoting = asyncio.create_task(asyncio.to_thread(promotion, server, primary))
            async with asyncio.timeout(MOST):
                seconds = await load.recovered(since)
            promoted = await promoting
        primary.resume()
    assert load.wrong == []
    # How long the servers take for it is their settings' and the machine's affair.
    assert seconds < promoted + 10
    assert load.errors, "nobody noticed: the failover did not happen under load"
    assert len(load.tokens) > granted
    assert load.tokens == sorted(set(load.tokens))
    assert len(load.heard) == len({payload for _, payload in load.heard})
