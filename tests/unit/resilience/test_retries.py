"""Calls under a policy: repeated where that is safe and may help, bounded in time and number, and seen."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_adapters.resilience.budget import RetryBudget
from faultmaven_core.shared.errors import (
    AmbiguousError,
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    DeadlineExceededError,
    FaultMavenError,
    NotFoundError,
    RateLimitedError,
)
from tests.unit.resilience.backends import HANGS, Backend, Time, Wrapped, wrapped

DOWN = BackendUnavailableError("Down.")
REFUSED = BackendRefusedError("Not now.")


async def test_arguments_and_the_result_pass_through() -> None:
    """Positional ones and keywords."""
    assert await wrapped().port.get("a", loud=True) == "A"


def test_the_wrapper_looks_like_its_target() -> None:
    """Its type, its capabilities, and what is not in the table."""
    found = wrapped(None)
    assert isinstance(found.port, Backend)
    assert found.port.capabilities == {"everything"}
    assert found.port.script == [None]
    with pytest.raises(AttributeError):
        getattr(found.port, "nothing")  # noqa: B009 - asking is the test


async def test_a_passing_failure_is_tried_again_with_growing_waits() -> None:
    """Two failures, then success: two waits between half and all of the doubled base."""
    found = wrapped(DOWN, DOWN)
    assert await found.port.get("a") == "a"
    assert found.time.slept == [0.1, 0.2]
    assert found.outcomes() == [("get", "ok", 3)]


async def test_the_third_failure_is_the_callers() -> None:
    """The last one, as it was raised."""
    found = wrapped(DOWN, DOWN, DOWN, DOWN)
    with pytest.raises(BackendUnavailableError) as raised:
        await found.port.get("a")
    assert raised.value is DOWN
    assert found.backend.steps == 3
    assert found.outcomes() == [("get", "unavailable", 3)]


@pytest.mark.parametrize("error", [NotFoundError("Gone."), BackendError("Odd."), AmbiguousError("Perhaps.")])
async def test_what_is_not_retryable_is_not_tried_again(error: FaultMavenError) -> None:
    """It would only be the same again, or worse."""
    found = wrapped(error)
    with pytest.raises(type(error)):
        await found.port.get("a")
    assert found.backend.steps == 1


async def test_a_call_that_is_not_idempotent_is_never_repeated_after_it_may_have_happened() -> None:
    """A broken connection says nothing about the change."""
    found = wrapped(DOWN)
    with pytest.raises(BackendUnavailableError):
        await found.port.change()
    assert found.backend.steps == 1


@pytest.mark.parametrize("error", [REFUSED, RateLimitedError("Slowly.", retry_after=0)])
async def test_a_call_that_was_refused_is_repeated_even_if_it_is_not_idempotent(error: FaultMavenError) -> None:
    """Nothing has happened yet."""
    found = wrapped(error)
    await found.port.change()
    assert found.backend.steps == 2


async def test_the_backends_own_wish_to_wait_is_honoured() -> None:
    """Its seconds, where they are more than ours."""
    found = wrapped(RateLimitedError("Slowly.", retry_after=7))
    await found.port.get("a")
    assert found.time.slept == [7]


async def test_a_wait_that_would_pass_the_deadline_is_not_begun() -> None:
    """The caller learns at once what it would learn later."""
    found = wrapped(RateLimitedError("Slowly.", retry_after=60))
    with pytest.raises(RateLimitedError):
        await found.port.get("a")
    assert found.time.slept == []


@pytest.mark.parametrize(("method", "error"), [("quick", DeadlineExceededError), ("quick_change", AmbiguousError)])
async def test_a_call_that_hangs_ends_with_its_deadline(method: str, error: type[FaultMavenError]) -> None:
    """A change that was cut may have happened: it is not said that it has not."""
    found = wrapped(HANGS)
    with pytest.raises(error, match=f"The store did not answer `{method}`") as raised:
        await getattr(found.port, method)()
    assert type(raised.value) is error


async def test_a_time_out_of_the_drivers_own_is_no_deadline_of_ours() -> None:
    """An adapter that lets one through is a defect, and seen as one."""
    found = wrapped(TimeoutError())
    with pytest.raises(TimeoutError):
        await found.port.get("a")
    assert found.outcomes() == [("get", "defect", 1)]


async def test_a_ping_tells_the_first_failure() -> None:
    """Whoever asks for health asks about now."""
    found = wrapped(REFUSED)
    with pytest.raises(BackendRefusedError):
        await found.port.ping()


@pytest.mark.parametrize("event", [HANGS, None])
async def test_a_cancelled_caller_stops_the_call_and_is_seen(event: str | None) -> None:
    """Cancellation is neither swallowed nor retried."""
    found = wrapped(event, HANGS)
    task = asyncio.create_task(found.port.get("a"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert found.backend.steps == 1
    assert found.outcomes() == [("get", "cancelled", 1)]


async def test_an_outage_is_not_multiplied() -> None:
    """A hundred failing calls make ten retries and a tenth of the calls more, not two hundred."""
    found = Wrapped(Backend(*[DOWN] * 1000), chance=0)
    for _ in range(100):
        with pytest.raises(BackendUnavailableError):
            await found.port.get("a")
    waited = sum(found.time.slept)
    assert 100 < found.backend.steps <= 100 + 10 + 10 + 0.5 * waited


EVENTS = st.lists(st.one_of(st.just("call"), st.just("retry"), st.floats(0, 100)), max_size=200)
"""Calls, retries and pauses in any order."""


@given(EVENTS, st.floats(0, 20), st.floats(0, 1), st.floats(0, 2))
def test_a_budget_never_gives_more_than_it_holds(
    events: list[str | float], most: float, per_call: float, per_second: float
) -> None:
    """Retries are at most the bucket plus what calls and time have added."""
    time = Time()
    budget = RetryBudget(time, most=most, per_call=per_call, per_second=per_second)
    calls, taken, start = 0, 0, time.now
    for event in events:
        if event == "call":
            calls += 1
            budget.call()
        elif event == "retry":
            taken += budget.retry()
        else:
            time.now += float(event)
    assert taken <= most + per_call * calls + per_second * (time.now - start) + 1e-6


def test_a_budget_comes_back_with_time() -> None:
    """After an outage retries are there again, even for who calls seldom."""
    time = Time()
    budget = RetryBudget(time, most=1, per_call=0, per_second=0.5)
    assert budget.retry()
    assert not budget.retry()
    time.now += 2
    assert budget.retry()
