"""A backend that fails as it is told, and time that passes by sleeping only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from faultmaven_adapters.resilience.budget import RetryBudget
from faultmaven_adapters.resilience.policy import resilient
from faultmaven_adapters.resilience.tries import Means, Observation
from faultmaven_core.ports.policy import Policies, Policy, Retrier, Streaming

HANGS = "hangs"

POLICIES: Policies = {
    "get": Policy(idempotent=True, deadline=60),
    "change": Policy(idempotent=False, deadline=60),
    "quick": Policy(idempotent=True, deadline=0.05),
    "quick_change": Policy(idempotent=False, deadline=0.05),
    "ping": Policy(idempotent=True, deadline=5, retrier=Retrier.NOBODY),
    "put": Policy(idempotent=False, streaming=Streaming.TAKES, pieces=0.2, source="chunks", kept=4),
    "list": Policy(idempotent=True, deadline=60, streaming=Streaming.GIVES, pieces=0.05),
    "open": Policy(idempotent=True, deadline=60, streaming=Streaming.OPENS, pieces=0.05),
    "subscribe": Policy(idempotent=True, deadline=60, streaming=Streaming.OPENS),
}


class Time:
    """Seconds that pass by sleeping only."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Reader:
    """What `open` gives."""

    info = "about it"

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def __aiter__(self) -> AsyncIterator[int]:
        for number in range(3):
            await self._backend.step()
            yield number


class Backend:
    """Each step (a call, or a piece of a stream) takes the next of `script`: an error is raised, HANGS never ends."""

    capabilities = frozenset({"everything"})

    def __init__(self, *script: Exception | str | None) -> None:
        self.script = list(script)
        self.steps = 0
        self.stored: list[bytes] = []
        self.closed = 0

    async def step(self) -> None:
        self.steps += 1
        event = self.script.pop(0) if self.script else None
        await asyncio.sleep(0)
        if isinstance(event, Exception):
            raise event
        if event == HANGS:
            await asyncio.Event().wait()

    async def get(self, key: str, *, loud: bool = False) -> str:
        await self.step()
        return key.upper() if loud else key

    async def change(self) -> None:
        await self.step()

    quick, quick_change, ping = change, change, change

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        await self.step()
        taken = []
        async for chunk in chunks:
            taken.append(chunk)
            await self.step()
        self.stored.append(b"".join(taken))
        return len(taken)

    async def list(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(3):
                await self.step()
                yield number
        finally:
            self.closed += 1

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Reader]:
        await self.step()
        try:
            yield Reader(self)
        finally:
            self.closed += 1

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Reader]:
        await self.step()
        yield Reader(self)


@dataclass
class Wrapped:
    """A wrapped backend and what was seen of its calls."""

    backend: Backend
    time: Time = field(default_factory=Time)
    seen: list[Observation] = field(default_factory=list)
    chance: float = 1.0
    budget: RetryBudget | None = None

    def __post_init__(self) -> None:
        means = Means(self.time.sleep, self.time, lambda: self.chance, self.seen.append)
        self.port = resilient(self.backend, POLICIES, "The store", means=means, budget=self.budget)

    def outcomes(self) -> Sequence[tuple[str, str, int]]:
        """What was observed, without the seconds."""
        return [(one.method, one.outcome, one.tries) for one in self.seen]


def wrapped(*script: Exception | str | None) -> Wrapped:
    """A wrapped backend that fails as told."""
    return Wrapped(Backend(*script))
