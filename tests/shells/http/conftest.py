"""One installation in memory for each test, and clients of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from faultmaven import FaultMaven, load_settings
from faultmaven.serving import HttpSettings
from faultmaven_http.app import HttpApplication, create_app
from tests.shells.http.shell import Made, Table, client_of, principal


@pytest.fixture
def people() -> Table:
    """Ann and Bob of two organizations, and Vic who may only read."""
    return Table(
        {
            "ann": principal("acme", "ann"),
            "bob": principal("other", "bob"),
            "vic": principal("acme", "vic", "viewer"),
        }
    )


@pytest.fixture
async def fm(tmp_path: Path) -> AsyncIterator[FaultMaven]:
    """Everything real, kept in memory."""
    urls = {"FM_DATABASE_URL": "memory:", "FM_BLOBS_URL": "memory:", "FM_HOME": str(tmp_path / "home")}
    async with FaultMaven.open(load_settings(urls)) as opened:
        yield opened


@pytest.fixture
def made(fm: FaultMaven, people: Table) -> Made:
    """See Made."""

    def make(**different: Any) -> HttpApplication:
        settings: HttpSettings = replace(fm.settings.http, **different)
        return create_app(fm.application, settings, authenticator=people)

    return make


@pytest.fixture
async def ann(made: Made) -> AsyncIterator[httpx2.AsyncClient]:
    """Ann's client."""
    async with client_of(made(), "ann") as client:
        yield client
