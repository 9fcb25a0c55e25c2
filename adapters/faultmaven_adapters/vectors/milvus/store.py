"""The store: the port's methods as exchanges of messages, in threads of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from pathlib import Path
from typing import Any

from pymilvus.grpc_gen import common_pb2 as common
from pymilvus.grpc_gen import milvus_pb2 as milvus

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_adapters.vectors.milvus import messages
from faultmaven_adapters.vectors.milvus.links import Link, ServerLink
from faultmaven_core.ports.checked_vectors import CheckedVectors
from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.vector_filters import Filter
from faultmaven_core.ports.vectors import (
    CollectionMissingError,
    CollectionName,
    CollectionSpec,
    Embedding,
    Match,
    VectorCapability,
    VectorId,
    VectorRecord,
    WriteToken,
)
from faultmaven_core.shared.errors import BackendError, DeadlineExceededError
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.shared.secret import Secret

LOOK = 0.1
"""Seconds between looks at whether a collection is loaded."""
UNENCRYPTED = "Vectors and the password travel unencrypted: give FM_VECTORS_URL an address with milvus+https."
FOR_TRIALS = "Milvus Lite compares with every vector and is slow: beyond some thousand chunks use a server, or sqlite:."


class MilvusVectorStore(CheckedVectors):
    """See the port. Give a server's `http` or `https` URL, or a folder for Milvus Lite; nothing connects before a call.

    `timeout`: seconds that one answer of a server may take. Reads see what was written at most a moment ago; those that
    are given a token, counts and deletions by filter wait for the server's clock, for up to some tenths of a second.
    """

    def __init__(
        self, place: str, token: Secret | None = None, database: str = "default", timeout: float = 30.0
    ) -> None:
        super().__init__()
        self._timeout = timeout
        self._link = _link(place, token, database, timeout)
        self._calls = BlockingCalls("vectors", self._link.threads)
        self._unencrypted = place.startswith("http:")
        own = VectorCapability.IMMEDIATE_READS if self._link.lite else VectorCapability.MULTI_PROCESS
        self.capabilities = frozenset({VectorCapability.EXACT_COUNT, VectorCapability.STRING_RANGE, own})

    async def _described(self, name: CollectionName) -> CollectionSpec | None:
        try:
            found = await self._exchange("DescribeCollection", milvus.DescribeCollectionRequest(collection_name=name))
        except CollectionMissingError:
            return None
        spec = messages.specification(name, found)
        await self._load(spec)
        return spec

    async def _make(self, spec: CollectionSpec) -> None:
        try:
            await self._exchange("CreateCollection", messages.making(spec, lite=self._link.lite))
        except BackendError:
            # Somebody was faster, with another specification; it is read next.
            if await self._described(spec.name) is None:
                raise

    async def _drop(self, name: CollectionName) -> None:
        await self._exchange("DropCollection", milvus.DropCollectionRequest(collection_name=name))

    async def _write(
        self, spec: CollectionSpec, organization: OrganizationId, records: Sequence[VectorRecord]
    ) -> WriteToken:
        return await self._calls(self._write_now, spec, organization, records)

    async def _delete(self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId]) -> WriteToken:
        return await self._remove(spec, messages.among(organization, ids))

    async def _delete_matching(self, spec: CollectionSpec, organization: OrganizationId, where: Filter) -> WriteToken:
        return await self._remove(spec, self._within(organization, where))

    async def _delete_organization(self, spec: CollectionSpec, organization: OrganizationId) -> WriteToken:
        return await self._remove(spec, self._within(organization, None))

    async def _search(
        self,
        spec: CollectionSpec,
        organization: OrganizationId,
        query: Embedding,
        limit: int,
        where: Filter | None,
        after: WriteToken | None,
    ) -> Iterable[Match]:
        request = messages.searching(spec, query, limit, self._within(organization, where), after)
        return messages.found(spec, await self._exchange("Search", request))

    async def _get(
        self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId], after: WriteToken | None
    ) -> Iterable[VectorRecord]:
        return await self._calls(self._get_now, spec, organization, ids, after)

    async def _count(self, spec: CollectionSpec, organization: OrganizationId, where: Filter | None) -> int:
        expression = self._within(organization, where)
        return messages.count(
            await self._exchange("Query", messages.asking(spec, expression, [messages.COUNT], messages.LATEST))
        )

    async def _pages(
        self, spec: CollectionSpec, organization: OrganizationId, page_size: int
    ) -> AsyncGenerator[Sequence[VectorId], None]:
        last: VectorId | None = None
        # The first page waits for all that was written before; what it has seen, the server does not forget.
        after: WriteToken | None = messages.LATEST
        options = {"limit": page_size, "iterator": "True", "reduce_stop_for_best": "True"}
        while True:
            expression = messages.beyond(organization, last)
            asked = messages.asking(spec, expression, [messages.KEY], after, options)
            page = sorted(messages.ids(await self._exchange("Query", asked)))
            if not page:
                return
            yield page
            last, after = page[-1], None

    async def _ping(self) -> None:
        await self._exchange("ShowCollections", milvus.ShowCollectionsRequest())

    async def _inspect(self) -> Inspection:
        answer = await self._exchange("GetVersion", milvus.GetVersionRequest())
        if self._link.lite:
            return Inspection("Milvus Lite", answer.version.removeprefix("milvus_lite-"), warnings=(FOR_TRIALS,))
        return Inspection("Milvus", answer.version, warnings=(UNENCRYPTED,) if self._unencrypted else ())

    async def _release(self) -> None:
        try:
            await asyncio.to_thread(self._link.close)
        finally:
            await asyncio.to_thread(self._calls.close)

    async def _load(self, spec: CollectionSpec) -> None:
        """Collections are searched in memory only. What is not, was made a moment ago, or not to the end, or released."""
        state = milvus.GetLoadStateRequest(collection_name=spec.name)
        if (await self._exchange("GetLoadState", state)).state == common.LoadStateLoaded:
            return
        await self._exchange("CreateIndex", messages.indexing(spec, lite=self._link.lite))
        await self._exchange(
            "LoadCollection", milvus.LoadCollectionRequest(collection_name=spec.name, replica_number=1)
        )
        try:
            async with asyncio.timeout(self._timeout):
                while True:
                    if (await self._exchange("GetLoadState", state)).state == common.LoadStateLoaded:
                        return
                    await asyncio.sleep(LOOK)
        except TimeoutError as error:
            late = f"{self._link.place} has not loaded the collection {spec.name} in time."
            raise DeadlineExceededError(late) from error

    async def _remove(self, spec: CollectionSpec, expression: str) -> WriteToken:
        return messages.written(await self._exchange("Delete", messages.deleting(spec, expression)))

    async def _exchange(self, method: str, request: Any) -> Any:
        return await self._calls(self._link.exchange, method, request)

    def _write_now(
        self, spec: CollectionSpec, organization: OrganizationId, records: Sequence[VectorRecord]
    ) -> WriteToken:
        return messages.written(self._link.exchange("Upsert", messages.writing(spec, organization, records)))

    def _get_now(
        self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId], after: WriteToken | None
    ) -> list[VectorRecord]:
        columns = [messages.KEY, messages.VECTOR, messages.FIELDS]
        asked = messages.asking(spec, messages.among(organization, ids), columns, after, {"limit": len(ids)})
        return list(messages.records(spec, self._link.exchange("Query", asked)))

    def _within(self, organization: OrganizationId, where: Filter | None) -> str:
        return messages.within(organization, where, json_in=not self._link.lite)


def _link(place: str, token: Secret | None, database: str, timeout: float) -> Link:
    if "://" in place:
        return ServerLink(place, token, database, timeout)
    # Not for those who only have a server.
    from faultmaven_adapters.vectors.milvus.lite import LiteLink

    return LiteLink(Path(place), timeout)
