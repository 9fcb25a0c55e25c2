"""Work against a server of its own, in a process of its own: `python -m benchmarks.speed.http_work WORK [ARGUMENT ...]`.

What it prints is what the server used, not the client.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.speed.http_load import load
from benchmarks.speed.http_server import Running, peer, product

WARM, REQUESTS = 500, 4000
BLOCK = 1 << 20
LOGINS = 50


@contextmanager
def told(running: Running, units: float) -> Iterator[None]:
    """Print what the server uses meanwhile, and how long it takes."""
    cpu, began = running.cpu(), time.perf_counter()
    yield
    wall = time.perf_counter() - began
    print(json.dumps({"units": units, "cpu": running.cpu() - cpu, "wall": wall, "peak": running.peak()}))


def get(home: str, database: str) -> None:
    """A case by its id."""
    with product(Path(home), FM_DATABASE_URL=database, FM_BLOBS_URL="memory:") as running:
        running.until("/health/ready")
        token = running.token()
        row = running.ask(
            "POST", "/api/v1/cases", {"title": "Checkout is slow", "description": "p99 over 3 s " * 20}, token
        )
        path = f"/api/v1/cases/{row['case_id']}"
        (Path(home) / "case.json").write_bytes(json.dumps(running.ask("GET", path, token=token)).encode())
        _asked(running, path, token)


def hello(home: str) -> None:
    """An answer of that size, which is always the same."""
    with peer("hello", str(Path(home) / "case.json")) as running:
        running.until("/health/live")
        _asked(running, "/api/v1/cases/one", "")


def _asked(running: Running, path: str, token: str) -> None:
    asyncio.run(load(running.port, path, token, WARM))
    with told(running, REQUESTS):
        asyncio.run(load(running.port, path, token, REQUESTS))


def upload(home: str, megabytes: str) -> None:
    """A file of a case, to disk.

    It goes afterwards, so that the next one has memory that was used before, as on a machine that runs for long.
    """
    with tempfile.TemporaryDirectory(dir=home) as folder, product(Path(folder)) as running:
        running.until("/health/ready")
        token = running.token()
        row = running.ask("POST", "/api/v1/cases", {}, token)
        _sent(running, f"/api/v1/cases/{row['case_id']}/evidence?name=big.bin", token, int(megabytes))


def sink(megabytes: str) -> None:
    """Read and dropped."""
    with peer("sink") as running:
        running.until("/health/live")
        _sent(running, "/", "", int(megabytes))


def _sent(running: Running, path: str, token: str, megabytes: int) -> None:
    _post(running.port, path, token, 1)
    with told(running, megabytes * BLOCK / 1e6):
        _post(running.port, path, token, megabytes)


def _post(port: int, path: str, token: str, megabytes: int) -> bytes:
    """Blocks that compress badly and are never the same twice; the answer."""
    # Made once: whoever makes each anew takes the time from the processor that the server needs.
    block = bytearray(os.urandom(BLOCK))
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{bearer}Content-Type: application/octet-stream\r\n"
            f"Content-Length: {megabytes * BLOCK}\r\nConnection: close\r\n\r\n".encode()
        )
        for number in range(megabytes):
            block[:8] = number.to_bytes(8, "big")
            connection.sendall(block)
        answer = b"".join(iter(lambda: connection.recv(BLOCK), b""))
    if not answer.startswith(b"HTTP/1.1 201"):
        raise SystemExit(f"An upload was answered: {answer.decode()}")
    return answer.partition(b"\r\n\r\n")[2]


def download(home: str, megabytes: str) -> None:
    """That file again."""
    with tempfile.TemporaryDirectory(dir=home) as folder, product(Path(folder)) as running:
        running.until("/health/ready")
        token = running.token()
        row = running.ask("POST", "/api/v1/cases", {}, token)
        place = f"/api/v1/cases/{row['case_id']}/evidence"
        kept = json.loads(_post(running.port, f"{place}?name=big.bin", token, int(megabytes)))
        _fetched(running, f"{place}/{kept['evidence_id']}/content", token, int(megabytes))


def file(home: str, megabytes: str) -> None:
    """A file as the framework sends it."""
    with tempfile.NamedTemporaryFile(dir=home) as written:
        for number in range(int(megabytes)):
            written.write((time.time_ns() + number).to_bytes(8, "big") * (BLOCK // 8))
        written.flush()
        with peer("file", written.name) as running:
            running.until("/health/live")
            _fetched(running, "/", "", int(megabytes))


def _fetched(running: Running, path: str, token: str, megabytes: int) -> None:
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    buffer, got = bytearray(BLOCK), 0
    with told(running, megabytes * BLOCK / 1e6), socket.create_connection(("127.0.0.1", running.port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{bearer}Connection: close\r\n\r\n".encode())
        while read := connection.recv_into(buffer):
            got += read
    if got < megabytes * BLOCK:
        raise SystemExit(f"A download ended after {got} bytes.")


def logins(home: str) -> None:
    """Print how long small requests take while fifty people sign in: 19 of 20, and the slowest, in milliseconds."""
    with product(Path(home), FM_TRUSTED_PROXIES="127.0.0.1") as running:
        running.until("/health/ready")
        asyncio.run(_beside(running.port, at_once=1))  # what the first one loads is not meant
        took = sorted(asyncio.run(_beside(running.port, at_once=LOGINS)))
        print(json.dumps([1000 * took[len(took) * 19 // 20], 1000 * took[-1]]))


async def _beside(port: int, *, at_once: int) -> list[float]:
    signing_in = asyncio.gather(*(_signs_in(port, number) for number in range(at_once)))
    took = list[float]()
    while not signing_in.done():
        took += await load(port, "/health/live", "", 1, at_once=1)
    for answer in await signing_in:
        # Nobody has that name: the same work is done, and nobody is told.
        if not answer.startswith(b"HTTP/1.1 401"):
            raise SystemExit(f"A login was answered: {answer.decode()}")
    return took


async def _signs_in(port: int, number: int) -> bytes:
    body = json.dumps({"username": f"nobody{number}", "password": "correct horse battery staple"}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 10.{number}.0.1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        + body
    )
    answer = await reader.read()
    writer.close()
    return answer


WORK: dict[str, Callable[..., None]] = {
    work.__name__: work for work in (get, hello, upload, sink, download, file, logins)
}

if __name__ == "__main__":
    WORK[sys.argv[1]](*sys.argv[2:])
