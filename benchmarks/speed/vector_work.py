"""One kind of work on 100,000 vectors, in a process of its own: `python -m benchmarks.speed.vector_work FOLDER CHROMA MILVUS ...`.

The vectors have the length of those of a small model, and stand in clusters as those of texts do. What a search costs is
its median: the whole of a service's time would hide what one caller waits.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from array import array
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from faultmaven_core.ports.vector_fields import FieldType
from faultmaven_core.ports.vectors import (
    CollectionName,
    CollectionSpec,
    Embedding,
    Metric,
    Scope,
    VectorId,
    VectorRecord,
    VectorStore,
)
from faultmaven_core.shared.ids import OrganizationId

COUNT, DIMENSION, CLUSTERS, SPREAD = 100_000, 384, 500, 0.8
QUERIES, WARM_UP, LIMIT = 200, 20, 10
BATCH, WARM_BATCHES, BATCHES = 250, 4, 8
"""The most that our store gives Chroma at once. The first batches load what the store keeps in memory, and 2,000 records
make Chroma write its index out twice."""
WRITTEN = (WARM_BATCHES + BATCHES) * BATCH
LEAST_RECALL = 0.97
SPEC = CollectionSpec(
    CollectionName("speed"),
    DIMENSION,
    Metric.COSINE,
    {"document": FieldType.STRING, "chunk": FieldType.INTEGER},
    "a small model",
)
SCOPE = Scope(SPEC.name, OrganizationId("acme"))

Numbers = np.ndarray[Any, np.dtype[np.float32]]
Search = Callable[[Numbers], Sequence[str]]


def name(number: int) -> VectorId:
    """The id of a chunk: ten in a document."""
    return VectorId(f"{number // 10:032x}.{number % 10}")


def fields(number: int) -> dict[str, str | int]:
    """What is kept beside it."""
    return {"document": f"{number // 10:032x}", "chunk": number % 10}


class Work:
    """What may be asked, on the data of one folder and on two servers."""

    def __init__(self, folder: Path, chroma_url: str, milvus_url: str) -> None:
        self._folder, self._chroma_url, self._milvus_url = folder, chroma_url, milvus_url

    def data(self, what: str) -> Numbers:
        """`vectors`, `queries`, or the numbers of the vectors that answer them."""
        found: Numbers = np.load(self._folder / f"{what}.npy", mmap_mode="r")
        return found

    def fill_data(self) -> None:
        """Vectors, queries near some of them, and the right answers."""
        chance = np.random.default_rng(20)
        centres = chance.normal(size=(CLUSTERS, DIMENSION))
        near = centres[chance.integers(CLUSTERS, size=COUNT + QUERIES)]
        points = (near + SPREAD * chance.normal(size=near.shape)).astype(np.float32)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        vectors, queries = points[:COUNT], points[COUNT:]
        best = np.argsort(-(queries @ vectors.T), axis=1)[:, :LIMIT]
        for what, numbers in (("vectors", vectors), ("queries", queries), ("answers", best)):
            np.save(self._folder / f"{what}.npy", numbers)

    def fill_hnswlib(self) -> None:
        """With the usual size of its graph."""
        import hnswlib

        index = hnswlib.Index(space="cosine", dim=DIMENSION)
        index.init_index(max_elements=COUNT, ef_construction=200, M=16)
        index.add_items(self.data("vectors"))
        index.save_index(str(self._folder / "hnswlib"))

    def fill(self, store: str) -> None:
        """By our store; Milvus is made to index what it has."""

        async def work(opened: VectorStore) -> None:
            await opened.ensure(SPEC)
            await opened.upsert(SCOPE, self.records(0, COUNT))

        self.with_store(store, work)
        if store == "milvus":
            _index(self._milvus_client())

    def records(self, start: int, end: int) -> list[VectorRecord]:
        """Some chunks."""
        vectors = self.data("vectors")[start:end]
        return [
            VectorRecord(name(number), Embedding.of(array("f", vector.tobytes())), fields(number))
            for number, vector in enumerate(vectors, start)
        ]

    def with_store(self, store: str, work: Callable[[VectorStore], Awaitable[None]]) -> None:
        """Work on our store, opened and closed."""

        async def whole() -> None:
            opened = self._opened(store)
            try:
                await work(opened)
            finally:
                await opened.aclose()

        asyncio.run(whole())

    def search_ours(self, store: str) -> None:
        """Through the port."""

        async def work(opened: VectorStore) -> None:
            async def search(query: Numbers) -> Sequence[str]:
                found = await opened.search(SCOPE, Embedding.of(array("f", query.tobytes())), limit=LIMIT)
                return [match.id for match in found]

            await self._searched(search)

        self.with_store(store, work)

    def search_client(self, kind: str) -> None:
        """Through what the store's makers give, or by the bare index."""
        with self._client(kind) as client:

            async def search(query: Numbers) -> Sequence[str]:
                return client(query)

            asyncio.run(self._searched(search))

    async def _searched(self, search: Callable[[Numbers], Awaitable[Sequence[str]]]) -> None:
        costs, found, begun = [], [], time.process_time()
        for query in self.data("queries"):
            start = time.perf_counter()
            found.append(await search(query))
            costs.append(time.perf_counter() - start)
        cpu = time.process_time() - begun
        right = [{name(number) for number in numbers} for numbers in self.data("answers")]
        recall = sum(len(expected & set(told)) for expected, told in zip(right, found, strict=True)) / (QUERIES * LIMIT)
        if recall < LEAST_RECALL:
            raise SystemExit(f"Only {recall:.3f} of the right answers were found.")
        print(json.dumps({"units": QUERIES, "cpu": cpu, "wall": median(costs[WARM_UP:]) * QUERIES}))

    def upsert_ours(self, store: str) -> None:
        """Chunks that are there already."""
        batches = [self.records(start, start + BATCH) for start in range(0, WRITTEN, BATCH)]

        async def work(opened: VectorStore) -> None:
            async def write(number: int) -> None:
                await opened.upsert(SCOPE, batches[number])

            await _written(write)

        self.with_store(store, work)

    def upsert_client(self, store: str) -> None:
        """The same, through the client."""
        vectors = np.array(self.data("vectors")[:WRITTEN])
        ids, kept = [name(number) for number in range(WRITTEN)], [fields(number) for number in range(WRITTEN)]
        if store == "milvus":
            client = self._milvus_client()
            rows = [
                {"key": f"acme/{ids[n]}", "organization": "acme", "vector": vectors[n].tolist(), "fields": kept[n]}
                for n in range(WRITTEN)
            ]

            async def write(number: int) -> None:
                client.upsert(SPEC.name, rows[number * BATCH : (number + 1) * BATCH])

            asyncio.run(_written(write))
            client.close()
            return
        collection = self._collection(store)

        async def upsert(number: int) -> None:
            batch = slice(number * BATCH, (number + 1) * BATCH)
            collection.upsert(ids=ids[batch], embeddings=vectors[batch], metadatas=kept[batch])

        asyncio.run(_written(upsert))

    def _opened(self, store: str) -> VectorStore:
        if store == "sqlite":
            from faultmaven_adapters.vectors.sqlite import SqliteVectorStore

            return SqliteVectorStore(self._folder / "vectors.db")
        if store == "milvus":
            from faultmaven_adapters.vectors.milvus import MilvusVectorStore

            return MilvusVectorStore(self._milvus_url)
        from faultmaven_adapters.vectors.chroma import ChromaVectorStore

        if store == "chroma":
            return ChromaVectorStore(self._folder / "chroma")
        return ChromaVectorStore(url=self._chroma_url)

    @contextmanager
    def _client(self, kind: str) -> Iterator[Search]:
        if kind == "hnswlib":
            import hnswlib

            index = hnswlib.Index(space="cosine", dim=DIMENSION)
            index.load_index(str(self._folder / "hnswlib"))
            index.set_ef(100)
            index.set_num_threads(1)
            yield lambda query: [name(number) for number in index.knn_query(query, k=LIMIT)[0][0]]
        elif kind == "numpy":
            vectors = np.array(self.data("vectors"))
            yield lambda query: _exactly(vectors, query)
        elif kind == "milvus":
            client = self._milvus_client()
            yield lambda query: _by_milvus(client, query)
            client.close()
        else:
            collection = self._collection(kind)
            yield lambda query: _by_chroma(collection, query)

    def _collection(self, kind: str) -> Any:
        """The one of Chroma's in which our store keeps the organization's vectors."""
        import chromadb
        from chromadb.config import Settings

        client: Any
        if kind == "chroma":
            client = chromadb.PersistentClient(self._folder / "chroma", settings=Settings(anonymized_telemetry=False))
        else:
            place = urlsplit(self._chroma_url)
            client = chromadb.HttpClient(host=str(place.hostname), port=place.port or 0)
        collections = [
            client.get_collection(found.name, embedding_function=None) for found in client.list_collections()
        ]
        return max(collections, key=lambda collection: collection.count())

    def _milvus_client(self) -> Any:
        from pymilvus import MilvusClient

        return MilvusClient(self._milvus_url)


async def _written(write: Callable[[int], Awaitable[None]]) -> None:
    """Write all batches, given by number, and print what those after the first cost."""
    for number in range(WARM_BATCHES):
        await write(number)
    cpu, wall = time.process_time(), time.perf_counter()
    for number in range(WARM_BATCHES, WARM_BATCHES + BATCHES):
        await write(number)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps({"units": BATCHES * BATCH, "cpu": cpu, "wall": wall}))


def _exactly(vectors: Numbers, query: Numbers) -> list[str]:
    scores = vectors @ query
    best = np.argpartition(-scores, LIMIT)[:LIMIT]
    return [name(int(number)) for number in best]


def _by_milvus(client: Any, query: Numbers) -> list[str]:
    (found,) = client.search(
        SPEC.name,
        data=[query],
        anns_field="vector",
        limit=LIMIT,
        filter='organization == "acme"',
        output_fields=["fields"],
        search_params={"metric_type": "COSINE", "params": {"ef": 128}},
        consistency_level="Eventually",
    )
    return [match["id"].partition("/")[2] for match in found]


def _by_chroma(collection: Any, query: Numbers) -> list[str]:
    found = collection.query(query_embeddings=[query], n_results=LIMIT, include=["distances", "metadatas"])
    told: list[str] = found["ids"][0]
    return told


def _index(client: Any) -> None:
    """Have Milvus write what it holds in memory, and wait until it searches by the index."""
    client.flush(SPEC.name)
    while client.describe_index(SPEC.name, "vector")["pending_index_rows"]:
        time.sleep(0.5)
    client.release_collection(SPEC.name)
    client.load_collection(SPEC.name)
    client.close()


def main() -> None:
    """Do the work that the arguments name."""
    folder, chroma_url, milvus_url, what, on = sys.argv[1:]
    work = Work(Path(folder), chroma_url, milvus_url)
    store, _, by = on.rpartition(" ")
    if what == "fill":
        {"data": work.fill_data, "hnswlib": work.fill_hnswlib}.get(on, lambda: work.fill(on))()
    elif by == "ours":
        {"search": work.search_ours, "upsert": work.upsert_ours}[what](store)
    else:
        {"search": work.search_client, "upsert": work.upsert_client}[what](store or on)


if __name__ == "__main__":
    main()
