"""People who work all the time, behind a balancer that knows of servers what they say of themselves."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2

from tests.shells.http.processes import SECONDS

LOOKS = 0.1
"""Seconds between two looks of the balancer."""

PATIENCE = 30
"""Looks that may fail before a server is out; orchestrators have as much patience by default."""

MOST = 40
POSTS = 5
"""Every so many requests one changes something."""


class Balancer:
    """Gives requests in turn to the servers that are ready, as orchestrators do.

    One that says that it stops is out at once, one that fails otherwise after PATIENCE looks. `failures` are those.
    """

    def __init__(self, addresses: Sequence[str], client: httpx2.AsyncClient) -> None:
        self._client, self._failed = client, dict.fromkeys(addresses, 0)
        self._turn = itertools.count()
        self.ready: list[str] = list(addresses)
        self.failures: list[str] = []

    def pick(self) -> str:
        """Whose turn it is."""
        assert self.ready, self.failures[-1:]
        return self.ready[next(self._turn) % len(self.ready)]

    async def watch(self) -> None:
        """Look again and again, at each by itself: one that answers late hides no other."""
        await asyncio.gather(*map(self._watch, self._failed))

    async def sees(self, address: str, *, ready: bool) -> None:
        """Return when it gives that server requests, or none."""
        async with asyncio.timeout(SECONDS):
            while (address in self.ready) is not ready:  # noqa: ASYNC110 - the list is what the balancer itself goes by
                await asyncio.sleep(LOOKS)

    async def _watch(self, address: str) -> None:
        while True:
            await self._look(address)
            self.ready = [one for one, failed in self._failed.items() if failed < PATIENCE]
            await asyncio.sleep(LOOKS)

    async def _look(self, address: str) -> None:
        try:
            answer = await self._client.get(f"{address}/health/ready")
        except httpx2.TransportError:
            self._failed[address] = PATIENCE
            return
        if answer.status_code == 200:
            self._failed[address] = 0
        elif "stopping" in answer.text or self._failed[address] >= PATIENCE:
            self._failed[address] = PATIENCE
        else:
            self._failed[address] += 1
            self.failures.append(answer.text)


@dataclass
class Traffic:
    """What came of it. `opened` is the case that each key was answered with."""

    balancer: Balancer
    client: httpx2.AsyncClient
    case: str
    read: int = 0
    opened: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def rate(self) -> float:
        """Requests in a second, so far."""
        return (self.read + 2 * len(self.opened)) / (time.monotonic() - self.began)

    async def one(self) -> None:
        """A request, and for a change the same again elsewhere, as from a client that never got its answer."""
        number = next(self._numbers)
        try:
            if number % POSTS:
                await self._get()
            else:
                await asyncio.gather(*(self._post(f"traffic-{number:08}") for _ in range(2)))
        except httpx2.TransportError as error:
            self.wrong.append(repr(error))

    async def _get(self) -> None:
        answer = await self.client.get(f"{self.balancer.pick()}/api/v1/cases/{self.case}")
        self.read += 1
        self._judge(answer, 200)

    async def _post(self, key: str) -> None:
        place = f"{self.balancer.pick()}/api/v1/cases"
        answer = await self.client.post(place, json={"title": key}, headers={"Idempotency-Key": key})
        if self._judge(answer, 201):
            case = answer.json()["case_id"]
            if self.opened.setdefault(key, case) != case:
                self.wrong.append(f"{key} was answered with two cases")

    def _judge(self, answer: httpx2.Response, status: int) -> bool:
        if answer.status_code != status:
            self.wrong.append(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:200]}")
        return answer.status_code == status


@asynccontextmanager
async def traffic(addresses: Sequence[str], who: Mapping[str, str], rate: float) -> AsyncIterator[Traffic]:
    """So many reads and changes a second, from now to the end of the context; each is over then."""
    limits = httpx2.Limits(max_connections=None)
    async with (
        httpx2.AsyncClient(timeout=SECONDS) as looking,
        httpx2.AsyncClient(timeout=SECONDS, headers=who, limits=limits) as client,
    ):
        balancer = Balancer(addresses, looking)
        case = (await client.post(f"{addresses[0]}/api/v1/cases", json={"title": "read"})).json()["case_id"]
        made = Traffic(balancer, client, case)
        watching = asyncio.create_task(balancer.watch())
        coming = asyncio.create_task(_come(made, rate))
        try:
            yield made
        finally:
            coming.cancel()
            watching.cancel()
            ended = await asyncio.gather(coming, watching, return_exceptions=True)
        # What is no failure of a server's is one of ours.
        made.wrong += [repr(end) for end in ended if isinstance(end, Exception)]


async def _come(made: Traffic, rate: float) -> None:
    """They do not wait for each other, unless more than MOST wait already: then the machine cannot do as much."""
    places = asyncio.Semaphore(MOST)
    async with asyncio.TaskGroup() as group:
        due = time.monotonic()
        try:
            while True:
                await places.acquire()
                group.create_task(made.one()).add_done_callback(lambda _: places.release())
                due = max(due + 1 / rate, time.monotonic() - 1)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
        except asyncio.CancelledError:
            return
