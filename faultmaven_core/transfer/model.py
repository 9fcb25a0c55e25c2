"""What a transfer moves, how far it is, and what it found at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from faultmaven_core.shared.errors import CorruptDataError, PreconditionFailedError


class Kind(StrEnum):
    """Rows, copies of evidence and documents, and the index of the knowledge base."""

    DATABASE = "database"
    BLOBS = "blobs"
    VECTORS = "vectors"


class TargetNotEmptyError(PreconditionFailedError):
    """Something is at the target that this transfer did not put there."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is copied and compared as one: a table's rows of one organization, all blobs, one organization's vectors.

    `items` are rows, blobs or vectors at the source; `size` is in bytes where it is known without reading, else 0.
    """

    kind: Kind
    name: str
    items: int
    size: int = 0

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class TransferDiffersError(CorruptDataError):
    """After all was copied, these parts are not at the target what they are at the source."""

    def __init__(self, message: str, parts: tuple[Part, ...]) -> None:
        super().__init__(message)
        self.parts = parts


@dataclass(frozen=True, slots=True)
class Batch:
    """What is safely at the target now. `position` is where to go on after it: the cargo's own words."""

    position: str
    items: int
    size: int = 0


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the journal says of a part."""

    position: str = ""
    items: int = 0
    size: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """How many items there are on one side, and the SHA-256 over all of them in order."""

    items: int
    sha256: str


class Digester:
    """Makes a digest of items in order."""

    def __init__(self) -> None:
        self.items = 0
        self._sha256 = hashlib.sha256()

    def take(self, item: bytes) -> None:
        """One more."""
        self.items += 1
        # With its length in front, so that no two sequences of items look alike.
        self._sha256.update(len(item).to_bytes(8, "big"))
        self._sha256.update(item)

    def digest(self) -> Digest:
        """Of all that were taken."""
        return Digest(self.items, self._sha256.hexdigest())


class Stage(StrEnum):
    """What is being done with a part."""

    COPY = "copy"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class Progress:
    """So many of the part's items and bytes are done."""

    stage: Stage
    part: Part
    items: int
    size: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a part: how much this run copied, and what both sides are where they were compared."""

    part: Part
    copied: int = 0
    source: Digest | None = None
    target: Digest | None = None

    @property
    def equal(self) -> bool:
        """Whether both sides were compared and are the same."""
        return self.source is not None and self.source == self.target


@dataclass(frozen=True, slots=True)
class Report:
    """A transfer's end. `resumed`: an earlier run had begun it."""

    outcomes: tuple[Outcome, ...]
    resumed: bool = False
    places: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Kind to source and target, as people may see them."""
