"""The evidence context's view of this machine's files: found, stamped, copied and read, in threads of its own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import BinaryIO

from faultmaven_adapters.extraction.local_files import LocalFiles, PrivateFolder
from faultmaven_adapters.extraction.walk import walk
from faultmaven_core.analysis.model import Role
from faultmaven_core.archives.ports import Spool
from faultmaven_core.evidence.model import State
from faultmaven_core.evidence.ports import EvidenceFiles, FileStamp, FoundFile, ReadSpan, Scratch
from faultmaven_core.ports.extraction_runner import Input, Place
from faultmaven_core.shared.errors import NotFoundError


class LocalEvidenceFiles(LocalFiles, EvidenceFiles, Spool):
    """See the ports."""

    async def find(self, path: str, role: Role) -> Sequence[FoundFile]:
        return await self._calls(_find, path, role)

    async def state(self, path: str, size: int, modified_ns: int) -> tuple[State, str]:
        return await self._calls(_state, path, size, modified_ns)

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[Scratch]:
        async with self.private() as folder:
            yield _Folder(folder)

    @asynccontextmanager
    async def spooled(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[BinaryIO]:
        async with self.private() as folder:
            path = await folder.store(chunks)
            with path.open("rb") as file:
                yield file

    @asynccontextmanager
    async def reader(self, places: Sequence[Place]) -> AsyncIterator[ReadSpan]:
        # Imported here: it brings decompression along, which listing cases has no use for.
        from faultmaven_adapters.extraction.references import ReferencedFiles

        with ReferencedFiles(places) as files:
            yield files.read


class _Folder(Scratch):
    def __init__(self, folder: PrivateFolder) -> None:
        self._folder = folder

    async def write(self, chunks: AsyncIterable[bytes]) -> FileStamp:
        path = await self._folder.store(chunks)
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
