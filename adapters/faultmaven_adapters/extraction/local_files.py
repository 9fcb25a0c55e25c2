"""Files of this machine in threads of their own: read in blocks, and written to private folders."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_core.shared.errors import CorruptDataError, NotFoundError, PermissionDeniedError

BLOCK = 1 << 20
THREADS = 4


class LocalFiles:
    """What evidence and documents do alike with files. `scratch` is where private folders are made."""

    def __init__(self, scratch: Path | None = None) -> None:
        self._parent = scratch
        self._calls = BlockingCalls("files", THREADS)

    async def chunks(self, path: str) -> AsyncGenerator[bytes, None]:
        """A file's content in blocks. Raises NotFoundError, PermissionDeniedError, CorruptDataError naming the file."""
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

    async def aclose(self) -> None:
        """Let go of the threads."""
        self._calls.close()

    @asynccontextmanager
    async def private(self) -> AsyncIterator[PrivateFolder]:
        """A private folder that ends with its context."""
        folder = await self._calls(tempfile.mkdtemp, prefix="faultmaven-", dir=self._parent)
        try:
            yield PrivateFolder(Path(folder), self._calls)
        finally:
            # Shielded, because work that is cancelled must not leave copies of what people entrusted to us.
            await asyncio.shield(self._calls(shutil.rmtree, folder, ignore_errors=True))


class PrivateFolder:
    """Numbered files in a folder of our own."""

    def __init__(self, folder: Path, calls: BlockingCalls) -> None:
        self._folder, self._calls = folder, calls
        self._count = 0

    async def store(self, chunks: AsyncIterable[bytes]) -> Path:
        """A new file with this content."""
        self._count += 1
        path = self._folder / str(self._count)
        with path.open("xb") as file:
            async for chunk in chunks:
                await self._calls(file.write, chunk)
        return path

    async def remove(self, path: str) -> None:
        """Remove a file."""
        await self._calls(os.unlink, path)
