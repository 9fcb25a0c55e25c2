"""Downloads over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from faultmaven import FaultMaven
from faultmaven_core.evidence.commands import ReadContent
from faultmaven_core.evidence.contents import Content
from faultmaven_core.shared.caller import Caller
from tests.shells.http.shell import Made, client_of, served
from tests.shells.http.test_evidence import opened, sent


async def test_nothing_more_is_read_for_who_has_left(
    fm: FaultMaven, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not from a store that is slow either: what is open there is closed at once."""
    closed = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.get_running_loop().create_future()

    @asynccontextmanager
    async def watched(_start: int, _length: int) -> AsyncIterator[AsyncIterator[bytes]]:
        try:
            yield slow()
        finally:
            closed.set()

    find = fm.evidence.content

    async def content(command: ReadContent, caller: Caller) -> Content:
        return Content((await find(command, caller)).item, watched)

    monkeypatch.setattr(fm.evidence, "content", content)
    app = made()
    async with served(app) as port, client_of(app, "ann") as ann, asyncio.timeout(30):
        place = (await sent(ann, await opened(ann))).headers["location"]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {place}/content HTTP/1.1\r\nHost: fm.test\r\nAuthorization: Bearer ann\r\n\r\n".encode())
        assert (await reader.readuntil(b"first")).startswith(b"HTTP/1.1 200 ")
        assert not closed.is_set()
        writer.close()
        await closed.wait()
