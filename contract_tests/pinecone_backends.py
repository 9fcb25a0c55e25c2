"""Pinecone as suites run on it: the emulator always, the service itself where somebody gives a key."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from faultmaven_adapters.vectors.pinecone import PineconeVectorStore
from faultmaven_contract_tests.harness import Opener
from faultmaven_contract_tests.servers import needs, shared
from faultmaven_contract_tests.servers.pinecone_emulator import administer, new_project
from faultmaven_core.ports.vectors import CollectionName, VectorStore
from faultmaven_core.shared.secret import Secret

LIVE_URL, LIVE_KEY = "FM_TEST_PINECONE_URL", "FM_TEST_PINECONE_KEY"
"""Where and with whose key the suite runs on the service itself, each collection as an index of its own."""


@needs("pinecone_emulator")
@asynccontextmanager
async def emulated(folder: Path) -> AsyncIterator[VectorStore]:
    """Vectors in a project that nobody else has."""
    async with project() as key:
        store = emulated_store(key)
        try:
            yield store
        finally:
            await store.aclose()


@asynccontextmanager
async def project(**settings: Any) -> AsyncIterator[str]:
    """The key of a project of the emulator."""
    server = shared("pinecone_emulator")
    key = await asyncio.to_thread(new_project, server, **settings)
    try:
        yield key
    finally:
        await asyncio.to_thread(administer, server, "DELETE", key)


def emulated_store(key: str, **options: Any) -> PineconeVectorStore:
    """A store in the emulator."""
    return PineconeVectorStore(Secret(key), **{"control_url": shared("pinecone_emulator").url, **options})


def emulated_at(url: str, key: str) -> PineconeVectorStore:
    """A store in the emulator from what can be pickled, as secrets cannot: for other processes."""
    return PineconeVectorStore(Secret(key), control_url=url)


@asynccontextmanager
async def live(folder: Path) -> AsyncIterator[VectorStore]:
    """Vectors in the service itself; the indexes that a test makes are removed."""
    store = _LiveStore(
        Secret(os.environ[LIVE_KEY]), control_url=os.environ[LIVE_URL], prefix=f"t{uuid4().hex[:8]}-", patience=120.0
    )
    try:
        yield store
        for name in store.made:
            await store.drop(name)
    finally:
        await store.aclose()


class _LiveStore(PineconeVectorStore):
    """Remembers what it made."""

    def __init__(self, api_key: Secret, **options: Any) -> None:
        super().__init__(api_key, **options)
        self.made: set[CollectionName] = set()

    async def _make(self, spec: Any) -> None:
        self.made.add(spec.name)
        await super()._make(spec)


OPENERS: Mapping[str, Opener] = {
    "pinecone_emulated": emulated,
    **({"pinecone_live": live} if os.environ.get(LIVE_URL) and os.environ.get(LIVE_KEY) else {}),
}
