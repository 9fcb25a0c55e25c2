"""How the store speaks to Chroma: the same operations with the same bodies, over HTTP or to a process of ours."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

NOBODY: Mapping[str, Any] = {}


class Operation(StrEnum):
    """What is asked of Chroma; the bodies and answers are those of its API, version 2.

    Bytes in a body are for a wire to write as it writes bytes; UPSERT has vectors so. QUERY has them as `array`.
    """

    PING = "ping"
    VERSION = "version"
    FIND = "find"
    CREATE = "create"
    LIST = "list"
    REMOVE = "remove"
    COUNT = "count"
    GET = "get"
    QUERY = "query"
    UPSERT = "upsert"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Found:
    """A collection of Chroma's. `name` is what it is found by, `id` what it is used by."""

    name: str
    id: str
    metadata: Mapping[str, str]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Found:
        """As Chroma describes it."""
        return cls(answer["name"], str(answer["id"]), answer["metadata"] or {})


class Wire(Protocol):
    """One way to Chroma. Raises our errors only."""

    place: str
    """What messages call it."""

    @abstractmethod
    async def __call__(
        self, operation: Operation, collection: Found | str = "", body: Mapping[str, Any] = NOBODY
    ) -> Any:
        """The answer. FIND and REMOVE take a name, operations on records a collection."""

    @abstractmethod
    async def aclose(self) -> None:
        """End it. Calls afterwards are ConflictError."""
