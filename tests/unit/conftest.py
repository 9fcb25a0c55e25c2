"""FaultMaven in memory, with a clock that stands still: for all tests of services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from injector import Module, provider, singleton

from faultmaven import FaultMaven, load_settings
from faultmaven.composition.compute import tools
from faultmaven_adapters.extraction.in_process import InProcessExtractionRunner
from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.ports.extraction_runner import ExtractionRunner
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock, FixedClock
from faultmaven_core.shared.ids import OrganizationId, UserId

BOB = Caller(OrganizationId("other"), UserId("bob"))

CRASH = """Name:             web-7d4b9c-x2x1p
Namespace:        shop
Status:           Running
Containers:
  app:
    Image:          registry.local/web:1.4
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       StartError
      Message:      exec: "serv": executable file not found in $PATH: unknown
      Exit Code:    128
    Ready:          False
    Restart Count:  7
Events:
  Type     Reason   Age                From     Message
  ----     ------   ----               ----     -------
  Warning  BackOff  2m (x12 over 5m)   kubelet  Back-off restarting failed container app in pod web-7d4b9c-x2x1p
"""


@cache
def _tools() -> Tools:
    return tools()


@pytest.fixture
def clock() -> FixedClock:
    """Stands at noon until a test moves it."""
    return FixedClock(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
async def fm(tmp_path: Path, clock: FixedClock) -> AsyncIterator[FaultMaven]:
    """Everything real but the database, the blobs and the time."""

    class Replaced(Module):
        @singleton
        @provider
        def fixed(self) -> Clock:
            return clock

        @singleton
        @provider
        def runner(self) -> ExtractionRunner:
            return InProcessExtractionRunner(_tools())

    urls = {"FM_DATABASE_URL": "memory:", "FM_BLOBS_URL": "memory:", "FM_HOME": str(tmp_path / "home")}
    async with FaultMaven.open(load_settings(urls), overrides=[Replaced()]) as opened:
        yield opened


@pytest.fixture
def foreigner() -> Caller:
    """A user of another organization."""
    return BOB


@pytest.fixture
def crash(tmp_path: Path) -> Path:
    """A folder of evidence whose root cause the analysis finds."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "describe.txt").write_text(CRASH)
    (folder / "app.log").write_text("2026-03-01T11:58:00Z INFO starting\n2026-03-01T11:58:01Z ERROR cannot start\n")
    return folder
