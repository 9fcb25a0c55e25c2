"""Port for telling other processes that something changed, now, if they listen: look again, do not wait for your next poll."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from faultmaven_core.ports.health import Inspectable, Pingable
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError
from faultmaven_core.shared.scoped_name import ScopedName

MOST_PAYLOAD = 64 << 10
MOST_WAITING = 256
"""Signals that wait for one slow subscriber; when more come, the oldest of them are dropped."""


@dataclass(frozen=True, slots=True, order=True)
class Topic(ScopedName):
    """What a signal is about."""


def checked_payload(payload: bytes) -> bytes:
    """The payload. Raises TooLargeError where it is over 64 KiB, InvalidInputError where it is no bytes."""
    if not isinstance(payload, bytes):
        raise InvalidInputError(f"A signal carries bytes, not {type(payload).__name__}: encode the payload.")
    if len(payload) > MOST_PAYLOAD:
        raise TooLargeError(f"The signal has {len(payload)} bytes, {MOST_PAYLOAD} are allowed: send where to look.")
    return payload


class Signals(Pingable, Inspectable, Protocol):
    """Signals to whoever listens at that moment. At most once: pair them with polling, never rely on one.

    Lost are those that come while nobody listens, while a subscriber's connection is being made again, and those that a
    subscriber is too slow for (MOST_WAITING). None is given twice, and those of one publisher come in order.
    """

    @abstractmethod
    async def publish(self, topic: Topic, payload: bytes) -> None:
        """Send to all who listen to the topic, in every process. Nobody listening is no error."""

    @abstractmethod
    def subscribe(self, topic: Topic) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The payloads of the signals from now on: what is published after entering arrives.

        Entering raises BackendUnavailableError where the server cannot be reached. Afterwards a lost connection is made
        again for as long as it takes, which the iterator does not show. It ends only by ConflictError, after `aclose`.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Listen no more; using it afterwards is ConflictError. Closing twice is no error."""
