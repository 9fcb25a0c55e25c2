"""Vectors in a PostgreSQL with the extension pgvector."""

from __future__ import annotations

from faultmaven_adapters.vectors.pgvector.preparation import prepare
from faultmaven_adapters.vectors.pgvector.store import PgVectorStore

__all__ = ["PgVectorStore", "prepare"]
