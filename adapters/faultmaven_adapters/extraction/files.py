"""The evidence context's view of this machine's files: found, stamped, copied and read, in threads of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_adapters.extraction.walk import walk
from faultmaven_core.analysis.model import Role
from faultmaven_core.evidence.model import State
from faultmaven_core.evidence.ports import EvidenceFiles, FileStamp, FoundFile, ReadSpan, Scratch
from faultmaven_core.ports.extraction_runner import Input, Place
from faultmaven_core.shared.errors import CorruptDataError, NotFoundError, PermissionDeniedError

BLOCK = 1 << 20
THREADS = 4


class LocalEvidenceFiles(EvidenceFiles):
    """See the port."""

    def __init__(self, scratch: Path | None = None) -> None:
        self._scratch = scratch
        self._calls = BlockingCalls("files", THREADS)

    async def find(self, path: str, role: Role) -> Sequence[FoundFile]:
        return await self._calls(_find, path, role)

    async def state(self, path: str, size: int, modified_ns: int) -> tuple[State, str]:
        return await self._calls(_state, path, size, modified_ns)

    async def chunks(self, path: str) -> AsyncGenerator[bytes, None]:
        try:
            # Not blocking, so that a pipe put in the file's place cannot hold us; for files it changes nothing.
            handle = await self._calls(os.open, path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError as error:
            raise NotFoundError(f"{path} is gone: give the path where it is now.") from error
        except PermissionError as error:
            raise PermissionDeniedError(f"{path} may not be read: change its permissions or copy it.") from error
        except OSError as error:
            raise CorruptDataError(f"{path} cannot be read: {error.strerror}.") from error
        try:
            while block := await self._calls(os.read, handle, BLOCK):
                yield block
        except OSError as error:
            raise CorruptDataError(f"{path} cannot be read to its end: {error.strerror}.") from error
        finally:
            os.close(handle)

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[Scratch]:
        folder = await self._calls(tempfile.mkdtemp, prefix="faultmaven-", dir=self._scratch)
        try:
            yield _Folder(Path(folder), self._calls)
        finally:
            # Shielded, because a cancelled investigation must not leave copies of evidence behind.
            await asyncio.shield(self._calls(shutil.rmtree, folder, ignore_errors=True))

    @asynccontextmanager
    async def reader(self, places: Sequence[Place]) -> AsyncIterator[ReadSpan]:
        # Imported here: it brings decompression along, which listing cases has no use for.
        from faultmaven_adapters.extraction.references import ReferencedFiles

        with ReferencedFiles(places) as files:
            yield files.read

    async def aclose(self) -> None:
        """Let go of the threads."""
        self._calls.close()


class _Folder(Scratch):
    def __init__(self, folder: Path, calls: BlockingCalls) -> None:
        self._folder, self._calls = folder, calls
        self._count = 0

    async def write(self, chunks: AsyncIterable[bytes]) -> FileStamp:
        self._count += 1
        path = self._folder / str(self._count)
        with path.open("xb") as file:
            async for chunk in chunks:
                await self._calls(file.write, chunk)
        status = path.stat()
        return FileStamp(str(path), status.st_size, status.st_mtime_ns)


def _find(path: str, role: Role) -> list[FoundFile]:
    if not os.path.lexists(path):
        raise NotFoundError(f"There is nothing at {path}; look at how it is written, and at the folder you are in.")
    found = []
    for entry in map(_placed, walk([path], role)):
        place = entry.path
        size = modified_ns = 0
        if not entry.problem:
            try:
                status = os.stat(place)
            except OSError as error:
                raise NotFoundError(f"{place} is gone: give the path where it is now.") from error
            size, modified_ns = status.st_size, status.st_mtime_ns
        found.append(FoundFile(entry, size, modified_ns))
    return found


def _placed(entry: Input) -> Input:
    """With its absolute path, which a database must be able to keep: bytes that are no UTF-8 have no place there."""
    place = os.path.abspath(entry.path)
    try:
        place.encode()
    except UnicodeEncodeError:
        why = f"{entry.name} was not read: its name or that of a folder above it is not UTF-8; rename it."
        return replace(entry, path=os.path.abspath(entry.name), problem=entry.problem or why)
    return replace(entry, path=place)


def _state(path: str, size: int, modified_ns: int) -> tuple[State, str]:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return State.MOVED, f"{path} is gone; add it again from where it is now, or restore it."
    except OSError as error:
        return State.UNREADABLE, f"{path} cannot be read ({error.strerror}); look at its permissions."
    if not os.access(path, os.R_OK):
        return State.UNREADABLE, f"{path} may not be read; change its permissions."
    if (status.st_size, status.st_mtime_ns) != (size, modified_ns):
        return State.CHANGED, f"{path} has changed since it was read; investigate again, or restore it."
    return State.AVAILABLE, ""
