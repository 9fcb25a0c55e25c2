"""Stores in the tests' bucket, and what stands in it behind a store's back."""

from __future__ import annotations

import atexit
from contextlib import suppress
from functools import cache
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


@cache
def driver(url: str, access_key: str, secret_key: str) -> Any:
    """The bare driver, made once: that takes longer than most tests."""
    import boto3

    session = boto3.session.Session(access_key, secret_key, region_name="us-east-1")
    client = session.client("s3", endpoint_url=url)
    atexit.register(client.close)
    return client


def bare(server: Server) -> Any:
    """The bare driver on a server."""
    return driver(server.url, server.access_key, server.secret_key)


def parts_left(server: Server, prefix: str) -> list[str]:
    """The keys of parts whose uploads were neither completed nor aborted."""
    client = bare(server)
    answer = client.list_multipart_uploads(Bucket=server.bucket, Prefix=prefix)
    uploads = [{"Key": upload["Key"], "UploadId": upload["UploadId"]} for upload in answer.get("Uploads", ())]
    left = []
    for one in uploads:
        with suppress(client.exceptions.NoSuchUpload):  # it ended meanwhile
            left += [one["Key"]] * len(client.list_parts(Bucket=server.bucket, **one).get("Parts", ()))
    return left
