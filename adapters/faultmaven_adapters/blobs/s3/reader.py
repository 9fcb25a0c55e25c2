"""Reading one blob of a bucket: one block is on its way while the caller works on the last one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.blobs.s3.errors import S3_ERRORS
from faultmaven_core.ports.blobs import BlobInfo, BlobReader

BLOCK = 1 << 20


class EmptyReader(BlobReader):
    """A range in which there is nothing."""

    def __init__(self, info: BlobInfo) -> None:
        self.info = info

    async def __aiter__(self) -> AsyncIterator[bytes]:
        nothing: tuple[bytes, ...] = ()
        for block in nothing:
            yield block

    async def release(self) -> None:
        """Nothing is held."""


class S3Reader(BlobReader):
    """An answer whose body is still to be read. Whoever made one releases it."""

    def __init__(self, info: BlobInfo, body: Any, calls: BlockingCalls, place: str) -> None:
        self.info = info
        self._body, self._calls, self._place = body, calls, place
        self._ahead: asyncio.Task[bytes] | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._ahead = asyncio.create_task(self._calls(self._read))
        while block := await asyncio.shield(self._ahead):
            self._ahead = asyncio.create_task(self._calls(self._read))
            yield block

    async def release(self) -> None:
        """Give the connection back, or up where not all of it was read."""
        if self._ahead is not None:
            await asyncio.gather(self._ahead, return_exceptions=True)
        await self._calls(self._body.close)

    def _read(self) -> bytes:
        with translation(S3_ERRORS, self._place):
            block: bytes = self._body.read(BLOCK)
        return block
