"""Cases, turns, messages, files and the case at a glance, member by member, in every state of a case."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2

from tests.shells.http.clients.fields import ANY, TEXT, TIME, check
from tests.shells.http.clients.test_extension import LOG, POD

STATE = frozenset(("inquiry", "investigating", "resolved", "closed"))
STAGE = (None, frozenset(("diagnosis", "mitigation", "treatment")))
CLOSURE = frozenset(
    (
        "inquiry_only",
        "solution_deferred",
        "closed_rca_infeasible",
        "mitigation_sufficient",
        "closed_insufficient_evidence",
    )
)
MILESTONE = frozenset(
    (
        "symptom_verified",
        "scope_assessed",
        "timeline_established",
        "changes_identified",
        "root_cause_identified",
        "solution_proposed",
    )
)
SUREST = (None, frozenset(("no_root", "mechanistic", "confirmed")))
CASE = {
    "case_id": re.compile(r"case_[0-9a-f]{12}"),
    "title": TEXT,
    "state": STATE,
    "status": STATE,
    "created_at": TIME,
    "updated_at": TIME,
    "last_activity_at": TIME,
    "priority": frozenset(("low", "medium", "high", "critical")),
    "description": str,
    "current_turn": int,
    "message_count": int,
    "user_id": TEXT,
    "owner_id": TEXT,
    "organization_id": TEXT,
    "closure_reason": (None, CLOSURE),
    "closed_at": (None, TIME),
    "resolved_at": (None, TIME),
    "is_terminal": bool,
    "source": frozenset(("copilot", "slack", "api")),
    "stage": STAGE,
    "turns_without_progress": int,
    "valid_next_states": [STATE],
    "shared_team_ids": [str],
    "metadata": dict,
    "version": int,
    "archived_at": (None, TIME),
}
DETAIL = CASE | {
    "milestones_completed": [MILESTONE],
    "pending_milestones": [MILESTONE],
    "current_stage": STAGE,
    "evidence_count": int,
    "hypothesis_count": int,
    "solution_count": int,
    "escalated": bool,
}
CASES = {
    "cases": [CASE],
    "total_count": int,
    "total": int,
    "limit": int,
    "offset": int,
    "has_more": bool,
    "next_cursor": (None, TEXT),
}
ATTACHMENT = {
    "file_id": TEXT,
    "evidence_id": TEXT,
    "filename": TEXT,
    "file_size": int,
    "data_type": TEXT,
    "source_type": frozenset(("logs", "metrics", "configuration", "code", "text", "image")),
    "upload_source": frozenset(("file_upload", "paste", "page_capture", "screenshot", "agent_generated")),
    "processing_status": frozenset(("completed", "failed", "pending")),
    "uploaded_at": TIME,
    "duplicate_of": (None, TEXT),
    "duplicate_turn": (None, int),
    "problem": str,
}
ACTION = {
    "type": frozenset(("DECIDE", "RUN", "EVIDENCE", "FREE_SPEECH")),
    "label": re.compile(r".{1,75}"),
    "payload": (None, TEXT),
    "intent": (None, {"type": TEXT, ...: ANY}),
    "body": (None, str),
    "hints": (None, [str]),
    "evidence_need_id": (None, TEXT),
}
TRANSPARENCY = {
    "active": bool,
    "pending_milestone": (None, str),
    "milestone_description": (None, str),
    "repair_type": (None, str),
}
TURN = {
    "agent_response": TEXT,
    "turn_number": int,
    "case_state": STATE,
    "attachments_processed": [ATTACHMENT],
    "suggested_actions": (None, [ACTION]),
    "milestones_completed": [MILESTONE],
    "progress_made": bool,
    "progress_transparency": (None, TRANSPARENCY),
    "cause_assurance": SUREST,
    "cause_overclaim": (None, bool),
}
MESSAGE = {
    "message_id": TEXT,
    "role": frozenset(("user", "assistant", "system")),
    "content": TEXT,
    "created_at": TIME,
    "turn_number": int,
    "metadata": dict,
    "author_id": (None, TEXT),
    "token_count": None,
}
MESSAGES = {
    "messages": [MESSAGE],
    "total_count": int,
    "retrieved_count": int,
    "has_more": bool,
    "next_offset": (None, int),
    "debug_info": None,
    "next_cursor": (None, TEXT),
}
FILE = {
    "file_id": TEXT,
    "filename": TEXT,
    "size_bytes": int,
    "uploaded_at_turn": int,
    "evidence_count": int,
    "size_display": re.compile(r"[\d.]+ [KMGT]?B"),
    "uploaded_at": TIME,
    "source_type": ATTACHMENT["upload_source"],
    "analysis_status": frozenset(("completed", "failed", "pending")),
    "summary": str,
    "source_metadata": dict,
}
FILES = {"files": [FILE], "total_count": int, "limit": int, "offset": int, "next_cursor": (None, TEXT)}
DERIVED = {
    "evidence_id": TEXT,
    "summary": TEXT,
    "category": TEXT,
    "related_hypothesis_ids": [str],
    "collected_at_turn": int,
    "source_type": ATTACHMENT["upload_source"],
    "primary_purpose": TEXT,
}
FILE_DETAIL = FILE | {
    "derived_evidence": [DERIVED],
    "content_type": TEXT,
    "content_hash": re.compile(r"[0-9a-f]{64}"),
    "upload_source": ATTACHMENT["upload_source"],
}
INQUIRY = {
    "decided_to_investigate": bool,
    "inquiry_turns": int,
    "problem_statement_confirmed": bool,
    "proposed_problem_statement": (None, TEXT),
    "problem_confirmation": None,
}
PROGRESS = {
    "current_stage": STAGE[1],
    "completed_indicators": [MILESTONE],
    "completed_stage_gates": [str],
    "active_hypotheses": int,
    "total_evidence": int,
    "turns_without_progress": int,
}
HYPOTHESIS = {
    "hypothesis_id": TEXT,
    "text": TEXT,
    "likelihood": float,
    "state": TEXT,
    "evidence_count": int,
    "refutation_reason": (None, str),
}
CAUSE = {
    "root_cause_id": TEXT,
    "description": TEXT,
    "category": TEXT,
    "severity": TEXT,
    "cause_assurance": SUREST,
    "cause_overclaim": bool,
}
SOLUTION = {"description": TEXT, "applied_at": (None, TIME), "applied_by": str}
VERIFIED = {"verified": bool, "verification_method": str, "details": str}
SUMMARY = {
    "total_duration_minutes": int,
    "milestones_completed": [MILESTONE],
    "hypotheses_tested": int,
    "evidence_collected": int,
    "key_insights": [str],
}
SCREEN = {
    "case_id": CASE["case_id"],
    "title": TEXT,
    "created_at": TIME,
    "updated_at": TIME,
    "current_turn": int,
    "uploaded_files_count": int,
    "valid_next_states": [STATE],
    "problem_statement": (None, TEXT),
    "problem_verification": None,
    "progress_transparency": (None, TRANSPARENCY),
    "agent_status": TEXT,
    "active_hypotheses": [HYPOTHESIS],
    "latest_evidence": [{"evidence_id": TEXT, "summary": str, "collected_at_turn": int, "collected_at": TIME}],
    "next_actions": [str],
    "working_conclusion": (None, {"summary": TEXT, "confidence": float, "last_updated": TIME}),
    "reports_available": [{"report_type": TEXT, "status": TEXT, "reason": (None, str)}],
    "closure_reason": (None, CLOSURE),
}
READY = frozenset(("ready", "needs_info", "suggests_alternative", "not_eligible"))
ENDED_OR_NOT = {
    "disposition_eligibility": (None, {"resolved": READY, "closed": READY}),
    "inquiry": None,
    "progress": None,
    "root_cause": None,
    "solution_applied": None,
    "verification_status": None,
    "resolution_summary": None,
    "resolved_at": None,
}
BY_STATE: dict[str, dict[Any, Any]] = {
    "inquiry": SCREEN | ENDED_OR_NOT | {"state": "inquiry", "inquiry": INQUIRY},
    "investigating": SCREEN | ENDED_OR_NOT | {"state": "investigating", "progress": PROGRESS},
    "resolved": SCREEN
    | ENDED_OR_NOT
    | {
        "state": "resolved",
        "valid_next_states": [],
        "disposition_eligibility": None,
        "root_cause": CAUSE,
        "solution_applied": (None, SOLUTION),
        "verification_status": VERIFIED,
        "resolution_summary": SUMMARY,
        "resolved_at": TIME,
    },
    "closed": SCREEN
    | ENDED_OR_NOT
    | {
        "state": "closed",
        "disposition_eligibility": None,
        "verification_status": (None, VERIFIED),
        "resolution_summary": (None, SUMMARY),
        "resolved_at": (None, TIME),
    },
}


async def opened(client: httpx2.AsyncClient) -> str:
    """The address of a new case."""
    answer = await client.post("/api/v1/cases", json={"title": None, "priority": "low"})
    assert answer.status_code == 201
    check(answer.json(), CASE)
    return f"/api/v1/cases/{answer.json()['case_id']}"


async def turn(client: httpx2.AsyncClient, address: str, files: Any = None, **form: str) -> dict[str, Any]:
    """A turn's answer, exactly."""
    answer = await client.post(f"{address}/turns", data=form, files=files)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    check(body, TURN)
    for one in body["suggested_actions"] or []:
        # A click without a message does nothing, and only a click may have a meaning.
        assert one["type"] != "DECIDE" or one["payload"]
        assert one["type"] == "DECIDE" or one["intent"] is None
        assert one["type"] in ("DECIDE", "RUN") or one["payload"] is None
    return body


async def looked_at(client: httpx2.AsyncClient, address: str, state: str) -> dict[str, Any]:
    """The case at a glance, exactly as its state has it, and the case itself, which must say the same."""
    screen: dict[str, Any] = (await client.get(f"{address}/ui")).json()
    check(screen, BY_STATE[state])
    row = (await client.get(address)).json()
    check(row, DETAIL)
    assert row["state"] == row["status"] == state
    for name in ("title", "current_turn", "valid_next_states", "closure_reason"):
        assert row[name] == screen[name], name
    assert row["evidence_count"] == screen["uploaded_files_count"]
    listed = (await client.get("/api/v1/cases?limit=100&offset=0")).json()
    check(listed, CASES)
    assert listed["cases"][0] == {name: row[name] for name in CASE}
    return screen


def transition(before: str, after: str) -> dict[str, str]:
    """A click in the menu of the header."""
    data = {"from_state": before, "to_state": after, "user_confirmed": True}
    return {"query": f"Make it {after}", "intent_type": "status_transition", "intent_data": json.dumps(data)}


async def test_a_case_that_is_resolved_has_exactly_these_members(ann: httpx2.AsyncClient) -> None:
    """From the first question to the confirmed cause; every count agrees with every other."""
    address = await opened(ann)
    await looked_at(ann, address, "inquiry")
    first = await turn(ann, address, query="web restarts every few minutes. Why?")
    assert (first["turn_number"], first["attachments_processed"]) == (1, [])
    await looked_at(ann, address, "inquiry")
    files = [("files", ("pod.yaml", POD)), ("files", ("empty.log", b""))]
    form = {"query": "Here it is.", "input_type": "file", "pasted_content": LOG}
    second = await turn(ann, address, files, **form)
    assert second["case_state"] == "investigating"
    screen = await looked_at(ann, address, "investigating")
    await files_of(ann, address, screen, second)
    data = json.dumps({"hypothesis_id": screen["active_hypotheses"][0]["hypothesis_id"], "action": "validate"})
    await turn(ann, address, query="That is it.", intent_type="hypothesis_action", intent_data=data)
    await looked_at(ann, address, "investigating")
    assert (await turn(ann, address, **transition("investigating", "resolved")))["case_state"] == "resolved"
    ended = await looked_at(ann, address, "resolved")
    assert ended["verification_status"]["verified"] is True
    said = (await ann.get(f"{address}/messages?limit=100")).json()
    check(said, MESSAGES)
    assert said["total_count"] == said["retrieved_count"] == len(said["messages"])
    assert (said["has_more"], said["next_offset"]) == (False, None)


async def test_what_is_mostly_null_has_these_members_where_it_is_not(ann: httpx2.AsyncClient) -> None:
    """A list that goes on, a file that was there before, an explanation that was refuted, and turns that bring nothing new."""
    await opened(ann)
    address = await opened(ann)
    await turn(ann, address, [("files", ("pod.yaml", POD))], query="Why does web restart?", pasted_content=LOG)
    again = await turn(ann, address, [("files", ("again.yaml", POD))], query="Once more.")
    (copy,) = again["attachments_processed"]
    before = (await ann.get(f"{address}/uploaded-files?limit=1")).json()
    check(before, FILES | {"next_cursor": TEXT})
    assert (copy["duplicate_of"], copy["duplicate_turn"]) == (before["files"][0]["file_id"], 1)
    check((await ann.get("/api/v1/cases?limit=1")).json(), CASES | {"next_cursor": TEXT})
    check((await ann.get(f"{address}/messages?limit=1")).json(), MESSAGES | {"next_offset": 1, "next_cursor": TEXT})

    named = (await looked_at(ann, address, "investigating"))["active_hypotheses"][0]["hypothesis_id"]
    data = json.dumps({"hypothesis_id": named, "action": "refute"})
    await turn(ann, address, query="No.", intent_type="hypothesis_action", intent_data=data)
    for _ in range(3):
        idle = await turn(ann, address, query="What should I do?")
    check(idle["progress_transparency"], TRANSPARENCY | {"active": True, "pending_milestone": MILESTONE})
    screen = await looked_at(ann, address, "investigating")
    assert screen["progress_transparency"] == idle["progress_transparency"]
    (refuted,) = [one for one in screen["active_hypotheses"] if one["hypothesis_id"] == named]
    assert (refuted["state"], bool(refuted["refutation_reason"])) == ("refuted", True)


async def files_of(client: httpx2.AsyncClient, address: str, screen: dict[str, Any], answer: dict[str, Any]) -> None:
    """The files of a case, exactly; the list, each detail and the header count the same."""
    listed = (await client.get(f"{address}/uploaded-files")).json()
    check(listed, FILES)
    named = {one["file_id"]: one["filename"] for one in answer["attachments_processed"]}
    assert {row["file_id"]: row["filename"] for row in listed["files"]}.items() <= named.items()
    assert listed["total_count"] == len(listed["files"]) == screen["uploaded_files_count"]
    for row in listed["files"]:
        detail = (await client.get(f"{address}/uploaded-files/{row['file_id']}")).json()
        check(detail, FILE_DETAIL)
        assert detail["evidence_count"] == row["evidence_count"] == len(detail["derived_evidence"])
    assert screen["progress"]["total_evidence"] == sum(row["evidence_count"] for row in listed["files"])


async def test_a_case_that_is_closed_without_a_cause_has_exactly_these_members(ann: httpx2.AsyncClient) -> None:
    """Null where the extension guards against null, and nothing that claims a cause."""
    address = await opened(ann)
    await turn(ann, address, query="Something is slow.")
    assert (await turn(ann, address, **transition("inquiry", "closed")))["case_state"] == "closed"
    screen = await looked_at(ann, address, "closed")
    assert screen["valid_next_states"] == []
    assert (screen["root_cause"], screen["solution_applied"]) == (None, None)
    assert screen["closure_reason"] in CLOSURE
    assert (await turn(ann, address, query="What was it?"))["case_state"] == "closed"
