"""Vectors in Pinecone: a document index for each collection, a namespace for each organization."""

from __future__ import annotations

from faultmaven_adapters.vectors.pinecone.store import PineconeVectorStore

__all__ = ["PineconeVectorStore"]
