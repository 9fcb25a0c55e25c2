"""Large files on their way to a server and back, by hand: a library's own copies would be most of the time."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import httpx2

MIB = 1 << 20
BLOCK = bytes(range(256)) * (MIB // 256)
PATIENCE = 600.0
"""Seconds for the next byte; the last part is put together with the others before its answer."""


class Growth:
    """The highest growth of a process's memory from now on, in MiB. Linux tells it."""

    def __init__(self, pid: int) -> None:
        self._place = Path(f"/proc/{pid}")
        (self._place / "clear_refs").write_text("5", encoding="ascii")  # the highest value starts anew
        self._before = self._now("VmRSS")

    def mebibytes(self) -> float:
        """So far."""
        return (self._now("VmHWM") - self._before) / 1024

    def _now(self, name: str) -> int:
        lines = (self._place / "status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


@dataclass(slots=True)
class Download:
    """A file on its way here, of which nothing is kept."""

    way: socket.socket
    status: int
    size: int
    first: bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.way.close()

    def rest(self) -> tuple[int, int, str]:
        """Read it to its end; status, size, SHA-256."""
        digest, size, room = hashlib.sha256(self.first), len(self.first), memoryview(bytearray(MIB))
        while size < self.size and (got := self.way.recv_into(room)):
            digest.update(room[:got])
            size += got
        return self.status, size, digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Sender:
    """Somebody who sends and fetches files."""

    address: str
    bearer: str

    def upload(self, case: str, mebibytes: int) -> tuple[int, str]:
        """Send so much; the status and the address of what it became."""
        return self._sent(f"POST {case}/evidence?name=large.log", mebibytes, "Content-Type: application/octet-stream")

    def upload_form(self, case: str, mebibytes: int) -> tuple[int, str]:
        """The same as a file of a form."""
        before = b'--fm\r\nContent-Disposition: form-data; name="file"; filename="large.log"\r\n\r\n'
        head = "Content-Type: multipart/form-data; boundary=fm"
        return self._sent(f"POST {case}/evidence", mebibytes, head, before, b"\r\n--fm--\r\n")

    def upload_parts(self, case: str, mebibytes: int) -> tuple[int, str]:
        """The same in four parts."""
        _, made = self._sent(
            f"POST {case}/uploads", 0, f"Upload-Length: {mebibytes * MIB}\r\nUpload-Metadata: name bGFyZ2U="
        )
        part = mebibytes // 4
        for number in range(4):
            head = f"Content-Type: application/offset+octet-stream\r\nUpload-Offset: {number * part * MIB}"
            status, place = self._sent(f"PATCH {made}", part, head)
        return status, place

    def delete(self, place: str) -> int:
        """Take it away; the status."""
        return self._sent(f"DELETE {place}", 0, "Accept: */*")[0]

    def download(self, place: str) -> tuple[int, int, str]:
        """Fetch it; status, size, SHA-256."""
        with self.begun(place) as coming:
            return coming.rest()

    def begun(self, place: str) -> Download:
        """Ask for it, and read no more than the head."""
        way = self.asked(f"GET {place}/content", "Accept: */*")
        status, headers, first = head_of(way)
        return Download(way, status, int(headers["content-length"]), first)

    def _sent(self, line: str, mebibytes: int, head: str, before: bytes = b"", after: bytes = b"") -> tuple[int, str]:
        length = len(before) + mebibytes * MIB + len(after)
        with self.asked(line, f"{head}\r\nContent-Length: {length}") as way:
            way.sendall(before)
            for _ in range(mebibytes):
                way.sendall(BLOCK)
            way.sendall(after)
            status, headers, _ = head_of(way)
        return status, headers.get("location", "")

    def asked(self, line: str, head: str) -> socket.socket:
        """A connection on which so much of a request has been sent."""
        url = httpx2.URL(self.address)
        way = socket.create_connection((url.host, url.port or 80), timeout=PATIENCE)
        way.sendall(f"{line} HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: {self.bearer}\r\n{head}\r\n\r\n".encode())
        return way


def head_of(way: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status and headers of the answer that comes, and what came behind them."""
    data = b""
    while b"\r\n\r\n" not in data:
        got = way.recv(65536)
        assert got, data
        data += got
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, rest


@cache
def digest_of(mebibytes: int) -> str:
    """The SHA-256 of what is sent."""
    digest = hashlib.sha256()
    for _ in range(mebibytes):
        digest.update(BLOCK)
    return digest.hexdigest()


Way = Callable[[Sender, str, int], tuple[int, str]]
WAYS: tuple[Way, ...] = (Sender.upload, Sender.upload_form, Sender.upload_parts)
