"""Who somebody is and where he belongs, his token says; whoever says it himself is refused and not passed over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from faultmaven_http.bodies import CLAIMS as CLAIMS_OF_ALL
from faultmaven_http.endpoint import Endpoint
from tests.attacks.every_request import ANY_ID, ENDPOINTS, ask, request, title
from tests.attacks.installation import Installation

CLAIMS = ("organization_id", "role", "is_admin")

MANAGING = frozenset(
    ("user:read", "user:write", "role:write", "team:write", "invitation:write", "account:read", "account:write")
)
"""Permissions of whoever speaks of others, or of the keys of his own."""

WITH_BODY = [endpoint for endpoint in ENDPOINTS if endpoint.body is not None or endpoint.parts is not None]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=title)
async def test_what_a_token_says_is_refused_in_a_query(guarded: Installation, endpoint: Endpoint) -> None:
    """N-9: on every endpoint, also on those that read no query at all."""
    sent = dict(request(endpoint, ANY_ID))
    for claim in CLAIMS:
        sent["params"] = {claim: "other"}
        await _refused(guarded, sent, endpoint, claim)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("endpoint", WITH_BODY, ids=title)
async def test_what_a_token_says_is_refused_in_a_body(guarded: Installation, endpoint: Endpoint) -> None:
    """N-9: in JSON and in forms, but where it is said of somebody else."""
    async with guarded.client("may:case:write") as client:
        case_id = (await client.post("/api/v1/cases", json={"title": "Mine"})).json()["case_id"]
    ids = {**ANY_ID, "case_id": case_id}
    for claim in endpoint.claims.intersection(CLAIMS):
        await _refused(guarded, request(endpoint, ids, **{claim: "other"}), endpoint, claim)


async def _refused(place: Installation, sent: Mapping[str, Any], endpoint: Endpoint, claim: str) -> None:
    async with place.client("may:" + ",".join((endpoint.permission, *endpoint.besides))) as client:
        answer = await ask(client, sent)
    assert answer.status_code == 422, (claim, answer.text)
    assert answer.json()["errors"][0]["loc"] == [claim]


def test_only_who_manages_people_says_of_others_what_they_may() -> None:
    """N-9: where roles, permissions or users stand in a body or query, they are somebody else's, by a right to say so."""
    for endpoint in ENDPOINTS:
        taken = CLAIMS_OF_ALL - endpoint.claims
        said = {"role"} if endpoint.name == "user.give-role" else {"roles", "permissions", "user_id"}
        assert taken <= said, title(endpoint)
        assert not taken or endpoint.permission in MANAGING, title(endpoint)
