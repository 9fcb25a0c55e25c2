"""Documents, chunks and their words as rows and back; shared by all repositories of knowledge, so that all say the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from faultmaven_core.knowledge.model import Chunk, Document, DocumentState, KnowledgeScope, Status, Tier
from faultmaven_core.knowledge.ports import ChunkTerms, Scopes
from faultmaven_core.shared.errors import InvalidInputError

_WORD = re.compile("[a-z0-9_\x80-\U0010ffff]+")
_WORDS = re.compile("[a-z0-9_ \x80-\U0010ffff]*")


def scope_text(scope: KnowledgeScope) -> str:
    """A scope in one column."""
    return f"{scope.tier}:{scope.owner}"


def scope_texts(scopes: Scopes) -> list[str]:
    """The scopes that a query is for. Raises InvalidInputError where there is none: nothing never means everything."""
    if not scopes:
        raise InvalidInputError("No scope was given to look in.", fields={"scopes": "empty"})
    return [scope_text(scope) for scope in scopes]


def document_row(document: Document) -> dict[str, Any]:
    """The row of a document."""
    return {
        "organization_id": document.organization,
        "key": document.key,
        "id": document.id,
        "scope": scope_text(document.scope),
        "title": document.title,
        "name": document.name,
        "source": document.source,
        "media_type": document.media_type,
        "blob": document.blob,
        "sha256": document.sha256,
        "size": document.size,
        "modified_ns": document.modified_ns,
        "state": str(document.state),
        "problem": document.problem,
        "tags": list(document.tags),
        "status": str(document.status),
        "searchable": document.searchable,
        "reviewed_on": document.reviewed_on,
        "stale_after_days": document.stale_after_days,
        "chunks": document.chunks,
        "characters": document.characters,
        "words": document.words,
        "embedded": document.embedded,
        "details": document.details,
        "added_at": document.added_at,
        "added_by": document.added_by,
        "updated_at": document.updated_at,
        "version": document.version,
    }


def document_of(row: Any) -> Document:
    """The document of a row."""
    tier, _, owner = row.scope.partition(":")
    return Document(
        row.key,
        row.id,
        row.organization_id,
        KnowledgeScope(Tier(tier), owner),
        row.title,
        row.name,
        row.media_type,
        row.blob,
        row.sha256,
        row.size,
        row.added_at,
        row.added_by,
        row.updated_at,
        row.source,
        row.modified_ns,
        DocumentState(row.state),
        row.problem,
        tuple(row.tags),
        Status(row.status),
        row.reviewed_on,
        row.stale_after_days,
        row.chunks,
        row.characters,
        row.words,
        row.embedded,
        row.details,
        row.version,
    )


def chunk_row(chunk: Chunk, organization: str) -> dict[str, Any]:
    """The row of a chunk."""
    return {
        "organization_id": organization,
        "document": chunk.document,
        "number": chunk.number,
        "headings": list(chunk.headings),
        "text": chunk.text,
        "start": chunk.start,
        "end": chunk.end,
        "terms": joined(chunk.terms),
        "labels": joined(chunk.labels),
        "names": list(chunk.names),
    }


def chunk_of(row: Any) -> Chunk:
    """The chunk of a row."""
    return Chunk(
        row.document,
        row.number,
        tuple(row.headings),
        row.text,
        row.start,
        row.end,
        parted(row.terms),
        parted(row.labels),
        tuple(row.names),
    )


def joined(words: Sequence[str]) -> str:
    """Words in one column. Raises InvalidInputError on what an index would take for another word, or for several."""
    text = " ".join(words)
    if not _WORDS.fullmatch(text) or "" in words or len(parted(text)) != len(words):
        raise InvalidInputError("A word to search by has a space, a capital or a sign in it, or nothing at all.")
    return text


def is_word(text: str) -> bool:
    """Whether `joined` takes it: nothing else can be found."""
    return _WORD.fullmatch(text) is not None


def parted(text: str) -> tuple[str, ...]:
    """The words of a column."""
    return tuple(text.split(" ")) if text else ()


def counted(number: int, terms: str, labels: str, asked: frozenset[str]) -> ChunkTerms | None:
    """How often words stand in the columns of a chunk; None where none does."""
    text, above = parted(terms), parted(labels)
    in_text = {word: text.count(word) for word in asked.intersection(text)}
    in_labels = {word: above.count(word) for word in asked.intersection(above)}
    return ChunkTerms(number, len(text), in_text, in_labels) if in_text or in_labels else None


def vocabulary(chunks: Iterable[Chunk]) -> set[str]:
    """All words by which a document is found."""
    return {word for chunk in chunks for words in (chunk.terms, chunk.labels) for word in words}


def index_prefix(organization: str, scope: str) -> str:
    """What stands before a word in the lexical index.

    So that every scope has words of its own there: what others have costs a search nothing and changes nothing in it.
    """
    return hashlib.sha256(f"{organization}\n{scope}".encode()).hexdigest()[:12] + "_"
