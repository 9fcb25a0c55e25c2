"""Log lines: one JSON object each, findable by the id of the answer, without anybody's secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_http.app import HttpApplication, create_app
from faultmaven_http.logs import configure, saying
from tests.shells.http.shell import Made, Table, client_of

SECRET = "wide river, 7 old lanterns"
NASTY = 'a\r\n{"event": "forged"}\x1b[31m\u202eevil\u2066\x00'


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """What is logged; everything is as before afterwards."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    others = {name: logging.getLogger(name).level for name in ("uvicorn", "httpx", "httpx2", "httpcore", "httpcore2")}
    lines = io.StringIO()
    configure("debug", lines)
    yield lines
    root.handlers[:] = before
    root.setLevel(level)
    for name, kept in others.items():
        logging.getLogger(name).setLevel(kept)


def lines_of(out: io.StringIO) -> list[dict[str, Any]]:
    """Every line, parsed: one that is not JSON fails here."""
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def app(fm: FaultMaven) -> HttpApplication:
    """With identity as it is."""
    return create_app(fm.application, fm.settings.http)


@pytest.fixture
async def client(app: HttpApplication) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody."""
    async with client_of(app) as made:
        yield made


async def test_each_request_is_one_line_that_its_answer_leads_to(client: httpx2.AsyncClient, out: io.StringIO) -> None:
    """With route and not address, status, time, and both ids."""
    answer = await client.get("/api/v1/cases/case_0?secret=x", headers={"X-Request-ID": "mine"})
    (line,) = [line for line in lines_of(out) if line["event"] == "request"]
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["trace_id"] == answer.headers["traceparent"].split("-")[1]
    assert (line["clients_id"], line["route"], line["status"]) == ("mine", "/api/v1/cases/{case_id}", 401)
    assert line["failure"] == "unauthenticated"
    assert "secret" not in out.getvalue()
    await client.get("/health/live")
    assert len([line for line in lines_of(out) if line["event"] == "request"]) == 1


async def test_each_line_names_who_asked_though_he_was_sent_away(made: Made, out: io.StringIO) -> None:
    """Whoever asks too often is known by then; whoever has no token is nobody."""
    async with client_of(made(rate=20), "ann") as ann:
        for _ in range(21):
            await ann.get("/api/v1/cases")
        await ann.get("/api/v1/cases", headers={"Authorization": "Bearer x"})
    *served, refused, unknown = [line for line in lines_of(out) if line["event"] == "request"]
    assert len(served) == 20
    assert {(line["user"], line["organization"]) for line in [*served, refused]} == {("ann", "acme")}
    assert (refused["status"], unknown["status"]) == (429, 401)
    assert (unknown["user"], unknown["organization"]) == ("", "")


async def test_no_secret_is_logged_whatever_is_sent(client: httpx2.AsyncClient, out: io.StringIO) -> None:
    """Passwords, tokens and codes, in bodies, headers and queries, good and bad ones, at the most talkative level."""
    person = {"username": "ann", "email": "ann@example.org", "display_name": "Ann", "password": SECRET}
    tokens = (await client.post("/api/v1/auth/register", json=person)).json()
    given = {"Authorization": f"Bearer {tokens['access_token']}", "Cookie": f"a={SECRET}"}
    secrets = [SECRET, tokens["access_token"], tokens["refresh_token"], tokens["session_id"]]
    await client.post("/api/v1/auth/login", json={"username": "ann", "password": SECRET})
    await client.post("/api/v1/auth/login", json={"username": "ann", "password": SECRET + "x"})
    await client.post("/api/v1/auth/login", content=f'{{"password": "{SECRET}", '.encode())
    await client.post("/api/v1/auth/login", json={"password": SECRET, "username": 5})
    await client.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]}, headers=given)
    await client.post("/api/v1/auth/oauth/token", data={"grant_type": SECRET, "code": SECRET, "client_id": SECRET})
    await client.get(f"/api/v1/auth/oauth/authorize?state={SECRET}&client_id={SECRET}", headers=given)
    await client.get(f"/api/v1/cases?text={SECRET}&password={SECRET}", headers=given)
    await client.get(f"/api/v1/cases/{SECRET}", headers=given)
    await client.get("/api/v1/cases", headers={"Authorization": f"Basic {SECRET}"})
    await client.get("/api/v1/cases", headers={**given, "X-Session-Id": tokens["session_id"]})
    assert len(lines_of(out)) > 8
    for secret in secrets:
        assert secret not in out.getvalue()


async def test_nobody_writes_a_line_of_his_own(out: io.StringIO) -> None:
    """Line ends, escape sequences and what turns the reading direction stand escaped, from whichever logger."""
    logging.getLogger("here").warning("said", extra=saying(text=NASTY))
    logging.getLogger("elsewhere").warning("said %s", NASTY)
    raw = out.getvalue()
    assert raw.isascii()
    assert "\x1b" not in raw
    first, second = [line for line in lines_of(out) if line["level"] == "warning"]
    assert first["text"] == NASTY
    assert NASTY in second["event"]
    assert second["logger"] == "elsewhere"


async def test_what_failed_unexpectedly_is_in_the_log_and_not_in_the_answer(
    fm: FaultMaven, people: Table, out: io.StringIO
) -> None:
    """With its trace, under the id that the answer has."""
    people.away = RuntimeError("the driver said something about db.internal")
    async with client_of(create_app(fm.application, fm.settings.http, authenticator=people), "ann") as client:
        answer = await client.get("/api/v1/cases")
    assert answer.status_code == 500
    assert "db.internal" not in answer.text
    failed = next(line for line in lines_of(out) if line["event"] == "failed")
    assert failed["request_id"] == answer.json()["correlation_id"] == answer.headers["x-request-id"]
    assert "RuntimeError: the driver said" in failed["exception"]
    assert failed["level"] == "error"
