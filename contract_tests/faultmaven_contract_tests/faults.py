"""A TCP proxy between a client and a server that does to their connections what networks do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self, TypeVar
from urllib.parse import urlsplit

BLOCK = 64 * 1024
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing says "reset" instead of "end"."""

Result = TypeVar("Result")


class Faults:
    """What happens to data on its way, now."""

    def __init__(self) -> None:
        self.latency = 0.0
        """Seconds that every answer comes later."""
        self.bandwidth = 0
        """Bytes a second in each direction of each connection; 0 is no limit."""
        self.requests_seen = 0
        """Requests (what comes from a client before the next answer), forwarded or not."""
        self.given_answer: bytes | None = None
        self.doomed_request: bytes | None = None
        """What is in the request whose answer is lost."""
        self.flowing = asyncio.Event()
        self.flowing.set()

    async def hold(self, size: int) -> None:
        """Returns when so many bytes may go on."""
        await self.flowing.wait()
        if self.bandwidth:
            await asyncio.sleep(size / self.bandwidth)

    @property
    def block(self) -> int:
        """How much is taken at once."""
        return max(1, min(BLOCK, self.bandwidth // 20)) if self.bandwidth else BLOCK


class FaultProxy(Faults):
    """Forwards unharmed until told otherwise. Open it in a loop (`async with`) or beside synchronous code (`in_thread`).

    A server that is down shows as a connection that is accepted and then reset; `refuse` is what shows as refused.
    """

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self.port = 0
        self.connections = 0
        """Accepted since the start."""
        self._target = (host, port)
        self._open: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None

    @property
    def open_connections(self) -> int:
        """Those that neither side has closed."""
        return len(self._open)

    @property
    def refuse(self) -> bool:
        """Whether new connections are refused. Open ones stay."""
        return self._listener is None

    @refuse.setter
    def refuse(self, wanted: bool) -> None:
        self._in_loop(self._stop_listening if wanted else self._listen)

    @property
    def blackhole(self) -> bool:
        """Whether nothing is forwarded, though connections are accepted. What was held goes on when this ends."""
        return not self.flowing.is_set()

    @blackhole.setter
    def blackhole(self, wanted: bool) -> None:
        self._in_loop(self.flowing.clear if wanted else self.flowing.set)

    def aim(self, host: str, port: int) -> None:
        """New connections go there, as when a name gets another address. Open ones stay."""
        self._target = (host, port)

    def cut(self) -> None:
        """Resets all open connections."""
        self._in_loop(lambda: self._to_all(_Connection.reset))

    def cut_next_reply(self, to: bytes = b"") -> None:
        """The next request that contains `to` reaches the server; its answer is dropped and the connection reset."""
        self.doomed_request = to

    def answer(self, raw: bytes | None) -> None:
        """Every request gets these bytes instead of reaching the server, and the end of the connection; None ends this."""
        self.given_answer = raw

    def half_close(self) -> None:
        """The server's side of all open connections ends; what clients send is still taken."""
        self._in_loop(lambda: self._to_all(_Connection.half_close))

    def through(self, url: str) -> str:
        """The same URL with the proxy's address instead of the server's."""
        parts = urlsplit(url)
        user, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{user}{at}127.0.0.1:{self.port}").geturl()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        # Holds the port while nobody listens, so that connections are refused and nobody else takes it.
        self._holder = _bound(0)
        self.port = self._holder.getsockname()[1]
        self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop_listening()
        self._holder.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @classmethod
    @contextmanager
    def in_thread(cls, host: str, port: int) -> Iterator[Self]:
        """With a loop in a thread of its own."""
        proxy = cls(host, port)
        ready, over = threading.Event(), asyncio.Event()

        async def serve() -> None:
            async with proxy:
                ready.set()
                await over.wait()

        thread = threading.Thread(target=lambda: asyncio.run(serve()), name="fault-proxy")
        thread.start()
        ready.wait()
        try:
            yield proxy
        finally:
            proxy._loop.call_soon_threadsafe(over.set)
            thread.join()

    def _in_loop(self, action: Callable[[], object]) -> None:
        if threading.get_ident() == self._thread:
            action()
            return

        async def act() -> None:
            action()

        asyncio.run_coroutine_threadsafe(act(), self._loop).result()

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = _bound(self.port)
            self._listener.listen(256)
            self._loop.add_reader(self._listener, self._accept, self._listener)

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            client, _ = listener.accept()
            client.setblocking(False)
            self.connections += 1
            task = self._loop.create_task(self._carry(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, client: socket.socket) -> None:
        connection = _Connection(self, *await asyncio.open_connection(sock=client))
        self._open.add(connection)
        try:
            await connection.run(*self._target)
            self._open.discard(connection)
            await connection.ended()
        finally:
            self._open.discard(connection)
            connection.abort()

    def _to_all(self, harm: Callable[[_Connection], None]) -> None:
        for connection in tuple(self._open):
            harm(connection)


class _Connection:
    """One client's connection and the one to the server that belongs to it."""

    def __init__(self, faults: Faults, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self._faults = faults
        self._reader = reader
        self._client = client
        self._server: asyncio.StreamWriter | None = None
        self._asked = False
        """A request is not answered yet."""
        self._doomed = False
        """The answer that comes is to be dropped."""
        self._half_closed = False

    async def run(self, host: str, port: int) -> None:
        """Until both sides have ended, or one was reset: then the other is too."""
        try:
            await self._faults.flowing.wait()
            answers, self._server = await asyncio.open_connection(host, port)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._requests(self._server))
                group.create_task(self._answers(answers))
        except* OSError:
            self.reset()

    async def ended(self) -> None:
        """Both sides have what is still on its way to them, or are gone."""
        for side in self._sides():
            side.close()
        for side in self._sides():
            with contextlib.suppress(OSError):
                await side.wait_closed()

    def reset(self) -> None:
        """To both sides at once."""
        for side in self._sides():
            if not side.transport.is_closing():
                side.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.abort()

    def abort(self) -> None:
        """Without what is still on its way: who does not take it would have it kept for ever."""
        for side in self._sides():
            side.transport.abort()

    def half_close(self) -> None:
        """Tells the client that nothing more comes."""
        if not self._half_closed and not self._client.transport.is_closing():
            self._half_closed = True
            self._client.write_eof()

    def _sides(self) -> Iterator[asyncio.StreamWriter]:
        yield self._client
        if self._server is not None:
            yield self._server

    async def _requests(self, server: asyncio.StreamWriter) -> None:
        faults = self._faults
        while data := await self._reader.read(faults.block):
            if not self._asked:
                self._asked = True
                faults.requests_seen += 1
            await faults.hold(len(data))
            if faults.given_answer is not None:
                server.close()
                await self._answer(faults.given_answer)
                return
            if faults.doomed_request is not None and faults.doomed_request in data:
                faults.doomed_request, self._doomed = None, True
            server.write(data)
            await server.drain()
        if not server.transport.is_closing():
            server.write_eof()

    async def _answer(self, raw: bytes) -> None:
        """And takes what the client still sends, or the reset that follows would destroy the answer on its way."""
        if not self._half_closed:
            self._client.write(raw)
            self.half_close()
        while await self._reader.read(BLOCK):
            pass

    async def _answers(self, answers: asyncio.StreamReader) -> None:
        faults = self._faults
        while data := await answers.read(faults.block):
            if self._doomed:
                raise ConnectionResetError
            if self._asked:
                self._asked = False
                await asyncio.sleep(faults.latency)
            await faults.hold(len(data))
            if not self._half_closed:
                self._client.write(data)
                await self._client.drain()
        self.half_close()


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.setblocking(False)
    made.bind(("127.0.0.1", port))
    return made
