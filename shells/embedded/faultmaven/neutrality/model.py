"""A finding of the audit, what answers it, and how that stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """PROVEN alone counts as done.

    EMULATED: it ran, but against an emulator of a service that cannot be had. PARTLY: what it stands on is proven, the
    part itself is not built yet. NOT_BUILT: there is nothing to run.
    """

    PROVEN = "proven"
    EMULATED = "emulated"
    PARTLY = "partly"
    NOT_BUILT = "not built"


@dataclass(frozen=True, slots=True)
class Contract:
    """A port's contract on these backends."""

    port: str
    backends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class File:
    """All tests of a file; `what` they show, in a few words."""

    file: str
    what: str


@dataclass(frozen=True, slots=True)
class Row:
    """A finding: the service, the dimension, its score in the audit in percent (None where it had none), what it wanted.

    `missing` says what is not built, empty where everything is.
    """

    service: str
    dimension: str
    audited: int | None
    wanted: str
    proofs: tuple[Contract | File, ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Proven:
    """What a recorded run shows: how many clauses or tests passed, on what."""

    what: str
    passed: int
    on: str
    known_gaps: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A row and how it stands."""

    row: Row
    standing: Standing
    proofs: tuple[Proven, ...]
