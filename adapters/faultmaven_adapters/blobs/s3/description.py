"""A blob's description as an object's headers, and back. Metadata there is ASCII, lower-cased and 2 KB at most."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from faultmaven_adapters.blobs.s3.bucket import S3Place
from faultmaven_core.ports.blobs import BlobInfo, BlobKey, checked_description

ATTRIBUTES, CREATED, SHA256, TYPE, WRITER = "attributes", "created", "sha256", "type", "writer"


def described(info: BlobInfo, writer: str, place: S3Place) -> dict[str, Any]:
    """What a request that stores a blob says of it. `writer` marks the one put that it belongs to."""
    # The type twice: one well-known server puts its own guess in place of the most general one.
    metadata = {CREATED: info.created_at.isoformat(), TYPE: info.content_type, WRITER: writer}
    if info.sha256:
        metadata[SHA256] = info.sha256
    if info.attributes:
        metadata[ATTRIBUTES] = checked_description(info.content_type, info.attributes)
    request: dict[str, Any] = {"ContentType": info.content_type, "Metadata": metadata}
    if place.encryption:
        request["ServerSideEncryption"] = place.encryption
    if place.kms_key_id:
        request["SSEKMSKeyId"] = place.kms_key_id
    return request


def info_of(key: BlobKey, answer: Mapping[str, Any]) -> BlobInfo:
    """What an answer says of a blob. What others have put there without our metadata is described as far as it can be."""
    metadata: Mapping[str, str] = answer["Metadata"]
    created = answer["LastModified"].astimezone(UTC)
    with suppress(KeyError, ValueError):
        created = datetime.fromisoformat(metadata[CREATED])
    return BlobInfo(
        key,
        _size(answer),
        metadata.get(SHA256),
        metadata.get(TYPE) or answer.get("ContentType", "application/octet-stream"),
        created,
        dict(parse_qsl(metadata.get(ATTRIBUTES, ""), keep_blank_values=True)),
    )


def _size(answer: Mapping[str, Any]) -> int:
    # Of a range, the length is the range's; "bytes 2-4/10" ends with that of the whole.
    whole = str(answer.get("ContentRange", "")).rpartition("/")[2]
    return int(whole) if whole.isdigit() else int(answer["ContentLength"])
