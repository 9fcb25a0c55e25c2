"""What every backend of signals must do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from faultmaven_contract_tests.cache import NAMES
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.harness import Contract
from faultmaven_core.ports.signals import MOST_PAYLOAD, MOST_WAITING, Signals, Topic
from faultmaven_core.shared.errors import (
    BackendUnavailableError,
    ConflictError,
    InvalidInputError,
    TooLargeError,
)
from faultmaven_core.shared.ids import OrganizationId

SOON = 5.0
"""Seconds within which a signal arrives, however busy the machine; far more than it takes."""


def topic(name: str = "case-1", organization: str = "org") -> Topic:
    """A topic."""
    return Topic(OrganizationId(organization), name)


async def heard(signals: AsyncIterator[bytes], count: int) -> list[bytes]:
    """The next so many."""
    async with asyncio.timeout(SOON):
        return [await anext(signals) for _ in range(count)]


async def heard_until(signals: AsyncIterator[bytes], last: bytes) -> list[bytes]:
    """All that comes up to the one that ends it."""
    found = []
    async with asyncio.timeout(SOON):
        async for payload in signals:
            found.append(payload)
            if payload == last:
                break
    return found


async def heard_again(listener: AsyncIterator[bytes], speaker: Signals, within: float) -> bytes:
    """What arrives first after a failure, of what is said ten times a second; the failures in between do not count."""

    async def speak() -> None:
        number = 0
        while True:
            number += 1
            with suppress(BackendUnavailableError):
                await speaker.publish(topic(), b"again %d" % number)
            await asyncio.sleep(0.1)

    speaking = asyncio.create_task(speak())
    try:
        async with asyncio.timeout(within):
            return await anext(listener)
    finally:
        speaking.cancel()


class SignalsContract(Contract):
    """A binding gives the fixtures `subject` and `other`: two programs that hear each other, or one that is both."""

    async def test_a_signal_reaches_every_subscriber_once(self, subject: Signals, other: Signals) -> None:
        """In every program, in the order in which they were sent, byte for byte."""
        payloads = [b"", b"\xff\x00", b"\r\n", bytes(range(256)), b"x" * MOST_PAYLOAD, b"last"]
        async with (
            subject.subscribe(topic()) as one,
            subject.subscribe(topic()) as two,
            other.subscribe(topic()) as far,
        ):
            for payload in payloads:
                await subject.publish(topic(), payload)
            for listener in (one, two, far):
                assert await heard_until(listener, b"last") == payloads

    async def test_nothing_is_replayed(self, subject: Signals, other: Signals) -> None:
        """What was sent before somebody listened is lost to him, and also what is sent after he has left."""
        await other.publish(topic(), b"before")
        async with subject.subscribe(topic()) as first:
            await other.publish(topic(), b"while")
            assert await heard(first, 1) == [b"while"]
        await other.publish(topic(), b"between")
        # The nodes of a cluster pass it on to each other meanwhile: the next listener may be at another one.
        await asyncio.sleep(0.5)
        async with subject.subscribe(topic()) as second:
            await other.publish(topic(), b"after")
            assert await heard(second, 1) == [b"after"]

    async def test_entering_is_listening(self, subject: Signals, other: Signals) -> None:
        """What is sent right after it arrives, also while others come and go on the same topic."""
        for number in range(20):
            async with subject.subscribe(topic()) as one, subject.subscribe(topic(f"other-{number}")) as two:
                await asyncio.gather(other.publish(topic(), b"a"), other.publish(topic(f"other-{number}"), b"b"))
                assert await heard(one, 1) + await heard(two, 1) == [b"a", b"b"]

    async def test_one_who_leaves_takes_nobody_with_him(self, subject: Signals) -> None:
        """Not from the same topic either."""
        async with subject.subscribe(topic()) as stays, subject.subscribe(topic("case-2")) as elsewhere:
            async with subject.subscribe(topic()):
                pass
            async with subject.subscribe(topic("case-3")):
                pass
            await subject.publish(topic(), b"here")
            await subject.publish(topic("case-2"), b"there")
            assert await heard(stays, 1) + await heard(elsewhere, 1) == [b"here", b"there"]

    async def test_topics_and_organizations_are_kept_apart(self, subject: Signals) -> None:
        """Nobody hears what is not his."""
        async with subject.subscribe(topic("a", "one")) as listener:
            await subject.publish(topic("a", "two"), b"another's")
            await subject.publish(topic("b", "one"), b"about another")
            await subject.publish(topic("a", "one"), b"his")
            assert await heard(listener, 1) == [b"his"]

    async def test_a_slow_subscriber_is_bounded(self, subject: Signals, other: Signals) -> None:
        """He keeps the newest in order, holds nobody up, and hears on."""
        async with subject.subscribe(topic()) as slow, subject.subscribe(topic()) as quick:
            for number in range(2 * MOST_WAITING):
                await other.publish(topic(), b"%d" % number)
                await heard(quick, 1)
            await other.publish(topic(), b"last")
            await heard(quick, 1)
            found = await heard_until(slow, b"last")
            assert 1 < len(found) <= MOST_WAITING
            assert found[:-1] == [b"%d" % number for number in range(2 * MOST_WAITING)][1 - len(found) :]
            await other.publish(topic(), b"on")
            assert await heard(slow, 1) == [b"on"]

    async def test_nobody_listening_is_no_error(self, subject: Signals) -> None:
        """A signal is for whoever wants it."""
        await subject.publish(topic("nobody"), b"x")

    async def test_payloads_out_of_bounds_are_refused(self, subject: Signals) -> None:
        """Too large, or no bytes; nothing of it is sent."""
        wrong: list[tuple[Any, type[Exception]]] = [
            (b"x" * (MOST_PAYLOAD + 1), TooLargeError),
            ("text", InvalidInputError),
            (None, InvalidInputError),
        ]
        async with subject.subscribe(topic()) as listener:
            for payload, error in wrong:
                with pytest.raises(error):
                    await subject.publish(topic(), payload)
            await subject.publish(topic(), b"right")
            assert await heard(listener, 1) == [b"right"]

    async def test_hostile_topics_are_refused(self, subject: Signals) -> None:
        """By the topic itself; a pattern is not a topic."""
        for name in NAMES:
            with pytest.raises(InvalidInputError):
                await subject.publish(topic(name), b"x")
            with pytest.raises(InvalidInputError):
                await subject.publish(topic("a", name), b"x")

    async def test_closed_signals_refuse_and_end_what_is_open(self, subject: Signals) -> None:
        """A subscriber is told; he does not wait for ever. Closing twice is no error."""
        await subject.ping()
        assert (await subject.inspect()).product
        async with subject.subscribe(topic()) as listener:
            waiting = asyncio.create_task(heard(listener, 1))
            await asyncio.sleep(0)
            await subject.aclose()
            with pytest.raises(ConflictError):
                await waiting
        await subject.aclose()
        with pytest.raises(ConflictError):
            await subject.publish(topic(), b"x")
        with pytest.raises(ConflictError):
            async with subject.subscribe(topic()):
                pytest.fail("subscribed")


class SignalsReconnectContract(Contract):
    """Connections that break. A binding gives `subject`, which goes through `proxy`, and `direct`, which does not."""

    async def test_a_subscriber_survives_a_reconnect(
        self, subject: Signals, direct: Signals, proxy: FaultProxy
    ) -> None:
        """He hears what is sent after it, as if nothing had been, and nothing twice."""
        async with subject.subscribe(topic()) as listener, subject.subscribe(topic("quiet")) as quiet:
            for _ in range(3):
                proxy.cut()
                first = await heard_again(listener, direct, within=10)
                await direct.publish(topic(), b"end")
                found = [first, *await heard_until(listener, b"end")]
                assert len(found) == len(set(found))
            await direct.publish(topic("quiet"), b"still")
            assert await heard(quiet, 1) == [b"still"]

    async def test_subscribing_without_a_server_fails(
        self, subject: Signals, direct: Signals, proxy: FaultProxy
    ) -> None:
        """At once and with an error, not by silence; and it works again when the server does."""
        proxy.refuse = True
        with pytest.raises(BackendUnavailableError):
            async with subject.subscribe(topic()):
                pytest.fail("subscribed")
        with pytest.raises(BackendUnavailableError):
            await subject.publish(topic(), b"x")
        proxy.refuse = False
        async with subject.subscribe(topic()) as listener:
            await direct.publish(topic(), b"x")
            assert await heard(listener, 1) == [b"x"]
