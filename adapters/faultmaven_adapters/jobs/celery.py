"""Jobs for Celery workers: the broker is told ids, by a thread of its own, so that no commit ever waits for it."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import kombu
import redis

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_adapters._support.translate import translated, translation
from faultmaven_adapters.jobs.brokers import ERRORS, Broker, BrokerPlace, broker_at
from faultmaven_adapters.jobs.publisher import BATCH, Publisher
from faultmaven_core.ports.health import Inspectable, Inspection
from faultmaven_core.ports.job_queue import JobCapability, JobTransport, QueuedJob
from faultmaven_core.shared.backoff import delay

MOST_WAITING = 10_000
"""Notices kept while the broker is away; what is over is left to the relay, which reads the rows."""

MOST_AHEAD = 500
"""Messages in a queue of the broker up to which the relay adds to it."""

DRAIN_SECONDS = 5.0
"""How long closing waits for the broker."""

FIRST_DELAY, LONGEST_DELAY = 0.2, 5.0

_log = logging.getLogger(__name__)


class CeleryJobs(JobTransport, Inspectable):
    """See the port. Delivers ids to Celery workers; those run the jobs, this never does."""

    capabilities = frozenset({JobCapability.SURVIVES_RESTART, JobCapability.MULTI_PROCESS})

    def __init__(self, place: BrokerPlace, *, most_waiting: int = MOST_WAITING) -> None:
        self._place, self._broker, self._most = place, broker_at(place), most_waiting
        self._waiting: deque[QueuedJob] = deque()
        self._work = threading.Condition()
        self._closing = False
        self._dropped = 0
        self._thread: threading.Thread | None = None
        self._calls = BlockingCalls("jobs", 1)

    async def start(self) -> None:
        """Begin to publish. Nothing is connected before there is something to say."""
        # A daemon: a broker that hangs must not keep a program from ending.
        self._thread = threading.Thread(target=self._publish, name="faultmaven-jobs-publisher", daemon=True)
        self._thread.start()

    def notify(self, jobs: Sequence[QueuedJob]) -> None:
        with self._work:
            room = max(0, self._most - len(self._waiting))
            self._waiting.extend(jobs[:room])
            lost, before = len(jobs) - room, self._dropped
            if lost > 0:
                self._dropped += lost
            self._work.notify()
        if lost > 0 and not before:
            _log.warning("%s is away and too many jobs wait for it; the relay sends them later.", self._place.name)

    async def ping(self) -> None:
        with translation(ERRORS, self._place.name):
            await self._calls(_ping, self._broker, self._place.connect_timeout)

    async def inspect(self) -> Inspection:
        with translation(ERRORS, self._place.name):
            return await self._calls(_inspect, self._broker, self._place.connect_timeout)

    async def depth(self, queue: str) -> int:
        """Messages that wait in a queue of the broker; jobs that wait are counted in their rows, not here."""
        with translation(ERRORS, self._place.name):
            return await self._calls(_depth, self._broker, self._place.connect_timeout, queue)

    async def lacking(self, jobs: Sequence[QueuedJob]) -> Sequence[QueuedJob]:
        """Those of these jobs whose queues at the broker have room left.

        A job that nobody took for long may only wait behind others. Were it told of again and again, a long queue would
        become longer by the telling.
        """
        room = {queue: MOST_AHEAD - await self.depth(queue) for queue in sorted({job.queue for job in jobs})}
        wanted = []
        for job in jobs:
            room[job.queue] -= 1
            if room[job.queue] >= 0:
                wanted.append(job)
        return wanted

    async def aclose(self) -> None:
        with self._work:
            self._closing = True
            self._work.notify()
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(thread.join, DRAIN_SECONDS)
        if self._waiting:
            _log.warning("%s was not told of %d jobs; the relay does it.", self._place.name, len(self._waiting))
        await asyncio.to_thread(self._calls.close)

    def _publish(self) -> None:
        publisher, failures = Publisher(self._broker, self._place), 0
        while batch := self._next_batch():
            try:
                publisher.send(batch)
            except Exception as error:  # noqa: BLE001 - the thread must outlive every failure of the broker
                publisher.forget()
                failures += 1
                if self._closing:
                    return
                if failures == 1:
                    _log.warning("Jobs wait for their broker: %s", translated(error, ERRORS, self._place.name))
                self._pause(delay(failures, base=FIRST_DELAY, cap=LONGEST_DELAY, chance=random.random))
            else:
                self._sent(len(batch), failures)
                failures = 0
        publisher.forget()

    def _next_batch(self) -> list[QueuedJob]:
        # Sent ones are taken off afterwards: what a failure leaves is sent again, twice told does no harm.
        with self._work:
            self._work.wait_for(lambda: self._waiting or self._closing)
            return [self._waiting[index] for index in range(min(BATCH, len(self._waiting)))]

    def _sent(self, count: int, failures: int) -> None:
        with self._work:
            for _ in range(count):
                self._waiting.popleft()
            dropped, self._dropped = self._dropped, 0
        if failures:
            _log.warning("%s is back; %d jobs were left to the relay.", self._place.name, dropped)

    def _pause(self, seconds: float) -> None:
        with self._work:
            self._work.wait_for(lambda: self._closing, timeout=seconds)


@contextmanager
def _channel(broker: Broker, timeout: float) -> Iterator[tuple[kombu.Connection, Any]]:
    with broker.connection(timeout) as connection:
        connection.connect()
        yield connection, connection.channel()


def _ping(broker: Broker, timeout: float) -> None:
    with _channel(broker, timeout):
        """A channel is answered by the broker: Redis was pinged, RabbitMQ has let us in."""


def _depth(broker: Broker, timeout: float, queue: str) -> int:
    with _channel(broker, timeout) as (connection, channel):
        if connection.transport.driver_type == "redis":
            return int(channel.client.llen(queue))
        try:
            return int(channel.queue_declare(queue, passive=True).message_count)
        except connection.channel_errors:
            return 0  # nobody has sent to it or read from it so far


def _inspect(broker: Broker, timeout: float) -> Inspection:
    with _channel(broker, timeout) as (connection, channel):
        if connection.transport.driver_type == "redis":
            return _inspect_redis(channel.client)
        said = connection.connection.server_properties
        return Inspection(str(said["product"]), str(said["version"]))


def _inspect_redis(client: Any) -> Inspection:
    said = client.execute_command("HELLO")
    pairs = said if isinstance(said, dict) else dict(zip(said[::2], said[1::2], strict=True))
    seconds, microseconds = client.time()
    clock = datetime.fromtimestamp(int(seconds) + int(microseconds) / 1e6, UTC)
    return Inspection(pairs[b"server"].decode(), pairs[b"version"].decode(), clock, tuple(_on_memory(client)))


def _on_memory(client: Any) -> Iterator[str]:
    try:
        memory = client.info("memory")
    except redis.exceptions.ResponseError:
        return  # the user may not ask, as it should be in production
    policy = memory["maxmemory_policy"]
    if memory["maxmemory"] and policy != "noeviction":
        yield f"maxmemory-policy is {policy}: when memory is full, notices of jobs vanish. Set it to noeviction."
