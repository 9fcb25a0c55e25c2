"""What SQLite's driver raises, as our errors, by SQLite's own names."""

from __future__ import annotations

import sqlite3

from faultmaven_adapters._support.translate import Row, Table, by_code, says
from faultmaven_core.shared.errors import BackendError, BackendRefusedError, BackendUnavailableError, CorruptDataError

_BUSY = says(BackendRefusedError, "{place} is being written to by another program for a long time.")
_DAMAGED = says(CorruptDataError, "{place} is damaged or no file of vectors: restore it, or remove it and reindex.")
_UNWRITABLE = says(BackendError, "{place} cannot be written to: look at its permissions.")

_NAMES: dict[str, Row] = {
    "SQLITE_BUSY": _BUSY,
    "SQLITE_LOCKED": _BUSY,
    "SQLITE_CANTOPEN": says(BackendError, "{place} cannot be opened: look at its folder and its permissions."),
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_FULL": says(BackendUnavailableError, "{place} has no room to grow: free space on the disk."),
    "SQLITE_IOERR": says(BackendUnavailableError, "{place} cannot be read or written: look at the disk."),
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_PERM": _UNWRITABLE,
    "SQLITE_READONLY": _UNWRITABLE,
}

TABLE: Table = {
    OSError: says(BackendError, "{place} cannot be opened: look at its folder and its permissions."),
    sqlite3.Error: by_code(lambda error: str(getattr(error, "sqlite_errorname", "")), _NAMES),
}
