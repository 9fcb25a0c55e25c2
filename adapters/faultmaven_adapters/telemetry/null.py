"""No collector."""

from __future__ import annotations

from collections.abc import Mapping

from faultmaven_core.ports.telemetry import Span, SpanKind, Telemetry, Value


class NullSpan(Span):
    """Says nothing to nobody, so that one is enough for all."""

    traceparent = ""

    def rename(self, name: str) -> None:
        """Nobody listens."""

    def mark(self, key: str, value: Value) -> None:
        """Nobody listens."""

    def fail(self) -> None:
        """Nobody listens."""

    def end(self) -> None:
        """Nobody listens."""


_NOBODYS = NullSpan()


class NullTelemetry(Telemetry):
    """See the port."""

    records = False

    def begin(self, name: str, kind: SpanKind, attributes: Mapping[str, Value], parent: str) -> Span:
        return _NOBODYS

    async def ping(self) -> None:
        """There is nobody to ask."""

    async def aclose(self) -> None:
        """Nothing is open."""
