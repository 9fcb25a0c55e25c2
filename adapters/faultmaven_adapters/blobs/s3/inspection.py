"""What the server behind a bucket is, what it can do, and what about it will hurt later."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

from faultmaven_adapters.blobs.s3.bucket import Bucket
from faultmaven_adapters.blobs.s3.upload import MultipartUpload
from faultmaven_core.ports.blobs import AccessDeniedError, BlobExistsError
from faultmaven_core.ports.health import Inspection
from faultmaven_core.shared.errors import NotFoundError, UnsupportedError

MOST_SKEW = 60.0
"""Seconds that clocks may differ; signatures are refused from fifteen minutes on."""
OVERWRITES = (
    "This server does not refuse to overwrite: of two writers that create one key at the same moment, both succeed and the "
    "later one stays. Use a server that knows If-None-Match."
)
CONDITION = {"IfNoneMatch": "*"}


async def writes_conditionally(bucket: Bucket) -> bool:
    """Whether of two creates of one key the second is refused, in one request and in parts."""
    # No key of a blob begins with a dot, so nobody ever lists this one.
    name = f"{bucket.prefix}.probe-{uuid4().hex}"
    try:
        await bucket("put_object", Key=name, Body=b"", **CONDITION)
        return await _refused_alone(bucket, name) and await _refused_in_parts(bucket, name)
    except UnsupportedError:
        return False
    finally:
        await bucket("delete_objects", Delete={"Objects": [{"Key": name}], "Quiet": True})


async def _refused_alone(bucket: Bucket, name: str) -> bool:
    try:
        await bucket("put_object", Key=name, Body=b"", **CONDITION)
    except BlobExistsError:
        return True
    return False


async def _refused_in_parts(bucket: Bucket, name: str) -> bool:
    upload = MultipartUpload(bucket, name, 0)
    try:
        await upload.begin({})
        await upload.add(bytearray(b"x"))
        await upload.complete(CONDITION)
    except BlobExistsError:
        return True
    finally:
        await upload.abort()
    return False


async def inspected(bucket: Bucket, *, conditional: bool) -> Inspection:
    """Product, version, clock and doubtful settings."""
    headers = (await bucket("head_bucket"))["ResponseMetadata"]["HTTPHeaders"]
    product, version = _server(headers.get("server", ""))
    clock = _clock(headers.get("date", ""))
    warnings = [] if conditional else [OVERWRITES]
    if bucket.place.endpoint_url.startswith("http:"):
        warnings.append("Content travels unencrypted: give FM_S3_ENDPOINT_URL an address with https.")
    return Inspection(product, version, clock, (*warnings, *_skew(clock), *await _rules(bucket)))


def _server(header: str) -> tuple[str, str]:
    """`SeaweedFS 8000GB 4.48` or `MinIO/2024`: the first word, and the last one if it has a digit in front."""
    words = header.replace("/", " ").split()
    product = words[0] if words else "unknown"
    return product, words[-1] if len(words) > 1 and words[-1][0].isdigit() else ""


def _clock(header: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(header)
    except ValueError:
        return None
    # Proxies write strange dates; one without a zone says nothing.
    return found if found.tzinfo else None


def _skew(clock: datetime | None) -> list[str]:
    off = abs((datetime.now(UTC) - clock).total_seconds()) if clock else 0.0
    if off <= MOST_SKEW:
        return []
    return [f"Its clock and ours differ by {off:.0f} s; from 900 s on it refuses us. Synchronize both by NTP."]


async def _rules(bucket: Bucket) -> list[str]:
    warnings = []
    lifecycle = await _asked(bucket, "get_bucket_lifecycle_configuration")
    rules = [rule for rule in (lifecycle or {}).get("Rules", ()) if rule.get("Status") == "Enabled"]
    if not any("AbortIncompleteMultipartUpload" in rule for rule in rules):
        warnings.append(
            "No lifecycle rule removes incomplete multipart uploads, or it may not be read: what a killed writer leaves is "
            "paid for until the next sweep. Add one that aborts them after a day."
        )
    versioning = await _asked(bucket, "get_bucket_versioning")
    if (versioning or {}).get("Status") == "Enabled" and not any(
        "NoncurrentVersionExpiration" in rule for rule in rules
    ):
        warnings.append(
            "The bucket keeps old versions, so what is deleted is still there. Add a lifecycle rule that expires "
            "noncurrent versions."
        )
    return warnings


async def _asked(bucket: Bucket, operation: str) -> Any:
    """The answer; None where there is none, the server does not know the question, or we may not ask it."""
    try:
        return await bucket(operation)
    except (NotFoundError, AccessDeniedError, UnsupportedError):
        return None
