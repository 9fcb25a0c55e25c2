"""The largest, the oddest and the oldest that clients send."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx2
import pytest

from faultmaven_core.shared.clock import FixedClock
from faultmaven_http.app import create_app
from tests.shells.http.clients.conftest import Installed
from tests.shells.http.clients.fields import TEXT, check
from tests.shells.http.clients.test_conversations import DETAIL, TURN, opened
from tests.shells.http.clients.test_signing_in import HERE, TOKENS
from tests.shells.http.shell import client_of

MOST_CHARACTERS = 200_000
MOST_FILE = 10 << 20
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"


@pytest.mark.parametrize(("letter", "multipart"), [("a", False), ("\U0001f525", True), ("\U0001f525", False)])
async def test_the_longest_question_is_taken(ann: httpx2.AsyncClient, letter: str, *, multipart: bool) -> None:
    """Characters are counted and not bytes, in both encodings; one more is refused in words, and keeps nothing."""
    address = await opened(ann)
    for text, statuses in ((letter * MOST_CHARACTERS, {200}), (letter * (MOST_CHARACTERS + 1), {413, 422})):
        sent = {"files": {"query": (None, text)}} if multipart else {"data": {"query": text}}
        answer = await ann.request("POST", f"{address}/turns", **sent)
        assert answer.status_code in statuses, answer.text[:300]
        check(answer.json(), TURN if answer.status_code == 200 else {"detail": TEXT, ...: object()})
    assert (await ann.get(f"{address}/messages")).json()["total_count"] == 2


async def test_the_largest_file_is_taken_and_one_byte_more_is_not(ann: httpx2.AsyncClient) -> None:
    """Ten mebibytes, as `capabilities` says; 413 in words beyond."""
    address = await opened(ann)
    line = b"2026-03-02T14:00:00Z ERROR checkout: connection refused to payments:8443" + b" " * 4000 + b"\n"
    content = (line * (MOST_FILE // len(line) + 1))[:MOST_FILE]
    taken = await ann.post(f"{address}/turns", data={"query": "See"}, files={"files": ("app.log", content)})
    assert taken.status_code == 200, taken.text
    check(taken.json(), TURN)
    assert taken.json()["attachments_processed"][0]["file_size"] == MOST_FILE
    refused = await ann.post(f"{address}/turns", data={"query": "See"}, files={"files": ("b.log", content + b"x")})
    assert refused.status_code == 413
    assert (await ann.get(f"{address}/uploaded-files")).json()["total_count"] == 1


async def test_what_cannot_be_read_is_failed_and_said(ann: httpx2.AsyncClient) -> None:
    """The agent hands over whatever was posted; the text beside it is read."""
    address = await opened(ann)
    form = {"query": "Why does checkout fail?", "pasted_content": "ERROR out of memory\n" * 20, "input_type": "paste"}
    unreadable = {"screen.png": PNG, "empty.log": b"", "x.bin": bytes(range(256))}
    files = [("files", item) for item in unreadable.items()]
    answer = await ann.post(f"{address}/turns", data=form, files=files)
    assert answer.status_code == 200, answer.text
    check(answer.json(), TURN)
    states = {one["filename"]: one["processing_status"] for one in answer.json()["attachments_processed"]}
    assert {states.pop(name) for name in unreadable} == {"failed"}
    assert set(states.values()) == {"completed"}
    assert all(name in answer.json()["agent_response"] for name in unreadable)


async def test_a_key_is_kept_for_a_day(ann: httpx2.AsyncClient, clock: FixedClock) -> None:
    """A laptop that was closed over night sends its last request again in the morning."""
    key = {"Idempotency-Key": "opt_case_1764000000000_1"}
    first = await ann.post("/api/v1/cases", json={"title": None}, headers=key)
    clock.advance(timedelta(hours=23, minutes=59))
    again = await ann.post("/api/v1/cases", json={"title": None}, headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert (await ann.get("/api/v1/cases")).json()["total_count"] == 1


async def test_members_of_newer_clients_are_passed_over(ann: httpx2.AsyncClient) -> None:
    """Also where older ones send what now happens by turns only."""
    address = await opened(ann)
    changed = await ann.put(address, json={"title": "Named", "state": "closed", "notes": "x", "newer": {"a": [1]}})
    assert changed.status_code == 200
    row = (await ann.get(address)).json()
    check(row, DETAIL)
    assert (row["title"], row["state"]) == ("Named", "inquiry")
    form = {"query": "Why?", "newer": "1", "intent_type": "conversation", "intent_data": '{"type": "conversation"}'}
    assert (await ann.post(f"{address}/turns", data=form)).status_code == 200
    assert (await ann.get(f"{address}/messages?limit=100&include_debug=true&newer=1")).status_code == 200
    assert (await ann.get("/api/v1/cases?limit=100&offset=0&newer=1")).status_code == 200


async def test_on_this_machine_one_signs_up_without_a_password(
    nobody: httpx2.AsyncClient, installed: Installed
) -> None:
    """As the extension may; nowhere else, and not where names alone are not enough."""
    body = {"username": "eve", "email": "eve@example.org", "display_name": "Eve"}
    answer = await nobody.post("/api/v1/auth/register", json=body, headers=HERE)
    assert answer.status_code == 201, answer.text
    check(answer.json(), TOKENS)
    strict = await installed(FM_DEV_LOGIN="off")
    async with client_of(create_app(strict.application, strict.settings.http)) as client:
        refused = await client.post("/api/v1/auth/register", json=body, headers=HERE)
    assert refused.status_code == 422
    assert refused.json()["detail"]


@pytest.mark.parametrize("files", [None, {"files": ("app.log", b"2026-03-02T14:00:00Z ERROR out of memory\n" * 50)}])
async def test_the_same_turn_twice_at_once_is_one(
    ann: httpx2.AsyncClient, files: dict[str, tuple[str, bytes]] | None
) -> None:
    """Whoever comes while the first is at work gets its answer; there is one pair of rows, and each file once."""
    address = await opened(ann)
    key = {"Idempotency-Key": "opt_msg_1764000000000_1"}
    form = {"query": "Why does checkout fail?"}
    sent = [ann.post(f"{address}/turns", data=form, files=files, headers=key) for _ in range(4)]
    answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert (await ann.get(f"{address}/messages")).json()["total_count"] == 2
    assert (await ann.get(f"{address}/uploaded-files")).json()["total_count"] == (1 if files else 0)
