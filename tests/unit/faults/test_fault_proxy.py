"""The fault proxy does what it says, seen from plain sockets: proofs about failure rest on it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable

import pytest

from faultmaven_contract_tests.faults import FaultProxy

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """A server that gives every line back and remembers it."""

    def __init__(self) -> None:
        self.port = 0
        self.lines: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self.lines.append(line)
                writer.write(line)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    """A server behind the proxy."""
    made = Echo()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[FaultProxy]:
    """The proxy."""
    async with FaultProxy("127.0.0.1", echo.port) as made:
        yield made


@pytest.fixture
async def streams(proxy: FaultProxy) -> AsyncIterator[Streams]:
    """A client's connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    yield reader, writer
    writer.close()


async def exchange(streams: Streams, line: bytes) -> bytes:
    """One request and its answer."""
    reader, writer = streams
    writer.write(line)
    await writer.drain()
    return await asyncio.wait_for(reader.readline(), 60)


async def eventually(holds: Callable[[], bool]) -> None:
    """Within five seconds."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_what_is_sent_comes_back_unharmed(proxy: FaultProxy, streams: Streams) -> None:
    """Also what is larger than any buffer on the way; and it is counted."""
    assert await exchange(streams, b"first\n") == b"first\n"
    big = b"x" * 60_000 + b"\n"
    assert await exchange(streams, big) == big
    assert (proxy.connections, proxy.requests_seen, proxy.open_connections) == (1, 2, 1)


async def test_the_end_of_one_side_reaches_the_other(proxy: FaultProxy, streams: Streams) -> None:
    """A client that has said all still gets its last answer."""
    reader, writer = streams
    writer.write(b"last\n")
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), 60) == b"last\n"
    writer.close()
    await eventually(lambda: proxy.open_connections == 0)


async def test_latency_delays_every_answer(proxy: FaultProxy, streams: Streams) -> None:
    """Each round trip pays it once."""
    proxy.latency = 0.2
    before = time.monotonic()
    for _ in range(3):
        await exchange(streams, b"slow\n")
    assert 0.6 <= time.monotonic() - before < 30


async def test_bandwidth_limits_each_direction(proxy: FaultProxy, streams: Streams) -> None:
    """20 kB there and back at 100 kB/s."""
    proxy.bandwidth = 100_000
    before = time.monotonic()
    await exchange(streams, b"x" * 19_999 + b"\n")
    assert 0.2 <= time.monotonic() - before < 30


async def test_cut_resets_open_connections_and_takes_new_ones(proxy: FaultProxy, streams: Streams) -> None:
    """The client sees a reset, not an end."""
    await exchange(streams, b"before\n")
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        await exchange(streams, b"after\n")
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    assert await exchange((reader, writer), b"again\n") == b"again\n"
    writer.close()


async def test_refused_until_allowed(proxy: FaultProxy, streams: Streams) -> None:
    """New connections only; the same port works again afterwards."""
    await exchange(streams, b"open\n")
    proxy.refuse = True
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", proxy.port)
    assert await exchange(streams, b"still open\n") == b"still open\n"
    proxy.refuse = False
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    assert await exchange((reader, writer), b"welcome\n") == b"welcome\n"
    writer.close()


async def test_a_black_hole_accepts_and_forwards_nothing(proxy: FaultProxy, echo: Echo, streams: Streams) -> None:
    """On connections old and new; what was held goes on afterwards, as after a lost route."""
    await exchange(streams, b"before\n")
    proxy.blackhole = True
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(exchange(streams, b"held\n"), 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(exchange((reader, writer), b"held too\n"), 0.2)
    assert echo.lines == [b"before\n"]
    proxy.blackhole = False
    assert await asyncio.wait_for(reader.readline(), 60) == b"held too\n"
    assert await asyncio.wait_for(streams[0].readline(), 5) == b"held\n"
    writer.close()


async def test_a_cut_reply_is_of_a_request_that_took_effect(proxy: FaultProxy, echo: Echo, streams: Streams) -> None:
    """Once: the next connection is unharmed."""
    proxy.cut_next_reply()
    with pytest.raises(ConnectionResetError):
        await exchange(streams, b"done but unheard\n")
    assert echo.lines == [b"done but unheard\n"]
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    assert await exchange((reader, writer), b"heard\n") == b"heard\n"
    writer.close()


async def test_the_reply_to_a_certain_request_can_be_cut(proxy: FaultProxy, streams: Streams) -> None:
    """A commit, say, after statements that went well."""
    proxy.cut_next_reply(to=b"COMMIT")
    assert await exchange(streams, b"INSERT\n") == b"INSERT\n"
    with pytest.raises(ConnectionResetError):
        await exchange(streams, b"COMMIT\n")


async def test_a_given_answer_keeps_requests_from_the_server(proxy: FaultProxy, echo: Echo, streams: Streams) -> None:
    """Whole, also when the client goes on sending; each connection gets it once, until it is taken back."""
    proxy.answer(b"HTTP/1.1 503 Slow Down\r\n\r\n")
    reader, writer = streams
    writer.write(b"PUT /\r\n\r\n")
    writer.write(b"body " * 10_000)
    assert await asyncio.wait_for(reader.read(), 60) == b"HTTP/1.1 503 Slow Down\r\n\r\n"
    assert echo.lines == []
    proxy.answer(None)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    assert await exchange((reader, writer), b"well again\n") == b"well again\n"
    writer.close()


async def test_half_closed_takes_requests_and_answers_no_more(proxy: FaultProxy, echo: Echo, streams: Streams) -> None:
    """The client reads the end; the server still gets what is sent."""
    await exchange(streams, b"before\n")
    proxy.half_close()
    assert await exchange(streams, b"into nothing\n") == b""
    await eventually(lambda: echo.lines[-1] == b"into nothing\n")


async def test_a_server_that_is_down_shows_as_a_reset() -> None:
    """And does not harm the proxy."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with FaultProxy("127.0.0.1", unused.getsockname()[1]) as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            with pytest.raises(ConnectionResetError):
                await exchange((reader, writer), b"hello\n")
            assert proxy.connections == 1
            writer.close()


async def test_a_hundred_connections_at_once(proxy: FaultProxy) -> None:
    """None waits for another."""

    async def one(number: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        answer = await exchange((reader, writer), b"%d\n" % number)
        writer.close()
        return answer

    assert await asyncio.gather(*map(one, range(100))) == [b"%d\n" % number for number in range(100)]


async def test_synchronous_code_uses_it_from_a_thread(echo: Echo) -> None:
    """Switches work from another thread too."""

    def client() -> None:
        with FaultProxy.in_thread("127.0.0.1", echo.port) as proxy:
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as connection:
                connection.sendall(b"hello\n")
                assert connection.recv(100) == b"hello\n"
                proxy.cut()
                with pytest.raises(ConnectionResetError):
                    connection.recv(100)
            proxy.refuse = True
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", proxy.port), timeout=5)

    await asyncio.to_thread(client)


async def test_an_answer_that_nobody_takes_ends_with_the_proxy() -> None:
    """The client is not left waiting for the rest of it."""

    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(bytes(100_000_000))
            await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)

    def client() -> None:
        with socket.socket() as connection:
            connection.settimeout(60)
            with FaultProxy.in_thread("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
                connection.connect(("127.0.0.1", proxy.port))
                taken = len(connection.recv(1))
                time.sleep(0.5)  # every buffer on the way is full by then
            with contextlib.suppress(ConnectionResetError):
                while block := connection.recv(1 << 20):
                    taken += len(block)
            assert taken < 100_000_000

    async with server:
        await asyncio.to_thread(client)


async def test_a_url_goes_through_the_proxy_with_all_else_unchanged(proxy: FaultProxy) -> None:
    """User, password, path and query stay."""
    through = proxy.through("postgresql://fm:p%40ss@db.example:5432/cases?sslmode=disable")
    assert through == f"postgresql://fm:p%40ss@127.0.0.1:{proxy.port}/cases?sslmode=disable"
