"""The bindings of what knowledge is searched with: the vector store, and what turns text into vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs

from injector import Module, provider, singleton

from faultmaven.composition.deferred_vectors import DeferredVectorStore
from faultmaven.composition.lifecycle import Lifecycle
from faultmaven.composition.select import backend, require_driver
from faultmaven.places import Resource
from faultmaven.tree import Settings
from faultmaven_adapters.telemetry.calls import traced
from faultmaven_core.ports import policy
from faultmaven_core.ports.embedding import Embedder
from faultmaven_core.ports.telemetry import Telemetry
from faultmaven_core.ports.vectors import VectorStore
from faultmaven_core.shared.errors import MisconfiguredError

IN_PROCESS = ("memory", "sqlite", "chroma+file", "milvus+file", "onnx", "hashing")
"""Schemes of what no network stands before; what fails there fails again."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """What turns text into vectors; None where words and names alone are searched."""

    embedder: Embedder | None


class KnowledgeModule(Module):
    """Vectors and what makes them."""

    @singleton
    @provider
    def vectors(self, settings: Settings, telemetry: Telemetry, lifecycle: Lifecycle) -> VectorStore:
        require_driver("vectors", settings.knowledge.vectors.scheme)
        store = DeferredVectorStore(lambda: _vectors(settings))
        lifecycle.on_close(store.aclose)
        return traced(store, "vectors", settings.knowledge.vectors.scheme, telemetry)

    @singleton
    @provider
    def embedding(self, settings: Settings, telemetry: Telemetry, lifecycle: Lifecycle) -> Embedding:
        place = settings.knowledge.embedding
        if place.scheme == "none":
            return Embedding(None)
        embedder: Embedder = _EMBEDDERS[_kind(place.scheme)](backend("embedding", place.scheme), place)
        lifecycle.on_close(embedder.aclose)
        if place.scheme not in IN_PROCESS:
            embedder = _resilient(embedder, policy.EMBEDDING, "The embedding server")
        from faultmaven_adapters.embedding.cached import CachedQueries

        return Embedding(CachedQueries(traced(embedder, "embedding", place.scheme, telemetry)))


def _vectors(settings: Settings) -> VectorStore:
    place = settings.knowledge.vectors
    store: VectorStore = _VECTORS[_kind(place.scheme)](backend("vectors", place.scheme), place, settings)
    return store if place.scheme in IN_PROCESS else _resilient(store, policy.VECTORS, "The vector store")


def _resilient(target: Any, policies: policy.Policies, name: str) -> Any:
    from faultmaven_adapters.resilience.policy import resilient

    return resilient(target, policies, name)


def _kind(scheme: str) -> str:
    return scheme.partition("+")[0]


def _over_http(place: Resource) -> str:
    """The address of `chroma+http://host`, `openai+https://host`, `milvus://host`."""
    scheme, _, rest = place.place.partition("://")
    return f"{'https' if scheme.endswith('https') else 'http'}://{rest}"


def _chroma(module: Any, place: Resource, _settings: Settings) -> Any:
    if place.scheme == "chroma+file":
        return module.ChromaVectorStore(path=Path(place.place))
    return module.ChromaVectorStore(url=_over_http(place), token=place.password)


def _milvus(module: Any, place: Resource, _settings: Settings) -> Any:
    if place.scheme == "milvus+file":
        return module.MilvusVectorStore(place.place)
    address, _, database = _over_http(place).removeprefix("http").partition("://")[2].partition("/")
    scheme = _over_http(place).partition("://")[0]
    return module.MilvusVectorStore(f"{scheme}://{address}", token=place.password, database=database or "default")


def _pinecone(module: Any, place: Resource, _settings: Settings) -> Any:
    if place.password is None:
        raise MisconfiguredError("FM_VECTORS_URL names Pinecone, which needs a key: set FM_VECTORS_API_KEY.")
    if "://" in place.place:
        return module.PineconeVectorStore(place.password, control_url=_over_http(place))
    cloud, _, region = place.place.partition("/")
    return module.PineconeVectorStore(place.password, cloud=cloud, region=region)


def _pgvector(module: Any, place: Resource, settings: Settings) -> Any:
    own, chosen = place if place.place else settings.database.url, settings.database
    return module.PgVectorStore(
        own.place,
        password=own.password,
        pool=chosen.pool_size,
        timeout=chosen.statement_timeout,
        transaction_pooler=chosen.transaction_pooler,
    )


def _openai(module: Any, place: Resource) -> Any:
    address, _, query = _over_http(place).partition("?")
    asked = parse_qs(query)
    prefixes = {name: asked[name][0] for name in ("query_prefix", "document_prefix") if name in asked}
    return module.OpenAiCompatibleEmbedder(
        address, asked["model"][0], int(asked["dimension"][0]), api_key=place.password, **prefixes
    )


_VECTORS: Mapping[str, Callable[[Any, Resource, Settings], Any]] = MappingProxyType(
    {
        "memory": lambda module, _place, _settings: module.MemoryVectorStore(),
        "sqlite": lambda module, place, _settings: module.SqliteVectorStore(Path(place.place)),
        "chroma": _chroma,
        "milvus": _milvus,
        "pinecone": _pinecone,
        "pgvector": _pgvector,
    }
)
_EMBEDDERS: Mapping[str, Callable[[Any, Resource], Any]] = MappingProxyType(
    {
        "hashing": lambda module, _place: module.HashingEmbedder(),
        "onnx": lambda module, _place: module.OnnxEmbedder(),
        "openai": _openai,
    }
)
