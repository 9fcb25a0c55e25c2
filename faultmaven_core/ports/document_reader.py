"""Port for reading documents of knowledge: their text, headings and what they say of themselves, in processes of their own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from faultmaven_core.shared.errors import InvalidInputError


class UnreadableDocumentError(InvalidInputError):
    """The document cannot be read; the message says why and what to do."""

    code = "unreadable_document"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a text, whose lines stand at [start, end) in characters. `level` 1 is the highest, 6 the lowest."""

    start: int
    end: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document as text that every database can hold: no NUL, no half of a surrogate pair, lines end with a line feed.

    `headings` are in order. `about` holds its front matter: scalars, and lists of scalars, as text by lower-case key.
    `notes` are sentences on what of it was not understood.
    """

    text: str
    headings: tuple[Heading, ...] = ()
    about: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class DocumentReading(Protocol):
    """Reads one document after another, or several at a time; valid until its context is left."""

    @abstractmethod
    async def read(self, path: str, name: str, media_type: str) -> ReadDocument:
        """The document at a path of this machine. The same bytes give the same document; `name` is what messages call it.

        Raises UnreadableDocumentError where it is damaged, encrypted, without text, or more than a process may use up;
        BackendUnavailableError where the file itself cannot be read.
        """


class DocumentReader(Protocol):
    """Reads documents, which may be hostile."""

    @abstractmethod
    def reading(self) -> AbstractAsyncContextManager[DocumentReading]:
        """A reading. Leaving the context, also by cancellation, ends every process that it started."""
