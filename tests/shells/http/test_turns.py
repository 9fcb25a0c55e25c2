"""Turns as clients send them: as forms of both kinds, with files and without; and the case at a glance."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.shells.http.shell import Made, client_of

TURN = {
    "agent_response": str,
    "turn_number": int,
    "case_state": str,
    "attachments_processed": list,
    "milestones_completed": list,
    "progress_made": bool,
}
ATTACHMENT = {
    "file_id",
    "evidence_id",
    "filename",
    "file_size",
    "data_type",
    "source_type",
    "upload_source",
    "processing_status",
    "uploaded_at",
    "duplicate_of",
    "duplicate_turn",
}
LOG = "".join(f"2026-03-02T14:00:{n:02d}Z ERROR checkout: connection refused to payments:8443\n" for n in range(40))


async def opened(client: httpx2.AsyncClient) -> str:
    """The address of a new case."""
    return f"/api/v1/cases/{(await client.post('/api/v1/cases', json={'title': None})).json()['case_id']}"


def check(answer: httpx2.Response) -> dict[str, Any]:
    """The turn's answer, with all that clients read."""
    assert answer.status_code == 200, answer.text
    turn: dict[str, Any] = answer.json()
    assert {name: type(turn[name]) for name in TURN} == TURN
    assert turn["agent_response"].strip()
    assert {"suggested_actions", "progress_transparency", "cause_assurance", "cause_overclaim"} <= turn.keys()
    return turn


async def test_a_question_is_answered_in_both_encodings(ann: httpx2.AsyncClient) -> None:
    """One client sends multipart, the other urlencoded; each turn is one message of both sides."""
    address = await opened(ann)
    first = check(await ann.post(f"{address}/turns", data={"query": "What do you need?"}))
    second = check(await ann.post(f"{address}/turns", files={"query": (None, "And now?")}))
    assert (first["turn_number"], second["turn_number"]) == (1, 2)
    said = (await ann.get(f"{address}/messages?limit=100")).json()
    assert [(m["role"], m["turn_number"]) for m in said["messages"]] == [
        ("user", 1),
        ("assistant", 1),
        ("user", 2),
        ("assistant", 2),
    ]
    assert said["messages"][0]["content"] == "What do you need?"
    assert (said["total_count"], said["retrieved_count"], said["has_more"], said["next_offset"]) == (4, 4, False, None)
    rest = (await ann.get(f"{address}/messages?limit=2&offset=1")).json()
    assert [m["message_id"] for m in rest["messages"]] == [m["message_id"] for m in said["messages"][1:3]]
    assert (rest["has_more"], rest["next_offset"]) == (True, 3)


async def test_a_file_and_a_paste_become_evidence(ann: httpx2.AsyncClient) -> None:
    """Each is told of with old and new names; without a question there is still a readable row."""
    address = await opened(ann)
    form = {"input_type": "file", "pasted_content": LOG, "observed_at": "2026-03-02T15:00:00+01:00"}
    turn = check(await ann.post(f"{address}/turns", data=form, files={"files": ("app.log", LOG.encode() * 2)}))
    assert len(turn["attachments_processed"]) == 2
    for attachment in turn["attachments_processed"]:
        assert attachment.keys() >= ATTACHMENT
        assert attachment["file_id"] == attachment["evidence_id"]
    names = [attachment["filename"] for attachment in turn["attachments_processed"]]
    assert "app.log" in names
    assert any(name.startswith("pasted-content-") for name in names)
    said = (await ann.get(f"{address}/messages")).json()["messages"]
    assert said[0]["role"] == "user"
    assert said[0]["content"].strip()


async def test_a_click_is_a_turn(ann: httpx2.AsyncClient) -> None:
    """Its meaning comes as JSON in a text; closing happens this way only, and an ended case takes no file."""
    address = await opened(ann)
    intent = {"from_state": "inquiry", "to_state": "closed", "user_confirmed": True, "newer": 1}
    form = {"query": "Close it", "intent_type": "status_transition", "intent_data": json.dumps(intent)}
    assert check(await ann.post(f"{address}/turns", data=form))["case_state"] == "closed"
    assert check(await ann.post(f"{address}/turns", data={"query": "What was it?"}))["case_state"] == "closed"
    late = await ann.post(f"{address}/turns", data={"query": "See"}, files={"files": ("a.log", b"x\n")})
    assert late.status_code == 409
    assert "x-error-code" not in late.headers
    assert (await ann.get(address)).json()["is_terminal"] is True


async def test_the_same_key_takes_one_turn(ann: httpx2.AsyncClient) -> None:
    """The same bytes again, and one pair of messages."""
    address = await opened(ann)
    key = {"Idempotency-Key": "opt_msg_1764000000000_7"}
    first, second = [await ann.post(f"{address}/turns", data={"query": "Why?"}, headers=key) for _ in range(2)]
    assert first.content == second.content
    assert (await ann.get(f"{address}/messages")).json()["total_count"] == 2
    other = await ann.post(f"{address}/turns", data={"query": "How?"}, headers=key)
    assert (other.status_code, other.headers["x-error-code"]) == (409, "IDEMPOTENCY_KEY_REUSE")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "multipart/form-data", 400),
        (b"--b\r\nrubbish", "multipart/form-data; boundary=b", 400),
        (b'--b\r\nContent-Disposition: form-data; name="query"\r\n\r\nhi\r\n', "multipart/form-data; boundary=b", 400),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\nhi\r\n--b--\r\n", "multipart/form-data; boundary=b", 400),
        (b'{"query": "hi"}', "application/json", 415),
        (b"query=a&query=b", "application/x-www-form-urlencoded", 422),
        (b"query=", "application/x-www-form-urlencoded", 422),
        (b"", "application/x-www-form-urlencoded", 422),
        (
            b'--b\r\nContent-Disposition: form-data; name="query"\r\n\r\n\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            422,
        ),
        (b"query=hi&intent_data=rubbish", "application/x-www-form-urlencoded", 422),
        (b"query=hi&observed_at=yesterday", "application/x-www-form-urlencoded", 422),
        (b"query=hi&user_id=root", "application/x-www-form-urlencoded", 422),
    ],
)
async def test_a_form_that_is_none_is_refused_and_adds_nothing(
    ann: httpx2.AsyncClient, content: bytes, kind: str, status: int
) -> None:
    """Never a 5xx, never half a turn."""
    address = await opened(ann)
    answer = await ann.post(f"{address}/turns", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert isinstance(answer.json()["detail"], str)
    assert (await ann.get(f"{address}/messages")).json()["total_count"] == 0


async def test_a_file_over_the_limit_is_refused_in_words(made: Made) -> None:
    """413, with the limit in the sentence; nothing is kept of it."""
    async with client_of(made(upload_max=1 << 20), "ann") as client:
        address = await opened(client)
        answer = await client.post(f"{address}/turns", files={"files": ("big.log", b"x" * ((1 << 20) + 1))})
        assert answer.status_code == 413
        assert "1 MiB" in answer.json()["detail"]
        assert (await client.get(f"{address}/messages")).json()["total_count"] == 0


async def test_the_case_at_a_glance_is_of_its_state(ann: httpx2.AsyncClient) -> None:
    """What the header of a client reads."""
    address = await opened(ann)
    screen = (await ann.get(f"{address}/ui")).json()
    assert screen["state"] == "inquiry"
    for name in ("case_id", "title", "updated_at", "current_turn", "uploaded_files_count", "valid_next_states"):
        assert screen[name] is not None
    assert {"decided_to_investigate", "inquiry_turns", "problem_statement_confirmed"} <= screen["inquiry"].keys()
    files = {"files": ("app.log", LOG.encode())}
    check(await ann.post(f"{address}/turns", data={"query": "Why does checkout fail?"}, files=files))
    screen = (await ann.get(f"{address}/ui")).json()
    assert screen["uploaded_files_count"] == 1
    assert screen["current_turn"] == 1
    assert screen["state"] == "investigating"
    assert {"current_stage", "active_hypotheses", "total_evidence"} <= screen["progress"].keys()
    row = (await ann.get(address)).json()
    assert (row["stage"], row["valid_next_states"]) == (
        screen["progress"]["current_stage"],
        screen["valid_next_states"],
    )
