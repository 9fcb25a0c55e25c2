"""The brokers that Celery may use, from one URL: Redis, Redis behind Sentinel, RabbitMQ; each with TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

import amqp
import kombu
import redis
from kombu.exceptions import KombuError, OperationalError

from faultmaven_adapters._support.translate import NETWORK, Table, by_code, late, says
from faultmaven_core.shared.errors import (
    BackendError,
    BackendUnavailableError,
    MisconfiguredError,
)
from faultmaven_core.shared.secret import Secret

KEY_PREFIX = "fm:jobs:"
"""Of all keys in a Redis broker: a user that may touch `fm:*` only can run jobs."""

VISIBILITY_TIMEOUT = 7200
"""Seconds until Redis hands out again what nobody acknowledged; workers with longer jobs take more than twice their limit.

Where it is shorter than a job, Celery starts the job a second time while the first one still runs.
"""

HEALTH_CHECK = 15
"""Seconds after which an idle connection to Redis is tried before it is used."""

KEEPALIVE = {socket.TCP_KEEPIDLE: 15, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}
"""Half a minute until a connection counts as dead whose other end does not answer."""

AMQP_HEARTBEAT = 20
"""Seconds between signs of life to RabbitMQ: a broker that hangs is noticed, not waited for."""

_DENIED = says(BackendError, "{place} refuses the user or the password of FM_JOBS_URL and FM_JOBS_PASSWORD.")
_AWAY = says(BackendUnavailableError, "{place} cannot be reached, or is being failed over.")

TABLE: Table = {
    **NETWORK,
    redis.exceptions.ConnectionError: _AWAY,
    redis.exceptions.TimeoutError: late,
    redis.exceptions.AuthenticationError: _DENIED,
    redis.exceptions.NoPermissionError: says(
        BackendError, "{place} does not let our user do this; it needs +@all -@dangerous -@admin on the keys fm:*."
    ),
    redis.exceptions.ReadOnlyError: _AWAY,
    redis.exceptions.ResponseError: by_code(
        str, {"MOVED": says(BackendError, "{place} is a Redis Cluster, which Celery cannot use as its broker.")}
    ),
    amqp.exceptions.AccessRefused: _DENIED,
    amqp.exceptions.NotAllowed: says(BackendError, "{place} has no virtual host as in FM_JOBS_URL, or refuses it."),
    amqp.exceptions.RecoverableConnectionError: _AWAY,
    amqp.exceptions.ConnectionError: _AWAY,
    KombuError: _AWAY,
}
"""The words of all three brokers' libraries."""


def _cause(error: OperationalError, place: str) -> Any:
    # kombu wraps what the driver said; its own class says nothing.
    inner = error.__cause__
    return next((TABLE[kind] for kind in type(inner).__mro__ if kind in TABLE), _AWAY)(inner, place)


ERRORS: Table = {**TABLE, OperationalError: _cause}


@dataclass(frozen=True, slots=True)
class BrokerPlace:
    """Where the broker is; time-outs in seconds.

    `url` holds no password: `redis://user@host:port/db`, `rediss://…`, `redis+sentinel://host:port,host:port/master/db`,
    `rediss+sentinel://…`, `amqp://user@host:port/vhost` or `amqps://…`.
    """

    url: str
    password: Secret | None = None
    sentinel_password: Secret | None = None
    ca_file: str = ""
    connect_timeout: float = 3.0
    timeout: float = 5.0

    @property
    def name(self) -> str:
        """For sentences: what and where, without user and password."""
        parts = urlsplit(self.url)
        return f"The broker at {parts.netloc.rpartition('@')[2]}"


@dataclass(frozen=True, slots=True)
class Broker:
    """What kombu and Celery are told. `options` go to the transport, `ssl` is empty for plain connections."""

    url: str
    password: str
    options: Mapping[str, Any]
    ssl: Mapping[str, Any]
    heartbeat: int = 0

    def __repr__(self) -> str:
        # The generated one would show the password.
        return f"Broker({self.url!r})"

    def connection(self, timeout: float) -> kombu.Connection:
        """A connection that is not opened yet."""
        return kombu.Connection(
            self.url,
            password=self.password or None,
            ssl=dict(self.ssl) or False,
            transport_options=dict(self.options),
            connect_timeout=timeout,
            heartbeat=self.heartbeat,
        )


def broker_at(place: BrokerPlace) -> Broker:
    """The broker of a place. Raises MisconfiguredError where Celery cannot use it."""
    parts = urlsplit(place.url)
    if parts.scheme in _CLUSTER:
        raise MisconfiguredError(
            "FM_JOBS_URL names a Redis Cluster, which Celery cannot use as its broker: name a Redis, a Redis with"
            " Sentinel or RabbitMQ; the cache may stay on the Cluster."
        )
    if parts.scheme not in _KINDS:
        known = ", ".join(f"{name}:" for name in _KINDS)
        raise MisconfiguredError(f"FM_JOBS_URL names no broker: it must begin with one of {known}.")
    return _KINDS[parts.scheme](place, parts)


def _redis(place: BrokerPlace, parts: SplitResult) -> Broker:
    secure = parts.scheme == "rediss"
    tls = _redis_tls(place) if secure else {}
    # kombu takes TLS from `ssl`; its own rediss: scheme would want the same things in the URL's query.
    url = f"redis://{parts.netloc}{parts.path or '/0'}"
    return Broker(url, _revealed(place.password), _redis_options(place), tls)


def _sentinel(place: BrokerPlace, parts: SplitResult) -> Broker:
    user, _, hosts = parts.netloc.rpartition("@")
    master, _, database = parts.path.strip("/").partition("/")
    if not hosts or not master:
        raise MisconfiguredError(
            "FM_JOBS_URL names no sentinels or no primary: write redis+sentinel://host:port,host:port/name-of-primary."
        )
    secure = parts.scheme == "rediss+sentinel"
    tls = _redis_tls(place) if secure else {}
    timeouts = {"socket_timeout": place.timeout, "socket_connect_timeout": place.connect_timeout}
    sentinel: dict[str, Any] = {**timeouts, **tls, "ssl": secure}
    if place.sentinel_password:
        sentinel["password"] = _revealed(place.sentinel_password)
    at = f"{user}@" if user else ""
    url = ";".join(f"sentinel://{at}{host}/{database or 0}" for host in hosts.split(","))
    options = {**_redis_options(place), "master_name": unquote(master), "sentinel_kwargs": sentinel}
    return Broker(url, _revealed(place.password), options, tls)


def _amqp(place: BrokerPlace, parts: SplitResult) -> Broker:
    tls: dict[str, Any] = {}
    if parts.scheme == "amqps":
        tls = {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": place.ca_file or None, "server_hostname": parts.hostname}
    options = {"read_timeout": place.timeout, "write_timeout": place.timeout, "login_method": "PLAIN"}
    virtual_host = parts.path.removeprefix("/") or quote("/", safe="")
    url = f"amqp://{parts.netloc}/{virtual_host}"
    return Broker(url, _revealed(place.password), options, tls, AMQP_HEARTBEAT)


_KINDS: Mapping[str, Callable[[BrokerPlace, SplitResult], Broker]] = {
    "redis": _redis,
    "rediss": _redis,
    "redis+sentinel": _sentinel,
    "rediss+sentinel": _sentinel,
    "amqp": _amqp,
    "amqps": _amqp,
}
_CLUSTER = frozenset({"redis+cluster", "rediss+cluster"})


def _redis_options(place: BrokerPlace) -> dict[str, Any]:
    return {
        "global_keyprefix": KEY_PREFIX,
        "visibility_timeout": VISIBILITY_TIMEOUT,
        # Without these a broker that hangs blocks whoever talks to it for ever.
        "socket_timeout": place.timeout,
        "socket_connect_timeout": place.connect_timeout,
        # A worker waits for its next message without a time-out; a machine that vanished must not be waited for.
        "socket_keepalive": True,
        "socket_keepalive_options": KEEPALIVE,
        "health_check_interval": HEALTH_CHECK,
    }


def _redis_tls(place: BrokerPlace) -> dict[str, Any]:
    return {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        **({"ssl_ca_certs": place.ca_file} if place.ca_file else {}),
    }


class _Hidden(str):
    """A password on its way to the driver, in settings of which Celery and kombu may show any one."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def _revealed(secret: Secret | None) -> str:
    return _Hidden(secret.reveal()) if secret else ""
