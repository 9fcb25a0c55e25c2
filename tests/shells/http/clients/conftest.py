"""An installation as clients find it: with the identity that is really there, and a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from injector import Module, provider, singleton

from faultmaven import FaultMaven, load_settings
from faultmaven_core.shared.clock import Clock, FixedClock
from faultmaven_http.app import create_app
from tests.shells.http.shell import client_of

Installed = Callable[..., Awaitable[FaultMaven]]
"""Makes an installation, with settings of the test's own."""


class ByThisClock(Module):
    """Composition with that clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @singleton
    @provider
    def clock(self) -> Clock:
        """The clock of everything."""
        return self._clock


@pytest.fixture
def clock() -> FixedClock:
    """Stands at noon until a test moves it."""
    return FixedClock(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
async def installed(tmp_path: Path, clock: FixedClock) -> AsyncIterator[Installed]:
    """See Installed."""
    async with AsyncExitStack() as stack:

        async def install(**environ: str) -> FaultMaven:
            urls = {"FM_DATABASE_URL": "memory:", "FM_BLOBS_URL": "memory:", "FM_HOME": str(tmp_path / "home")}
            opening = FaultMaven.open(load_settings(urls | environ), overrides=[ByThisClock(clock)])
            return await stack.enter_async_context(opening)

        yield install


@pytest.fixture
async def fm(installed: Installed) -> FaultMaven:
    """The usual one."""
    return await installed()


@pytest.fixture
async def nobody(fm: FaultMaven) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without a token, of the whole installation."""
    async with client_of(create_app(fm.application, fm.settings.http)) as client:
        yield client
