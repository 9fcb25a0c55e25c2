"""Where evidence is and whether it is still what was read: left in place by its stamp, copied by its blob."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID

from faultmaven_core.analysis.model import Role
from faultmaven_core.evidence.model import Custody, Evidence, State
from faultmaven_core.evidence.ports import EvidenceFiles, EvidenceUnits, FileStamp, ReadSpan, Scratch
from faultmaven_core.ports.blobs import BlobKey, BlobNotFoundError, BlobStore, DigestMismatchError
from faultmaven_core.ports.extraction_runner import Input, Place
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import CaseId, EvidenceId, OrganizationId


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """A case's evidence as files of this machine, and which evidence stands at each path in each role."""

    inputs: tuple[Input, ...]
    owners: Mapping[tuple[str, Role], EvidenceId]


class EvidenceDesk:
    """Keeps copies, and hands evidence out to be read. One copy has at most `most_copied` bytes."""

    def __init__(self, units: EvidenceUnits, files: EvidenceFiles, blobs: BlobStore, most_copied: int) -> None:
        self._units, self._files, self._blobs, self.most_copied = units, files, blobs, most_copied

    async def copied(self, item: Evidence, chunks: AsyncIterable[bytes], sha256: str = "") -> Evidence:
        """The evidence with its content stored under `organization/uuid`; its name is an attribute, never the key.

        Raises TooLargeError, and InvalidInputError where the content is not what `sha256`, if given, is the digest of.
        """
        key = BlobKey(f"{item.organization}/{item.key.hex}")
        about = {"name": quote(item.name)[:1024]}
        try:
            info = await self._blobs.put(
                key, chunks, attributes=about, expected_sha256=sha256 or None, max_size=self.most_copied
            )
        except DigestMismatchError as error:
            raise InvalidInputError(
                "The content that came is not what was sent: its SHA-256 differs.", fields={"sha256": "differs"}
            ) from error
        return replace(item, custody=Custody.COPY, location="", blob=str(key), size=info.size, sha256=info.sha256 or "")

    async def part(
        self, organization: OrganizationId, upload: UUID, number: UUID, chunks: AsyncIterable[bytes], most: int
    ) -> tuple[str, int]:
        """Store a part of what is on its way in; its key and size. Raises BlobTooLargeError."""
        key = BlobKey(f"{_parts(organization)}{upload.hex}/{number.hex}")
        info = await self._blobs.put(key, chunks, max_size=most)
        return str(key), info.size

    async def joined(self, parts: Sequence[str]) -> AsyncGenerator[bytes, None]:
        """The content of parts, one after the other."""
        for part in parts:
            async with self._blobs.open(BlobKey(part)) as reader:
                async for chunk in reader:
                    yield chunk

    async def sweep_parts(self, organization: OrganizationId, before: datetime) -> int:
        """Destroy parts from before a moment, whose upload has ended long ago; how many."""
        old = [info.key async for info in self._blobs.list(_parts(organization)) if info.created_at < before]
        await self._blobs.delete(old)
        return len(old)

    @asynccontextmanager
    async def open(self, item: Evidence, start: int, length: int) -> AsyncIterator[AsyncIterable[bytes]]:
        """A part of a copy's content. Raises BlobNotFoundError."""
        async with self._blobs.open(BlobKey(item.blob), start=start, length=length) as reader:
            yield reader

    async def link(self, item: Evidence, expires: timedelta) -> str:
        """An address of a copy. Raises UnsupportedError where the store has none to give."""
        return await self._blobs.presign_get(BlobKey(item.blob), expires=expires, download_name=item.name)

    async def destroy(self, blobs: Sequence[str]) -> None:
        """Destroy stored copies; those that are gone are no error."""
        await self._blobs.delete([BlobKey(blob) for blob in blobs])

    async def sweep(self, organization: OrganizationId, before: datetime) -> int:
        """Destroy an organization's copies from before a moment that no evidence names; how many."""
        prefix = f"{organization}/"
        # Other contexts keep theirs one level deeper.
        own = [info async for info in self._blobs.list(prefix) if "/" not in info.key.text[len(prefix) :]]
        old = [info.key for info in own if info.created_at < before]
        # Asked after the listing: a row that came meanwhile is then known, and its copy kept.
        async with self._units(organization, read_only=True) as unit:
            named = await unit.evidence.blobs()
        orphans = [key for key in old if key.text not in named]
        await self._blobs.delete(orphans)
        return len(orphans)

    async def state(self, item: Evidence) -> tuple[State, str]:
        """The state now, and a sentence where it is not available."""
        if item.problem:
            return State.UNREADABLE, item.problem
        if item.custody is Custody.REFERENCE:
            return await self._files.state(item.location, item.size, item.modified_ns)
        if await self._blobs.stat(BlobKey(item.blob)) is None:
            return State.MOVED, f"The stored copy of {item.name} is gone; add the file again."
        return State.AVAILABLE, ""

    @asynccontextmanager
    async def checkout(self, organization: OrganizationId, case_id: CaseId) -> AsyncIterator[CheckedOut]:
        """All evidence of a case as inputs of an extraction; what cannot be read has its problem set."""
        async with self._units(organization, read_only=True) as unit:
            items = await unit.evidence.of_case(case_id)
        async with AsyncExitStack() as stack:
            inputs: list[Input] = []
            owners: dict[tuple[str, Role], EvidenceId] = {}
            fetch = _Fetch(self._files, self._blobs, stack)
            for item in items:
                state, problem = await self.state(item)
                path = item.location
                if item.custody is Custody.COPY and state is State.AVAILABLE:
                    path = (await fetch(item)).path
                # What changed is read as it is now; only what cannot be read at all keeps its problem.
                unread = problem if state in (State.MOVED, State.UNREADABLE) else ""
                inputs.append(Input(item.name, path, item.role, item.kind, unread))
                owners[path, item.role] = item.id
            yield CheckedOut(tuple(inputs), owners)

    @asynccontextmanager
    async def reading(self, items: Sequence[Evidence]) -> AsyncIterator[ReadSpan]:
        """Reads spans of what these pieces of evidence held when they were last read."""
        async with AsyncExitStack() as stack:
            places: list[Place] = []
            fetch = _Fetch(self._files, self._blobs, stack)
            for item in items:
                stamp = FileStamp(item.location, item.size, item.modified_ns)
                if item.custody is Custody.COPY:
                    try:
                        stamp = await fetch(item)
                    except BlobNotFoundError:
                        continue  # its spans are then not found, which every reader of spans is ready for
                places += [
                    Place(s.sha256, stamp.path, s.members, stamp.size, stamp.modified_ns)
                    for s in item.sources
                    if s.sha256
                ]
            yield await stack.enter_async_context(self._files.reader(places))


def _parts(organization: OrganizationId) -> str:
    return f"{organization}/uploads/"


class _Fetch:
    """Brings copies out of the blob store into a private folder, which is made for the first one."""

    def __init__(self, files: EvidenceFiles, blobs: BlobStore, stack: AsyncExitStack) -> None:
        self._files, self._blobs, self._stack = files, blobs, stack
        self._scratch: Scratch | None = None

    async def __call__(self, item: Evidence) -> FileStamp:
        if self._scratch is None:
            self._scratch = await self._stack.enter_async_context(self._files.scratch())
        async with self._blobs.open(BlobKey(item.blob)) as reader:
            return await self._scratch.write(reader)
