"""Collections, records and ways of looking that the suites on vectors share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import uuid4

from faultmaven_core.ports.vector_fields import FieldType, FieldValue
from faultmaven_core.ports.vectors import (
    CollectionName,
    CollectionSpec,
    Embedding,
    Metric,
    Scope,
    VectorCapability,
    VectorId,
    VectorRecord,
    VectorStore,
)
from faultmaven_core.shared.ids import OrganizationId

T = TypeVar("T")

FIELDS = {
    "title": FieldType.STRING,
    "amount": FieldType.INTEGER,
    "weight": FieldType.NUMBER,
    "open": FieldType.BOOLEAN,
    "tags": FieldType.STRINGS,
}
SPEC = CollectionSpec(CollectionName("contract"), 4, Metric.COSINE, FIELDS, "model-one")
WIDE = CollectionSpec(CollectionName("contract_wide"), 384, Metric.COSINE, {"number": FieldType.INTEGER}, "model-wide")

EAST, NORTH, WEST, SOUTH = (1.0, 0, 0, 0), (0, 1.0, 0, 0), (-1.0, 0, 0, 0), (0, -1.0, 0, 0)

PATIENCE = 60.0
"""Seconds that a read which may lag gets to catch up."""


def fresh_scope(spec: CollectionSpec = SPEC) -> Scope:
    """An organization that nobody used before: so the suites share their collections, which some backends make slowly."""
    return Scope(spec.name, OrganizationId(f"org-{uuid4().hex}"))


def fresh_spec() -> CollectionSpec:
    """Like SPEC, under a name that nobody used before."""
    return CollectionSpec(CollectionName(f"c{uuid4().hex[:16]}"), SPEC.dimension, SPEC.metric, FIELDS, SPEC.embedding)


def record(name: str, direction: Sequence[float] = EAST, **fields: FieldValue) -> VectorRecord:
    """A record that points there."""
    return VectorRecord(VectorId(name), Embedding.of(direction), fields)


def ids(*names: str) -> list[VectorId]:
    """Names as ids."""
    return [VectorId(name) for name in names]


async def counted(store: VectorStore, read: Callable[[], Awaitable[T]], expected: T) -> None:
    """Asserts what a read that knows no token tells: at once where counts are exact, in the end elsewhere."""
    found = await read()
    if VectorCapability.EXACT_COUNT not in store.capabilities:
        end = asyncio.get_running_loop().time() + PATIENCE
        while found != expected and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.05)
            found = await read()
    assert found == expected


async def scanned(store: VectorStore, scope: Scope, page_size: int = 100) -> list[VectorId]:
    """All ids, sorted; one that is told twice stands there twice."""
    return sorted([vector_id async for vector_id in store.scan(scope, page_size=page_size)])
