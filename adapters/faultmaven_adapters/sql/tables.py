"""The tables. Names begin with their context; the organization is in every key and every foreign key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
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
)
from sqlalchemy.types import TypeDecorator

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


def _organization() -> Column[str]:
    return Column("organization_id", String(128), primary_key=True)


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _of_case() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organization_id", "case_id"], ["cases_case.organization_id", "cases_case.id"], ondelete="CASCADE"
    )


_NONE: dict[str, Any] = {"nullable": False}

CASE = Table(
    "cases_case",
    METADATA,
    _organization(),
    Column("key", Uuid, primary_key=True),
    Column("id", String(32), **_NONE),
    Column("owner", String(128), **_NONE),
    Column("title", Text, **_NONE),
    Column("question", Text, **_NONE),
    Column("status", String(16), **_NONE),
    Column("verdict", String(32), **_NONE),
    Column("cause", Text, **_NONE),
    Column("mechanism", Text, **_NONE),
    Column("judgement", String(16), **_NONE),
    Column("actual_cause", Text, **_NONE),
    Column("closure_reason", String(32), **_NONE),
    Column("history", JSON, **_NONE),
    Column("records", BigInteger, **_NONE),
    Column("search_text", Text, **_NONE),
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
    Column("case_id", String(32), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, **_NONE),
    Column("sha256", String(64), **_NONE),
    Column("exhibits", LargeBinary, **_NONE),
    _of_case(),
)

JOURNAL = Table(
    "cases_journal",
    METADATA,
    _organization(),
    Column("case_id", String(32), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Uuid, **_NONE),
    Column("at", UtcDateTime, **_NONE),
    Column("actor", String(128), **_NONE),
    Column("kind", String(64), **_NONE),
    Column("detail", JSON, **_NONE),
    Column("previous", String(64), **_NONE),
    Column("digest", String(64), **_NONE),
    UniqueConstraint("organization_id", "case_id", "key"),
    _of_case(),
)

EVIDENCE = Table(
    "evidence_item",
    METADATA,
    _organization(),
    Column("key", Uuid, primary_key=True),
    Column("id", String(32), **_NONE),
    Column("case_id", String(32), **_NONE),
    Column("name", Text, **_NONE),
    Column("role", String(16), **_NONE),
    Column("custody", String(16), **_NONE),
    Column("location", Text, **_NONE),
    Column("blob", String(512), **_NONE),
    Column("size", BigInteger, **_NONE),
    Column("modified_ns", BigInteger, **_NONE),
    Column("sha256", String(64), **_NONE),
    Column("kind", String(64), **_NONE),
    Column("problem", Text, **_NONE),
    Column("sources", JSON, **_NONE),
    Column("added_at", UtcDateTime, **_NONE),
    Column("added_by", String(128), **_NONE),
    Column("version", BigInteger, **_NONE),
    UniqueConstraint("organization_id", "id"),
    _one_of("role", "incident", "baseline"),
    _one_of("custody", "reference", "copy"),
    Index(None, "organization_id", "case_id", "key"),
)

JOB = Table(
    "jobs_job",
    METADATA,
    _organization(),
    Column("id", Uuid, primary_key=True),
    Column("user_id", String(128), **_NONE),
    Column("operation", String(64), **_NONE),
    Column("payload", LargeBinary, **_NONE),
    Column("dedupe_key", Text, **_NONE),
    Column("state", String(16), **_NONE),
    Column("attempts", BigInteger, **_NONE),
    Column("run_at", UtcDateTime, **_NONE),
    Column("lease_until", UtcDateTime),
    Column("token", Uuid),
    Column("error", Text, **_NONE),
    Column("finished_at", UtcDateTime),
    _one_of("state", "queued", "running", "waiting", "succeeded", "dead"),
    Index(None, "state", "run_at"),
)
