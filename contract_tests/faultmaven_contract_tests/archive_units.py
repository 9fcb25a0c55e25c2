"""What every storage promises of units in which a case and its evidence are one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.samples import ACME, OTHER, START, Storage, case, entry, evidence, message, upload
from faultmaven_core.cases.ports import StoredRecord
from faultmaven_core.evidence.uploads import Held
from faultmaven_core.shared.errors import AlreadyExistsError, ConflictError, NotFoundError, PermissionDeniedError

RECORD = StoredRecord(b"{}", "0" * 64, b"{}")


class ArchiveUnitContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    async def test_a_case_and_all_that_is_its_come_with_one_commit(self, subject: Storage) -> None:
        """And other units see all of it afterwards, and nothing before."""
        stored = case()
        async with subject.archives(ACME) as unit:
            await unit.cases.add(stored)
            await unit.messages.add([message()])
            await unit.evidence.add([evidence()])
            await unit.records.add(stored.id, 1, RECORD)
            await unit.journal.add(entry(stored.id))
            await unit.uploads.add(upload())
            assert await unit.uploads.held(upload().owner) == Held(upload().size, upload().size)
            await unit.commit()
        async with subject.archives(ACME, read_only=True) as unit:
            assert (await unit.cases.get(stored.id)).id == stored.id
            assert list(await unit.messages.read(stored.id, after=0, limit=9)) == [message()]
            assert list(await unit.evidence.of_case(stored.id)) == [evidence()]
            assert await unit.records.last(stored.id) == RECORD
            assert await unit.journal.last(stored.id) == entry(stored.id)
            assert await unit.overview(stored.id) == (await unit.cases.get(stored.id), 1)
        async with subject.evidence(ACME, read_only=True) as unit:
            assert await unit.evidence.count(stored.id) == 1
        async with subject.archives(ACME) as unit:
            await unit.cases.save(replace(await unit.cases.get(stored.id), deleted_at=START))
            with pytest.raises(NotFoundError):
                await unit.overview(stored.id)

    async def test_what_fails_at_its_end_leaves_nothing(self, subject: Storage) -> None:
        """Neither the case nor its evidence."""
        async with subject.evidence(ACME) as unit:
            await unit.evidence.add([evidence(2, case_id=case(2).id)])
            await unit.commit()
        async with subject.archives(ACME) as unit:
            await unit.cases.add(case())
            await unit.messages.add([message()])
            with pytest.raises(AlreadyExistsError):
                await unit.evidence.add([evidence(1), evidence(2)])
            with pytest.raises(ConflictError):
                await unit.commit()
        async with subject.archives(ACME, read_only=True) as unit:
            with pytest.raises(NotFoundError):
                await unit.cases.get(case().id)
            assert await unit.evidence.count(case().id) == 0

    async def test_another_organization_is_out_of_reach(self, subject: Storage) -> None:
        """For reading, and for what is to be written."""
        async with subject.archives(ACME) as unit:
            await unit.cases.add(case())
            await unit.evidence.add([evidence()])
            await unit.uploads.add(upload())
            await unit.commit()
        async with subject.archives(OTHER) as unit:
            with pytest.raises(NotFoundError):
                await unit.overview(case().id)
            await unit.cases.add(case(organization=OTHER))
            assert await unit.overview(case().id) == (await unit.cases.get(case().id), 0)
        async with subject.archives(OTHER, read_only=True) as unit:
            with pytest.raises(NotFoundError):
                await unit.cases.get(case().id)
            assert list(await unit.evidence.of_case(case().id)) == []
            assert (await unit.uploads.held(upload().owner)).organization == 0
        async with subject.archives(OTHER) as unit:
            for writing in (unit.cases.add(case(3, ACME)), unit.evidence.add([evidence(3, ACME)])):
                with pytest.raises(PermissionDeniedError):
                    await writing
