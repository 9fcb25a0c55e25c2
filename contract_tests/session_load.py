"""Users at work on their sessions, each of whom knows what he may find, while a primary is killed.

What was acknowledged in the last second before the kill may be lost, as every asynchronous replication loses it; but an
acknowledged end never.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from typing import TypeVar
from uuid import uuid4

from faultmaven_contract_tests.sessions import LONG
from faultmaven_core.sessions.model import Session, SessionToken, SignIn
from faultmaven_core.sessions.ports import SessionStore
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import BackendError, NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import OrganizationId, UserId

T = TypeVar("T")

MAY_BE_LOST = 1.0
"""Seconds before the kill in which a write may be lost although it was acknowledged."""
PAUSE = 0.05
"""Seconds that a user waits after an error."""
PATIENCE = 60.0
"""Seconds after which a user gives up, with the error that he got last."""
LONGEST = 120.0
"""Seconds after which half of all calls have been answered, however busy the machine."""
MOST_OPEN = 5


@dataclass
class Figures:
    """What all users saw."""

    answered: int = 0
    killed_at: float = float("inf")
    errors: Counter[str] = field(default_factory=Counter)
    longest_call: float = 0.0
    waits: dict[str, float] = field(default_factory=dict)
    """The most seconds until a call was answered, with all its repetitions."""
    promotion: float = 0.0
    """Seconds until the servers themselves had another primary."""
    lost: int = 0
    """Acknowledged writes that were not there any more."""
    ended: int = 0
    wrong: list[str] = field(default_factory=list)
    _awaited: tuple[int, asyncio.Event] = field(default_factory=lambda: (0, asyncio.Event()), repr=False)

    def answer(self) -> None:
        """One more."""
        self.answered += 1
        number, event = self._awaited
        if self.answered >= number:
            event.set()

    async def reached(self, number: int, load: Collection[asyncio.Task[None]]) -> None:
        """Returns when so many calls of this load were answered; raises what ends any of it."""
        self._awaited = number, asyncio.Event()
        reaching = asyncio.create_task(self._awaited[1].wait())
        ended, _ = await asyncio.wait([reaching, *load], timeout=LONGEST, return_when=asyncio.FIRST_COMPLETED)
        reaching.cancel()
        for task in ended - {reaching}:
            task.result()
        assert reaching in ended, f"Only {self.answered} calls of {number} were answered within {LONGEST} s."


@dataclass
class Known:
    """What a user knows of one of his sessions: every content that he ever sent, and the last one acknowledged."""

    sign_in: SignIn
    sent: dict[int, set[bytes]] = field(default_factory=dict)
    version: int = 1
    acknowledged_at: float = 0.0
    sure: bool = True
    """Whether the last change was acknowledged; else it may be there or not."""

    def content(self, version: int) -> bytes:
        """A new content for a version, which no other session can have."""
        made = f"{self.sign_in.id.digest}:{version}:{uuid4().hex}".encode()
        self.sent.setdefault(version, set()).add(made)
        return made


class User:
    """Uses some sessions at a time, one call after the other, and judges each answer."""

    def __init__(self, store: SessionStore, figures: Figures, number: int) -> None:
        self.store, self.figures = store, figures
        self.caller = Caller(OrganizationId("acme"), UserId(f"user{number}"))
        self.open: list[Known] = []
        self.over: list[SignIn] = []
        self._random = random.Random(number)

    async def work(self, calls: int) -> None:
        """Until so many calls were answered."""
        for _ in range(calls):
            if len(self.open) < MOST_OPEN:
                await self._sign_in()
                continue
            known = self._random.choice(self.open)
            step = self._random.choices((self._use, self._change, self._end), (6, 3, 1))[0]
            await step(known)

    async def look(self) -> None:
        """At everything once more."""
        for known in list(self.open):
            await self._use(known)
        for sign_in in self.over:
            if await self._get(sign_in) is not None:
                self._wrong("an ended session came back")
        listed = await self._until_answered("list", self._listed)
        if listed != {known.sign_in.id for known in self.open}:
            self._wrong("the list is not what is open")

    async def _get(self, sign_in: SignIn) -> Session | None:
        return await self._until_answered("get", lambda: self.store.get(sign_in.id))

    async def _listed(self) -> set[object]:
        return {session.id async for session in self.store.list(self.caller)}

    async def _sign_in(self) -> None:
        token = SessionToken.new(self.caller)
        known = Known(SignIn(token.id, self.caller.organization, self.caller.user, "password"), {1: {b""}})
        await self._until_answered("create", lambda: self.store.create(known.sign_in, limits=LONG))
        known.acknowledged_at = time.monotonic()
        self.open.append(known)

    async def _use(self, known: Known) -> None:
        self._judge(known, await self._get(known.sign_in))

    async def _change(self, known: Known) -> None:
        found = await self._get(known.sign_in)
        if not self._judge(known, found) or found is None:
            return
        changed, change = replace(found, data=known.content(found.version + 1)), uuid4()
        try:
            await self._until_answered("update", lambda: self.store.update(changed, change=change))
        except (StaleVersionError, NotFoundError):
            # Nobody else changes it: only a failover in between that lost what was read.
            self._lost(known, "an update was refused without a reason")
            return
        known.version, known.acknowledged_at = found.version + 1, time.monotonic()

    async def _end(self, known: Known) -> None:
        self.open.remove(known)
        await self._until_answered("end", lambda: self.store.end(known.sign_in.id))
        self.over.append(known.sign_in)
        self.figures.ended += 1

    def _judge(self, known: Known, found: Session | None) -> bool:
        """Whether the session is there; notes what is wrong with it."""
        if found is None:
            self._lost(known, "a session vanished")
            self.open.remove(known)
            return False
        if found.sign_in != known.sign_in or found.data not in known.sent.get(found.version, ()):
            self._wrong(f"a session has another's content or one that nobody sent: {found}")
        if found.version < known.version:
            self._lost(known, f"version {known.version} fell back to {found.version}")
        known.version = found.version
        return True

    def _lost(self, known: Known, what: str) -> None:
        self.figures.lost += 1
        if known.acknowledged_at < self.figures.killed_at - MAY_BE_LOST:
            self._wrong(f"{what}, acknowledged {self.figures.killed_at - known.acknowledged_at:.3f} s before the kill")

    def _wrong(self, what: str) -> None:
        self.figures.wrong.append(what)

    async def _until_answered(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        """Repeats the very same call, as clients do; every error must be one of ours."""
        figures, first = self.figures, time.monotonic()
        while True:
            began = time.monotonic()
            try:
                answer = await call()
            except BackendError as error:
                figures.errors[type(error).__name__] += 1
                if time.monotonic() - first > PATIENCE:
                    raise
                await asyncio.sleep(PAUSE)
                continue
            finally:
                now = time.monotonic()
                figures.longest_call = max(figures.longest_call, now - began)
            figures.waits[name] = max(figures.waits.get(name, 0.0), now - first)
            figures.answer()
            return answer
