"""The tables. Names begin with their context; the organization is in every key and every foreign key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from faultmaven_core.shared.errors import InvalidInputError

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware moments in UTC. SQLite would drop an offset and keep the digits: a wrong instant without an error."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise InvalidInputError("A time without a zone cannot be stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def text_type(length: int | None = None) -> TypeEngine[str]:
    """Text in the order of its bytes, as SQLite has it, whatever the collation of a PostgreSQL database is."""
    kind = String if length else Text
    return kind(length).with_variant(kind(length, collation="C"), "postgresql")


class JsonDocument(TypeDecorator[Any]):
    """JSON; on PostgreSQL in the form that it can search in."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(JSON())
        # Here, because a start on SQLite should not pay a twentieth of a second for another database's dialect.
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB())


def _organization() -> Column[str]:
    return Column("organization_id", text_type(128), primary_key=True)


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _of_case() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", "case_id"], ["cases_case.organization_id", "cases_case.id"], ondelete="CASCADE"
    )


_NONE: dict[str, Any] = {"nullable": False}

_OPEN_KEY = "dedupe_key <> '' AND due_at IS NOT NULL"

CASE = Table(
    "cases_case",
    METADATA,
    _organization(),
    Column("key", Uuid, primary_key=True),
    Column("id", text_type(32), **_NONE),
    Column("owner", text_type(128), **_NONE),
    Column("title", text_type(), **_NONE),
    Column("question", text_type(), **_NONE),
    Column("status", text_type(16), **_NONE),
    Column("verdict", text_type(32), **_NONE),
    Column("cause", text_type(), **_NONE),
    Column("mechanism", text_type(), **_NONE),
    Column("judgement", text_type(16), **_NONE),
    Column("actual_cause", text_type(), **_NONE),
    Column("closure_reason", text_type(32), **_NONE),
    Column("history", JsonDocument, **_NONE),
    Column("records", BigInteger, **_NONE),
    Column("search_text", text_type(), **_NONE),
    Column("created_at", UtcDateTime, **_NONE),
    Column("updated_at", UtcDateTime, **_NONE),
    Column("closed_at", UtcDateTime),
    Column("version", BigInteger, **_NONE),
    UniqueConstraint("organization_id", "id"),
    _one_of("status", "inquiry", "investigating", "resolved", "closed"),
    _one_of("judgement", "", "confirmed", "rejected"),
    Index(None, "organization_id", "status", "updated_at"),
)

RECORD = Table(
    "cases_record",
    METADATA,
    _organization(),
    Column("case_id", text_type(32), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, **_NONE),
    Column("sha256", text_type(64), **_NONE),
    Column("exhibits", LargeBinary, **_NONE),
    _of_case(),
)

JOURNAL = Table(
    "cases_journal",
    METADATA,
    _organization(),
    Column("case_id", text_type(32), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Uuid, **_NONE),
    Column("at", UtcDateTime, **_NONE),
    Column("actor", text_type(128), **_NONE),
    Column("kind", text_type(64), **_NONE),
    Column("detail", JsonDocument, **_NONE),
    Column("previous", text_type(64), **_NONE),
    Column("digest", text_type(64), **_NONE),
    UniqueConstraint("organization_id", "case_id", "key"),
    _of_case(),
)

EVIDENCE = Table(
    "evidence_item",
    METADATA,
    _organization(),
    Column("key", Uuid, primary_key=True),
    Column("id", text_type(32), **_NONE),
    Column("case_id", text_type(32), **_NONE),
    Column("name", text_type(), **_NONE),
    Column("role", text_type(16), **_NONE),
    Column("custody", text_type(16), **_NONE),
    Column("location", text_type(), **_NONE),
    Column("blob", text_type(512), **_NONE),
    Column("size", BigInteger, **_NONE),
    Column("modified_ns", BigInteger, **_NONE),
    Column("sha256", text_type(64), **_NONE),
    Column("kind", text_type(64), **_NONE),
    Column("problem", text_type(), **_NONE),
    Column("sources", JsonDocument, **_NONE),
    Column("added_at", UtcDateTime, **_NONE),
    Column("added_by", text_type(128), **_NONE),
    Column("version", BigInteger, **_NONE),
    UniqueConstraint("organization_id", "id"),
    _one_of("role", "incident", "baseline"),
    _one_of("custody", "reference", "copy"),
    Index(None, "organization_id", "case_id", "key"),
)

ANSWER = Table(
    "commands_answer",
    METADATA,
    _organization(),
    Column("user_id", text_type(128), primary_key=True),
    Column("request_key", text_type(256), primary_key=True),
    Column("command", text_type(64), **_NONE),
    Column("answer", LargeBinary, **_NONE),
    Column("at", UtcDateTime, **_NONE),
    Index(None, "organization_id", "at"),
)

JOB = Table(
    "jobs_job",
    METADATA,
    _organization(),
    Column("id", Uuid, primary_key=True),
    Column("user_id", text_type(128), **_NONE),
    Column("operation", text_type(64), **_NONE),
    Column("payload", LargeBinary, **_NONE),
    Column("dedupe_key", text_type(), **_NONE),
    Column("state", text_type(16), **_NONE),
    Column("attempts", BigInteger, **_NONE),
    Column("token", Uuid),
    Column("error", text_type(), **_NONE),
    Column("finished_at", UtcDateTime),
    Column("due_at", UtcDateTime),
    Column("queue", text_type(63), **_NONE),
    Column("max_attempts", BigInteger, **_NONE),
    Column("time_limit_ms", BigInteger, **_NONE),
    Column("trace", text_type(128), **_NONE),
    Column("worker", text_type(), **_NONE),
    Column("progress_done", BigInteger, **_NONE),
    Column("progress_total", BigInteger, **_NONE),
    Column("progress_sentence", text_type(), **_NONE),
    Column("cancel_requested", Boolean, **_NONE),
    Column("result", LargeBinary, **_NONE),
    Column("created_at", UtcDateTime, **_NONE),
    Column("notified_at", UtcDateTime, **_NONE),
    Column("started_at", UtcDateTime),
    _one_of("state", "queued", "running", "waiting", "succeeded", "dead", "cancelled"),
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
