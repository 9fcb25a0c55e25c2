"""What Chroma does when its process, its server or the network fails, and what its two ways keep to themselves."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import signal
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from faultmaven_adapters.resilience.policy import resilient
from faultmaven_adapters.vectors.chroma import ChromaVectorStore
from faultmaven_adapters.vectors.chroma.embedded import EmbeddedWire
from faultmaven_adapters.vectors.chroma.wire import Operation
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.servers import private, shared
from faultmaven_contract_tests.vector_samples import EAST, SPEC, fresh_scope, fresh_spec, ids, record, scanned
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.ports.policy import VECTORS
from faultmaven_core.ports.vector_filters import Eq
from faultmaven_core.ports.vectors import CollectionMissingError, Embedding, Scope, VectorStore
from faultmaven_core.shared.errors import (
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    ConflictError,
    DeadlineExceededError,
    FaultMavenError,
    InvalidInputError,
    MisconfiguredError,
    RateLimitedError,
    TooLargeError,
    UnsupportedError,
)
from faultmaven_core.shared.secret import Secret

QUERY = Embedding.of(EAST)
TOKEN = "a-canary-that-opens-nothing"
PATIENCE = 60.0
"""Seconds within which a failure is told, with time-outs of one second; the rest is for busy machines."""

CALLS: dict[str, Callable[[VectorStore, Scope], Awaitable[object]]] = {
    "upsert": lambda store, scope: store.upsert(scope, [record("a", amount=1)]),
    "delete": lambda store, scope: store.delete(scope, ids("b")),
    "delete_matching": lambda store, scope: store.delete_matching(scope, Eq("amount", 2)),
    "search": lambda store, scope: store.search(scope, QUERY, limit=1),
    "get": lambda store, scope: store.get(scope, ids("a")),
    "count": lambda store, scope: store.count(scope),
    "scan": scanned,
    "ping": lambda store, _scope: store.ping(),
    "inspect": lambda store, _scope: store.inspect(),
    "delete_organization": lambda store, scope: store.delete_organization(scope),
}


async def failures(store: VectorStore, scope: Scope) -> dict[str, FaultMavenError]:
    """The error of every call, by its name; each is told in time."""
    found: dict[str, FaultMavenError] = {}
    for name, call in CALLS.items():
        with pytest.raises(FaultMavenError) as told:
            async with asyncio.timeout(PATIENCE):
                await call(store, scope)
        found[name] = told.value
    return found


def kinds(errors: dict[str, FaultMavenError]) -> set[type[FaultMavenError]]:
    """Their classes."""
    return {type(error) for error in errors.values()}


def answer(status: str, *headers: str, body: str = '{"error":"ChromaError","message":"no"}') -> bytes:
    """What a server or a proxy in front of it says."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", body]
    return "\r\n".join(lines).encode()


@pytest.mark.servers("chroma")
class TestServer:
    """Over a network."""

    @pytest.fixture
    async def proxy(self) -> AsyncIterator[FaultProxy]:
        """In front of the server."""
        place = urlsplit(shared("chroma").url)
        async with FaultProxy(str(place.hostname), place.port or 0) as proxy:
            yield proxy

    @pytest.fixture
    async def store(self, proxy: FaultProxy) -> AsyncIterator[ChromaVectorStore]:
        """With a token."""
        url = proxy.through(shared("chroma").url)
        store = ChromaVectorStore(url=url, token=Secret(TOKEN))
        yield store
        proxy.refuse = proxy.blackhole = False
        proxy.answer(None)
        await store.aclose()

    @pytest.fixture
    async def scope(self, store: ChromaVectorStore) -> Scope:
        """With one record."""
        await store.ensure(SPEC)
        scope = fresh_scope()
        await store.upsert(scope, [record("a")])
        return scope

    async def test_an_unreachable_server_is_said_in_time(
        self, store: ChromaVectorStore, scope: Scope, proxy: FaultProxy
    ) -> None:
        """Clause 29: nothing has happened; it works again when the server is back."""
        proxy.refuse = True
        proxy.cut()
        first, *others = (await failures(store, scope)).values()
        # The first one has a connection yet, and sees it break.
        assert isinstance(first, BackendUnavailableError)
        assert {type(error) for error in others} == {BackendRefusedError}
        proxy.refuse = False
        for call in CALLS.values():
            await call(store, scope)

    async def test_a_hung_server_is_said_in_time(
        self, store: ChromaVectorStore, scope: Scope, proxy: FaultProxy
    ) -> None:
        """Connections are taken and nothing is answered."""
        impatient = ChromaVectorStore(url=proxy.through(shared("chroma").url), timeout=1.0)
        proxy.blackhole = True
        async with asyncio.timeout(PATIENCE):
            told = await asyncio.gather(*(call(impatient, scope) for call in CALLS.values()), return_exceptions=True)
        assert {type(error) for error in told} == {DeadlineExceededError}
        proxy.blackhole = False
        await impatient.aclose()
        assert set(await store.get(scope, ids("a"))) == {"a"}

    async def test_a_connection_that_breaks_is_no_end(
        self, store: ChromaVectorStore, scope: Scope, proxy: FaultProxy
    ) -> None:
        """The server has done it and its answer is lost: worth another try, which leaves one copy."""
        proxy.cut_next_reply(b"/upsert")
        with pytest.raises(BackendUnavailableError):
            await store.upsert(scope, [record("b")])
        await store.upsert(scope, [record("b")])
        assert await store.count(scope) == 2

    async def test_one_refusal_then_success_leaves_one_copy(
        self, store: ChromaVectorStore, scope: Scope, proxy: FaultProxy
    ) -> None:
        """Clause 30: through the wrapper."""
        wrapped = resilient(store, VECTORS, "The vector store")
        for name, call in CALLS.items():
            proxy.answer(answer("503 Service Unavailable"))
            before = proxy.requests_seen
            calling = asyncio.ensure_future(call(wrapped, scope))
            if name not in ("ping", "inspect"):
                async with asyncio.timeout(PATIENCE):
                    while proxy.requests_seen == before:  # noqa: ASYNC110 - the proxy counts, it tells nobody
                        await asyncio.sleep(0.002)
                    proxy.answer(None)
                    await calling
            else:
                with pytest.raises(BackendRefusedError):
                    await calling
                proxy.answer(None)
        assert await store.count(scope) == 0

    @pytest.mark.parametrize(
        ("said", "kind"),
        [
            (answer("401 Unauthorized"), AuthenticationError),
            (answer("403 Forbidden", body="<html>"), AuthenticationError),
            (answer("413 Payload Too Large"), TooLargeError),
            (answer("429 Too Many Requests", "Retry-After: 7"), RateLimitedError),
            (answer("500 Internal Server Error"), BackendUnavailableError),
            (answer("502 Bad Gateway", body="<html>"), BackendRefusedError),
            (answer("504 Gateway Timeout"), DeadlineExceededError),
            (answer("400 Bad Request"), BackendError),
            (answer("422 Unprocessable Entity"), BackendError),
            (answer("423 Locked"), BackendError),
            (answer("424 Failed Dependency"), BackendError),
            (answer("404 Not Found", body="<html>"), MisconfiguredError),
            (answer("404 Not Found", body='{"error":"NotFoundError","message":"no database"}'), MisconfiguredError),
            (answer("302 Found", "Location: http://192.0.2.1/"), BackendError),
            (answer("200 OK", body="<html>"), BackendError),
        ],
        ids=lambda value: value.__name__ if isinstance(value, type) else value.split(b"\r")[0].decode(),
    )
    async def test_what_is_refused_is_told_apart(
        self, store: ChromaVectorStore, scope: Scope, proxy: FaultProxy, said: bytes, kind: type[FaultMavenError]
    ) -> None:
        """By class; never as an empty answer."""
        proxy.answer(said)
        errors = await failures(store, scope)
        assert kinds(errors) == {kind}
        assert [error.retry_after for error in errors.values() if isinstance(error, RateLimitedError)] in (
            [],
            [7.0] * len(CALLS),
        )

    async def test_no_token_is_in_any_text(
        self, store: ChromaVectorStore, scope: Scope, proxy: FaultProxy, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Errors, what caused them, representations and our log."""
        caplog.set_level(logging.DEBUG, "faultmaven_adapters")
        texts = [repr(store), repr(vars(store))]
        for status in ("401 Unauthorized", "424 Failed Dependency", "500 Oh"):
            proxy.answer(answer(status, body=f"bad token {TOKEN}"))
            errors = await failures(store, scope)
            texts += [str(error) for error in errors.values()]
        proxy.refuse = True
        proxy.cut()
        texts += traceback.format_exception((await failures(store, scope))["ping"])
        assert caplog.text
        texts.append(caplog.text)
        assert [text for text in texts if TOKEN in text] == []

    async def test_a_collection_that_another_made_anew_is_found(self, store: ChromaVectorStore, scope: Scope) -> None:
        """What this one remembers of the old one does not lead it astray."""
        spec = fresh_spec()
        other = ChromaVectorStore(url=shared("chroma").url)
        mine = fresh_scope(spec)
        try:
            await other.ensure(spec)
            await store.upsert(mine, [record("old")])
            await other.drop(spec.name)
            await other.ensure(spec)
            assert await store.count(mine) == 0
            await other.upsert(mine, [record("new")])
            assert await scanned(store, mine) == ["new"]
            await store.upsert(mine, [record("more")])
            assert await scanned(other, mine) == ["more", "new"]
            await other.drop(spec.name)
            with pytest.raises(CollectionMissingError):
                await store.upsert(mine, [record("x")])
        finally:
            await other.drop(spec.name)
            await other.aclose()

    async def test_a_killed_server_comes_back_with_what_it_had(self) -> None:
        """Clause 29: what was answered is there."""
        with private("chroma") as server:
            store = ChromaVectorStore(url=server.url)
            try:
                await store.ensure(SPEC)
                scope = fresh_scope()
                await store.upsert(scope, [record(f"r{number}") for number in range(300)])
                server.kill()
                with pytest.raises(BackendUnavailableError):
                    await store.search(scope, QUERY, limit=1)
                await asyncio.to_thread(server.restart)
                assert await store.count(scope) == 300
                assert len(await store.get(scope, ids(*(f"r{number}" for number in range(300))))) == 300
                assert len(await store.search(scope, QUERY, limit=5)) == 5
            finally:
                await store.aclose()


class TestFolder:
    """In a process of ours."""

    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[ChromaVectorStore]:
        """In a fresh folder."""
        store = ChromaVectorStore(tmp_path / "chroma")
        yield store
        await store.aclose()

    async def test_a_process_that_dies_is_started_again(self, store: ChromaVectorStore) -> None:
        """Clause 29: one call fails, and what was answered before is there."""
        await store.ensure(SPEC)
        scope = fresh_scope()
        await store.upsert(scope, [record("a", amount=1)])
        os.kill(child().pid, signal.SIGKILL)
        with pytest.raises(BackendUnavailableError):
            await store.search(scope, QUERY, limit=1)
        (found,) = await store.search(scope, QUERY, limit=1)
        assert found.fields == {"amount": 1}

    async def test_a_process_that_hangs_is_replaced(self, tmp_path: Path) -> None:
        """And the call that waited for it is told so."""
        store = ChromaVectorStore(tmp_path / "chroma", timeout=8.0)
        await store.ensure(SPEC)
        process = child()
        process.suspend()
        with pytest.raises(DeadlineExceededError):
            await store.count(fresh_scope())
        assert not process.is_running()
        assert await store.count(fresh_scope()) == 0
        await store.aclose()

    async def test_an_answer_that_nobody_waits_for_is_nobody_elses(self, store: ChromaVectorStore) -> None:
        """A cancelled call is done to its end, and the next one gets its own answer from the same process."""
        await store.ensure(SPEC)
        scope = fresh_scope()
        await store.upsert(scope, [record("a")])
        process = child()
        process.suspend()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await store.search(scope, QUERY, limit=1)
        process.resume()
        assert await store.count(scope) == 1
        assert process.is_running()

    async def test_a_call_that_is_cancelled_before_its_turn_never_happens(self, store: ChromaVectorStore) -> None:
        """Whoever gave it up may rely on that."""
        await store.ensure(SPEC)
        scope = fresh_scope()
        await store.upsert(scope, [record("a")])
        process = child()
        process.suspend()
        first = asyncio.create_task(store.count(scope))
        second = asyncio.create_task(store.delete(scope, ids("a")))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(second, 0.1)
        process.resume()
        assert await first == 1
        assert await scanned(store, scope) == ["a"]

    async def test_a_call_that_waits_while_the_store_is_closed_is_told_so(self, tmp_path: Path) -> None:
        """The one before it comes to its end, and the process ends after that."""
        wire = EmbeddedWire(tmp_path / "chroma", timeout=PATIENCE)
        await wire(Operation.PING)
        process = child()
        process.suspend()
        calls = [asyncio.create_task(wire(Operation.PING)) for _ in range(2)]
        closing = asyncio.create_task(wire.aclose())
        await asyncio.sleep(0)  # all three have begun
        process.resume()
        first, second = await asyncio.gather(*calls, return_exceptions=True)
        await closing
        assert (first, type(second)) == (0, ConflictError)
        assert not process.is_running()

    async def test_an_order_that_is_not_taken_does_not_hold_up_the_loop(self, tmp_path: Path) -> None:
        """It is larger than what the system keeps on its way; the loop has to go on for the time-out to come."""
        wire = EmbeddedWire(tmp_path / "chroma", timeout=8.0)
        await wire(Operation.PING)
        child().suspend()
        with pytest.raises(DeadlineExceededError):
            await wire(Operation.UPSERT, "large", {"embeddings": [bytes(8 << 20)]})
        await wire.aclose()

    async def test_the_process_is_told_no_secret_and_ends(
        self, store: ChromaVectorStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody else may read the folder; closing waits for the end."""
        monkeypatch.setenv("FM_VECTORS_API_KEY", TOKEN)
        await store.ping()
        process = child()
        assert TOKEN not in str(process.environ())
        modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "chroma").rglob("*")}
        assert modes == {0}
        await store.aclose()
        assert not process.is_running()

    async def test_a_second_store_is_refused_until_the_first_is_closed(
        self, store: ChromaVectorStore, tmp_path: Path
    ) -> None:
        """Its searches would miss what the first one writes."""
        await store.ensure(SPEC)
        second = ChromaVectorStore(tmp_path / "chroma")
        with pytest.raises(UnsupportedError, match="start a Chroma server"):
            await second.ping()
        await store.aclose()
        await second.ensure(SPEC)
        await second.aclose()

    async def test_a_folder_that_cannot_be_made_is_an_error(self, tmp_path: Path) -> None:
        """Told by the first call, not by silence."""
        (tmp_path / "file").write_text("x")
        store = ChromaVectorStore(tmp_path / "file" / "chroma")
        with pytest.raises(MisconfiguredError) as told:
            await store.ping()
        assert str(tmp_path / "file" / "chroma") in str(told.value)
        assert os.strerror(errno.ENOTDIR) in str(told.value)
        await store.aclose()

    async def test_calls_that_fail_leave_nothing_in_memory(self, tmp_path: Path) -> None:
        """However long nobody mends the folder."""
        (tmp_path / "file").write_text("x")
        wire = EmbeddedWire(tmp_path / "file" / "chroma", timeout=PATIENCE)
        kept = []
        for _ in range(4):
            with pytest.raises(MisconfiguredError):
                await wire(Operation.PING)
            gc.collect()
            kept.append(sum(isinstance(found, asyncio.Task) for found in gc.get_objects()))
        assert kept[-1] <= kept[0]
        await wire.aclose()

    async def test_a_folder_that_chroma_refuses_is_an_error_that_names_it(self, tmp_path: Path) -> None:
        """As one whose database is none, every time; what Chroma says goes to the log."""
        folder = tmp_path / "chroma"
        folder.mkdir()
        (folder / "chroma.sqlite3").write_bytes(b"this is no database, and never was one" * 200)
        store = ChromaVectorStore(folder)
        for _ in range(2):
            with pytest.raises(MisconfiguredError, match="damaged") as told:
                await store.ping()
            assert str(folder) in str(told.value)
        await store.aclose()


@pytest.mark.parametrize("place", [{}, {"path": Path("x"), "url": "http://127.0.0.1:1"}])
def test_a_place_is_a_folder_or_a_server(place: dict[str, object]) -> None:
    """Never both, never none."""
    with pytest.raises(InvalidInputError):
        ChromaVectorStore(**place)  # type: ignore[arg-type]  # that is what is tried


def child() -> psutil.Process:
    """The process that has the folder open."""
    found = [
        process
        for process in psutil.Process().children()
        if any(word.endswith("chroma.process") for word in process.cmdline())
    ]
    return max(found, key=lambda process: process.create_time())
