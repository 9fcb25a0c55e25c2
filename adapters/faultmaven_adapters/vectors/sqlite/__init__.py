"""Vectors in one SQLite file, compared exactly: what needs no server and no extension."""

from __future__ import annotations

from faultmaven_adapters.vectors.sqlite.store import SqliteVectorStore

__all__ = ["SqliteVectorStore"]
