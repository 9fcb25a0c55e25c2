"""Redis in its three topologies behind one client: a single server, Sentinel, Cluster."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

from redis.asyncio import (
    BlockingConnectionPool,
    Connection,
    Redis,
    RedisCluster,
    Sentinel,
    SentinelConnectionPool,
    SSLConnection,
)
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoScriptError, RedisError

from faultmaven_adapters._support.redis_errors import TABLE
from faultmaven_adapters._support.redis_inspection import CLUSTER_MODE, ask, hello, inspected
from faultmaven_adapters._support.translate import translation
from faultmaven_core.ports.health import Inspection
from faultmaven_core.shared.errors import ConflictError, MisconfiguredError
from faultmaven_core.shared.secret import Secret

Client: TypeAlias = Redis | RedisCluster
Key: TypeAlias = str
Topology: TypeAlias = Literal["single", "sentinel", "cluster"]
T = TypeVar("T")

HEALTH_CHECK = 15
"""Seconds of silence after which a connection is tried before it is used: firewalls forget quiet ones."""

CLIENT_NAME = "faultmaven"

_PORTS = {"sentinel": 26379}
_DEFAULT_PORT = 6379
_SUBSCRIBERS = 8
"""Connections beside the pool of a cluster's node: those that listen, and those that look at the slots."""


@dataclass(frozen=True, slots=True)
class RedisPlace:
    """Where a Redis is, and how to talk to it.

    `url` is one of `redis://host:port/db`, `redis+sentinel://host:port,host:port/master/db`,
    `redis+cluster://host:port,host:port`, each also with `rediss` for TLS, optionally with `user@` before the hosts, never
    with a password. `ca_file` holds the certificates to trust beside the system's. `connect_timeout` and `timeout` are
    seconds for a connection and for a reply; together they are the most that any command takes. `pool` is how many
    commands run at once, per node of a cluster; more wait.
    """

    url: str
    password: Secret | None = None
    sentinel_password: Secret | None = None
    username: str = ""
    ca_file: str = ""
    namespace: str = "fm"
    connect_timeout: float = 1.0
    timeout: float = 2.0
    pool: int = 50


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

    def __init__(self, client: Client, place: RedisPlace, hosts: str, sentinel: Sentinel | None = None) -> None:
        self.client = client
        self.topology: Topology = (
            "cluster" if isinstance(client, RedisCluster) else "sentinel" if sentinel else "single"
        )
        self.namespace = place.namespace
        self._sentinel = sentinel
        self._where = f"The Redis at {hosts}"
        self._deadline = place.connect_timeout + place.timeout
        # A cluster client has no pool that waits: it refuses the command that comes when all connections are in use.
        waits = self.topology != "cluster"
        self._turn: AbstractAsyncContextManager[Any] = nullcontext() if waits else asyncio.Semaphore(place.pool)
        self._probed = False
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
        with self.translated():
            async with asyncio.timeout(self._deadline), self._turn:
                await self._ready()
                return await command(self.client)

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
            await self.client.aclose()
            if self._sentinel is not None:
                await self._sentinel.aclose()

    async def _ready(self) -> None:
        if isinstance(self.client, RedisCluster):
            # A script that comes before the client knows its slots would go to a random node, and be redirected.
            await self.client.initialize()
        elif not self._probed:
            await self._probe()

    async def _probe(self) -> None:
        if (await hello(self.client))["mode"] == CLUSTER_MODE:
            raise MisconfiguredError(
                f"{self._where} is a node of a Redis Cluster: write redis+cluster://<host>:<port> (rediss+cluster:// for TLS)"
                " in the variable that names it, such as FM_CACHE_URL, or two thirds of the keys will fail."
            )
        self._probed = True


class _OutspokenSentinel(Sentinel):
    """Says so where a sentinel refuses us; redis-py only says that it found no primary."""

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        try:
            address: tuple[str, int] = await super().discover_master(service_name)
        except MasterNotFoundError:
            for sentinel in self.sentinels:
                try:
                    await sentinel.ping()
                except AuthenticationError:
                    raise
                except RedisError:
                    continue
            raise
        return address


class _WaitingSentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Sentinel's pool, which waits for a free connection as the single server's does."""


def open_redis(place: RedisPlace) -> RedisClients:
    """The client for a place. Raises MisconfiguredError where the URL is none of ours."""
    scheme, mark, rest = place.url.partition("://")
    encryption, _, topology = scheme.partition("+")
    account, _, server = rest.rpartition("@")
    hosts, _, path = server.partition("/")
    if not mark or encryption not in {"redis", "rediss"} or topology not in _BUILDERS:
        raise MisconfiguredError(f"{scheme[:40]!r} is no scheme for Redis: use redis, redis+sentinel or redis+cluster.")
    if ":" in account:
        raise MisconfiguredError("A URL of Redis holds no password: give the password beside it.")
    nodes = [_host_and_port(text, _PORTS.get(topology, _DEFAULT_PORT)) for text in hosts.split(",")]
    options = _options(place, account or place.username, tls=encryption == "rediss")
    return _BUILDERS[topology](place, nodes, path, options)


def _single(place: RedisPlace, nodes: list[tuple[str, int]], path: str, options: dict[str, Any]) -> RedisClients:
    ((host, port),) = nodes
    encrypted = options.pop("ssl", False)
    pool = BlockingConnectionPool(
        place.pool,
        timeout=place.timeout,
        connection_class=SSLConnection if encrypted else Connection,
        host=host,
        port=port,
        db=int(path or 0),
        **options,
    )
    return RedisClients(Redis.from_pool(pool), place, f"{host}:{port}")


def _sentinel(place: RedisPlace, nodes: list[tuple[str, int]], path: str, options: dict[str, Any]) -> RedisClients:
    master, _, number = path.partition("/")
    # redis-py hands only `socket_*` on to the sentinels, and lets each try ten times: everything is said here.
    # Two of three may hang, and the third is still asked within the time for a connection.
    patience = place.connect_timeout / 2
    asking = options | {
        "socket_timeout": patience,
        "socket_connect_timeout": patience,
        "username": None,
        "password": place.sentinel_password.reveal() if place.sentinel_password else None,
    }
    sentinel = _OutspokenSentinel(nodes, sentinel_kwargs=asking)  # type: ignore[no-untyped-call] # redis-py's own
    client = sentinel.master_for(
        master,
        connection_pool_class=_WaitingSentinelPool,
        max_connections=place.pool,
        timeout=place.timeout,
        db=int(number or 0),
        **options,
    )
    return RedisClients(client, place, ",".join(f"{host}:{port}" for host, port in nodes), sentinel)


def _cluster(place: RedisPlace, nodes: list[tuple[str, int]], path: str, options: dict[str, Any]) -> RedisClients:
    if path not in {"", "0"}:
        raise MisconfiguredError("A Redis Cluster has no databases: leave out the number after the hosts.")
    client = RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in nodes],
        max_connections=place.pool + _SUBSCRIBERS,
        # After so many redirections redis-py would close all connections, also those on which others wait.
        reinitialize_steps=0,
        # While a primary fails over its slots have no owner; the keys of the others are still served.
        require_full_coverage=False,
        **options,
    )
    return RedisClients(client, place, ",".join(f"{host}:{port}" for host, port in nodes))


_BUILDERS = {"": _single, "sentinel": _sentinel, "cluster": _cluster}


def _options(place: RedisPlace, username: str, *, tls: bool) -> dict[str, Any]:
    options: dict[str, Any] = {
        "username": username or None,
        "password": place.password.reveal() if place.password else None,
        "client_name": CLIENT_NAME,
        "driver_info": None,
        # The older protocol: the newer one adds nothing here, and greets with a command that old servers log as an error.
        "protocol": 2,
        "socket_connect_timeout": place.connect_timeout,
        "socket_timeout": place.timeout,
        "health_check_interval": HEALTH_CHECK,
        # redis-py would try ten times: one wrapper retries, and it alone. What stays are redirects and rediscovery.
        "retry": Retry(NoBackoff(), 0),
    }
    if tls:
        options |= {"ssl": True, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
        options |= {"ssl_ca_certs": place.ca_file} if place.ca_file else {}
    return options


def _host_and_port(text: str, default: int) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(default)
    if not host or not port.isdigit():
        raise MisconfiguredError(f"{text[:80]!r} is no server of Redis: write <host>:<port>.")
    return host.strip("[]"), int(port)
