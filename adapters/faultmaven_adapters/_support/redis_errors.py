"""What redis-py raises, as our errors: by class, by the server's own error code, and by what lies beneath."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from redis import exceptions as redis
from redis.asyncio.sentinel import MasterNotFoundError

from faultmaven_adapters._support.translate import NETWORK, Row, Table, by_code, says, unlisted
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.shared.errors import (
    BackendError,
    BackendUnavailableError,
    DeadlineExceededError,
    FaultMavenError,
    MisconfiguredError,
)

_unreachable = says(BackendUnavailableError, "{place} cannot be reached: the connection was refused or broken.")
_failing_over = says(BackendUnavailableError, "{place} has no primary at the moment: it is being failed over.")
_loading = says(BackendUnavailableError, "{place} is starting: it still loads its data.")
_busy = says(BackendUnavailableError, "{place} is held up by somebody's long script.")
_rejected = says(
    AuthenticationError, "{place} refuses us: look at the user name, and at the password in its variable or its file."
)
_forbidden = says(
    AuthenticationError,
    "{place} denies its user a command, a key or a channel: grant `+@all -@dangerous -@admin ~fm:* &fm:*`.",
)
_full = says(
    BackendError, "{place} is full: raise its maxmemory, or let it evict by a volatile policy where it is only a cache."
)
_moved = says(
    BackendError, "{place} is a node of a cluster and not the whole of it: write redis+cluster:// in its variable."
)

BY_CODE: Mapping[str, Row] = MappingProxyType(
    {
        "BUSY": _busy,
        "CLUSTERDOWN": _failing_over,
        "LOADING": _loading,
        "MASTERDOWN": _failing_over,
        "MISCONF": says(BackendUnavailableError, "{place} takes no writes: it cannot save to its disk."),
        "NOAUTH": _rejected,
        "NOPERM": _forbidden,
        "NOREPLICAS": says(BackendUnavailableError, "{place} takes no writes: too few of its replicas are in reach."),
        "OOM": _full,
        "READONLY": _failing_over,
        "TRYAGAIN": _failing_over,
        "UNBLOCKED": _failing_over,
        "WRONGPASS": _rejected,
    }
)
"""The first word of a server's error, where redis-py has no class for it."""


def _beneath(otherwise: Row) -> Row:
    """A row that looks for the reason beneath: redis-py wraps what it got into its ConnectionError and the like."""

    def row(error: BaseException, place: str) -> FaultMavenError:
        for reason in _reasons(error):
            listed = next((_BENEATH[kind] for kind in type(reason).__mro__ if kind in _BENEATH), None)
            if listed is not None:
                return listed(reason, place)
        return otherwise(error, place)

    return row


def _reasons(error: BaseException) -> Iterator[BaseException]:
    reason = error.__cause__ or error.__context__
    while reason is not None:
        yield reason
        reason = reason.__cause__ or reason.__context__


_BENEATH: Mapping[type[BaseException], Row] = MappingProxyType(
    {
        redis.AuthenticationError: _rejected,
        redis.NoPermissionError: _forbidden,
        ssl.SSLCertVerificationError: NETWORK[ssl.SSLCertVerificationError],
        socket.gaierror: NETWORK[socket.gaierror],
    }
)


def _of_cluster(error: redis.RedisClusterException, place: str) -> FaultMavenError:
    reason = error.__cause__ or error.__context__
    if reason is None:
        return unlisted(error, place)
    # What a server without cluster mode answers to CLUSTER SLOTS.
    if type(reason) is redis.ResponseError:
        return MisconfiguredError(f"{place} is no cluster: write redis:// or redis+sentinel:// in its variable.")
    return next(TABLE[kind] for kind in (*type(reason).__mro__, redis.RedisError) if kind in TABLE)(reason, place)


TABLE: Table = {
    **NETWORK,
    redis.RedisError: unlisted,
    redis.ConnectionError: _beneath(_unreachable),
    MasterNotFoundError: _beneath(
        says(BackendUnavailableError, "{place} has no primary of that name, or is choosing a new one just now.")
    ),
    redis.TimeoutError: says(DeadlineExceededError, "{place} did not answer in time."),
    redis.AuthenticationError: _rejected,
    redis.AuthorizationError: _rejected,
    redis.AuthenticationWrongNumberOfArgsError: _rejected,
    redis.NoPermissionError: _forbidden,
    redis.BusyLoadingError: _loading,
    redis.MaxConnectionsError: says(BackendUnavailableError, "All connections to {place} are in use."),
    redis.ReadOnlyError: _failing_over,
    redis.ClusterError: _failing_over,
    redis.TryAgainError: _failing_over,
    redis.OutOfMemoryError: _full,
    redis.AskError: _moved,
    redis.ResponseError: by_code(lambda error: str(error).partition(" ")[0], BY_CODE),
    redis.SlotNotCoveredError: _failing_over,
    # Not a RedisError. With a cause it says that no node can be asked; without one, that a command is wrong.
    redis.RedisClusterException: _of_cluster,
}
"""See `_support.translate`."""

_NEVER_SENT = (
    redis.AuthenticationError,
    redis.BusyLoadingError,
    redis.MaxConnectionsError,
    MasterNotFoundError,
    redis.RedisClusterException,
    redis.ResponseError,
)


def reply_lost(error: BackendError) -> bool:
    """Whether the command behind our error may have been carried out, though nobody was told.

    Not where the server itself answered with an error, nor where no connection came about.
    """
    cause = error.__cause__
    if cause is None or isinstance(cause, _NEVER_SENT):
        return False
    return not any(isinstance(reason, ConnectionRefusedError | socket.gaierror) for reason in _reasons(cause))
