"""One line of the binding table: an operation, or something of the edge's own, behind a method and a path."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.types import Receive, Scope, Send

from faultmaven.serving import HttpSettings
from faultmaven_core import codec
from faultmaven_core.application import Application
from faultmaven_core.identity.model import ClientInfo, Principal
from faultmaven_core.operations import OPERATIONS
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, UnauthenticatedError
from faultmaven_http.bodies import CLAIMS

_ETAG = re.compile(r'(?:W/)?"\d{1,18}"')
_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{8,255}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, decoded. `principal` is None where nobody needed to sign in; `body` and `query` are of the endpoint's types."""

    application: Application
    settings: HttpSettings
    scope: Scope
    path: Mapping[str, str]
    client: ClientInfo
    receive: Receive
    principal: Principal | None = None
    body: Any = None
    query: Any = None

    @property
    def who(self) -> Principal:
        """Who asks. Raises UnauthenticatedError where nobody is signed in."""
        if self.principal is None:
            raise UnauthenticatedError("You are not signed in: send a bearer token.")
        return self.principal

    @property
    def caller(self) -> Caller:
        """Who asks, as services know him; with a request key where the client sent an idempotency key."""
        key = self.header(b"idempotency-key")
        if not key:
            return self.who.caller
        if not _IDEMPOTENCY_KEY.fullmatch(key):
            raise InvalidInputError(
                "The Idempotency-Key must have 8 to 255 letters, digits, _ or -.",
                fields={"Idempotency-Key": "not allowed"},
            )
        # The client counts its keys anew after a restart, so they mean something for one address only.
        whole = f"{self.scope['method']} {self.scope['path']} {key}"
        return replace(self.who.caller, request_key=f"http:{hashlib.sha256(whole.encode()).hexdigest()}")

    def if_match(self) -> int | None:
        """The version that the client last saw, None where it does not say. Raises InvalidInputError on anything else."""
        given = self.header(b"if-match")
        if given in ("", "*"):
            return None
        if not _ETAG.fullmatch(given):
            raise InvalidInputError("If-Match must hold an ETag of this address.", fields={"If-Match": "unknown"})
        return int(given.removeprefix("W/").strip('"'))

    def header(self, wanted: bytes) -> str:
        """The value of a header, "" without one."""
        return next((value.decode("latin-1") for name, value in self.scope["headers"] if name == wanted), "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: a value for JSON, bytes or pieces of them, None for no body; and what differs from the endpoint's own."""

    value: object
    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()


Work = Callable[[Asked], Awaitable[object]]
"""The answer, or the value of its body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`permission` is an operation's, or ANYONE or SIGNED_IN. `answer` is the shape of the body, None without one.

    `seconds` is how long it may take, 0 for the usual time. `cost` is what it
    takes of the caller's rate limit; for what anyone may call, `limit` names the kind of limit. `oauth` errors are
    also of the form of RFC 6749. `alias` ones stand in no description of the interface.
    `parts`
    describes a multipart form, which the work reads by `asked.receive`. `sessionless` ones do not
    ask whether the client's session lives. `watched` work ends when the client leaves; `claims` are the fields that are refused.
    """

    method: str
    path: str
    name: str
    summary: str
    permission: str
    work: Work
    answer: type | None
    body: type | None = None
    query: type | None = None
    form: bool = False
    parts: type | None = None
    status: int = 200
    most: int = 0
    seconds: float = 0.0
    limit: str = ""
    cost: int = 1
    failures: tuple[int, ...] = ()
    oauth: bool = False
    alias: bool = False
    sessionless: bool = False
    watched: bool = False
    claims: frozenset[str] = CLAIMS
    headers: Mapping[str, str] = field(default_factory=dict)


def bound(
    method: str,
    path: str,
    operation: str,
    command: Callable[[Asked], object],
    shape: Callable[[Any, Asked], object],
    answer: type | None,
    **more: Any,
) -> Endpoint:
    """An endpoint that is an operation of the table: its summary and permission are the operation's."""
    found = OPERATIONS[operation]

    async def work(asked: Asked) -> object:
        return shape(await found.call(asked.application, command(asked), asked.caller), asked)

    given = {"name": operation, "summary": found.summary, "permission": found.permission, **more}
    return Endpoint(method=method, path=path, work=work, answer=answer, **given)


async def send_answer(endpoint: Endpoint, answered: object, send: Send) -> None:
    """Write the answer: a value in JSON, bytes as they are, or pieces as they come."""
    answer = answered if isinstance(answered, Answer) else Answer(answered)
    status, value = answer.status or endpoint.status, answer.value
    headers = [(name.encode(), text.encode()) for name, text in endpoint.headers.items()] + list(answer.headers)
    if not any(name == b"cache-control" for name, _ in headers):
        headers.append((b"cache-control", b"no-store"))
    if isinstance(value, AsyncIterable):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        async for piece in value:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    body = value if isinstance(value, bytes) else b"" if value is None else codec.encode(value)
    if value is not None and not isinstance(value, bytes):
        headers.append((b"content-type", b"application/json"))
    if status not in (204, 304):
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def until_gone(receive: Receive, work: Awaitable[object]) -> object:
    """The work's result; it is cancelled where the client leaves. Raises CancelledError then."""
    doing = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((doing, watching), return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            doing.cancel()
        return await doing
    finally:
        watching.cancel()
        doing.cancel()
        await asyncio.gather(doing, watching, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
