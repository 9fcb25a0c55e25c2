"""What only Milvus has: users, certificates, databases, codes, collections of other programs, a process for Lite."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc, schema_pb2

from faultmaven_adapters.vectors.milvus import MilvusVectorStore
from faultmaven_adapters.vectors.milvus.lite import LiteLink
from faultmaven_adapters.vectors.milvus.messages import pairs
from faultmaven_contract_tests.servers import Server, private, shared
from faultmaven_contract_tests.servers.milvus import STRANGER
from faultmaven_contract_tests.vector_faults import recovered
from faultmaven_contract_tests.vector_samples import EAST, SPEC, fresh_scope, fresh_spec, ids, record
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.ports.vectors import CollectionMissingError, Embedding, Scope, VectorId
from faultmaven_core.shared.errors import (
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    CorruptDataError,
    DeadlineExceededError,
    FaultMavenError,
    RateLimitedError,
)
from faultmaven_core.shared.secret import Secret

Opens = Callable[..., MilvusVectorStore]
QUERY = Embedding.of(EAST)


@pytest.fixture
async def opens() -> AsyncIterator[Opens]:
    """Opens stores, which are closed at the end."""
    stores: list[MilvusVectorStore] = []

    def opened(place: str, **options: Any) -> MilvusVectorStore:
        stores.append(MilvusVectorStore(place, **{"timeout": 10.0, **options}))
        return stores[-1]

    yield opened
    for store in stores:
        await store.aclose()


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server with TLS and users, whose authority this process trusts."""
    server = shared("milvus_tls")
    monkeypatch.setenv("SSL_CERT_FILE", server.ca)
    return server


def token(server: Server, user: str = "root") -> Secret:
    """The right one."""
    return Secret(f"{user}:{server.password}")


@pytest.mark.servers("milvus_tls")
async def test_a_known_user_over_tls(opens: Opens, guarded: Server) -> None:
    """Everything works."""
    store = opens(guarded.url, token=token(guarded))
    await store.ensure(SPEC)
    scope = fresh_scope()
    written = await store.upsert(scope, [record("a", amount=1)])
    assert [match.id for match in await store.search(scope, QUERY, limit=5, after=written)] == ["a"]
    assert (await store.inspect()).warnings == ()


@pytest.mark.servers("milvus_tls")
@pytest.mark.parametrize("given", [None, Secret("root:a-canary-that-opens-nothing")], ids=["none", "wrong"])
async def test_a_server_that_refuses_us(opens: Opens, guarded: Server, given: Secret | None) -> None:
    """Trying again is no use, and nobody reads the password."""
    with pytest.raises(AuthenticationError, match="FM_VECTORS_API_KEY") as caught:
        await opens(guarded.url, token=given).ping()
    assert not caught.value.retryable
    assert "canary" not in str(caught.value)


@pytest.mark.servers("milvus_tls")
async def test_a_user_without_rights(opens: Opens, guarded: Server) -> None:
    """Is told from a collection that is not there."""
    with pytest.raises(AuthenticationError, match="rights"):
        await opens(guarded.url, token=token(guarded, STRANGER)).ensure(fresh_spec())


@pytest.mark.servers("milvus_tls")
async def test_a_certificate_that_nobody_trusts(opens: Opens, guarded: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is said as such; the password is not sent."""
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(BackendError, match="certificate") as caught:
        await opens(guarded.url, token=token(guarded)).ping()
    assert not caught.value.retryable


@pytest.mark.servers("milvus_tls")
async def test_plain_text_to_a_server_with_tls(opens: Opens, guarded: Server) -> None:
    """Says where to look."""
    with pytest.raises(BackendRefusedError, match="http or https"):
        await opens(guarded.url.replace("https:", "http:"), token=token(guarded)).ping()


@pytest.mark.servers("milvus")
async def test_plain_text_is_warned_of(opens: Opens) -> None:
    """Beside the version."""
    told = await opens(shared("milvus").url).inspect()
    assert told.product == "Milvus"
    assert any("milvus+https" in warning for warning in told.warnings)


async def test_a_host_that_nobody_knows(opens: Opens) -> None:
    """And a port where nobody listens."""
    with pytest.raises(BackendRefusedError, match="reached"):
        await opens("http://nobody.invalid:19530").ping()


@pytest.mark.servers("milvus")
async def test_a_database_that_nobody_made(opens: Opens) -> None:
    """Is said at the first look, not made by the way."""
    with pytest.raises(BackendError, match="no such database"):
        await opens(shared("milvus").url, database="nobody").ping()


@pytest.mark.servers("milvus")
async def test_a_collection_of_another_program_is_left_alone(opens: Opens) -> None:
    """It is neither used nor taken for a missing one."""
    server, spec = shared("milvus"), fresh_spec()
    columns = [
        schema_pb2.FieldSchema(name="id", data_type=schema_pb2.Int64, is_primary_key=True),
        schema_pb2.FieldSchema(name="v", data_type=schema_pb2.FloatVector, type_params=pairs({"dim": 4})),
    ]
    theirs = schema_pb2.CollectionSchema(name=spec.name, description="theirs", fields=columns)
    with grpc.insecure_channel(server.url.removeprefix("http://")) as channel:
        stub = milvus_pb2_grpc.MilvusServiceStub(channel)
        stub.CreateCollection(
            milvus_pb2.CreateCollectionRequest(collection_name=spec.name, schema=theirs.SerializeToString())
        )
        try:
            store = opens(server.url)
            with pytest.raises(CorruptDataError, match=spec.name):
                await store.ensure(spec)
            with pytest.raises(CorruptDataError, match=spec.name):
                await store.count(fresh_scope(spec))
        finally:
            stub.DropCollection(milvus_pb2.DropCollectionRequest(collection_name=spec.name))


STATUSES: dict[str, tuple[common_pb2.Status, type[FaultMavenError], bool]] = {
    "rate": (common_pb2.Status(code=8, error_code="RateLimit"), RateLimitedError, True),
    "quota": (common_pb2.Status(code=9, error_code="ForceDeny"), BackendUnavailableError, True),
    "starting": (common_pb2.Status(code=1, error_code="NotReadyServe"), BackendUnavailableError, True),
    "loading": (common_pb2.Status(code=103, error_code="UnexpectedError"), BackendUnavailableError, True),
    "moving": (common_pb2.Status(code=503, error_code="UnexpectedError"), BackendUnavailableError, True),
    "newer": (common_pb2.Status(code=2300, retriable=True), BackendUnavailableError, True),
    "gone": (common_pb2.Status(code=100, error_code="CollectionNotExists"), CollectionMissingError, False),
    "rights": (common_pb2.Status(code=1401, error_code="UnexpectedError"), AuthenticationError, False),
    "unknown": (common_pb2.Status(code=65535, error_code="UnexpectedError"), BackendError, False),
}


@pytest.mark.parametrize("name", STATUSES)
async def test_codes_are_told_apart(opens: Opens, name: str) -> None:
    """Those that no server here can be brought to give, given by a server of the test's own."""
    status, expected, retryable = STATUSES[name]
    status.reason = "a-canary of the server's own words"
    with answering(status) as url, pytest.raises(expected) as caught:
        await opens(url).ping()
    assert type(caught.value) is expected
    assert caught.value.retryable is retryable
    assert "canary" not in str(caught.value)


@contextlib.contextmanager
def answering(status: common_pb2.Status) -> Iterator[str]:
    """A server that answers one call, with this."""

    class Service(milvus_pb2_grpc.MilvusServiceServicer):  # type: ignore[misc]  # generated, without types
        def ShowCollections(self, _request: object, _context: object) -> Any:  # noqa: N802 - the service's name
            return milvus_pb2.ShowCollectionsResponse(status=status)

    server = grpc.server(ThreadPoolExecutor(1))
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


async def test_a_killed_server_keeps_what_it_confirmed(opens: Opens) -> None:
    """Also what stood nowhere but in its log; meanwhile it is said to be down."""
    with contextlib.ExitStack() as stack:
        server = await asyncio.to_thread(stack.enter_context, private("milvus"))
        store = opens(server.url, timeout=30.0)
        await store.ensure(SPEC)
        scope = fresh_scope()
        await store.upsert(scope, [record("a"), record("b")])
        await store.delete(scope, ids("b"))
        server.kill()
        with pytest.raises(BackendUnavailableError):
            await store.count(scope)
        await asyncio.to_thread(server.restart)
        await recovered(store)
        assert await counted_again(store, scope) == 1
        assert set(await store.get(scope, ids("a", "b"))) == {"a"}


async def counted_again(store: MilvusVectorStore, scope: Scope) -> int:
    """How many there are, when the server has loaded them again."""
    async with asyncio.timeout(90):
        while True:
            try:
                return await store.count(scope)
            except (BackendUnavailableError, DeadlineExceededError):
                await asyncio.sleep(0.2)


async def test_a_killed_process_of_lite_keeps_what_it_confirmed(opens: Opens, tmp_path: Path) -> None:
    """One call fails, the next one starts another."""
    store = opens(str(tmp_path / "milvus"))
    await store.ensure(SPEC)
    scope = fresh_scope()
    await store.upsert(scope, [record("a", title="kept")])
    (process,) = [child for child in psutil.Process().children() if str(tmp_path) in " ".join(child.cmdline())]
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    with pytest.raises(BackendUnavailableError, match="process"):
        await store.count(scope)
    found = await store.get(scope, ids("a"))
    assert found[VectorId("a")].fields == {"title": "kept"}


async def test_an_order_that_lite_does_not_take_is_told_in_time(tmp_path: Path) -> None:
    """It is larger than what the system keeps on its way; the hung process is replaced and does not hold up the end."""
    link = LiteLink(tmp_path / "milvus", timeout=8.0)
    ping = milvus_pb2.ShowCollectionsRequest()
    await asyncio.to_thread(link.exchange, "ShowCollections", ping)
    (process,) = [child for child in psutil.Process().children() if str(tmp_path) in " ".join(child.cmdline())]
    process.suspend()
    large = milvus_pb2.InsertRequest(collection_name="x" * (8 << 20))
    waiting = asyncio.create_task(asyncio.to_thread(link.exchange, "Insert", large))
    try:
        with pytest.raises(DeadlineExceededError):
            async with asyncio.timeout(60):
                await waiting
        assert not process.is_running()
        await asyncio.to_thread(link.exchange, "ShowCollections", ping)
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
        await asyncio.to_thread(link.close)


async def test_a_folder_that_cannot_be_opened(opens: Opens, tmp_path: Path) -> None:
    """Is said, and nothing hangs."""
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(BackendError, match="rights"):
        await opens(str(tmp_path / "file" / "milvus")).ping()
