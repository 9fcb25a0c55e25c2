"""What every cache must do."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeAlias

import pytest

from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.harness import Contract
from faultmaven_core.ports.cache import MOST_VALUE, Cache, CacheKey
from faultmaven_core.shared.errors import (
    AmbiguousError,
    BackendRefusedError,
    BackendUnavailableError,
    ConflictError,
    DeadlineExceededError,
    InvalidInputError,
    TooLargeError,
)
from faultmaven_core.shared.ids import OrganizationId

Passing: TypeAlias = Callable[[float], Awaitable[None]]
"""Lets so many seconds pass, on whichever clock the backend looks at."""

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
VALUES = (b"", b"\xff\x00", b"plain", b"\r\n$-1\r\n", "\u00e9\U0001f9ea".encode(), bytes(range(256)), b"0", b" ")
LIFETIMES = (
    timedelta(0),
    timedelta(seconds=-1),
    timedelta(milliseconds=999),
    timedelta(days=30, milliseconds=1),
    timedelta.max,
)
NAMES = ("", " ", "a b", "a\0b", "a\nb", "{a}", "\u00e9", ".hidden", ":a", "a" * 201, "a*", "a?b", "a[b]")


def key(name: str = "thing", organization: str = "org") -> CacheKey:
    """A key."""
    return CacheKey(OrganizationId(organization), name)


class CacheContract(Contract):
    """A binding gives the fixtures `subject`, a fresh and empty cache, and `passing`."""

    async def test_values_come_back_byte_for_byte(self, subject: Cache) -> None:
        """Whatever they hold."""
        for number, value in enumerate(VALUES):
            await subject.set(key(str(number)), value, ttl=MINUTE)
        assert [await subject.get(key(str(number))) for number in range(len(VALUES))] == list(VALUES)

    async def test_the_largest_value_comes_back(self, subject: Cache) -> None:
        """A megabyte, to the byte."""
        value = random.Random(1).randbytes(MOST_VALUE)
        await subject.set(key(), value, ttl=MINUTE)
        assert await subject.get(key()) == value

    async def test_an_empty_value_is_not_a_missing_one(self, subject: Cache) -> None:
        """For no method."""
        assert await subject.get(key()) is None
        assert await subject.add(key(), b"", ttl=MINUTE)
        assert await subject.get(key()) == b""
        assert await subject.get_many([key(), key("other")]) == {key(): b""}
        assert await subject.touch(key(), ttl=MINUTE)
        assert not await subject.add(key(), b"full", ttl=MINUTE)
        assert await subject.replace_if(key(), b"", b"", ttl=MINUTE)
        assert await subject.take(key()) == b""
        assert await subject.take(key()) is None

    async def test_a_value_is_gone_within_a_second_of_its_end(self, subject: Cache, passing: Passing) -> None:
        """And not before it, for no method."""
        await subject.set(key(), b"x", ttl=SECOND)
        await passing(0.5)
        assert await subject.get(key()) == b"x"
        await passing(0.7)
        assert await subject.get(key()) is None
        assert await subject.get_many([key()]) == {}
        assert not await subject.touch(key(), ttl=MINUTE)
        assert not await subject.replace_if(key(), b"x", b"y", ttl=MINUTE)
        assert await subject.take(key()) is None
        assert await subject.add(key(), b"new", ttl=MINUTE)

    async def test_set_replaces_the_value_and_its_lifetime(self, subject: Cache, passing: Passing) -> None:
        """Nothing of the old one counts any more, neither a longer nor a shorter life."""
        await subject.set(key("shorter"), b"old", ttl=MINUTE)
        await subject.set(key("longer"), b"old", ttl=SECOND)
        await subject.set(key("shorter"), b"new", ttl=SECOND)
        await subject.set(key("longer"), b"new", ttl=MINUTE)
        assert await subject.get(key("shorter")) == b"new"
        await passing(1.2)
        assert await subject.get_many([key("shorter"), key("longer")]) == {key("longer"): b"new"}

    async def test_touch_and_replace_give_a_new_lifetime_and_add_does_not(
        self, subject: Cache, passing: Passing
    ) -> None:
        """Touch is false where there is nothing, and makes nothing."""
        for name in ("touched", "replaced", "added"):
            await subject.set(key(name), b"x", ttl=SECOND)
        assert await subject.touch(key("touched"), ttl=MINUTE)
        assert await subject.replace_if(key("replaced"), b"x", b"y", ttl=MINUTE)
        assert await subject.add(key("added"), b"x", ttl=MINUTE)
        assert not await subject.touch(key("absent"), ttl=MINUTE)
        await passing(1.2)
        wanted = [key(name) for name in ("touched", "replaced", "added", "absent")]
        assert await subject.get_many(wanted) == {key("touched"): b"x", key("replaced"): b"y"}

    async def test_of_fifty_adds_at_once_one_wins(self, subject: Cache) -> None:
        """And the others learn that they lost."""
        values = [str(number).encode() for number in range(50)]
        won = await asyncio.gather(*(subject.add(key(), value, ttl=MINUTE) for value in values))
        assert won.count(True) == 1
        assert await subject.get(key()) == values[won.index(True)]

    async def test_an_add_may_be_asked_again(self, subject: Cache) -> None:
        """It is true for whoever finds his own value, false for all others."""
        assert await subject.add(key(), b"mine", ttl=MINUTE)
        assert await subject.add(key(), b"mine", ttl=MINUTE)
        assert not await subject.add(key(), b"yours", ttl=MINUTE)
        assert await subject.get(key()) == b"mine"

    async def test_a_replacement_needs_exactly_what_is_expected(self, subject: Cache) -> None:
        """Nothing is not the empty value, and a prefix is not the whole."""
        assert not await subject.replace_if(key(), b"", b"new", ttl=MINUTE)
        await subject.set(key(), b"old", ttl=MINUTE)
        assert not await subject.replace_if(key(), b"ol", b"new", ttl=MINUTE)
        assert not await subject.replace_if(key(), b"old\0", b"new", ttl=MINUTE)
        assert await subject.get(key()) == b"old"
        assert await subject.replace_if(key(), b"old", b"new", ttl=MINUTE)
        assert await subject.get(key()) == b"new"

    async def test_of_many_replacements_one_wins(self, subject: Cache) -> None:
        """A counter that everybody raises by compare and set loses no step."""
        await subject.set(key(), b"0", ttl=MINUTE)
        values = [str(number).encode() for number in range(1, 31)]
        won = await asyncio.gather(*(subject.replace_if(key(), b"0", value, ttl=MINUTE) for value in values))
        assert won.count(True) == 1
        assert await subject.get(key()) == values[won.index(True)]

    async def test_of_twenty_takes_one_gets_it(self, subject: Cache) -> None:
        """As a token that may be used once."""
        await subject.set(key(), b"token", ttl=MINUTE)
        taken = await asyncio.gather(*(subject.take(key()) for _ in range(20)))
        assert sorted(value or b"" for value in taken) == [b""] * 19 + [b"token"]
        assert await subject.get(key()) is None

    async def test_many_keys_at_once(self, subject: Cache) -> None:
        """Of forty organizations, and more of one than go into one command; repeated and absent ones are no error."""
        keys = [key(f"n/{number}", f"org{number % 40}") for number in range(200)]
        keys += [key(f"n/{number}") for number in range(600)]
        for one in keys:
            await subject.set(one, one.name.encode(), ttl=MINUTE)
        found = await subject.get_many([*keys, key("absent"), *keys[:5]])
        assert dict(found) == {one: one.name.encode() for one in keys}
        await subject.delete([*keys[1:], key("absent"), *keys[-5:]])
        assert await subject.get_many(keys) == {keys[0]: keys[0].name.encode()}
        await subject.delete([keys[0]])
        await subject.delete([keys[0]])
        assert await subject.get_many(keys) == {}

    async def test_no_keys_are_nothing_to_do(self, subject: Cache) -> None:
        """Empty input is an empty answer."""
        assert await subject.get_many([]) == {}
        await subject.delete([])

    async def test_organizations_do_not_see_each_other(self, subject: Cache) -> None:
        """The same name is another key; names that look alike when written together are kept apart."""
        await subject.set(key("a", "one"), b"1", ttl=MINUTE)
        await subject.set(key("b:c", "a"), b"2", ttl=MINUTE)
        assert await subject.get(key("a", "two")) is None
        assert await subject.take(key("a", "two")) is None
        assert not await subject.touch(key("a", "two"), ttl=MINUTE)
        await subject.delete([key("a", "two")])
        assert await subject.get(key("a", "one")) == b"1"
        assert await subject.get(key("b.c", "a")) is None

    async def test_lifetimes_out_of_bounds_are_refused(self, subject: Cache) -> None:
        """Nothing lives for ever here, and nothing changes."""
        await subject.set(key(), b"old", ttl=MINUTE)
        for ttl in LIFETIMES:
            calls: list[Awaitable[Any]] = [
                subject.set(key(), b"new", ttl=ttl),
                subject.add(key("other"), b"new", ttl=ttl),
                subject.replace_if(key(), b"old", b"new", ttl=ttl),
                subject.touch(key(), ttl=ttl),
            ]
            for call in calls:
                with pytest.raises(InvalidInputError):
                    await call
        assert await subject.get_many([key(), key("other")]) == {key(): b"old"}

    async def test_values_out_of_bounds_are_refused(self, subject: Cache) -> None:
        """Too large, or no bytes: also where they would not be stored."""
        await subject.set(key(), b"old", ttl=MINUTE)
        wrong: list[tuple[Any, type[Exception]]] = [
            (b"x" * (MOST_VALUE + 1), TooLargeError),
            ("text", InvalidInputError),
            (None, InvalidInputError),
            (7, InvalidInputError),
        ]
        for value, error in wrong:
            with pytest.raises(error):
                await subject.set(key(), value, ttl=MINUTE)
            with pytest.raises(error):
                await subject.add(key(), value, ttl=MINUTE)
            with pytest.raises(error):
                await subject.replace_if(key(), b"old", value, ttl=MINUTE)
            with pytest.raises(error):
                await subject.replace_if(key(), value, b"new", ttl=MINUTE)
        assert await subject.get(key()) == b"old"

    async def test_hostile_keys_are_refused(self, subject: Cache) -> None:
        """By the key itself, so no backend ever sees one; neither one without an organization."""
        for name in NAMES:
            with pytest.raises(InvalidInputError):
                await subject.set(key(name), b"x", ttl=MINUTE)
            with pytest.raises(InvalidInputError):
                await subject.set(key("thing", name), b"x", ttl=MINUTE)

    async def test_any_sequence_of_calls_agrees_with_a_dictionary(self, subject: Cache) -> None:
        """Three hundred calls, drawn by lot."""
        lot, model = random.Random(3), dict[CacheKey, bytes]()
        keys, values = [key(name, organization) for name in "ab" for organization in "xy"], [b"", b"1", b"2"]
        for _ in range(300):
            one, old, new = lot.choice(keys), lot.choice(values), lot.choice(values)
            match lot.randrange(7):
                case 0:
                    await subject.set(one, new, ttl=MINUTE)
                    model[one] = new
                case 1:
                    assert await subject.add(one, new, ttl=MINUTE) == (model.setdefault(one, new) == new)
                case 2:
                    fits = model.get(one) == old
                    assert await subject.replace_if(one, old, new, ttl=MINUTE) == fits
                    model |= {one: new} if fits else {}
                case 3:
                    assert await subject.take(one) == model.pop(one, None)
                case 4:
                    assert await subject.touch(one, ttl=MINUTE) == (one in model)
                case 5:
                    await subject.delete([one])
                    model.pop(one, None)
                case 6:
                    assert await subject.get(one) == model.get(one)
            assert await subject.get_many(keys) == model

    async def test_a_closed_cache_refuses(self, subject: Cache) -> None:
        """With an error that says so; closing twice is no error."""
        await subject.ping()
        assert (await subject.inspect()).product
        await subject.aclose()
        await subject.aclose()
        for call in (subject.get(key()), subject.set(key(), b"x", ttl=MINUTE), subject.ping()):
            with pytest.raises(ConflictError):
                await call


class CacheLostReplyContract(Contract):
    """Answers that never arrive. A binding gives `subject`, which goes through `proxy`, and `direct`, which does not."""

    async def test_an_add_whose_reply_was_lost_answers_what_the_server_holds(
        self, subject: Cache, direct: Cache, proxy: FaultProxy
    ) -> None:
        """Our own value is a success, another's is not."""
        await subject.get(key())
        proxy.cut_next_reply(to=b"mine")
        assert await subject.add(key(), b"mine", ttl=MINUTE)
        assert await direct.get(key()) == b"mine"
        await direct.set(key(), b"another's", ttl=MINUTE)
        proxy.cut_next_reply(to=b"mine")
        assert not await subject.add(key(), b"mine", ttl=MINUTE)
        assert await direct.get(key()) == b"another's"

    async def test_a_replacement_whose_reply_was_lost_answers_what_the_server_holds(
        self, subject: Cache, direct: Cache, proxy: FaultProxy
    ) -> None:
        """It is done, and done once."""
        await direct.set(key(), b"old", ttl=MINUTE)
        assert not await subject.replace_if(key(), b"nothing", b"new", ttl=MINUTE)
        proxy.cut_next_reply(to=b"new")
        assert await subject.replace_if(key(), b"old", b"new", ttl=MINUTE)
        assert await direct.get(key()) == b"new"

    async def test_a_replacement_that_cannot_be_told_is_ambiguous(
        self, subject: Cache, direct: Cache, proxy: FaultProxy
    ) -> None:
        """A third value may have replaced ours, or the one before."""
        await direct.set(key(), b"third", ttl=MINUTE)
        await subject.get(key())
        proxy.cut_next_reply(to=b"new")
        with pytest.raises(AmbiguousError):
            await subject.replace_if(key(), b"old", b"new", ttl=MINUTE)
        assert await direct.get(key()) == b"third"

    async def test_a_take_whose_reply_was_lost_is_ambiguous(
        self, subject: Cache, direct: Cache, proxy: FaultProxy
    ) -> None:
        """The value is gone with it, and None would be a lie."""
        await direct.set(key(), b"token", ttl=MINUTE)
        await subject.get(key("other"))
        proxy.cut_next_reply(to=b"GETDEL")
        with pytest.raises(AmbiguousError):
            await subject.take(key())
        assert await direct.get(key()) is None

    async def test_what_never_reached_the_server_was_refused(
        self, subject: Cache, direct: Cache, proxy: FaultProxy
    ) -> None:
        """So it may be tried again, and nothing has happened."""
        await direct.set(key(), b"old", ttl=MINUTE)
        proxy.refuse = True
        calls: list[Awaitable[Any]] = [
            subject.get(key()),
            subject.add(key("other"), b"new", ttl=MINUTE),
            subject.replace_if(key(), b"old", b"new", ttl=MINUTE),
            subject.take(key()),
        ]
        for call in calls:
            with pytest.raises(BackendRefusedError):
                await call
        assert await direct.get_many([key(), key("other")]) == {key(): b"old"}
        proxy.refuse = False
        assert await subject.get(key()) == b"old"

    async def test_an_idempotent_call_whose_reply_was_lost_may_be_tried_again(
        self, subject: Cache, proxy: FaultProxy
    ) -> None:
        """The error says so."""
        await subject.get(key())
        proxy.cut_next_reply(to=b"SET")
        with pytest.raises(BackendUnavailableError) as caught:
            await subject.set(key(), b"x", ttl=MINUTE)
        assert caught.value.retryable
        assert await subject.get(key()) == b"x"

    async def test_an_outage_is_not_a_miss(self, subject: Cache, proxy: FaultProxy) -> None:
        """Nor is a server that hangs, which is left within its deadline."""
        await subject.set(key(), b"x", ttl=MINUTE)
        proxy.blackhole = True
        start = asyncio.get_running_loop().time()
        with pytest.raises(DeadlineExceededError):
            await subject.get(key())
        assert asyncio.get_running_loop().time() - start < 5
        proxy.blackhole = False
        assert await subject.get(key()) == b"x"
