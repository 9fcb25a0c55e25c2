"""The contract of passwords on our way of storing them, and its cost as it is shipped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from faultmaven_adapters.passwords.argon2 import Argon2Passwords
from faultmaven_adapters.passwords.common import CommonPasswords
from faultmaven_contract_tests.passwords import OpenedHasher, PasswordsContract
from faultmaven_core.ports.passwords import PasswordHasher


@asynccontextmanager
async def argon2(folder: Path) -> AsyncIterator[OpenedHasher]:
    """Cheap ones, but for the costlier one, which costs what users' do."""
    cheap, costly = Argon2Passwords(memory_kib=64, passes=1), Argon2Passwords()
    busy = Argon2Passwords(threads=1, most_waiting=3)
    yield OpenedHasher(cheap, costly, busy, 3)
    for each in (cheap, costly, busy):
        await each.aclose()


OPENERS = {"argon2": argon2}


class TestPasswords(PasswordsContract):
    """Passwords."""

    port = "passwords"
    openers = OPENERS

    @pytest.fixture
    async def opened(self, backend: str, tmp_path: Path) -> AsyncIterator[OpenedHasher]:
        """Fresh ones."""
        async with self.openers[backend](tmp_path) as opened:
            yield opened

    @pytest.fixture
    def subject(self, opened: OpenedHasher) -> PasswordHasher:
        """The cheap one."""
        return opened.subject


async def test_users_passwords_cost_what_is_asked_for_at_least() -> None:
    """A-1: Argon2id with 19 MiB, two passes, one lane."""
    hasher = Argon2Passwords()
    stored = await hasher.hash("some password")
    await hasher.aclose()
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_the_common_passwords_are_shipped() -> None:
    """A-3: eleven thousand of them, in small letters."""
    common = CommonPasswords()
    for password in ("password1", "qwertyuiop", "iloveyou", "1q2w3e4r", "trustno1"):
        assert password in common
    assert "correct horse battery staple" not in common
