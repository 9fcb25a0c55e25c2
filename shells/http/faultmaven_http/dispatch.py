"""What a service does at one path: who asks, may he, what exactly; then the endpoint's work."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from starlette.types import Receive, Scope, Send

from faultmaven.serving import HttpSettings
from faultmaven_core.application import Application
from faultmaven_core.identity.handing_on import Handed
from faultmaven_core.identity.model import ClientInfo, Principal
from faultmaven_core.sessions.commands import KeepSession
from faultmaven_core.shared.errors import DeadlineExceededError, UnauthenticatedError
from faultmaven_http import bodies
from faultmaven_http.answering import send_answer, until_gone
from faultmaven_http.auth import ANYONE, require, word_of
from faultmaven_http.endpoint import Asked, Endpoint, Endpoints
from faultmaven_http.exchange import device, exchange_of

AUTH_BODY = 64 << 10
"""Bytes of a body that somebody may send who has not proven who he is."""


BODY = 1 << 20
"""Bytes of any other body, where the endpoint does not say another number."""

SECONDS = 30.0
"""How long work may take, where the endpoint does not say another number."""


class Resource:
    """All endpoints of one path, as an ASGI application of their service.

    It believes the word of an edge and nothing else; who is allowed what is decided here.
    """

    def __init__(self, endpoints: Sequence[Endpoint], application: Application, settings: HttpSettings) -> None:
        self._endpoints = Endpoints(endpoints)
        self._application, self._settings = application, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request. Raises what its answer is to be, where that is a failure."""
        endpoint = self._endpoints.asked(scope)
        handed = await self._handed(endpoint, scope)
        principal = handed.principal
        if endpoint.permission != ANYONE:
            if principal is None:
                raise UnauthenticatedError("You are not signed in: send a bearer token.")
            for permission in (endpoint.permission, *endpoint.besides):
                require(principal, permission)
            if not endpoint.sessionless:
                await self._touch(scope, principal)
        asked = Asked(self._application, self._settings, scope, scope["path_params"], handed.client, receive, principal)
        answered = await self._done(endpoint, asked, receive)
        await send_answer(endpoint, answered, receive, send)

    async def _handed(self, endpoint: Endpoint, scope: Scope) -> Handed:
        exchange = exchange_of(scope)
        if not endpoint.service:
            return Handed(None, ClientInfo(exchange.address, device(scope), request_id=exchange.correlation.id))
        handed = await self._application.identity.handing_on.take(word_of(scope["headers"]), endpoint.service)
        exchange.learn(handed)
        return handed

    async def _touch(self, scope: Scope, principal: Principal) -> None:
        """The client's session, where it names one, is in use. Raises SessionExpiredError where it is over."""
        named = next((value for name, value in scope["headers"] if name == b"x-session-id"), b"")
        if named:
            await self._application.sessions.keep(KeepSession(named.decode("latin-1")), principal.caller)

    async def _done(self, endpoint: Endpoint, asked: Asked, receive: Receive) -> object:
        # Also where nothing is read of it: claims are refused everywhere.
        kind, claims = (endpoint.query, endpoint.claims) if endpoint.query else (bodies.NoQuery, bodies.CLAIMS)
        if asked.principal is not None:
            # A key that cannot be used is refused also by what needs none: who sent it relies on it.
            _ = asked.caller
        query: object = bodies.from_query(kind, asked.scope["query_string"], claims=claims)
        body = None
        if endpoint.body is not None:
            usual = AUTH_BODY if endpoint.permission == ANYONE else BODY
            data = await bodies.read(asked.scope, receive, most=endpoint.most or usual)
            body = _decoded(endpoint, endpoint.body, data, asked)
        whole = replace(asked, body=body, query=query)
        seconds = endpoint.seconds or SECONDS
        try:
            async with asyncio.timeout(seconds):
                working = endpoint.work(whole)
                # Who only reads wants nothing more once he has left; what changes something is done to its end.
                return await (until_gone(receive, working) if endpoint.reads else working)
        except TimeoutError as error:
            raise DeadlineExceededError(f"This took over {seconds:g} s.") from error


def _decoded(endpoint: Endpoint, kind: type, data: bytes, asked: Asked) -> object:
    content_type = asked.header(b"content-type")
    if endpoint.form and content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        return bodies.from_form(kind, data, claims=endpoint.claims)
    return bodies.from_json(kind, data, content_type, claims=endpoint.claims)
