"""Spans for a collector that speaks OTLP over HTTP, by OpenTelemetry's own library.

Nothing global is set. All that the library would take from environment variables of its own is given here, as far as it lets us:
headers and certificates that they name it adds where we name no others.
"""

from __future__ import annotations

import asyncio
import platform
import re
import ssl
import uuid
from collections.abc import Mapping
from importlib.metadata import version

import requests
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags, set_span_in_context
from opentelemetry.trace import Span as RecordedSpan
from opentelemetry.trace import SpanKind as Kind

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.ports.telemetry import Span, SpanKind, Telemetry, Value
from faultmaven_core.shared.errors import BackendError, BackendUnavailableError, MisconfiguredError
from faultmaven_core.shared.secret import Secret

PATH = "/v1/traces"
"""Where the standard has spans, under a collector's address."""

TIMEOUT = 5.0
"""Seconds for one delivery, with its repetitions."""

GRACE = 3.0
"""Seconds that a closing program spends on what is left; a delivery that has begun then may add its time-out."""

LIMITS = SpanLimits(
    max_attributes=32,
    max_events=0,
    max_links=0,
    max_event_attributes=0,
    max_link_attributes=0,
    max_attribute_length=256,
)
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_KINDS = {
    SpanKind.SERVER: Kind.SERVER,
    SpanKind.CONSUMER: Kind.CONSUMER,
    SpanKind.CLIENT: Kind.CLIENT,
    SpanKind.INTERNAL: Kind.INTERNAL,
}


class OtlpSpan(Span):
    """A span of the library."""

    __slots__ = ("_span", "traceparent")

    def __init__(self, span: RecordedSpan) -> None:
        self._span = span
        known = span.get_span_context()
        self.traceparent = f"00-{known.trace_id:032x}-{known.span_id:016x}-{int(known.trace_flags):02x}"

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def mark(self, key: str, value: Value) -> None:
        self._span.set_attribute(key, value)

    def fail(self) -> None:
        self._span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        self._span.end()


class OtlpTelemetry(Telemetry):
    """See the port. Spans wait in a queue of 2,048, are sent by a thread every few seconds, and are dropped beyond that.

    `percent` of the traces are recorded, chosen by their ids, so that all processes choose the same. Raises MisconfiguredError
    where `ca_file` holds no certificates.
    """

    records = True

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, Secret] | None = None,
        service: str = "faultmaven",
        percent: int = 100,
        ca_file: str = "",
        seconds: float = 2.0,
    ) -> None:
        if ca_file:
            _require_certificates(ca_file)
        self._endpoint = url.rstrip("/") + PATH
        self._headers = revealed = {name: secret.reveal() for name, secret in (headers or {}).items()}
        self._session = session = requests.Session()
        # A .netrc or a proxy of the environment would get to see the headers.
        session.trust_env = False
        self._exporter = _Exporter(
            self._endpoint, certificate_file=ca_file or None, headers=revealed, timeout=TIMEOUT, session=session,
            compression=Compression.Gzip,
        )  # fmt: skip
        processor = BatchSpanProcessor(
            self._exporter,
            max_queue_size=2048,
            max_export_batch_size=512,
            schedule_delay_millis=seconds * 1000,
            export_timeout_millis=TIMEOUT * 1000,
        )
        self._provider = TracerProvider(
            TraceIdRatioBased(percent / 100), _resource(service), shutdown_on_exit=False, span_limits=LIMITS
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("faultmaven", version("faultmaven"))
        self._threads = BlockingCalls("telemetry", 1)
        self._closed = False

    def begin(self, name: str, kind: SpanKind, attributes: Mapping[str, Value], parent: str) -> Span:
        return OtlpSpan(self._tracer.start_span(name, _context(parent), _KINDS[kind], dict(attributes)))

    async def ping(self) -> None:
        """Deliver nothing. Raises BackendUnavailableError, AuthenticationError, or BackendError for any other answer."""
        status = await self._threads(self._probe)
        if status in (401, 403):
            raise AuthenticationError(f"The collector refuses us ({status}): see FM_OTLP_HEADERS.")
        if status >= 500:
            raise BackendUnavailableError(f"The collector does not take spans now ({status}).")
        if status != 200:
            raise BackendError(
                f"The collector answered {status}: does FM_OTLP_URL name one that speaks OTLP over HTTP?"
            )

    def _probe(self) -> int:
        headers = {**self._headers, "content-type": "application/x-protobuf"}
        try:
            with self._session.post(
                self._endpoint, data=b"", headers=headers, timeout=TIMEOUT, allow_redirects=False
            ) as answer:
                return answer.status_code
        except requests.RequestException as error:
            raise BackendUnavailableError("The collector of FM_OTLP_URL cannot be reached.") from error

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        # The library waits for as long as deliveries are repeated; an exporter that is shut ends that.
        hurry = asyncio.get_running_loop().call_later(GRACE, self._exporter.shutdown)
        try:
            await self._threads(self._provider.shutdown)
        finally:
            hurry.cancel()
            self._threads.close()


class _Exporter(OTLPSpanExporter):
    """The library's, which may be shut twice."""

    def shutdown(self) -> None:
        """See the library."""
        if not self._shutdown:
            super().shutdown()  # type: ignore[no-untyped-call]  # the library's, which says no types


def _require_certificates(file: str) -> None:
    """The library would find out at each delivery, in its thread."""
    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:
        raise MisconfiguredError(
            f"FM_OTLP_CA_FILE: {file} holds no certificates that can be read: name a PEM file."
        ) from error


def _context(parent: str) -> Context:
    """An own context: whatever other code has made current is not ours to continue."""
    context = Context()
    found = _TRACEPARENT.fullmatch(parent)
    if found is None:
        return context
    above = SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=TraceFlags(int(found[3], 16)))
    return set_span_in_context(NonRecordingSpan(above), context) if above.is_valid else context


def _resource(service: str) -> Resource:
    return Resource(
        {
            "service.name": service,
            "service.version": version("faultmaven"),
            "service.instance.id": str(uuid.uuid4()),
            "host.name": platform.node(),
        }
    )
