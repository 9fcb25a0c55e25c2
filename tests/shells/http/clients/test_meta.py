"""What clients ask before anybody has signed in."""

from __future__ import annotations

import re

import httpx2
import pytest

from tests.shells.http.clients.fields import TEXT, check
from tests.shells.http.shell import Made, client_of

FEATURES = ("extensionKB", "adminKB", "teamSharing", "caseHistory", "sso", "managementConsole")
CAPABILITIES = {
    "deploymentMode": frozenset(("self-hosted", "cloud")),
    "dashboardUrl": re.compile(r"https?://\S+[^/]"),
    "kbManagement": "dashboard",
    "features": dict.fromkeys(FEATURES, bool) | {"extensionKB": False},
    "limits": {"maxFileBytes": int, "allowedExtensions": [re.compile(r"\.[a-z0-9]+")]},
    "branding": {"name": TEXT},
}


@pytest.mark.parametrize("address", ["/v1/meta/capabilities", "/api/v1/meta/capabilities"])
async def test_capabilities_are_exactly_these(nobody: httpx2.AsyncClient, address: str) -> None:
    """At both addresses; a body of another form makes the extension invent some."""
    answer = await nobody.get(address, headers={"Accept": "application/json", "Content-Type": "application/json"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    check(answer.json(), CAPABILITIES)
    assert answer.json()["limits"]["maxFileBytes"] == 10 << 20
    assert {".txt", ".log", ".json", ".csv", ".md"} <= set(answer.json()["limits"]["allowedExtensions"])


async def test_capabilities_follow_the_settings(made: Made) -> None:
    """What is uploaded, where the dashboard is, and whether others run it."""
    different = {"deployment": "cloud", "dashboard_url": "https://fm.example.org/ui", "upload_max": 5}
    async with client_of(made(**different)) as client:
        body = (await client.get("/v1/meta/capabilities")).json()
    check(body, CAPABILITIES)
    told = (body["deploymentMode"], body["dashboardUrl"], body["limits"]["maxFileBytes"])
    assert told == ("cloud", "https://fm.example.org/ui", 5)


async def test_health_is_what_the_agent_checks(nobody: httpx2.AsyncClient) -> None:
    """An object with the very word; it comes at once, in JSON, for anybody."""
    answer = await nobody.get("/health")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    dependency = {"name": TEXT, "status": "up", "problem": "", "milliseconds": float}
    check(answer.json(), {"status": "healthy", "dependencies": [dependency]})
