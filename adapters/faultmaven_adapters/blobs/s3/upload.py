"""Getting one blob into a bucket: small ones by one request, larger ones in parts, of which few are in memory."""

from __future__ import annotations

import asyncio
import base64
import random
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from faultmaven_adapters.blobs.s3.bucket import Bucket
from faultmaven_adapters.blobs.s3.errors import unanswered
from faultmaven_core.ports.blobs import Intake
from faultmaven_core.shared.backoff import delay
from faultmaven_core.shared.errors import BackendError, BackendRefusedError, NotFoundError

T = TypeVar("T")

PART = 8 << 20
"""Bytes of the first parts, and the most that one request takes alone."""
SAME_PARTS = 500
"""Parts of one size, after which it doubles up to the largest: 10,000 parts then hold over 5 TiB."""
LARGEST_PART = 1 << 30
IN_FLIGHT = 2
"""Parts on their way while the next one fills; more is faster on an idle server, and costs memory on every one."""

FIRST_DELAY = 0.2
LONGEST_DELAY = 5.0
ABORT_PATIENCE = 60.0
"""Seconds for which giving up is tried again; then the parts stay until a listing finds them."""
FORGET_AFTER = timedelta(hours=24)
"""Age at which an upload that nobody has ended counts as left behind."""


def part_size(number: int) -> int:
    """Bytes of the part with this number, from 1 on."""
    return min(LARGEST_PART, PART << (number - 1) // SAME_PARTS)


async def in_parts(chunks: AsyncIterable[bytes], intake: Intake) -> AsyncGenerator[tuple[bytearray, bool], None]:
    """The content in parts of the sizes above, and whether one is the last; only the last may be smaller, or empty."""
    number, part = 1, bytearray()
    async for chunk in chunks:
        intake.take(chunk)
        rest = memoryview(chunk)
        while len(part) + len(rest) > part_size(number):
            fitting = part_size(number) - len(part)
            part += rest[:fitting]
            rest = rest[fitting:]
            yield part, False
            number, part = number + 1, bytearray()
        part += rest
    yield part, True


async def persistently(
    attempt: Callable[[], Awaitable[T]],
    patience: float,
    *,
    repeatable: tuple[type[BackendError], ...] = (BackendError,),
    wanted: Callable[[], bool] = lambda: True,
) -> T:
    """Repeat what fails and may be repeated until `patience` seconds are over, or the answer is not wanted any more.

    Done here and not by whoever called `put`: the parts are here, and their source cannot be read twice.
    """
    end, tries = time.monotonic() + patience, 0
    lost: BackendError | None = None
    while True:
        try:
            return await attempt()
        except BackendError as error:
            # What got no answer may have happened, whatever a later attempt met.
            lost = lost or (error if unanswered(error) else None)
            if not isinstance(error, repeatable) or not error.retryable or time.monotonic() > end or not wanted():
                raise lost or error from (lost or error).__cause__
        tries += 1
        await asyncio.sleep(delay(tries, base=FIRST_DELAY, cap=LONGEST_DELAY, chance=random.random))


async def put_small(bucket: Bucket, target: Mapping[str, Any], content: bytearray, sha256: str) -> None:
    """Store the content by one request, checked by the server."""
    checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
    await bucket("put_object", Body=content, ChecksumSHA256=checksum, **target)


class MultipartUpload:
    """An upload in parts. Whoever began one ends it by `complete` or `abort`."""

    def __init__(self, bucket: Bucket, name: str, patience: float) -> None:
        self._bucket, self._name, self._patience = bucket, name, patience
        self._begun: asyncio.Task[str] | None = None
        self._flying: deque[asyncio.Task[dict[str, Any]]] = deque()
        self._arrived: list[dict[str, Any]] = []
        self._ended = False

    async def begin(self, description: Mapping[str, Any]) -> None:
        """Announce the upload."""
        self._begun = asyncio.create_task(self._begin(description))
        # Who is cancelled here still has to end what begins.
        await asyncio.shield(self._begun)

    async def add(self, part: bytearray) -> None:
        """Send the next part; waits until fewer are on their way than may be."""
        while len(self._flying) >= IN_FLIGHT:
            await self._land()
        number = len(self._arrived) + len(self._flying) + 1
        self._flying.append(asyncio.create_task(self._send(number, part)))

    async def complete(self, condition: Mapping[str, str]) -> None:
        """Make the blob visible."""
        while self._flying:
            await self._land()
        await persistently(
            lambda: self._bucket(
                "complete_multipart_upload", **self._mine(), MultipartUpload={"Parts": self._arrived}, **condition
            ),
            self._patience,
        )

    async def abort(self) -> None:
        """Give up: no part stays. Waits for those on their way, which would otherwise arrive afterwards."""
        self._ended = True
        if self._begun is None:
            return
        await asyncio.gather(self._begun, *self._flying, return_exceptions=True)
        if self._begun.exception() is None:
            await persistently(lambda: abort_upload(self._bucket, self._mine()), ABORT_PATIENCE)

    def _mine(self) -> dict[str, str]:
        return {"Key": self._name, "UploadId": self._begun.result() if self._begun else ""}

    async def _begin(self, description: Mapping[str, Any]) -> str:
        answer = await persistently(
            lambda: self._bucket("create_multipart_upload", Key=self._name, **description),
            self._patience,
            # One that got no answer may have begun an upload that nobody can end: there shall be no second one.
            repeatable=(BackendRefusedError,),
            wanted=lambda: not self._ended,
        )
        return str(answer["UploadId"])

    async def _land(self) -> None:
        # Looked at before it is taken away: who is cancelled here must still find it in flight.
        self._arrived.append(await asyncio.shield(self._flying[0]))
        self._flying.popleft()

    async def _send(self, number: int, part: bytearray) -> dict[str, Any]:
        answer = await persistently(
            lambda: self._bucket("upload_part", **self._mine(), PartNumber=number, Body=part),
            self._patience,
            wanted=lambda: not self._ended,
        )
        return {"PartNumber": number, "ETag": answer["ETag"]}


async def abort_upload(bucket: Bucket, upload: Mapping[str, str]) -> None:
    """Remove the parts of an upload; one that has ended is no error."""
    with suppress(NotFoundError):
        await bucket("abort_multipart_upload", **upload)


async def forget_uploads(bucket: Bucket) -> None:
    """Remove what writers left that were killed."""
    before = datetime.now(UTC) - FORGET_AFTER
    page: dict[str, str] = {}
    while True:
        answer = await bucket("list_multipart_uploads", Prefix=bucket.prefix, **page)
        for upload in answer.get("Uploads", ()):
            if upload["Initiated"] < before:
                await abort_upload(bucket, {"Key": upload["Key"], "UploadId": upload["UploadId"]})
        if not answer.get("IsTruncated"):
            return
        page = {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]}
