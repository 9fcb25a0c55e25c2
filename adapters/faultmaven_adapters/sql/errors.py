"""The database's errors as ours: by SQLite's error names, never by text."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from faultmaven_core.shared.errors import (
    AlreadyExistsError,
    BackendError,
    BackendUnavailableError,
    CorruptDataError,
    FaultMavenError,
    InvalidInputError,
    NotFoundError,
)

_UNAVAILABLE = {
    "SQLITE_BUSY": "is locked by another program; wait for it to end, or end it",
    "SQLITE_LOCKED": "is locked by another program; wait for it to end, or end it",
    "SQLITE_CANTOPEN": "cannot be opened; look at its folder and its permissions",
    "SQLITE_READONLY": "cannot be written to; look at its permissions",
    "SQLITE_PERM": "cannot be opened; look at its permissions",
    "SQLITE_IOERR": "cannot be read or written; look at the disk",
    "SQLITE_FULL": "has no room to grow; free space on the disk",
}
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Raises our errors in place of SQLAlchemy's and SQLite's; `place` says where the database is."""
    try:
        yield
    except exc.TimeoutError as error:
        raise BackendUnavailableError(f"All connections to the database {place} are in use.") from error
    except exc.DBAPIError as error:
        raise ours(error.orig, place) from error
    except sqlite3.Error as error:
        raise ours(error, place) from error
    except (exc.SQLAlchemyError, OSError) as error:
        raise BackendError(f"The database {place} failed; the log has its own words.") from error


def ours(error: BaseException | None, place: str) -> FaultMavenError:
    """The error of ours that says the same."""
    name = getattr(error, "sqlite_errorname", "")
    if name in ("SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_ROWID"):
        # SQLite's own words here are only "UNIQUE constraint failed: table.column, ...": names of ours, no values.
        columns = str(error).rpartition(": ")[2]
        return AlreadyExistsError(f"There is a row with the same {columns} already.")
    if name == "SQLITE_CONSTRAINT_FOREIGNKEY":
        return NotFoundError("What this belongs to does not exist.")
    if name.startswith("SQLITE_CONSTRAINT"):
        return InvalidInputError("The database refuses a value that is not allowed.")
    if name in _DAMAGED:
        return CorruptDataError(f"The database {place} is damaged or no database; restore it or set FM_DATABASE_URL.")
    for code, words in _UNAVAILABLE.items():
        if name == code or name.startswith(f"{code}_"):
            return BackendUnavailableError(f"The database {place} {words}.")
    return BackendError(f"The database {place} failed; the log has its own words.")
