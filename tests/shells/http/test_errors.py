"""Every failure is one problem that all clients can read, and tells nothing that is not theirs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from starlette.exceptions import HTTPException

from faultmaven_core import codec
from faultmaven_core.cases.ports import CaseChangedError
from faultmaven_core.identity.oauth import OAuthError
from faultmaven_core.ports.writes import RequestKeyReusedError
from faultmaven_core.sessions.service import SessionExpiredError
from faultmaven_core.shared import errors
from faultmaven_http.errors import STATUSES, HttpError, status_of, told
from faultmaven_http.shapes.problem import Problem

SECRET = "postgresql://app:s3cr3t@db.internal/fm"


def _tree(kind: type[errors.FaultMavenError]) -> Iterator[type[errors.FaultMavenError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


def _problem(failure: Exception, *, oauth: bool = False) -> Problem:
    return codec.decode(Problem, told(failure, "id", oauth=oauth).body)


def test_every_error_has_a_status() -> None:
    """One table; a new class without a row fails here and not at somebody's client. Errors of ports refine a row."""
    for kind in _tree(errors.FaultMavenError):
        if kind.__module__ == errors.__name__:
            assert kind in STATUSES, kind
        assert 400 <= status_of(kind) < 600


def test_a_problem_has_all_that_clients_read() -> None:
    """Each of them reads another member; all are there, and `detail` is a sentence."""
    found = _problem(errors.NotFoundError("There is no case case_1."))
    assert (found.status, found.status_code, found.title) == (404, 404, "Not Found")
    assert found.detail == found.message == "There is no case case_1."
    assert (found.error, found.error_type, found.correlation_id) == ("not_found", "NotFoundError", "id")
    assert isinstance(found.timestamp, datetime)


def test_wrong_fields_are_told_beside_the_sentence() -> None:
    """`detail` stays a text: one client prints what is none as [object Object]."""
    failure = errors.InvalidInputError("`limit` is 0; it must be 1 to 100.", fields={"$.limit": "out of range"})
    found = _problem(failure)
    assert found.status == 422
    assert [(error.loc, error.msg) for error in found.errors] == [(("limit",), "out of range")]
    assert found.detail == "`limit` is 0; it must be 1 to 100."
    assert _problem(errors.InvalidInputError("This is not JSON.")).status == 400


@pytest.mark.parametrize(
    "failure",
    [
        RuntimeError(SECRET),
        errors.BackendError(SECRET),
        errors.BackendUnavailableError(SECRET),
        errors.DeadlineExceededError(SECRET),
        errors.AmbiguousError(SECRET),
        errors.CorruptDataError(SECRET),
        errors.MisconfiguredError(SECRET),
        KeyError(SECRET),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_what_failed_behind_us_is_not_told(failure: Exception) -> None:
    """Hosts, paths, statements and stacks are for the log."""
    answer = told(failure, "id")
    assert answer.status >= 500
    assert b"s3cr3t" not in answer.body
    assert b"db.internal" not in answer.body
    assert not any(b"s3cr3t" in value for _, value in answer.headers)


def test_a_wait_is_told_in_whole_seconds() -> None:
    """In the header and in the body, rounded up: who comes then is let in."""
    answer = told(errors.RateLimitedError("Too many.", retry_after=6.2), "id")
    assert (b"retry-after", b"7") in answer.headers
    assert codec.decode(Problem, answer.body).retry_after == 7
    assert dict(told(errors.BackendUnavailableError("x"), "id").headers)[b"retry-after"] == b"1"


@pytest.mark.parametrize(
    ("failure", "status", "label"),
    [
        (CaseChangedError("case_1", expected=3, actual=4), 409, b"CASE_VERSION_CONFLICT"),
        (RequestKeyReusedError("Used."), 409, b"IDEMPOTENCY_KEY_REUSE"),
        (errors.QuotaExceededError("All used up."), 402, b"QUOTA_EXHAUSTED"),
        (errors.PreconditionFailedError("case_1 is closed."), 409, None),
    ],
    ids=["version", "key", "quota", "closed"],
)
def test_conflicts_are_told_apart_by_a_label(failure: Exception, status: int, label: bytes | None) -> None:
    """A client re-reads, repeats or says that the case is closed, by the label or its absence."""
    answer = told(failure, "id")
    headers = dict(answer.headers)
    assert answer.status == status
    assert headers.get(b"x-error-code") == label
    if isinstance(failure, CaseChangedError):
        assert (headers[b"x-expected-version"], headers[b"x-actual-version"]) == (b"3", b"4")


def test_a_dead_session_is_told_by_its_label_and_a_dead_token_is_not() -> None:
    """On the label the client begins a new session and keeps its tokens; without it, it signs out."""
    session = SessionExpiredError("Session expired")
    assert (_problem(session).status, _problem(session).code, _problem(session).detail) == (
        401,
        "SESSION_EXPIRED",
        "Session expired",
    )
    token = _problem(errors.UnauthenticatedError("The bearer token is not valid."))
    assert token.code == ""
    assert "session" not in token.detail.lower()
    assert dict(told(errors.UnauthenticatedError("x"), "id").headers)[b"www-authenticate"].startswith(b"Bearer")


def test_oauth_failures_have_the_form_of_their_standard_too() -> None:
    """RFC 6749, section 5.2, and the sentence in both places."""
    found = _problem(errors.InvalidInputError("There is no code_verifier."), oauth=True)
    assert (found.error, found.error_description, found.detail) == (
        "invalid_request",
        "There is no code_verifier.",
        "There is no code_verifier.",
    )
    assert _problem(errors.BackendUnavailableError("x"), oauth=True).error == "temporarily_unavailable"
    assert _problem(OAuthError("invalid_grant", "Used."), oauth=True).error == "invalid_grant"
    assert _problem(OAuthError("invalid_grant", "Used."), oauth=True).status == 400


def test_what_http_itself_refuses_is_a_problem_too() -> None:
    """With the headers that belong to it."""
    answer = told(HttpError(405, "No.", code="method", headers={"Allow": "GET"}), "id")
    assert (b"allow", b"GET") in answer.headers
    assert told(HTTPException(405), "id").status == 405
    assert not answer.unexpected
