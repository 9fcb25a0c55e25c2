"""What happens to cases; each event becomes an entry of the journal."""

from __future__ import annotations

from dataclasses import dataclass

from faultmaven_core.shared.events import Event


@dataclass(frozen=True, slots=True)
class CaseOpened(Event):
    """A case was opened."""

    title: str
    question: str


@dataclass(frozen=True, slots=True)
class InvestigationBegun(Event):
    """The analysis of the evidence started."""

    question: str


@dataclass(frozen=True, slots=True)
class RecordStored(Event):
    """A record became the case's conclusion; `sha256` is of its JSON."""

    sequence: int
    sha256: str
    verdict: str
    cause: str


@dataclass(frozen=True, slots=True)
class CauseConfirmed(Event):
    """A person said that the cause is right."""

    cause: str
    note: str


@dataclass(frozen=True, slots=True)
class CauseRejected(Event):
    """A person said that the cause is wrong."""

    cause: str
    actual_cause: str
    note: str


@dataclass(frozen=True, slots=True)
class CaseClosed(Event):
    """The case ended."""

    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class CaseChanged(Event):
    """Title, description, priority or metadata were changed; `fields` names which."""

    fields: str
    title: str


@dataclass(frozen=True, slots=True)
class TurnTaken(Event):
    """Somebody said something and was answered; `sha256` is of both texts."""

    turn: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CaseArchived(Event):
    """The case is left out of lists."""


@dataclass(frozen=True, slots=True)
class CaseUnarchived(Event):
    """The case is in lists again."""


@dataclass(frozen=True, slots=True)
class CaseTakenAway(Event):
    """The case was deleted and can be restored."""


@dataclass(frozen=True, slots=True)
class CaseRestored(Event):
    """The case was brought back."""
