"""The databases' errors as ours: by SQLite's error names and PostgreSQL's SQLSTATE, never by text."""

from __future__ import annotations

import re
import sqlite3
from functools import cache
from typing import Any

from sqlalchemy import Index, exc
from sqlalchemy.schema import ColumnCollectionConstraint

from faultmaven_adapters._support.translate import NETWORK, Row, Table, by_code, says, unlisted
from faultmaven_adapters.sql.tables import METADATA
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.shared.errors import (
    AlreadyExistsError,
    BackendUnavailableError,
    ConflictError,
    CorruptDataError,
    DeadlineExceededError,
    FaultMavenError,
    InvalidInputError,
    MisconfiguredError,
    NotFoundError,
    PermissionDeniedError,
    StaleVersionError,
)

_COLUMN = re.compile(r"\w+\.(\w+)")


def _taken(columns: list[str]) -> AlreadyExistsError:
    named = " and ".join(column for column in columns if column != "organization_id") or "key"
    return AlreadyExistsError(f"There is a row with the same {named} already.")


def _taken_in_sqlite(error: Any, _place: str) -> FaultMavenError:
    # SQLite's own words here are only "UNIQUE constraint failed: table.column, ...": names of ours, no values.
    return _taken(_COLUMN.findall(str(error).rpartition(": ")[2]))


_REFUSED = says(InvalidInputError, "{place} refuses a value that is not allowed.")
_ABSENT = says(NotFoundError, "What this belongs to does not exist.")
_LOCKED = says(BackendUnavailableError, "{place} is locked by another program; wait for it to end, or end it.")
_UNWRITABLE = says(BackendUnavailableError, "{place} cannot be written to; look at its permissions.")
_DAMAGED = says(CorruptDataError, "{place} is damaged or no database; restore it or set FM_DATABASE_URL.")

_SQLITE: dict[str, Row] = {
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_CANTOPEN": says(
        BackendUnavailableError, "{place} cannot be opened; look at its folder and its permissions."
    ),
    "SQLITE_READONLY": _UNWRITABLE,
    "SQLITE_PERM": _UNWRITABLE,
    "SQLITE_IOERR": says(BackendUnavailableError, "{place} cannot be read or written; look at the disk."),
    "SQLITE_FULL": says(BackendUnavailableError, "{place} has no room to grow; free space on the disk."),
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_CONSTRAINT": _REFUSED,
    "SQLITE_CONSTRAINT_FOREIGNKEY": _ABSENT,
    "SQLITE_CONSTRAINT_PRIMARYKEY": _taken_in_sqlite,
    "SQLITE_CONSTRAINT_ROWID": _taken_in_sqlite,
    "SQLITE_CONSTRAINT_UNIQUE": _taken_in_sqlite,
}


@cache
def _columns() -> dict[str, list[str]]:
    """The columns of every key by its name, which is all of a refusal that holds no values."""
    keys: dict[str, list[str]] = {}
    for table in METADATA.tables.values():
        for key in (*table.constraints, *table.indexes):
            if isinstance(key, ColumnCollectionConstraint | Index):
                keys[str(key.name)] = [column.name for column in key.columns]
    return keys


def _taken_in_postgres(error: Any, _place: str) -> FaultMavenError:
    return _taken(_columns().get(str(getattr(error.__cause__, "constraint_name", "")), []))


broken = says(BackendUnavailableError, "{place} cannot be reached: the connection broke or was ended by the server.")
_RACE = says(StaleVersionError, "Somebody else changed the same rows of {place} first; read them again.")
_REFUSED_USER = says(
    AuthenticationError, "{place} refuses the user or the password: look at FM_DATABASE_URL and FM_DATABASE_PASSWORD."
)
_NOT_MIGRATED = says(MisconfiguredError, "{place} lacks tables of this release: run `fm migrate`.")
_POOLED = says(
    MisconfiguredError,
    "{place} is behind a pooler that gives each transaction another connection: set FM_DATABASE_POOLER.",
)

FULL = "53300"
READ_ONLY = "25006"

_SQLSTATE: dict[str, Row] = {
    "08": broken,
    "22": _REFUSED,
    "23": _REFUSED,
    "23503": _ABSENT,
    "23505": _taken_in_postgres,
    READ_ONLY: says(BackendUnavailableError, "{place} takes no changes now: it is a replica, or failing over."),
    "25P02": says(ConflictError, "This unit of work has failed; nothing of it is kept."),
    "25P03": broken,
    "26000": _POOLED,
    "28": _REFUSED_USER,
    "3D000": says(MisconfiguredError, "{place} does not exist: create it, or name another one in FM_DATABASE_URL."),
    "40": _RACE,
    "42501": says(PermissionDeniedError, "{place} does not let its user do this; `fm migrate` grants what is needed."),
    "42P01": _NOT_MIGRATED,
    "42703": _NOT_MIGRATED,
    "42P05": _POOLED,
    "53": says(BackendUnavailableError, "{place} has no memory, disk or connections left; look at the server."),
    FULL: says(
        BackendUnavailableError,
        "{place} takes no more connections: lower FM_DATABASE_POOL_SIZE, or raise max_connections.",
    ),
    "54": _REFUSED,
    "55P03": _LOCKED,
    "57014": says(DeadlineExceededError, "{place} did not answer in time: a statement took longer than is allowed."),
    "57P": broken,
}


def _of_driver(error: Any, place: str) -> FaultMavenError:
    """What SQLAlchemy wraps: the driver's error is its `orig`."""
    cause = error.orig
    if isinstance(cause, FaultMavenError):
        return cause
    if isinstance(cause, sqlite3.Error):
        return _by_name(cause, place)
    if getattr(cause, "sqlstate", None):
        return of_postgres(cause, place)
    # A connection that the driver itself found closed has no code.
    lost = getattr(error, "connection_invalidated", False)
    return (broken if lost else unlisted)(error, place)


_by_name = by_code(lambda error: str(getattr(error, "sqlite_errorname", "")), _SQLITE)
of_postgres = by_code(lambda error: str(error.sqlstate), _SQLSTATE)

TABLE: Table = {
    **NETWORK,
    exc.TimeoutError: says(BackendUnavailableError, "All connections to {place} are in use; try again."),
    exc.StatementError: _of_driver,
    sqlite3.Error: _by_name,
    UnicodeError: says(InvalidInputError, "A text holds half of a surrogate pair, which cannot be stored."),
}
"""For everything that SQLAlchemy and its drivers raise."""
