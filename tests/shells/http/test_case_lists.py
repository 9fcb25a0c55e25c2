"""Which cases a list shows, and how far each is: filters, cases that are put away, teams, and the members of one case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_core.cases.commands import OpenCase
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_http.app import HttpApplication, create_app
from tests.shells.http.shell import client_of
from tests.shells.http.test_turns import LOG

ANN = Caller(OrganizationId("acme"), UserId("ann"))
ALL = "/api/v1/cases"


async def titles(client: httpx2.AsyncClient, **query: object) -> list[str]:
    """Those of a list, and that it counts them by both names."""
    found = (await client.get(ALL, params={name: str(value) for name, value in query.items()})).json()
    rows = [row["title"] for row in found["cases"]]
    assert found["total_count"] == found["total"] == len(rows)
    return rows


async def test_lists_are_cut_down_by_what_clients_say(ann: httpx2.AsyncClient, fm: FaultMaven) -> None:
    """By each filter, and by several at once; a state has two names and an older word."""
    first = (await ann.post(ALL, json={"title": "one", "priority": "low"})).json()
    await ann.post(ALL, json={"title": "two", "priority": "high", "source": "slack"})
    await fm.cases.open(OpenCase(title="three", source="copilot"), ANN)
    await ann.post(f"{ALL}/{first['case_id']}/close", json={"reason": "inquiry_only"})
    assert await titles(ann, state="closed") == await titles(ann, status="closed") == ["one"]
    assert await titles(ann, state="consulting") == ["three", "two"]
    assert await titles(ann, priority="high") == ["two"]
    assert await titles(ann, source="copilot") == ["three"]
    assert await titles(ann, source="slack", priority="low") == []
    day = timedelta(days=1)
    now = datetime.now(UTC)
    assert len(await titles(ann, date_from=(now - day).isoformat(), date_to=(now + day).isoformat())) == 3
    assert await titles(ann, date_from=(now + day).isoformat()) == []
    assert await titles(ann, date_to=(now - day).isoformat()) == []
    assert len(await titles(ann, include_empty="false")) == 3  # they are younger than some minutes
    assert await titles(ann, limit=100, text="two") == ["two"]


@pytest.mark.parametrize(
    "query", ["priority=urgent", "date_from=yesterday", "include_archived=perhaps", "page_size=101"]
)
async def test_a_filter_that_means_nothing_is_refused(ann: httpx2.AsyncClient, query: str) -> None:
    """422 with a sentence; never the whole list instead."""
    answer = await ann.get(f"{ALL}?{query}")
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)


async def test_an_archived_case_is_listed_only_where_it_is_asked_for(ann: httpx2.AsyncClient) -> None:
    """And is otherwise as before; back it is in its place, for its last activity is what it was."""
    rows = [(await ann.post(ALL, json={"title": text})).json() for text in ("one", "two")]
    address = f"{ALL}/{rows[0]['case_id']}"
    for _ in range(2):
        answer = await ann.post(f"{address}/archive")
        assert answer.status_code == 200
        assert answer.json()["archived_at"].endswith("Z")
    assert await titles(ann) == ["two"]
    assert await titles(ann, include_archived="true") == ["two", "one"]
    assert (await ann.get(address)).json()["archived_at"]
    assert (await ann.post(f"{address}/turns", data={"query": "What do you need?"})).status_code == 200
    back = await ann.post(f"{address}/unarchive")
    assert (back.status_code, back.json()["archived_at"]) == (200, None)
    assert await titles(ann) == ["one", "two"]
    assert (await ann.post(f"{ALL}/case_000000000000/archive")).status_code == 404


async def owner(app: HttpApplication, name: str) -> tuple[str, str]:
    """The token of somebody with an organization of their own, and the id of a team of it."""
    person = {"username": name, "email": f"{name}@example.org", "password": "plum otter ladder 7731 quay"}
    async with client_of(app) as nobody:
        token = (await nobody.post("/api/v1/auth/register", json=person)).json()["access_token"]
    async with client_of(app, token) as client:
        return token, (await client.post("/api/v1/teams", json={"name": "payments"})).json()["team_id"]


async def test_a_case_is_shared_with_teams_of_its_organization(fm: FaultMaven) -> None:
    """By their ids, which filter; a team that is none of its is refused, without saying whose it is."""
    app = create_app(fm.application, fm.settings.http)
    (token, own), (_, foreign) = [await owner(app, name) for name in ("anna", "bert")]
    async with client_of(app, token) as ann:
        await shared_by(ann, own, foreign)


async def shared_by(ann: httpx2.AsyncClient, own: str, foreign: str) -> None:
    """A case of hers is shared with a team of hers, and with no other."""
    row = (await ann.post(ALL, json={"title": "one"})).json()
    await ann.post(ALL, json={"title": "two"})
    address = f"{ALL}/{row['case_id']}"
    shared = await ann.put(address, json={"shared_team_ids": [own]})
    assert (shared.status_code, shared.json()["shared_team_ids"]) == (200, [own])
    assert await titles(ann, team_id=own) == ["one"]
    for wrong in (foreign, "team_000000000000", "red"):
        assert (await ann.put(address, json={"shared_team_ids": [wrong]})).status_code == 422
        assert await titles(ann, team_id=wrong) == []
    assert (await ann.put(address, json={"title": "one"})).json()["shared_team_ids"] == [own]
    assert (await ann.put(address, json={"shared_team_ids": []})).json()["shared_team_ids"] == []


async def test_one_case_says_how_far_it_is(ann: httpx2.AsyncClient) -> None:
    """Before anything was read, and after; what is counted agrees with what is shown beside it."""
    address = f"{ALL}/{(await ann.post(ALL, json={'title': None})).json()['case_id']}"
    fresh = (await ann.get(address)).json()
    assert (fresh["milestones_completed"], len(fresh["pending_milestones"])) == ([], 6)
    assert (fresh["current_stage"], fresh["evidence_count"], fresh["escalated"]) == (None, 0, False)
    files = {"files": ("app.log", LOG.encode())}
    turn = (await ann.post(f"{address}/turns", data={"query": "Why does checkout fail?"}, files=files)).json()
    row, screen = (await ann.get(address)).json(), (await ann.get(f"{address}/ui")).json()
    assert row["milestones_completed"] == turn["milestones_completed"] == screen["progress"]["completed_indicators"]
    assert set(row["milestones_completed"]).isdisjoint(row["pending_milestones"])
    assert len(row["milestones_completed"]) + len(row["pending_milestones"]) == 6
    assert row["current_stage"] == row["stage"] == screen["progress"]["current_stage"]
    files_held = (await ann.get(f"{address}/uploaded-files")).json()["total_count"]
    assert row["evidence_count"] == screen["progress"]["total_evidence"] == files_held == 1
    await ann.post(f"{address}/close", json={"reason": "escalated"})
    assert (await ann.get(address)).json()["escalated"] is True
