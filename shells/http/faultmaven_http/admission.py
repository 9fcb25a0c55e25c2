"""What an edge does before a request goes on to a service: who asks, how often, and a signed word about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starlette.types import ASGIApp, Receive, Scope, Send

from faultmaven_core.identity.handing_on import Handed, HandingOn
from faultmaven_core.identity.model import ClientInfo, Principal
from faultmaven_core.shared.errors import UnauthenticatedError
from faultmaven_http.auth import ANYONE, Authenticator, bearer_of
from faultmaven_http.endpoint import Endpoint, Endpoints
from faultmaven_http.exchange import Exchange, device, exchange_of
from faultmaven_http.hygiene import WORD
from faultmaven_http.rates import Rates


class Admission:
    """Lets requests to one path through to the service behind it, which is `inner`: in this process, or a way to another.

    The credential of somebody who has signed in stays here. The service learns who he is from the word alone.
    """

    def __init__(
        self,
        inner: ASGIApp,
        endpoints: Sequence[Endpoint],
        authenticator: Authenticator,
        rates: Rates,
        handing_on: HandingOn,
    ) -> None:
        self._inner, self._endpoints = inner, Endpoints(endpoints)
        self._authenticator, self._rates, self._handing_on = authenticator, rates, handing_on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request. Raises what its answer is to be, where that is a failure."""
        endpoint = self._endpoints.asked(scope)
        exchange = exchange_of(scope)
        client = ClientInfo(exchange.address, device(scope), request_id=exchange.correlation.id)
        headers = scope["headers"]
        principal: Principal | None = None
        if endpoint.permission == ANYONE:
            await self._rates.anonymous(endpoint.limit, exchange)
        else:
            principal = await self._authenticated(scope, exchange, client)
            await self._rates.known(endpoint.cost, principal, exchange)
            headers = [header for header in headers if header[0] != b"authorization"]
        word = await self._handing_on.give(Handed(principal, client), endpoint.service)
        await self._inner({**scope, "headers": (*headers, (WORD, word.encode()))}, receive, send)

    async def _authenticated(self, scope: Scope, exchange: Exchange, client: ClientInfo) -> Principal:
        try:
            principal = await self._authenticator.authenticate(bearer_of(scope["headers"]))
        except UnauthenticatedError:
            await self._rates.refused(exchange)
            raise
        exchange.asked_by(principal)
        return replace(principal, client=client)
