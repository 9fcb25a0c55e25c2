"""What every blob store promises that reaches its backend over a network, when the network or the backend fails."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from faultmaven_contract_tests.blobs import KEY, MIB, chunks, content, keys, megabytes, pattern
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.harness import Contract
from faultmaven_core.ports.blobs import BlobKey, BlobStore, BucketMissingError
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.shared.errors import (
    AmbiguousError,
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    DeadlineExceededError,
    FaultMavenError,
)

PATIENCE = 60.0
"""Seconds within which a failure is told, with time-outs of one second; the rest is for busy machines."""

LARGE = 20 * MIB
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def _open(store: BlobStore) -> None:
    async with store.open(KEY):
        pass


async def _list(store: BlobStore) -> None:
    await keys(store)


CALLS: dict[str, Callable[[BlobStore], Awaitable[object]]] = {
    "put": lambda store: store.put(BlobKey("org/new"), chunks(b"x"), mode="replace"),
    "put_large": lambda store: store.put(BlobKey("org/large"), chunks(*megabytes(LARGE)), mode="replace"),
    "create": lambda store: store.put(BlobKey("org/created"), chunks(b"x")),
    "open": _open,
    "stat": lambda store: store.stat(KEY),
    "delete": lambda store: store.delete([BlobKey("org/other")]),
    "list": _list,
    "ping": lambda store: store.ping(),
}


async def failure(call: Awaitable[object]) -> FaultMavenError:
    """The error of ours that it ends with, in time."""
    try:
        async with asyncio.timeout(PATIENCE):
            await call
    except FaultMavenError as error:
        return error
    pytest.fail("No error.")


async def failures(store: BlobStore) -> dict[str, FaultMavenError]:
    """The errors of all calls at once, by their names."""
    found = await asyncio.gather(*(failure(call(store)) for call in CALLS.values()))
    return dict(zip(CALLS, found, strict=True))


@pytest.mark.usefixtures("subject")
class BlobFaultContract(Contract):
    """A binding gives stores whose requests go through its `proxy`, and `secrets` that none of them may tell.

    `subject` is patient with outages, `wrapped` the same under its policies; `impatient` waits a second for an answer and
    one for the end of an outage; `stranger` has a wrong secret, `placeless` names a bucket that nobody made. `commits` are
    words of the requests that make a small and a large blob visible.
    """

    async def test_an_unreachable_backend_is_said_in_time(self, impatient: BlobStore, proxy: FaultProxy) -> None:
        """And is worth another try; it works again when the backend is back."""
        await impatient.put(KEY, chunks(b"x"))
        proxy.refuse = True
        proxy.cut()
        errors = await failures(impatient)
        assert {name: type(error) for name, error in errors.items()} == dict.fromkeys(CALLS, BackendRefusedError)
        proxy.refuse = False
        for call in CALLS.values():
            await call(impatient)

    async def test_a_hung_backend_is_said_in_time(self, impatient: BlobStore, proxy: FaultProxy) -> None:
        """Connections are taken and nothing is answered; a change may then have happened."""
        await impatient.put(KEY, chunks(b"x"))
        proxy.blackhole = True
        errors = await failures(impatient)
        assert {type(errors.pop(name)) for name in ("put", "create")} == {AmbiguousError}
        assert {type(error) for error in errors.values()} == {DeadlineExceededError}
        proxy.blackhole = False
        assert await content(impatient) == b"x"

    async def test_wrong_credentials_are_told_from_everything_else(self, stranger: BlobStore) -> None:
        """Trying again is no use."""
        errors = await failures(stranger)
        assert {name: type(error) for name, error in errors.items()} == dict.fromkeys(CALLS, AuthenticationError)
        assert not any(error.retryable for error in errors.values())

    async def test_a_missing_bucket_is_told_from_a_missing_blob(self, placeless: BlobStore) -> None:
        """Trying again is no use, and nobody makes one by the way."""
        errors = await failures(placeless)
        assert {name: type(error) for name, error in errors.items()} == dict.fromkeys(CALLS, BucketMissingError)
        assert not any(error.retryable for error in errors.values())

    @pytest.mark.parametrize("call", ["put", "create", "open", "stat", "delete", "list"])
    async def test_one_refusal_then_success_succeeds_once(
        self, wrapped: BlobStore, proxy: FaultProxy, call: str
    ) -> None:
        """Through the wrapper, also where a source was read already: what it gave is still kept."""
        await wrapped.put(KEY, chunks(b"x"))
        proxy.answer(BUSY)
        calling = asyncio.ensure_future(CALLS[call](wrapped))
        await self._asked(proxy)
        proxy.answer(None)
        async with asyncio.timeout(PATIENCE):
            await calling
        if call in {"put", "create"}:
            name = BlobKey("org/new" if call == "put" else "org/created")
            assert await content(wrapped, name) == b"x"

    async def test_a_large_source_is_read_once_whatever_fails(self, wrapped: BlobStore, proxy: FaultProxy) -> None:
        """What was refused is sent again, and nobody asks the caller for it twice."""
        given: list[int] = []

        async def source() -> AsyncIterator[bytes]:
            for number in range(20):
                if number == 15:
                    proxy.answer(BUSY)
                    healing.append(asyncio.create_task(self._heal(proxy, 1.0)))
                given.append(number)
                yield bytes([number]) * MIB

        healing: list[asyncio.Task[None]] = []
        await wrapped.put(KEY, source())
        assert given == list(range(20))
        assert await content(wrapped) == b"".join(bytes([number]) * MIB for number in range(20))
        await asyncio.gather(*healing)

    async def test_an_outage_leaves_uploads_whole_or_absent(
        self, subject: BlobStore, impatient: BlobStore, proxy: FaultProxy
    ) -> None:
        """Ten seconds of refusals in the middle of four uploads: what is acknowledged is there, what failed is not."""
        # All four have come into their middle when it begins.
        down = asyncio.Barrier(5)

        async def source(letter: bytes) -> AsyncIterator[bytes]:
            for block in megabytes(LARGE, letter):
                yield block
            await down.wait()
            for block in megabytes(LARGE, letter):
                yield block

        stores = {b"a": subject, b"b": subject, b"c": impatient, b"d": impatient}
        tasks = {
            letter: asyncio.create_task(store.put(BlobKey(f"org/{letter.decode()}"), source(letter)))
            for letter, store in stores.items()
        }
        async with asyncio.timeout(PATIENCE):
            await down.wait()
        proxy.answer(BUSY)
        await self._heal(proxy, 10.0)
        results = await asyncio.gather(*tasks.values(), return_exceptions=True)
        outcome = {letter: not isinstance(result, BaseException) for letter, result in zip(tasks, results, strict=True)}
        assert [letter for letter, stored in outcome.items() if stored] == [b"a", b"b"]
        assert all(isinstance(result, BackendError) for result in results if isinstance(result, BaseException))
        for letter, stored in outcome.items():
            key = BlobKey(f"org/{letter.decode()}")
            if stored:
                assert await content(subject, key) == letter * 2 * LARGE
            else:
                assert await subject.stat(key) is None

    async def test_a_connection_that_breaks_in_the_middle_of_an_upload(
        self, subject: BlobStore, proxy: FaultProxy
    ) -> None:
        """Costs time and nothing else."""
        data = pattern(LARGE)
        # So slow that it is in the middle of a part for seconds.
        proxy.bandwidth = 2 * MIB
        putting = asyncio.create_task(subject.put(KEY, chunks(data)))
        for _ in range(3):
            await self._asked(proxy)
            await asyncio.sleep(0.1)
            proxy.cut()
        proxy.bandwidth = 0
        async with asyncio.timeout(PATIENCE):
            put = await putting
        assert put.sha256 == hashlib.sha256(data).hexdigest()
        assert await content(subject) == data

    async def test_a_connection_that_breaks_in_the_middle_of_a_reading_is_no_end(
        self, subject: BlobStore, proxy: FaultProxy
    ) -> None:
        """Half a blob must not look like a whole one."""
        await subject.put(KEY, chunks(*megabytes(LARGE)))
        proxy.bandwidth = 2 * MIB
        reading = asyncio.create_task(content(subject))
        await self._asked(proxy)
        await asyncio.sleep(0.5)
        proxy.cut()
        with pytest.raises(BackendUnavailableError):
            await reading

    @pytest.mark.parametrize("size", [1000, LARGE])
    @pytest.mark.parametrize("mode", ["create", "replace"])
    async def test_a_lost_answer_is_looked_up(
        self, subject: BlobStore, proxy: FaultProxy, commits: Sequence[bytes], size: int, mode: str
    ) -> None:
        """The last request arrived and its answer did not: the blob is stored, and that is what is said."""
        proxy.cut_next_reply(commits[size == LARGE])
        data = pattern(size)
        if mode == "create":
            await subject.put(KEY, chunks(data))
        else:
            await subject.put(KEY, chunks(data), mode="replace")
        assert proxy.doomed_request is None
        assert await content(subject) == data

    async def test_no_secret_is_in_any_text(
        self,
        subject: BlobStore,
        stranger: BlobStore,
        placeless: BlobStore,
        proxy: FaultProxy,
        secrets: Sequence[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Errors, what caused them, representations and our log."""
        caplog.set_level(logging.DEBUG, "faultmaven_adapters")
        texts = [repr(store) for store in (subject, stranger, placeless)]
        for store in (stranger, placeless):
            for error in (await failures(store)).values():
                texts += traceback.format_exception(error)
        proxy.refuse = True
        proxy.cut()
        texts += traceback.format_exception(await failure(subject.ping()))
        texts.append(caplog.text)
        assert caplog.text
        assert [secret for secret in secrets for text in texts if secret in text] == []

    @staticmethod
    async def _heal(proxy: FaultProxy, seconds: float) -> None:
        await asyncio.sleep(seconds)
        proxy.answer(None)

    @staticmethod
    async def _asked(proxy: FaultProxy) -> None:
        """Returns when one more request has come."""
        before = proxy.requests_seen
        async with asyncio.timeout(PATIENCE):
            while proxy.requests_seen == before:  # noqa: ASYNC110 - the proxy counts, it tells nobody
                await asyncio.sleep(0.002)
