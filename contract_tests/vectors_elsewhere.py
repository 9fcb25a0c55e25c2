"""A vector store in another process: the tests' side, and, run as a program, the other side.

The process is one for all tests: it takes seconds to start. Every line is a pickled value in base64: the maker of a store, then
a call and its outcome in turn, then END and an outcome that is none, when the store is closed.
"""

from __future__ import annotations

import asyncio
import base64
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import IO, Any

from faultmaven_contract_tests.servers import at_end
from faultmaven_core.ports.vectors import VectorStore
from faultmaven_core.shared.errors import FaultMavenError

Maker = Callable[[], VectorStore]

END = "end"


@asynccontextmanager
async def elsewhere(make: Maker) -> AsyncIterator[OtherProcess]:
    """A store of its own in a process of its own; the maker can be pickled."""
    other = OtherProcess(make)
    try:
        yield other
    finally:
        await other.aclose()


class OtherProcess:
    """Made with the first call; calls go there one after another."""

    def __init__(self, make: Maker) -> None:
        self._make = make
        self._turn = asyncio.Lock()
        self._pipes: tuple[IO[bytes], IO[bytes]] | None = None

    async def __call__(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """What the store's method gives or raises there."""
        async with self._turn:
            outcome = await asyncio.to_thread(self._called, (method, args, kwargs))
        if isinstance(outcome, FaultMavenError):
            raise outcome
        return outcome

    async def aclose(self) -> None:
        """It closes its store."""
        if self._pipes is not None:
            async with asyncio.timeout(60):
                assert await asyncio.to_thread(self._called, END) is None

    def _called(self, call: object) -> Any:
        if self._pipes is None:
            process = _process()
            assert process.stdin
            assert process.stdout
            self._pipes = process.stdin, process.stdout
            _write(process.stdin, self._make)
        stdin, stdout = self._pipes
        _write(stdin, call)
        return _read(stdout.readline())


@cache
def _process() -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def end() -> None:
        process.communicate(timeout=60)
        _process.cache_clear()
        assert process.returncode == 0

    at_end(end)
    return process


def _write(file: IO[bytes], value: object) -> None:
    file.write(base64.b64encode(pickle.dumps(value)) + b"\n")
    file.flush()


def _read(line: bytes) -> Any:
    return pickle.loads(base64.b64decode(line))


async def _serve(store: VectorStore) -> None:
    try:
        while (call := _read(await asyncio.to_thread(sys.stdin.buffer.readline))) != END:
            method, args, kwargs = call
            try:
                outcome = await getattr(store, method)(*args, **kwargs)
            except FaultMavenError as error:
                outcome = error
            _write(sys.stdout.buffer, outcome)
    finally:
        await store.aclose()
    _write(sys.stdout.buffer, None)


if __name__ == "__main__":
    while line := sys.stdin.buffer.readline():
        asyncio.run(_serve(_read(line)()))
