"""A run: which jobs there are for a set of files, in what order, and what becomes of their replies."""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from faultmaven_adapters.extraction.failures import sentence
from faultmaven_adapters.extraction.jobs import (
    Digest,
    Failed,
    Finish,
    Job,
    Merge,
    Opened,
    Prepare,
    ReadWhole,
    Reply,
    Summarise,
)
from faultmaven_adapters.extraction.references import ReferencedFiles
from faultmaven_core.analysis.extract.large_log import is_large
from faultmaven_core.analysis.extract.log_pass import segments_of
from faultmaven_core.analysis.extract.source import Reading, unread
from faultmaven_core.analysis.intake.limits import Limits
from faultmaven_core.analysis.intake.prepare import EMPTY, Prepared
from faultmaven_core.analysis.intake.provenance import FILE_NAME as PROVENANCE_NAME
from faultmaven_core.analysis.intake.provenance import Entry, pairs_for
from faultmaven_core.analysis.model import Extraction, Span
from faultmaven_core.ports.extraction_runner import (
    UNREADABLE,
    Extracted,
    ExtractionRun,
    Input,
    Options,
    Place,
    Progress,
)
from faultmaven_core.shared.batches import batched

_Result = TypeVar("_Result")


UNPACKED_TO_PACKED = 20
"""Bytes to expect of a packed one, to set how long unpacking may take; text packs about 10:1."""

AT_A_TIME = 16
"""Files under way: enough to keep processes busy, few enough that findings come from the beginning."""

GLANCE = 4 << 20
"""Bytes at the beginning of a large log that are read once more, ahead of all: somebody waits for a first finding."""

BATCH = 3
"""Segments whose summaries are held at a time before they are merged."""


class Executor(Protocol):
    """Does jobs, as many at a time as it likes; further ones wait."""

    @abstractmethod
    async def submit(self, job: Job, size: int) -> Sequence[Reply]:
        """The replies; the last one is Failed where the job was given up. `size` (bytes) sets how long it may take."""


@dataclass(frozen=True, slots=True)
class _File:
    """A content with the input that it came from and the state in which the file on disk was found."""

    given: Input
    opened: Opened
    prepared: Prepared

    @property
    def name(self) -> str:
        return self.prepared.name


class Run(ExtractionRun):
    """See the port. `folder` holds unpacked contents until the run is left."""

    def __init__(self, executor: Executor, folder: str, inputs: Sequence[Input], options: Options) -> None:
        self._executor, self._folder, self._options = executor, folder, options
        self._inputs = sorted(inputs, key=lambda given: (given.name, given.path))
        self._events: asyncio.Queue[Progress | Extracted | None] = asyncio.Queue()
        self._files = ReferencedFiles()
        self._identified = self._files_done = self._bytes_done = self._files_total = self._bytes_total = 0
        self._entries: list[Entry] = []
        self._admitted = asyncio.Semaphore(AT_A_TIME)
        self._driver: asyncio.Task[None] | None = None

    async def __aiter__(self) -> AsyncIterator[Progress | Extracted]:
        """See the port."""
        self._driver = asyncio.create_task(self._drive())
        while (event := await self._events.get()) is not None:
            yield event
        await self._driver

    def read(self, span: Span) -> bytes:
        """See the port."""
        return self._files.read(span)

    async def stop(self) -> None:
        """End what is under way."""
        if self._driver is not None:
            self._driver.cancel()
            await asyncio.gather(self._driver, return_exceptions=True)

    async def _drive(self) -> None:
        try:
            # Lists of provenance first: what they say of a file is needed when it is read.
            numbered = list(enumerate(self._inputs))
            lists = [one for one in numbered if one[1].name.rsplit("/", 1)[-1] == PROVENANCE_NAME]
            others = [one for one in numbered if one not in lists]
            extracted: list[Extracted] = []
            for group in (lists, others):
                for found in await self._all(self._source(place, given) for place, given in group):
                    extracted += found
            for event in sorted(extracted, key=lambda event: (event.extraction.source.name, event.place)):
                self._events.put_nowait(event)
        finally:
            self._events.put_nowait(None)

    async def _source(self, place: int, given: Input) -> list[Extracted]:
        async with self._admitted:  # else all files were opened before the first is read
            files = await self._prepare(place, given)
            self._entries += [entry for file in files for entry in file.prepared.entries]
            self._files_total += len(files)
            self._bytes_total += sum(file.prepared.size for file in files)
            return await self._all(self._extract(file) for file in files)

    async def _prepare(self, place: int, given: Input) -> list[_File]:
        nothing = Opened(0, 0)
        if given.problem:
            found = [_File(given, nothing, _unreadable(given.name, given.problem))]
        else:
            job = Prepare(given.name, given.path, self._folder, f"{place:06}-", Limits())
            replies = await self._executor.submit(job, UNPACKED_TO_PACKED * _size_of(given.path))
            opened = next((reply for reply in replies if isinstance(reply, Opened)), nothing)
            found = [_File(given, opened, reply) for reply in replies if isinstance(reply, Prepared)]
            found += [
                _File(given, opened, _unreadable(given.name, sentence(given.name, reply)))
                for reply in replies
                if isinstance(reply, Failed)
            ]
        self._identified += 1
        self._progress("identify", given.name, self._identified, len(self._inputs))
        return found

    async def _extract(self, file: _File) -> Extracted:
        given, prepared = file.given, file.prepared
        reading = Reading(prepared, given.role, given.kind, pairs_for(prepared.name, self._entries))
        extraction = await self._read(reading, self._path(file))
        if prepared.kind != UNREADABLE and (changed := self._changed(file)):
            extraction = replace(extraction, problems=(*extraction.problems, changed))
        opened = file.opened
        place = Place(extraction.source.sha256, given.path, prepared.members, opened.size, opened.modified_ns)
        if place.sha256:
            self._files.add(place, self._path(file) if prepared.key else "")
        self._files_done += 1
        self._bytes_done += 0 if is_large(reading) else prepared.size  # counted by segments
        self._progress("extract", prepared.name, self._files_done, self._files_total, _first_finding(extraction))
        return Extracted(extraction, place)

    async def _read(self, reading: Reading, path: str) -> Extraction:
        prepared = reading.prepared
        if prepared.kind == UNREADABLE and not prepared.size:
            return unread(reading, "")
        if is_large(reading):
            return await self._read_large(reading, path)
        job: Job = (
            Digest(path, prepared.size) if reading.closed and prepared.kind != EMPTY else ReadWhole(reading, path)
        )
        reply = await self._one(job, prepared.size)
        if isinstance(reply, str):
            return unread(reading, reply)
        if isinstance(reply, Extraction):
            return reply
        return _given_up(reading, reply)

    async def _read_large(self, reading: Reading, path: str) -> Extraction:
        """Digest and segments at the same time; segments are merged batch by batch, so that their number costs nothing."""
        prepared = reading.prepared
        segments = [Summarise(path, start, end, self._options.fast) for start, end in segments_of(prepared.size)]
        work = [self._glance(reading, path), self._summary(segments, prepared.name)]
        if not prepared.sha256:
            work.append(self._one(Digest(path, prepared.size), prepared.size))
        _, summary, *digests = await self._all(work)
        for reply in (summary, *digests):
            if isinstance(reply, Failed):
                return _given_up(reading, reply)
        sha256 = str(digests[0]) if digests else prepared.sha256
        reply = await self._one(Finish(reading, sha256, summary if isinstance(summary, bytes) else b""))
        return reply if isinstance(reply, Extraction) else _given_up(reading, reply)

    async def _glance(self, reading: Reading, path: str) -> Reply:
        """Announce what the beginning of a large log says; what becomes of the log is decided by its segments."""
        part = replace(reading, prepared=replace(reading.prepared, size=GLANCE))
        reply = await self._one(ReadWhole(part, path), GLANCE)
        if isinstance(reply, Extraction) and (finding := _first_finding(reply)):
            self._progress("extract", reading.prepared.name, self._files_done, self._files_total, finding)
        return reply

    async def _summary(self, segments: Sequence[Summarise], name: str) -> Reply:
        done: list[bytes] = []
        for some in batched(segments, BATCH):
            for reply in await self._all(self._segment(job, name) for job in some):
                if not isinstance(reply, bytes):
                    return reply
                done.append(reply)
            merged = await self._one(Merge(tuple(done)))
            if not isinstance(merged, bytes):
                return merged
            done = [merged]
        return done[0]

    async def _segment(self, job: Summarise, name: str) -> Reply:
        reply = await self._one(job, job.end - job.start)
        self._bytes_done += job.end - job.start
        self._progress("extract", name, self._files_done, self._files_total)
        return reply

    async def _one(self, job: Job, size: int = 0) -> Reply:
        return (await self._executor.submit(job, size))[-1]

    def _path(self, file: _File) -> str:
        return os.path.join(self._folder, file.prepared.key) if file.prepared.key else file.given.path

    def _changed(self, file: _File) -> str:
        try:
            status = os.stat(file.given.path)
        except OSError:
            return f"{file.given.name} disappeared while it was read; what it said is used, but cannot be shown again."
        if status.st_size > file.opened.size:
            size = file.opened.size
            return f"{file.given.name} grew while it was read; its first {size:,} bytes were used. Add it again for the rest."
        if (status.st_size, status.st_mtime_ns) != (file.opened.size, file.opened.modified_ns):
            return f"{file.given.name} changed while it was read, so its citations may not hold; copy it and give the copy."
        return ""

    def _progress(self, stage: str, name: str, done: int, total: int, finding: str = "") -> None:
        self._events.put_nowait(Progress(stage, name, done, total, self._bytes_done, self._bytes_total, finding))

    async def _all(self, work: Iterable[Coroutine[None, None, _Result]]) -> list[_Result]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
        return [task.result() for task in tasks]


def _size_of(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:  # the job says what is wrong with it
        return 0


def _given_up(reading: Reading, reply: Reply) -> Extraction:
    why = sentence(reading.prepared.name, reply) if isinstance(reply, Failed) else ""
    return unread(replace(reading, prepared=replace(reading.prepared, kind=UNREADABLE)), "", why)


def _unreadable(name: str, problem: str) -> Prepared:
    return Prepared(name, (), "", "", 0, UNREADABLE, (problem,))


def _first_finding(extraction: Extraction) -> str:
    """The first thing that a signature or a check knows, for a person who waits."""
    known = (fact for fact in extraction.facts if fact.attribute.startswith(("signature.", "violation.", "alert.")))
    first = next(known, None)
    if first is None:
        return ""
    line = first.spans[0].first_line
    return f"{extraction.source.name}:{line}: {' '.join(str(first.value).split())[:160]}"
