"""What the outbox promises, and the rows of jobs as people see them."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.job_stores import DONE, LATER, LEASE, MINUTE, ask, claim, claimed, save, stored
from faultmaven_contract_tests.samples import ACME, OTHER, Storage, key, request
from faultmaven_core.jobs import model
from faultmaven_core.jobs.model import Ending, JobState, Progress
from faultmaven_core.jobs.ports import JobQuery
from faultmaven_core.shared.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    StaleVersionError,
    TooLargeError,
)


class JobRowContract(Contract):
    """The outbox, and jobs as people see them. The fixture is that of JobClaimContract."""

    async def test_a_key_is_free_again_after_its_job_ended(self, subject: Storage) -> None:
        """But not while it runs or waits; other organizations have keys of their own."""
        first = await ask(subject, request(dedupe_key="k"))
        assert await ask(subject, request(OTHER, dedupe_key="k", run_at=LATER + timedelta(days=1))) != first
        job = await claimed(subject)
        assert await ask(subject, request(dedupe_key="k")) == first
        await subject.jobs.finish(job, Ending(JobState.WAITING, due_at=LATER))
        assert await ask(subject, request(dedupe_key="k")) == first
        await subject.jobs.finish(await claimed(subject, 2), DONE)
        assert await ask(subject, request(dedupe_key="k")) != first

    async def test_of_units_that_race_for_a_key_one_makes_the_job(self, subject: Storage) -> None:
        """And all get its id; the same with an id that the askers chose."""
        by_key = await asyncio.gather(*(ask(subject, request(dedupe_key="k")) for _ in range(6)))
        by_id = await asyncio.gather(*(ask(subject, request(id=key(77))) for _ in range(6)))
        assert len(set(by_key)) == 1
        assert set(by_id) == {key(77)}
        taken = [await claim(subject, number) for number in range(3)]
        assert {job.id for job in taken if job} == {by_key[0], key(77)}

    async def test_a_chosen_id_is_used_once_and_never_again(self, subject: Storage) -> None:
        """Also after its job ended; by another organization not at all, which learns nothing of the job."""
        assert await ask(subject, request(id=key(77))) == key(77)
        await subject.jobs.finish(await claimed(subject), DONE)
        assert await ask(subject, request(id=key(77))) == key(77)
        with pytest.raises(ConflictError):
            await ask(subject, request(OTHER, id=key(77)))
        assert (await stored(subject, key(77))).state is JobState.SUCCEEDED

    async def test_what_cannot_be_kept_is_refused_in_the_unit(self, subject: Storage) -> None:
        """Too large, not JSON, or a field out of its bounds, which the error names."""
        with pytest.raises(TooLargeError):
            await ask(subject, request(payload=b'"' + b"x" * 65535 + b'"'))
        for payload in (b"", b"{", b"{'a':1}", b'{"a":NaN}', b"\xff"):
            with pytest.raises(InvalidInputError):
                await ask(subject, request(payload=payload))
        wrong: dict[str, Any] = {"queue": "Not One", "max_attempts": 0, "time_limit": timedelta(0)}
        wrong |= {"run_at": datetime(2026, 1, 1), "operation": "", "dedupe_key": "a\0b", "trace": "t" * 129}  # noqa: DTZ001 - a naive time is the point
        for field, value in wrong.items():
            with pytest.raises(InvalidInputError) as refused:
                await ask(subject, request(**{field: value}))
            assert list(refused.value.fields) == [field]
        assert await claim(subject) is None

    async def test_a_unit_asks_for_its_own_organization_only(self, subject: Storage) -> None:
        """Whatever the caller says."""
        async with subject.cases(ACME) as unit:
            with pytest.raises(PermissionDeniedError):
                await unit.outbox.add(request(OTHER))

    async def test_another_organizations_job_looks_like_none(self, subject: Storage) -> None:
        """To read, to list, to change."""
        job_id = await ask(subject, request(OTHER))
        job = await stored(subject, job_id, OTHER)
        async with subject.job_units(ACME) as unit:
            assert (await unit.jobs.page(JobQuery(), after=None, limit=10)).items == ()
            with pytest.raises(StaleVersionError):
                await unit.jobs.save(job, model.cancelled(job, LATER))
        with pytest.raises(NotFoundError) as foreign:
            await stored(subject, job_id)
        with pytest.raises(NotFoundError) as missing:
            await stored(subject, key(99))
        assert str(foreign.value).replace(str(job_id), "") == str(missing.value).replace(str(key(99)), "")
        assert await stored(subject, job_id, OTHER) == job

    async def test_pages_show_matching_jobs_newest_first(self, subject: Storage) -> None:
        """Each once, also while others are asked for; by state, operation and queue."""
        wanted = [await ask(subject, request(queue="q" if number % 2 else "r")) for number in range(5)]
        other = await ask(subject, request(operation="case.prune", run_at=LATER + timedelta(days=1)))
        seen: list[UUID] = []
        after: UUID | None = None
        for _ in range(3):
            async with subject.job_units(ACME, read_only=True) as unit:
                page = await unit.jobs.page(JobQuery(operation="case.note"), after=after, limit=2)
            seen += [job.id for job in page.items]
            after = page.next
            await ask(subject, request())
        assert seen == wanted[::-1]
        assert after is None
        running = await claimed(subject)
        async with subject.job_units(ACME, read_only=True) as unit:
            by_state = await unit.jobs.page(JobQuery((JobState.RUNNING,)), after=None, limit=10)
            by_queue = await unit.jobs.page(JobQuery(queue="q"), after=None, limit=10)
            full = await unit.jobs.page(JobQuery(queue="q"), after=None, limit=2)
            first = await unit.jobs.page(JobQuery(operation="case.prune"), after=None, limit=10)
        assert [job.id for job in by_state.items] == [running.id]
        assert {job.id for job in by_queue.items} == {wanted[1], wanted[3]}
        assert (full.items, full.next) == (by_queue.items, None)
        assert [job.id for job in first.items] == [other]

    async def test_a_change_is_refused_where_a_runner_was_faster(self, subject: Storage) -> None:
        """Or a person; nothing is written then."""
        job_id = await ask(subject, request())
        before = await stored(subject, job_id)
        taken = await claimed(subject)
        with pytest.raises(StaleVersionError):
            await save(subject, before, model.cancelled(before, LATER))
        assert await stored(subject, job_id) == taken

    async def test_a_change_of_a_running_job_leaves_its_lease_alone(self, subject: Storage) -> None:
        """A heartbeat came between reading and writing."""
        job_id = await ask(subject, request())
        taken = await claimed(subject)
        await subject.jobs.renew(taken, LEASE + MINUTE, Progress(1, 2))
        await save(subject, taken, model.cancelled(taken, LATER))
        job = await stored(subject, job_id)
        assert (job.due_at, job.progress, job.cancel_requested) == (LEASE + MINUTE, Progress(1, 2), True)

    async def test_a_waiting_job_that_is_cancelled_is_over(self, subject: Storage) -> None:
        """No runner takes it; its key is free."""
        job_id = await ask(subject, request(dedupe_key="k"))
        before = await stored(subject, job_id)
        await save(subject, before, model.cancelled(before, LATER))
        assert await claim(subject) is None
        job = await stored(subject, job_id)
        assert (job.state, job.finished_at) == (JobState.CANCELLED, LATER)
        assert await ask(subject, request(dedupe_key="k")) != job_id

    async def test_a_dead_job_that_is_retried_begins_anew(self, subject: Storage) -> None:
        """With all its attempts; runners are told of it at once."""
        job_id = await ask(subject, request())
        await subject.jobs.finish(await claimed(subject), Ending(JobState.DEAD, "no"))
        before = await stored(subject, job_id)
        await save(subject, before, model.retried(before, LEASE))
        assert [job.id for job in await subject.jobs.unclaimed(LEASE, MINUTE, 10)] == [job_id]
        job = await claimed(subject, 2, LEASE)
        assert (job.id, job.attempts, job.error) == (job_id, 1, "no")

    async def test_a_retry_is_refused_while_a_twin_is_open(self, subject: Storage) -> None:
        """Two open jobs never have one key."""
        job_id = await ask(subject, request(dedupe_key="k"))
        await subject.jobs.finish(await claimed(subject), Ending(JobState.DEAD, "no"))
        await ask(subject, request(dedupe_key="k"))
        before = await stored(subject, job_id)
        with pytest.raises(AlreadyExistsError):
            await save(subject, before, model.retried(before, LATER))
