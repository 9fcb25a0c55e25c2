"""Documents come in: files are compared with what is there, new originals stored, rows written, jobs asked for."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from uuid import UUID

from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge import model, requests
from faultmaven_core.knowledge.front_matter import titled
from faultmaven_core.knowledge.kinds import media_type
from faultmaven_core.knowledge.model import Document, KnowledgeScope
from faultmaven_core.knowledge.originals import Originals
from faultmaven_core.knowledge.ports import DocumentFiles, Found, FoundDocument, KnowledgeUnitOfWork, KnowledgeUnits
from faultmaven_core.ports.blobs import BlobTooLargeError, DigestMismatchError
from faultmaven_core.ports.writes import Writes
from faultmaven_core.shared.batches import batched
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import CorruptDataError, NotFoundError, PermissionDeniedError
from faultmaven_core.shared.ids import Ids, document_id
from faultmaven_core.shared.operation import Watch

AT_ONCE = 100
"""Files that are compared, stored and written together."""

MOST_NAME = 512
"""Characters of a document's name, which is a key in every database."""

_COSTS_ITSELF = (NotFoundError, PermissionDeniedError, CorruptDataError, BlobTooLargeError)
"""What one file that cannot be read costs: itself. A store that is full or away ends it all."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Where documents go, and what is said of all of them."""

    scope: KnowledgeScope
    source: str
    tags: tuple[str, ...]
    caller: Caller
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A file whose content stands in the blob store."""

    file: FoundDocument
    blob: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _Compared:
    """Files by what must be done with them: `new` with their digests, `touched` by name."""

    new: Sequence[tuple[FoundDocument, str]]
    touched: Mapping[str, FoundDocument]
    unchanged: int = 0
    duplicates: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What a transaction did."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: int = 0
    jobs: tuple[UUID, ...] = ()
    known: str = ""


class DocumentIntake:
    """Takes files and contents into a scope."""

    def __init__(
        self, units: KnowledgeUnits, originals: Originals, files: DocumentFiles, clock: Clock, ids: Ids
    ) -> None:
        self._units, self._originals, self._files = units, originals, files
        self._clock, self._ids = clock, ids
        self._write = Writes(units, clock)

    async def files(self, found: Found, bundle: Bundle, watch: Watch) -> c.DocumentsTaken:
        """Take files: new ones, and those whose content changed. A file with the size and time it had is not opened."""
        taken = c.DocumentsTaken(ignored=found.ignored)
        if found.untracked:
            what = f"{found.untracked:,} documents" if found.untracked > 1 else "1 document"
            taken = replace(
                taken, problems=(f"{what} that git does not track were passed over; `git add` them first.",)
            )
        done = 0
        for batch in batched(found.documents, AT_ONCE):
            taken = await self._batch(batch, bundle, taken)
            done += len(batch)
            watch(done, len(found.documents), batch[-1].name)
        return taken

    async def content(self, name: str, chunks: AsyncIterable[bytes], bundle: Bundle) -> _Stored | Document:
        """Store content that has no place of its own, or the other document of the scope that has it already."""
        info = await self._originals.keep(bundle.caller.organization, name, media_type(name), chunks)
        stored = _Stored(FoundDocument(name, "", info.size), str(info.key), info.sha256 or "")
        async with self._units(bundle.caller.organization, read_only=True) as unit:
            known = await unit.knowledge.by_name(bundle.scope, [name])
            twins = await unit.knowledge.by_digest(bundle.scope, stored.sha256)
        if twins and not known:
            await self._originals.destroy([stored.blob])
            return twins[0]
        return stored

    async def write(self, unit: KnowledgeUnitOfWork, stored: Sequence[_Stored], bundle: Bundle) -> Written:
        """Rows for what is stored, and the jobs that read it. Whoever was faster with a name is taken into account."""
        known = await unit.knowledge.by_name(bundle.scope, [item.file.name for item in stored])
        new: list[Document] = []
        changed: list[Document] = []
        for item in stored:
            old = known.get(item.file.name)
            if old is None:
                new.append(self._document(item, bundle))
                continue
            superfluous = item.blob if old.sha256 == item.sha256 else old.blob
            await unit.outbox.add(requests.discard_original(superfluous, bundle.caller))
            if old.sha256 != item.sha256:
                renewed = model.renewed(old, item.blob, item.sha256, item.file.size, self._clock.now())
                told = replace(renewed, tags=bundle.tags, details={**old.details, **bundle.details})
                changed.append(_stamped(told, item.file, bundle.source))
        await unit.knowledge.add(new)
        await unit.knowledge.save(changed)
        jobs = [await unit.outbox.add(job) for job in requests.ingest([*new, *changed], bundle.caller)]
        return Written(
            tuple(document.id for document in new),
            tuple(document.id for document in changed),
            len(stored) - len(new) - len(changed),
            tuple(jobs),
            next((old.id for old in known.values()), ""),
        )

    async def _batch(self, batch: Sequence[FoundDocument], bundle: Bundle, taken: c.DocumentsTaken) -> c.DocumentsTaken:
        compared = await self._compare(batch, bundle)
        problems = list(compared.problems)
        stored = [
            item
            for file, sha256 in compared.new
            if (item := await self._store(file, sha256, bundle, problems)) is not None
        ]

        async def work(unit: KnowledgeUnitOfWork) -> Written:
            await self._touch(unit, compared.touched, bundle)
            return await self.write(unit, stored, bundle)

        written = Written()
        if stored or compared.touched:
            written = await self._write(None, replace(bundle.caller, request_key=""), Written, work)
        return replace(
            taken,
            added=taken.added + len(written.added),
            changed=taken.changed + len(written.changed),
            unchanged=taken.unchanged + compared.unchanged + len(compared.touched) + written.unchanged,
            duplicates=taken.duplicates + compared.duplicates,
            documents=(*taken.documents, *written.added, *written.changed),
            jobs=(*taken.jobs, *map(str, written.jobs)),
            problems=(*taken.problems, *problems),
        )

    async def _compare(self, batch: Sequence[FoundDocument], bundle: Bundle) -> _Compared:
        """Names first, then size and time, then digests: the dearest look comes last."""
        async with self._units(bundle.caller.organization, read_only=True) as unit:
            known = await unit.knowledge.by_name(bundle.scope, [file.name for file in batch])
        refused = {file.name: problem for file in batch if (problem := file.problem or _too_long(file.name))}
        problems = list(refused.values())
        to_read = [
            file for file in batch if file.name not in refused and not _as_known(file, known.get(file.name), bundle)
        ]
        digests = {}
        for file in to_read:
            try:
                digests[file.name] = await self._digest(file)
            except _COSTS_ITSELF as error:
                problems.append(f"{file.name} was not taken: {error}")
        async with self._units(bundle.caller.organization, read_only=True) as unit:
            twins = {
                sha256: await unit.knowledge.by_digest(bundle.scope, sha256)
                for name, sha256 in digests.items()
                if name not in known
            }
        new: list[tuple[FoundDocument, str]] = []
        touched: dict[str, FoundDocument] = {}
        duplicates = 0
        for file in (file for file in to_read if file.name in digests):
            sha256, old = digests[file.name], known.get(file.name)
            if old and old.sha256 == sha256:
                touched[file.name] = file
            elif not old and (twins[sha256] or any(sha256 == other for _, other in new)):
                duplicates += 1
            else:
                new.append((file, sha256))
        unchanged = len(batch) - len(to_read) - len(refused)
        return _Compared(new, touched, unchanged, duplicates, tuple(problems))

    async def _digest(self, file: FoundDocument) -> str:
        if file.size > self._originals.most_bytes:
            raise BlobTooLargeError(f"it has more than {self._originals.most_bytes >> 20} MiB; split it.")
        digest = hashlib.sha256()
        async with aclosing(self._files.chunks(file.path)) as chunks:
            async for chunk in chunks:
                digest.update(chunk)
        return digest.hexdigest()

    async def _store(self, file: FoundDocument, sha256: str, bundle: Bundle, problems: list[str]) -> _Stored | None:
        try:
            async with aclosing(self._files.chunks(file.path)) as chunks:
                info = await self._originals.keep(
                    bundle.caller.organization, file.name, media_type(file.name), chunks, sha256
                )
        except DigestMismatchError:
            problems.append(f"{file.name} was not taken: it changed while it was read; add it again.")
        except _COSTS_ITSELF as error:
            problems.append(f"{file.name} was not taken: {error}")
        else:
            return _Stored(replace(file, size=info.size), str(info.key), sha256)
        return None

    async def _touch(self, unit: KnowledgeUnitOfWork, touched: Mapping[str, FoundDocument], bundle: Bundle) -> None:
        """Keep the new time of files whose content is what it was, so that the next look is cheap again."""
        known = await unit.knowledge.by_name(bundle.scope, touched)
        await unit.knowledge.save([_stamped(old, touched[name], bundle.source) for name, old in known.items()])

    def _document(self, item: _Stored, bundle: Bundle) -> Document:
        key, now = self._ids.new(), self._clock.now()
        document = Document(
            key,
            document_id(key),
            bundle.caller.organization,
            bundle.scope,
            bundle.details.get("title") or titled(item.file.name),
            item.file.name,
            media_type(item.file.name),
            item.blob,
            item.sha256,
            item.file.size,
            now,
            bundle.caller.user,
            now,
            tags=bundle.tags,
            details=dict(bundle.details),
        )
        return _stamped(document, item.file, bundle.source)


def gone(known: Iterable[Document], found: Collection[FoundDocument]) -> Sequence[Document]:
    """Documents of a source whose files are not there any more. What cannot be looked at is not gone."""
    present = {file.name for file in found}
    unseen = tuple(f"{file.name}/" for file in found if file.problem)
    return [
        document
        for document in known
        if document.name not in present and not document.name.startswith(unseen or ("//",))
    ]


def _too_long(name: str) -> str:
    return f"{name} was not taken: its path has more than {MOST_NAME} characters." if len(name) > MOST_NAME else ""


def _as_known(file: FoundDocument, old: Document | None, bundle: Bundle) -> bool:
    return (
        old is not None
        and (old.size, old.modified_ns) == (file.size, file.modified_ns)
        and (not bundle.source or old.source == bundle.source)
    )


def _stamped(document: Document, file: FoundDocument, source: str) -> Document:
    return replace(document, size=file.size, modified_ns=file.modified_ns, source=source or document.source)
