"""The body of every error: RFC 9457, with the members that existing clients read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field; `loc` is the way to it."""

    loc: tuple[str, ...]
    msg: str
    type: str


@dataclass(frozen=True, slots=True)
class Problem:
    """`detail` is always a sentence; `message` says the same, `error` is our code or, for OAuth, its own.

    `code` is a label that clients act on, empty where there is none; `retry_after` is in seconds, 0 where waiting is no use.
    """

    type: str
    title: str
    status: int
    detail: str
    message: str
    error: str
    error_type: str
    code: str
    status_code: int
    errors: tuple[FieldProblem, ...]
    correlation_id: str
    timestamp: datetime
    retry_after: int = 0
    error_description: str = ""
