"""Every failure as one status and one problem body."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from starlette.exceptions import HTTPException

from faultmaven_core import codec
from faultmaven_core.cases.ports import CaseChangedError
from faultmaven_core.identity.oauth import OAuthError
from faultmaven_core.ports.passwords import PasswordsBusyError
from faultmaven_core.ports.writes import RequestKeyReusedError
from faultmaven_core.sessions.service import SessionExpiredError
from faultmaven_core.shared import errors
from faultmaven_http.shapes.problem import FieldProblem, Problem

MEDIA_TYPE = b"application/problem+json"

STATUSES: Mapping[type[errors.FaultMavenError], int] = {
    errors.FaultMavenError: 500,
    errors.InvalidInputError: 400,
    errors.UnsupportedTypeError: 415,
    errors.QuotaExceededError: 402,
    errors.UnauthenticatedError: 401,
    errors.PermissionDeniedError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.AlreadyExistsError: 409,
    errors.StaleVersionError: 409,
    errors.PreconditionFailedError: 409,
    errors.TooLargeError: 413,
    errors.RateLimitedError: 429,
    errors.UnsupportedError: 501,
    errors.BackendError: 502,
    errors.BackendUnavailableError: 503,
    errors.BackendRefusedError: 503,
    errors.DeadlineExceededError: 504,
    errors.AmbiguousError: 504,
    errors.MisconfiguredError: 500,
    errors.CorruptDataError: 500,
}
"""Error class to status. A test walks the tree and fails on a missing row."""

LABELS: Mapping[type[errors.FaultMavenError], str] = {
    SessionExpiredError: "SESSION_EXPIRED",
    errors.QuotaExceededError: "QUOTA_EXHAUSTED",
    CaseChangedError: "CASE_VERSION_CONFLICT",
    errors.StaleVersionError: "CASE_VERSION_CONFLICT",
    RequestKeyReusedError: "IDEMPOTENCY_KEY_REUSE",
}
"""What `x-error-code` says; a conflict without a label means to clients that a state forbids it."""

UNKNOWN = "Something went wrong here that we did not foresee. It is in the log under the correlation id."
BEHIND_US = "A service that this needs failed in a way that we do not know. It is in the log under the correlation id."
AWAY = "Something that this needs cannot be reached now. Nothing is lost: try again in a moment."
LATE = "Something that this needs did not answer in time; it may still have done what was asked."
BROKEN = "What is stored for this does not hold together any more. It is in the log under the correlation id."
_HIDDEN = {500: UNKNOWN, 502: BEHIND_US, 503: AWAY, 504: LATE}
"""What stands in the place of our own words, which may name a server or a file, by status."""

WAIT = 1
"""Seconds after which a backend that is away may be asked again."""


class HttpError(Exception):
    """A request that HTTP itself refuses. The message is a sentence for a person; `members` take the place of the body's."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.headers = status, code, dict(headers or {})
        self.members = dict(members or {})


@dataclass(frozen=True, slots=True)
class Told:
    """A failure as it is answered: status, body and headers; `unexpected` ones belong into the log with their trace."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    unexpected: bool


def told(failure: Exception, correlation_id: str, *, oauth: bool = False) -> Told:
    """What is answered to a failure. Nothing of an unexpected one's own words gets out."""
    status, code, detail, label, fields = _known(failure)
    headers: dict[str, str] = {}
    retry_after = _retry_after(failure, status)
    if retry_after:
        headers["retry-after"] = str(retry_after)
    if isinstance(failure, HttpError | HTTPException):
        headers |= {name.lower(): value for name, value in (failure.headers or {}).items()}
    if isinstance(failure, CaseChangedError):
        headers |= {"x-expected-version": str(failure.expected), "x-actual-version": str(failure.actual)}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
        if label == "":
            headers["www-authenticate"] += ' error="invalid_token"'
    if label and status != HTTPStatus.UNAUTHORIZED:
        headers["x-error-code"] = label
    problem = Problem(
        "about:blank",
        HTTPStatus(status).phrase,
        status,
        detail,
        detail,
        _oauth(failure, code, status) if oauth else code,
        type(failure).__name__ if isinstance(failure, errors.FaultMavenError) else "HttpError",
        label,
        status,
        tuple(
            FieldProblem(tuple(path.removeprefix("$.").split(".")), msg, "value_error") for path, msg in fields.items()
        ),
        correlation_id,
        datetime.now(UTC),
        retry_after,
        detail if oauth else "",
    )
    sent = tuple((name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items())
    members = failure.members if isinstance(failure, HttpError) else {}
    body = codec.encode(codec.to_builtins(problem) | members if members else problem)
    return Told(status, body, sent, status >= 500 and not _foreseen(failure))


def status_of(kind: type[errors.FaultMavenError]) -> int:
    """The status of a class; errors of a port have that of the class which they refine."""
    return next(STATUSES[parent] for parent in kind.__mro__ if parent in STATUSES)


def in_short(failure: Exception) -> tuple[int, str, str]:
    """The status, code and sentence that a request would be answered with which failed so."""
    status, code, sentence, _, _ = _known(failure)
    return status, code, sentence


def _known(failure: Exception) -> tuple[int, str, str, str, Mapping[str, str]]:
    if isinstance(failure, HttpError):
        return failure.status, failure.code, str(failure), "", {}
    if isinstance(failure, HTTPException):
        return failure.status_code, "http", f"{failure.detail}.", "", {}
    if isinstance(failure, OAuthError):
        return 400, failure.error, str(failure), "", {}
    if not isinstance(failure, errors.FaultMavenError):
        return 500, "unexpected", UNKNOWN, "", {}
    kind = type(failure)
    status = status_of(kind)
    label = next((LABELS[parent] for parent in kind.__mro__ if parent in LABELS), "")
    fields = failure.fields if isinstance(failure, errors.InvalidInputError) else {}
    return 422 if fields else status, failure.code, _sentence(failure, status), label, fields


def _sentence(failure: errors.FaultMavenError, status: int) -> str:
    if isinstance(failure, errors.CorruptDataError):
        return BROKEN
    return _HIDDEN.get(status) or str(failure)


def _retry_after(failure: Exception, status: int) -> int:
    if isinstance(failure, errors.RateLimitedError | PasswordsBusyError):
        return max(1, math.ceil(failure.retry_after))
    return WAIT if status == HTTPStatus.SERVICE_UNAVAILABLE else 0


def _foreseen(failure: Exception) -> bool:
    if isinstance(failure, HttpError | HTTPException):
        return True
    return isinstance(failure, errors.FaultMavenError) and failure.retryable


def _oauth(failure: Exception, code: str, status: int) -> str:
    """The code of RFC 6749, section 5.2, for one of ours."""
    if isinstance(failure, OAuthError):
        return code
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT):
        return "temporarily_unavailable"
    known = {
        "permission_denied": "access_denied",
        "unauthenticated": "invalid_token",
        "unsupported_type": "invalid_request",
    }
    return known.get(code, "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request")
