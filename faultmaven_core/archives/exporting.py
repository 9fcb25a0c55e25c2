"""Writes a case as an archive: what is known of it as of one moment, then the files as they are read."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from faultmaven_core import codec
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.archives import model as m
from faultmaven_core.archives.packing import Packer
from faultmaven_core.archives.ports import ArchiveUnitOfWork, ArchiveUnits
from faultmaven_core.cases.dialogue import Message
from faultmaven_core.cases.journal import GENESIS, JournalEntry
from faultmaven_core.cases.model import Case, judged
from faultmaven_core.cases.ports import StoredRecord
from faultmaven_core.evidence.custody import EvidenceDesk
from faultmaven_core.evidence.model import Custody, Evidence, State
from faultmaven_core.evidence.ports import EvidenceFiles
from faultmaven_core.ports.report_renderer import Exhibits, ReportForm, ReportRenderer
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import CorruptDataError, PreconditionFailedError
from faultmaven_core.shared.file_names import file_name
from faultmaven_core.shared.ids import CaseId, OrganizationId

READ_AT_ONCE = 500
NOWHERE = OrganizationId("")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A case as of one moment."""

    case: Case
    journal: Sequence[JournalEntry]
    messages: Sequence[Message]
    evidence: Sequence[Evidence]
    record: StoredRecord | None


class Exporting:
    """Makes archives of cases."""

    def __init__(
        self,
        units: ArchiveUnits,
        desk: EvidenceDesk,
        files: EvidenceFiles,
        renderer: ReportRenderer,
        clock: Clock,
        version: str,
    ) -> None:
        self._units, self._desk, self._files = units, desk, files
        self._renderer, self._clock, self._version = renderer, clock, version

    async def snapshot(self, case_id: str, caller: Caller) -> Snapshot:
        """All that is stored of a case. Raises NotFoundError, PreconditionFailedError where it is too large to be taken."""
        async with self._units(caller.organization, read_only=True) as unit:
            case = await unit.cases.get(CaseId(case_id))
            evidence = await unit.evidence.of_case(case.id)
            if len(evidence) > m.MOST_FILES:
                raise PreconditionFailedError(
                    f"{case.id} has {len(evidence):,} files, and an archive takes {m.MOST_FILES:,}."
                )
            if sum(item.size for item in evidence) > self._desk.most_copied:
                raise PreconditionFailedError(
                    f"The evidence of {case.id} is over {self._desk.most_copied:,} bytes (FM_EVIDENCE_COPY_MAX), which is "
                    "the most that an archive takes."
                )
            record = await unit.records.last(case.id) if case.records else None
            return Snapshot(case, await _journal(unit, case), await _messages(unit, case), evidence, record)

    async def archive(self, found: Snapshot, caller: Caller) -> AsyncGenerator[bytes, None]:
        """The bytes of the archive. Raises CorruptDataError where a file changes while it is read; then there is no end."""
        packer = Packer()
        try:
            for path, text in await self._texts(found):
                async with aclosing(packer.text(path, text)) as pieces:
                    async for piece in pieces:
                        yield piece
            kept: list[m.ArchivedEvidence] = []
            for number, item in enumerate(found.evidence, 1):
                state, _ = await self._desk.state(item)
                if state is not State.AVAILABLE:
                    kept.append(m.ArchivedEvidence("", _without(item, state)))
                    continue
                path = f"evidence/{number:05}/{file_name(item.name)}"
                async with aclosing(self._content(item)) as content, aclosing(packer.file(path, content)) as pieces:
                    async for piece in pieces:
                        yield piece
                written = packer.parts[-1]
                if item.sha256 and item.sha256 != written.sha256:
                    raise CorruptDataError(
                        f"{item.name} is not what it was when it was added; its archive was given up."
                    )
                kept.append(m.ArchivedEvidence(path, _placeless(item, written.size, written.sha256)))
            async with aclosing(packer.text(m.EVIDENCE, _lines(kept))) as pieces:
                async for piece in pieces:
                    yield piece
            manifest = codec.encode(self._manifest(found, packer, caller))
            async with aclosing(packer.text(m.MANIFEST, manifest)) as pieces:
                async for piece in pieces:
                    yield piece
            yield packer.end()
        finally:
            packer.abandon()

    def _manifest(self, found: Snapshot, packer: Packer, caller: Caller) -> m.Manifest:
        last = found.journal[-1].digest if found.journal else GENESIS
        return m.Manifest(
            m.FORMAT,
            found.case.id,
            found.case.organization,
            self._clock.now(),
            caller.user,
            self._version,
            last,
            tuple(packer.parts),
        )

    async def _texts(self, found: Snapshot) -> list[tuple[str, bytes]]:
        texts = [
            (m.CASE, codec.encode(replace(found.case, teams=()))),
            (m.JOURNAL, _lines(found.journal)),
            (m.CONVERSATION, _lines(found.messages)),
        ]
        if found.record is not None:
            if hashlib.sha256(found.record.body).hexdigest() != found.record.sha256:
                raise CorruptDataError(f"The stored record of {found.case.id} was changed after it was stored.")
            report = await asyncio.to_thread(self._report, found.case, found.record)
            texts += [(m.RECORD, found.record.body), (m.EXHIBITS, found.record.exhibits), (m.REPORT, report)]
        for name, text in texts:
            if len(text) > m.MOST_TEXT:
                raise PreconditionFailedError(f"{name} would have {len(text):,} bytes; {m.MOST_TEXT:,} are taken.")
        return texts

    def _report(self, case: Case, record: StoredRecord) -> bytes:
        """As people read it; without what the organization knows besides: that does not belong to the case."""
        found = judged(codec.restore(RcaRecord, record.body), case.judgement, case.actual_cause)
        exhibits = codec.restore(Exhibits, record.exhibits)
        return self._renderer.render(codec.to_builtins(found), exhibits, ReportForm.MARKDOWN).encode()

    def _content(self, item: Evidence) -> AsyncGenerator[bytes, None]:
        return self._copy(item) if item.custody is Custody.COPY else self._files.chunks(item.location)

    async def _copy(self, item: Evidence) -> AsyncGenerator[bytes, None]:
        if not item.size:
            return  # stores give parts, and of nothing there is none
        async with self._desk.open(item, 0, item.size) as reader:
            async for chunk in reader:
                yield chunk


def _without(item: Evidence, state: State) -> Evidence:
    why = item.problem or f"the file was {state} where the case came from."
    return replace(_placeless(item, 0, ""), sources=(), problem=f"{item.name} was not in the archive: {why}")


def _placeless(item: Evidence, size: int, sha256: str) -> Evidence:
    """Without what is of use, and of interest, only where it came from."""
    return replace(item, organization=NOWHERE, location="", blob="", size=size, modified_ns=0, sha256=sha256)


def _lines(values: Sequence[object]) -> bytes:
    return b"".join(codec.encode(value) + b"\n" for value in values)


async def _journal(unit: ArchiveUnitOfWork, case: Case) -> Sequence[JournalEntry]:
    found: list[JournalEntry] = []
    while more := await unit.journal.read(case.id, after=len(found), limit=READ_AT_ONCE):
        found += more
    return found


async def _messages(unit: ArchiveUnitOfWork, case: Case) -> Sequence[Message]:
    found: list[Message] = []
    while more := await unit.messages.read(case.id, after=len(found), limit=READ_AT_ONCE):
        found += more
    return found
