"""Waiting between tries: longer each time, spread, bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_adapters._support.backoff import wait_until_up
from faultmaven_core.shared.backoff import delay
from faultmaven_core.shared.errors import BackendUnavailableError, FaultMavenError, MisconfiguredError


class Time:
    """Seconds that pass by sleeping only."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Server:
    """Up from the n-th attempt on."""

    def __init__(self, up_at: int, error: FaultMavenError) -> None:
        self.attempts, self._up_at, self._error = 0, up_at, error

    async def attempt(self) -> None:
        self.attempts += 1
        if self.attempts < self._up_at:
            raise self._error


@given(
    tries=st.integers(1, 10_000),
    base=st.floats(0.001, 60),
    cap=st.floats(0.001, 3600),
    chance=st.floats(0, 1),
)
def test_a_delay_is_between_half_and_all_of_the_doubled_base_under_the_cap(
    tries: int, base: float, cap: float, chance: float
) -> None:
    """Never near zero, never over the cap, however often it failed."""
    found = delay(tries, base=base, cap=cap, chance=lambda: chance)
    whole = min(cap, base * 2.0 ** min(tries - 1, 60))
    assert whole / 2 <= found <= whole


@given(tries=st.integers(1, 100), chance=st.floats(0, 1))
def test_delays_never_shrink_from_one_try_to_the_next_beyond_their_spread(tries: int, chance: float) -> None:
    """With the same chance the later wait is the longer one."""
    earlier, later = (delay(n, base=0.1, cap=5, chance=lambda: chance) for n in (tries, tries + 1))
    assert earlier <= later


async def test_a_server_that_comes_up_late_is_waited_for() -> None:
    """Three refusals, then success: three waits, each longer."""
    time, server = Time(), Server(4, BackendUnavailableError("Down."))
    await wait_until_up(server.attempt, patience=60, sleep=time.sleep, seconds=time, chance=lambda: 1.0)
    assert time.slept == [0.2, 0.4, 0.8]


async def test_a_wrong_password_is_not_waited_for() -> None:
    """Waiting does not mend it."""
    time, server = Time(), Server(9, MisconfiguredError("Wrong password."))
    with pytest.raises(MisconfiguredError):
        await wait_until_up(server.attempt, patience=60, sleep=time.sleep, seconds=time)
    assert server.attempts == 1


async def test_when_patience_is_over_the_last_failure_is_raised() -> None:
    """After the whole time and one last try, not after a fixed number of them."""
    time, server = Time(), Server(1000, BackendUnavailableError("Down."))
    with pytest.raises(BackendUnavailableError, match="Down"):
        await wait_until_up(server.attempt, patience=10, sleep=time.sleep, seconds=time, chance=lambda: 0.5)
    assert sum(time.slept) == pytest.approx(10)
    assert server.attempts == len(time.slept) + 1
