"""Connections with TLS to Redis, which share what they trust: redis-py would read all certificates for each of them."""

from __future__ import annotations

import ssl
from typing import Any

from redis.asyncio import RedisCluster, SSLConnection
from redis.asyncio.sentinel import SentinelManagedConnection

from faultmaven_core.shared.errors import MisconfiguredError


def trust(ca_file: str) -> ssl.SSLContext:
    """What to trust: the certificates in the file, or the system's where there is none; host names are checked.

    Raises MisconfiguredError where the file cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise MisconfiguredError(f"{ca_file} holds no certificates that can be read: name a PEM file.") from error


class TlsConnection(SSLConnection):
    """A connection with a given context."""

    def __init__(self, *, trusted: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = trusted


class SentinelTlsConnection(SentinelManagedConnection, TlsConnection):
    """The same to whichever server Sentinel calls the primary."""


def share_trust(cluster: RedisCluster, trusted: ssl.SSLContext) -> None:
    """Make the nodes of a cluster share it, those that are known and those to be found: redis-py has no option for it."""
    shared = {"connection_class": TlsConnection, "trusted": trusted}
    cluster.connection_kwargs.update(shared)
    for node in cluster.startup_nodes:
        node.connection_class = TlsConnection
        node.connection_kwargs["trusted"] = trusted
