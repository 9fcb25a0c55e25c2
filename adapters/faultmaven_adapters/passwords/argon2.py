"""Passwords by Argon2id (RFC 9106), in a few threads of their own: the event loop goes on while they count."""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_core.ports.passwords import PasswordCheck, PasswordHasher, PasswordsBusyError

if TYPE_CHECKING:
    from argon2 import PasswordHasher as Library

MEMORY_KIB = 19 * 1024
PASSES = 2
"""With one lane, what OWASP asks for at least: some 25 ms of one core."""

THREADS = 2
MOST_WAITING = 64
"""Computations that run or wait at most; what comes then is refused and may come again."""

_SALT, _HASH = 16, 32

Result = TypeVar("Result")


class Argon2Passwords(PasswordHasher):
    """See the port."""

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
        threads: int = THREADS,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._memory, self._passes, self._most = memory_kib, passes, most_waiting
        self._calls = BlockingCalls("passwords", threads)
        self._waiting: set[asyncio.Task[Any]] = set()
        self._library: Library | None = None

    async def hash(self, password: str) -> str:
        return await self._count(lambda: self._argon2().hash(_bytes(password)))

    async def verify(self, stored: str, password: str) -> PasswordCheck:
        return await self._count(lambda: self._verify(stored, password))

    def dummy(self) -> str:
        salt, outcome = (
            b64encode(secrets.token_bytes(length)).rstrip(b"=").decode("ascii") for length in (_SALT, _HASH)
        )
        return f"$argon2id$v=19$m={self._memory},t={self._passes},p=1${salt}${outcome}"

    async def aclose(self) -> None:
        if self._waiting:
            await asyncio.wait(set(self._waiting))
        self._calls.close()

    def _verify(self, stored: str, password: str) -> PasswordCheck:
        from argon2.exceptions import InvalidHashError, VerificationError

        library = self._argon2()
        try:
            right = library.verify(stored, _bytes(password))
            return PasswordCheck(right, outdated=library.check_needs_rehash(stored))
        except InvalidHashError:
            return self._verify(self.dummy(), password)
        except VerificationError:
            return PasswordCheck(right=False)

    async def _count(self, work: Callable[[], Result]) -> Result:
        if len(self._waiting) >= self._most:
            raise PasswordsBusyError("Too many passwords are being checked; try again in a moment.")
        # A caller who leaves must not make room: his computation stays in the queue.
        task = asyncio.create_task(self._calls(work))
        self._waiting.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._waiting.discard(task)
        if not task.cancelled():
            # Whoever waited has the error already; this says that it was looked at, if nobody did.
            task.exception()

    def _argon2(self) -> Library:
        if self._library is None:
            from argon2 import PasswordHasher as Argon2

            self._library = Argon2(
                time_cost=self._passes, memory_cost=self._memory, parallelism=1, hash_len=_HASH, salt_len=_SALT
            )
        return self._library


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
