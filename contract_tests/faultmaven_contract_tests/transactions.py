"""What every unit of work promises."""

from __future__ import annotations

import asyncio

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.samples import ACME, START, Storage, case, entry, request
from faultmaven_core.cases.model import Case
from faultmaven_core.jobs.model import Claim
from faultmaven_core.shared.errors import (
    AlreadyExistsError,
    ConflictError,
    NotFoundError,
    StaleVersionError,
    TooLargeError,
)
from faultmaven_core.shared.ids import CaseId


async def exists(storage: Storage, name: CaseId) -> bool:
    """Whether a case can be seen from outside."""
    async with storage.cases(ACME, read_only=True) as unit:
        try:
            await unit.cases.get(name)
        except NotFoundError:
            return False
    return True


class UnitOfWorkContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    async def test_nothing_is_visible_before_commit_and_all_after(self, subject: Storage) -> None:
        """A reader that came in between sees the old state to its end."""
        async with subject.cases(ACME) as unit:
            await unit.cases.add(case())
            await unit.cases.get(case().id)
            assert not await exists(subject, case().id)
            await unit.commit()
        assert await exists(subject, case().id)

    async def test_leaving_without_commit_rolls_back(self, subject: Storage) -> None:
        """Forgetting it must not keep half a change."""
        async with subject.cases(ACME) as unit:
            await unit.cases.add(case())
        assert not await exists(subject, case().id)

    async def test_an_error_rolls_back(self, subject: Storage) -> None:
        """And comes through as it is."""

        async def fail() -> None:
            async with subject.cases(ACME) as unit:
                await unit.cases.add(case())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        assert not await exists(subject, case().id)

    async def test_cancellation_rolls_back(self, subject: Storage) -> None:
        """Wherever it strikes; the next writer is not kept waiting."""
        reached = asyncio.Event()

        async def work() -> None:
            async with subject.cases(ACME) as unit:
                await unit.cases.add(case())
                reached.set()
                await asyncio.sleep(60)

        task = asyncio.create_task(work())
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not await exists(subject, case().id)
        async with subject.cases(ACME) as unit:
            await unit.cases.add(case())
            await unit.commit()

    async def test_cancellation_at_any_step_leaves_all_or_nothing(self, subject: Storage) -> None:
        """Cancelled after a growing number of turns of the loop, until it gets through."""

        async def work(number: int) -> None:
            async with subject.cases(ACME) as unit:
                await unit.cases.add(case(number))
                await unit.outbox.add(request(dedupe_key=str(number)))
                await unit.commit()

        for turns in range(25):
            task = asyncio.create_task(work(turns + 1))
            for _ in range(turns):
                await asyncio.sleep(0.0003)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        jobs = 0
        while await subject.jobs.claim(Claim(START.replace(year=2100), START.replace(year=2101), case().key)):
            jobs += 1
        assert jobs == sum([await exists(subject, case(turns + 1).id) for turns in range(25)])

    async def test_a_unit_cannot_be_used_after_its_end(self, subject: Storage) -> None:
        """Neither committed nor left, nor entered twice."""
        unit = subject.cases(ACME)
        async with unit:
            await unit.commit()
            with pytest.raises(ConflictError):
                await unit.cases.get(case().id)
        with pytest.raises(ConflictError):
            await unit.commit()
        with pytest.raises(ConflictError):
            await unit.__aenter__()

    async def test_a_unit_that_a_row_was_refused_in_can_only_be_left(self, subject: Storage) -> None:
        """What was added before goes with the rest; a commit would keep half of what was meant."""
        async with subject.cases(ACME) as unit:
            await unit.cases.add(case(1))
            await unit.commit()
        for refused in (case(1), entry(case(9).id)):
            async with subject.cases(ACME) as unit:
                await unit.cases.add(case(2))
                with pytest.raises((AlreadyExistsError, NotFoundError)):
                    await (unit.cases.add(refused) if isinstance(refused, Case) else unit.journal.add(refused))
                with pytest.raises(ConflictError, match="has failed"):
                    await unit.cases.get(case(1).id)
                with pytest.raises(ConflictError, match="has failed"):
                    await unit.commit()
            assert not await exists(subject, case(2).id)

    async def test_an_error_of_the_core_leaves_the_unit_usable(self, subject: Storage) -> None:
        """What is not there, and a version that is not the stored one, are answers."""
        async with subject.cases(ACME) as unit:
            with pytest.raises(NotFoundError):
                await unit.cases.get(case().id)
            with pytest.raises(StaleVersionError):
                await unit.cases.save(case())
            await unit.cases.add(case())
            await unit.commit()
        assert await exists(subject, case().id)

    async def test_a_read_only_unit_has_nothing_to_commit(self, subject: Storage) -> None:
        """Whoever tries believes to have changed something."""
        for unit in (subject.cases(ACME, read_only=True), subject.cases(ACME, may_lag=True)):
            async with unit:
                assert await unit.journal.last(case().id) is None
                with pytest.raises(ConflictError):
                    await unit.commit()

    async def test_a_storage_that_was_closed_works_on_another_event_loop(self, subject: Storage) -> None:
        """As in a worker, which has one of its own; and on the first one again afterwards."""

        async def work() -> None:
            async with subject.cases(ACME) as unit:
                await unit.cases.add(case())
                await unit.commit()
            await asyncio.gather(*(exists(subject, case().id) for _ in range(8)))
            await subject.aclose()

        assert not await exists(subject, case().id)
        await subject.aclose()
        await asyncio.to_thread(lambda: asyncio.run(work()))
        assert await exists(subject, case().id)

    async def test_ten_writers_at_once_lose_no_change(self, subject: Storage) -> None:
        """Each reads, adds one and saves, again where another was first."""
        async with subject.cases(ACME) as unit:
            await unit.cases.add(case(records=0))
            await unit.commit()

        async def increment() -> None:
            while True:
                try:
                    async with subject.cases(ACME) as unit:
                        found = await unit.cases.get(case().id)
                        await asyncio.sleep(0)
                        await unit.cases.save(case(records=found.records + 1, version=found.version))
                        await unit.commit()
                except StaleVersionError:
                    continue
                return

        await asyncio.gather(*(increment() for _ in range(10)))
        async with subject.cases(ACME, read_only=True) as unit:
            found = await unit.cases.get(case().id)
        assert (found.records, found.version) == (10, 11)

    async def test_readers_do_not_wait_for_a_writer(self, subject: Storage) -> None:
        """However long it takes."""
        async with subject.cases(ACME) as unit:
            await unit.cases.add(case())
            async with asyncio.timeout(30):
                assert not await exists(subject, case().id)

    async def test_a_job_exists_if_and_only_if_its_unit_committed(self, subject: Storage) -> None:
        """The outbox."""
        async with subject.cases(ACME) as unit:
            dropped = await unit.outbox.add(request())
        async with subject.job_units(ACME, read_only=True) as unit:
            with pytest.raises(NotFoundError):
                await unit.jobs.get(dropped)
        async with subject.evidence(ACME) as other:
            job_id = await other.outbox.add(request())
            await other.commit()
        async with subject.job_units(ACME, read_only=True) as unit:
            job = await unit.jobs.get(job_id)
        assert (job.operation, job.payload, job.caller) == ("case.note", b'{"a":1}', request().caller)

    async def test_an_open_twin_answers_for_a_job(self, subject: Storage) -> None:
        """By key and organization; without a key there are no twins."""
        async with subject.cases(ACME) as unit:
            first = await unit.outbox.add(request(dedupe_key="k"))
            assert await unit.outbox.add(request(dedupe_key="k")) == first
            assert await unit.outbox.add(request(dedupe_key="l")) != first
            assert await unit.outbox.add(request()) != await unit.outbox.add(request())
            await unit.commit()

    async def test_a_payload_over_the_limit_is_refused(self, subject: Storage) -> None:
        """What is larger belongs into a blob."""
        async with subject.cases(ACME) as unit:
            await unit.outbox.add(request(payload=b'"' + b"x" * 65534 + b'"'))
            with pytest.raises(TooLargeError):
                await unit.outbox.add(request(payload=b'"' + b"x" * 65535 + b'"'))
