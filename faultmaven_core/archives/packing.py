"""Writes a zip archive as a stream: nothing of it is ever whole in memory or on a disk."""

from __future__ import annotations

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncGenerator, AsyncIterable

from faultmaven_core.archives.model import Part

LEVEL = 1
"""Of deflate: logs pack nearly as well as with 6, four times as fast."""


class _Outlet:
    """What the library writes to: a file that cannot be rewound, from which the bytes are taken as they come."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        found, self._written = b"".join(self._written), []
        return found


class Packer:
    """One archive; each method gives the bytes that follow. `parts` are the members so far."""

    def __init__(self) -> None:
        self._outlet = _Outlet()
        self._zip = zipfile.ZipFile(self._outlet, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)  # type: ignore[call-overload]  # it takes what has `write` and `flush`
        self.parts: list[Part] = []

    async def text(self, path: str, content: bytes) -> AsyncGenerator[bytes, None]:
        """A member that is there as a whole."""

        async def whole() -> AsyncGenerator[bytes, None]:
            yield content

        async for piece in self.file(path, whole()):
            yield piece

    async def file(self, path: str, chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        """A member of any size."""
        size, digest = 0, hashlib.sha256()
        # A size that is not known before needs the longer form, which every reader of today takes.
        with self._zip.open(path, "w", force_zip64=True) as member:
            async for chunk in chunks:
                size += len(chunk)
                digest.update(chunk)
                await asyncio.to_thread(member.write, chunk)
                if piece := self._outlet.taken():
                    yield piece
        self.parts.append(Part(path, size, digest.hexdigest()))
        yield self._outlet.taken()

    def end(self) -> bytes:
        """The directory; before it there is no archive."""
        self._zip.close()
        return self._outlet.taken()

    def abandon(self) -> None:
        """Let go of an archive that will not be whole."""
        self._zip.close()
