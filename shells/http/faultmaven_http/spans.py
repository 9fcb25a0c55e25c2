"""What a collector of traces is told of a request."""

from __future__ import annotations

from starlette.types import Scope

from faultmaven_core.ports.telemetry import ERROR, Span, SpanKind, Telemetry
from faultmaven_http.correlation import Correlation
from faultmaven_http.exchange import Exchange
from faultmaven_http.metrics import known_method


class RequestSpan:
    """The span of one request. Nothing in it is a client's own text: no path, no query, no header, no address."""

    def __init__(self, telemetry: Telemetry, scope: Scope, correlation: Correlation) -> None:
        self._method = known_method(scope["method"])
        attributes = {"http.request.method": self._method, "url.scheme": str(scope["scheme"])}
        self._span: Span = telemetry.begin(self._method, SpanKind.SERVER, attributes, correlation.asked)
        self.correlation = correlation.recorded(self._span.traceparent)
        """The request by the names that the collector has for it."""

    def end(self, exchange: Exchange, status: int) -> None:
        """The request was answered with a status; 0 means that nothing was sent."""
        span = self._span
        if exchange.route:
            span.rename(f"{self._method} {exchange.route}")
            span.mark("http.route", exchange.route)
        if status:
            span.mark("http.response.status_code", status)
        span.mark("faultmaven.request", exchange.correlation.id)
        if exchange.organization:
            span.mark("faultmaven.organization", exchange.organization)
        if exchange.failure:
            span.mark(ERROR, exchange.failure)
        if status >= 500:
            span.fail()
        span.end()
