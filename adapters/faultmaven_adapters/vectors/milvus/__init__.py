"""Vectors in Milvus: a server's, or Milvus Lite in a process of ours."""

from __future__ import annotations

from faultmaven_adapters.vectors.milvus.store import MilvusVectorStore

__all__ = ["MilvusVectorStore"]
