"""One line of the binding table: an operation, or something of the edge's own, behind a method and a path."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.types import Receive, Scope

from faultmaven.serving import HttpSettings
from faultmaven_core.application import Application
from faultmaven_core.identity.model import ClientInfo, Principal
from faultmaven_core.operations import OPERATIONS
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, UnauthenticatedError
from faultmaven_http.bodies import CLAIMS
from faultmaven_http.errors import HttpError
from faultmaven_http.exchange import exchange_of

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
    """What is answered: a value for JSON, bytes or pieces of them, None for no body; and what differs from the endpoint's own.

    `watched` pieces end by themselves when the client leaves.
    """

    value: object
    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()
    watched: bool = False


Work = Callable[[Asked], Awaitable[object]]
"""The answer, or the value of its body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`permission` is an operation's, or ANYONE or SIGNED_IN; `besides` are others that one must have too. `answer` is the shape of the body, None without one.

    `later` is the shape of a 202, where work may go on after the answer.
    `seconds` is how long it may take, 0 for the usual time. `cost` is what it
    takes of the caller's rate limit; for what anyone may call, `limit` names the kind of limit. `oauth` errors are
    also of the form of RFC 6749. `alias` ones stand in no description of the interface. `parts` describes a multipart form,
    which the work reads by `asked.receive`. `sessionless` ones do not ask whether the client's session lives; `claims` are
    the fields that are refused. `media` are the types of an answer that is no JSON, or not always; `raw` is that of a body
    which the work reads as it is. `conditional` ones heed If-Match; those that are not `keyed` pass over an idempotency key;
    `again` ones answer 200 where that was there already. `service` is who offers it, filled in where it is offered; what
    monitoring asks has none.
    """

    method: str
    path: str
    name: str
    summary: str
    permission: str
    work: Work
    answer: type | None
    later: type | None = None
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
    claims: frozenset[str] = CLAIMS
    headers: Mapping[str, str] = field(default_factory=dict)
    besides: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    raw: str = ""
    conditional: bool = False
    keyed: bool = True
    again: bool = False
    service: str = ""

    @property
    def reads(self) -> bool:
        """Whether it changes nothing, so that its work ends with its client."""
        return self.method == "GET" or (self.body is not None and self.permission.endswith(":read"))


class Endpoints:
    """Those of one path."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._by_method = {endpoint.method: endpoint for endpoint in endpoints}

    def __iter__(self) -> Iterator[Endpoint]:
        """All of them."""
        return iter(self._by_method.values())

    def asked(self, scope: Scope) -> Endpoint:
        """The one that a request is for; HEAD goes with GET. Raises HttpError 405."""
        endpoint = self._by_method.get("GET" if scope["method"] == "HEAD" else scope["method"])
        if endpoint is None:
            methods = [*self._by_method, *(["HEAD"] if "GET" in self._by_method else [])]
            raise HttpError(
                405, "This method is not offered here.", code="method", headers={"allow": ", ".join(methods)}
            )
        exchange = exchange_of(scope)
        exchange.route, exchange.oauth = endpoint.path, endpoint.oauth
        return endpoint


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
