"""A collector of traces: an HTTP server that takes what OpenTelemetry sends, as the standard has it, and keeps it."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


@dataclass(frozen=True)
class Received:
    """A span as it arrived; `failed` is its status."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    failed: bool
    words: str
    nanoseconds: int

    @property
    def traceparent(self) -> str:
        """What it is called by what is begun within it."""
        return f"00-{self.trace}-{self.id}-01"


@dataclass
class Collector:
    """What came. Answers with `status`, and each time it is asked notes headers and bytes."""

    port: int = 0
    status: int = 200
    spans: list[Received] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def wait_for(self, name: str, seconds: float = 60.0) -> Received:
        """The first span of this name, once it is there."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: any(span.name == name for span in self.spans), seconds), (
                f"no span {name}, only {[span.name for span in self.spans]}"
            )
        return self.named(name)[0]

    def named(self, name: str) -> list[Received]:
        """The spans of this name."""
        return [span for span in self.spans if span.name == name]

    def within(self, parent: Received) -> list[Received]:
        """What was begun within a span."""
        return [span for span in self.spans if span.parent == parent.id]

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """Keep what came; the status to answer with."""
        with self.arrived:
            self.paths.append(path)
            self.headers.append(headers)
            plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
            self.bodies.append(plain)
            if self.status == 200:
                self.spans += decoded(plain)
            self.arrived.notify_all()
        return self.status


def decoded(body: bytes) -> Iterator[Received]:
    """The spans of a delivery."""
    request = ExportTraceServiceRequest.FromString(body)
    for resource_spans in request.resource_spans:
        resource = _values(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield Received(
                    span.name,
                    KINDS[span.kind],
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    _values(span.attributes),
                    resource,
                    span.status.code == 2,
                    span.status.message + "".join(str(event) for event in span.events),
                    span.end_time_unix_nano - span.start_time_unix_nano,
                )


def _values(attributes: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens."""
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(found.take(self.path, headers, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Tests read what came, not lines about it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="collector")
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
