"""Two organizations in one installation."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
import pytest_asyncio

from faultmaven_core.identity.model import Principal
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import UnauthenticatedError
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_http.app import create_app
from faultmaven_http.auth import Authenticator
from faultmaven_http.logs import configure
from tests.attacks.installation import Installation, installed


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Installation]:
    """A fresh installation."""
    async with installed(tmp_path / "home") as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation for people who have exactly the permissions of their tokens; one for all tests of a module."""
    async with installed(tmp_path_factory.mktemp("guarded") / "home") as opened:
        app = create_app(opened.fm.application, opened.fm.settings.http, authenticator=Holder())
        yield replace(opened, app=app)


class Holder(Authenticator):
    """Takes a token as the list of permissions that its holder has."""

    async def authenticate(self, bearer: str) -> Principal:
        """See Authenticator."""
        if not bearer.startswith("may:"):
            raise UnauthenticatedError("The bearer token is not valid.")
        rights = frozenset(bearer.removeprefix("may:").split(","))
        caller = Caller(OrganizationId("acme"), UserId("usr_0123456789ab"))
        return Principal(caller, "ann", "Ann", "", (), rights, "", "", "pwd", expires_at=None)


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
