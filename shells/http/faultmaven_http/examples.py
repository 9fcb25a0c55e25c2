"""One example of each body, for people who read the description of the interface."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from faultmaven_core import codec
from faultmaven_http.shapes import cases, evidence, health, knowledge, meta, problem, uploads

_OPENED = datetime(2026, 3, 2, 14, 5, 1, tzinfo=UTC)
_CHANGED = datetime(2026, 3, 2, 14, 9, 30, tzinfo=UTC)

_CASE = cases.CaseRow(
    case_id="case_9f86d081884c",
    title="Checkout answers 503 since the last deployment",
    state="investigating",
    status="investigating",
    created_at=_OPENED,
    updated_at=_CHANGED,
    last_activity_at=_CHANGED,
    priority="high",
    description="",
    current_turn=2,
    message_count=4,
    user_id="usr_4e07408562be",
    owner_id="usr_4e07408562be",
    organization_id="local",
    closure_reason=None,
    closed_at=None,
    resolved_at=None,
    is_terminal=False,
    source="copilot",
    stage="diagnosis",
    turns_without_progress=0,
    valid_next_states=("resolved", "closed"),
    shared_team_ids=(),
    metadata={},
    version=3,
    archived_at=None,
)

_DETAIL = cases.CaseDetail(
    **{field.name: getattr(_CASE, field.name) for field in fields(_CASE)},
    milestones_completed=("symptom_verified", "scope_assessed"),
    pending_milestones=("timeline_established", "changes_identified", "root_cause_identified", "solution_proposed"),
    current_stage="diagnosis",
    evidence_count=2,
    hypothesis_count=3,
    solution_count=0,
    escalated=False,
)

_MESSAGE = cases.MessageRow("msg_1b4f0e985197", "user", "Why does checkout answer 503?", _OPENED, 1, "usr_4e07408562be")

_ALL: tuple[object, ...] = (
    health.Alive("alive"),
    health.Health("healthy", (health.Dependency("database", "up", "", 0.4),)),
    meta.Capabilities(
        "self-hosted",
        "",
        "dashboard",
        meta.Features(
            extensionKB=False, adminKB=True, teamSharing=True, caseHistory=True, sso=False, managementConsole=False
        ),
        meta.Limits(10 << 20, (".txt", ".log")),
        meta.Branding("FaultMaven"),
    ),
    cases.NewCase(title="Checkout answers 503", priority="high", metadata={}),
    cases.CaseChange(title="Checkout answers 503 since the last deployment"),
    _CASE,
    _DETAIL,
    cases.CaseList((_CASE,), 1, 1, 50, 0, has_more=False),
    cases.TitleWish(8, "checkout"),
    cases.CaseTitle("Checkout answers 503"),
    cases.MessageList((_MESSAGE,), 1, 1, has_more=False, next_offset=None),
    evidence.KindWish("log"),
    evidence.LineSearch("connection refused"),
    evidence.LinkWish(60),
    uploads.NewUpload("checkout.log", 1 << 30),
    knowledge.DocumentChange(title="Redis is full", tags=("redis",)),
    knowledge.SearchRequest("OOM command not allowed"),
    problem.Problem(
        type="about:blank",
        title="Not Found",
        status=404,
        detail="There is no case case_000000000000.",
        message="There is no case case_000000000000.",
        error="not_found",
        error_type="NotFoundError",
        code="",
        status_code=404,
        errors=(),
        correlation_id="5d41402abc4b2a76b9719d911017c592",
        timestamp=_CHANGED,
    ),
)

EXAMPLES: Mapping[type, object] = {type(example): example for example in _ALL}
"""By the type of the body; of any other type one is made of what its fields are called."""

_TEXTS = {
    "case_id": "case_9f86d081884c",
    "user_id": "usr_4e07408562be",
    "owner_id": "usr_4e07408562be",
    "organization_id": "local",
    "session_id": "s_4b227777d4dd",
    "file_id": "ev_ef2d127de37b",
    "evidence_id": "ev_ef2d127de37b",
    "document_id": "doc_e7f6c011776e",
    "email": "ann@example.org",
    "username": "ann",
    "display_name": "Ann",
    "title": "Checkout answers 503",
    "filename": "app.log",
    "state": "investigating",
    "status": "active",
    "token_type": "bearer",
}
"""Texts that people recognise, by the field's name."""


def example_of(kind: type) -> Any:
    """An example of a body, as JSON has it."""
    if kind in EXAMPLES:
        return json.loads(codec.encode(EXAMPLES[kind]))
    return _made(kind, kind.__name__)


def _made(kind: Any, name: str) -> Any:
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return {field.name: _made(hints[field.name], field.name) for field in fields(kind)}
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _made(parts[0], name)
    if origin is tuple and parts[-1] is not Ellipsis:
        return [_made(part, name) for part in parts]
    if origin in (tuple, list, frozenset, Sequence):
        return [] if parts[0] is bytes else [_made(parts[0], name.removesuffix("s"))]
    if origin in (dict, Mapping) or kind is Any:
        return {}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind)).value
    return _SIMPLE.get(kind, _TEXTS.get(name, name))


_SIMPLE: Mapping[Any, Any] = {
    bool: False,
    int: 1,
    float: 0.5,
    datetime: "2026-03-02T14:05:01Z",
    date: "2026-03-02",
    NoneType: None,
    bytes: "",
}
