"""Use cases over evidence. Blobs are written before the row that names them, and destroyed after it is gone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import islice
from types import NoneType

from faultmaven_core import codec
from faultmaven_core.analysis.model import Role
from faultmaven_core.evidence import commands as c
from faultmaven_core.evidence import events as e
from faultmaven_core.evidence import model, search
from faultmaven_core.evidence.contents import Content
from faultmaven_core.evidence.custody import CheckedOut, EvidenceDesk
from faultmaven_core.evidence.media import Peeked, told
from faultmaven_core.evidence.model import Custody, Evidence, State
from faultmaven_core.evidence.ports import CaseDirectory, EvidenceFiles, EvidenceUnitOfWork, EvidenceUnits, FoundFile
from faultmaven_core.evidence.uploading import Room, Uploads
from faultmaven_core.evidence.uploads import Quota, checked_details, checked_digest
from faultmaven_core.evidence.views import as_found, unsearchable, view
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.ports.pattern_scanner import PatternScanner
from faultmaven_core.ports.writes import Writes
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import (
    CorruptDataError,
    FaultMavenError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionFailedError,
    TooLargeError,
)
from faultmaven_core.shared.events import Event
from faultmaven_core.shared.file_names import file_name
from faultmaven_core.shared.ids import CaseId, EvidenceId, Ids, evidence_id
from faultmaven_core.shared.page import cursor, limited, passed_over
from faultmaven_core.shared.text import checked, choice

MOST_NAME = 1024
MOST_KIND = 64
MOST_ORIGIN = 32
MOST_TEXT = 1000

ON_ITS_WAY = timedelta(hours=24)
"""How old a copy without a row must be before it counts as left behind."""

LONGEST_LINK = 300
"""Seconds: whoever has the link has the content, whatever becomes of his rights."""

UNLIMITED = Quota()

NOTE = "case.note"
"""The operation, of the cases context, that writes an event into the journal."""


class EvidenceService:
    """Adds, shows, searches and removes evidence of the caller's cases."""

    def __init__(
        self,
        units: EvidenceUnits,
        cases: CaseDirectory,
        files: EvidenceFiles,
        desk: EvidenceDesk,
        scanner: PatternScanner,
        clock: Clock,
        ids: Ids,
        quota: Quota = UNLIMITED,
    ) -> None:
        self.uploads = Uploads(units, cases, desk, quota, clock, ids, self._keep)
        self._units, self._cases, self._files, self._desk = units, cases, files, desk
        self._scanner, self._clock, self._ids = scanner, clock, ids
        self._write = Writes(units, clock)

    async def add(self, command: c.AddEvidence, caller: Caller) -> c.EvidenceAdded:
        """Add what stands at a path. A file that the case has already is not added twice.

        Raises NotFoundError where nothing stands there, PreconditionFailedError where the case has ended.
        """
        await self._cases.require_open(command.case_id, caller)
        role = choice(Role, "role", command.role)
        found = await self._files.find(command.path, role)
        case_id = CaseId(command.case_id)
        items, problems = [], [file.input.problem for file in found if file.input.problem]
        for file in found:
            item = self._item(file, case_id, caller, Custody.REFERENCE)
            items.append(item)
            if command.copy and not file.input.problem:
                try:
                    async with aclosing(self._files.chunks(file.input.path)) as chunks:
                        items[-1] = await self._desk.copied(item, chunks)
                except (NotFoundError, PermissionDeniedError, CorruptDataError, TooLargeError) as error:
                    # One file that cannot be copied costs the others nothing; a full store ends it all.
                    problems.append(f"{item.name} is not copied: {error}")
                    items[-1] = model.renew(item, 0, 0, problems[-1])

        async def work(unit: EvidenceUnitOfWork) -> c.EvidenceAdded:
            kept = await self._merge(unit, case_id, items)
            names = ", ".join(item.name for item in kept[:20])
            custody = Custody.COPY if command.copy else Custody.REFERENCE
            await self._tell(unit, case_id, e.EvidenceAdded(len(kept), names, str(custody), str(role)), caller)
            # Just found: to look at each of perhaps ten thousand files once more would only cost time.
            return c.EvidenceAdded(tuple(view(item, *as_found(item)) for item in kept), tuple(problems))

        return await self._write(command, caller, c.EvidenceAdded, work)

    async def add_content(self, command: c.AddContent, chunks: AsyncIterable[bytes], caller: Caller) -> c.EvidenceView:
        """Keep a copy of content that has no place of its own, under what is left of the name that its sender gave it.

        Raises TooLargeError, and InvalidInputError where the content is not what the command's digest says.
        """
        async with self.uploads.room(command, caller) as room, aclosing(room.taking(chunks)) as taken:
            return await self._keep(command, taken, caller, room)

    async def _keep(
        self, command: c.AddContent, chunks: AsyncIterable[bytes], caller: Caller, room: Room
    ) -> c.EvidenceView:
        await self._cases.require_open(command.case_id, caller)
        new = self._content(command, caller)
        peeked = Peeked(chunks)
        item = await self._desk.copied(new, peeked, checked_digest(command.sha256))
        item = replace(item, details=item.details | told(item.name, peeked.head))
        shown = await self._view(item)

        async def work(unit: EvidenceUnitOfWork) -> c.EvidenceView:
            if room.upload is not None:
                # Whoever else has made evidence of the same parts has ended the upload.
                await unit.uploads.remove([await unit.uploads.get(room.upload.id)])
            await unit.evidence.add([item])
            added = e.EvidenceAdded(1, item.name, str(Custody.COPY), str(item.role))
            await self._tell(unit, item.case_id, added, caller)
            return shown

        # The content is part of what was asked for: the same key with other content is another command.
        return await self._write(replace(command, sha256=item.sha256), caller, c.EvidenceView, work)

    def _content(self, command: c.AddContent, caller: Caller) -> Evidence:
        key = self._ids.new()
        return Evidence(
            key,
            evidence_id(key),
            caller.organization,
            CaseId(command.case_id),
            file_name(command.name) if command.name else checked("name", "", most=MOST_NAME, least=1),
            choice(Role, "role", command.role),
            Custody.COPY,
            self._clock.now(),
            caller.user,
            turn=command.turn,
            origin=checked("origin", command.origin, most=MOST_ORIGIN),
            details=checked_details(command.details),
        )

    async def list(self, command: c.ListEvidence, caller: Caller) -> c.EvidencePage:
        """A page of a case's evidence, with the state that each file is in now."""
        passed_over(command.offset)
        await self._cases.require(command.case_id, caller)
        after, limit = cursor(command.after), limited(command.limit)
        async with self._units(caller.organization, read_only=True) as unit:
            page = await unit.evidence.page(CaseId(command.case_id), after=after, limit=limit, offset=command.offset)
        views = [await self._view(item) if not command.quick else view(item, *as_found(item)) for item in page.items]
        return c.EvidencePage(tuple(views), page.next.hex if page.next else None)

    async def count(self, case_id: str, caller: Caller) -> int:
        """How many pieces of evidence a case has; of one that is not there, none."""
        async with self._units(caller.organization, read_only=True) as unit:
            return await unit.evidence.count(CaseId(case_id))

    async def show(self, command: c.ShowEvidence, caller: Caller) -> c.EvidenceDetail:
        """One piece of evidence and lines of it. Lines of what moved or changed raise NotFoundError, CorruptDataError."""
        item = await self._get(command.case_id, command.evidence_id, caller)
        text: list[tuple[int, str]] = []
        if command.lines:
            source = next((s for s in item.sources if s.sha256 and command.source in ("", s.name)), None)
            if source is None:
                raise NotFoundError(f"{item.name} was not read yet; investigate the case first.")
            async with self._desk.reading([item]) as read:
                text = await asyncio.to_thread(
                    search.lines, read, source, max(command.first_line, 1), limited(command.lines)
                )
        sources = tuple(c.SourceView(s.name, s.sha256, s.kind, s.size, s.lines, s.problems) for s in item.sources)
        return c.EvidenceDetail(await self._view(item), sources, tuple(c.LineView(*line) for line in text))

    async def classify(self, command: c.ClassifyEvidence, caller: Caller) -> c.EvidenceView:
        """Take a person's word for what the file is."""
        await self._cases.require_open(command.case_id, caller)
        kind = checked("kind", command.kind, most=MOST_KIND)

        async def work(unit: EvidenceUnitOfWork) -> Evidence:
            item = await unit.evidence.get(CaseId(command.case_id), EvidenceId(command.evidence_id))
            changed = model.classify(item, kind)
            await unit.evidence.save([changed])
            await self._tell(unit, item.case_id, e.EvidenceClassified(item.id, item.name, kind), caller)
            return changed

        return await self._view(await self._write(command, caller, Evidence, work))

    async def search(self, command: c.SearchEvidence, caller: Caller) -> c.SearchResult:
        """Lines that hold the words or match the pattern. What cannot be searched is named in `problems`."""
        text = checked("text", command.text, most=MOST_TEXT, least=1)
        match = (
            search.by_pattern(self._scanner.compile({"text": text})) if command.regex else search.by_words(text.split())
        )
        limit = limited(command.limit)
        if command.evidence_id:
            items: Sequence[Evidence] = [await self._get(command.case_id, command.evidence_id, caller)]
        else:
            await self._cases.require(command.case_id, caller)
            async with self._units(caller.organization, read_only=True) as unit:
                items = await unit.evidence.of_case(CaseId(command.case_id))
        hits: list[c.SearchHit] = []
        problems = [problem for item in items for problem in unsearchable(item)]
        async with self._desk.reading(items) as read:
            for item in items:
                for source in (s for s in item.sources if s.sha256):
                    lines = search.found(read, source, match)
                    try:
                        more = await asyncio.to_thread(list, islice(lines, limit + 1 - len(hits)))
                    except FaultMavenError as error:
                        problems.append(str(error))
                        continue
                    hits += [c.SearchHit(item.id, source.name, number, line) for number, line in more]
                    if len(hits) > limit:
                        return c.SearchResult(tuple(hits[:limit]), True, tuple(problems))
        return c.SearchResult(tuple(hits), False, tuple(problems))

    async def delete(self, command: c.DeleteEvidence, caller: Caller) -> c.EvidenceDeleted:
        """Take it off the case; a copy is destroyed by a job right after."""
        await self._cases.require_open(command.case_id, caller)

        async def work(unit: EvidenceUnitOfWork) -> c.EvidenceDeleted:
            item = await unit.evidence.get(CaseId(command.case_id), EvidenceId(command.evidence_id))
            await unit.evidence.remove([item])
            if item.blob:
                payload = codec.encode(c.DiscardBlob(item.blob))
                await unit.outbox.add(JobRequest("evidence.discard_blob", payload, caller))
            await self._tell(unit, item.case_id, e.EvidenceDeleted(item.id, item.name), caller)
            return c.EvidenceDeleted(item.id)

        return await self._write(command, caller, c.EvidenceDeleted, work)

    async def was_deleted(self, caller: Caller) -> bool:
        """Whether a piece was taken off its case under the caller's request key."""
        if not caller.request_key:
            return False
        async with self._units(caller.organization, read_only=True) as unit:
            return await unit.answers.find(caller) is not None

    @property
    def most_copied(self) -> int:
        """Bytes that a copy may have."""
        return self._desk.most_copied

    async def content(self, command: c.ReadContent, caller: Caller) -> Content:
        """A copy's content. Raises NotFoundError, PreconditionFailedError where the file was left in its place."""
        item = await self._copy(command.case_id, command.evidence_id, caller)
        state, explanation = await self._desk.state(item)
        if state is not State.AVAILABLE:
            raise NotFoundError(explanation)
        return Content(await self._view(item), partial(self._desk.open, item))

    async def link(self, command: c.LinkContent, caller: Caller) -> c.ContentLink:
        """A short-lived address of a copy in the blob store. Raises UnsupportedError where that has none to give."""
        if not 1 <= command.seconds <= LONGEST_LINK:
            raise InvalidInputError(f"A link lives 1 to {LONGEST_LINK} s.", fields={"seconds": "out of range"})
        item = await self._copy(command.case_id, command.evidence_id, caller)
        lives = timedelta(seconds=command.seconds)
        return c.ContentLink(await self._desk.link(item, lives), self._clock.now() + lives)

    async def _copy(self, case_id: str, name: str, caller: Caller) -> Evidence:
        item = await self._get(case_id, name, caller)
        if item.custody is not Custody.COPY:
            raise PreconditionFailedError(f"{item.name} was left in its place, so that there is no copy of it here.")
        return item

    def checkout(self, case_id: str, caller: Caller) -> AbstractAsyncContextManager[CheckedOut]:
        """All evidence of a case as local files, for as long as the context lasts."""
        return self._desk.checkout(caller.organization, CaseId(case_id))

    async def keep_reading(self, command: c.KeepReading, caller: Caller) -> None:
        """Keep what an investigation saw in the files, so that its sources can be shown and searched later."""
        digest = hashlib.sha256("\n".join(sorted(s.sha256 for r in command.readings for s in r.sources)).encode())

        async def work(unit: EvidenceUnitOfWork) -> None:
            known = {item.id: item for item in await unit.evidence.of_case(CaseId(command.case_id))}
            # Evidence that was deleted while it was read stays deleted.
            read = [r for r in command.readings if r.evidence_id in known]
            await unit.evidence.save(
                [model.read(known[EvidenceId(r.evidence_id)], r.sources, r.size, r.modified_ns) for r in read]
            )
            count = sum(len(r.sources) for r in read)
            await self._tell(unit, CaseId(command.case_id), e.EvidenceRead(count, digest.hexdigest()), caller)

        await self._write(command, caller, NoneType, work)

    async def discard_blob(self, command: c.DiscardBlob, caller: Caller) -> c.Discarded:
        """Destroy a copy that no row names any more. Raises InvalidInputError on another organization's key."""
        if not command.blob.startswith(f"{caller.organization}/"):
            raise InvalidInputError("This copy belongs to another organization.")
        await self._desk.destroy([command.blob])
        return c.Discarded(1)

    async def sweep(self, _command: c.SweepCopies, caller: Caller) -> c.Discarded:
        """Destroy copies that no evidence names, but for young ones: their row may be on its way; and give up old uploads."""
        parts = await self.uploads.sweep(caller)
        return c.Discarded(parts + await self._desk.sweep(caller.organization, self._clock.now() - ON_ITS_WAY))

    async def discard(self, command: c.DiscardEvidence, caller: Caller) -> c.Discarded:
        """Remove a gone case's evidence: copies first, so that a crash between leaves the rows that name them."""
        async with self._units(caller.organization, read_only=True) as unit:
            items = await unit.evidence.of_case(CaseId(command.case_id))
        keys = [item.blob for item in items if item.blob]
        await self._desk.destroy(keys)

        async def work(unit: EvidenceUnitOfWork) -> c.Discarded:
            await unit.evidence.remove(items)
            return c.Discarded(len(keys))

        return await self._write(command, caller, c.Discarded, work)

    async def _get(self, case_id: str, name: str, caller: Caller) -> Evidence:
        await self._cases.require(case_id, caller)
        async with self._units(caller.organization, read_only=True) as unit:
            return await unit.evidence.get(CaseId(case_id), EvidenceId(name))

    def _item(self, file: FoundFile, case_id: CaseId, caller: Caller, custody: Custody) -> Evidence:
        key = self._ids.new()
        return Evidence(
            key,
            evidence_id(key),
            caller.organization,
            case_id,
            file.input.name,
            file.input.role,
            custody,
            self._clock.now(),
            caller.user,
            location=file.input.path,
            size=file.size,
            modified_ns=file.modified_ns,
            problem=file.input.problem,
        )

    async def _merge(self, unit: EvidenceUnitOfWork, case_id: CaseId, items: Sequence[Evidence]) -> Sequence[Evidence]:
        known = {(item.location, item.role): item for item in await unit.evidence.of_case(case_id) if item.location}
        kept, new, changed = [], [], []
        for item in items:
            old = known.get((item.location, item.role)) if item.location else None
            if old is None:
                new.append(item)
                kept.append(item)
                continue
            renewed = model.renew(old, item.size, item.modified_ns, item.problem)
            kept.append(renewed)
            if renewed is not old:
                changed.append(renewed)
        await unit.evidence.add(new)
        await unit.evidence.save(changed)
        return kept

    async def _view(self, item: Evidence) -> c.EvidenceView:
        return view(item, *await self._desk.state(item))

    async def _tell(self, unit: EvidenceUnitOfWork, case_id: CaseId, event: Event, caller: Caller) -> None:
        key = str(self._ids.new())
        note = {"case_id": case_id, "key": key, "kind": event.kind, "detail": event.detail()}
        await unit.outbox.add(JobRequest(NOTE, codec.encode(note), caller))
