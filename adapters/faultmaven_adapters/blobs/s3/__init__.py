"""Blobs in a bucket of Amazon S3, or of a server that speaks like it."""

from __future__ import annotations

from faultmaven_adapters.blobs.s3.store import S3BlobStore

__all__ = ["S3BlobStore"]
