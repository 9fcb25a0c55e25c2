"""redis-py's three clients, each set up in full: its defaults retry behind our back and wait for too long."""

from __future__ import annotations

import asyncio
from typing import Any, TypeAlias

from redis.asyncio import Connection, ConnectionPool, Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError

from faultmaven_adapters._support.redis_nodes import watch
from faultmaven_adapters._support.redis_place import RedisPlace
from faultmaven_adapters._support.redis_tls import SentinelTlsConnection, TlsConnection, share_trust, trust

Client: TypeAlias = Redis | RedisCluster

CLIENT_NAME = "faultmaven"

HEALTH_CHECK = 15
"""Seconds of silence after which a connection is tried before it is used: firewalls forget quiet ones."""

_LISTENERS = 8
"""Connections beside the pool: those that listen for signals, and those that look for the nodes of a cluster."""


def single(place: RedisPlace) -> Redis:
    """A client for one server."""
    ((host, port),) = place.address.nodes
    connection: dict[str, Any] = {"connection_class": Connection}
    if place.address.tls:
        connection = {"connection_class": TlsConnection, "trusted": trust(place.ca_file)}
    database = place.address.database
    limit = place.pool + _LISTENERS
    pool = ConnectionPool(max_connections=limit, host=host, port=port, db=database, **connection, **_options(place))
    return Redis.from_pool(pool)


def sentinel(place: RedisPlace) -> tuple[Redis, Sentinel]:
    """A client for whichever server is the primary, and the sentinels that it asks."""
    # redis-py hands only `socket_*` on to the sentinels, and lets each try ten times: everything is said here.
    # Two of three may hang, and the third is still asked within the time for a connection.
    patience = place.connect_timeout / 2
    asking = _options(place) | {
        "socket_timeout": patience,
        "socket_connect_timeout": patience,
        "username": None,
        "password": place.sentinel_password.reveal() if place.sentinel_password else None,
    }
    connection: dict[str, Any] = {}
    if place.address.tls:
        asking |= {"ssl": True, "ssl_ca_certs": place.ca_file or None}
        connection = {"connection_class": SentinelTlsConnection, "trusted": trust(place.ca_file)}
    sentinels = _OutspokenSentinel(place.address.nodes, sentinel_kwargs=asking)
    client = sentinels.master_for(
        place.address.master,
        max_connections=place.pool + _LISTENERS,
        db=place.address.database,
        **connection,
        **_options(place),
    )
    return client, sentinels


def cluster(place: RedisPlace) -> RedisCluster:
    """A client for all nodes of a cluster."""
    client = RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in place.address.nodes],
        max_connections=place.pool + _LISTENERS,
        # After so many redirections redis-py would close all connections, also those on which others wait.
        reinitialize_steps=0,
        # While a primary fails over its slots have no owner; the keys of the others are still served.
        require_full_coverage=False,
        ssl=place.address.tls,
        **_options(place),
    )
    watch(client)
    if place.address.tls:
        share_trust(client, trust(place.ca_file))
    return client


def _options(place: RedisPlace) -> dict[str, Any]:
    return {
        "username": place.address.username or place.username or None,
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


class _OutspokenSentinel(Sentinel):
    """Says so where a sentinel refuses us; redis-py only says that it found no primary."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)  # type: ignore[no-untyped-call] # redis-py's own
        # redis-py moves the one that answered to the front, after waiting for it: two at once would lose one of the three.
        self._asking = asyncio.Lock()

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        async with self._asking:
            try:
                address: tuple[str, int] = await super().discover_master(service_name)
            except MasterNotFoundError:
                await self._raise_if_refused()
                raise
        return address

    async def _raise_if_refused(self) -> None:
        for asked in self.sentinels:
            try:
                await asked.ping()
            except AuthenticationError:
                raise
            except RedisError:
                continue
