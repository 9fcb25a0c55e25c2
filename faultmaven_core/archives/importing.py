"""Makes a case of an archive: files first, then everything that names them in one transaction, so that it is whole or not there."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from faultmaven_core import codec
from faultmaven_core.analysis.model import Role
from faultmaven_core.analysis.record import SCHEMA, RcaRecord
from faultmaven_core.archives import commands as c
from faultmaven_core.archives import limits
from faultmaven_core.archives import model as m
from faultmaven_core.archives import origins as o
from faultmaven_core.archives.events import CaseImported
from faultmaven_core.archives.ports import ArchiveUnitOfWork, ArchiveUnits, Spool
from faultmaven_core.archives.unpacking import Unpacker, decoded, fitting, lines, refused, whole
from faultmaven_core.cases.dialogue import Message
from faultmaven_core.cases.journal import JournalEntry
from faultmaven_core.cases.journal_writer import JournalWriter
from faultmaven_core.cases.model import Case
from faultmaven_core.cases.ports import StoredRecord
from faultmaven_core.cases.views import view
from faultmaven_core.evidence.custody import EvidenceDesk
from faultmaven_core.evidence.media import Peeked, told
from faultmaven_core.evidence.model import Custody, Evidence
from faultmaven_core.evidence.uploads import Quota, checked_digest
from faultmaven_core.ports.report_renderer import Exhibits
from faultmaven_core.ports.writes import Writes
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import AmbiguousError, FaultMavenError, InvalidInputError, TooLargeError
from faultmaven_core.shared.file_names import file_name
from faultmaven_core.shared.ids import CaseId, Ids, evidence_id


@dataclass(frozen=True, slots=True)
class Arrived:
    """All that is to be stored, as the caller's own."""

    manifest: m.Manifest
    case: Case
    journal: Sequence[JournalEntry]
    messages: Sequence[Message]
    evidence: Sequence[Evidence]
    record: StoredRecord | None


@dataclass
class _Copies:
    """The files that are in the store by now, by their names in the archive; `loose` ones are named by no row for sure."""

    kept: dict[str, Evidence] = field(default_factory=dict)
    loose: bool = True


class Importing:
    """Takes archives in."""

    def __init__(
        self, units: ArchiveUnits, desk: EvidenceDesk, spool: Spool, quota: Quota, clock: Clock, ids: Ids
    ) -> None:
        self._units, self._desk, self._spool, self._quota = units, desk, spool, quota
        self._clock, self._ids = clock, ids
        self._write, self._tell = Writes(units, clock), JournalWriter(clock, ids)

    async def take(self, command: c.ImportCase, chunks: AsyncIterable[bytes], caller: Caller) -> c.ImportedCase:
        """Make a case. Raises InvalidInputError where it is no archive of one, TooLargeError, QuotaExceededError."""
        wanted = checked_digest(command.sha256)
        coming = _Counted(chunks, self._desk.most_copied)
        async with self._spool.spooled(coming) as file:
            if wanted and wanted != coming.digest:
                raise InvalidInputError(
                    "The archive that came is not what was sent: its SHA-256 differs.", fields={"sha256": "differs"}
                )
            # The archive is part of what was asked for: the same key with another one is another command.
            whole_command = c.ImportCase(coming.digest)
            before = await self._write.answered(whole_command, caller, c.ImportedCase)
            return before or await self._new(whole_command, file, caller)

    async def _new(self, command: c.ImportCase, file: BinaryIO, caller: Caller) -> c.ImportedCase:
        unpacker = Unpacker(file, self._desk.most_copied)
        manifest = await unpacker.manifest()
        await self._room(manifest, caller)
        async with self._copied(manifest, unpacker, caller) as (texts, copies):
            arrived = await asyncio.to_thread(self._arrived, manifest, texts, copies, caller)

            async def work(unit: ArchiveUnitOfWork) -> c.ImportedCase:
                return await self._store(unit, arrived, command, caller)

            # What breaks from here on may have been stored; copies that nobody names after all are swept a day later.
            copies.loose = False
            try:
                answer = await self._write(command, caller, c.ImportedCase, work)
            except FaultMavenError as error:
                copies.loose = not isinstance(error, AmbiguousError)
                raise
            # Somebody may have been answered under the same key meanwhile.
            copies.loose = answer.case.case_id != arrived.case.id
            return answer

    async def _room(self, manifest: m.Manifest, caller: Caller) -> None:
        """Raises QuotaExceededError before anything is unpacked; what others do meanwhile counts when it is stored."""
        if self._quota.limited:
            async with self._units(caller.organization, read_only=True) as unit:
                self._quota.check(await unit.uploads.held(caller.user), _size_of_files(manifest))

    @asynccontextmanager
    async def _copied(
        self, manifest: m.Manifest, unpacker: Unpacker, caller: Caller
    ) -> AsyncIterator[tuple[dict[str, bytes], _Copies]]:
        """The texts of the archive, and copies of its files, which go again where nothing comes of them."""
        texts: dict[str, bytes] = {}
        copies = _Copies()
        try:
            async with aclosing(unpacker.members(manifest)) as members:
                async for part, content in members:
                    async with aclosing(content):
                        if m.is_name_of_a_file(part.path):
                            copies.kept[part.path] = await self._copy(part, content, caller)
                        else:
                            text = await whole(content)
                            if part.path != m.REPORT:  # it is for people, and made anew of the record
                                texts[part.path] = text
            yield texts, copies
        finally:
            if copies.loose and copies.kept:
                await asyncio.shield(self._desk.destroy([item.blob for item in copies.kept.values()]))

    async def _copy(self, part: m.Part, content: AsyncIterable[bytes], caller: Caller) -> Evidence:
        """The file in the store, as evidence of nothing yet."""
        key, name = self._ids.new(), file_name(part.path.rpartition("/")[2])
        peeked = Peeked(content)
        new = Evidence(
            key,
            evidence_id(key),
            caller.organization,
            CaseId(""),
            name,
            Role.INCIDENT,
            Custody.COPY,
            self._clock.now(),
            caller.user,
        )
        item = await self._desk.copied(new, peeked, checked_digest(part.sha256))
        return replace(item, details=told(name, peeked.head))

    def _arrived(self, manifest: m.Manifest, texts: dict[str, bytes], copies: _Copies, caller: Caller) -> Arrived:
        """Everything as the caller's own, `texts` used up. Raises InvalidInputError where something cannot have come to be."""
        fitting(texts)
        said = lines(Message, texts.pop(m.CONVERSATION), m.CONVERSATION)
        found = decoded(Case, texts.pop(m.CASE), m.CASE)
        case = o.case_of(found, manifest, self._ids.new(), len(said), self._clock.now(), caller)
        rename = o.Renaming(self._ids)
        rename.given(manifest.case_id, case.id)
        evidence = self._evidence(texts, copies, case, rename, caller)
        happened = lines(JournalEntry, texts.pop(m.JOURNAL), m.JOURNAL)
        o.manifest_of(manifest, happened)
        if happened and happened[0].case_id != manifest.case_id:
            raise refused("its journal is another case's")
        messages = o.messages_of(said, case, rename, self._ids)
        journal = o.journal_of(happened, case, rename, self._ids)
        if bool(case.records) != (m.RECORD in texts):
            raise refused("it has a record and no investigation, or the other way round")
        return Arrived(manifest, case, journal, messages, evidence, _record(texts, case))

    def _evidence(
        self, texts: dict[str, bytes], copies: _Copies, case: Case, rename: o.Renaming, caller: Caller
    ) -> Sequence[Evidence]:
        found = lines(m.ArchivedEvidence, texts.pop(m.EVIDENCE), m.EVIDENCE)
        named = [one.path for one in found if one.path]
        if sorted(named) != sorted(copies.kept) or len(found) > limits.MOST_FILES:
            raise refused(f"{m.EVIDENCE} does not name exactly the files that stand in it")
        made = []
        for one in found:
            copy = copies.kept.get(one.path)
            key = copy.key if copy else self._ids.new()
            item = o.evidence_of(one, copy.size if copy else 0, key, case.id, caller)
            if copy:
                item = replace(item, blob=copy.blob, sha256=copy.sha256, details=item.details | copy.details)
            rename.given(one.item.id, item.id)
            made.append(item)
        return made

    async def _store(
        self, unit: ArchiveUnitOfWork, arrived: Arrived, command: c.ImportCase, caller: Caller
    ) -> c.ImportedCase:
        if self._quota.limited:
            self._quota.check(await unit.uploads.held(caller.user), _size_of_files(arrived.manifest))
        case, manifest = arrived.case, arrived.manifest
        await unit.cases.add(case)
        await unit.messages.add(arrived.messages)
        await unit.evidence.add(arrived.evidence)
        if arrived.record is not None:
            await unit.records.add(case.id, case.records, arrived.record)
        await unit.journal.add(*arrived.journal)
        missing = tuple(item.name for item in arrived.evidence if not item.blob)
        origin = CaseImported(
            manifest.case_id,
            manifest.organization,
            manifest.exported_at.isoformat(),
            manifest.exported_by,
            manifest.journal,
            command.sha256,
            len(arrived.evidence) - len(missing),
            len(missing),
        )
        await self._tell(unit, case.id, origin, caller)
        return c.ImportedCase(
            view(case), manifest.case_id, manifest.organization, len(arrived.evidence), missing, command.sha256
        )


class _Counted:
    """What comes, counted and digested. Raises TooLargeError over `most` bytes."""

    def __init__(self, chunks: AsyncIterable[bytes], most: int) -> None:
        self._chunks, self._most = chunks, most
        self._size, self._digest = 0, hashlib.sha256()

    @property
    def digest(self) -> str:
        """Of all that came so far, in hexadecimal."""
        return self._digest.hexdigest()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            self._size += len(chunk)
            if self._size > self._most:
                raise TooLargeError(f"The archive is over {self._most:,} bytes, which is the most that is taken.")
            self._digest.update(chunk)
            yield chunk


def _record(texts: Mapping[str, bytes], case: Case) -> StoredRecord | None:
    """The record, which says now of which case it is."""
    if m.RECORD not in texts:
        return None
    record = decoded(RcaRecord, texts[m.RECORD], m.RECORD)
    if record.schema != SCHEMA:
        raise refused(f"its record is written as {record.schema[:60]!r}, and only {SCHEMA} is known here")
    # What it quotes of evidence may hold what no database takes as text: it is kept as bytes.
    body = codec.encode(replace(record, case_id=case.id))
    exhibits = codec.encode(decoded(Exhibits, texts[m.EXHIBITS], m.EXHIBITS))
    return StoredRecord(body, hashlib.sha256(body).hexdigest(), exhibits)


def _size_of_files(manifest: m.Manifest) -> int:
    return sum(part.size for part in manifest.parts if m.is_name_of_a_file(part.path))
