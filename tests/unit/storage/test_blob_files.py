"""What only files can do wrong: links, halves, full disks, foreign owners."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven_adapters.blobs import blob_file
from faultmaven_adapters.blobs.blob_file import BLOCK, PartialBlob, failing
from faultmaven_adapters.blobs.filesystem import MOST_HELD, FilesystemBlobStore
from faultmaven_core.ports.blobs import BlobKey, StorageFullError
from faultmaven_core.shared.errors import (
    BackendError,
    BackendUnavailableError,
    ConflictError,
    CorruptDataError,
    MisconfiguredError,
)

KEY = BlobKey("org/one")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FilesystemBlobStore]:
    """A fresh one."""
    made = FilesystemBlobStore(tmp_path / "blobs")
    yield made
    await made.aclose()


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """A source."""
    for part in parts:
        yield part


def only_file(folder: Path) -> Path:
    """The one blob's file."""
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    return path


async def test_what_is_stored_is_the_owners_alone(store: FilesystemBlobStore, tmp_path: Path) -> None:
    """Evidence may hold secrets."""
    await store.put(KEY, chunks(b"x"))
    path = only_file(tmp_path)
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


async def test_a_planted_link_is_not_followed(store: FilesystemBlobStore, tmp_path: Path) -> None:
    """Not for reading, not for describing, not in listings."""
    await store.put(KEY, chunks(b"x"))
    path = only_file(tmp_path / "blobs")
    secret = tmp_path / "secret"
    path.rename(secret)
    path.symlink_to(secret)
    with pytest.raises(CorruptDataError, match="symbolic link"):
        await store.stat(KEY)
    with pytest.raises(CorruptDataError, match="symbolic link"):
        async with store.open(KEY):
            pytest.fail("opened")
    assert [info async for info in store.list("")] == []
    await store.delete([KEY])
    assert secret.exists()


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 50, b"\0" * 200])
async def test_a_file_that_is_not_whole_is_named(store: FilesystemBlobStore, tmp_path: Path, damage: bytes) -> None:
    """As after a disk failure; it is never served in part."""
    await store.put(KEY, chunks(b"content"))
    path = only_file(tmp_path)
    path.write_bytes(damage)
    with pytest.raises(CorruptDataError, match=r"one\.blob is not whole"):
        await store.stat(KEY)


async def test_a_file_under_a_wrong_name_or_cut_inside_is_not_served(
    store: FilesystemBlobStore, tmp_path: Path
) -> None:
    """Its description says what it is."""
    await store.put(KEY, chunks(b"content"))
    path = only_file(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[1:])
    with pytest.raises(CorruptDataError, match="not whole"):
        await store.stat(KEY)
    path.write_bytes(whole)
    other = store._path(BlobKey("org/two"))
    other.parent.mkdir(exist_ok=True)
    path.rename(other)
    with pytest.raises(CorruptDataError, match="another blob"):
        await store.stat(BlobKey("org/two"))


async def test_what_a_killed_writer_left_is_not_listed(store: FilesystemBlobStore, tmp_path: Path) -> None:
    """Its temporary file has no name that anybody asks for."""
    part = PartialBlob(store._path(KEY))
    part.begin()
    part.write(b"half")
    assert await store.stat(KEY) is None
    assert [info async for info in store.list("")] == []
    left = next((tmp_path / "blobs").rglob(".part-*"))
    assert left.exists()
    os.utime(left, (0, 0))
    assert [info async for info in store.list("")] == []
    assert not left.exists()
    part.discard()
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []
    for call in (part.begin, lambda: part.write(b"x")):
        with pytest.raises(ConflictError):
            call()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, StorageFullError),
        (errno.EDQUOT, StorageFullError),
        (errno.EACCES, BackendUnavailableError),
        (errno.EROFS, BackendUnavailableError),
        (errno.EIO, BackendError),
    ],
)
def test_errors_of_the_file_system_say_what_to_do(number: int, expected: type[BackendError]) -> None:
    """And name the place."""
    with pytest.raises(expected, match="/some/place"), failing(Path("/some/place")):
        raise OSError(number, os.strerror(number))


async def test_a_full_disk_leaves_nothing(
    store: FilesystemBlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error comes where the content is made durable, as it does on a real one."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageFullError, match="free space"):
            await store.put(KEY, chunks(b"x" * 100_000))
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []
    await store.put(KEY, chunks(b"x"))


async def test_a_file_in_place_of_the_folder_is_said(tmp_path: Path) -> None:
    """At the first check and at the first put: a setting is wrong, and waiting does not help."""
    (tmp_path / "blobs").write_text("not a folder")
    store = FilesystemBlobStore(tmp_path / "blobs")
    with pytest.raises(MisconfiguredError, match="FM_BLOBS_URL"):
        await store.ping()
    with pytest.raises(MisconfiguredError, match="FM_BLOBS_URL"):
        await store.put(KEY, chunks(b"x"))
    await store.aclose()


@pytest.mark.parametrize("ending", ["fails", "cancelled"])
async def test_an_upload_that_ends_during_a_write_holds_nobody_else(
    store: FilesystemBlobStore, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """The event loop goes on, and only then can the write end on which this one waits."""
    begun, may, ended = asyncio.Event(), threading.Event(), list[bool]()
    loop = asyncio.get_running_loop()

    def slow(*_: int) -> None:
        loop.call_soon_threadsafe(begun.set)
        ended.append(may.wait(20))

    async def source() -> AsyncIterator[bytes]:
        yield bytes(BLOCK)
        await begun.wait()
        loop.call_later(0.01, may.set)
        if ending == "fails":
            raise ConnectionResetError
        writing.cancel()
        await asyncio.Event().wait()

    monkeypatch.setattr(blob_file, "START_WRITING", slow)
    writing = asyncio.create_task(store.put(KEY, source()))
    with pytest.raises((ConnectionResetError, asyncio.CancelledError)):
        await writing
    assert ended == [True]
    assert await store.stat(KEY) is None


async def test_a_disk_that_hesitates_stops_who_sends_only_after_some_blocks(
    store: FilesystemBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many that a moment costs nothing, and so few that memory stays bounded; all arrive in their order."""
    may, sent, content = threading.Event(), list[bytes](), [bytes([number]) * BLOCK for number in range(12)]

    async def source() -> AsyncIterator[bytes]:
        for block in content:
            sent.append(block)
            yield block

    monkeypatch.setattr(blob_file, "START_WRITING", lambda *_: may.wait(20))
    writing = asyncio.create_task(store.put(KEY, source()))
    async with asyncio.timeout(20):
        while len(sent) < MOST_HELD:  # noqa: ASYNC110 - counted, not told
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert len(sent) == MOST_HELD
    may.set()
    await writing
    async with store.open(KEY) as reader:
        assert b"".join([block async for block in reader]) == b"".join(content)


async def test_what_was_given_up_is_removed_beside_the_loop(
    store: FilesystemBlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of gigabytes takes a while."""
    discard, may, went_on = PartialBlob.discard, threading.Event(), list[bool]()

    def slow(part: PartialBlob) -> None:
        went_on.append(may.wait(20))
        discard(part)

    async def source() -> AsyncIterator[bytes]:
        yield bytes(BLOCK)
        asyncio.get_running_loop().call_later(0.01, may.set)
        raise ConnectionResetError

    monkeypatch.setattr(PartialBlob, "discard", slow)
    with pytest.raises(ConnectionResetError):
        await store.put(KEY, source())
    assert went_on == [True]
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


async def test_an_upload_that_a_closed_store_ends_leaves_nothing(store: FilesystemBlobStore, tmp_path: Path) -> None:
    """Its threads are gone by then."""

    async def source() -> AsyncIterator[bytes]:
        yield bytes(BLOCK)
        await store.aclose()
        yield bytes(BLOCK)

    with pytest.raises(ConflictError):
        await store.put(KEY, source())
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []
