"""Brings the database that the settings name to the newest schema."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from faultmaven.places import user_of
from faultmaven.tree import Settings
from faultmaven_core.shared.errors import MisconfiguredError


@dataclass(frozen=True, slots=True)
class Migration:
    """Which revision was found (empty for an empty database), and which one it has now."""

    before: str
    after: str


async def migrate_database(settings: Settings) -> Migration:
    """Migrate, after waiting for a server that is starting and for whoever else migrates. Safe to repeat.

    SQLite files are copied first. PostgreSQL is migrated by the owner of FM_DATABASE_MIGRATION_URL, who grants the user of
    FM_DATABASE_URL what the services need, vectors beside the rows included. Raises MisconfiguredError, BackendError.
    """
    from faultmaven_adapters.sql.migrations.head import HEAD

    url = settings.database.url
    if url.scheme == "memory":
        raise MisconfiguredError("FM_DATABASE_URL is memory:, which keeps nothing: there is nothing to migrate.")
    if url.scheme == "sqlite":
        from faultmaven_adapters._support.threads import BlockingCalls
        from faultmaven_adapters.sql.migrate import migrate, revision

        calls = BlockingCalls("migration", 1)
        try:
            before = await calls(revision, url.place)
            await calls(migrate, url.place)
        finally:
            calls.close()
        return Migration(before, HEAD)
    owner = settings.database.migration
    if owner is None:
        raise MisconfiguredError(
            "FM_DATABASE_MIGRATION_URL is not set: name the same database with the user who owns (or shall own) its tables."
        )
    from faultmaven_adapters.sql.migrate import migrate_postgres

    app_role = unquote(user_of(url))
    found = await migrate_postgres(
        owner.place, app_role=app_role, password=owner.password, startup_wait=settings.startup_wait
    )
    vectors = settings.knowledge.vectors
    if vectors.scheme == "pgvector" and not vectors.place:
        from faultmaven_adapters.vectors.pgvector import prepare

        await prepare(owner.place, password=owner.password, app_role=app_role, startup_wait=settings.startup_wait)
    return Migration(found, HEAD)
