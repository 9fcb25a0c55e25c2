"""Work that tells how far it is, as server-sent events; it ends with the client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from faultmaven_core import codec
from faultmaven_core.shared.errors import DeadlineExceededError
from faultmaven_http.bodies import ClientLeftError
from faultmaven_http.endpoint import Answer
from faultmaven_http.errors import told
from faultmaven_http.exchange import Exchange

HEADERS = ((b"x-accel-buffering", b"no"),)
"""So that a proxy passes on each event as it comes. The endpoint says the media type."""
SILENCE = 15.0
"""Seconds after which a line that means nothing keeps proxies from thinking that we are gone."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, by name, with a value for JSON."""

    name: str
    value: object

    def encoded(self) -> bytes:
        """As the standard writes it; JSON has no line ends."""
        return b"event: " + self.name.encode() + b"\ndata: " + codec.encode(self.value) + b"\n\n"


Tell = Callable[[Event], None]
Telling = Callable[[Tell], Awaitable[object]]


async def streamed(exchange: Exchange, work: Telling, *, seconds: float) -> Answer:
    """The events that `work` tells, and its result as the event `answer` if that is none; after a failure the problem, `error`.

    What fails before the first event is raised here, so that it has a status of its own. The work must itself end by
    ClientLeftError when the client leaves.
    """
    events: asyncio.Queue[Event] = asyncio.Queue()
    doing = asyncio.ensure_future(_bounded(work(events.put_nowait), seconds))
    first = asyncio.ensure_future(events.get())
    try:
        await asyncio.wait((doing, first), return_when=asyncio.FIRST_COMPLETED)
        if doing.done() and not first.done():
            return Answer(_one(_answer(await doing)), headers=HEADERS)
        return Answer(_rest(exchange, await first, events, doing), headers=HEADERS, watched=True)
    except BaseException:
        doing.cancel()
        raise
    finally:
        first.cancel()


async def _bounded(work: Awaitable[object], seconds: float) -> object:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise DeadlineExceededError(f"This took over {seconds:g} s.") from error


async def _one(event: Event) -> AsyncIterator[bytes]:
    yield event.encoded()


async def _rest(
    exchange: Exchange, first: Event, events: asyncio.Queue[Event], doing: asyncio.Future[object]
) -> AsyncIterator[bytes]:
    try:
        yield first.encoded()
        while not (doing.done() and events.empty()):
            coming = asyncio.ensure_future(events.get())
            await asyncio.wait((coming, doing), timeout=SILENCE, return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                yield coming.result().encoded()
                continue
            coming.cancel()
            if not doing.done():
                yield b": still here\n\n"
        yield _last(doing, exchange).encoded()
    finally:
        doing.cancel()
        await asyncio.wait((doing,))


def _answer(result: object) -> Event:
    return result if isinstance(result, Event) else Event("answer", result)


def _last(done: asyncio.Future[object], exchange: Exchange) -> Event:
    failure = done.exception()
    if failure is None:
        return _answer(done.result())
    if isinstance(failure, ClientLeftError) or not isinstance(failure, Exception):
        raise failure
    exchange.failure = str(getattr(failure, "code", type(failure).__name__))
    return Event("error", codec.decode(dict[str, object], told(failure, exchange.correlation.id).body))
