"""Calls of ports are told of, each for as long as it lasts, and nothing about them changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from faultmaven import load_settings
from faultmaven.doctor import examine
from faultmaven_adapters.blobs.memory import MemoryBlobStore
from faultmaven_adapters.telemetry.calls import traced
from faultmaven_adapters.telemetry.null import NullSpan, NullTelemetry
from faultmaven_core.ports.blobs import BlobKey, BlobStore
from faultmaven_core.ports.telemetry import SpanKind, Value, spanning
from faultmaven_core.shared.errors import BackendUnavailableError, NotFoundError
from tests.unit.telemetry.collector import Collector

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
KEY = BlobKey("acme/1")


class Noted(NullSpan):
    """A span that is kept."""

    def __init__(self, name: str, parent: str) -> None:
        self.name, self.parent, self.traceparent = name, parent, PARENT
        self.attributes: dict[str, Value] = {}
        self.failed = self.ended = False

    def mark(self, key: str, value: Value) -> None:
        """Keep it."""
        self.attributes[key] = value

    def fail(self) -> None:
        """Keep it."""
        self.failed = True

    def end(self) -> None:
        """Keep it; once."""
        assert not self.ended
        self.ended = True


class Notes(NullTelemetry):
    """Keeps all spans."""

    records = True

    def __init__(self) -> None:
        self.spans: list[Noted] = []

    def begin(self, name: str, kind: SpanKind, attributes: Mapping[str, Value], parent: str) -> Noted:
        """Keep it."""
        self.spans.append(Noted(name, parent))
        return self.spans[-1]

    def told(self) -> list[tuple[str, Value, bool]]:
        """Name, error and fault of what has ended, but for the outermost."""
        return [(s.name, s.attributes.get("error.type", ""), s.failed) for s in self.spans[1:] if s.ended]


class AwayBlobs(MemoryBlobStore):
    """Lists one and then fails."""

    async def list(self, *_: object, **__: object) -> AsyncIterator[object]:  # type: ignore[override]  # a broken one
        """See the class."""
        yield 1
        raise BackendUnavailableError("away")


@asynccontextmanager
async def within(notes: Notes, target: BlobStore) -> AsyncIterator[BlobStore]:
    """The target, told of within a trace."""
    with spanning(notes, "work", parent=PARENT):
        yield traced(target, "blobs", "memory", notes)


async def pieces() -> AsyncIterator[bytes]:
    """Some bytes."""
    yield b"content"


async def test_a_call_a_stream_and_what_is_opened_last_until_they_end() -> None:
    """And they are not within each other."""
    notes = Notes()
    async with within(notes, MemoryBlobStore()) as blobs:
        await blobs.put(KEY, pieces())
        assert notes.told() == [("blobs.put", "", False)]
        async with blobs.open(KEY) as reader:
            assert [piece async for piece in reader] == [b"content"]
            assert len(notes.told()) == 1
        listing = blobs.list("")
        await anext(listing)
        assert len(notes.told()) == 2
        await listing.aclose()  # type: ignore[attr-defined]  # a generator
        assert [name for name, _, _ in notes.told()] == ["blobs.put", "blobs.open", "blobs.list"]
        assert {span.parent for span in notes.spans} == {PARENT}


async def test_failures_stay_what_they_are_and_are_told_by_code() -> None:
    """Who asks for what is not there has found no fault; who leaves a stream early neither."""
    notes = Notes()
    async with within(notes, AwayBlobs()) as blobs:
        with pytest.raises(NotFoundError):
            async with blobs.open(KEY):
                pytest.fail("there is none")
        with pytest.raises(BackendUnavailableError):
            [info async for info in blobs.list("")]
        await blobs.put(KEY, pieces())
        with pytest.raises(ZeroDivisionError):
            async with blobs.open(KEY):
                raise ZeroDivisionError
    assert notes.told() == [
        ("blobs.open", "not_found", False),
        ("blobs.list", "unavailable", True),
        ("blobs.put", "", False),
        ("blobs.open", "ZeroDivisionError", True),
    ]


async def test_outside_of_a_trace_nothing_is_told() -> None:
    """What looks for work every second would fill a collector with nothing."""
    notes = Notes()
    blobs = traced(MemoryBlobStore(), "blobs", "memory", notes)
    await blobs.put(KEY, pieces())
    assert [info.key async for info in blobs.list("")] == [KEY]
    assert notes.spans == []


async def test_what_stands_for_a_store_is_one() -> None:
    """By type, attributes and care; and where nothing is recorded it is the store itself."""
    notes, store = Notes(), MemoryBlobStore()
    blobs = traced(store, "blobs", "memory", notes)
    assert isinstance(blobs, MemoryBlobStore)
    assert blobs.capabilities == store.capabilities
    async with within(notes, store) as told:
        await told.ping()
    assert notes.told() == []
    assert traced(store, "blobs", "memory", NullTelemetry()) is store


async def test_the_doctor_tries_the_collector(tmp_path: Path, collector: Collector) -> None:
    """Where one is set; and says what is wrong with it."""
    urls = {"FM_HOME": str(tmp_path), "FM_DATABASE_URL": "memory:", "FM_BLOBS_URL": "memory:"}
    told = load_settings({**urls, "FM_OTLP_URL": collector.url})
    found = {finding.dependency: finding for finding in await examine(told)}
    assert str(found["traces (otlp)"].outcome) == "ok"
    collector.status = 403
    found = {finding.dependency: finding for finding in await examine(told)}
    assert "FM_OTLP_HEADERS" in found["traces (otlp)"].detail
    assert not [finding for finding in await examine(load_settings(urls)) if "traces" in finding.dependency]
