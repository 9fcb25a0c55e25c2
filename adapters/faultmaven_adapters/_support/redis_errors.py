"""What redis-py raises, as our errors: by class, by the server's own error code, and by what lies beneath."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from itertools import takewhile
from types import MappingProxyType

from redis import exceptions as redis
from redis.asyncio.sentinel import MasterNotFoundError

from faultmaven_adapters._support.causes import causes
from faultmaven_adapters._support.translate import NETWORK, Row, Table, by_code, late, says, unlisted
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.shared.errors import (
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    FaultMavenError,
    MisconfiguredError,
)

_failing_over = says(BackendRefusedError, "{place} has no primary at the moment: it is being failed over.")
_loading = says(BackendRefusedError, "{place} is starting: it still loads its data.")
_busy = says(BackendRefusedError, "{place} is held up by somebody's long script.")
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
        "BUSY ": _busy,
        "CLUSTERDOWN": _failing_over,
        "LOADING": _loading,
        "MASTERDOWN": _failing_over,
        "MISCONF": says(BackendRefusedError, "{place} takes no writes: it cannot save to its disk."),
        "NOAUTH": _rejected,
        "NOPERM": _forbidden,
        "NOREPLICAS": says(BackendRefusedError, "{place} takes no writes: too few of its replicas are in reach."),
        "OOM": _full,
        "READONLY": _failing_over,
        "TRYAGAIN": _failing_over,
        "UNBLOCKED": _failing_over,
        "WRONGPASS": _rejected,
        # What a script may not do has no code of its own: Redis 7.2 and later, and before.
        "ACL failure in script": _forbidden,
        "The user executing the script can't run this command": _forbidden,
    }
)
"""How a server's error begins, where redis-py has no class for it."""


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
    # An error of ours begins another story: this one happened while that one was dealt with.
    return takewhile(lambda cause: not isinstance(cause, FaultMavenError), causes(error))


_BENEATH: Mapping[type[BaseException], Row] = MappingProxyType(
    {
        redis.AuthenticationError: _rejected,
        redis.NoPermissionError: _forbidden,
        ssl.SSLCertVerificationError: NETWORK[ssl.SSLCertVerificationError],
        ConnectionRefusedError: NETWORK[ConnectionRefusedError],
        socket.gaierror: NETWORK[socket.gaierror],
    }
)


def _of_cluster(error: redis.RedisClusterException, place: str) -> FaultMavenError:
    reason = next(_reasons(error), None)
    if reason is None:
        return unlisted(error, place)
    # What a server without cluster mode answers to CLUSTER SLOTS.
    if type(reason) is redis.ResponseError:
        return MisconfiguredError(f"{place} is no cluster: write redis:// or redis+sentinel:// in its variable.")
    ours = next(TABLE[kind] for kind in (*type(reason).__mro__, redis.RedisError) if kind in TABLE)(reason, place)
    # It looks for its nodes before it sends a command.
    return BackendRefusedError(str(ours)) if type(ours) is BackendUnavailableError else ours


TABLE: Table = {
    **NETWORK,
    redis.RedisError: unlisted,
    redis.ConnectionError: _beneath(NETWORK[ConnectionError]),
    MasterNotFoundError: _beneath(
        says(BackendRefusedError, "{place} has no primary of that name, or is choosing a new one just now.")
    ),
    redis.TimeoutError: late,
    redis.AuthenticationError: _rejected,
    redis.AuthorizationError: _rejected,
    redis.AuthenticationWrongNumberOfArgsError: _rejected,
    redis.NoPermissionError: _forbidden,
    redis.BusyLoadingError: _loading,
    redis.MaxConnectionsError: says(BackendRefusedError, "All connections to {place} are in use."),
    redis.ReadOnlyError: _failing_over,
    redis.ClusterError: _failing_over,
    redis.TryAgainError: _failing_over,
    redis.OutOfMemoryError: _full,
    redis.AskError: _moved,
    redis.ResponseError: by_code(str, BY_CODE),
    redis.SlotNotCoveredError: _failing_over,
    # Not a RedisError. With a cause it says that no node can be asked; without one, that a command is wrong.
    redis.RedisClusterException: _of_cluster,
}
"""See `_support.translate`."""
