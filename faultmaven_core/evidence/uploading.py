"""Room for files on their way in, and files that come in several requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from faultmaven_core.analysis.model import Role
from faultmaven_core.evidence import commands as c
from faultmaven_core.evidence.custody import EvidenceDesk
from faultmaven_core.evidence.ports import CaseDirectory, EvidenceUnits
from faultmaven_core.evidence.uploads import Quota, Upload, checked_details, checked_digest, grown, upload_id
from faultmaven_core.ports.blobs import BlobTooLargeError
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
    StaleVersionError,
    TooLargeError,
)
from faultmaven_core.shared.file_names import file_name
from faultmaven_core.shared.ids import CaseId, Ids
from faultmaven_core.shared.text import choice

LIFE = timedelta(hours=24)
"""How long an upload may take from its beginning."""

STEP = 64 << 20
"""Bytes that are kept free at a time for content whose length nobody told."""

MOST_SWEPT = 100

MOST_PARTS = 10_000
"""All are named in one row, which is written again with each."""


@dataclass(frozen=True, slots=True)
class BeginUpload:
    """Begin to send a file of `size` bytes in as many parts as it takes. `sha256` is checked when all of it is here."""

    case_id: str
    name: str
    size: int
    role: str = "incident"
    sha256: str = ""
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NameUpload:
    """An upload of the caller's."""

    case_id: str
    upload_id: str


@dataclass(frozen=True, slots=True)
class UploadView:
    """An upload: `offset` of its `size` bytes are here. `evidence` is what it became, None until all of it is here."""

    upload_id: str
    case_id: str
    name: str
    size: int
    offset: int
    expires_at: datetime
    evidence: c.EvidenceView | None = None


class Room:
    """Bytes that are kept free for one upload; grows where more comes than was told."""

    def __init__(self, uploads: Uploads, upload: Upload | None) -> None:
        self._uploads, self.upload = uploads, upload
        self._taken = 0

    async def taking(self, chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        """The content, as long as there is room for it. Raises QuotaExceededError."""
        async for chunk in chunks:
            self._taken += len(chunk)
            if self.upload is not None and self._taken > self.upload.size:
                self.upload = await self._uploads.widened(self.upload, self._taken)
            yield chunk


Keep = Callable[[c.AddContent, AsyncIterable[bytes], Caller, Room], Awaitable[c.EvidenceView]]
"""Makes evidence of what comes, and gives the room for it back with the same commit."""


class Uploads:
    """Keeps room by quota, and what has come of files that are sent in parts."""

    def __init__(
        self,
        units: EvidenceUnits,
        cases: CaseDirectory,
        desk: EvidenceDesk,
        quota: Quota,
        clock: Clock,
        ids: Ids,
        keep: Keep,
    ) -> None:
        self._units, self._cases, self._desk, self._quota = units, cases, desk, quota
        self._clock, self._ids, self._keep = clock, ids, keep

    @asynccontextmanager
    async def room(self, command: c.AddContent, caller: Caller) -> AsyncIterator[Room]:
        """Room for content that comes at once, given back afterwards. Raises QuotaExceededError."""
        if not self._quota.limited:
            yield Room(self, None)
            return
        upload = await self._reserve(self._upload(command, max(command.size, 0), caller))
        room = Room(self, upload)
        try:
            yield room
        finally:
            # Also where all went well: an answer that is given a second time has stored nothing.
            await asyncio.shield(self._forget(upload))

    async def widened(self, upload: Upload, size: int) -> Upload:
        """Keep room for `size` bytes, and a step more where there is. Raises QuotaExceededError."""
        async with self._units(upload.organization) as unit:
            held = await unit.uploads.held(upload.owner)
            self._quota.check(held, size - upload.size)
            now = await unit.uploads.get(upload.id)
            wide = upload.size + min(size - upload.size + STEP, self._quota.left(held))
            await unit.uploads.save(replace(now, size=wide))
            await unit.commit()
        return replace(now, size=wide, version=now.version + 1)

    async def begin(self, command: BeginUpload, caller: Caller) -> UploadView:
        """Keep room for a file. Raises TooLargeError, QuotaExceededError."""
        await self._cases.require_open(command.case_id, caller)
        if command.size < 0:
            raise InvalidInputError("A file has no negative size.", fields={"size": "out of range"})
        if command.size > self._desk.most_copied:
            raise TooLargeError(f"The file is over {self._desk.most_copied:,} bytes, which is the most that is taken.")
        content = c.AddContent(
            command.case_id, command.name, command.role, "file_upload", 0, command.details, command.sha256
        )
        upload = self._upload(content, command.size, caller)
        return _view(await self._reserve(replace(upload, resumable=True)))

    async def show(self, command: NameUpload, caller: Caller) -> UploadView:
        """How much of it is here. Raises NotFoundError, for another user's too."""
        return _view(await self._get(command, caller))

    async def receive(
        self, command: NameUpload, offset: int, chunks: AsyncIterable[bytes], caller: Caller
    ) -> UploadView:
        """Take a part that begins at `offset`; with the last one the file becomes evidence. An empty one changes nothing.

        Raises ConflictError where it begins elsewhere than what is here ends, TooLargeError where it goes beyond the end,
        PreconditionFailedError after MOST_PARTS, and InvalidInputError where the whole is not what was announced: then
        nothing of it stays.
        """
        upload = await self._get(command, caller)
        if offset != upload.received:
            raise ConflictError(f"The upload stands at byte {upload.received}, not at {offset}: go on from there.")
        if not upload.whole:
            upload = await self._grow(upload, chunks)
        if not upload.whole:
            return _view(upload)
        return replace(_view(upload), evidence=await self._finish(upload, caller))

    async def drop(self, command: NameUpload, caller: Caller) -> None:
        """Give an upload up; nothing of it stays. Raises NotFoundError."""
        await self._forget(await self._get(command, caller))

    async def sweep(self, caller: Caller) -> int:
        """Give up uploads that took too long, and parts that no upload names; how many blobs went."""
        before, gone = self._clock.now() - LIFE, 0
        while True:
            async with self._units(caller.organization, read_only=True) as unit:
                old = await unit.uploads.begun_before(before, MOST_SWEPT)
            for upload in old:
                await self._forget(upload)
                gone += len(upload.parts)
            if len(old) < MOST_SWEPT:
                return gone + await self._desk.sweep_parts(caller.organization, before - LIFE)

    async def _grow(self, upload: Upload, chunks: AsyncIterable[bytes]) -> Upload:
        if len(upload.parts) >= MOST_PARTS:
            raise PreconditionFailedError(
                f"The upload came in {MOST_PARTS:,} parts, which is the most that is taken: begin again with larger ones."
            )
        left = upload.size - upload.received
        try:
            blob, size = await self._desk.part(upload.organization, upload.key, self._ids.new(), chunks, left)
        except BlobTooLargeError as error:
            raise TooLargeError(f"More came than the {left:,} bytes that were left of the upload.") from error
        if not size:
            await self._desk.destroy([blob])
            return upload
        longer = grown(upload, blob, size)
        try:
            async with self._units(upload.organization) as unit:
                await unit.uploads.save(longer)
                await unit.commit()
        except (StaleVersionError, NotFoundError) as error:
            await self._desk.destroy([blob])
            raise ConflictError("The same part of the upload came by another way; ask where it stands.") from error
        return replace(longer, version=longer.version + 1)

    async def _finish(self, upload: Upload, caller: Caller) -> c.EvidenceView:
        command = c.AddContent(
            upload.case_id, upload.name, str(upload.role), "file_upload", 0, upload.details, upload.sha256, upload.size
        )
        async with aclosing(self._desk.joined(upload.parts)) as chunks:
            try:
                view = await self._keep(command, chunks, caller, Room(self, upload))
            except InvalidInputError:
                await self._forget(upload)
                raise
        await self._desk.destroy(upload.parts)
        return view

    async def _get(self, command: NameUpload, caller: Caller) -> Upload:
        async with self._units(caller.organization, read_only=True) as unit:
            upload = await unit.uploads.get(command.upload_id)
        mine = upload.owner == caller.user and upload.case_id == command.case_id and upload.resumable
        if not mine or upload.created_at + LIFE < self._clock.now():
            raise NotFoundError(f"There is no upload {command.upload_id}.")
        return upload

    async def _reserve(self, upload: Upload) -> Upload:
        async with self._units(upload.organization) as unit:
            if self._quota.limited:
                self._quota.check(await unit.uploads.held(upload.owner), upload.size)
            await unit.uploads.add(upload)
            await unit.commit()
        return upload

    async def _forget(self, upload: Upload) -> None:
        async with self._units(upload.organization) as unit:
            await unit.uploads.remove([upload])
            await unit.commit()
        await self._desk.destroy(upload.parts)

    def _upload(self, command: c.AddContent, size: int, caller: Caller) -> Upload:
        key = self._ids.new()
        return Upload(
            key,
            upload_id(key),
            caller.organization,
            CaseId(command.case_id),
            caller.user,
            file_name(command.name),
            choice(Role, "role", command.role),
            size,
            self._clock.now(),
            sha256=checked_digest(command.sha256),
            details=checked_details(command.details),
        )


def _view(upload: Upload) -> UploadView:
    return UploadView(upload.id, upload.case_id, upload.name, upload.size, upload.received, upload.created_at + LIFE)
