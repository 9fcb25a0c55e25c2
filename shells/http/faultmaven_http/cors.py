"""Which pages of browsers may read our answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = b"GET, POST, PUT, PATCH, DELETE, OPTIONS"
TAKEN = (
    b"Authorization, Content-Type, Accept, X-Session-Id, Idempotency-Key, X-User-ID, X-User-Roles, X-Request-ID, "
    b"X-Correlation-ID, Prefer, If-Match, If-None-Match, Range, If-Range, Traceparent, "
    b"Content-Digest, Repr-Digest, Upload-Length, Upload-Offset, Upload-Metadata, Tus-Resumable"
)
SHOWN = (
    b"Location, Retry-After, ETag, x-error-code, x-expected-version, x-actual-version, x-title-source, X-Request-ID, "
    b"X-Correlation-ID, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, RateLimit, RateLimit-Policy, "
    b"X-Total-Count, Link, Content-Disposition, Content-Range, Accept-Ranges, Upload-Offset, Upload-Length, "
    b"Upload-Expires, Tus-Resumable"
)
MAX_AGE = b"600"


class Cors:
    """Answers preflights before anything else is asked, and marks every answer, errors too: an unmarked one is no answer."""

    def __init__(self, app: ASGIApp, allows: Callable[[str], bool]) -> None:
        self._app, self._allows = app, allows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = [value for name, value in scope["headers"] if name == b"origin"]
        origin = given[0] if len(given) == 1 and self._allows(given[0].decode("latin-1")) else None

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_marks(origin)]
            await send(message)

        if given and scope["method"] == "OPTIONS" and _header(scope, b"access-control-request-method"):
            await _preflight(scope, marked, allowed=origin is not None)
        else:
            await self._app(scope, receive, marked)


async def _preflight(scope: Scope, send: Send, *, allowed: bool) -> None:
    headers = [(b"content-length", b"0")]
    if allowed:
        headers += [
            (b"access-control-allow-methods", METHODS),
            (b"access-control-allow-headers", TAKEN),
            (b"access-control-max-age", MAX_AGE),
        ]
        if _header(scope, b"access-control-request-private-network") == b"true":
            headers.append((b"access-control-allow-private-network", b"true"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _marks(origin: bytes | None) -> Iterable[tuple[bytes, bytes]]:
    yield b"vary", b"Origin"
    if origin is not None:
        yield b"access-control-allow-origin", origin
        yield b"access-control-allow-credentials", b"true"
        yield b"access-control-expose-headers", SHOWN


def _header(scope: Scope, wanted: bytes) -> bytes:
    return next((value for name, value in scope["headers"] if name == wanted), b"")
