"""The same clients against `fm serve all` itself, on a folder of its own: SQLite, files, and keys on a disk."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from faultmaven_core.shared.clock import FixedClock
from tests.shells.http.clients import test_dashboard_and_chat as others
from tests.shells.http.clients import test_extension as extension
from tests.shells.http.clients.calling import DASHBOARD, EXTENSION, Extension, Page
from tests.shells.http.processes import serving, until


@pytest.mark.soak
def test_a_new_installation_serves_all_clients(tmp_path: Path) -> None:
    """The extension, the dashboard and the agent, one after the other, each from beginning to end."""
    with serving(tmp_path) as (child, address):
        until(child, f"{address}/health/ready")
        asyncio.run(_all(address))


async def _all(address: str) -> None:
    clock = FixedClock(datetime.now(UTC))
    async with httpx2.AsyncClient(base_url=address, timeout=120.0) as server:
        ann = {"username": "ann", "email": "ann@example.org", "display_name": "Ann", "password": extension.PASSWORD}
        assert (await server.post("/api/v1/auth/register", json=ann)).status_code == 201
        await extension.test_from_the_first_start_to_an_answer(Extension(Page(server, EXTENSION, clock)))
        await others.test_the_dashboard_keeps_documents(Page(server, DASHBOARD, clock), clock)
        agent = others.Agent(server)
        await agent.start()
        await others.test_the_agent_answers_a_thread(agent)
