"""Vectors in Chroma: in a folder of this machine, or in a server."""

from __future__ import annotations

from faultmaven_adapters.vectors.chroma.store import ChromaVectorStore

__all__ = ["ChromaVectorStore"]
