"""PostgreSQL's errors as a vector store's, by SQLSTATE."""

from __future__ import annotations

import asyncpg

from faultmaven_adapters._support.translate import NETWORK, Row, Table, by_code, says
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.ports.vectors import CollectionMissingError
from faultmaven_core.shared.errors import (
    BackendRefusedError,
    BackendUnavailableError,
    DeadlineExceededError,
    MisconfiguredError,
)

_broken = says(BackendUnavailableError, "{place} cannot be reached: the connection broke or was ended by the server.")
_starting = says(
    BackendRefusedError, "{place} takes no connections now: it is starting, ending, or has no more to give."
)
_race = says(BackendUnavailableError, "{place} broke off: somebody else changes the same records at this moment.")
_unprepared = says(
    MisconfiguredError,
    "{place} is not prepared for vectors, and our user may not do that. Where FM_VECTORS_URL is `pgvector:`, run `fm migrate`; "
    "a database of its own is prepared by whoever uses it first and may: let an administrator run CREATE EXTENSION vector and "
    "GRANT CREATE ON SCHEMA public TO our user.",
)
_pooled = says(
    MisconfiguredError,
    "{place} is behind a pooler that gives each transaction another connection: set FM_DATABASE_POOLER.",
)

_SQLSTATE: dict[str, Row] = {
    "08": _broken,
    "0A000": _unprepared,
    "25006": says(BackendUnavailableError, "{place} takes no changes now: it is a replica, or failing over."),
    "25P03": _broken,
    "26000": _pooled,
    "28": says(AuthenticationError, "{place} refuses the user or the password: look at FM_VECTORS_URL and its key."),
    "3D000": says(MisconfiguredError, "{place} does not exist: create it, or name another one."),
    "40": _race,
    "42501": _unprepared,
    "42704": says(MisconfiguredError, "{place} has no pgvector, or one before 0.8: upgrade the extension."),
    "42883": _unprepared,
    "42P01": says(CollectionMissingError, "{place} does not have this collection any more."),
    "42P05": _pooled,
    "53": _starting,
    "55P03": says(BackendUnavailableError, "{place} is locked by another program; wait for it to end, or end it."),
    "57014": says(DeadlineExceededError, "{place} did not answer in time: a statement took longer than is allowed."),
    "57P": _broken,
    "57P03": _starting,
    "58P01": _unprepared,
}

PGVECTOR_ERRORS: Table = {
    **NETWORK,
    asyncpg.PostgresError: by_code(lambda error: str(getattr(error, "sqlstate", "")), _SQLSTATE),
    asyncpg.InterfaceError: _broken,
    asyncpg.InternalClientError: _broken,
}
"""For everything that the driver raises."""
