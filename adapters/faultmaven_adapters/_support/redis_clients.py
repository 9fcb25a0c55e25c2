"""Redis in its three topologies behind one object: in time, with our errors, never more at once than it may."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from redis.asyncio import RedisCluster, Sentinel
from redis.exceptions import NoScriptError, SlotNotCoveredError

from faultmaven_adapters._support import redis_topologies as topologies
from faultmaven_adapters._support.redis_errors import TABLE
from faultmaven_adapters._support.redis_inspection import CLUSTER_MODE, ask, hello, inspected
from faultmaven_adapters._support.redis_place import RedisPlace, Topology
from faultmaven_adapters._support.redis_topologies import Client
from faultmaven_adapters._support.translate import translation
from faultmaven_core.ports.health import Inspection
from faultmaven_core.shared.errors import BackendRefusedError, ConflictError, MisconfiguredError

__all__ = ["Client", "Key", "RedisClients", "RedisPlace", "Script", "Topology", "open_redis"]

Key: TypeAlias = str
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script. It may touch only the keys that it is given, and they share one hash tag: a cluster needs both."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", digest)


class RedisClients:
    """One Redis, for any number of adapters. Made by `open_redis`; nothing connects before the first command."""

    def __init__(self, client: Client, place: RedisPlace, sentinel: Sentinel | None = None) -> None:
        self.client = client
        self.topology = place.address.topology
        self.namespace = place.namespace
        self._sentinel = sentinel
        self._where = f"The Redis at {place.address.hosts}"
        self._deadline = place.connect_timeout + place.timeout
        # redis-py's pools either refuse whom they cannot serve at once, or serve first whoever comes in between.
        self._turns = asyncio.Semaphore(place.pool)
        self._probed = False
        self._lost = False
        self._closed = False

    def key(self, tag: str, name: str) -> Key:
        """A key whose slot is the tag's: all keys of one tag can be used in one script."""
        return f"{self.namespace}:{{{tag}}}:{name}"

    def translated(self) -> translation:
        """`with clients.translated():` raises our errors in place of redis-py's. Only its calls belong inside."""
        return translation(TABLE, self._where)

    async def run(self, command: Callable[[Client], Awaitable[T]]) -> T:
        """The command's result, in time and with our errors. Raises ConflictError after `aclose`."""
        if self._closed:
            raise ConflictError(f"{self._where} was closed.")
        end = asyncio.get_running_loop().time() + self._deadline
        if self._turns.locked():
            await self._turn(end)
        else:
            await self._turns.acquire()
        try:
            with self.translated():
                return await self._in_time(command, end)
        finally:
            self._turns.release()

    async def script(self, script: Script, keys: Sequence[Key], arguments: Sequence[str | bytes | int] = ()) -> Any:
        """A script's result in one round trip; in two on the first use at a server, or after its failover."""

        async def evaluate(client: Client) -> Any:
            given = (len(keys), *keys, *arguments)
            try:
                return await client.execute_command("EVALSHA", script.sha, *given)
            except NoScriptError:
                # Nothing ran. EVAL and not SCRIPT LOAD: in a cluster the one node that lacks it is the one that learns it.
                return await client.execute_command("EVAL", script.text, *given)

        return await self.run(evaluate)

    async def ping(self) -> None:
        """Ask for a sign of life. Raises BackendError where none comes, MisconfiguredError on a cluster's lone node."""
        await self.run(lambda client: ask(client, "PING"))

    async def inspect(self) -> Inspection:
        """What the server says of itself, with what will hurt later."""
        return await self.run(lambda client: inspected(client, self._sentinel))

    async def aclose(self) -> None:
        """Close every connection. Closing twice is no error."""
        self._closed = True
        with self.translated():
            try:
                await self.client.aclose()
            finally:
                if self._sentinel is not None:
                    await self._sentinel.aclose()

    async def _in_time(self, command: Callable[[Client], Awaitable[T]], end: float) -> T:
        try:
            async with asyncio.timeout_at(end):
                if not self._probed:
                    await self._ready()
                return await command(self.client)
        except (SlotNotCoveredError, TimeoutError):
            # redis-py looks for a cluster's nodes again after the errors of its own servers, and these are none.
            self._lost = True
            raise

    async def _turn(self, end: float) -> None:
        try:
            async with asyncio.timeout_at(end):
                await self._turns.acquire()
        except TimeoutError as error:
            raise BackendRefusedError(f"All connections to {self._where} are in use.") from error

    async def _ready(self) -> None:
        if isinstance(self.client, RedisCluster):
            # A script that comes before the client knows its slots would go to a random node, and be redirected.
            await self.client.initialize()
            lost, self._lost = self._lost, False
            if lost:
                await self.client.nodes_manager.initialize()
        elif not self._probed:
            await self._probe()

    async def _probe(self) -> None:
        if (await hello(self.client))["mode"] == CLUSTER_MODE:
            raise MisconfiguredError(
                f"{self._where} is a node of a Redis Cluster: write redis+cluster://<host>:<port> (rediss+cluster:// for TLS)"
                " in the variable that names it, such as FM_CACHE_URL, or two thirds of the keys will fail."
            )
        self._probed = True


def open_redis(place: RedisPlace) -> RedisClients:
    """The clients for a place. Raises MisconfiguredError where its file of certificates cannot be read."""
    match place.address.topology:
        case "single":
            return RedisClients(topologies.single(place), place)
        case "sentinel":
            client, sentinel = topologies.sentinel(place)
            return RedisClients(client, place, sentinel)
        case "cluster":
            return RedisClients(topologies.cluster(place), place)
