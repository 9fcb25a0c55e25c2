"""What every repository of uploads promises."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.nasty import TEXTS
from faultmaven_contract_tests.samples import ACME, OTHER, START, Storage, evidence, upload
from faultmaven_core.evidence.model import Custody
from faultmaven_core.evidence.uploads import Held, Quota, Upload
from faultmaven_core.shared.errors import (
    AlreadyExistsError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    StaleVersionError,
)
from faultmaven_core.shared.ids import UserId

ANN, BEN = UserId("ann"), UserId("ben")


async def keep(storage: Storage, *uploads: Upload) -> None:
    """Add uploads of one organization and commit."""
    async with storage.evidence(uploads[0].organization) as unit:
        for one in uploads:
            await unit.uploads.add(one)
        await unit.commit()


class UploadRepositoryContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    @pytest.mark.parametrize("text", TEXTS)
    async def test_every_field_of_an_upload_comes_back(self, subject: Storage, text: str) -> None:
        """Sizes beyond 32 bits, and any text."""
        stored = upload(name=text, details={"source_url": text})
        await keep(subject, stored)
        async with subject.evidence(ACME, read_only=True) as unit:
            assert await unit.uploads.get(stored.id) == stored

    async def test_a_taken_id_or_key_is_refused(self, subject: Storage) -> None:
        """And another organization's upload is not there at all."""
        await keep(subject, upload(1))
        await keep(subject, upload(2, OTHER))
        for clash in (upload(1), upload(3, key=upload(1).key), upload(3, id=upload(1).id)):
            with pytest.raises(AlreadyExistsError):
                await keep(subject, clash)
        async with subject.evidence(ACME) as unit:
            with pytest.raises(NotFoundError):
                await unit.uploads.get(upload(2).id)
            with pytest.raises(PermissionDeniedError):
                await unit.uploads.add(upload(4, OTHER))

    async def test_of_two_that_send_the_same_part_one_is_late(self, subject: Storage) -> None:
        """By the version."""
        await keep(subject, upload(1))
        async with subject.evidence(ACME) as unit:
            await unit.uploads.save(upload(1, received=7))
            await unit.commit()
        async with subject.evidence(ACME) as unit:
            assert await unit.uploads.get(upload(1).id) == upload(1, received=7, version=2)
            with pytest.raises(StaleVersionError):
                await unit.uploads.save(upload(1, received=8))

    async def test_old_uploads_are_found_and_removed(self, subject: Storage) -> None:
        """Oldest first, of the own organization; twice is no error."""
        await keep(subject, upload(3), upload(1), upload(2))
        await keep(subject, upload(1, OTHER))
        moment = START + timedelta(seconds=3)
        async with subject.evidence(ACME) as unit:
            assert list(await unit.uploads.begun_before(moment, 5)) == [upload(1), upload(2)]
            assert list(await unit.uploads.begun_before(moment, 1)) == [upload(1)]
            for _ in range(2):
                await unit.uploads.remove([upload(1), upload(2)])
            await unit.commit()
        async with subject.evidence(ACME, read_only=True) as unit:
            assert list(await unit.uploads.begun_before(moment, 5)) == []
        async with subject.evidence(OTHER, read_only=True) as unit:
            assert len(await unit.uploads.begun_before(moment, 5)) == 1

    async def test_what_is_held_is_copies_and_what_is_kept_free(self, subject: Storage) -> None:
        """Not files that were left in their place, and not another organization's."""
        async with subject.evidence(ACME) as unit:
            assert await unit.uploads.held(ANN) == Held(0, 0)
            await unit.evidence.add([evidence(1, custody=Custody.COPY, blob="a/1", size=2**40), evidence(2)])
            await unit.uploads.add(upload(1, size=10))
            await unit.uploads.add(upload(2, size=5, owner=BEN))
            await unit.commit()
        await keep(subject, upload(3, OTHER))
        async with subject.evidence(OTHER) as unit:
            await unit.evidence.add([evidence(3, OTHER, custody=Custody.COPY, blob="a/3", size=2**30)])
            await unit.commit()
        async with subject.evidence(ACME, read_only=True) as unit:
            assert await unit.uploads.held(ANN) == Held(2**40 + 15, 2**40 + 10)
            assert await unit.uploads.held(BEN) == Held(2**40 + 15, 5)

    async def test_many_at_once_do_not_take_more_than_there_is(self, subject: Storage) -> None:
        """Whoever asks what is held waits for the one who has asked before."""
        quota = Quota(organization=30)

        async def reserve(number: int) -> bool:
            async with subject.evidence(ACME) as unit:
                try:
                    quota.check(await unit.uploads.held(ANN), 10)
                except QuotaExceededError:
                    return False
                await unit.uploads.add(upload(number, size=10))
                await unit.commit()
                return True

        assert sum(await asyncio.gather(*(reserve(number) for number in range(1, 9)))) == 3
