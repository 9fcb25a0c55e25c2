"""What is asked of investigations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class InvestigationWish:
    """What to look into. The incident lies between `since` and `until`, or within an hour around `around`."""

    question: str = ""
    since: datetime | None = None
    until: datetime | None = None
    around: datetime | None = None
    fast: bool = False


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Which form: md, html or json; `redact=false` shows what was masked."""

    format: str = "md"
    redact: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person's word on the cause: `cause` is what it really was, where it was wrong."""

    note: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """Why a case ends: resolved, abandoned, escalated, inquiry_only, duplicate or other."""

    reason: str = "other"
    note: str = ""


@dataclass(frozen=True, slots=True)
class JournalFilter:
    """Entries after this number."""

    after: int = 0
    limit: int = 200
