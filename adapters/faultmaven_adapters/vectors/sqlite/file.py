"""The SQLite file of vectors: its tables, and what is asked of them. Everything here blocks, and is called in a thread."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faultmaven_adapters.vectors.sqlite.filters import Parameters, condition, stored_values
from faultmaven_adapters.vectors.sqlite.likeness import BLOCK_ROWS, Block, Keys
from faultmaven_core.ports.vector_fields import FieldValue
from faultmaven_core.ports.vector_filters import Filter
from faultmaven_core.ports.vectors import CollectionMissingError, CollectionName, Embedding, VectorId, VectorRecord
from faultmaven_core.shared.errors import CorruptDataError, InvalidInputError, MisconfiguredError
from faultmaven_core.shared.ids import OrganizationId

_FORMAT = 1
_PRAGMAS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL")
# Keys and scopes are never used twice: what another process holds in memory under one stays what it is.
_TABLES = """
CREATE TABLE collections (collection TEXT PRIMARY KEY, spec TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE scopes (
    scope INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, organization TEXT NOT NULL,
    records INTEGER NOT NULL DEFAULT 0, removals INTEGER NOT NULL DEFAULT 0, UNIQUE (collection, organization));
CREATE TABLE records (
    key INTEGER PRIMARY KEY AUTOINCREMENT, scope INTEGER NOT NULL, id TEXT NOT NULL, fields TEXT NOT NULL,
    UNIQUE (scope, id));
CREATE INDEX records_by_key ON records (scope);
CREATE TABLE vectors (key INTEGER PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE field_values (
    scope INTEGER NOT NULL, field TEXT NOT NULL, value NOT NULL, key INTEGER NOT NULL,
    PRIMARY KEY (scope, field, value, key)) WITHOUT ROWID;
CREATE INDEX field_values_by_key ON field_values (key);
"""


class VectorFile:
    """One connection to the file, opened when it is first needed. Writers wait `patience` seconds for each other."""

    def __init__(self, path: Path, patience: float) -> None:
        self._path, self._patience = path, patience
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def transaction(self, kind: str = "DEFERRED") -> Iterator[sqlite3.Connection]:
        """All that is done inside, or nothing. Of kind IMMEDIATE there is one at a time; the others see one moment."""
        connection = self._connection = self._connection or _opened(self._path, self._patience)
        connection.execute(f"BEGIN {kind}")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            # Some failures have ended it already.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Closing twice is no error."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _opened(path: Path, patience: float) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma).close()
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found == 0:
        for statement in _TABLES.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_FORMAT}")
    connection.execute("COMMIT")
    if found > _FORMAT:
        raise MisconfiguredError(f"{path} was written by a newer release: run that one, or name another file.")


def spec_of(connection: sqlite3.Connection, name: CollectionName) -> str | None:
    """What `add_collection` was given."""
    row = connection.execute("SELECT spec FROM collections WHERE collection = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def add_collection(connection: sqlite3.Connection, name: CollectionName, spec: str) -> None:
    """Note a collection; one that is there stays as it is."""
    connection.execute("INSERT OR IGNORE INTO collections VALUES (?, ?)", (name, spec))


def remove_collection(connection: sqlite3.Connection, name: CollectionName) -> None:
    """Remove it with all its scopes."""
    scopes = connection.execute("SELECT scope FROM scopes WHERE collection = ?", (name,)).fetchall()
    for (scope,) in scopes:
        remove(connection, scope, keys_meeting(connection, scope, None).tolist())
    connection.execute("DELETE FROM scopes WHERE collection = ?", (name,))
    connection.execute("DELETE FROM collections WHERE collection = ?", (name,))


@dataclass(frozen=True, slots=True)
class KnownScope:
    """A scope that something was written to: its number, its records, and how often some were removed."""

    number: int
    records: int
    removals: int


def scope_of(connection: sqlite3.Connection, name: CollectionName, organization: OrganizationId) -> KnownScope | None:
    """What is known of a scope; None where nothing was written to it yet."""
    row = connection.execute(
        "SELECT scope, records, removals FROM scopes WHERE collection = ? AND organization = ?", (name, organization)
    ).fetchone()
    if row is None and spec_of(connection, name) is None:
        raise CollectionMissingError(f"There is no collection {name}.")
    return None if row is None else KnownScope(*row)


def made_scope(connection: sqlite3.Connection, name: CollectionName, organization: OrganizationId) -> int:
    """The number of a scope, given to it now where it has none."""
    known = scope_of(connection, name, organization)
    if known is not None:
        return known.number
    made = connection.execute("INSERT INTO scopes (collection, organization) VALUES (?, ?)", (name, organization))
    return int(made.lastrowid or 0)


def add(connection: sqlite3.Connection, scope: int, records: Sequence[VectorRecord]) -> None:
    """Insert records; none with their ids is there."""
    vectors, values = [], []
    for record in records:
        fields = json.dumps(dict(record.fields), ensure_ascii=False, separators=(",", ":"))
        inserted = connection.execute(
            "INSERT INTO records (scope, id, fields) VALUES (?, ?, ?)", (scope, record.id, fields)
        )
        vectors.append((inserted.lastrowid, memoryview(record.vector.values).cast("B")))
        values += [
            (scope, field, value, inserted.lastrowid)
            for field, several in record.fields.items()
            for value in stored_values(several)
        ]
    connection.executemany("INSERT INTO vectors VALUES (?, ?)", vectors)
    connection.executemany("INSERT INTO field_values VALUES (?, ?, ?, ?)", values)
    connection.execute("UPDATE scopes SET records = records + ? WHERE scope = ?", (len(records), scope))


def remove(connection: sqlite3.Connection, scope: int, keys: Sequence[int]) -> None:
    """Delete records."""
    if not keys:
        return
    these = (json.dumps(keys),)
    for table in ("field_values", "vectors", "records"):
        statement = f"DELETE FROM {table} WHERE key IN (SELECT value FROM json_each(?))"  # noqa: S608 - names of ours
        connection.execute(statement, these)
    connection.execute(
        "UPDATE scopes SET records = records - ?, removals = removals + 1 WHERE scope = ?", (len(keys), scope)
    )


def keys_of(connection: sqlite3.Connection, scope: int, ids: Iterable[VectorId]) -> list[int]:
    """The keys of the records that there are."""
    return [
        key
        for (key,) in connection.execute(
            "SELECT key FROM records WHERE scope = ? AND id IN (SELECT value FROM json_each(?))",
            (scope, json.dumps(list(ids))),
        )
    ]


def keys_meeting(connection: sqlite3.Connection, scope: int, where: Filter | None) -> Keys:
    """The keys of the records that meet the filter, ascending."""
    text, parameters = _where(scope, where)
    rows = connection.execute(f"SELECT key FROM records WHERE {text} ORDER BY key", parameters)  # noqa: S608 - as there
    return np.fromiter((key for (key,) in rows), np.int64)


def count(connection: sqlite3.Connection, scope: int, where: Filter) -> int:
    """How many records meet the filter."""
    text, parameters = _where(scope, where)
    (found,) = connection.execute(f"SELECT count(*) FROM records WHERE {text}", parameters).fetchone()  # noqa: S608 - as there
    return int(found)


def _where(scope: int, where: Filter | None) -> tuple[str, Parameters]:
    if where is None:
        return "scope = ?", [scope]
    text, parameters = condition(where, scope)
    return f"scope = ? AND {text}", [scope, *parameters]


def blocks(
    connection: sqlite3.Connection, scope: int, dimension: int, *, above: int = 0, asked: Keys | None = None
) -> Iterator[Block]:
    """A scope's vectors in the order of their keys, those above one; only the asked ones where that is given."""
    if asked is None:
        rows = connection.execute(
            "SELECT r.key, v.vector FROM records r INDEXED BY records_by_key JOIN vectors v ON v.key = r.key"
            " WHERE r.scope = ? AND r.key > ? ORDER BY r.key",
            (scope, above),
        )
    else:
        rows = connection.execute(
            "SELECT v.key, v.vector FROM json_each(?) k JOIN vectors v ON v.key = k.value ORDER BY k.key",
            (json.dumps(asked.tolist()),),
        )
    while some := rows.fetchmany(BLOCK_ROWS):
        keys = np.fromiter((key for key, _ in some), np.int64, len(some))
        content = b"".join(vector for _, vector in some)
        if len(content) != len(some) * dimension * 4:
            raise CorruptDataError("The file of vectors is damaged: a vector has the wrong length.")
        yield Block(keys, np.frombuffer(content, np.float32).reshape(len(some), dimension))


def hydrated(connection: sqlite3.Connection, keys: Sequence[int]) -> dict[int, tuple[VectorId, dict[str, FieldValue]]]:
    """Ids and fields by key."""
    rows = connection.execute(
        "SELECT key, id, fields FROM records WHERE key IN (SELECT value FROM json_each(?))", (json.dumps(keys),)
    )
    return {key: (VectorId(found), _fields(text)) for key, found, text in rows}


def records_of(connection: sqlite3.Connection, keys: Sequence[int]) -> list[VectorRecord]:
    """Whole records."""
    rows = connection.execute(
        "SELECT r.id, v.vector, r.fields FROM records r JOIN vectors v ON v.key = r.key"
        " WHERE r.key IN (SELECT value FROM json_each(?))",
        (json.dumps(keys),),
    )
    return [VectorRecord(VectorId(found), _vector(content), _fields(text)) for found, content, text in rows]


def page(connection: sqlite3.Connection, scope: int, above: int, size: int) -> list[tuple[int, VectorId]]:
    """Keys and ids in the order of the keys, those above one."""
    rows = connection.execute(
        "SELECT key, id FROM records WHERE scope = ? AND key > ? ORDER BY key LIMIT ?", (scope, above, size)
    )
    return [(key, VectorId(found)) for key, found in rows]


def _vector(content: bytes) -> Embedding:
    try:
        return Embedding.of(array("f", content))
    except (ValueError, InvalidInputError) as error:
        raise CorruptDataError("The file of vectors is damaged: a vector has the wrong length or none.") from error


def _fields(text: str) -> dict[str, FieldValue]:
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise CorruptDataError("The file of vectors is damaged: the fields of a record cannot be read.") from error
    return {field: tuple(value) if isinstance(value, list) else value for field, value in fields.items()}
