"""One way of storing or reading one file, in a process of its own: `python -m benchmarks.speed.blob_work NAME FOLDER ...`.

All of them read and write in blocks of 1 MiB, and know the SHA-256 of what they stored where ours does.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from benchmarks.speed.measure import timed
from faultmaven_adapters.blobs.filesystem import FilesystemBlobStore
from faultmaven_adapters.blobs.s3.bucket import END
from faultmaven_contract_tests.blob_memory import Growth, blocks
from faultmaven_core.ports.blobs import BlobKey, BlobStore
from faultmaven_core.shared.secret import Secret

BLOCK = 1 << 20
SEED, STORED, LARGE = BlobKey("org/seed"), BlobKey("org/stored"), BlobKey("org/large")


class Work:
    """What a program may be asked to do, on one folder and one bucket."""

    def __init__(self, folder: Path, url: str, access_key: str, secret_key: str, bucket: str) -> None:
        self._source, self._target = folder / "source", folder / "target"
        self._blobs = folder / "blobs"
        self._server = (url, access_key, secret_key)
        self._bucket = bucket

    def store(self, name: str) -> BlobStore:
        """Ours."""
        if name == "disk":
            return FilesystemBlobStore(self._blobs)
        from faultmaven_adapters.blobs.s3 import S3BlobStore

        url, access_key, secret_key = self._server
        return S3BlobStore(self._bucket, endpoint_url=url, access_key=access_key, secret_key=Secret(secret_key))

    def driver(self) -> Any:
        """The peer."""
        import boto3

        url, access_key, secret_key = self._server
        session = boto3.session.Session(access_key, secret_key, region_name="us-east-1")
        client = session.client("s3", endpoint_url=url)
        client.head_bucket(Bucket=self._bucket)
        return client

    async def put(self, store: BlobStore, key: BlobKey) -> float:
        """The source, by our store."""
        with self._source.open("rb") as file:
            info = await store.put(key, _read(file), mode="replace")
        return info.size / 1e6

    async def get(self, store: BlobStore) -> float:
        """The seed, by our store, into a file."""
        with self._target.open("wb") as file:
            async with store.open(SEED) as reader:
                async for block in reader:
                    file.write(block)
        return self._target.stat().st_size / 1e6

    def plain(self, *, write: bool, digest: bool) -> float:
        """What nobody can do with less: read, digest, write, sync."""
        found, size = hashlib.sha256(), 0
        with self._source.open("rb") as source, self._target.open("wb") as target:
            while block := source.read(BLOCK):
                size += len(block)
                if digest:
                    found.update(block)
                if write:
                    target.write(block)
            if digest and write:
                os.fsync(target.fileno())
        return size / 1e6

    def peer(self, client: Any, what: str) -> float:
        """boto3's transfers with their defaults: parts of 8 MiB, up to ten threads."""
        if what == "put":
            client.upload_file(str(self._source), self._bucket, STORED.text)
        else:
            client.download_file(self._bucket, f"{SEED}{END}", str(self._target))
        return self._source.stat().st_size / 1e6


async def _read(file: BinaryIO) -> AsyncIterator[bytes]:
    while block := file.read(BLOCK):
        yield block


async def _connected(store: BlobStore) -> None:
    await store.ping()
    if start := getattr(store, "start", None):
        await start()


async def _growth(store: BlobStore, mebibytes: int) -> list[float]:
    await store.put(STORED, blocks(20), mode="replace")
    growth = Growth()
    await store.put(LARGE, blocks(mebibytes), mode="replace")
    await store.delete([LARGE])
    return [growth.mebibytes()]


def main() -> None:
    """Do the work that the arguments name."""
    name, folder, url, access_key, secret_key, bucket, *more = sys.argv[1:]
    work = Work(Path(folder), url, access_key, secret_key, bucket)
    by, what = name.split() if " " in name else (name, "")
    if by == "plain":
        timed(lambda: work.plain(write=True, digest=what == "put"))
    elif by == "hash":
        timed(lambda: work.plain(write=False, digest=True))
    elif by == "boto3":
        with closing(work.driver()) as client:
            timed(lambda: work.peer(client, what))
    else:
        _ours(work, work.store(by), what, more)


def _ours(work: Work, store: BlobStore, what: str, more: list[str]) -> None:
    with asyncio.Runner() as runner:
        runner.run(_connected(store))
        jobs: dict[str, Callable[[], None]] = {
            "put": lambda: timed(lambda: runner.run(work.put(store, STORED))),
            "get": lambda: timed(lambda: runner.run(work.get(store))),
            "seed": lambda: print(runner.run(work.put(store, SEED))),
            "growth": lambda: print(json.dumps(runner.run(_growth(store, int(more[0]))))),
        }
        jobs[what]()
        runner.run(store.aclose())


if __name__ == "__main__":
    main()
