"""Writes a case as an archive: what is known of it as of one moment, then the files as they are read."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from faultmaven_core import codec
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.archives import limits
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

EXPANSION = 1000
"""Of so many bytes, deflate makes one more at worst."""

BESIDE = 2 << 10
"""Bytes of an archive that a member has beside its content, at most: its headers, and its place in the manifest."""

LARGEST = 2**62
"""Bytes that no file has: as many digits as any size."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A case as of one moment, which an archive can take: `texts` stand first in it, `journal` is its last entry's digest."""

    case: Case
    journal: str
    texts: Mapping[str, bytes]
    evidence: Sequence[Evidence]


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
        """All that is stored of a case. Raises NotFoundError, PreconditionFailedError where it is too large to be taken.

        Raises CorruptDataError where its record is not what was stored.
        """
        async with self._units(caller.organization, read_only=True) as unit:
            case = await unit.cases.get(CaseId(case_id))
            evidence = await unit.evidence.of_case(case.id)
            record = await unit.records.last(case.id) if case.records else None
            journal, messages = await _journal(unit, case), await _messages(unit, case)
        texts = await asyncio.to_thread(self._texts, case, journal, messages, record)
        last = journal[-1].digest if journal else GENESIS
        if why := await asyncio.to_thread(_excess, texts, evidence, self._desk.most_copied):
            raise PreconditionFailedError(f"{case.id} cannot be exported: {why}.")
        return Snapshot(case, last, texts, evidence)

    async def archive(self, found: Snapshot, caller: Caller) -> AsyncGenerator[bytes, None]:
        """The bytes of the archive. Raises CorruptDataError where a file changes while it is read; then there is no end."""
        packer = Packer()
        try:
            for path, text in found.texts.items():
                async with aclosing(packer.text(path, text)) as pieces:
                    async for piece in pieces:
                        yield piece
            kept: list[m.ArchivedEvidence] = []
            for number, item in enumerate(found.evidence, 1):
                state, _ = await self._desk.state(item)
                if state is not State.AVAILABLE:
                    kept.append(m.ArchivedEvidence("", _without(item, state)))
                    continue
                path = _path(number, item)
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
        return m.Manifest(
            m.FORMAT,
            found.case.id,
            found.case.organization,
            self._clock.now(),
            caller.user,
            self._version,
            found.journal,
            tuple(packer.parts),
        )

    def _texts(
        self, case: Case, journal: Sequence[JournalEntry], messages: Sequence[Message], record: StoredRecord | None
    ) -> Mapping[str, bytes]:
        texts = {
            m.CASE: codec.encode(replace(case, teams=())),
            m.JOURNAL: _lines(journal),
            m.CONVERSATION: _lines(messages),
        }
        if record is not None:
            if hashlib.sha256(record.body).hexdigest() != record.sha256:
                raise CorruptDataError(f"The stored record of {case.id} was changed after it was stored.")
            texts |= {m.RECORD: record.body, m.EXHIBITS: record.exhibits, m.REPORT: self._report(case, record)}
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


def _path(number: int, item: Evidence) -> str:
    return f"evidence/{number:05}/{file_name(item.name)}"


def _excess(texts: Mapping[str, bytes], evidence: Sequence[Evidence], most: int) -> str:
    """What there is too much of for an archive of `most` bytes that can be taken again, told before it is begun."""
    if len(evidence) > limits.MOST_FILES:
        return f"it has {len(evidence):,} files, and an archive takes {limits.MOST_FILES:,}"
    told = b"".join(_longest(number, item) for number, item in enumerate(evidence, 1))
    size = sum(map(len, texts.values())) + len(told)
    if size > limits.MOST_TEXT:
        return f"what is no file of it has {size:,} bytes, and {limits.MOST_TEXT:,} are taken"
    size += sum(item.size for item in evidence)
    if size + size // EXPANSION + BESIDE * (len(texts) + len(evidence) + 2) > most:
        return f"it is over {most:,} bytes (FM_EVIDENCE_COPY_MAX) with its evidence, which is the most that an archive takes"
    return limits.excess({name: text for name, text in texts.items() if name != m.REPORT} | {m.EVIDENCE: told})


def _longest(number: int, item: Evidence) -> bytes:
    """At least as many bytes as will tell of a file, whether it is still there or not when its turn comes."""
    there = m.ArchivedEvidence(_path(number, item), _placeless(item, LARGEST, "0" * 64))
    gone = m.ArchivedEvidence("", _without(item, State.UNREADABLE))
    return max(_lines([there]), _lines([gone]), key=len)


def _lines(values: Sequence[object]) -> bytes:
    return b"".join(codec.encode(value) + b"\n" for value in values)


async def _journal(unit: ArchiveUnitOfWork, case: Case) -> Sequence[JournalEntry]:
    found: list[JournalEntry] = []
    while len(found) <= limits.MOST_LINES and (
        more := await unit.journal.read(case.id, after=len(found), limit=READ_AT_ONCE)
    ):
        found += more
    return found


async def _messages(unit: ArchiveUnitOfWork, case: Case) -> Sequence[Message]:
    found: list[Message] = []
    while len(found) <= limits.MOST_LINES and (
        more := await unit.messages.read(case.id, after=len(found), limit=READ_AT_ONCE)
    ):
        found += more
    return found
