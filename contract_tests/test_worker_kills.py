"""Workers that die at any moment: each job takes effect once, none is lost, poison does not go round for ever."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

import pytest
from redis import Redis

from celery_jobs import QUICK, Broker, CeleryInstallation, opened
from celery_workers import end_workers
from faultmaven_contract_tests.job_installation import ask, ended, none_open, request, until
from faultmaven_contract_tests.samples import ACME
from faultmaven_contract_tests.servers import private, shared
from faultmaven_core.cases.ports import CaseQuery
from faultmaven_core.jobs.model import JobState
from kill_probe import EFFECT, ENDLESS, POISON, runs

pytestmark = pytest.mark.servers("postgres", "redis")

HANDLERS = "kill_probe:handlers"
WHOLE_WORKERS = 0.25
"""Share of the kills that hit a worker and with it all its processes."""


@pytest.fixture(scope="module", autouse=True)
def nursery() -> Iterator[None]:
    """No worker is left when these tests are over."""
    yield
    end_workers()


@asynccontextmanager
async def installation(folder: Path, url: str = "", **changes: object) -> AsyncIterator[CeleryInstallation]:
    """One whose workers know the operations of kill_probe."""
    url = url or shared("redis").url
    async with opened(CeleryInstallation(Broker(url, url, bool, bool), folder, HANDLERS, **changes)) as made:
        yield made


async def test_of_500_jobs_each_takes_effect_once_though_workers_are_killed(tmp_path: Path) -> None:
    """Pool processes and whole workers, at random, by SIGKILL; what died is started again."""
    await each_once(500, tmp_path, kills_at_least=5)


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_of_5000_jobs_each_takes_effect_once_though_workers_are_killed(tmp_path: Path) -> None:
    """The same for longer."""
    await each_once(5000, tmp_path, kills_at_least=50)


async def test_poison_stops_at_its_last_attempt_and_the_worker_lives(tmp_path: Path) -> None:
    """A job that kills the pool process it runs in; others get on."""
    async with installation(tmp_path) as subject:
        await subject.start()
        (poison,) = await ask(subject, request(POISON, max_attempts=2))
        others = await ask(subject, *(request(EFFECT) for _ in range(10)))
        (job,) = await ended(subject, poison)
        await ended(subject, *others)
        assert (job.state, runs(subject.effects.path).count(str(poison))) == (JobState.DEAD, 2)
        assert sorted(await _titles(subject)) == sorted(map(str, others))
        assert subject.workers[0].alive


async def test_what_a_stopped_worker_hands_back_runs_elsewhere_at_once(tmp_path: Path) -> None:
    """Not when its lease ends, for which this would have to wait a minute."""
    async with installation(tmp_path, options=QUICK | {"lease": 60.0, "patience": 60.0}) as subject:
        await subject.start()
        (endless,) = await ask(subject, request(ENDLESS))
        await _until_begun(subject, endless, 1)
        await subject.stop()
        await subject.start()
        await _until_begun(subject, endless, 2)


async def test_a_stopped_worker_ends_when_its_jobs_are_done(tmp_path: Path) -> None:
    """It does not wait for the end of its grace."""
    async with installation(tmp_path, grace=60.0) as subject:
        await subject.start()
        asked = await ask(subject, *(request(EFFECT) for _ in range(10)))
        await ended(subject, *asked[:1])
        await subject.stop()


async def test_a_broker_that_dies_and_forgets_everything_loses_no_job(tmp_path: Path) -> None:
    """While jobs run and are asked for; the worker comes back to it by itself, and what it forgot is told again."""
    with private("redis") as server:
        async with installation(tmp_path, server.url) as subject:
            await subject.start()
            asked = await ask(subject, *(request(EFFECT) for _ in range(60)))
            await ended(subject, asked[5])
            await asyncio.to_thread(server.kill)
            asked += await ask(subject, *(request(EFFECT) for _ in range(10)))
            await asyncio.to_thread(server.restart)
            with Redis.from_url(server.url) as client:
                client.flushall()
            assert {job.state for job in await ended(subject, *asked)} == {JobState.SUCCEEDED}
            assert sorted(await _titles(subject)) == sorted(map(str, asked))


async def test_an_autoscaled_worker_grows_with_its_work(tmp_path: Path) -> None:
    """From one process to three, for three jobs that do not end."""
    async with installation(tmp_path, autoscale=(1, 3)) as subject:
        await subject.start()
        assert len(subject.workers[0].children()) == 1
        for job_id in await ask(subject, *(request(ENDLESS) for _ in range(3))):
            await _until_begun(subject, job_id, 1)
        assert len(subject.workers[0].children()) == 3


async def each_once(number: int, folder: Path, kills_at_least: int) -> None:
    """Run jobs on two workers of two processes each while a killer goes round."""
    async with installation(folder) as subject:
        await subject.start(2)
        began = time.monotonic()
        asked: list[UUID] = []
        for _ in range(number // 50):
            asked += await ask(subject, *(request(EFFECT, max_attempts=50) for _ in range(50)))
        kills: list[int] = []
        over = asyncio.Event()
        killer = asyncio.create_task(_kill_at_random(subject, kills, over))
        async with asyncio.timeout(800):
            while not await none_open(subject)():
                assert not killer.done(), killer
                await asyncio.sleep(0.1)
        seconds = time.monotonic() - began
        # Not cancelled: a worker that is just being started would be waited for by nobody, until its time is up.
        over.set()
        await killer
        states = {str(depth.state): depth.jobs for depth in await subject.storage.jobs.depths()}
        titles, begun = await _titles(subject), runs(subject.effects.path)
    sys.stdout.write(f"{number} jobs, {len(kills)} kills, {len(begun)} runs: {seconds:.1f} s\n")
    assert states.keys() <= {"succeeded"}
    assert sorted(titles) == sorted(map(str, asked))
    assert len(kills) >= kills_at_least
    assert len(begun) > number, "No run was cut off: the kills hit nothing."


async def _kill_at_random(subject: CeleryInstallation, kills: list[int], over: asyncio.Event) -> None:
    """By the work that goes on, not by the clock: a slow machine kills as many."""
    chance, target = random.Random(7), 10
    while True:
        while len(runs(subject.effects.path)) < target:
            if over.is_set():
                return
            await asyncio.sleep(0.02)
            # Here and not after a kill: a process is still there for a moment, and nothing may come after the last kill.
            await _replace_dead(subject)
        target += chance.randint(10, 50)
        worker = chance.choice(subject.workers)
        whole = chance.random() < WHOLE_WORKERS
        victim = worker.pid if whole else chance.choice(worker.children() or [worker.pid])
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            kills.append(victim)


async def _replace_dead(subject: CeleryInstallation) -> None:
    dead = [worker for worker in subject.workers if not worker.alive]
    for worker in dead:
        subject.workers.remove(worker)
    if dead:
        await subject.start(len(dead))


async def _until_begun(subject: CeleryInstallation, job_id: UUID, times: int) -> None:
    async def begun() -> bool:
        return runs(subject.effects.path).count(str(job_id)) >= times

    await until(begun)


async def _titles(subject: CeleryInstallation) -> list[str]:
    titles: list[str] = []
    after = None
    async with subject.storage.cases(ACME, read_only=True) as unit:
        while True:
            page = await unit.cases.page(CaseQuery(), after=after, limit=200)
            titles += [case.title for case in page.items]
            if page.next is None:
                return titles
            after = page.next
