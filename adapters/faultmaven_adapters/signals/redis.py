"""Signals over Redis: a single server, behind Sentinel, or a Cluster, whose nodes pass them on to each other."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import RedisCluster
from redis.asyncio.client import PubSub

from faultmaven_adapters._support.redis_clients import RedisClients
from faultmaven_adapters._support.redis_share import RedisShare
from faultmaven_adapters.signals.backlog import Backlog
from faultmaven_core.ports.signals import Signals, Topic, checked_payload
from faultmaven_core.shared.backoff import delay
from faultmaven_core.shared.errors import (
    BackendError,
    BackendUnavailableError,
    DeadlineExceededError,
    FaultMavenError,
)

HEARTBEAT = 3.0
"""Seconds of silence after which the server is asked whether it is there; after as many more it counts as gone."""

FIRST_DELAY = 0.05
LONGEST_DELAY = 1.0

_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Channel:
    """Who listens to a channel, and whether the server knows. `failure` is why it could not be told."""

    backlogs: set[Backlog] = field(default_factory=set)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    failure: FaultMavenError | None = None


class RedisSignals(RedisShare, Signals):
    """See the port. All subscribers of a program share one connection, and one task that reads from it.

    In a cluster it goes to any node: each hears everything. Sharded channels would need Redis 7.
    """

    _closed_sentence = "The signals were closed."

    def __init__(self, clients: RedisClients) -> None:
        super().__init__(clients)
        self._channels: dict[bytes, _Channel] = {}
        self._pubsub: PubSub | None = None
        self._sending = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None

    async def publish(self, topic: Topic, payload: bytes) -> None:
        name, content = self._name(topic), checked_payload(payload)
        await self._redis.run(lambda client: client.execute_command("PUBLISH", name, content))

    @asynccontextmanager
    async def subscribe(self, topic: Topic) -> AsyncIterator[AsyncIterator[bytes]]:
        name, backlog = self._name(topic), Backlog()
        channel = self._channels.setdefault(name, _Channel())
        channel.backlogs.add(backlog)
        try:
            await self._settled(name, channel)
            yield backlog
        finally:
            channel.backlogs.discard(backlog)
            if not channel.backlogs and self._channels.get(name) is channel:
                del self._channels[name]
                await self._tell("UNSUBSCRIBE", name)
            if not self._channels:
                await self._stop()

    async def aclose(self) -> None:
        await super().aclose()
        for channel in self._channels.values():
            for backlog in channel.backlogs:
                backlog.close()
        await self._stop()

    async def _settled(self, name: bytes, channel: _Channel) -> None:
        """Wait until the server knows that we listen."""
        if self._reader is None:
            self._reader = asyncio.create_task(self._read_on(), name="faultmaven-signals")
        elif not channel.settled.is_set():
            await self._tell("SUBSCRIBE", name)
        try:
            async with asyncio.timeout(2 * HEARTBEAT):
                await channel.settled.wait()
        except TimeoutError as error:
            raise DeadlineExceededError("Redis did not answer in time that it lets us listen.") from error
        if channel.failure is not None:
            raise channel.failure

    async def _tell(self, command: str, name: bytes) -> None:
        """Say on the present connection what changed. Where there is none, or it breaks, the next one begins with all."""
        async with self._sending:
            pubsub, wanted = self._pubsub, name in self._channels
            if pubsub is None or wanted != (command == "SUBSCRIBE"):
                return
            try:
                with self._clients.translated():
                    await (pubsub.subscribe(name) if wanted else pubsub.unsubscribe(name))
            except BackendError:
                self._pubsub = None

    async def _read_on(self) -> None:
        failures = 0
        while True:
            pubsub: PubSub | None = None
            try:
                with self._clients.translated():
                    pubsub = await self._opened(again=failures > 0)
                    await self._subscribe_all(pubsub)
                    failures = 0
                    await self._read(pubsub)
            except FaultMavenError as error:
                failures += 1
                _log.warning("Signals are not heard until the connection is made again: %s", error)
                self._fail_waiting(error)
            finally:
                await self._disconnect(pubsub)
            await asyncio.sleep(delay(failures, base=FIRST_DELAY, cap=LONGEST_DELAY, chance=random.random))

    async def _opened(self, *, again: bool) -> PubSub:
        client = self._clients.client
        if not isinstance(client, RedisCluster):
            return client.pubsub()
        await client.initialize()
        if again:
            # After a failed command the client looks for its nodes again, but not after a listener's connection broke.
            await client.nodes_manager.initialize()
        return client.pubsub(node=client.get_random_node())

    async def _subscribe_all(self, pubsub: PubSub) -> None:
        async with self._sending:
            self._pubsub = pubsub
            if self._channels:
                await pubsub.subscribe(*self._channels)

    async def _read(self, pubsub: PubSub) -> None:
        """Hand on what comes, until the connection breaks, has been silent for too long, or is not the present one."""
        asked = False
        while self._pubsub is pubsub:
            message = await pubsub.get_message(timeout=HEARTBEAT)
            if message is not None:
                asked = False
                self._hand_on(message)
            elif asked:
                raise BackendUnavailableError("Redis fell silent.")
            else:
                asked = True
                async with self._sending:
                    await pubsub.ping()

    def _hand_on(self, message: dict[str, Any]) -> None:
        channel = self._channels.get(message["channel"] or b"")
        if channel is None:
            return
        if message["type"] == "subscribe":
            channel.settled.set()
        elif message["type"] == "message":
            for backlog in channel.backlogs:
                backlog.put(message["data"])

    def _fail_waiting(self, error: FaultMavenError) -> None:
        for channel in self._channels.values():
            if not channel.settled.is_set():
                channel.failure = error
                channel.settled.set()

    async def _disconnect(self, pubsub: PubSub | None) -> None:
        if pubsub is None:
            return
        if self._pubsub is pubsub:
            self._pubsub = None
        with suppress(BackendError), self._clients.translated():
            await pubsub.aclose()  # type: ignore[no-untyped-call] # redis-py's own

    async def _stop(self) -> None:
        reader, self._reader = self._reader, None
        while reader is not None and not reader.done():
            # Before Python 3.12 `wait_for`, which redis-py uses, loses a cancellation that comes together with an answer.
            reader.cancel()
            await asyncio.wait([reader], timeout=0.1)

    def _name(self, topic: Topic) -> bytes:
        return self._redis.key(topic.organization, f"signal:{topic.name}").encode()
