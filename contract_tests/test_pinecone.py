"""What Pinecone alone can do to us: reads that lag, limits, indexes that are not ours, and a client that would try again."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from pinecone import AsyncPinecone, RetryConfig

from faultmaven_adapters.resilience.policy import resilient
from faultmaven_adapters.vectors.pinecone import PineconeVectorStore
from faultmaven_contract_tests.servers import shared
from faultmaven_contract_tests.servers.pinecone_emulator import administer
from faultmaven_contract_tests.vector_samples import EAST, NORTH, SPEC, fresh_scope, ids, record, scanned
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.ports.policy import VECTORS
from faultmaven_core.ports.vector_fields import FieldType
from faultmaven_core.ports.vector_filters import Eq, Exists, Has, Ne, Not, NotIn
from faultmaven_core.ports.vectors import (
    CollectionMismatchError,
    CollectionMissingError,
    CollectionName,
    CollectionSpec,
    Embedding,
    Metric,
    NotYetVisibleError,
    Scope,
    VectorId,
    VectorRecord,
    VectorStore,
    WriteToken,
)
from faultmaven_core.shared.errors import (
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    DeadlineExceededError,
    FaultMavenError,
    InvalidInputError,
    QuotaExceededError,
    RateLimitedError,
)
from faultmaven_core.shared.secret import Secret
from pinecone_backends import emulated_store, project

pytestmark = pytest.mark.servers("pinecone_emulator")

QUERY = Embedding.of(EAST)
WRONG = "pckey-a-canary-that-opens-nothing"
NEVER = 10**6
"""Stale answers after a write: more than anybody waits for."""

Opens: TypeAlias = Callable[..., Awaitable[PineconeVectorStore]]

CALLS: Mapping[str, Callable[[VectorStore, Scope], Awaitable[object]]] = {
    "upsert": lambda store, scope: store.upsert(scope, [record("a")]),
    "delete": lambda store, scope: store.delete(scope, ids("a")),
    "delete_matching": lambda store, scope: store.delete_matching(scope, Eq("amount", 1)),
    "delete_organization": lambda store, scope: store.delete_organization(scope),
    "search": lambda store, scope: store.search(scope, QUERY, limit=1),
    "get": lambda store, scope: store.get(scope, ids("a")),
    "count": lambda store, scope: store.count(scope),
    "count_some": lambda store, scope: store.count(scope, Eq("amount", 1)),
    "scan": scanned,
}
"""Every call about documents."""


class Told:
    """One project of the emulator, and the stores on it."""

    def __init__(self, key: str, stack: AsyncExitStack) -> None:
        self.key = key
        self._stack = stack

    def store(self, **options: Any) -> PineconeVectorStore:
        """A store of its own, as another process would have one."""
        store = emulated_store(self.key, **options)
        self._stack.push_async_callback(store.aclose)
        return store

    async def now(self, **settings: Any) -> None:
        """Changes what the emulator does; all readers catch up first."""
        await asyncio.to_thread(administer, shared("pinecone_emulator"), "PUT", self.key, settings)

    async def refusals(self, path: str, status: int, times: int = 1, **more: Any) -> None:
        """The next answers to these requests are refusals."""
        await self.now(refusals=[{"path": path, "status": status, "times": times, **more}])

    async def requests(self) -> Mapping[str, int]:
        """How many there were of each kind."""
        return await asyncio.to_thread(administer, shared("pinecone_emulator"), "GET", self.key)


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    """A project."""
    async with AsyncExitStack() as stack:
        yield Told(await stack.enter_async_context(project()), stack)


@pytest.fixture
async def store(told: Told) -> PineconeVectorStore:
    """With the collection of the samples, and little patience."""
    store = told.store(patience=0.5)
    await store.ensure(SPEC)
    return store


@pytest.fixture
def scope() -> Scope:
    """An organization with nothing."""
    return fresh_scope()


async def failure(call: Awaitable[object]) -> FaultMavenError:
    """The error of ours that it ends with, in time."""
    async with asyncio.timeout(20):
        with pytest.raises(FaultMavenError) as caught:
            await call
    return caught.value


# Reads that lag.


async def test_a_write_that_is_never_seen_is_said(told: Told, store: PineconeVectorStore, scope: Scope) -> None:
    """Within our patience, and worth another try; without a token the old state is told, as promised."""
    await told.now(lag=NEVER)
    token = await store.upsert(scope, [record("a")])
    for call in (store.search(scope, QUERY, limit=1, after=token), store.get(scope, ids("a"), after=token)):
        error = await failure(call)
        assert (type(error), error.retryable) == (NotYetVisibleError, True)
    assert list(await store.search(scope, QUERY, limit=1)) == []
    await told.now(lag=0)
    assert [match.id for match in await store.search(scope, QUERY, limit=1, after=token)] == ["a"]


async def test_a_token_waits_for_every_batch(told: Told, store: PineconeVectorStore, scope: Scope) -> None:
    """The last one's position stands for all before it, and deletions have positions too."""
    await told.now(lag=3)
    rows = [record(f"r{number}", amount=number) for number in range(1100)]
    token = await store.upsert(scope, rows)
    assert len(await store.get(scope, [row.id for row in rows], after=token)) == 1100
    token = await store.delete_matching(scope, Exists("amount"))
    assert list(await store.search(scope, QUERY, limit=1, after=token)) == []
    token = await store.delete_organization(scope)
    assert list(await store.search(scope, QUERY, limit=1, after=token)) == []


async def test_what_is_no_token_is_refused(store: PineconeVectorStore, scope: Scope) -> None:
    """One of another backend, say."""
    with pytest.raises(InvalidInputError):
        await store.search(scope, QUERY, limit=1, after=WriteToken("written"))


async def test_headers_that_were_dropped_on_the_way_are_said(
    store: PineconeVectorStore, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them nobody could wait for the write, so this is found out at the first one."""
    monkeypatch.setattr("pinecone.models.response_info.ResponseInfo.lsn_committed", None)
    error = await failure(store.upsert(scope, [record("a")]))
    assert "drop headers" in str(error)


async def test_complements_hold_whatever_the_service_thinks_of_missing_fields(
    told: Told, store: PineconeVectorStore, scope: Scope
) -> None:
    """Its documentation does not say whether `$ne` meets a document without the field."""
    rows = [record("with", title="x", tags=("x",)), record("other", title="y", tags=("y",)), record("without")]
    for missing_is_unequal in (False, True):
        await told.now(missing_is_unequal=missing_is_unequal)
        token = await store.upsert(scope, rows)
        for where in (Ne("title", "x"), NotIn("title", ("x", "z")), Not(Has("tags", "x"))):
            found = await store.search(scope, QUERY, limit=9, where=where, after=token)
            assert [match.id for match in found] == ["other", "without"]


# Limits.


async def test_batches_stay_below_the_largest_request(told: Told, scope: Scope) -> None:
    """With the most numbers that a vector may have, with long ids, and with as much in the fields as there may be."""
    store = told.store()
    widest = CollectionSpec(CollectionName("widest"), 4000, Metric.DOT, {"tags": FieldType.STRINGS}, "test")
    await store.ensure(widest)
    where = Scope(widest.name, scope.organization)
    numbers = Embedding.of([(-1) ** place / (1 + place % 977) for place in range(4000)])
    tags = tuple(f"{place:02}" + "\u00e9" * 500 for place in range(29))
    rows = [VectorRecord(VectorId(f"{place:0256}"), numbers, {"tags": tags}) for place in range(60)]
    token = await store.upsert(where, rows)
    found = await store.get(where, [row.id for row in rows], after=token)
    assert {name: row.vector for name, row in found.items()} == {row.id: numbers for row in rows}


async def test_many_matches_with_large_fields_are_told_in_parts(store: PineconeVectorStore, scope: Scope) -> None:
    """Together they are more than one answer may hold."""
    tags = tuple("x" * 1000 for _ in range(29))
    rows = [record(f"r{number:03}", [1, number / 100, 0, 0], tags=tags) for number in range(180)]
    token = await store.upsert(scope, rows)
    found = await store.search(scope, QUERY, limit=170, after=token)
    assert [match.id for match in found] == [row.id for row in rows[:170]]
    assert all(match.fields == {"tags": tags} for match in found)
    told = await store.get(scope, [row.id for row in rows])
    assert all(row.fields == {"tags": tags} for row in told.values())


async def test_vectors_come_back_to_the_last_bit(store: PineconeVectorStore, scope: Scope) -> None:
    """Though they travel with fewer digits than Python writes."""
    given = [Embedding.of([1 / 3, 1e-12, -2e-7 / 3, 0.1 * number]) for number in range(50)]
    rows = [VectorRecord(VectorId(f"r{number}"), vector, {}) for number, vector in enumerate(given)]
    token = await store.upsert(scope, rows)
    found = await store.get(scope, [row.id for row in rows], after=token)
    assert [found[row.id].vector for row in rows] == given


async def test_what_is_read_by_id_without_a_token_is_the_organizations_own(
    told: Told, store: PineconeVectorStore, scope: Scope
) -> None:
    """It is asked for in another way than with one."""
    await store.upsert(scope, [record("a")])
    await told.now()
    assert (await store.get(scope, ids("a"))).keys() == {VectorId("a")}
    assert await store.get(fresh_scope(), ids("a")) == {}


async def test_the_longest_specification_is_kept(told: Told) -> None:
    """As tags of the index, which are few and short."""
    fields = {
        f"f{number:02}_{'abcdefghijklmnopqrstuvwxyz_0123456789' * 2:.59}": FieldType.STRINGS for number in range(32)
    }
    spec = CollectionSpec(CollectionName("c" * 45), 3, Metric.DOT, fields, "e" * 200)
    await told.store().ensure(spec)
    other = told.store()
    await other.ensure(spec)
    with pytest.raises(CollectionMismatchError):
        await other.ensure(replace(spec, embedding="f" * 200))


async def test_a_prefix_keeps_installations_apart(told: Told, store: PineconeVectorStore, scope: Scope) -> None:
    """In one project; a name that it makes too long is refused."""
    await store.upsert(scope, [record("a")])
    other = told.store(prefix="staging-")
    await other.ensure(SPEC)
    assert await other.get(scope, ids("a")) == {}
    await other.drop(SPEC.name)
    token = await store.upsert(scope, [record("b")])
    assert set(await store.get(scope, ids("a", "b"), after=token)) == {"a", "b"}
    with pytest.raises(InvalidInputError):
        await other.ensure(replace(SPEC, name=CollectionName("c" * 45)))


# Indexes.


async def test_an_index_takes_its_time(told: Told, scope: Scope) -> None:
    """It is waited for when it is made, and when it is removed."""
    await told.now(looks_until_ready=3)
    store = told.store()
    await store.ensure(SPEC)
    await store.upsert(scope, [record("a")])
    await store.drop(SPEC.name)
    await store.ensure(replace(SPEC, embedding="another"))
    assert list(await store.search(scope, QUERY, limit=1)) == []


async def test_two_processes_make_one_index(told: Told) -> None:
    """At the same moment: neither fails."""
    await told.now(looks_until_ready=2)
    await asyncio.gather(*(told.store().ensure(SPEC) for _ in range(4)))
    assert (await told.requests())["POST indexes"] >= 1


async def test_somebody_elses_index_is_left_alone(told: Told, scope: Scope) -> None:
    """It has the name, and none of our tags."""
    name = SPEC.name.replace("_", "-")
    field = {"type": "dense_vector", "dimension": 4, "metric": "cosine"}
    async with AsyncPinecone(
        told.key, host=shared("pinecone_emulator").url, retry_config=RetryConfig(max_retries=0)
    ) as bare:
        await bare.indexes.create(name=name, schema={"fields": {"embedding": field}})
    store = told.store()
    for call in (store.ensure(SPEC), store.upsert(scope, [record("a")])):
        assert type(await failure(call)) is CollectionMismatchError


@pytest.mark.parametrize("call", CALLS)
async def test_an_index_that_somebody_dropped_is_said(
    told: Told, store: PineconeVectorStore, scope: Scope, call: str
) -> None:
    """Clause 21: also by the process that has used it; and used again once somebody has made it anew."""
    await store.upsert(scope, [record("a", amount=1)])
    other = told.store()
    await other.drop(SPEC.name)
    assert type(await failure(CALLS[call](store, scope))) is CollectionMissingError
    await other.ensure(SPEC)
    await CALLS[call](store, scope)


async def test_what_finds_no_namespace_opens_no_further_connections(store: PineconeVectorStore, scope: Scope) -> None:
    """An organization that never wrote is usual; its calls go on with the index that is open."""
    await store.ensure(SPEC)
    for _ in range(5):
        await store.delete(scope, ids("a"))
        assert await store.count(scope) == 0
    assert store._indexes._retired == []  # noqa: SLF001 - nothing else shows it


async def test_a_full_project_is_said(told: Told) -> None:
    """And is no matter of trying again."""
    await told.now(most_indexes=0)
    error = await failure(told.store().ensure(SPEC))
    assert (type(error), error.retryable) == (QuotaExceededError, False)


async def test_a_region_that_is_none_is_said(told: Told) -> None:
    """By its name."""
    error = await failure(told.store(region="nowhere-1").ensure(SPEC))
    assert type(error) is BackendError
    assert "aws/nowhere-1" in str(error)


# Refusals, and who tries again.


@pytest.mark.parametrize(
    ("status", "kind", "more"),
    [
        (429, RateLimitedError, {"retry_after": 0.01}),
        (429, RateLimitedError, {}),
        (503, BackendRefusedError, {}),
        (500, BackendUnavailableError, {}),
        (402, BackendError, {}),
        (403, AuthenticationError, {}),
        (408, DeadlineExceededError, {}),
        (418, BackendError, {}),
    ],
)
async def test_a_refusal_is_told_and_asked_once(
    told: Told, store: PineconeVectorStore, scope: Scope, status: int, kind: type[FaultMavenError], more: dict[str, Any]
) -> None:
    """By the class of our error; the client would have tried four times."""
    await store.upsert(scope, [record("a")])  # knows the index's address
    before = await told.requests()
    for name, call in CALLS.items():
        await told.refusals("documents", status, times=NEVER, **more)
        if name != "count":
            assert type(await failure(call(store, scope))) is kind
    await told.refusals("namespaces", status, times=NEVER, **more)
    assert type(await failure(store.count(scope))) is kind
    await told.refusals("indexes", status, times=NEVER, **more)
    assert type(await failure(store.ping())) is kind
    asked = {kind: count - before.get(kind, 0) for kind, count in (await told.requests()).items()}
    assert {kind: count for kind, count in asked.items() if count} == {
        "POST namespaces/documents/upsert": 1,
        "POST namespaces/documents/delete": 3,
        "POST namespaces/documents/search": 1,
        "POST namespaces/documents/fetch": 2,
        "POST namespaces/documents/list": 1,
        "GET namespaces": 1,
        "GET indexes": 2,  # the ping, and before the upsert a look whether the index is what it was
    }


async def test_the_service_says_how_long_to_wait(told: Told, store: PineconeVectorStore, scope: Scope) -> None:
    """And we pass it on."""
    await told.refusals("upsert", 429, retry_after=7)
    error = await failure(store.upsert(scope, [record("a")]))
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 7


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_one_failure_then_success_leaves_one_copy(
    told: Told, store: PineconeVectorStore, scope: Scope, status: int
) -> None:
    """Clause 30: the wrapper tries again."""
    wrapped = resilient(store, VECTORS, "The vector store")
    await told.refusals("upsert", status, retry_after=0.01)
    token = await wrapped.upsert(scope, [record("a", NORTH)])
    await told.refusals("search", status, retry_after=0.01)
    assert [match.id for match in await wrapped.search(scope, QUERY, limit=9, after=token)] == ["a"]
    assert (await told.requests())["POST namespaces/documents/upsert"] == 2


async def test_a_wrong_key_is_said_without_telling_it(told: Told, store: PineconeVectorStore, scope: Scope) -> None:
    """By every call, and it is no matter of trying again."""
    stranger = emulated_store(WRONG)
    try:
        for call in (stranger.ping(), stranger.ensure(SPEC), stranger.inspect(), stranger.upsert(scope, [record("a")])):
            error = await failure(call)
            assert (type(error), error.retryable) == (AuthenticationError, False)
            assert WRONG not in "".join(traceback.format_exception(error))
    finally:
        await stranger.aclose()


# Inspection.


async def test_inspection_tells_place_and_indexes(told: Told, store: PineconeVectorStore) -> None:
    """And warns of a connection without encryption."""
    found = await store.inspect()
    assert found.product == "Pinecone (aws us-east-1, 1 of 1 indexes ours)"
    assert found.version.startswith("client 10.")
    assert [warning.split(":")[0] for warning in found.warnings] == ["The key and all content travel unencrypted"]
    elsewhere = await told.store(region="eu-west-1").inspect()
    assert any("stands in aws/us-east-1" in warning for warning in elsewhere.warnings)


async def test_inspection_finds_the_dead_client(store: PineconeVectorStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both distributions own one folder, so the one breaks the other."""
    from importlib import metadata

    known = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "6.0.0" if name == "pinecone-client" else known(name))
    found = await store.inspect()
    assert any("pip uninstall pinecone-client" in warning for warning in found.warnings)


async def test_inspection_tells_of_an_index_that_is_not_ready(told: Told, store: PineconeVectorStore) -> None:
    """What is in it cannot be read now."""
    await told.now(looks_until_ready=NEVER)
    async with AsyncPinecone(
        told.key, host=shared("pinecone_emulator").url, retry_config=RetryConfig(max_retries=0)
    ) as bare:
        await bare.indexes.delete(SPEC.name.replace("_", "-"), timeout=-1)
    found = await store.inspect()
    assert any("is Terminating" in warning for warning in found.warnings)


def test_a_key_is_in_no_text() -> None:
    """Neither of the store nor of its project."""
    store = PineconeVectorStore(Secret(WRONG))
    assert WRONG not in f"{store!r}{vars(store)!r}"
