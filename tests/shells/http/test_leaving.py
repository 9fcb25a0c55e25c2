"""Clients that leave before their answer: nobody works for them any more, and what they began to change is whole or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from faultmaven import FaultMaven
from faultmaven_core.cases.editing import Editing
from faultmaven_http.protocol import EdgeProtocol
from tests.shells.http.shell import Made, client_of, served
from tests.shells.http.test_evidence import LOG, opened, sent


class Held:
    """Work that has begun and goes on when it may, or ends."""

    def __init__(self) -> None:
        self.begun, self.may, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def __call__(self, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """That work, held."""

        async def held(*arguments: Any) -> Any:
            self.begun.set()
            try:
                await self.may.wait()
                return await work(*arguments)
            finally:
                self.ended.set()

        return held


async def asked_and_left(port: int, line: str, begun: asyncio.Event, body: bytes = b"") -> None:
    """Send a request, and leave when its work has begun."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"{line} HTTP/1.1\r\nHost: fm.test\r\nAuthorization: Bearer ann\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    try:
        await begun.wait()
    finally:
        writer.close()


async def test_nobody_looks_anything_up_for_who_has_left(
    fm: FaultMaven, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends at once, however long it would have taken."""
    held = Held()
    app = made()
    async with served(app) as port, client_of(app, "ann") as ann, asyncio.timeout(30):
        place = (await sent(ann, await opened(ann))).headers["location"]
        monkeypatch.setattr(fm.evidence, "content", held(fm.evidence.content))
        await asked_and_left(port, f"GET {place}/content", held.begun)
        await held.ended.wait()
    assert not held.may.is_set()


async def test_nobody_searches_for_who_has_left(fm: FaultMaven, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent to be read only is as good as asked for."""
    held = Held()
    monkeypatch.setattr(fm.knowledge, "search", held(fm.knowledge.search))
    async with served(made()) as port, asyncio.timeout(30):
        await asked_and_left(port, "POST /api/v1/knowledge/search", held.begun, b'{"query": "redis"}')
        await held.ended.wait()
    assert not held.may.is_set()


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when the server has seen that a client left."""
    seen, lost = asyncio.Event(), EdgeProtocol.connection_lost

    def connection_lost(protocol: EdgeProtocol, exc: Exception | None) -> None:
        lost(protocol, exc)
        seen.set()

    monkeypatch.setattr(EdgeProtocol, "connection_lost", connection_lost)
    return seen


async def test_what_changes_something_is_done_to_its_end(
    made: Made, monkeypatch: pytest.MonkeyPatch, gone: asyncio.Event
) -> None:
    """A browser may close its page right after a click that was meant."""
    held = Held()
    app = made()
    async with served(app) as port, client_of(app, "ann") as ann, asyncio.timeout(30):
        case = await opened(ann)
        monkeypatch.setattr(Editing, "update", held(Editing.update))
        await asked_and_left(port, f"PUT {case}", held.begun, b'{"title": "Meant"}')
        await gone.wait()
        assert (await ann.get(case)).json()["title"] == "Checkout fails"
        assert not held.ended.is_set(), "what was asked for ended with its client"
        held.may.set()
        await held.ended.wait()
        assert (await ann.get(case)).json()["title"] == "Meant"


async def test_nothing_is_kept_of_an_upload_whose_sender_has_left(
    fm: FaultMaven, made: Made, monkeypatch: pytest.MonkeyPatch, gone: asyncio.Event
) -> None:
    """Not even where all of it had come: until it is answered its sender takes it for lost, and sends it again."""
    held = Held()
    app = made()
    async with served(app) as port, client_of(app, "ann") as ann, asyncio.timeout(30):
        case = await opened(ann)
        monkeypatch.setattr(fm.evidence, "add_content", held(fm.evidence.add_content))
        await asked_and_left(port, f"POST {case}/evidence?name=app.log", held.begun, LOG)
        await gone.wait()
        held.may.set()
        await held.ended.wait()
        assert (await ann.get(f"{case}/evidence")).json()["items"] == []
