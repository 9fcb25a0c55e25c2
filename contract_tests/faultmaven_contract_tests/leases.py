"""What every backend of leases must do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from faultmaven_contract_tests.cache import LIFETIMES, MINUTE, NAMES, SECOND, Passing
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.harness import Contract
from faultmaven_core.ports.leases import Lease, Leases
from faultmaven_core.shared.errors import ConflictError, InvalidInputError


async def acquired(leases: Leases, owner: str = "one", name: str = "schedule", ttl: timedelta = MINUTE) -> Lease:
    """A lease that must be granted."""
    lease = await leases.acquire(name, ttl=ttl, owner=owner)
    assert lease is not None
    assert (lease.name, lease.owner) == (name, owner)
    return lease


class LeasesContract(Contract):
    """A binding gives the fixtures `subject`, where nothing is held, and `passing`."""

    async def test_one_holds_it_and_the_others_do_not(self, subject: Leases) -> None:
        """Of fifty at once, each of whom could have had it."""
        owners = [f"worker-{number}" for number in range(50)]
        granted = await asyncio.gather(*(subject.acquire("schedule", ttl=MINUTE, owner=owner) for owner in owners))
        held = [lease for lease in granted if lease is not None]
        assert len(held) == 1
        assert await subject.acquire("schedule", ttl=MINUTE, owner="late") is None
        assert await acquired(subject, "late", name="another schedule".replace(" ", "-"))

    async def test_its_holder_gets_the_same_lease_again(self, subject: Leases) -> None:
        """An answer that was lost can be asked for, and is no new grant."""
        lease = await acquired(subject)
        assert await acquired(subject) == lease
        assert await subject.renew(lease, ttl=MINUTE)

    async def test_renewing_keeps_it(self, subject: Leases, passing: Passing) -> None:
        """Beyond its first end; asking for it again does as well."""
        renewed, asked = await acquired(subject, ttl=SECOND), await acquired(subject, name="asked", ttl=SECOND)
        assert await subject.renew(renewed, ttl=MINUTE)
        assert await acquired(subject, name="asked", ttl=MINUTE) == asked
        await passing(1.2)
        assert await subject.acquire("schedule", ttl=MINUTE, owner="two") is None
        assert await subject.acquire("asked", ttl=MINUTE, owner="two") is None
        assert await subject.renew(renewed, ttl=MINUTE)

    async def test_its_end_frees_it_and_the_token_grows(self, subject: Leases, passing: Passing) -> None:
        """The old holder cannot renew it, not even while nobody has it, and cannot take it from the new one."""
        first = await acquired(subject, ttl=SECOND)
        await passing(1.2)
        assert not await subject.renew(first, ttl=MINUTE)
        second = await acquired(subject, "two")
        assert second.token > first.token
        assert not await subject.renew(first, ttl=MINUTE)
        await subject.release(first)
        assert await subject.renew(second, ttl=MINUTE)
        assert await subject.acquire("schedule", ttl=MINUTE, owner="one") is None

    async def test_tokens_strictly_grow(self, subject: Leases) -> None:
        """Whoever gets it, however quickly."""
        tokens = []
        for number in range(50):
            lease = await acquired(subject, f"worker-{number % 3}")
            tokens.append(lease.token)
            await subject.release(lease)
        assert tokens == sorted(set(tokens))

    async def test_a_late_release_by_the_old_owner_is_harmless(self, subject: Leases) -> None:
        """Also by an owner of the same name: the token tells his grants apart."""
        old = await acquired(subject)
        await subject.release(old)
        await subject.release(old)
        new = await acquired(subject)
        await subject.release(old)
        assert not await subject.renew(old, ttl=MINUTE)
        assert await subject.acquire("schedule", ttl=MINUTE, owner="two") is None
        assert await subject.renew(new, ttl=MINUTE)

    async def test_only_its_owner_renews_and_releases(self, subject: Leases) -> None:
        """A token that somebody made up is as good as none."""
        lease = await acquired(subject)
        for forged in (
            replace(lease, owner="two"),
            replace(lease, token=lease.token + 1),
            replace(lease, name="other"),
        ):
            assert not await subject.renew(forged, ttl=MINUTE)
            await subject.release(forged)
        assert await subject.renew(lease, ttl=MINUTE)

    async def test_lifetimes_out_of_bounds_are_refused(self, subject: Leases) -> None:
        """A lease without an end would outlive its holder."""
        lease = await acquired(subject)
        for ttl in LIFETIMES:
            with pytest.raises(InvalidInputError):
                await subject.acquire("another", ttl=ttl, owner="one")
            with pytest.raises(InvalidInputError):
                await subject.renew(lease, ttl=ttl)
        assert await acquired(subject, "two", name="another")

    async def test_hostile_names_are_refused(self, subject: Leases) -> None:
        """Of leases and of owners."""
        for text in NAMES:
            with pytest.raises(InvalidInputError):
                await subject.acquire(text, ttl=MINUTE, owner="one")
            with pytest.raises(InvalidInputError):
                await subject.acquire("schedule", ttl=MINUTE, owner=text)

    async def test_closed_leases_refuse(self, subject: Leases) -> None:
        """With an error that says so; closing twice is no error."""
        lease = await acquired(subject)
        await subject.ping()
        assert (await subject.inspect()).product
        await subject.aclose()
        await subject.aclose()
        for call in (subject.acquire("schedule", ttl=MINUTE, owner="one"), subject.renew(lease, ttl=MINUTE)):
            with pytest.raises(ConflictError):
                await call


class LeasesLostReplyContract(Contract):
    """Answers that never arrive. A binding gives `subject`, which goes through `proxy`, and `direct`, which does not."""

    async def test_a_grant_whose_reply_was_lost_is_ours(
        self, subject: Leases, direct: Leases, proxy: FaultProxy
    ) -> None:
        """And no second grant: the token that the server keeps is the one that we get."""
        await subject.ping()
        proxy.cut_next_reply(to=b"one")
        lease = await acquired(subject)
        assert await direct.renew(lease, ttl=MINUTE)
        assert await direct.acquire("schedule", ttl=MINUTE, owner="two") is None
