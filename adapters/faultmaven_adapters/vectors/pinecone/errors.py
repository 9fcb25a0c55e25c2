"""What Pinecone's client and service raise, as ours."""

from __future__ import annotations

import socket
import ssl

import httpx
from pinecone import errors as driver

from faultmaven_adapters._support.causes import causes
from faultmaven_adapters._support.translate import (
    NETWORK,
    Row,
    Table,
    by_code,
    failing,
    late,
    overloaded,
    says,
    unlisted,
)
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.shared.errors import (
    BackendError,
    BackendRefusedError,
    ConflictError,
    FaultMavenError,
    NotFoundError,
    QuotaExceededError,
    RateLimitedError,
    TooLargeError,
)

PAUSE = 1.0
"""Seconds to wait where the service asks for patience and names no time."""

_rejected = says(AuthenticationError, "{place} refuses the key: look at FM_VECTORS_API_KEY.")
_forbidden = says(
    AuthenticationError,
    "{place} does not let this key do that: its role must read and write the project's indexes and their data.",
)
_quota = says(
    QuotaExceededError,
    "{place} forbids this: the project's quota of indexes is used up, or the index is protected from deletion.",
)
_unpaid = says(BackendError, "{place} takes no more: its organization has unpaid invoices.")
_large = says(TooLargeError, "{place} takes no request as large as that.")
_unreached = says(BackendRefusedError, "{place} cannot be reached: look at its address and at the network.")
_strange = says(BackendError, "{place} answers in a way that the client does not know: is it another version?")

_BENEATH = {
    ssl.SSLCertVerificationError: NETWORK[ssl.SSLCertVerificationError],
    ConnectionRefusedError: NETWORK[ConnectionRefusedError],
    socket.gaierror: NETWORK[socket.gaierror],
    httpx.ConnectTimeout: _unreached,
    httpx.PoolTimeout: says(BackendRefusedError, "All connections to {place} are in use."),
    httpx.ConnectError: _unreached,
}


def _beneath(otherwise: Row) -> Row:
    """A row that looks for the reason beneath: the client has one class for all that breaks on the way."""

    def row(error: BaseException, place: str) -> FaultMavenError:
        reasons = list(causes(error))
        for kind, told in _BENEATH.items():
            for reason in reasons:
                if isinstance(reason, kind):
                    return told(reason, place)
        return otherwise(error, place)

    return row


def _limited(error: driver.RateLimitError, place: str) -> RateLimitedError:
    pause = PAUSE if error.retry_after is None else error.retry_after
    return RateLimitedError(f"{place} wants us to slow down.", retry_after=pause)


def _status(error: driver.ApiError) -> str:
    return str(error.status_code)


def _code(error: driver.ApiError) -> str:
    return error.error_code or ""


TABLE: Table = {
    **NETWORK,
    driver.PineconeError: unlisted,
    driver.ApiError: by_code(_status, {"408": late}),
    driver.UnauthorizedError: _rejected,
    driver.ForbiddenError: by_code(_code, {"FORBIDDEN": _quota}, _forbidden),
    driver.PaymentRequiredError: _unpaid,
    driver.NotFoundError: says(NotFoundError, "{place} has nothing of that name."),
    driver.ConflictError: says(ConflictError, "{place} has something of that name already."),
    driver.PayloadTooLargeError: _large,
    driver.RateLimitError: _limited,
    driver.ServiceError: by_code(_status, {"503": overloaded}, failing),
    driver.PineconeTimeoutError: _beneath(late),
    driver.PineconeConnectionError: _beneath(NETWORK[ConnectionError]),
    driver.ResponseParsingError: _strange,
    # Not everything is caught by the client: what breaks while a body is read.
    httpx.TimeoutException: late,
    httpx.TransportError: _beneath(NETWORK[ConnectionError]),
}
"""See `_support.translate`."""
