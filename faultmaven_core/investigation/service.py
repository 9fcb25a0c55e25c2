"""Runs the analysis over a case's evidence. What it finds is kept by cases and evidence; here is known only what it reads now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from faultmaven_core import codec
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.cases.commands import BeginInvestigation, CaseView, ReadReport, ShowCase, StoreRecord
from faultmaven_core.cases.turn_commands import AddNotice
from faultmaven_core.evidence.commands import KeepReading, Reading
from faultmaven_core.evidence.custody import CheckedOut
from faultmaven_core.evidence.model import SeenSource
from faultmaven_core.investigation.commands import (
    Guidance,
    Investigate,
    Investigated,
    ReadGuidance,
    RenderedReport,
    RenderReport,
)
from faultmaven_core.investigation.guidance import Adviser
from faultmaven_core.investigation.ports import CaseBook, EvidenceReader, KnowledgeSearch, Watch
from faultmaven_core.ports.extraction_runner import Extracted, ExtractionRun, ExtractionRunner, Options
from faultmaven_core.ports.report_renderer import Exhibits, ReportForm, ReportRenderer
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.shared.text import choice

AROUND = 3600.0
"""Seconds before and after the moment that an incident is said to lie around."""


class _Form(StrEnum):
    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"


def unwatched(_: object) -> None:
    """Nobody looks at the progress."""


class InvestigationService:
    """From a case's evidence to its record.

    Ended by cancellation or a crash at any point, it leaves the case as it was before the step that was under way: each
    step commits whole. Run it again to finish.
    """

    def __init__(
        self,
        cases: CaseBook,
        evidence: EvidenceReader,
        runner: ExtractionRunner,
        renderer: ReportRenderer,
        knowledge: KnowledgeSearch,
        version: str,
    ) -> None:
        self._cases, self._evidence, self._runner = cases, evidence, runner
        self._renderer, self._version = renderer, version
        self._adviser = Adviser(cases, knowledge)
        self._under_way: list[tuple[OrganizationId, str]] = []

    async def investigate(self, command: Investigate, caller: Caller, progress: Watch = unwatched) -> Investigated:
        """Read all evidence, conclude, and store the record with the case.

        Raises NotFoundError without the case, PreconditionFailedError where it has ended. Files that cannot be read are
        named in the record's coverage and do not stop the rest.
        """
        entry = (caller.organization, command.case_id)
        self._under_way.append(entry)
        try:
            return await self._investigate(command, caller, progress)
        finally:
            self._under_way.remove(entry)

    def under_way(self, case_id: str, caller: Caller) -> bool:
        """Whether this process is at a case's evidence already."""
        return (caller.organization, case_id) in self._under_way

    async def _investigate(self, command: Investigate, caller: Caller, progress: Watch) -> Investigated:
        case = await self._cases.begin(BeginInvestigation(command.case_id, command.question), caller.step("begin"))
        async with (
            self._evidence.checkout(case.case_id, caller) as files,
            self._runner.run(files.inputs, Options(fast=command.fast)) as run,
        ):
            found = []
            async for event in run:
                progress(event)
                if isinstance(event, Extracted):
                    found.append(event)
            # Judging may take seconds; in a thread the loop stays free for cancellation and for other cases.
            record, exhibits = await asyncio.to_thread(self._conclude, found, case, command, run)
        await self._evidence.keep_reading(KeepReading(case.case_id, _readings(found, files)), caller.step("reading"))
        stored = await self._cases.store(
            StoreRecord(case.case_id, record, codec.encode(exhibits)), caller.step("store")
        )
        report = await self.report(ReadReport(case.case_id), caller)
        return Investigated(stored, report)

    async def announce(self, done: Investigated, caller: Caller) -> None:
        """Tell a conversation that there is of what was found outside of its turns, once for each record."""
        if done.case.current_turn == 0:
            return
        from faultmaven_core.investigation.announcing import announcement

        once = replace(caller, request_key=f"announce/{done.case.case_id}/{done.case.records}")
        await self._cases.notify(AddNotice(done.case.case_id, announcement(done.record)), once)

    async def report(self, command: ReadReport, caller: Caller) -> RcaRecord:
        """The last record of a case, as a person's judgement leaves it."""
        return (await self._cases.report(command, caller)).record

    async def exhibits(self, command: ReadReport, caller: Caller) -> Exhibits:
        """What reports show of the evidence, as it was when the last record was made. Holds secrets: mask before export."""
        return codec.restore(Exhibits, (await self._cases.report(command, caller)).exhibits)

    async def guidance(self, command: ReadGuidance, caller: Caller) -> Guidance:
        """What the organization knows about the last record. May hold secrets: mask before export.

        What cannot be asked now is said in its notes. Raises InvalidInputError on a scope that is none.
        """
        case = await self._cases.show(ShowCase(command.case_id), caller)
        record = await self.report(ReadReport(command.case_id), caller)
        scopes = dict.fromkeys(("global", "personal", f"case:{case.case_id}", *command.scopes))
        return await self._adviser.advise(case, record, tuple(scopes), caller)

    async def render(self, command: RenderReport, caller: Caller) -> RenderedReport:
        """The last record as a report. form: md | html | json; secrets are masked unless the caller wants them."""
        form = choice(_Form, "form", command.form)
        stored = await self._cases.report(ReadReport(command.case_id), caller)
        record, exhibits = stored.record, codec.restore(Exhibits, stored.exhibits)
        guidance = await self.guidance(ReadGuidance(command.case_id, command.scopes), caller)
        if command.redact:
            from faultmaven_core.analysis.exhibits import redacted

            record, exhibits, guidance = await asyncio.to_thread(redacted, record, exhibits, guidance)
        if form is _Form.JSON:
            return RenderedReport(command.form, codec.encode(record).decode(), guidance)
        values, known = codec.to_builtins(record), codec.to_builtins(guidance)
        text = await asyncio.to_thread(self._renderer.render, values, exhibits, ReportForm(command.form), known)
        return RenderedReport(command.form, text, guidance)

    def _conclude(
        self, found: Sequence[Extracted], case: CaseView, command: Investigate, run: ExtractionRun
    ) -> tuple[RcaRecord, Exhibits]:
        # Imported here: the analysis and numpy are half of the start of a program that only lists its cases.
        from faultmaven_core.analysis.diagnose.conclude import Request, diagnose
        from faultmaven_core.analysis.exhibits import exhibits_of
        from faultmaven_core.analysis.mechanisms.load import mechanisms

        since, until = _window(command)
        request = Request(case.case_id, case.question, self._version, since, until, command.ignored)
        extractions = [event.extraction for event in found]
        record = diagnose(extractions, request, mechanisms(), run.read)
        return record, exhibits_of(record, run.read, extractions)


def _window(command: Investigate) -> tuple[float | None, float | None]:
    if command.around is None:
        return command.since, command.until
    since = command.around - AROUND if command.since is None else command.since
    return since, command.around + AROUND if command.until is None else command.until


def _readings(found: Sequence[Extracted], files: CheckedOut) -> tuple[Reading, ...]:
    """What was seen, by evidence; sources of one file in the order of their names."""
    seen: dict[str, list[Extracted]] = {}
    for event in sorted(found, key=lambda event: event.extraction.source.name):
        owner = files.owners.get((event.place.path, event.extraction.source.role))
        if owner:
            seen.setdefault(owner, []).append(event)
    return tuple(
        Reading(
            owner,
            tuple(_seen(event) for event in events),
            events[0].place.size,
            events[0].place.modified_ns,
        )
        for owner, events in sorted(seen.items())
    )


def _seen(event: Extracted) -> SeenSource:
    source = event.extraction.source
    return SeenSource(
        source.name,
        source.sha256,
        source.kind,
        source.size,
        source.lines,
        event.place.members,
        event.extraction.problems,
    )
