"""Blobs as files on a local disk."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterable, AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_adapters.blobs.blob_file import (
    BLOCK,
    OpenBlob,
    PartialBlob,
    failing,
    forget_parts,
    make_folder,
    read_info,
)
from faultmaven_core.ports.blobs import (
    BlobCapability,
    BlobExistsError,
    BlobInfo,
    BlobKey,
    BlobNotFoundError,
    BlobReader,
    BlobStore,
    Intake,
    ListedBlob,
    checked_description,
    checked_range,
)
from faultmaven_core.shared.errors import ConflictError, UnsupportedError

THREADS = 4
MOST_HELD = 3
"""Blocks of one upload in memory, besides the one that comes: a disk that hesitates for a moment does not stop who sends."""

FORGET_AFTER = 24 * 3600
"""Seconds after which a temporary file that nobody writes to any more counts as left behind."""

LONGEST_NAME = 200
"""Characters of a file name taken from the key; file systems end at 255 bytes."""


class FilesystemBlobStore(BlobStore):
    """See the port.

    A key's file is `<root>/<two hash characters>/<key, its slashes as +>.blob`: no key is a folder of another, so `a` and
    `a/b` both fit. Only local disks give the promised atomicity.
    """

    capabilities = frozenset({BlobCapability.CONDITIONAL_WRITE})

    def __init__(self, root: Path) -> None:
        self._root = root
        self._calls = BlockingCalls("blobs", THREADS)

    async def put(
        self,
        key: BlobKey,
        chunks: AsyncIterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        attributes: Mapping[str, str] = MappingProxyType({}),
        expected_sha256: str | None = None,
        max_size: int | None = None,
        mode: Literal["create", "replace"] = "create",
    ) -> BlobInfo:
        checked_description(content_type, attributes)
        if mode == "create" and await self.stat(key) is not None:
            raise BlobExistsError(f"{key} is stored already.")
        intake = Intake(expected_sha256, max_size)
        part = PartialBlob(self._path(key))
        try:
            await self._calls(part.begin)
            await self._written(part, _blocks(chunks, intake), intake)
            now = datetime.now(UTC)
            info = BlobInfo(key, intake.size, intake.digest(), content_type, now, dict(attributes))
            await self._calls(part.finish, info, replace=mode == "replace")
        finally:
            # Whatever ended it, cancellation too: nothing partial stays.
            await self._discarded(part)
        return info

    @asynccontextmanager
    async def open(self, key: BlobKey, *, start: int = 0, length: int | None = None) -> AsyncIterator[BlobReader]:
        checked_range(start, length)
        blob = await self._calls(self._opened, key)
        try:
            yield _Reader(blob, start, length, self._calls)
        finally:
            blob.close()

    async def stat(self, key: BlobKey) -> BlobInfo | None:
        return await self._calls(self._stat, key)

    async def delete(self, keys: Collection[BlobKey]) -> None:
        if keys:
            await self._calls(self._delete, tuple(keys))

    async def list(self, prefix: str, *, after: BlobKey | None = None) -> AsyncIterator[ListedBlob]:
        for info in await self._calls(self._infos, prefix, after):
            yield ListedBlob(info.key, info.size, info.created_at)

    async def presign_get(self, key: BlobKey, *, expires: timedelta, download_name: str | None = None) -> str:
        raise UnsupportedError(BlobCapability.PRESIGN_GET)

    async def ping(self) -> None:
        await self._calls(self._ping)

    async def aclose(self) -> None:
        self._calls.close()

    async def _written(self, part: PartialBlob, blocks: AsyncIterator[bytes | bytearray], intake: Intake) -> None:
        """What has come is digested and written in a thread while more comes."""

        def keep(come: Sequence[bytes | bytearray]) -> None:
            for block in come:
                intake.add(block)
                part.write(block)

        come: list[bytes | bytearray] = []
        taken = 0
        keeping = asyncio.get_running_loop().create_future()
        keeping.set_result(None)
        try:
            async for block in blocks:
                come.append(block)
                if keeping.done() or taken + len(come) == MOST_HELD:
                    await asyncio.shield(keeping)
                    keeping = asyncio.ensure_future(self._calls(keep, come))
                    taken, come = len(come), []
            await asyncio.shield(keeping)
            if come:
                keeping = asyncio.ensure_future(self._calls(keep, come))
                await asyncio.shield(keeping)
        finally:
            # What it met concerns nobody now; but what it works at is still open.
            await asyncio.wait((keeping,))
            keeping.exception()

    async def _discarded(self, part: PartialBlob) -> None:
        """In a thread: to remove gigabytes takes a while."""
        try:
            await asyncio.shield(self._calls(part.discard))
        except ConflictError:
            part.discard()  # the store was closed meanwhile

    def _path(self, key: BlobKey) -> Path:
        digest = hashlib.sha256(key.text.encode()).hexdigest()
        name = key.text.replace("/", "+")
        name = name if len(name) <= LONGEST_NAME else f"{name[:100]}+{digest}"
        return self._root / digest[:2] / f"{name}.blob"

    def _opened(self, key: BlobKey) -> OpenBlob:
        try:
            return OpenBlob(self._path(key), key)
        except FileNotFoundError as error:
            raise BlobNotFoundError(f"Nothing is stored under {key}.") from error

    def _stat(self, key: BlobKey) -> BlobInfo | None:
        try:
            with OpenBlob(self._path(key), key) as blob:
                return blob.info
        except FileNotFoundError:
            return None

    def _delete(self, keys: Collection[BlobKey]) -> None:
        for key in keys:
            path = self._path(key)
            with failing(path):
                path.unlink(missing_ok=True)

    def _infos(self, prefix: str, after: BlobKey | None) -> Sequence[BlobInfo]:
        # Only sweepers list, so this is also the moment to remove what writers left that were killed.
        forget_parts(self._root, time.time() - FORGET_AFTER)
        found = [info for path in self._root.glob("*/*.blob") if (info := read_info(path))]
        found = [info for info in found if info.key.text.startswith(prefix) and (after is None or info.key > after)]
        return sorted(found, key=lambda info: info.key)

    def _ping(self) -> None:
        with failing(self._root):
            make_folder(self._root)
            next(self._root.iterdir(), None)


async def _blocks(chunks: AsyncIterable[bytes], intake: Intake) -> AsyncIterator[bytes | bytearray]:
    """Small chunks together: handing one to a thread costs more than copying it."""
    held = bytearray()
    async for chunk in chunks:
        intake.count(chunk)
        if held and len(held) + len(chunk) > BLOCK:
            yield held
            held = bytearray()
        if len(chunk) >= BLOCK:
            yield chunk
        else:
            held += chunk
    if held:
        yield held


class _Reader(BlobReader):
    def __init__(self, blob: OpenBlob, start: int, length: int | None, calls: BlockingCalls) -> None:
        self.info = blob.info
        self._blob, self._calls = blob, calls
        self._at = min(start, blob.info.size)
        self._end = blob.info.size if length is None else min(blob.info.size, self._at + length)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._at < self._end:
            block = await self._calls(self._blob.read, self._at, self._end)
            self._at += len(block)
            yield block
