"""Nothing is open that is not said to be open: no endpoint, to nobody, whatever else he may do."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from faultmaven_core.identity.permissions import ALL
from faultmaven_core.shared.errors import MisconfiguredError
from faultmaven_http.app import create_app
from faultmaven_http.auth import ANYONE, SIGNED_IN
from faultmaven_http.endpoint import Endpoint
from faultmaven_http.services import table
from faultmaven_http.services.table import PUBLIC
from tests.attacks.every_request import ANY_ID, ENDPOINTS, ask, request, served, title
from tests.attacks.installation import Installation

GUARDED = [endpoint for endpoint in ENDPOINTS if endpoint.permission not in (ANYONE, SIGNED_IN)]


@pytest.mark.parametrize("public", [True, False])
def test_an_endpoint_without_a_permission_stops_the_start(
    guarded: Installation, monkeypatch: pytest.MonkeyPatch, *, public: bool
) -> None:
    """N-8: forgotten, nobody serves it; and it does not help to list it as public."""
    forgotten = replace(ENDPOINTS[-1], path="/api/v1/forgotten", permission="")
    monkeypatch.setattr(table, "PUBLIC", PUBLIC | ({(forgotten.method, forgotten.path)} if public else set()))
    with pytest.raises(MisconfiguredError, match="/api/v1/forgotten"):
        _with(guarded, monkeypatch, forgotten)


def test_an_endpoint_for_anyone_that_is_not_listed_stops_the_start(
    guarded: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-8: to open something takes two places; so does closing it."""
    opened = replace(ENDPOINTS[-1], path="/api/v1/opened", permission=ANYONE)
    with pytest.raises(MisconfiguredError, match="/api/v1/opened"):
        _with(guarded, monkeypatch, opened)
    monkeypatch.setattr(table, "PUBLIC", PUBLIC | {(opened.method, opened.path)})
    _with(guarded, monkeypatch, opened)
    with pytest.raises(MisconfiguredError, match="/api/v1/opened"):
        _with(guarded, monkeypatch, replace(opened, permission="case:read"))


def _with(guarded: Installation, monkeypatch: pytest.MonkeyPatch, more: Endpoint) -> None:
    with monkeypatch.context() as patched:
        services = MappingProxyType({"one": (more,)})
        patched.setattr("faultmaven_http.app.SERVICES", services)
        create_app(guarded.fm.application, guarded.fm.settings.http, ("one",))


def test_permissions_are_ones_that_exist() -> None:
    """A misspelt one would shut everybody out, or be granted by nobody's knowledge."""
    assert {one for endpoint in GUARDED for one in (endpoint.permission, *endpoint.besides)} <= ALL


@pytest.mark.asyncio(loop_scope="module")
async def test_only_what_is_listed_answers_somebody_unknown(guarded: Installation) -> None:
    """N-8: without a token, with an empty and with a wrong one; the description says the same."""
    described: Any = {}
    async with guarded.client() as client:
        described = (await client.get("/openapi.json")).json()["paths"]
    for endpoint in served(guarded.app):
        public = (endpoint.method, endpoint.path) in PUBLIC
        if not endpoint.alias:
            assert (described[endpoint.path][endpoint.method.lower()]["security"] == []) is public
        for token in ("", "Bearer", "Bearer ", "Bearer none", "Basic YW5uOmFubg==", "may:case:read", "Bearer  a b"):
            async with guarded.client() as client:
                client.headers.update({"Authorization": token} if token else {})
                answer = await ask(client, request(endpoint, ANY_ID))
            if not public:
                assert answer.status_code == 401, title(endpoint)
                assert answer.headers["content-type"] == "application/problem+json"
            else:
                assert answer.status_code != 403, title(endpoint)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("endpoint", GUARDED, ids=title)
async def test_its_one_permission_opens_an_endpoint_and_all_others_do_not(
    guarded: Installation, endpoint: Endpoint
) -> None:
    """Every other right together is not enough, and nothing of the request is looked at before."""
    needed = (endpoint.permission, *endpoint.besides)
    for one in needed:
        async with guarded.client("may:" + ",".join(sorted(ALL - {one}))) as client:
            refused = await ask(client, request(endpoint, ANY_ID))
            unread = await client.request(endpoint.method, request(endpoint, ANY_ID)["url"], content=b"{" * 100)
        assert refused.status_code == unread.status_code == 403
        assert one in refused.json()["detail"]
    own = {name: ANY_ID[name] for name in ANY_ID if f"{{{name}}}" in endpoint.path}
    async with guarded.client("may:" + ",".join(needed)) as client:
        answer = await ask(client, request(endpoint, own))
    assert answer.status_code not in (401, 403) or answer.json()["code"] == "SESSION_EXPIRED"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_another_method_opens_nothing(guarded: Installation, method: str) -> None:
    """A path answers the methods that it offers, each with its own permission, and HEAD as GET."""
    offered: dict[str, set[str]] = {}
    for endpoint in served(guarded.app):
        offered.setdefault(endpoint.path, set()).add(endpoint.method)
    for path, methods in offered.items():
        async with guarded.client() as client:
            answer = await client.request(method, path.format_map(ANY_ID))
        known = "GET" if method == "HEAD" else method
        if known not in methods:
            assert answer.status_code == 405, (method, path)
        elif (known, path) not in PUBLIC:
            assert answer.status_code == 401, (method, path)
