"""One bucket and the driver's clients for it, which are built in a thread at their first use."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.blobs.s3.errors import S3_ERRORS
from faultmaven_core.ports.blobs import BlobKey
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.secret import Secret

END = "!"
"""Ends every name, so that none is a folder of another: several servers keep objects as files. No key has this character,
and it comes before all that keys have, so names are in the order of keys."""
USUAL_REGION = "us-east-1"
"""What look-alikes call themselves when nothing else is said."""


@dataclass(frozen=True, slots=True)
class S3Place:
    """Where a bucket is and how it is spoken to. Without an endpoint it is Amazon's."""

    bucket: str
    prefix: str
    endpoint_url: str
    region: str
    access_key: str
    secret_key: Secret | None
    session_token: Secret | None
    addressing: Literal["auto", "path", "virtual"]
    encryption: Literal["", "AES256", "aws:kms"]
    kms_key_id: str
    public_endpoint_url: str
    ca_file: str
    pool: int
    connect_timeout: float
    read_timeout: float

    def __str__(self) -> str:
        host = urlsplit(self.endpoint_url).hostname
        return f"The bucket {self.bucket}{f' at {host}' if host else ''}"


class Bucket:
    """The driver's calls about one bucket, in threads of their own, with its errors as ours."""

    def __init__(self, place: S3Place) -> None:
        self.place = place
        self.prefix = f"{place.prefix.strip('/')}/".lstrip("/")
        self.calls = BlockingCalls("blobs", place.pool)
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def name(self, key: BlobKey) -> str:
        """A blob's name in the bucket."""
        return f"{self.prefix}{key.text}{END}"

    def key(self, name: str) -> BlobKey | None:
        """The blob with that name; None for what others have put there."""
        text = name.removeprefix(self.prefix)
        try:
            return BlobKey(text.removesuffix(END)) if text.endswith(END) else None
        except InvalidInputError:
            return None

    async def __call__(self, operation: str, /, **request: Any) -> Any:
        """The answer of an operation of the driver's client."""
        return await self.calls(self._answer, operation, request)

    async def presigned(self, seconds: int, **request: Any) -> str:
        """A URL for a GET; a call because credentials may have to be fetched."""
        return await self.calls(self._signed, seconds, request)

    def close(self) -> None:
        """Let all calls come to their end, and release the connections."""
        self.calls.close()
        for client in self._clients.values():
            client.close()

    def _answer(self, operation: str, request: dict[str, Any]) -> Any:
        with translation(S3_ERRORS, str(self.place)):
            client = self._client(self.place.endpoint_url)
            return getattr(client, operation)(Bucket=self.place.bucket, **request)

    def _signed(self, seconds: int, request: dict[str, Any]) -> str:
        with translation(S3_ERRORS, str(self.place)):
            client = self._client(self.place.public_endpoint_url or self.place.endpoint_url)
            parameters = {"Bucket": self.place.bucket, **request}
            url: str = client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)
            return url

    def _client(self, endpoint_url: str) -> Any:
        # Making one is slow and not safe in several threads; using one is both.
        with self._lock:
            if endpoint_url not in self._clients:
                self._clients[endpoint_url] = _client(self.place, endpoint_url)
            return self._clients[endpoint_url]


def _client(place: S3Place, endpoint_url: str) -> Any:
    import boto3
    from botocore.config import Config

    session = boto3.session.Session(
        aws_access_key_id=place.access_key or None,
        aws_secret_access_key=place.secret_key.reveal() if place.secret_key else None,
        aws_session_token=place.session_token.reveal() if place.session_token else None,
        region_name=place.region or None,
    )
    # Look-alikes know fewer checksums than Amazon; SHA-256 of what we send is checked by both, see `S3Upload`.
    checksums: Literal["when_required", "when_supported"] = "when_required" if endpoint_url else "when_supported"
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": place.addressing},
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=place.connect_timeout,
        read_timeout=place.read_timeout,
        max_pool_connections=place.pool,
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
    )
    return session.client(
        "s3",
        endpoint_url=endpoint_url or None,
        region_name=session.region_name or USUAL_REGION,
        verify=place.ca_file or None,
        config=config,
    )
