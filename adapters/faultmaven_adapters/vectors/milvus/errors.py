"""What gRPC raises and Milvus answers when it does not do what was asked, as ours."""

from __future__ import annotations

from typing import Any

import grpc
from pymilvus.grpc_gen import common_pb2

from faultmaven_adapters._support.translate import NETWORK, Row, Table, broken, by_code, late, says, unlisted, untrusted
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.ports.vectors import CollectionMissingError
from faultmaven_core.shared.errors import (
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    FaultMavenError,
    RateLimitedError,
    TooLargeError,
)

PAUSE = 1.0
"""Seconds until the next try where Milvus says that there were too many calls; it does not say how long to wait."""


_NAMES: dict[int, str] = {number: name for name, number in common_pb2.ErrorCode.items()}


class RefusalError(Exception):
    """An answer whose status is not success. `kind` is the name of the older code, which every version sends too."""

    def __init__(self, said: str, code: int = 65535, kind: str = "UnexpectedError", *, retriable: bool = False) -> None:
        super().__init__(said)
        self.code, self.kind, self.retriable = code, kind, retriable


def accepted(answer: Any) -> Any:
    """The answer. Raises RefusalError where it says no."""
    status = getattr(answer, "status", answer)
    if status.code or status.error_code:
        kind = _NAMES.get(status.error_code, "")
        raise RefusalError(status.reason, status.code, kind, retriable=status.retriable)
    return answer


def _limited(_error: object, place: str) -> FaultMavenError:
    return RateLimitedError(f"{place} takes no more calls now.", retry_after=PAUSE)


_busy = says(BackendUnavailableError, "{place} cannot serve us now: it is starting, moving data, or short of memory.")
_missing = says(CollectionMissingError, "{place} has no such collection: it was not made, or somebody removed it.")
_forbidden = says(
    AuthenticationError,
    "{place} refuses us: look at the user and the password in FM_VECTORS_API_KEY, and at its rights.",
)
_full = says(BackendUnavailableError, "{place} takes no more data now: it is over its quota of memory or disk.")
_large = says(TooLargeError, "{place} does not take so much at once.")

_BUSY_CODES = (2, 3, 4, 101, 103, 400, 401, 500, 501, 502, 503, 600, 601, 901, 902)
"""Service, memory and queue, loading of a collection, replicas, channels, segments and nodes."""
_CODES: dict[int, Row] = {
    **dict.fromkeys(_BUSY_CODES, _busy),
    7: _full,
    8: _limited,
    9: _full,
    100: _missing,
    800: says(BackendError, "{place} has no such database: make it, or look at the end of FM_VECTORS_URL."),
    1400: _forbidden,
    1401: _forbidden,
}
_KINDS: dict[str, Row] = {
    **dict.fromkeys(("NotReadyServe", "NotReadyCoordActivating", "NoReplicaAvailable", "NotShardLeader"), _busy),
    **dict.fromkeys(("ForceDeny", "MemoryQuotaExhausted", "DiskQuotaExhausted"), _full),
    "RateLimit": _limited,
    "CollectionNotExists": _missing,
    "PermissionDenied": _forbidden,
}


def _refused(error: RefusalError, place: str) -> FaultMavenError:
    # The older kind first: for "not ready" and "unexpected" Lite and the server have one code between them.
    row = _KINDS.get(error.kind) or _CODES.get(error.code) or (_busy if error.retriable else unlisted)
    return row(error, place)


_unreached = says(
    BackendRefusedError, "{place} cannot be reached: look at the address, at http or https, and at the network."
)
_UNAVAILABLE: dict[str, Row] = {
    "CERTIFICATE_VERIFY_FAIL": untrusted,
    "failed to connect to all addresses": _unreached,
    "errors resolving": _unreached,
}
"""gRPC tells a connection that was never made from one that broke by its words only."""


def _unavailable(error: Any, place: str) -> FaultMavenError:
    said = error.details() or ""
    row = next((row for words, row in _UNAVAILABLE.items() if words in said), broken)
    return row(error, place)


MILVUS_ERRORS: Table = {
    **NETWORK,
    RefusalError: _refused,
    grpc.RpcError: by_code(
        lambda error: str(error.code().name) if isinstance(error, grpc.Call) else "",
        {
            "UNAVAILABLE": _unavailable,
            "DEADLINE_EXCEEDED": late,
            "UNAUTHENTICATED": _forbidden,
            "PERMISSION_DENIED": _forbidden,
            "RESOURCE_EXHAUSTED": _large,
            "UNIMPLEMENTED": says(BackendError, "{place} is no Milvus, or an older one than 2.3."),
        },
    ),
}
