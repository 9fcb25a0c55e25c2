"""What Chroma and the ways to it raise, as ours."""

from __future__ import annotations

import ssl

from faultmaven_adapters._support.causes import causes
from faultmaven_adapters._support.translate import NETWORK, Row, Table, broken, by_code, failing, late, overloaded, says
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.ports.vectors import CollectionMissingError
from faultmaven_core.shared.errors import (
    BackendRefusedError,
    FaultMavenError,
    MisconfiguredError,
    RateLimitedError,
    TooLargeError,
    UnsupportedError,
)

OK, FAILED = 200, 500
"""What our process answers, in the numbers of HTTP, as Chroma's own errors are."""
LOCKED, UNREACHED, UNREADABLE = 600, 601, 602
"""Why it could not open the folder: another one has it open; the system refuses, and says why; or Chroma does.

No server says these, of which we would tell the same.
"""
USUAL_PAUSE = 1.0
"""Seconds to wait where a server refuses and does not say how long."""


class ChromaAnswerError(Exception):
    """Chroma answered, and not with what was asked for. Folder and server give the same numbers of HTTP."""

    def __init__(self, said: str, status: int = FAILED, retry_after: str = "") -> None:
        super().__init__(said)
        self.status = status
        self.retry_after = float(retry_after) if retry_after.isdigit() else USUAL_PAUSE


def _limited(error: object, place: str) -> FaultMavenError:
    pause = error.retry_after if isinstance(error, ChromaAnswerError) else USUAL_PAUSE
    return RateLimitedError(f"{place} takes no more calls for now.", retry_after=pause)


def _locked(_error: object, place: str) -> FaultMavenError:
    return UnsupportedError(f"several processes; {place} is used by another one, so start a Chroma server and name it")


_rejected = says(
    AuthenticationError, "{place} refuses our token, or it may not do this: look at FM_VECTORS_API_KEY and its rights."
)


def _not_found(error: object, place: str) -> FaultMavenError:
    """Its status is that of a missing collection, of a missing database, and of a server that is not Chroma."""
    if "Collection" in str(error) and "does not exist" in str(error):
        return CollectionMissingError(f"{place} has no such collection.")
    return MisconfiguredError(f"{place} does not know what it was asked for: is that Chroma? Look at FM_VECTORS_URL.")


def _unreached_folder(error: object, place: str) -> FaultMavenError:
    return MisconfiguredError(f"{place} cannot be opened: {error}. Look at FM_VECTORS_URL and at who owns the folder.")


_STATUSES: dict[str, Row] = {
    "401": _rejected,
    "403": _rejected,
    "404": _not_found,
    "408": late,
    "413": says(TooLargeError, "{place} takes no request of this size."),
    str(LOCKED): _locked,
    str(UNREACHED): _unreached_folder,
    str(UNREADABLE): says(
        MisconfiguredError,
        "{place} cannot be opened: Chroma refuses the folder, which may be damaged, not ours to write, or of a newer "
        "Chroma; the log has its own words.",
    ),
    "429": _limited,
    "5": failing,
    "502": overloaded,
    "503": overloaded,
    "504": late,
}

ANSWERS: Table = {**NETWORK, ChromaAnswerError: by_code(lambda error: str(error.status), _STATUSES)}
"""What both ways to Chroma have."""


def over_http() -> Table:
    """With what the HTTP client raises; it is loaded here first."""
    import httpx

    return {
        **ANSWERS,
        httpx.TimeoutException: late,
        httpx.PoolTimeout: overloaded,
        httpx.ConnectError: _unreached,
        httpx.TransportError: broken,
    }


def _unreached(error: BaseException, place: str) -> FaultMavenError:
    """Nothing was sent. What the system said the client hides behind errors of its own."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NETWORK[ssl.SSLCertVerificationError](cause, place)
    return BackendRefusedError(f"{place} cannot be reached: look at its address and at the network.")
