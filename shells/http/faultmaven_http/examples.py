"""One example of each body, for people who read the description of the interface."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from faultmaven_http.shapes import cases, health, meta, problem

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
    cases.CaseList((_CASE,), 1, 1, 50, 0, has_more=False),
    cases.TitleWish(8, "checkout"),
    cases.CaseTitle("Checkout answers 503"),
    cases.MessageList((_MESSAGE,), 1, 1, has_more=False, next_offset=None),
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
"""By the type of the body. A test asks for one of every type that stands in a body."""
