"""How much memory a blob may take on its way: a bound, however large it is."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_core.ports.blobs import BlobKey, BlobStore

MIB = 1 << 20
FIRST, KEY = BlobKey("org/first"), BlobKey("org/large")
BLOCK = bytes(range(256)) * (MIB // 256)


async def blocks(count: int) -> AsyncIterator[bytes]:
    """A source of so many MiB that takes no memory itself."""
    for _ in range(count):
        yield BLOCK


async def read(store: BlobStore, key: BlobKey) -> tuple[int, str]:
    """Size and SHA-256 of the blob, nothing of it kept."""
    size, digest = 0, hashlib.sha256()
    async with store.open(key) as reader:
        async for block in reader:
            size += len(block)
            digest.update(block)
    return size, digest.hexdigest()


class Growth:
    """The highest growth of this process's memory from now on. Linux tells it."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the highest value starts anew
        self._before = self._now("VmRSS")

    def mebibytes(self) -> float:
        """So far."""
        return (self._now("VmHWM") - self._before) / 1024

    @staticmethod
    def _now(name: str) -> int:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


async def measured(store: BlobStore, mebibytes: int) -> tuple[float, float]:
    """The growth by a large blob's way in, and by its way out."""
    growth = Growth()
    put = await store.put(KEY, blocks(mebibytes))
    way_in = growth.mebibytes()
    growth = Growth()
    assert await read(store, KEY) == (mebibytes * MIB, put.sha256)
    way_out = growth.mebibytes()
    await store.delete([KEY])
    return way_in, way_out


class BlobMemoryContract(Contract):
    """A binding gives the fixture `subject`, a fresh store, and `most`: MiB per backend."""

    most: ClassVar[Mapping[str, int]]

    @pytest.mark.parametrize("mebibytes", [160, pytest.param(1024, marks=pytest.mark.soak)])
    async def test_memory_does_not_grow_with_the_blob(self, subject: BlobStore, backend: str, mebibytes: int) -> None:
        """Neither on its way in nor on its way out."""
        # What is loaded and opened once does not count.
        await subject.put(FIRST, blocks(20))
        await read(subject, FIRST)
        ways = await measured(subject, mebibytes)
        if max(ways) > self.most[backend]:
            # Something else in this process may have grown meanwhile; what grows with a blob does so each time.
            ways = await measured(subject, mebibytes)
        assert max(ways) <= self.most[backend], "way in {:.0f} MiB, way out {:.0f} MiB".format(*ways)
