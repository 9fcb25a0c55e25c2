"""Events while something is worked at: at once, in order, and no longer than somebody listens."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from faultmaven import load_settings
from faultmaven_core import codec
from faultmaven_core.shared.errors import NotFoundError
from faultmaven_http.answering import send_answer, until_gone
from faultmaven_http.app import edged
from faultmaven_http.endpoint import Answer, Endpoint
from faultmaven_http.event_stream import Event, Tell, Telling, streamed
from faultmaven_http.exchange import exchange_of
from faultmaven_http.metrics import Metrics
from tests.shells.http.shell import served
from tests.shells.http.test_turns import LOG, check, opened

GET = b"GET / HTTP/1.1\r\nHost: fm.test\r\n\r\n"


class Streams:
    """An application whose only work is the test's."""

    def __init__(self, work: Telling) -> None:
        self.work = work
        self.seconds = 60.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Do it."""

        async def watched(tell: Tell) -> object:
            return await until_gone(receive, self.work(tell))

        answer = await streamed(exchange_of(scope), watched, seconds=self.seconds)
        endpoint = Endpoint(method="GET", path="/", name="x", summary="x", permission="x", work=_nothing, answer=None)
        await send_answer(endpoint, answer, receive, send)


async def _nothing(_: object) -> None:
    """Not called."""


def events(text: str) -> list[tuple[str, object]]:
    """(name, value) of each event."""
    parts = [part for part in text.split("\n\n") if part.startswith("event:")]
    return [(part.split("\n")[0][7:], json.loads(part.split("\n")[1][6:])) for part in parts]


async def answered(work: Telling, *, seconds: float = 60.0) -> httpx2.Response:
    """What a client gets in the end."""
    app = Streams(work)
    app.seconds = seconds
    edge = edged(app, load_settings({"FM_HOME": "."}).http, Metrics(), lambda: False)
    async with served(edge) as port, httpx2.AsyncClient() as client:
        return await client.get(f"http://127.0.0.1:{port}/")


async def test_events_come_in_order_and_the_answer_last() -> None:
    """Line ends in a value do not end the event."""

    async def work(tell: Tell) -> object:
        tell(Event("progress", {"text": "one\n\nevent: forged"}))
        await asyncio.sleep(0)
        tell(Event("progress", 2))
        return {"done": True}

    found = await answered(work)
    assert events(found.text) == [
        ("progress", {"text": "one\n\nevent: forged"}),
        ("progress", 2),
        ("answer", {"done": True}),
    ]


async def test_what_fails_before_the_first_event_has_a_status() -> None:
    """And what fails later is an event."""

    async def at_once(_: Tell) -> object:
        raise NotFoundError("There is no case.")

    async def later(tell: Tell) -> object:
        tell(Event("progress", 1))
        await asyncio.sleep(0.01)
        raise NotFoundError("There is no case.")

    async def never(tell: Tell) -> object:
        tell(Event("progress", 1))
        return await asyncio.get_running_loop().create_future()

    first = await answered(at_once)
    assert (first.status_code, first.json()["error"]) == (404, "not_found")
    name, problem = events((await answered(later)).text)[-1]
    assert name == "error"
    assert isinstance(problem, dict)
    assert (problem["status"], problem["detail"]) == (404, "There is no case.")
    name, problem = events((await answered(never, seconds=0.1)).text)[-1]
    assert isinstance(problem, dict)
    assert (name, problem["status"]) == ("error", 504)


@pytest.fixture
async def hanging() -> AsyncIterator[tuple[int, asyncio.Event, asyncio.Event, asyncio.Event]]:
    """The port of a server whose work tells an event when it may, and never ends by itself."""
    may, told, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(tell: Tell) -> object:
        try:
            await may.wait()
            tell(Event("progress", 1))
            told.set()
            return await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    edge = edged(Streams(work), load_settings({"FM_HOME": "."}).http, Metrics(), lambda: False)
    async with served(edge) as port:
        yield port, may, told, ended


async def test_an_event_is_sent_when_it_is_told(
    hanging: tuple[int, asyncio.Event, asyncio.Event, asyncio.Event],
) -> None:
    """Not when the work is done: this one never is. And a client that leaves ends it."""
    port, may, _, ended = hanging
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET)
    may.set()
    async with asyncio.timeout(30):
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head
        assert b"event: progress" in await reader.readuntil(b"data: 1\n\n")
        assert not ended.is_set()
        writer.close()
        await ended.wait()


@pytest.mark.soak
async def test_the_first_event_is_there_within_50_milliseconds() -> None:
    """Of its being told, in 99 of 100 streams; each has a connection of its own."""
    chance = random.Random(5)

    async def work(tell: Tell) -> object:
        await asyncio.sleep(chance.uniform(0, 0.03))
        tell(Event("told", time.monotonic()))
        return await asyncio.get_running_loop().create_future()

    edge = edged(Streams(work), load_settings({"FM_HOME": "."}).http, Metrics(), lambda: False)
    took: list[float] = []
    async with served(edge) as port:
        for _ in range(500):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(GET)
            event = (await reader.readuntil(b"\n\n")).rpartition(b"data: ")[2]
            took.append(time.monotonic() - float(event))
            writer.close()
            await writer.wait_closed()
    took.sort()
    sys.stdout.write(
        f"median {took[250] * 1000:.2f} ms, 99 % {took[495] * 1000:.2f} ms, worst {took[-1] * 1000:.2f} ms\n"
    )
    assert took[495] < 0.05


async def test_a_client_that_leaves_before_the_first_event_ends_the_work(
    hanging: tuple[int, asyncio.Event, asyncio.Event, asyncio.Event],
) -> None:
    """Nobody waits for it any more."""
    port, _, __, ended = hanging
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET)
    await writer.drain()
    writer.close()
    async with asyncio.timeout(30):
        await ended.wait()


async def test_a_download_ends_with_its_client() -> None:
    """Not a piece more is fetched than fits on the way."""
    fetched, ended = 0, asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal fetched
        try:
            while True:
                fetched += 1
                yield bytes(1 << 20)
                await asyncio.sleep(0)
        finally:
            ended.set()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = Endpoint(method="GET", path="/", name="x", summary="x", permission="x", work=_nothing, answer=None)
        await send_answer(endpoint, Answer(pieces()), receive, send)

    edge = edged(app, load_settings({"FM_HOME": "."}).http, Metrics(), lambda: False)
    async with served(edge) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        async with asyncio.timeout(30):
            await reader.readexactly(3 << 20)
            writer.transport.abort()
            await ended.wait()
    assert fetched < 64


async def test_a_turn_tells_how_the_reading_of_its_files_goes(ann: httpx2.AsyncClient) -> None:
    """The last event is what the turn would have answered without events, and the turn is kept."""
    address = await opened(ann)
    answer = await ann.post(
        f"{address}/turns/stream",
        data={"query": "Why does checkout fail?"},
        files={"files": ("app.log", LOG.encode())},
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream"
    told = events(answer.text)
    assert told[-1][0] == "answer"
    check(httpx2.Response(200, content=codec.encode(told[-1][1])))
    assert {name for name, _ in told} <= {"progress", "answer"}
    assert (await ann.get(f"{address}/messages")).json()["total_count"] == 2
    missing = await ann.post("/api/v1/cases/case_0/turns/stream", data={"query": "Why?"})
    assert missing.status_code == 404
