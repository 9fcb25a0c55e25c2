"""The outermost layer: names each request, takes its headers as they are now, and tells what became of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from faultmaven_core.ports.telemetry import Telemetry
from faultmaven_core.shared.trace import TRACE
from faultmaven_http.addresses import client_address
from faultmaven_http.correlation import CURRENT, correlate
from faultmaven_http.exchange import KEY, Exchange
from faultmaven_http.logs import saying
from faultmaven_http.metrics import Metrics
from faultmaven_http.spans import RequestSpan

UNMATCHED = "unmatched"
"""The route of a request that no endpoint took; its path is a client's text and would be a new metric each time."""

ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
LEAVING = (b"connection", b"close")
"""The next request goes to somebody else."""

_QUIET = frozenset(("/health", "/health/live", "/health/ready", "/metrics"))
_log = logging.getLogger("faultmaven.access")


class Observation:
    """Gives every answer its correlation id and safe headers, and writes one line, the metrics and the span of each request."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        proxies: Sequence[IPv4Network | IPv6Network],
        leaving: Callable[[], bool],
        *,
        encrypted: bool,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._app, self._metrics, self._proxies, self._leaving = app, metrics, proxies, leaving
        self._telemetry = telemetry if telemetry and telemetry.records else None
        self._always = (*ALWAYS, STRICT_TRANSPORT) if encrypted else ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A tuple, now: servers have been seen to add a body's trailers to the list later.
        headers = tuple((name.lower(), value) for name, value in scope["headers"])
        scope = {**scope, "headers": headers}
        correlation, span = correlate(headers), None
        if self._telemetry and scope["path"] not in _QUIET:
            span = RequestSpan(self._telemetry, scope, correlation)
            correlation = span.correlation
        exchange = Exchange(correlation, client_address(scope, self._proxies))
        scope[KEY] = exchange
        token, trace = CURRENT.set(correlation), TRACE.set(correlation.traceparent)
        status, sent = 0, 0

        async def marked(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                always = (*self._always, LEAVING) if self._leaving() else self._always
                # A browser joins what stands twice: the endpoint's own would never loosen anything.
                own = {name.lower() for name, _ in message["headers"]}
                added = [header for header in always if header[0] not in own]
                message["headers"] = [*message["headers"], *added, *exchange.headers, *_names(exchange)]
            else:
                sent += len(message.get("body", b""))
            await send(message)

        began = time.perf_counter()
        self._metrics.begin()
        try:
            await self._app(scope, receive, marked)
        finally:
            took = time.perf_counter() - began
            route = exchange.route or UNMATCHED
            self._metrics.end(scope["method"], route, status, took)
            if scope["path"] not in _QUIET:
                self._tell(scope, exchange, route, status, sent, took)
            if span:
                span.end(exchange, status)
            TRACE.reset(trace)
            CURRENT.reset(token)

    def _tell(self, scope: Scope, exchange: Exchange, route: str, status: int, sent: int, took: float) -> None:
        correlation = exchange.correlation
        _log.info(
            "request",
            extra=saying(
                method=scope["method"],
                route=route,
                status=status,
                milliseconds=round(took * 1000, 2),
                bytes=sent,
                address=exchange.address,
                user=exchange.user,
                organization=exchange.organization,
                failure=exchange.failure,
                clients_id=correlation.clients_id,
            ),
        )


def _names(exchange: Exchange) -> tuple[tuple[bytes, bytes], ...]:
    ours = exchange.correlation.id.encode()
    theirs = exchange.correlation.clients_id.encode() or ours
    return (
        (b"x-request-id", ours),
        (b"x-correlation-id", theirs),
        (b"traceparent", exchange.correlation.traceparent.encode()),
    )
