"""Stores in the tests' bucket, and what stands in it behind a store's back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from faultmaven_adapters.blobs.s3 import S3BlobStore
from faultmaven_contract_tests.servers import Server
from faultmaven_core.shared.secret import Secret


def fresh_prefix() -> str:
    """A part of the bucket for one test alone."""
    return f"test-{uuid4().hex}"


def s3_store(server: Server, **options: Any) -> S3BlobStore:
    """A store in the server's bucket."""
    known = {
        "bucket": server.bucket,
        "endpoint_url": server.url,
        "access_key": server.access_key,
        "secret_key": Secret(server.secret_key),
        "read_timeout": 10.0,
    }
    return S3BlobStore(**{**known, **options})


@contextmanager
def driver(server: Server) -> Iterator[Any]:
    """The bare driver on the same server."""
    import boto3

    session = boto3.session.Session(server.access_key, server.secret_key, region_name="us-east-1")
    client = session.client("s3", endpoint_url=server.url)
    try:
        yield client
    finally:
        client.close()


def unfinished(server: Server, prefix: str) -> list[str]:
    """The keys of uploads that were begun and neither completed nor aborted."""
    with driver(server) as client:
        answer = client.list_multipart_uploads(Bucket=server.bucket, Prefix=prefix)
    return [upload["Key"] for upload in answer.get("Uploads", ())]
