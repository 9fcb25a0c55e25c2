"""Port for values that may be lost: what is here can be computed again, or its loss is no harm."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from faultmaven_core.ports.health import Inspectable, Pingable
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError
from faultmaven_core.shared.scoped_name import ScopedName

MOST_VALUE = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class CacheKey(ScopedName):
    """The name of a value. All keys of an organization lie together, so no step over several of them is torn."""


def checked_value(value: bytes) -> bytes:
    """The value. Raises TooLargeError where it is over 1 MiB, InvalidInputError where it is no bytes."""
    if not isinstance(value, bytes):
        raise InvalidInputError(f"A cache holds bytes, not {type(value).__name__}: encode the value.")
    if len(value) > MOST_VALUE:
        raise TooLargeError(f"The value has {len(value)} bytes, {MOST_VALUE} are allowed: keep it as a blob.")
    return value


class Cache(Pingable, Inspectable, Protocol):
    """Bytes under a key, for a while.

    Every value has a lifetime, `ttl`, from 1 second to 30 days; afterwards it is gone, at the latest a second later. Keys
    reach an adapter already validated; lifetimes and values are refused (InvalidInputError, TooLargeError) before anything
    is sent. A miss is an answer; an outage is an error: BackendUnavailableError, or DeadlineExceededError where the server
    hangs, never None. When a server fails over, what was written just before may be lost.
    """

    @abstractmethod
    async def get(self, key: CacheKey) -> bytes | None:
        """The value; None where there is none. An empty value is a value."""

    @abstractmethod
    async def get_many(self, keys: Collection[CacheKey]) -> Mapping[CacheKey, bytes]:
        """The values that there are. Not a snapshot: some may be older than a change that others show."""

    @abstractmethod
    async def set(self, key: CacheKey, value: bytes, *, ttl: timedelta) -> None:
        """Store the value; it replaces another and its lifetime."""

    @abstractmethod
    async def add(self, key: CacheKey, value: bytes, *, ttl: timedelta) -> bool:
        """Store the value where there is none. Of many at once one wins.

        True also where the present value equals ours: so it may be asked again, and a caller who wants to be the only one
        adds a value that nobody else has. The lifetime of a present value stays as it is.
        """

    @abstractmethod
    async def replace_if(self, key: CacheKey, expected: bytes, value: bytes, *, ttl: timedelta) -> bool:
        """Store the value where exactly `expected` is present; False where it is not. Of many at once one wins.

        Raises AmbiguousError where the answer was lost and what is stored now does not tell: neither the old nor the new
        value. BackendRefusedError says that nothing was replaced.
        """

    @abstractmethod
    async def touch(self, key: CacheKey, *, ttl: timedelta) -> bool:
        """Give a present value a new lifetime from now on; False where there is none."""

    @abstractmethod
    async def delete(self, keys: Collection[CacheKey]) -> None:
        """Remove values; absent ones are no error."""

    @abstractmethod
    async def take(self, key: CacheKey) -> bytes | None:
        """The value, removed in the same step: of many at once one gets it. None where there is none.

        Raises AmbiguousError where the answer was lost and nothing is there any more: it may have been ours.
        BackendRefusedError says that nothing was taken.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Use no more; using it afterwards is ConflictError. Closing twice is no error."""
