"""What every repository of invitations, refresh tokens, API keys and grants promises, and the directory of their digests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.identity_samples import (
    DAY,
    FAMILY,
    NOBODY,
    api_key,
    grant,
    invitation,
    people,
    token,
    user,
)
from faultmaven_contract_tests.samples import ACME, OTHER, START, Storage, key
from faultmaven_core.identity.credentials import InvitationState, Purpose, RefreshToken, digest
from faultmaven_core.identity.ports import Found, IdentityUnitOfWork
from faultmaven_core.shared.errors import AlreadyExistsError, NotFoundError, StaleVersionError

LATER = START + timedelta(hours=1)
SESSION = token().session
SECOND = f"tag.{'f' * 64}"

Maker = Callable[..., Any]
KINDS: dict[str, tuple[str, Maker, Maker]] = {
    "invitation": (
        "invitations",
        invitation,
        lambda one: replace(one, state=InvitationState.DECLINED, decided_at=LATER),
    ),
    "refresh": ("refresh_tokens", token, lambda one: replace(one, used_at=LATER)),
    "api_key": ("api_keys", api_key, lambda one: replace(one, last_used_at=LATER, permissions=())),
    "reset": ("grants", grant, lambda one: replace(one, used_at=LATER)),
    "code": (
        "grants",
        lambda number=1, organization=ACME: grant(number, organization, Purpose.CODE),
        lambda one: replace(one, revoked_at=LATER),
    ),
}
"""Each kind: its repository, a maker, a change."""


def of_digest(unit: IdentityUnitOfWork, kind: str, wanted: str) -> Coroutine[Any, Any, Any]:
    """The one of a kind that has a digest."""
    repository = getattr(unit, KINDS[kind][0])
    if kind in {"reset", "code"}:
        return repository.by_digest(Purpose(kind), wanted)  # type: ignore[no-any-return]  # chosen by name
    return repository.by_digest(wanted)  # type: ignore[no-any-return]  # as above


async def located(storage: Storage, kind: str, wanted: str) -> Found | None:
    """What the directory says of a digest."""
    if kind in {"reset", "code"}:
        return await storage.accounts.by_grant_digest(Purpose(kind), wanted)
    found: Found | None = await getattr(storage.accounts, f"by_{kind}_digest")(wanted)
    return found


async def keep(storage: Storage, kind: str, *items: Any) -> None:
    """Add and commit."""
    for item in items:
        async with storage.identity(item.organization) as unit:
            await getattr(unit, KINDS[kind][0]).add(item)
            await unit.commit()


async def live(storage: Storage, *tokens: RefreshToken) -> list[bool]:
    """Which of these tokens are not revoked."""
    async with storage.identity(ACME, read_only=True) as unit:
        return [(await unit.refresh_tokens.by_digest(one.digest)).revoked_at is None for one in tokens]


class CredentialsContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    @pytest.mark.parametrize("kind", KINDS)
    async def test_it_comes_back_with_every_field_and_changes_once_per_version(
        self, subject: Storage, kind: str
    ) -> None:
        """By its digest, of which a lost race changes nothing."""
        await people(subject)
        name, make, changed = KINDS[kind]
        await keep(subject, kind, make(1), make(2))
        async with subject.identity(ACME) as unit:
            repository = getattr(unit, name)
            assert await of_digest(unit, kind, make(1).digest) == make(1)
            await repository.save(changed(make(1)))
            with pytest.raises(StaleVersionError):
                await repository.save(make(1))
            with pytest.raises(StaleVersionError):
                await repository.save(make(9))
            assert await of_digest(unit, kind, make(1).digest) == replace(changed(make(1)), version=2)
            assert await of_digest(unit, kind, make(2).digest) == make(2)
            with pytest.raises(NotFoundError):
                await of_digest(unit, kind, digest("none"))

    @pytest.mark.parametrize("kind", KINDS)
    async def test_the_directory_says_where_it_is_from_the_commit_on(self, subject: Storage, kind: str) -> None:
        """For its own kind alone; nothing is said of what was rolled back."""
        await people(subject)
        await people(subject, OTHER)
        name, make, _ = KINDS[kind]
        await keep(subject, kind, make(1), make(1, OTHER))
        async with subject.identity(ACME) as unit:
            await getattr(unit, name).add(make(3))
        assert await located(subject, kind, make(1).digest) == Found(ACME, make(1).key)
        assert await located(subject, kind, make(1, OTHER).digest) == Found(OTHER, make(1, OTHER).key)
        assert await located(subject, kind, make(3).digest) is None
        for other in set(KINDS) - {kind}:
            assert await located(subject, other, make(1).digest) is None

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_digest_is_one_within_the_installation(self, subject: Storage, kind: str) -> None:
        """So a secret opens one door."""
        await people(subject)
        await people(subject, OTHER)
        name, make, _ = KINDS[kind]
        await keep(subject, kind, make(1))
        for organization, number in ((ACME, 2), (OTHER, 1)):
            async with subject.identity(organization) as unit:
                with pytest.raises(AlreadyExistsError):
                    await getattr(unit, name).add(replace(make(number, organization), digest=make(1).digest))

    @pytest.mark.parametrize("kind", ["refresh", "api_key", "reset"])
    async def test_it_belongs_to_a_user_of_the_organization(self, subject: Storage, kind: str) -> None:
        """Whom there is."""
        await people(subject)
        name, make, _ = KINDS[kind]
        async with subject.identity(ACME) as unit:
            with pytest.raises(NotFoundError):
                await getattr(unit, name).add(replace(make(1), user=NOBODY))

    async def test_invitations_come_newest_first_in_pages(self, subject: Storage) -> None:
        """Whatever became of them."""
        await people(subject)
        await keep(subject, "invitation", *(invitation(number) for number in range(1, 6)))
        async with subject.identity(ACME, read_only=True) as unit:
            first = await unit.invitations.page(after=None, limit=3)
            rest = await unit.invitations.page(after=first.next, limit=3)
            assert [*first.items, *rest.items] == [invitation(number) for number in (5, 4, 3, 2, 1)]
            assert rest.next is None
            assert await unit.invitations.get(invitation(2).id) == invitation(2)

    async def test_of_many_who_use_a_token_at_once_one_makes_the_successor(self, subject: Storage) -> None:
        """The others are told that they are late, and find the successor."""
        await people(subject)
        await keep(subject, "refresh", token(1))

        async def use() -> str:
            async with subject.identity(ACME) as unit:
                found = await unit.refresh_tokens.by_digest(token(1).digest)
                if found.used_at is not None:
                    return "late"
                try:
                    await unit.refresh_tokens.save(replace(found, used_at=LATER))
                    await unit.refresh_tokens.add(token(2))
                    await unit.commit()
                except (StaleVersionError, AlreadyExistsError):
                    return "late"
                return "won"

        outcomes = await asyncio.gather(*(use() for _ in range(20)))
        assert sorted(outcomes) == ["late"] * 19 + ["won"]
        assert await located(subject, "refresh", token(2).digest) == Found(ACME, token(2).key)

    @pytest.mark.parametrize(
        ("revoke", "gone"),
        [
            (lambda tokens: tokens.revoke_family(FAMILY, LATER), {1, 2, 3}),
            (lambda tokens: tokens.revoke_session(SECOND, LATER), {3, 4}),
            (lambda tokens: tokens.revoke_user(user(1).id, LATER), {1, 2, 4}),
            (lambda tokens: tokens.revoke_user(user(1).id, LATER, keep_session=SECOND), {1, 2}),
        ],
        ids=["family", "session", "user", "user but for a session"],
    )
    async def test_revoking_takes_exactly_what_it_names(
        self, subject: Storage, revoke: Callable[[Any], Coroutine[Any, Any, int]], gone: set[int]
    ) -> None:
        """Once; the versions grow, so that who uses one now is too late; another organization's stay."""
        tokens = {
            1: token(1),
            2: token(2, used_at=START),
            3: token(3, of=2, session=SECOND),
            4: token(4, session=SECOND, family=key(7001)),
            5: token(5, of=2, family=key(7002)),
        }
        await people(subject)
        await people(subject, OTHER)
        await keep(subject, "refresh", *tokens.values(), token(1, OTHER))
        async with subject.identity(ACME) as unit:
            assert await revoke(unit.refresh_tokens) == len(gone)
            assert await revoke(unit.refresh_tokens) == 0
            for number in gone:
                with pytest.raises(StaleVersionError):
                    await unit.refresh_tokens.save(replace(tokens[number], used_at=LATER))
            await unit.commit()
        assert await live(subject, *tokens.values()) == [number not in gone for number in tokens]
        async with subject.identity(OTHER, read_only=True) as unit:
            assert await unit.refresh_tokens.by_digest(token(1, OTHER).digest) == token(1, OTHER)

    async def test_a_successor_that_is_made_meanwhile_is_revoked_too(self, subject: Storage) -> None:
        """Whoever comes first: afterwards nothing of the family lives."""
        await people(subject)
        await keep(subject, "refresh", token(1))
        using, revoked = asyncio.Event(), asyncio.Event()

        async def use() -> None:
            async with subject.identity(ACME) as unit:
                found = await unit.refresh_tokens.by_digest(token(1).digest)
                await unit.refresh_tokens.save(replace(found, used_at=LATER))
                await unit.refresh_tokens.add(token(2))
                using.set()
                await unit.commit()

        async def revoke() -> None:
            await using.wait()
            async with subject.identity(ACME) as unit:
                await unit.refresh_tokens.revoke_family(FAMILY, LATER)
                await unit.commit()
            revoked.set()

        await asyncio.gather(use(), revoke())
        assert revoked.is_set()
        assert await live(subject, token(1), token(2)) == [False, False]

    async def test_keys_of_a_user_come_oldest_first_and_are_revoked_together(self, subject: Storage) -> None:
        """Another's stay."""
        await people(subject)
        mine = [api_key(2), api_key(1, expires_at=None), api_key(3, revoked_at=START)]
        await keep(subject, "api_key", *mine, api_key(4, of=2))
        async with subject.identity(ACME) as unit:
            assert [one.id for one in await unit.api_keys.of_user(user().id)] == [api_key(n).id for n in (1, 2, 3)]
            assert await unit.api_keys.get(api_key(1).id) == mine[1]
            assert await unit.api_keys.revoke_user(user().id, LATER) == 2
            assert [one.revoked_at for one in await unit.api_keys.of_user(user().id)] == [LATER, LATER, START]
            assert (await unit.api_keys.get(api_key(4).id)).revoked_at is None

    async def test_grants_are_revoked_by_purpose_while_they_are_open(self, subject: Storage) -> None:
        """A used one keeps its story."""
        await people(subject)
        used = grant(2, used_at=START)
        await keep(subject, "reset", grant(1), used, grant(3, of=2), grant(4, purpose=Purpose.CODE))
        async with subject.identity(ACME) as unit:
            assert await unit.grants.revoke_user(Purpose.RESET, user().id, LATER) == 1
            assert (await unit.grants.by_digest(Purpose.RESET, grant(1).digest)).revoked_at == LATER
            assert await unit.grants.by_digest(Purpose.RESET, used.digest) == used
            assert (await unit.grants.by_digest(Purpose.RESET, grant(3).digest)).revoked_at is None
            code = grant(4, purpose=Purpose.CODE)
            assert await unit.grants.by_digest(Purpose.CODE, code.digest) == code
            with pytest.raises(NotFoundError):
                await unit.grants.by_digest(Purpose.RESET, code.digest)

    @pytest.mark.parametrize("kind", ["refresh", "reset"])
    async def test_what_ended_is_swept_a_hundred_at_a_time(self, subject: Storage, kind: str) -> None:
        """From the directory too; what has not ended and what is another's stays."""
        await people(subject)
        await people(subject, OTHER)
        name, make, _ = KINDS[kind]
        field = "ends_at" if kind == "refresh" else "expires_at"
        old = {field: START}
        async with subject.identity(ACME) as unit:
            for number in range(1, 104):
                await getattr(unit, name).add(replace(make(number), **old))
            await getattr(unit, name).add(replace(make(200), **{field: START + DAY}))
            await unit.commit()
        await keep(subject, kind, replace(make(1, OTHER), **old))
        swept = []
        for _ in range(3):
            async with subject.identity(ACME) as unit:
                swept.append(await getattr(unit, name).sweep(START + timedelta(microseconds=1)))
                await unit.commit()
        assert swept == [100, 3, 0]
        for number in (1, 103):
            assert await located(subject, kind, make(number).digest) is None
        assert await located(subject, kind, make(200).digest) == Found(ACME, make(200).key)
        assert await located(subject, kind, make(1, OTHER).digest) == Found(OTHER, make(1, OTHER).key)
