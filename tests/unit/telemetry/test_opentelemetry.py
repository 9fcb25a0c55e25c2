"""Spans reach a collector as they were told, and a collector that is away costs nobody anything."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from faultmaven_adapters.telemetry.null import NullTelemetry
from faultmaven_adapters.telemetry.opentelemetry import GRACE, TIMEOUT, OtlpTelemetry
from faultmaven_contract_tests.servers.ports import free_port
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.ports.telemetry import SpanKind, Telemetry, spanning
from faultmaven_core.shared.errors import BackendError, BackendUnavailableError, MisconfiguredError, NotFoundError
from faultmaven_core.shared.secret import Secret
from faultmaven_core.shared.trace import TRACE
from tests.unit.telemetry.collector import Collector

CLIENTS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@asynccontextmanager
async def telling(
    url: str, *, headers: Mapping[str, Secret] | None = None, percent: int = 100
) -> AsyncIterator[Telemetry]:
    """An adapter, whose queue is handed over at the end."""
    made = OtlpTelemetry(url, headers=headers, percent=percent)
    try:
        yield made
    finally:
        await made.aclose()


async def test_what_is_begun_within_work_belongs_to_it(collector: Collector) -> None:
    """A tree, within the trace that somebody else began."""
    async with telling(collector.url) as telemetry:
        with spanning(telemetry, "outer", SpanKind.SERVER, {"n": 1, "ok": True}, parent=CLIENTS) as outer:
            assert TRACE.get() == outer.traceparent
            with spanning(telemetry, "inner") as inner:
                inner.rename("renamed")
                inner.mark("share", 0.5)
            await asyncio.create_task(_within(telemetry, "task"))
        assert TRACE.get() == ""
    root = collector.wait_for("outer")
    assert (root.kind, root.trace, root.parent) == ("server", CLIENTS[3:35], CLIENTS[36:52])
    assert root.attributes == {"n": 1, "ok": True}
    assert root.traceparent == outer.traceparent
    assert sorted((span.name, span.trace, span.kind) for span in collector.within(root)) == [
        ("renamed", root.trace, "internal"),
        ("task", root.trace, "internal"),
    ]
    assert collector.named("renamed")[0].attributes == {"share": 0.5}
    assert root.resource["service.name"] == "faultmaven"
    assert {"service.version", "service.instance.id", "host.name"} < root.resource.keys()
    assert collector.paths == ["/v1/traces"]


async def _within(telemetry: Telemetry, name: str) -> None:
    with spanning(telemetry, name):
        await asyncio.sleep(0)


async def test_work_of_no_trace_begins_one(collector: Collector) -> None:
    """Also where the parent is no traceparent, or one of zeros."""
    async with telling(collector.url) as telemetry:
        for parent in ("", "nonsense", f"00-{'0' * 32}-{'0' * 16}-01", "01" + CLIENTS[2:], CLIENTS.upper()):
            with spanning(telemetry, "root", parent=parent):
                pass
    collector.wait_for("root")
    found = collector.named("root")
    assert len({span.trace for span in found}) == 5
    assert {span.parent for span in found} == {""}


async def test_a_failure_is_told_by_its_code_and_never_by_its_text(collector: Collector) -> None:
    """Texts may hold what people wrote. Who asks for what is not there has not found a fault."""
    async with telling(collector.url) as telemetry:
        for error in (
            NotFoundError("canary-text"),
            BackendUnavailableError("canary-text"),
            KeyError("canary-text"),
            asyncio.CancelledError("canary-text"),
        ):
            with pytest.raises(type(error)), spanning(telemetry, type(error).__name__):
                raise error
    collector.wait_for("CancelledError")
    told = {span.name: (span.attributes, span.failed) for span in collector.spans}
    assert told == {
        "NotFoundError": ({"error.type": "not_found"}, False),
        "BackendUnavailableError": ({"error.type": "unavailable"}, True),
        "KeyError": ({"error.type": "KeyError"}, True),
        "CancelledError": ({"error.type": "cancelled"}, False),
    }
    assert not any(b"canary" in body for body in collector.bodies)


async def test_long_values_are_cut(collector: Collector) -> None:
    """Whatever somebody marks, it stays small."""
    async with telling(collector.url) as telemetry:
        with spanning(telemetry, "long") as span:
            span.mark("text", "x" * 10_000)
            for n in range(100):
                span.mark(f"n{n}", n)
    found = collector.wait_for("long")
    assert len(found.attributes) <= 32
    assert max(len(str(value)) for value in found.attributes.values()) <= 256


async def test_headers_go_along_and_are_shown_nowhere(collector: Collector, caplog: pytest.LogCaptureFixture) -> None:
    """They are what a collector knows us by."""
    async with telling(collector.url, headers={"x-key": Secret("hunter2")}) as telemetry:
        with spanning(telemetry, "one"):
            pass
        await telemetry.ping()
        assert "hunter2" not in repr(vars(telemetry)["_exporter"])
    assert [headers["x-key"] for headers in collector.headers] == ["hunter2"] * 2
    assert {headers["content-type"] for headers in collector.headers} == {"application/x-protobuf"}
    collector.status = 400
    async with telling(collector.url, headers={"x-key": Secret("hunter2")}) as telemetry:
        with spanning(telemetry, "refused"):
            pass
    assert caplog.records
    assert "hunter2" not in caplog.text


async def test_the_share_of_traces_is_chosen_by_their_ids(collector: Collector) -> None:
    """So that all processes choose alike: whole traces are there, others not at all; their names are known all the same."""
    ids = [f"{n:016x}{n:016x}" for n in range(1 << 57, 1 << 64, 1 << 58)]
    async with telling(collector.url, percent=25) as telemetry:
        for trace in ids:
            with spanning(telemetry, "outer", parent=f"00-{trace}-00f067aa0ba902b7-01") as span:
                assert span.traceparent[3:35] == trace
                with spanning(telemetry, "inner"):
                    pass
    collector.wait_for("outer")
    chosen = [span.trace for span in collector.named("outer")]
    assert len(chosen) == len(ids) // 4
    assert sorted(chosen) == sorted(span.trace for span in collector.named("inner"))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AuthenticationError),
        (403, AuthenticationError),
        (503, BackendUnavailableError),
        (404, BackendError),
        (307, BackendError),
    ],
)
async def test_a_collector_that_does_not_take_spans_is_found_out(
    collector: Collector, status: int, error: type[BackendError]
) -> None:
    """Whoever asks is told what is wrong; `fm doctor` does."""
    collector.status = status
    async with telling(collector.url) as telemetry:
        with pytest.raises(error, match="collector"):
            await telemetry.ping()
        collector.status = 200
        await telemetry.ping()


async def test_nobody_waits_for_a_collector_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    """Ten thousand spans are told at once, most of them are dropped, and the end comes within seconds."""
    telemetry = OtlpTelemetry(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(BackendUnavailableError, match="FM_OTLP_URL"):
        await telemetry.ping()
    for _ in range(10_000):
        with spanning(telemetry, "lost"):
            pass
    began = time.monotonic()
    await telemetry.aclose()
    await telemetry.aclose()
    assert time.monotonic() - began < 4 * (GRACE + TIMEOUT)
    with spanning(telemetry, "after the end"):
        pass
    assert "Queue full" in caplog.text


@pytest.mark.parametrize("content", [None, "no certificate\n"])
def test_certificates_that_cannot_be_read_are_told_before_anything_is_sent(tmp_path: Path, content: str | None) -> None:
    """By the name of the setting and that of the file: every delivery would fail."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(MisconfiguredError, match=r"FM_OTLP_CA_FILE.*ca\.pem"):
        OtlpTelemetry("https://127.0.0.1:1", ca_file=str(file))


async def test_without_a_collector_a_trace_goes_on_all_the_same() -> None:
    """Logs and jobs are still found by it."""
    telemetry = NullTelemetry()
    await telemetry.ping()
    with spanning(telemetry, "outer", parent=CLIENTS) as span:
        span.rename("x")
        span.mark("x", 1)
        span.fail()
        assert TRACE.get() == CLIENTS
        with spanning(telemetry, "inner"):
            assert TRACE.get() == CLIENTS
    assert TRACE.get() == ""
    await telemetry.aclose()
