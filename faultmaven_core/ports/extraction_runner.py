"""Port for reading evidence: files in, what they say out, in processes that a hostile file can only hurt themselves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from faultmaven_core.analysis.model import Extraction, Role, Span

UNREADABLE = "unreadable"
"""The kind of a source of which nothing could be read; its problems say why and what to do."""


@dataclass(frozen=True, slots=True)
class Input:
    """One file to read. `name` is what the record calls it, `path` where the adapter finds it.

    `kind` is a person's classification and wins over what the content looks like. `problem` is a sentence on why the file
    is not read at all (a link, a device, no permission); it stands in the record all the same.
    """

    name: str
    path: str
    role: Role = Role.INCIDENT
    kind: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """How to read. `fast` samples the middle of large logs instead of reading every line."""

    fast: bool = False


EVERYTHING = Options()
"""Read every line."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a source's content stands: a file on disk, then the names inside nested archives.

    `size` and `modified_ns` are of the file on disk, as it was when it was read.
    """

    sha256: str
    path: str
    members: tuple[str, ...]
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the run is. `stage` is identify or extract; `finding` a sentence as soon as one is known."""

    stage: str
    name: str
    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int
    finding: str = ""


@dataclass(frozen=True, slots=True)
class Extracted:
    """All that one source says, and where it stands."""

    extraction: Extraction
    place: Place


class ExtractionRun(Protocol):
    """A run that is under way; valid until its context is left."""

    @abstractmethod
    def __aiter__(self) -> AsyncIterator[Progress | Extracted]:
        """Progress, and exactly one Extracted per source (archive members are sources of their own), in any order.

        A file that cannot be read is never an exception: it is an Extraction of kind `unreadable` with the sentence.
        """

    @abstractmethod
    def read(self, span: Span) -> bytes:
        """The bytes that stand at a span of a source of this run.

        Raises NotFoundError where the file is gone, CorruptDataError where it is no longer what was read.
        """


class ExtractionRunner(Protocol):
    """Reads evidence. The same inputs give equal extractions, however many processes read them."""

    @abstractmethod
    def run(self, inputs: Sequence[Input], options: Options = EVERYTHING) -> AbstractAsyncContextManager[ExtractionRun]:
        """A run over these inputs. Leaving the context, also by cancellation, ends every process that it started."""
