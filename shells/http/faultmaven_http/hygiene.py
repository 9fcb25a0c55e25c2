"""Requests as they may go on: one meaning, no borrowed identity, nothing oversized."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from faultmaven_http.errors import HttpError

MOST_HEADERS = 100
MOST_HEADER_BYTES = 16 << 10
MOST_TARGET = 8 << 10

OURS = (b"x-user-", b"x-org-", b"x-fm-", b"x-forwarded-", b"x-original-")
"""Beginnings of headers that only an edge may set. This is the edge, so whoever sent them, they do not go on."""

WORD = b"x-fm-identity"
"""The header in which an edge says to a service who asks, as a signed token."""

LONGEST_WORD = 32 << 10
"""Bytes more that a head may have where an edge wrote it: people are in many teams."""

FORGED = frozenset(
    (
        b"x-email-verified",
        b"x-organization-id",
        b"forwarded",
        b"x-real-ip",
        b"x-http-method-override",
        b"x-http-method",
        b"x-method-override",
    )
)
KEPT = frozenset(
    (b"authorization", b"host", b"content-type", b"content-length", b"origin", b"idempotency-key", b"transfer-encoding")
)
"""What no `Connection` header can make us drop: a client must not choose which of these is seen."""

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))

_HOST = re.compile(rb"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})|%(?:2f|5c|00)", re.IGNORECASE)
_NO_PATH = re.compile(r"[\x00-\x1f\x7f\\;]|//|(?:^|/)\.{1,2}(?:/|$)")

_Headers = tuple[tuple[bytes, bytes], ...]


class Hygiene:
    """Refuses what has two meanings, and strips what a client must not say. Raises HttpError; whoever is outside answers.

    Where the service is `behind` an edge, what that says of a request is kept; it is signed.
    """

    def __init__(self, app: ASGIApp, *, behind: bool = False) -> None:
        self._app, self._kept = app, (WORD,) if behind else ()
        self._most = MOST_HEADER_BYTES + (LONGEST_WORD if behind else 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] == "http":
            if scope["http_version"] not in {"1.0", "1.1"}:
                raise _ambiguous("The request is not of HTTP/1.1.")
            check_size(scope["headers"], scope, self._most)
            check_target(scope)
            check_framing(scope["headers"])
            scope["headers"] = stripped(scope["headers"], self._kept)
        await self._app(scope, receive, send)


def check_size(headers: _Headers, scope: MutableMapping[str, Any], most: int = MOST_HEADER_BYTES) -> None:
    """Raises HttpError 431 or 414 on a head over the limits."""
    size = sum(len(name) + len(value) + 4 for name, value in headers)
    if len(headers) > MOST_HEADERS or size > most:
        raise HttpError(
            431,
            f"The request has over {MOST_HEADERS} headers or {most >> 10} KiB of them.",
            code="too_large",
        )
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MOST_TARGET:
        raise HttpError(414, f"The address is over {MOST_TARGET >> 10} KiB long.", code="too_large")


def check_target(scope: MutableMapping[str, Any]) -> None:
    """Raises HttpError 400 on a path that others could read otherwise, 405 on a method that we do not speak."""
    if scope["method"] not in METHODS:
        raise HttpError(
            405, "This method is not known here.", code="method", headers={"allow": ", ".join(sorted(METHODS))}
        )
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path: str = scope["path"]
    wrong = _BAD_ESCAPE.search(raw) or _NO_PATH.search(path) or "\ufffd" in path or not path.startswith("/")
    # What is decoded once must not turn out to be encoded still.
    if wrong or "%" in path or any(ord(char) > 0x7F and not char.isprintable() for char in path):
        raise HttpError(400, "The path of the address is not in its plain form.", code="invalid_input")


def check_framing(headers: _Headers) -> None:
    """Raises HttpError 400 unless there is one Host, and one length or one coding of the body; nothing after it is read."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        raise _ambiguous("The request must name one host.")
    lengths = [value for name, value in headers if name == b"content-length"]
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if len(lengths) + len(codings) > 1 or (codings and codings[0].strip().lower() != b"chunked"):
        raise _ambiguous("The request says its body's length in more than one way.")
    if lengths and not lengths[0].isdigit():
        raise _ambiguous("The request's Content-Length is no number.")


def _ambiguous(sentence: str) -> HttpError:
    return HttpError(400, sentence, code="invalid_input", headers={"connection": "close"})


def stripped(headers: _Headers, kept: Sequence[bytes] = ()) -> _Headers:
    """Without what pretends to come from an edge, but for `kept`, has an ambiguous name, or is meant for one hop."""
    named = {
        token.strip().lower() for name, value in headers if name == b"connection" for token in value.split(b",")
    } - KEPT
    return tuple(
        (name, value)
        for name, value in headers
        if name not in named and (name in kept or not _is_an_edges(name)) and name != b"upgrade"
    )


def _is_an_edges(name: bytes) -> bool:
    return name.startswith(OURS) or name in FORGED or b"_" in name
