"""How services write: whole, again after a lost race, and once per request key."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Generic, TypeVar

from faultmaven_core import codec
from faultmaven_core.ports.transactions import Answer, UnitOfWork, UnitOfWorkFactory
from faultmaven_core.shared.backoff import delay
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import (
    AlreadyExistsError,
    AmbiguousError,
    BackendError,
    BackendUnavailableError,
    ConflictError,
    FaultMavenError,
    StaleVersionError,
)

Unit = TypeVar("Unit", bound=UnitOfWork)
View = TypeVar("View")

KEEP_ANSWERS = timedelta(days=7)

MOST_TRIES = 10
FIRST_DELAY = 0.01
LONGEST_DELAY = 0.5

PATIENCE = timedelta(seconds=5)
"""A failure that took this long to show is not tried again: whoever waits has waited enough."""

_AGAIN = (StaleVersionError, AlreadyExistsError, BackendUnavailableError)
"""What another try may get past: a lost race for a version or a number, a connection that broke before the commit."""


class RequestKeyReusedError(ConflictError):
    """A request key was used for another command before."""

    code = "request_key_reused"


class Writes(Generic[Unit]):
    """Runs the writing part of a command in a unit of work and commits it; the part may run several times."""

    def __init__(
        self,
        units: UnitOfWorkFactory[Unit],
        clock: Clock,
        *,
        chance: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._units, self._clock, self._chance, self._sleep = units, clock, chance, sleep

    async def __call__(
        self, command: object, caller: Caller, view: type[View], work: Callable[[Unit], Awaitable[View]]
    ) -> View:
        """What `work` answers, committed; or what it answered before under the caller's request key.

        Raises RequestKeyReusedError where that key was used for another command, AmbiguousError where it could not be found
        out whether a broken commit happened (with a key, ask again under the same one), and what `work` raises.
        """
        began, tries = self._clock.now(), 0
        unknown: AmbiguousError | None = None
        while True:
            tries += 1
            try:
                return await self._once(command, caller, view, work)
            except FaultMavenError as error:
                if isinstance(error, AmbiguousError):
                    unknown = error
                again = isinstance(error, _AGAIN) or (unknown is error and caller.request_key)
                if not again or tries >= MOST_TRIES or self._clock.now() - began > PATIENCE:
                    if unknown and isinstance(error, BackendError):
                        # That this try did nothing says nothing of the one whose commit broke.
                        raise unknown from error
                    raise
            await self._sleep(delay(tries, base=FIRST_DELAY, cap=LONGEST_DELAY, chance=self._chance))

    async def answered(self, command: object, caller: Caller, view: type[View]) -> View | None:
        """What a call answered under the caller's request key; None before, and without a key.

        Raises RequestKeyReusedError where the key was used for another command.
        """
        if not caller.request_key:
            return None
        async with self._units(caller.organization, read_only=True) as unit:
            return await _before(unit, command, caller, view)

    async def _once(
        self, command: object, caller: Caller, view: type[View], work: Callable[[Unit], Awaitable[View]]
    ) -> View:
        async with self._units(caller.organization) as unit:
            if not caller.request_key:
                answer = await work(unit)
                await unit.commit()
                return answer
            before = await _before(unit, command, caller, view)
            if before is not None:
                return before
            answer = await work(unit)
            now = self._clock.now()
            await unit.answers.add(caller, Answer(_digest(command), codec.encode(answer), now))
            await unit.answers.sweep(now - KEEP_ANSWERS)
            await unit.commit()
            return answer


async def _before(unit: UnitOfWork, command: object, caller: Caller, view: type[View]) -> View | None:
    before = await unit.answers.find(caller)
    if before is None:
        return None
    if before.command != _digest(command):
        raise RequestKeyReusedError("This request key was used for another command; a new command needs a new one.")
    return codec.restore(view, before.view)


def _digest(command: object) -> str:
    return hashlib.sha256(codec.canonical((type(command).__name__, command))).hexdigest()
