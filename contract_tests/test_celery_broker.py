"""Brokers as the Celery transport meets them: TLS and few rights, wrong passwords, silence, and too much to say."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from faultmaven_adapters.jobs.brokers import BrokerPlace, broker_at
from faultmaven_adapters.jobs.celery import MOST_AHEAD, CeleryJobs
from faultmaven_adapters.jobs.celery_app import CeleryOptions, celery_app
from faultmaven_adapters.jobs.publisher import BATCH
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.servers import private, shared
from faultmaven_core.ports.job_queue import QueuedJob
from faultmaven_core.shared.errors import (
    BackendError,
    BackendUnavailableError,
    DeadlineExceededError,
    MisconfiguredError,
)
from faultmaven_core.shared.secret import Secret

CANARY = "kanarienvogel-7"
BROKERS = ("redis", "redis_old", "redis_tls", "redis_sentinel", "rabbitmq")


def place(name: str) -> BrokerPlace:
    """Where a shared broker is."""
    server = shared(name)
    if name == "rabbitmq":
        url = server.url.replace("guest:guest@", "guest@").rstrip("/") + "/%2F"
        return BrokerPlace(url, Secret("guest"), connect_timeout=1.0, timeout=1.0)
    password = Secret(server.password) if server.password else None
    return BrokerPlace(server.url, password, ca_file=server.ca, connect_timeout=1.0, timeout=1.0)


@asynccontextmanager
async def started(at: BrokerPlace, **more: Any) -> Any:
    """A transport that publishes."""
    jobs = CeleryJobs(at, **more)
    await jobs.start()
    try:
        yield jobs
    finally:
        await jobs.aclose()


def some(number: int, queue: str) -> list[QueuedJob]:
    """Jobs of a queue."""
    return [QueuedJob(uuid4(), queue) for _ in range(number)]


async def until_deep(jobs: CeleryJobs, queue: str, depth: int) -> None:
    """Return when so many messages wait."""
    async with asyncio.timeout(60):
        while await jobs.depth(queue) != depth:  # noqa: ASYNC110 - the broker says nothing by itself
            await asyncio.sleep(0.05)


@pytest.mark.servers(*BROKERS)
@pytest.mark.parametrize("name", BROKERS)
async def test_ids_reach_every_broker_with_the_rights_that_are_documented(name: str) -> None:
    """By TLS and as a user who may touch `fm:*` only, where there is one; the broker says what it is."""
    async with started(place(name)) as jobs:
        await jobs.ping()
        assert (await jobs.inspect()).product.lower() in {"redis", "rabbitmq"}
        queue = f"q{uuid4().hex[:8]}"
        assert await jobs.depth(queue) == 0
        jobs.notify(some(BATCH + 3, queue))
        await until_deep(jobs, queue, BATCH + 3)


@pytest.mark.servers("redis_tls", "rabbitmq")
@pytest.mark.parametrize("name", ["redis_tls", "rabbitmq"])
async def test_a_wrong_password_is_said_and_not_shown(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the error nor in any log, not even at the finest level; nor by what Celery says of its settings."""
    caplog.set_level(logging.DEBUG)
    wrong = replace(place(name), password=Secret(CANARY))
    async with started(wrong) as jobs:
        with pytest.raises(BackendError, match="refuses the user or the password") as found:
            await jobs.ping()
        jobs.notify(some(1, "default"))
        await asyncio.sleep(0.5)
    app = celery_app(wrong, CeleryOptions())
    told = [
        caplog.text,
        str(found.value),
        repr(wrong),
        repr(broker_at(wrong)),
        app.connection().as_uri(),
        repr(app.conf),
    ]
    assert not [text for text in told if CANARY in text]


@pytest.mark.servers("redis_tls")
async def test_a_certificate_of_a_stranger_is_refused() -> None:
    """The private authority must be named."""
    async with started(replace(place("redis_tls"), ca_file="")) as jobs:
        with pytest.raises(BackendError):
            await jobs.ping()


@pytest.mark.servers("redis", "rabbitmq")
@pytest.mark.parametrize("name", ["redis", "rabbitmq"])
async def test_a_broker_that_is_silent_or_gone_is_an_error_of_ours_in_time(name: str) -> None:
    """And the same transport works when it is back."""
    at = place(name)
    port = urlsplit(at.url).port or 0
    async with FaultProxy("127.0.0.1", port) as proxy, started(replace(at, url=proxy.through(at.url))) as jobs:
        proxy.blackhole = True
        before = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            await jobs.ping()
        assert time.monotonic() - before < 20
        proxy.blackhole = False
        proxy.refuse = True
        with pytest.raises(BackendUnavailableError):
            await jobs.ping()
        proxy.refuse = False
        await jobs.ping()


async def test_what_is_told_while_the_broker_is_away_is_bounded_and_sent_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is over is left to the relay, and that is said."""
    with private("redis") as server:
        async with started(BrokerPlace(server.url, connect_timeout=1.0, timeout=1.0), most_waiting=50) as jobs:
            server.kill()
            before = time.monotonic()
            for _ in range(10):
                jobs.notify(some(10, "default"))
            assert time.monotonic() - before < 5
            server.restart()
            await until_deep(jobs, "default", 50)
    assert "too many jobs wait for it" in caplog.text


@pytest.mark.servers("redis")
async def test_a_long_queue_is_not_made_longer_by_telling_again() -> None:
    """Jobs that wait behind others were not lost."""
    queue = f"q{uuid4().hex[:8]}"
    async with started(place("redis")) as jobs:
        again = some(BATCH, queue)
        assert len(await jobs.lacking(again)) == MOST_AHEAD
        jobs.notify(some(MOST_AHEAD - 10, queue))
        await until_deep(jobs, queue, MOST_AHEAD - 10)
        assert len(await jobs.lacking(again)) == 10


REFUSED = {
    "redis+cluster://h:1,h:2": "Redis Cluster",
    "rediss+cluster://h:1": "Redis Cluster",
    "sqs://h": "must begin with one of redis:",
    "redis+sentinel://h:1": "no primary",
}


@pytest.mark.parametrize(("url", "said"), REFUSED.items())
def test_a_broker_that_celery_cannot_use_is_refused_before_anything_connects(url: str, said: str) -> None:
    """With what to do instead."""
    with pytest.raises(MisconfiguredError, match=said):
        CeleryJobs(BrokerPlace(url))
