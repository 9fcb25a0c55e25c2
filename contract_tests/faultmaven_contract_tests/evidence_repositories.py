"""What every repository of evidence promises."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.nasty import TEXTS
from faultmaven_contract_tests.samples import ACME, OTHER, Storage, case, evidence
from faultmaven_core.evidence.model import Custody, Evidence
from faultmaven_core.shared.errors import AlreadyExistsError, NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import CaseId

CASE = case().id


async def keep(storage: Storage, *items: Evidence) -> None:
    """Add evidence of one organization and commit."""
    async with storage.evidence(items[0].organization) as unit:
        await unit.evidence.add(items)
        await unit.commit()


class EvidenceRepositoryContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    @pytest.mark.parametrize("text", TEXTS)
    async def test_every_field_comes_back_whatever_it_holds(self, subject: Storage, text: str) -> None:
        """Byte for byte, and sizes beyond 32 bits."""
        stored = evidence(name=text, location=text, problem=text, custody=Custody.COPY, blob="acme/x")
        await keep(subject, stored)
        async with subject.evidence(ACME, read_only=True) as unit:
            assert await unit.evidence.get(CASE, stored.id) == stored

    async def test_adding_twice_keeps_nothing_of_the_second_batch(self, subject: Storage) -> None:
        """Also where only one of many is taken."""
        await keep(subject, evidence(1))
        for clash in (evidence(1), replace(evidence(3), key=evidence(1).key), replace(evidence(3), id=evidence(1).id)):
            with pytest.raises(AlreadyExistsError):
                await keep(subject, evidence(2), clash)
        async with subject.evidence(ACME, read_only=True) as unit:
            assert list(await unit.evidence.of_case(CASE)) == [evidence(1)]

    async def test_an_empty_batch_is_nothing(self, subject: Storage) -> None:
        """And no error."""
        async with subject.evidence(ACME) as unit:
            await unit.evidence.add([])
            await unit.evidence.save([])
            await unit.evidence.remove([])
            await unit.commit()

    async def test_absent_and_foreign_evidence_look_the_same(self, subject: Storage) -> None:
        """Of another organization, of another case, of nobody."""
        await keep(subject, evidence(1, OTHER))
        await keep(subject, evidence(2, case_id=CaseId("case_else")))
        for item in (evidence(1), evidence(2), evidence(3)):
            async with subject.evidence(ACME) as unit:
                with pytest.raises(NotFoundError):
                    await unit.evidence.get(CASE, item.id)
                with pytest.raises(StaleVersionError):
                    await unit.evidence.save([item])
                assert list(await unit.evidence.of_case(CASE)) == []
                assert (await unit.evidence.page(CASE, after=None, limit=5)).items == ()

    async def test_saving_grows_the_version_and_stale_ones_are_refused(self, subject: Storage) -> None:
        """One lost race in a batch is enough."""
        await keep(subject, evidence(1), evidence(2))
        async with subject.evidence(ACME) as unit:
            await unit.evidence.save([evidence(1, kind="metrics", sources=())])
            await unit.commit()
        async with subject.evidence(ACME) as unit:
            assert await unit.evidence.get(CASE, evidence(1).id) == evidence(1, kind="metrics", sources=(), version=2)
            with pytest.raises(StaleVersionError):
                await unit.evidence.save([evidence(2), evidence(1)])
        async with subject.evidence(ACME, read_only=True) as unit:
            assert (await unit.evidence.get(CASE, evidence(2).id)).version == 1

    async def test_pages_are_in_order_of_adding_and_end(self, subject: Storage) -> None:
        """And show each piece once."""
        items = [evidence(number) for number in range(1, 8)]
        await keep(subject, *reversed(items))
        seen: list[Evidence] = []
        after = None
        for _ in range(3):
            async with subject.evidence(ACME, read_only=True) as unit:
                page = await unit.evidence.page(CASE, after=after, limit=3)
            seen += page.items
            after = page.next
        assert seen == items
        assert after is None

    async def test_the_copies_that_are_named(self, subject: Storage) -> None:
        """Of the organization, in all its cases."""
        elsewhere = evidence(3, case_id=CaseId("case_else"), blob="acme/b")
        await keep(subject, evidence(1, blob="acme/a"), evidence(2), elsewhere)
        await keep(subject, evidence(1, OTHER, blob="other/c"))
        async with subject.evidence(ACME, read_only=True) as unit:
            assert set(await unit.evidence.blobs()) == {"acme/a", "acme/b"}

    async def test_removing_takes_away_what_was_named_and_nothing_else(self, subject: Storage) -> None:
        """The second time it is no error."""
        await keep(subject, evidence(1), evidence(2))
        await keep(subject, evidence(1, OTHER))
        for _ in range(2):
            async with subject.evidence(ACME) as unit:
                await unit.evidence.remove([evidence(1)])
                await unit.commit()
        async with subject.evidence(ACME, read_only=True) as unit:
            assert list(await unit.evidence.of_case(CASE)) == [evidence(2)]
        async with subject.evidence(OTHER, read_only=True) as unit:
            assert list(await unit.evidence.of_case(CASE)) == [evidence(1, OTHER)]
