"""Cases as clients read and write them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class NewCase:
    """What opens a case. Without a title it gets one that says its day and number."""

    title: str | None = None
    description: str = ""
    priority: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    initial_message: str | None = None
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in a list."""

    case_id: str
    title: str
    state: str
    status: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CaseRows:
    """A page of cases."""

    cases: tuple[CaseRow, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases."""

    limit: int = 50
    status: str | None = None
