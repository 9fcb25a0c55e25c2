"""Brings a database to the newest schema: one program at a time, all steps or none; a file at start and copied before."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.sql.errors import TABLE
from faultmaven_adapters.sql.migrations.head import HEAD
from faultmaven_core.shared.errors import MisconfiguredError
from faultmaven_core.shared.secret import Secret

if TYPE_CHECKING:
    from sqlalchemy import Connection

LOCK_SECONDS = 60
"""How long a start waits for another program that migrates."""


def migrate(path: str) -> None:
    """Make the file, or change its schema, where it is behind; otherwise only look.

    Raises MisconfiguredError where a newer FaultMaven wrote it, BackendUnavailableError or CorruptDataError where it
    cannot be used. A file that held data is copied to `<name>.before-<revision>` first.
    """
    with translation(TABLE, f"The database {path}"):
        if revision(path) == HEAD:
            return
        _make_folder(path)
        # SQLite itself is the lock: it ends with the process that holds it, whatever kills that process.
        with closing(sqlite3.connect(f"{path}.migrating", timeout=LOCK_SECONDS, isolation_level=None)) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            found = revision(path)
            if found == HEAD:
                return
            if found:
                _copy(path, f"{path}.before-{HEAD}")
            _upgrade(path)


def revision(path: str) -> str:
    """The file's revision; empty for a file that is not there or empty."""
    if not Path(path).exists():
        return ""
    with closing(sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)) as connection:
        named = connection.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if named else None
    found = str(row[0]) if row else ""
    if found > HEAD:
        raise MisconfiguredError(
            f"The database {path} was written by a newer FaultMaven (revision {found}, this one knows {HEAD}): upgrade, or "
            "set FM_HOME or FM_DATABASE_URL to another place."
        )
    return found


def _make_folder(path: str) -> None:
    folder = Path(path).parent
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise MisconfiguredError(
            f"The folder {folder} for the database cannot be made ({error.strerror}): set FM_HOME to a folder of yours."
        ) from error
    # Evidence may hold secrets, so what we keep of it is the owner's alone, whatever the umask says.
    Path(path).touch(mode=0o600)


def _copy(path: str, target: str) -> None:
    temporary = f"{target}.part"
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(temporary)) as copy:
        source.backup(copy)
    Path(temporary).chmod(0o600)
    os.replace(temporary, target)  # noqa: PTH105 - one atomic step, no partial copy under the final name


def _upgrade(path: str) -> None:
    # Imported here: most starts find nothing to do, and alembic costs them a fifth of a second.
    from sqlalchemy import URL, create_engine, event

    engine = create_engine(URL.create("sqlite", database=path))

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _entry: object) -> None:
        connection.isolation_level = None

    with engine.connect() as connection:
        # By hand, because the driver would commit before every CREATE TABLE.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        to_head(connection)
        connection.commit()
    engine.dispose()


def to_head(connection: Connection) -> None:
    """Run the revisions that a database lacks, in the transaction that its connection is in."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


async def migrate_postgres(
    url: str, *, app_role: str = "", password: Secret | None = None, startup_wait: float = LOCK_SECONDS
) -> str:
    """Bring a PostgreSQL to the newest schema as the role that owns it; the revision that was found, empty for none.

    `app_role`, the one that the services use, is granted what they need and no more. Of two that migrate at once the second
    waits. Waits `startup_wait` seconds for a server that is starting. Raises MisconfiguredError where there is no such role,
    or a newer FaultMaven migrated it.
    """
    from faultmaven_adapters.sql.postgres_migration import PostgresMigration

    return await PostgresMigration(url, password, app_role).run(startup_wait)
