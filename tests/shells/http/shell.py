"""The HTTP shell over FaultMaven in memory, for people who hold tokens of a static table."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

import httpx2
import uvicorn
from starlette.types import ASGIApp

from faultmaven_contract_tests.servers.ports import free_port
from faultmaven_core.identity.model import Principal
from faultmaven_core.identity.permissions import BUILT_IN
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import UnauthenticatedError
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_http.app import HttpApplication
from faultmaven_http.auth import Authenticator
from faultmaven_http.protocol import EdgeProtocol

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


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[int]:
    """The application behind a real socket of this machine, by the edge's own protocol; the port."""
    config = uvicorn.Config(
        app, http=EdgeProtocol, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False
    )
    listening = socket.create_server(("127.0.0.1", free_port()))
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listening])
    serving = asyncio.create_task(server.main_loop())
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        await serving
        await server.shutdown(sockets=[listening])


async def exchanged(port: int, sent: bytes, *, seconds: float = 30.0) -> bytes:
    """All that a server answers to these bytes until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        await writer.drain()
        async with asyncio.timeout(seconds):
            return await reader.read()
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
