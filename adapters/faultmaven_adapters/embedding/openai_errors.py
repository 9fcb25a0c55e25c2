"""What servers with OpenAI's interface and the SDK raise, as ours: by HTTP status, and by words only where there is no other sign."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import openai

from faultmaven_adapters._support.causes import causes
from faultmaven_adapters._support.translate import NETWORK, Row, Table, broken, by_code, failing, late, overloaded, says
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.shared.errors import (
    BackendError,
    BackendRefusedError,
    FaultMavenError,
    InvalidInputError,
    MisconfiguredError,
    QuotaExceededError,
    RateLimitedError,
    TooLargeError,
)

_TOO_LONG = re.compile(
    r"context.?(?:length|size|window)|too (?:long|large|many tokens)|max\w*.(?:context|sequence|input|model)",
    re.IGNORECASE,
)
"""OpenAI and vLLM: maximum context length; llama.cpp: input is too large to process, with status 500; others: too long."""

_SECONDS = re.compile(r"\d+(?:\.\d+)?")
_PAUSE = 1.0
"""Seconds to wait where a server that limits us does not say how long."""

_unreached = says(BackendRefusedError, "{place} cannot be reached: look at FM_EMBEDDING_URL and at the network.")
_too_long = says(TooLargeError, "{place} does not take so much text at once.")
_refused = says(InvalidInputError, "{place} does not take these texts.")
_rejected = says(AuthenticationError, "{place} refuses our key: look at FM_EMBEDDING_API_KEY.")
_strange = says(
    BackendError,
    "{place} answered with something that is not embeddings: look at the path in FM_EMBEDDING_URL, mostly /v1, and at what "
    "is served there.",
)


def _limited(error: Any, place: str) -> FaultMavenError:
    if getattr(error, "code", None) == "insufficient_quota":
        return QuotaExceededError(f"{place} says that the account's allowance is used up.")
    headers = getattr(getattr(error, "response", None), "headers", {})
    return RateLimitedError(f"{place} limits how often we may call.", retry_after=_pause(headers))


def _pause(headers: Mapping[str, str]) -> float:
    """Seconds until the next call may come: the header says a number or a date."""
    told = headers.get("retry-after", "")
    if _SECONDS.fullmatch(told):
        return float(told)
    try:
        return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return _PAUSE


_by_status = by_code(
    lambda error: str(getattr(error, "status_code", "")),
    {
        "400": _refused,
        "401": _rejected,
        "403": _rejected,
        "404": says(
            MisconfiguredError,
            "{place} does not have this model, or serves no embeddings there: look at the path and the model in FM_EMBEDDING_URL.",
        ),
        "408": late,
        "409": failing,
        "413": _too_long,
        "422": _refused,
        "429": _limited,
        "503": overloaded,
        "529": overloaded,
        "5": failing,
    },
    _strange,
)


def _answered(error: Any, place: str) -> FaultMavenError:
    too_long = getattr(error, "status_code", 0) in {400, 422, 500} and _TOO_LONG.search(
        f"{getattr(error, 'code', '')} {getattr(error, 'type', '')} {getattr(error, 'message', '')}"
    )
    return (_too_long if too_long else _by_status)(error, place)


def _unanswered(error: Exception, place: str) -> FaultMavenError:
    beneath = list(causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in beneath):
        return NETWORK[ssl.SSLCertVerificationError](error, place)
    row: Row = _unreached if any("Connect" in type(cause).__name__ for cause in beneath) else broken
    return row(error, place)


OPENAI_ERRORS: Table = {
    **NETWORK,
    openai.APIStatusError: _answered,
    openai.APIConnectionError: _unanswered,
    openai.APITimeoutError: lambda error, place: (
        _unreached if type(error.__cause__).__name__ == "ConnectTimeout" else late
    )(error, place),
    openai.APIResponseValidationError: _strange,
    # The SDK reads what it gets without looking whether it is what it asked for.
    AttributeError: _strange,
    KeyError: _strange,
    TypeError: _strange,
    ValueError: _strange,
}
"""For everything that the SDK raises while it asks for embeddings."""
