"""What all tables are made of: columns that mean the same in both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, DateTime, Dialect, MetaData, String, Text
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


def organization() -> Column[str]:
    """The column that every key begins with."""
    return Column("organization_id", text_type(128), primary_key=True)


def one_of(column: str, *values: str) -> CheckConstraint:
    """The check that lists what a column may hold."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


NONE: dict[str, Any] = {"nullable": False}
"""For columns that always hold something."""
