"""What every way of storing passwords must do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_core.ports.passwords import PasswordCheck, PasswordHasher, PasswordsBusyError
from faultmaven_core.shared.errors import ConflictError

LONG = "x" * 99
PASSWORDS = (
    "correct horse battery staple",
    "p\u00e4ssw\u00f6rter \u65e5\u672c\u8a9e \U0001f511",
    " leading and trailing ",
    "with\0nul",
    LONG * 10,
    "",
)


@dataclass(frozen=True)
class OpenedHasher:
    """A hasher, one of a higher cost, and one that takes so many at a time."""

    subject: PasswordHasher
    costlier: PasswordHasher
    busy: PasswordHasher
    busy_from: int


class PasswordsContract(Contract):
    """A binding gives the fixture `opened`; `subject` is its first."""

    @pytest.mark.parametrize("password", PASSWORDS)
    async def test_a_password_matches_what_was_stored_of_it(self, subject: PasswordHasher, password: str) -> None:
        """Whatever is in it; and a little other one does not."""
        stored = await subject.hash(password)
        assert await subject.verify(stored, password) == PasswordCheck(right=True)
        for other in (password + "x", password[:-1] or "y", password.swapcase() + " "):
            assert not (await subject.verify(stored, other)).right

    async def test_all_of_a_long_password_counts(self, subject: PasswordHasher) -> None:
        """A-2: two that differ at byte 100, or at 500, differ."""
        for length in (99, 499):
            stored = await subject.hash("x" * length + "a")
            assert not (await subject.verify(stored, "x" * length + "b")).right

    async def test_the_same_password_is_stored_differently_each_time(self, subject: PasswordHasher) -> None:
        """And nothing of it can be read there."""
        first, second = await asyncio.gather(subject.hash(PASSWORDS[0]), subject.hash(PASSWORDS[0]))
        assert first != second
        assert "horse" not in first

    async def test_what_is_stored_says_how_it_was_made(self, subject: PasswordHasher) -> None:
        """A-1: a PHC string of Argon2id."""
        assert (await subject.hash("some password")).startswith("$argon2id$v=19$m=")

    async def test_a_lower_cost_is_outdated_and_a_higher_one_is_not(self, opened: OpenedHasher) -> None:
        """A-1: stored anew at the next login."""
        cheap, costly = await opened.subject.hash("some password"), await opened.costlier.hash("some password")
        assert await opened.costlier.verify(cheap, "some password") == PasswordCheck(right=True, outdated=True)
        assert await opened.costlier.verify(costly, "some password") == PasswordCheck(right=True, outdated=False)

    async def test_nothing_matches_the_dummy(self, subject: PasswordHasher) -> None:
        """It looks like a stored value and costs as much to check."""
        dummy = subject.dummy()
        assert dummy != subject.dummy()
        assert (
            dummy.rpartition("$")[0].rpartition("$")[0]
            == (await subject.hash("")).rpartition("$")[0].rpartition("$")[0]
        )
        for password in PASSWORDS:
            assert not (await subject.verify(dummy, password)).right

    @pytest.mark.parametrize(
        "stored", ["", "x", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$$", "$2b$12$abc", "\0", "plain"]
    )
    async def test_what_is_no_stored_value_matches_nothing(self, subject: PasswordHasher, stored: str) -> None:
        """Not even itself."""
        for password in ("", "plain", stored):
            assert not (await subject.verify(stored, password)).right

    async def test_too_many_at_once_are_refused_and_may_come_again(self, opened: OpenedHasher) -> None:
        """A-6: those that were taken are answered."""
        calls = [opened.busy.hash("some password") for _ in range(opened.busy_from + 5)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, PasswordsBusyError)]
        assert len(refused) == 5
        assert all(error.retry_after > 0 and error.retryable for error in refused)
        assert sum(isinstance(answer, str) for answer in answers) == opened.busy_from
        assert await opened.busy.hash("some password")

    async def test_who_leaves_makes_no_room_before_his_work_is_done(self, opened: OpenedHasher) -> None:
        """Else a client that hangs up could fill the machine."""
        tasks = [asyncio.create_task(opened.busy.hash("some password")) for _ in range(opened.busy_from)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        with pytest.raises(PasswordsBusyError):
            await opened.busy.hash("some password")
        await asyncio.gather(*tasks, return_exceptions=True)

    async def test_the_loop_goes_on_meanwhile(self, opened: OpenedHasher) -> None:
        """A-6: a heartbeat beats while all threads count."""
        work = asyncio.gather(*(opened.costlier.hash("some password") for _ in range(8)))
        beats = 0
        while not work.done():
            await asyncio.sleep(0)
            beats += 1
        await work
        assert beats > 8

    async def test_nothing_works_after_close(self, subject: PasswordHasher) -> None:
        """Closing twice is no error."""
        await subject.aclose()
        await subject.aclose()
        with pytest.raises(ConflictError):
            await subject.hash("some password")
