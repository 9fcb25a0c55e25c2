"""The indexes of a Pinecone project: described, made, removed, and opened for their documents."""

from __future__ import annotations

import asyncio
import base64
import binascii
import random
import time
import zlib
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from pinecone import AsyncIndex, AsyncPinecone, RetryConfig
from pinecone.models.indexes.index import IndexModel

from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.vectors.pinecone.documents import VECTOR
from faultmaven_adapters.vectors.pinecone.errors import TABLE
from faultmaven_core.ports.vectors import CollectionMismatchError, CollectionName, CollectionSpec, Metric
from faultmaven_core.shared.backoff import delay
from faultmaven_core.shared.errors import (
    BackendError,
    BackendUnavailableError,
    ConflictError,
    CorruptDataError,
    InvalidInputError,
    NotFoundError,
    TooLargeError,
)
from faultmaven_core.shared.secret import Secret

METRICS = {Metric.COSINE: "cosine", Metric.DOT: "dotproduct"}
LONGEST_NAME = 45
ONCE = RetryConfig(max_retries=0)
"""The wrapper above retries, and it alone."""
TAG = "faultmaven-"
"""Our tags: the collection's specification, in pieces. A document index declares only what it searches, so the fields of
a collection stand nowhere else."""
LONGEST_TAG, MOST_TAGS = 120, 20
READY_WITHIN = 50.0
"""Seconds for an index to be made or removed, which takes some."""
_LOOK, _LONGEST_LOOK = 0.1, 2.0
"""Seconds between looks at it meanwhile."""


@dataclass(frozen=True, slots=True)
class PineconeProject:
    """Which project, where its indexes are made, and what their names begin with. `timeout`: of each request, in seconds.

    An empty `control_url` is Pinecone's own. `patience`: seconds for which a read waits for a write.
    """

    api_key: Secret
    control_url: str
    cloud: str
    region: str
    prefix: str
    timeout: float
    patience: float

    def __str__(self) -> str:
        return f"Pinecone at {self.control_url}" if self.control_url else "Pinecone"

    def index_name(self, name: CollectionName) -> str:
        """The index of a collection. Raises InvalidInputError where the prefix makes it too long."""
        found = self.prefix + name.replace("_", "-")
        if len(found) > LONGEST_NAME:
            raise InvalidInputError(
                f"{found} is too long for the name of an index: {LONGEST_NAME} characters are allowed.",
                fields={"collection": "too long"},
            )
        return found


class Indexes:
    """The project's indexes. Nothing connects before the first call."""

    def __init__(self, project: PineconeProject) -> None:
        self.project = project
        self._client: AsyncPinecone | None = None
        self._open: dict[str, AsyncIndex] = {}
        self._opening = asyncio.Lock()
        self._retired: list[AsyncIndex] = []
        """Somebody may still be in the middle of a call."""

    async def listed(self) -> list[IndexModel]:
        """All indexes of the project, ours or not."""
        with translation(TABLE, str(self.project)):
            return await self._connected().indexes.list().to_list()

    async def described(self, name: CollectionName) -> CollectionSpec | None:
        """The collection behind an index, when the index is ready; None where there is none."""
        model = await self._settled(self.project.index_name(name))
        return None if model is None else specification(name, model)

    async def make(self, spec: CollectionSpec) -> None:
        """Make the index. One that is there stays as it is."""
        project = self.project
        field = {"type": "dense_vector", "dimension": spec.dimension, "metric": METRICS[spec.metric]}
        try:
            with translation(TABLE, str(project)):
                await self._connected().indexes.create(
                    name=project.index_name(spec.name),
                    schema={"fields": {VECTOR: field}},
                    deployment={"deployment_type": "managed", "cloud": project.cloud, "region": project.region},
                    tags=tags(spec),
                    timeout=-1,
                )
        except ConflictError:
            return
        except NotFoundError as error:
            raise BackendError(f"{project} has no region {project.cloud}/{project.region}.") from error

    async def drop(self, name: CollectionName) -> None:
        """Remove the index, and wait until it is gone."""
        index = self.project.index_name(name)
        self._retire(name)
        try:
            with translation(TABLE, str(self.project)):
                await self._connected().indexes.delete(index, timeout=-1)
        except NotFoundError:
            return
        await self._settled(index)

    async def opened(self, name: CollectionName) -> AsyncIndex | None:
        """The index for its documents; None where there is none. Its address is asked for once."""
        index_name = self.project.index_name(name)
        if index_name in self._open:
            return self._open[index_name]
        async with self._opening:
            if index_name not in self._open:
                model = await self._described(index_name)
                if model is None:
                    return None
                if not model.host:
                    raise BackendUnavailableError(f"{self.project} is still making {index_name}.")
                index = await self._connected().index(host=model.host)
                # The client hands its retries to no index; nothing is connected yet, so this is still read.
                index._http._config = replace(index._http._config, retry_config=ONCE)  # noqa: SLF001 - as said
                self._open[index_name] = index
            return self._open[index_name]

    async def reopened(self, name: CollectionName) -> AsyncIndex | None:
        """The same, with its address asked for again: another index only where that has changed."""
        index_name = self.project.index_name(name)
        model = await self._described(index_name)
        held = self._open.get(index_name)
        if held is not None and (model is None or model.host != held.host):
            self._retire(name)
        return None if model is None else await self.opened(name)

    async def aclose(self) -> None:
        """Close all connections; one that fails keeps no other open."""
        async with AsyncExitStack() as stack:
            if self._client is not None:
                stack.push_async_callback(self._client.close)
            for index in (*self._retired, *self._open.values()):
                stack.push_async_callback(index.close)

    def _retire(self, name: CollectionName) -> None:
        index = self._open.pop(self.project.index_name(name), None)
        if index is not None:
            self._retired.append(index)

    def _connected(self) -> AsyncPinecone:
        if self._client is None:
            self._client = AsyncPinecone(
                api_key=self.project.api_key.reveal(),
                host=self.project.control_url or None,
                timeout=self.project.timeout,
                retry_config=ONCE,
            )
        return self._client

    async def _described(self, index: str) -> IndexModel | None:
        try:
            with translation(TABLE, str(self.project)):
                return await self._connected().indexes.describe(index)
        except NotFoundError:
            return None

    async def _settled(self, index: str) -> IndexModel | None:
        """The index when it is ready, None when it is gone: both take their time."""
        end, looks = time.monotonic() + READY_WITHIN, 0
        while True:
            model = await self._described(index)
            if model is None or (model.status.ready and model.status.state != "Terminating"):
                return model
            if model.status.state == "InitializationFailed":
                raise BackendError(f"{self.project} could not make {index}: remove it, and try again.")
            if time.monotonic() > end:
                raise BackendUnavailableError(
                    f"{self.project} says that {index} is {model.status.state}, for too long."
                )
            looks += 1
            await asyncio.sleep(delay(looks, base=_LOOK, cap=_LONGEST_LOOK, chance=random.random))


def tags(spec: CollectionSpec) -> dict[str, str]:
    """The specification as tags of an index, which are few and short."""
    packed = base64.urlsafe_b64encode(zlib.compress(spec.to_text().encode(), 9)).decode().rstrip("=")
    pieces = [packed[start : start + LONGEST_TAG] for start in range(0, len(packed), LONGEST_TAG)]
    if len(pieces) > MOST_TAGS:
        raise TooLargeError(
            f"The fields of {spec.name} have names that are too long together for the tags of an index."
        )
    return {f"{TAG}{number:02}": piece for number, piece in enumerate(pieces)}


def specification(name: CollectionName, model: IndexModel) -> CollectionSpec:
    """What `tags` has kept. Raises CollectionMismatchError where the index is not one of ours."""
    kept: Mapping[str, str] = model.tags or {}
    packed = "".join(kept[tag] for tag in sorted(kept) if tag.startswith(TAG))
    if not packed:
        raise CollectionMismatchError(f"The index {model.name} is somebody else's: use another name for {name}.")
    try:
        text = zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))).decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError) as error:
        raise CorruptDataError(f"What is kept about the collection {name} cannot be read.") from error
    return CollectionSpec.from_text(name, text)
