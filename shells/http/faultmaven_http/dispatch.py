"""What happens at one path: who asks, may he, how often, what exactly; then the endpoint's work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from starlette.types import Receive, Scope, Send

from faultmaven.serving import HttpSettings
from faultmaven_core.application import Application
from faultmaven_core.identity.model import ClientInfo, Principal
from faultmaven_core.sessions.commands import KeepSession
from faultmaven_core.shared.errors import DeadlineExceededError, UnauthenticatedError
from faultmaven_http import bodies
from faultmaven_http.answering import send_answer
from faultmaven_http.auth import ANYONE, Authenticator, bearer_of, require
from faultmaven_http.endpoint import Asked, Endpoint
from faultmaven_http.errors import HttpError
from faultmaven_http.exchange import Exchange, exchange_of
from faultmaven_http.rates import Rates

AUTH_BODY = 64 << 10
"""Bytes of a body that somebody may send who has not proven who he is."""


BODY = 1 << 20
"""Bytes of any other body, where the endpoint does not say another number."""

SECONDS = 30.0
"""How long work may take, where the endpoint does not say another number."""


class Resource:
    """All endpoints of one path, as an ASGI application."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        application: Application,
        settings: HttpSettings,
        authenticator: Authenticator,
        rates: Rates,
    ) -> None:
        self._endpoints: Mapping[str, Endpoint] = {endpoint.method: endpoint for endpoint in endpoints}
        self._application, self._settings = application, settings
        self._authenticator, self._rates = authenticator, rates

    @property
    def methods(self) -> Sequence[str]:
        """What can be done here; HEAD goes with GET."""
        return [*self._endpoints, *(["HEAD"] if "GET" in self._endpoints else [])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request. Raises what its answer is to be, where that is a failure."""
        endpoint = self._endpoints.get("GET" if scope["method"] == "HEAD" else scope["method"])
        if endpoint is None:
            allow = {"allow": ", ".join(self.methods)}
            raise HttpError(405, "This method is not offered here.", code="method", headers=allow)
        exchange = exchange_of(scope)
        exchange.route, exchange.oauth = endpoint.path, endpoint.oauth
        client = ClientInfo(exchange.address, _device(scope), request_id=exchange.correlation.id)
        principal: Principal | None = None
        if endpoint.permission == ANYONE:
            await self._rates.anonymous(endpoint.limit, exchange)
        else:
            principal = await self._authenticated(scope, exchange, client)
            await self._rates.known(endpoint.cost, principal, exchange)
            require(principal, endpoint.permission)
            if not endpoint.sessionless:
                await self._touch(scope, principal)
        asked = Asked(self._application, self._settings, scope, scope["path_params"], client, receive, principal)
        answered = await self._done(endpoint, asked, receive)
        await send_answer(endpoint, answered, receive, send)

    async def _authenticated(self, scope: Scope, exchange: Exchange, client: ClientInfo) -> Principal:
        try:
            principal = await self._authenticator.authenticate(bearer_of(scope["headers"]))
        except UnauthenticatedError:
            await self._rates.refused(exchange)
            raise
        exchange.user, exchange.organization = principal.caller.user, principal.caller.organization
        return replace(principal, client=client)

    async def _touch(self, scope: Scope, principal: Principal) -> None:
        """The client's session, where it names one, is in use. Raises SessionExpiredError where it is over."""
        named = next((value for name, value in scope["headers"] if name == b"x-session-id"), b"")
        if named:
            await self._application.sessions.keep(KeepSession(named.decode("latin-1")), principal.caller)

    async def _done(self, endpoint: Endpoint, asked: Asked, receive: Receive) -> object:
        # Also where nothing is read of it: claims are refused everywhere.
        kind = endpoint.query or bodies.NoQuery
        query: object = bodies.from_query(kind, asked.scope["query_string"], claims=endpoint.claims)
        body = None
        if endpoint.body is not None:
            usual = AUTH_BODY if endpoint.permission == ANYONE else BODY
            data = await bodies.read(asked.scope, receive, most=endpoint.most or usual)
            body = _decoded(endpoint, endpoint.body, data, asked)
        whole = replace(asked, body=body, query=query)
        seconds = endpoint.seconds or SECONDS
        try:
            async with asyncio.timeout(seconds):
                return await endpoint.work(whole)
        except TimeoutError as error:
            raise DeadlineExceededError(f"This took over {seconds:g} s.") from error


def _decoded(endpoint: Endpoint, kind: type, data: bytes, asked: Asked) -> object:
    content_type = asked.header(b"content-type")
    if endpoint.form and content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        return bodies.from_form(kind, data, claims=endpoint.claims)
    return bodies.from_json(kind, data, content_type, claims=endpoint.claims)


def _device(scope: Scope) -> str:
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
    return "".join(char for char in agent.decode("latin-1")[:200] if char.isprintable())
