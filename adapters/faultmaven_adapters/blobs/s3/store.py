"""The store: the port's methods as requests about objects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Collection, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import quote
from uuid import uuid4

from faultmaven_adapters._support.endings import Endings
from faultmaven_adapters.blobs.s3.bucket import Bucket, S3Place
from faultmaven_adapters.blobs.s3.description import WRITER, described, info_of
from faultmaven_adapters.blobs.s3.errors import raise_first, status_of, unanswered
from faultmaven_adapters.blobs.s3.inspection import inspected, writes_conditionally
from faultmaven_adapters.blobs.s3.reader import EmptyReader, S3Reader
from faultmaven_adapters.blobs.s3.upload import MultipartUpload, forget_uploads, in_parts, persistently, put_small
from faultmaven_core.ports.blobs import (
    BlobCapability,
    BlobExistsError,
    BlobInfo,
    BlobKey,
    BlobNotFoundError,
    BlobReader,
    BlobStore,
    Intake,
    ListedBlob,
    checked_description,
    checked_expiry,
    checked_range,
)
from faultmaven_core.ports.health import Inspectable, Inspection
from faultmaven_core.shared.batches import batched
from faultmaven_core.shared.errors import (
    AmbiguousError,
    BackendError,
    FaultMavenError,
    InvalidInputError,
    NotFoundError,
)
from faultmaven_core.shared.secret import Secret

MOST_DELETED = 1000
"""Keys that one request may delete."""
ONLY_IF_ABSENT = MappingProxyType({"IfNoneMatch": "*"})
RANGE_BEYOND_THE_END = 416
CLEAN_UP_WAIT = 5.0
"""Seconds for which a caller waits for clean-up after a failure; the clean-up itself goes on."""


class S3BlobStore(BlobStore, Inspectable):
    """See the port.

    Nothing connects before the first call. Without keys the driver's chain finds credentials: environment, web identity,
    shared files, container, instance. Whether two creates of one key are told apart is Amazon's promise; any other
    server is tried at the first create. `patience` is for how many seconds the parts of an upload are sent again.
    """

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "",
        endpoint_url: str = "",
        region: str = "",
        access_key: str = "",
        secret_key: Secret | None = None,
        session_token: Secret | None = None,
        addressing: Literal["auto", "path", "virtual"] = "auto",
        server_side_encryption: Literal["", "AES256", "aws:kms"] = "",
        kms_key_id: str = "",
        public_endpoint_url: str = "",
        ca_file: str = "",
        pool: int = 10,
        connect_timeout: float = 3.0,
        read_timeout: float = 20.0,
        patience: float = 15.0,
    ) -> None:
        self._place = S3Place(
            bucket,
            prefix,
            endpoint_url,
            region,
            access_key,
            secret_key,
            session_token,
            addressing,
            server_side_encryption,
            kms_key_id,
            public_endpoint_url,
            ca_file,
            pool,
            connect_timeout,
            read_timeout,
        )
        self._bucket = Bucket(self._place)
        self._patience = patience
        self._endings = Endings(str(self._place))
        self._tried = not endpoint_url
        self._trying = asyncio.Lock()
        self.capabilities = frozenset({BlobCapability.PRESIGN_GET})
        if self._tried:
            self.capabilities |= {BlobCapability.CONDITIONAL_WRITE}

    async def start(self) -> None:
        """Find out what the server can do. The first put does so itself."""
        async with self._trying:
            if self._tried:
                return
            # Asked before anything is written: one well-known server then makes a bucket that is missing.
            await self.ping()
            if await writes_conditionally(self._bucket):
                self.capabilities |= {BlobCapability.CONDITIONAL_WRITE}
            self._tried = True

    async def put(
        self,
        key: BlobKey,
        chunks: AsyncIterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        attributes: Mapping[str, str] = MappingProxyType({}),
        expected_sha256: str | None = None,
        max_size: int | None = None,
        mode: Literal["create", "replace"] = "create",
    ) -> BlobInfo:
        checked_description(content_type, attributes)
        await self.start()
        condition = await self._condition(key) if mode == "create" else {}
        intake = Intake(expected_sha256, max_size)
        info = BlobInfo(key, 0, expected_sha256, content_type, datetime.now(UTC), dict(attributes))
        writer = uuid4().hex
        async with aclosing(in_parts(chunks, intake)) as parts:
            first, last = await anext(parts)
            if last:
                info = replace(info, size=intake.size, sha256=intake.digest())
                target = {"Key": self._bucket.name(key), **described(info, writer, self._place), **condition}
                await self._settled(put_small(self._bucket, target, first, info.sha256 or ""), key, writer)
                return info
            if condition and await persistently(lambda: self.stat(key), self._patience) is not None:
                raise BlobExistsError(f"{key} is stored already.")
            upload = MultipartUpload(self._bucket, self._bucket.name(key), self._patience)
            try:
                await upload.begin(described(info, writer, self._place))
                await upload.add(first)
                async for part, _ in parts:
                    await upload.add(part)
                info = replace(info, size=intake.size, sha256=intake.digest())
                await self._settled(upload.complete(condition), key, writer)
            except BaseException:
                await self._endings(upload.abort(), wait=CLEAN_UP_WAIT)
                raise
        return info

    @asynccontextmanager
    async def open(self, key: BlobKey, *, start: int = 0, length: int | None = None) -> AsyncIterator[BlobReader]:
        checked_range(start, length)
        opening = asyncio.create_task(self._opened(key, start, length))
        try:
            yield await asyncio.shield(opening)
        finally:
            # Also where the caller was cancelled while the answer was on its way: its connection is given back.
            await self._endings(_released(opening), wait=CLEAN_UP_WAIT)

    async def stat(self, key: BlobKey) -> BlobInfo | None:
        answer = await self._head(key)
        return info_of(key, answer) if answer else None

    async def delete(self, keys: Collection[BlobKey]) -> None:
        for some in batched(keys, MOST_DELETED):
            batch = {"Objects": [{"Key": self._bucket.name(key)} for key in some], "Quiet": True}
            raise_first(await self._bucket("delete_objects", Delete=batch), str(self._place))

    async def list(self, prefix: str, *, after: BlobKey | None = None) -> AsyncIterator[ListedBlob]:
        # Only sweepers list, so this is also the moment to remove what writers left that were killed.
        await forget_uploads(self._bucket)
        page: dict[str, str] = {}
        last: BlobKey | None = None
        while True:
            answer = await self._bucket("list_objects_v2", Prefix=self._bucket.prefix + prefix, **page)
            # Some servers order by folders and not by bytes: within a page that is mended, and beyond it refused. Told
            # where to begin they would leave out what they take for earlier, so this begins at the beginning.
            for blob in sorted(self._listed(answer, prefix), key=lambda blob: blob.key):
                if last is not None and blob.key <= last:
                    raise BackendError(f"{self._place} lists out of order, so nobody can tell what is missing.")
                last = blob.key
                if after is None or blob.key > after:
                    yield blob
            if not answer.get("IsTruncated"):
                return
            page = {"ContinuationToken": answer["NextContinuationToken"]}

    async def presign_get(self, key: BlobKey, *, expires: timedelta, download_name: str | None = None) -> str:
        # Never shown by a browser: what people upload may be a page with a script.
        request = {"Key": self._bucket.name(key), "ResponseContentDisposition": "attachment"}
        if download_name is not None:
            name = quote(download_name, safe="", errors="replace")
            request["ResponseContentDisposition"] += f"; filename*=UTF-8''{name}"
        return await self._bucket.presigned(checked_expiry(expires), **request)

    async def ping(self) -> None:
        await self._bucket("list_objects_v2", Prefix=self._bucket.prefix, MaxKeys=1)

    async def inspect(self) -> Inspection:
        await self.start()
        return await inspected(self._bucket, conditional=BlobCapability.CONDITIONAL_WRITE in self.capabilities)

    async def aclose(self) -> None:
        await self._endings.aclose(wait=CLEAN_UP_WAIT)
        await asyncio.to_thread(self._bucket.close)

    async def _condition(self, key: BlobKey) -> Mapping[str, str]:
        if BlobCapability.CONDITIONAL_WRITE in self.capabilities:
            return ONLY_IF_ABSENT
        if await self.stat(key) is not None:
            raise BlobExistsError(f"{key} is stored already.")
        return {}

    async def _settled(self, commit: Awaitable[None], key: BlobKey, writer: str) -> None:
        """Make it visible; where the answer was lost, find out."""
        try:
            await commit
        except (NotFoundError, BlobExistsError):
            # Possibly the second answer to what we asked twice.
            if not await self._is_from(writer, key):
                raise
        except BackendError as error:
            if not unanswered(error):
                raise
            with suppress(BackendError):
                if await self._is_from(writer, key):
                    return
            raise AmbiguousError(
                f"{self._place} gave no answer while {key} was being stored, and does not say whether it is."
            ) from error

    async def _is_from(self, writer: str, key: BlobKey) -> bool:
        answer = await self._head(key)
        return answer is not None and answer["Metadata"].get(WRITER) == writer

    async def _head(self, key: BlobKey) -> Any:
        try:
            return await self._bucket("head_object", Key=self._bucket.name(key))
        except FaultMavenError as error:
            if status_of(error):
                # The answer to a HEAD has a number and no words; this one says whether it is the bucket or the keys.
                await self.ping()
            if isinstance(error, BlobNotFoundError):
                return None
            raise

    async def _opened(self, key: BlobKey, start: int, length: int | None) -> S3Reader | EmptyReader:
        request = {"Key": self._bucket.name(key)}
        if start or length is not None:
            request["Range"] = f"bytes={start}-{'' if length is None else start + length - 1}"
        if length != 0:
            try:
                answer = await self._bucket("get_object", **request)
            except InvalidInputError as error:
                if status_of(error) != RANGE_BEYOND_THE_END:
                    raise
            else:
                return S3Reader(info_of(key, answer), answer["Body"], self._bucket.calls, str(self._place))
        info = await self.stat(key)
        if info is None:
            raise BlobNotFoundError(f"Nothing is stored under {key}.")
        return EmptyReader(info)

    def _listed(self, answer: Mapping[str, Any], prefix: str) -> Iterator[ListedBlob]:
        for found in answer.get("Contents", ()):
            key = self._bucket.key(found["Key"])
            if key is not None and key.text.startswith(prefix):
                yield ListedBlob(key, found["Size"], found["LastModified"].astimezone(UTC))


async def _released(opening: asyncio.Task[S3Reader | EmptyReader]) -> None:
    with suppress(FaultMavenError):
        await (await opening).release()
