"""A client that costs little: the same request over and over, on a few connections that stay open."""

from __future__ import annotations

import asyncio
import time

AT_ONCE = 16
_LENGTH = b"content-length: "


class Asking(asyncio.Protocol):
    """One connection. Asks as long as the others leave it something to ask; `done` is set at the end."""

    def __init__(self, request: bytes, left: list[int], took: list[float]) -> None:
        self._request, self._left, self._took = request, left, took
        self._transport: asyncio.Transport | None = None
        self._got, self._began = b"", 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The first request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        """When the answer is whole, the next request."""
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end:
            return
        at = head.lower().find(_LENGTH)
        length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self._fail(SystemExit(f"A request was answered: {self._got.decode()}"))
            return
        self._took.append(time.perf_counter() - self._began)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """Before the end that is a failure."""
        self._fail(exc or SystemExit("The server closed a connection."))

    def _next(self) -> None:
        assert self._transport is not None
        self._got = b""
        if not self._left:
            if not self.done.done():
                self.done.set_result(None)
            self._transport.close()
            return
        self._left.pop()
        self._began = time.perf_counter()
        self._transport.write(self._request)

    def _fail(self, failure: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(failure)


async def load(port: int, path: str, token: str, requests: int, *, at_once: int = AT_ONCE) -> list[float]:
    """Ask so often for that path; how long each answer took. Raises SystemExit where one is no success."""
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{bearer}\r\n".encode()
    left, took = [1] * requests, list[float]()
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Asking(request, left, took), "127.0.0.1", port) for _ in range(at_once)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    return took
