"""Files, a bucket and memory, driven by the same random steps, answer the same: contents, descriptions, errors, order."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from faultmaven_contract_tests.blobs import content, keys
from faultmaven_contract_tests.nasty import TEXTS
from faultmaven_core.ports.blobs import BlobExistsError, BlobInfo, BlobKey, BlobStore, BlobTooLargeError
from faultmaven_core.shared.errors import FaultMavenError
from test_blobs import OPENERS

pytestmark = pytest.mark.servers("s3")

KEYS = st.sampled_from([BlobKey(text) for text in ("a", "a/b", "a/bc", "a-b", "B", "b.c", "a/b/c")])
MODES: st.SearchStrategy[Literal["create", "replace"]] = st.sampled_from(["create", "replace"])


class SameAnswers(RuleBasedStateMachine):
    """Each rule is one call on each; what they answer is compared at once."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = Path(tempfile.mkdtemp())
        self.stores: list[BlobStore] = [
            self.runner.run(self.stack.enter_async_context(OPENERS[name](self.folder)))
            for name in ("memory", "filesystem", "s3")
        ]

    def teardown(self) -> None:
        """Everything is closed, whatever the steps found."""
        self.runner.run(self.stack.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    def everywhere(self, call: Callable[[BlobStore], Awaitable[Any]]) -> None:
        """The answers of all must be one: a value, or the class of an error."""

        async def once(store: BlobStore) -> Any:
            try:
                return await call(store)
            except FaultMavenError as error:
                return type(error)

        first, *others = [self.runner.run(once(store)) for store in self.stores]
        assert all(other == first for other in others), (first, others)

    @rule(
        key=KEYS,
        mode=MODES,
        parts=st.lists(st.binary(max_size=100), max_size=4),
        name=st.sampled_from(TEXTS),
        most=st.none() | st.integers(0, 100),
    )
    def put(
        self, key: BlobKey, mode: Literal["create", "replace"], parts: list[bytes], name: str, most: int | None
    ) -> None:
        """Perhaps in use, perhaps too large, perhaps with a name that is too long."""

        async def source() -> AsyncIterator[bytes]:
            for part in parts:
                yield part

        async def call(store: BlobStore) -> Any:
            try:
                return _told(await store.put(key, source(), attributes={"name": name}, max_size=most, mode=mode))
            except BlobTooLargeError:
                # Where it is refused for two reasons, a store may tell the one that it sees first.
                in_use = mode == "create" and await store.stat(key) is not None
                return BlobExistsError if in_use else BlobTooLargeError

        self.everywhere(call)

    @rule(key=KEYS)
    def stat(self, key: BlobKey) -> None:
        """What is known of it."""

        async def call(store: BlobStore) -> Any:
            found = await store.stat(key)
            return found and _told(found)

        self.everywhere(call)

    @rule(key=KEYS, start=st.integers(-1, 120), length=st.none() | st.integers(-1, 120))
    def read(self, key: BlobKey, start: int, length: int | None) -> None:
        """All or a range."""
        self.everywhere(lambda store: content(store, key, start, length))

    @rule(some=st.lists(KEYS, max_size=3))
    def delete(self, some: list[BlobKey]) -> None:
        """There or not, also twice the same."""
        self.everywhere(lambda store: store.delete(some))

    @rule(prefix=st.sampled_from(["", "a", "a/", "a/b", "x"]), after=st.none() | KEYS)
    def list(self, prefix: str, after: BlobKey | None) -> None:
        """In order."""
        self.everywhere(lambda store: keys(store, prefix, after))


def _told(info: BlobInfo) -> Any:
    """What does not depend on when it was asked."""
    return info.key, info.size, info.sha256, info.content_type, dict(info.attributes)


TestSameAnswers = SameAnswers.TestCase
TestSameAnswers.settings = settings(
    max_examples=6, stateful_step_count=20, suppress_health_check=list(HealthCheck), print_blob=True
)
