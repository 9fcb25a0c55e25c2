"""Runs services: the port is open at once, they follow when what they need is there, and they leave without a bang."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import Receive, Scope, Send

from faultmaven_core.shared.errors import BackendUnavailableError, FaultMavenError, MisconfiguredError
from faultmaven_http.protocol import EdgeProtocol

if TYPE_CHECKING:
    from faultmaven.tree import Settings
    from faultmaven_http.app import HttpApplication

ALL = "all"
OK, FAILED, RETRY_LATER, MISCONFIGURED = 0, 70, 75, 78
"""Exit codes, of sysexits.h."""

ALIVE = b'{"status":"alive"}'
"""What `shapes.health.Alive` is in JSON, before anything that knows that is loaded."""

KEEP_ALIVE = 75
BACKLOG = 2048

Opener = Callable[[], AbstractAsyncContextManager["HttpApplication"]]
_log = logging.getLogger(__name__)


class Platform:
    """An ASGI application that opens the real one in the background and closes it at the end.

    Until that is open it says that it lives and is not ready. Where it cannot be opened, `failure` says why and `ended`
    is called.
    """

    def __init__(self, opener: Opener, ended: Callable[[], None]) -> None:
        self._opener, self._ended = opener, ended
        self._inner: HttpApplication | None = None
        self._stop = asyncio.Event()
        self.failure: Exception | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the life of the process."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._inner is not None:
            await self._inner(scope, receive, send)
        elif scope["type"] == "http":
            await _meanwhile(scope, send)

    def leave(self) -> None:
        """Say that no more requests are wanted."""
        if self._inner is not None:
            self._inner.readiness.leaving = True

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        opened = asyncio.create_task(self._open())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._stop.set()
        await opened
        await send({"type": "lifespan.shutdown.complete"})

    async def _open(self) -> None:
        stopping = asyncio.create_task(self._stop.wait())
        opening = asyncio.create_task(self._hold())
        await asyncio.wait((stopping, opening), return_when=asyncio.FIRST_COMPLETED)
        if self._inner is None:
            opening.cancel()  # asked to stop while still waiting for a server
        stopping.cancel()
        results = await asyncio.gather(opening, stopping, return_exceptions=True)
        if isinstance(results[0], Exception):
            self.failure = results[0]
            self._ended()

    async def _hold(self) -> None:
        async with self._opener() as self._inner:
            _log.info("Ready.")
            await self._stop.wait()


async def _meanwhile(scope: Scope, send: Send) -> None:
    if scope["path"] == "/health/live":
        status, media, body = 200, b"application/json", ALIVE
        headers: list[tuple[bytes, bytes]] = []
    else:
        from faultmaven_http.correlation import correlate
        from faultmaven_http.errors import MEDIA_TYPE, told

        answer = told(BackendUnavailableError("The service is starting."), correlate(()).id)
        status, media, body, headers = answer.status, MEDIA_TYPE, answer.body, list(answer.headers)
    headers += [(b"content-type", media), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Server(uvicorn.Server):
    """At the first signal says that it leaves, after `drain` seconds takes no more and ends what runs; at the second, now."""

    platform: Platform
    drain = 0.0
    _leaving = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """A signal came."""
        if self._leaving:
            self.force_exit = self.should_exit
            self.should_exit = True
            return
        self._leaving = True
        self.platform.leave()
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(loop.call_later, self.drain, self._end)

    def _end(self) -> None:
        self.should_exit = True


def serve(settings: Settings, service: str) -> int:
    """Serve until a signal ends it; the exit code."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, service))


async def _serve(settings: Settings, service: str) -> int:
    http = settings.http

    def ended() -> None:
        server.should_exit = True

    platform = Platform(lambda: _undisturbed(settings, () if service == ALL else (service,)), ended)
    config = uvicorn.Config(
        platform,
        host=http.host,
        port=http.port,
        http=EdgeProtocol,
        loop="none",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(http.grace)),
        backlog=BACKLOG,
    )
    server = Server(config)
    server.platform, server.drain = platform, http.drain
    _say(f"FaultMaven listens on {http.host}:{http.port} ({service}).")
    await server.serve()
    if platform.failure is None:
        _say("FaultMaven has stopped.")
        return OK
    return _told(platform.failure)


def _told(failure: Exception) -> int:
    if not isinstance(failure, FaultMavenError):
        _log.error("The services could not be opened.", exc_info=failure)
        return FAILED
    _say(f"error: {failure}")
    if isinstance(failure, MisconfiguredError):
        return MISCONFIGURED
    return RETRY_LATER if failure.retryable else FAILED


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _load(settings: Settings, services: Sequence[str]) -> None:
    """Imports take most of the time of a start, and hold up nobody from a thread."""
    from faultmaven.composition.preloading import preload

    for module in ("faultmaven_http.logs", "faultmaven.composition.resources", "faultmaven_http.app"):
        import_module(module)
    preload(settings)
    from faultmaven_http.services.table import SERVICES

    for name in services or SERVICES:
        SERVICES.get(name)  # imports it; what is unknown is refused where it is offered


@asynccontextmanager
async def _undisturbed(settings: Settings, services: Sequence[str]) -> AsyncIterator[HttpApplication]:
    # What a start makes stays: searching it for garbage again and again would take a seventh of the time.
    gc.disable()
    try:
        async with opened(settings, services) as application:
            gc.freeze()
            gc.enable()
            yield application
    finally:
        gc.enable()


@asynccontextmanager
async def opened(settings: Settings, services: Sequence[str]) -> AsyncIterator[HttpApplication]:
    """The services over all that the settings name."""
    await asyncio.to_thread(_load, settings, services)
    from faultmaven import FaultMaven
    from faultmaven_http.app import create_app
    from faultmaven_http.logs import configure

    configure(settings.http.log_level)
    async with FaultMaven.open(settings) as fm:
        yield create_app(fm.application, settings.http, services)
