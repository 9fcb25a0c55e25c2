"""The HTTP shell over FaultMaven in memory, for people who hold tokens of a static table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import httpx2

from faultmaven_core.identity.model import Principal
from faultmaven_core.identity.permissions import BUILT_IN
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import UnauthenticatedError
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_http.app import HttpApplication
from faultmaven_http.auth import Authenticator

BASE = "http://fm.test"

Made = Callable[..., HttpApplication]
"""Makes an application, with settings of the test's own."""


class Table(Authenticator):
    """Tokens and who holds them; with `away` it fails as a store that cannot be reached."""

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


def principal(organization: str, user: str, role: str = "member") -> Principal:
    """Somebody of an organization."""
    caller = Caller(OrganizationId(organization), UserId(user))
    return Principal(caller, user, user.title(), "", (role,), BUILT_IN[role], "sid", "", "pwd", expires_at=None)


def client_of(app: HttpApplication, token: str = "", **headers: str) -> httpx2.AsyncClient:
    """A client that speaks to an application without a socket."""
    given = {"Authorization": f"Bearer {token}", **headers} if token else headers
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url=BASE, headers=given)
