"""Files larger than the memory that a server may take for them, and clients that leave while one is on its way."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import psutil
import pytest

from tests.shells.http.processes import SECONDS, Replica, alone, signed_in
from tests.shells.http.transfers import BLOCK, MIB, WAYS, Growth, Sender, Way, digest_of

MOST = 32
"""MiB by which a server may grow for a file, however large it is."""

QUOTA = 9
"""GiB that somebody may hold."""


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody with a case, at a server that keeps its files in a folder."""

    who: Sender
    case: str
    server: Replica
    home: Path

    def growing(self) -> Growth:
        """Begin to measure the server."""
        return Growth(self.server.child.pid)

    def left(self) -> int:
        """How often a client has left, by the server's log."""
        return sum(record.get("failure") == "client_left" for record in self.server.records())

    def files(self) -> set[Path]:
        """All that is kept of files."""
        return {path for path in (self.home / "blobs").rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """One for all tests; the files go with it."""
    given = {"FM_RATE_LIMIT": "0", "FM_QUOTA_USER": f"{QUOTA}GiB", "FM_UPLOAD_MAX": "64MiB"}
    with TemporaryDirectory(prefix="fm-transfers-") as home, alone(Path(home), **given) as server:
        ann = asyncio.run(signed_in(server.address, "ann"))
        case = httpx2.post(f"{server.address}/api/v1/cases", json={}, headers=ann, timeout=SECONDS).json()["case_id"]
        made = Place(Sender(server.address, ann["Authorization"]), f"/api/v1/cases/{case}", server, Path(home))
        # What is loaded and opened once does not count.
        for way in WAYS:
            _, file = way(made.who, made.case, 20)
            made.who.download(file)
        yield made


@pytest.mark.parametrize("way", WAYS, ids=["as it is", "in a form", "in parts"])
@pytest.mark.parametrize("mebibytes", [160, pytest.param(4096, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])])
def test_a_file_comes_and_leaves_in_little_memory(place: Place, mebibytes: int, way: Way) -> None:
    """Onto the disk and off it again; it is what was sent."""
    who = place.who
    growth = place.growing()
    status, made = way(who, place.case, mebibytes)
    way_in = growth.mebibytes()
    assert status in {201, 204}
    growth = place.growing()
    answer = who.download(made)
    way_out = growth.mebibytes()
    assert answer == (200, mebibytes * MIB, digest_of(mebibytes))
    assert max(way_in, way_out) < MOST, f"way in {way_in:.0f} MiB, way out {way_out:.0f} MiB"
    assert who.delete(made) == 204


def test_a_client_that_reads_slowly_holds_its_file_up_and_no_memory(place: Place) -> None:
    """Others get theirs meanwhile; when it reads on, it gets the rest."""
    who = place.who
    _, made = who.upload(place.case, 160)
    growth = place.growing()
    with who.begun(made) as slow:
        assert who.download(made) == (200, 160 * MIB, digest_of(160))
        assert growth.mebibytes() < MOST
        assert slow.rest() == (200, 160 * MIB, digest_of(160))
    assert who.delete(made) == 204


def half_a_body(place: Place) -> socket.socket:
    """An upload of nearly all that somebody may hold, of which a little has come and been written."""
    return _half(place, f"POST {place.case}/evidence?name=half.log", "Content-Type: text/plain", b"")


def half_a_form(place: Place) -> socket.socket:
    """The same as a file of a form."""
    before = b'--fm\r\nContent-Disposition: form-data; name="file"; filename="half.log"\r\n\r\n'
    return _half(place, f"POST {place.case}/evidence", "Content-Type: multipart/form-data; boundary=fm", before)


def half_a_download(place: Place) -> socket.socket:
    """A file of which the client has read nothing but the head."""
    _, made = place.who.upload(place.case, 160)
    return place.who.begun(made).way


def half_a_turn(place: Place) -> socket.socket:
    """The reading of a log, of which the first event has come."""
    before = b'--fm\r\nContent-Disposition: form-data; name="files"; filename="app.log"\r\n\r\n'
    line = b"2026-03-02T14:05:01Z ERROR checkout: connection refused by redis:6379\n"
    body = before + line * (60 * MIB // len(line)) + b"\r\n--fm--\r\n"
    head = f"Content-Type: multipart/form-data; boundary=fm\r\nContent-Length: {len(body)}"
    way = place.who.asked(f"POST {place.case}/turns/stream", head)
    way.sendall(body)
    data = b""
    while b"event: progress" not in data:
        got = way.recv(65536)
        assert got, data
        data += got
    assert b"event: answer" not in data
    return way


def _half(place: Place, line: str, head: str, before: bytes) -> socket.socket:
    held = place.files()
    way = place.who.asked(line, f"{head}\r\nContent-Length: {(QUOTA - 1) << 30}")
    way.sendall(before + BLOCK * 8)
    _wait(lambda: not place.files() <= held)
    return way


def _wait(over: Callable[[], bool], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not over():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("begun", [half_a_body, half_a_form, half_a_download, half_a_turn])
@pytest.mark.parametrize("seconds", [SECONDS, pytest.param(1.0, marks=pytest.mark.soak)], ids=["soon", "in a second"])
def test_what_is_done_for_a_client_ends_when_it_leaves(
    place: Place, begun: Callable[[Place], socket.socket], seconds: float
) -> None:
    """Nothing stays of what came by half, and its room is free again: it would not fit twice."""
    left, before = place.left(), place.files()
    with begun(place):
        came = place.files() - before
        assert place.left() == left
    _wait(lambda: place.left() > left, seconds)
    _wait(lambda: not psutil.Process(place.server.child.pid).children(), seconds)
    if begun in {half_a_body, half_a_form}:
        assert came
        assert not came & place.files()
