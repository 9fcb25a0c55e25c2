"""Two organizations in one installation."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from pathlib import Path

import pytest
import structlog

from faultmaven_http.logs import configure
from tests.attacks.installation import Installation, installed


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Installation]:
    """A fresh installation."""
    async with installed(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """All log lines of a test, as the server writes them, from `debug` on."""
    root = logging.getLogger()
    before, level, uvicorn = list(root.handlers), root.level, logging.getLogger("uvicorn").level
    lines = StringIO()
    configure("debug", lines)
    yield lines
    root.handlers[:] = before
    root.setLevel(level)
    logging.getLogger("uvicorn").setLevel(uvicorn)
    structlog.reset_defaults()
