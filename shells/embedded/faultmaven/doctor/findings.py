"""Steps of an examination, and what they show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a step ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step showed. `detail` is a sentence with the remedy where there is something to mend; `code` is the error's.

    `milliseconds` is how long the step took, None where that means nothing.
    """

    dependency: str
    step: str
    outcome: Outcome
    detail: str
    milliseconds: float | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to try. `needed`: the steps after it mean nothing where it fails."""

    name: str
    work: Callable[[], Awaitable[Sequence[str]]]
    needed: bool = False
