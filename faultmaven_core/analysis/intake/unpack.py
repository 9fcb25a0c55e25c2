"""Archives, compressed files and documents to plain content: layer by layer, within limits, never by a member's name."""

from __future__ import annotations

import hashlib
import zlib
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO, Protocol

from faultmaven_core.analysis.intake import tar
from faultmaven_core.analysis.intake import zip as zip_archive
from faultmaven_core.analysis.intake.forms import HEAD, form_of
from faultmaven_core.analysis.intake.gunzip import gunzip
from faultmaven_core.analysis.intake.limits import CHUNK, Budget, Limits
from faultmaven_core.analysis.intake.member_names import objection, shown
from faultmaven_core.ports.decompression import Decompression
from faultmaven_core.ports.document_text import DocumentText
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError

DAMAGED = (EOFError, OSError, zlib.error, TooLargeError, InvalidInputError)


class Scratch(Protocol):
    """Where unpacked content waits: files in a private folder, or memory. Keys are the scratch's own."""

    @abstractmethod
    def create(self) -> tuple[str, BinaryIO]:
        """A new empty content to write, and its key."""

    @abstractmethod
    def open(self, key: str) -> BinaryIO:
        """A content to read."""

    @abstractmethod
    def drop(self, key: str) -> None:
        """Forget a content."""


@dataclass(frozen=True, slots=True)
class Content:
    """Plain content under a scratch key. `members` are its names inside the nested archives.

    `problem` is a sentence: with a key, what is missing of the content; without one, why there is none.
    """

    name: str
    members: tuple[str, ...]
    key: str = ""
    sha256: str = ""
    size: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Unpacker:
    """What is needed to unpack, beside the bytes."""

    scratch: Scratch
    documents: Mapping[str, DocumentText] = field(default_factory=dict)
    zstd: Decompression | None = None
    limits: Limits = field(default_factory=Limits)

    def unpack(self, name: str, stream: BinaryIO) -> Iterator[Content]:
        """Every plain content in a container (see `forms.form_of`), in the container's order."""
        yield from self._layer(name, (), stream, 1, Budget(self.limits))

    def _layer(
        self, name: str, members: tuple[str, ...], stream: BinaryIO, depth: int, budget: Budget
    ) -> Iterator[Content]:
        form = form_of(stream.read(HEAD))
        stream.seek(0)
        if depth > self.limits.depth:
            why = f"it is nested more than {self.limits.depth} archives deep"
            yield Content(name, members, problem=f"{name} was not read: {why}. Unpack it and give the files.")
        elif form == "zip":
            yield from self._archive(name, members, _zip_entries(stream), depth, budget)
        elif form == "tar":
            yield from self._archive(name, members, _tar_entries(stream), depth, budget)
        else:
            chunks = self._chunks(form, stream)
            if chunks is None:
                why = "zstandard is not installed here" if form == "zstd" else f"no reader for {form} is installed here"
                hint = "Install faultmaven[evidence], or convert the file to plain text first."
                yield Content(name, members, problem=f"{name} was not read: {why}. {hint}")
            else:
                yield from self._member(name, members, chunks, stream.tell, depth, budget)

    def _chunks(self, form: str, stream: BinaryIO) -> Iterator[bytes] | None:
        if form == "gzip":
            return gunzip(stream)
        if not form:
            return iter(lambda: stream.read(CHUNK), b"")
        if form == "zstd":
            return self.zstd.chunks(stream) if self.zstd else None
        document = self.documents.get(form)
        return (piece.encode("utf-8", "replace") for piece in document.text(stream)) if document else None

    def _archive(
        self, name: str, members: tuple[str, ...], entries: Iterator[_Entry], depth: int, budget: Budget
    ) -> Iterator[Content]:
        try:
            for entry in entries:
                budget.entry()
                inner = f"{name}!{shown(entry.name)}"
                why = entry.refusal or objection(entry.name)
                if why:
                    yield Content(inner, (*members, entry.name), problem=f"{inner} was not read: {why}.")
                else:
                    yield from self._member(
                        inner, (*members, entry.name), entry.content, partial(int, entry.packed), depth, budget
                    )
                if budget.exhausted:
                    return
        except DAMAGED as error:
            yield Content(name, members, problem=f"{name} was read in part: {_why(error)}. {_advice(error)}")

    def _member(
        self,
        name: str,
        members: tuple[str, ...],
        chunks: Iterable[bytes],
        packed: Callable[[], int],
        depth: int,
        budget: Budget,
    ) -> Iterator[Content]:
        """Store what the chunks hold, as far as they come, and look whether it is a container again."""
        key, sink = self.scratch.create()
        digest, size, head, problem = hashlib.sha256(), 0, b"", ""
        with sink:
            try:
                for chunk in budget.spend(chunks, packed):
                    sink.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                    head = head if len(head) >= HEAD else (head + chunk)[:HEAD]
            except DAMAGED as error:
                read = f"only the first {size:,} bytes were read" if size else "nothing could be read"
                problem = f"{name}: {_why(error)}; {read}. {_advice(error)}"
        if problem and (not size or budget.exhausted):
            self.scratch.drop(key)
            yield Content(name, members, problem=problem)
        elif form_of(head):
            try:
                with self.scratch.open(key) as inner:
                    yield from self._layer(name, members, inner, depth + 1, budget)
            finally:
                self.scratch.drop(key)
            if problem:
                yield Content(name, members, problem=problem)
        else:
            yield Content(name, members, key, digest.hexdigest(), size, problem)


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    content: Iterator[bytes]
    packed: int
    refusal: str


def _zip_entries(stream: BinaryIO) -> Iterator[_Entry]:
    for entry in zip_archive.entries(stream):
        yield _Entry(entry.name, entry.content, entry.packed, entry.refusal)


def _tar_entries(stream: BinaryIO) -> Iterator[_Entry]:
    seen: set[str] = set()
    for entry in tar.entries(stream):
        why = entry.refusal or ("another entry has the same name" if entry.name in seen else "")
        seen.add(entry.name)
        yield _Entry(entry.name, entry.content, entry.size, why)


def _why(error: Exception) -> str:
    """What is wrong, as a part of a sentence; foreign wording is not passed on, since it can quote the content."""
    if isinstance(error, TooLargeError | InvalidInputError):
        return str(error).rstrip(".")
    if isinstance(error, OSError) and error.errno:  # not the content's fault: a full disk, a failing one
        return f"the system reports `{error.strerror}`"
    return "it is cut off before its end" if isinstance(error, EOFError) else "it is damaged"


def _advice(error: Exception) -> str:
    if isinstance(error, TooLargeError):
        return "Unpack it yourself and give the files that matter."
    if isinstance(error, InvalidInputError):
        return "Save it as plain text and give that."
    if isinstance(error, OSError) and error.errno:
        return "Make room in the temporary folder (TMPDIR) or unpack it yourself."
    return "Copy or collect it again."
