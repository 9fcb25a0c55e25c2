"""Who somebody is and where he belongs, his token says; whoever says it himself is refused and not passed over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from faultmaven_http.endpoint import Endpoint
from tests.attacks.every_request import ANY_ID, ENDPOINTS, ask, request, title
from tests.attacks.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLAIMS = ("organization_id", "role", "is_admin")

TAKEN: Mapping[str, frozenset[str]] = {}
"""By the name of an endpoint: the claims that it is about, because it gives roles to somebody else."""

WITH_BODY = [endpoint for endpoint in ENDPOINTS if endpoint.body is not None or endpoint.parts is not None]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=title)
async def test_what_a_token_says_is_refused_in_a_query(guarded: Installation, endpoint: Endpoint) -> None:
    """N-9: on every endpoint, also on those that read no query at all."""
    sent = dict(request(endpoint, ANY_ID))
    for claim in CLAIMS:
        sent["params"] = {claim: "other"}
        await _refused(guarded, sent, endpoint, claim)


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=title)
async def test_what_a_token_says_is_refused_in_a_body(guarded: Installation, endpoint: Endpoint) -> None:
    """N-9: in JSON and in forms."""
    async with guarded.client("may:case:write") as client:
        case_id = (await client.post("/api/v1/cases", json={"title": "Mine"})).json()["case_id"]
    ids = {**ANY_ID, "case_id": case_id}
    for claim in CLAIMS:
        if claim not in TAKEN.get(endpoint.name, frozenset()):
            await _refused(guarded, request(endpoint, ids, **{claim: "other"}), endpoint, claim)


async def _refused(place: Installation, sent: Mapping[str, Any], endpoint: Endpoint, claim: str) -> None:
    async with place.client(f"may:{endpoint.permission}") as client:
        answer = await ask(client, sent)
    assert answer.status_code == 422, (claim, answer.text)
    assert answer.json()["errors"][0]["loc"] == [claim]
