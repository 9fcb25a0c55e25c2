"""What every vector store promises that reaches its backend over a network, when the network or the backend fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.vector_collections import CALLS
from faultmaven_contract_tests.vector_samples import EAST, SPEC, WEST, counted, fresh_scope, ids, record, scanned
from faultmaven_core.ports.vectors import Embedding, Scope, VectorId, VectorStore
from faultmaven_core.shared.errors import BackendUnavailableError, DeadlineExceededError, FaultMavenError

PATIENCE = 60.0
"""Seconds within which a failure is told, with time-outs of two seconds, and is over; the rest is for busy machines."""
MOMENT = 0.3
"""Seconds after which a call is on its way."""

QUERY = Embedding.of(EAST)


async def failure(call: Awaitable[object]) -> FaultMavenError:
    """The error of ours that it ends with, in time."""
    async with asyncio.timeout(PATIENCE):
        try:
            await call
        except FaultMavenError as error:
            return error
    pytest.fail("No error.")


async def failures(store: VectorStore, scope: Scope) -> dict[str, FaultMavenError]:
    """The errors of all calls at once, by their names."""
    calls = {name: call(store, scope) for name, call in CALLS.items()} | {"ping": store.ping()}
    found = await asyncio.gather(*(failure(call) for call in calls.values()))
    return dict(zip(calls, found, strict=True))


async def recovered(store: VectorStore) -> None:
    """Returns when the store reaches its backend again; some clients pause before they look."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await store.ping()
            except (BackendUnavailableError, DeadlineExceededError):
                await asyncio.sleep(0.05)


class VectorFaultContract(Contract):
    """A binding gives `subject`, whose requests go through `proxy` and take seconds at most.

    And `wrapped`, the same under its policies, and `direct`, another store at the same place.
    """

    @pytest.fixture
    async def scope(self, subject: VectorStore) -> Scope:
        """An organization with one record."""
        await subject.ensure(SPEC)
        scope = fresh_scope()
        await subject.upsert(scope, [record("a", EAST, title="old"), record("b", WEST)])
        return scope

    async def test_an_unreachable_server_is_said_in_time(
        self, subject: VectorStore, scope: Scope, proxy: FaultProxy
    ) -> None:
        """Clause 29: never as an empty answer; it is worth another try, and works when the server is back."""
        proxy.refuse = True
        proxy.cut()
        errors = await failures(subject, scope)
        assert [name for name, error in errors.items() if not isinstance(error, BackendUnavailableError)] == []
        assert all(error.retryable for error in errors.values())
        proxy.refuse = False
        await recovered(subject)
        for call in CALLS.values():
            await call(subject, scope)

    async def test_a_hung_server_is_said_in_time(self, subject: VectorStore, scope: Scope, proxy: FaultProxy) -> None:
        """Connections stay and nothing is answered."""
        proxy.blackhole = True
        errors = await failures(subject, scope)
        assert {name: type(error) for name, error in errors.items()} == dict.fromkeys(errors, DeadlineExceededError)
        proxy.blackhole = False
        await recovered(subject)
        for call in CALLS.values():
            await call(subject, scope)

    async def test_a_lost_answer_leaves_one_copy(
        self, wrapped: VectorStore, direct: VectorStore, scope: Scope, proxy: FaultProxy
    ) -> None:
        """Clause 30: what was stored and not confirmed is stored again, and is there once, as it was meant."""
        proxy.cut_next_reply()
        async with asyncio.timeout(PATIENCE):
            token = await wrapped.upsert(scope, [record("a", WEST, amount=1), record("c", EAST)])
        assert proxy.doomed_request is None
        found = await direct.search(scope, QUERY, limit=9, after=token)
        assert [match.id for match in found] == ["c", "a", "b"]
        assert found[1].fields == {"amount": 1}
        await counted(direct, lambda: direct.count(scope), 3)
        await counted(direct, lambda: scanned(direct, scope), ids("a", "b", "c"))

    async def test_a_lost_answer_of_a_deletion(
        self, wrapped: VectorStore, direct: VectorStore, scope: Scope, proxy: FaultProxy
    ) -> None:
        """Clause 30: it is done, and doing it again is no error."""
        proxy.cut_next_reply()
        async with asyncio.timeout(PATIENCE):
            token = await wrapped.delete(scope, ids("a"))
        assert set(await direct.get(scope, ids("a", "b"), after=token)) == {"b"}

    @pytest.mark.parametrize("call", CALLS)
    async def test_one_failure_then_success_succeeds(
        self, wrapped: VectorStore, scope: Scope, proxy: FaultProxy, call: str
    ) -> None:
        """Clause 30: whatever is asked through the wrapper; the second try is the caller's answer."""
        proxy.cut_next_reply()
        async with asyncio.timeout(PATIENCE):
            await CALLS[call](wrapped, scope)
        assert proxy.doomed_request is None

    async def test_a_caller_who_gives_up_leaves_the_store_usable(
        self, subject: VectorStore, scope: Scope, proxy: FaultProxy
    ) -> None:
        """However many, and in the middle of whatever."""
        proxy.blackhole = True
        calling = [asyncio.ensure_future(call(subject, scope)) for call in CALLS.values() for _ in range(3)]
        await asyncio.sleep(MOMENT)
        for call in calling:
            call.cancel()
        ended = await asyncio.gather(*calling, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended)
        proxy.blackhole = False
        await recovered(subject)
        token = await subject.upsert(scope, [record("last")])
        assert VectorId("last") in await subject.get(scope, ids("last"), after=token)
