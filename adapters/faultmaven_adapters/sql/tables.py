"""The tables. Names begin with their context; the organization is in every key and every foreign key."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from faultmaven_adapters.sql import identity_tables
from faultmaven_adapters.sql.columns import NONE, JsonDocument, UtcDateTime, one_of, organization, text_type

METADATA = identity_tables.USER.metadata
"""All tables, those of identity too."""


def _of_case() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", "case_id"], ["cases_case.organization_id", "cases_case.id"], ondelete="CASCADE"
    )


def _of_document() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", "document"],
        ["knowledge_document.organization_id", "knowledge_document.key"],
        ondelete="CASCADE",
    )


_OPEN_KEY = "dedupe_key <> '' AND due_at IS NOT NULL"

CASE = Table(
    "cases_case",
    METADATA,
    organization(),
    Column("key", Uuid, primary_key=True),
    Column("id", text_type(32), **NONE),
    Column("owner", text_type(128), **NONE),
    Column("title", text_type(), **NONE),
    Column("question", text_type(), **NONE),
    Column("status", text_type(16), **NONE),
    Column("verdict", text_type(32), **NONE),
    Column("cause", text_type(), **NONE),
    Column("mechanism", text_type(), **NONE),
    Column("judgement", text_type(16), **NONE),
    Column("actual_cause", text_type(), **NONE),
    Column("closure_reason", text_type(32), **NONE),
    Column("history", JsonDocument, **NONE),
    Column("records", BigInteger, **NONE),
    Column("description", text_type(), **NONE),
    Column("priority", text_type(16), **NONE),
    Column("source", text_type(32), **NONE),
    Column("metadata", JsonDocument, **NONE),
    Column("turns", BigInteger, **NONE),
    Column("messages", BigInteger, **NONE),
    Column("dialogue", JsonDocument, **NONE),
    Column("deleted_at", UtcDateTime),
    Column("archived_at", UtcDateTime),
    Column("teams", text_type(), **NONE),
    Column("figures", JsonDocument, **NONE),
    Column("search_text", text_type(), **NONE),
    Column("created_at", UtcDateTime, **NONE),
    Column("updated_at", UtcDateTime, **NONE),
    Column("closed_at", UtcDateTime),
    Column("version", BigInteger, **NONE),
    UniqueConstraint("organization_id", "id"),
    one_of("status", "inquiry", "investigating", "resolved", "closed"),
    one_of("judgement", "", "confirmed", "rejected"),
    one_of("priority", "low", "medium", "high", "critical"),
    Index(None, "organization_id", "status", "updated_at"),
    Index(None, "organization_id", "updated_at"),
)

MESSAGE = Table(
    "cases_message",
    METADATA,
    organization(),
    Column("case_id", text_type(32), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Uuid, **NONE),
    Column("id", text_type(32), **NONE),
    Column("turn", BigInteger, **NONE),
    Column("role", text_type(16), **NONE),
    Column("author", text_type(128), **NONE),
    Column("text", text_type(), **NONE),
    Column("at", UtcDateTime, **NONE),
    Column("metadata", JsonDocument, **NONE),
    UniqueConstraint("organization_id", "case_id", "id"),
    one_of("role", "user", "assistant", "system"),
    _of_case(),
)

RECORD = Table(
    "cases_record",
    METADATA,
    organization(),
    Column("case_id", text_type(32), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, **NONE),
    Column("sha256", text_type(64), **NONE),
    Column("exhibits", LargeBinary, **NONE),
    _of_case(),
)

JOURNAL = Table(
    "cases_journal",
    METADATA,
    organization(),
    Column("case_id", text_type(32), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Uuid, **NONE),
    Column("at", UtcDateTime, **NONE),
    Column("actor", text_type(128), **NONE),
    Column("kind", text_type(64), **NONE),
    Column("detail", JsonDocument, **NONE),
    Column("previous", text_type(64), **NONE),
    Column("digest", text_type(64), **NONE),
    UniqueConstraint("organization_id", "case_id", "key"),
    _of_case(),
)

EVIDENCE = Table(
    "evidence_item",
    METADATA,
    organization(),
    Column("key", Uuid, primary_key=True),
    Column("id", text_type(32), **NONE),
    Column("case_id", text_type(32), **NONE),
    Column("name", text_type(), **NONE),
    Column("role", text_type(16), **NONE),
    Column("custody", text_type(16), **NONE),
    Column("location", text_type(), **NONE),
    Column("blob", text_type(512), **NONE),
    Column("size", BigInteger, **NONE),
    Column("modified_ns", BigInteger, **NONE),
    Column("sha256", text_type(64), **NONE),
    Column("kind", text_type(64), **NONE),
    Column("problem", text_type(), **NONE),
    Column("sources", JsonDocument, **NONE),
    Column("turn", BigInteger, **NONE),
    Column("origin", text_type(32), **NONE),
    Column("details", JsonDocument, **NONE),
    Column("added_at", UtcDateTime, **NONE),
    Column("added_by", text_type(128), **NONE),
    Column("version", BigInteger, **NONE),
    UniqueConstraint("organization_id", "id"),
    one_of("role", "incident", "baseline"),
    one_of("custody", "reference", "copy"),
    Index(None, "organization_id", "case_id", "key"),
)

UPLOAD = Table(
    "evidence_upload",
    METADATA,
    organization(),
    Column("key", Uuid, primary_key=True),
    Column("id", text_type(32), **NONE),
    Column("case_id", text_type(32), **NONE),
    Column("owner", text_type(128), **NONE),
    Column("name", text_type(), **NONE),
    Column("role", text_type(16), **NONE),
    Column("size", BigInteger, **NONE),
    Column("created_at", UtcDateTime, **NONE),
    Column("resumable", Boolean, **NONE),
    Column("sha256", text_type(64), **NONE),
    Column("received", BigInteger, **NONE),
    Column("parts", JsonDocument, **NONE),
    Column("details", JsonDocument, **NONE),
    Column("version", BigInteger, **NONE),
    UniqueConstraint("organization_id", "id"),
    one_of("role", "incident", "baseline"),
    Index(None, "organization_id", "created_at"),
)

ANSWER = Table(
    "commands_answer",
    METADATA,
    organization(),
    Column("user_id", text_type(128), primary_key=True),
    Column("request_key", text_type(256), primary_key=True),
    Column("command", text_type(64), **NONE),
    Column("answer", LargeBinary, **NONE),
    Column("at", UtcDateTime, **NONE),
    Index(None, "organization_id", "at"),
)

JOB = Table(
    "jobs_job",
    METADATA,
    organization(),
    Column("id", Uuid, primary_key=True),
    Column("user_id", text_type(128), **NONE),
    Column("operation", text_type(64), **NONE),
    Column("payload", LargeBinary, **NONE),
    Column("dedupe_key", text_type(), **NONE),
    Column("state", text_type(16), **NONE),
    Column("attempts", BigInteger, **NONE),
    Column("token", Uuid),
    Column("error", text_type(), **NONE),
    Column("finished_at", UtcDateTime),
    Column("due_at", UtcDateTime),
    Column("queue", text_type(63), **NONE),
    Column("max_attempts", BigInteger, **NONE),
    Column("time_limit_ms", BigInteger, **NONE),
    Column("trace", text_type(128), **NONE),
    Column("worker", text_type(), **NONE),
    Column("progress_done", BigInteger, **NONE),
    Column("progress_total", BigInteger, **NONE),
    Column("progress_sentence", text_type(), **NONE),
    Column("cancel_requested", Boolean, **NONE),
    Column("result", LargeBinary, **NONE),
    Column("created_at", UtcDateTime, **NONE),
    Column("notified_at", UtcDateTime, **NONE),
    Column("started_at", UtcDateTime),
    one_of("state", "queued", "running", "waiting", "succeeded", "dead", "cancelled"),
    Index(None, "due_at"),
    Index("uq_jobs_job_id", "id", unique=True),
    Index(
        "uq_jobs_job_open_dedupe_key",
        "organization_id",
        "dedupe_key",
        unique=True,
        sqlite_where=text(_OPEN_KEY),
        postgresql_where=text(_OPEN_KEY),
    ),
)

_NOT_REMOVED = "state <> 'removed'"
_IS_SEARCHABLE, _IS_SEARCHABLE_IN_POSTGRES = "searchable = 1", "searchable"

DOCUMENT = Table(
    "knowledge_document",
    METADATA,
    organization(),
    Column("key", Uuid, primary_key=True),
    Column("id", text_type(32), **NONE),
    Column("scope", text_type(256), **NONE),
    Column("title", text_type(), **NONE),
    Column("name", text_type(), **NONE),
    Column("source", text_type(), **NONE),
    Column("media_type", text_type(128), **NONE),
    Column("blob", text_type(512), **NONE),
    Column("sha256", text_type(64), **NONE),
    Column("size", BigInteger, **NONE),
    Column("modified_ns", BigInteger, **NONE),
    Column("state", text_type(16), **NONE),
    Column("problem", text_type(), **NONE),
    Column("tags", JsonDocument, **NONE),
    Column("status", text_type(16), **NONE),
    Column("searchable", Boolean, **NONE),
    Column("reviewed_on", Date),
    Column("stale_after_days", BigInteger, **NONE),
    Column("chunks", BigInteger, **NONE),
    Column("characters", BigInteger, **NONE),
    Column("words", BigInteger, **NONE),
    Column("embedded", text_type(256), **NONE),
    Column("details", JsonDocument, **NONE),
    Column("added_at", UtcDateTime, **NONE),
    Column("added_by", text_type(128), **NONE),
    Column("updated_at", UtcDateTime, **NONE),
    Column("version", BigInteger, **NONE),
    UniqueConstraint("organization_id", "id"),
    one_of("state", "pending", "ready", "failed", "removed"),
    Index(None, "organization_id", "scope", "sha256"),
    Index(None, "organization_id", "state", "key"),
    Index(
        "uq_knowledge_document_name",
        "organization_id",
        "scope",
        "name",
        unique=True,
        sqlite_where=text(_NOT_REMOVED),
        postgresql_where=text(_NOT_REMOVED),
    ),
    Index(
        "ix_knowledge_document_searchable",
        "organization_id",
        "scope",
        "words",
        "chunks",
        sqlite_where=text(_IS_SEARCHABLE),
        postgresql_where=text(_IS_SEARCHABLE_IN_POSTGRES),
    ),
)

CHUNK = Table(
    "knowledge_chunk",
    METADATA,
    organization(),
    Column("document", Uuid, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("headings", JsonDocument, **NONE),
    Column("text", text_type(), **NONE),
    Column("start", BigInteger, **NONE),
    Column("end", BigInteger, **NONE),
    Column("terms", text_type(), **NONE),
    Column("labels", text_type(), **NONE),
    Column("names", JsonDocument, **NONE),
    _of_document(),
)

NAME = Table(
    "knowledge_name",
    METADATA,
    organization(),
    Column("name", text_type(512), primary_key=True),
    Column("document", Uuid, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _of_document(),
    Index(None, "organization_id", "document"),
)

VOCABULARY = Table(
    "knowledge_vocabulary",
    METADATA,
    organization(),
    Column("document", Uuid, primary_key=True),
    Column("searchable", Boolean, **NONE),
    Column("terms", text_type(), **NONE),
    _of_document(),
)
"""The words of each document, each once. The lexical index follows it by triggers, for searchable documents alone."""

DERIVED = MetaData()
"""What databases keep by triggers: nobody writes it, and whoever copies the tables leaves it out."""

POSTING = Table(
    "knowledge_posting",
    DERIVED,
    organization(),
    Column("term", text_type(), primary_key=True),
    Column("document", Uuid, primary_key=True),
)
"""The lexical index: which documents hold a word. A table in PostgreSQL, in SQLite a view of an FTS5 index."""
