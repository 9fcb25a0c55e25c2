"""What Prometheus is told of the requests."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def known_method(method: str) -> str:
    """The method; a client may send any word as one."""
    return method if method in _METHODS else "other"


class Metrics:
    """Counters of one application; two in one process do not meet."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "faultmaven_http_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "faultmaven_http_request_seconds",
            "Time until the answer was sent.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._running = Gauge("faultmaven_http_requests_running", "Requests being served.", registry=self._registry)
        self._ready = Gauge(
            "faultmaven_dependency_up", "1 where a dependency answered last.", ("name",), registry=self._registry
        )

    def begin(self) -> None:
        """A request came."""
        self._running.inc()

    def end(self, method: str, route: str, status: int, seconds: float) -> None:
        """It was answered; status 0 means that nothing was sent."""
        self._running.dec()
        known = known_method(method)
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(known, route).observe(seconds)

    def dependency(self, name: str, *, up: bool) -> None:
        """A dependency was asked."""
        self._ready.labels(name).set(1 if up else 0)

    def text(self) -> bytes:
        """All of them, in Prometheus' text form."""
        return generate_latest(self._registry)
