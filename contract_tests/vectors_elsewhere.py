"""A vector store in another process: the tests' side, and, run as a program, the other side.

Every line is a pickled value in base64: the maker of the store first, then a call and its outcome in turn.
"""

from __future__ import annotations

import asyncio
import base64
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from faultmaven_core.ports.vectors import VectorStore
from faultmaven_core.shared.errors import FaultMavenError

Maker = Callable[[], VectorStore]


@asynccontextmanager
async def elsewhere(make: Maker) -> AsyncIterator[OtherProcess]:
    """A process with a store of its own; the maker can be pickled."""
    other = OtherProcess(make)
    try:
        yield other
    finally:
        await other.aclose()


class OtherProcess:
    """Starts with the first call; calls go there one after another."""

    def __init__(self, make: Maker) -> None:
        self._make = make
        self._turn = asyncio.Lock()
        self._process: Process | None = None

    async def __call__(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """What the store's method gives or raises there."""
        async with self._turn:
            if self._process is None:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, __file__, stdin=PIPE, stdout=PIPE, limit=1 << 24
                )
                self._write(self._process, self._make)
            assert self._process.stdout
            self._write(self._process, (method, args, kwargs))
            outcome = pickle.loads(base64.b64decode(await self._process.stdout.readline()))
        if isinstance(outcome, FaultMavenError):
            raise outcome
        return outcome

    async def aclose(self) -> None:
        """It closes its store and ends."""
        if self._process is None:
            return
        assert self._process.stdin
        self._process.stdin.close()
        try:
            async with asyncio.timeout(60):
                assert await self._process.wait() == 0
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()

    @staticmethod
    def _write(process: Process, value: object) -> None:
        assert process.stdin
        process.stdin.write(_line(value))


def _line(value: object) -> bytes:
    return base64.b64encode(pickle.dumps(value)) + b"\n"


async def _serve() -> None:
    lines = sys.stdin.buffer
    store: VectorStore = pickle.loads(base64.b64decode(lines.readline()))()
    try:
        while line := await asyncio.to_thread(lines.readline):
            method, args, kwargs = pickle.loads(base64.b64decode(line))
            try:
                outcome = await getattr(store, method)(*args, **kwargs)
            except FaultMavenError as error:
                outcome = error
            sys.stdout.buffer.write(_line(outcome))
            sys.stdout.buffer.flush()
    finally:
        await store.aclose()


if __name__ == "__main__":
    asyncio.run(_serve())
