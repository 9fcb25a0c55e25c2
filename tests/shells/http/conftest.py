"""The HTTP shell over FaultMaven in memory: in this process, with people who hold tokens of a static table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from faultmaven import FaultMaven, load_settings
from faultmaven.serving import HttpSettings
from faultmaven_adapters.ratelimit.memory import MemoryRateLimiter
from faultmaven_core.identity.model import Principal
from faultmaven_core.identity.permissions import BUILT_IN
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import SystemClock
from faultmaven_core.shared.errors import UnauthenticatedError
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_http.app import HttpApplication, create_app
from faultmaven_http.auth import Authenticator

BASE = "http://fm.test"


def principal(organization: str, user: str, role: str = "member") -> Principal:
    """Somebody of an organization."""
    caller = Caller(OrganizationId(organization), UserId(user))
    return Principal(caller, user, user.title(), "", (role,), BUILT_IN[role], "sid", "", "pwd", expires_at=None)


class Table(Authenticator):
    """Tokens and who holds them; `away` makes it fail as a store that cannot be reached."""

    def __init__(self, holders: Mapping[str, Principal]) -> None:
        self.holders = dict(holders)
        self.away: Exception | None = None

    async def authenticate(self, bearer: str) -> Principal:
        """See Authenticator."""
        if self.away is not None:
            raise self.away
        if bearer not in self.holders:
            raise UnauthenticatedError("The bearer token is not valid.")
        return self.holders[bearer]


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


Made = Callable[..., HttpApplication]


@pytest.fixture
def made(fm: FaultMaven, people: Table) -> Made:
    """Makes the application, with settings of the test's own."""

    def make(**different: Any) -> HttpApplication:
        settings: HttpSettings = replace(fm.settings.http, **different)
        limiter = MemoryRateLimiter(SystemClock())
        organization = fm.settings.caller.organization
        return create_app(fm.application, settings, authenticator=people, limiter=limiter, organization=organization)

    return make


def client_of(app: HttpApplication, token: str = "", **headers: str) -> httpx2.AsyncClient:
    """A client that speaks to an application without a socket."""
    given = {"Authorization": f"Bearer {token}", **headers} if token else headers
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app, raise_app_exceptions=False), base_url=BASE, headers=given
    )


@pytest.fixture
async def ann(made: Made) -> AsyncIterator[httpx2.AsyncClient]:
    """Ann's client."""
    async with client_of(made(), "ann") as client:
        yield client
