"""What comes with a turn: kept as evidence, once; and told of as what it was found to be."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType

from faultmaven_core.cases.commands import CaseView, ShowCase
from faultmaven_core.cases.turn_commands import ReadMessages
from faultmaven_core.evidence.commands import (
    AddContent,
    DeleteEvidence,
    EvidenceView,
    ListEvidence,
    ShowEvidence,
    SourceView,
)
from faultmaven_core.investigation.ports import CaseBook, EvidenceReader
from faultmaven_core.investigation.receiving import refused
from faultmaven_core.investigation.turn_commands import Attachment, AttachmentView, Brought, TakeTurn
from faultmaven_core.ports.writes import RequestKeyReusedError
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import FaultMavenError, NotFoundError
from faultmaven_core.shared.file_names import file_name
from faultmaven_core.shared.page import MOST

MOST_LOOKED = 100
"""Messages at the end of a conversation in which a turn of this moment would stand."""

_log = logging.getLogger(__name__)

ORIGINS = ("file_upload", "paste", "page_capture", "screenshot", "agent_generated")

_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "metrics_csv": "metrics",
        "prometheus_text": "metrics",
        "kubernetes_manifest": "configuration",
        "structured_config": "configuration",
        "json": "configuration",
        "diff": "code",
        "source_code": "code",
        "document": "text",
        "unanalyzable": "text",
    }
)
"""Classes that clients know, by kind; all others are logs."""

_IMAGE = re.compile(r"\.(?:png|jpe?g|gif|webp|bmp|tiff?)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attached:
    """A piece of evidence that came with the turn; `duplicate` is the one that has the same content already."""

    item: EvidenceView
    filename: str
    duplicate: EvidenceView | None = None
    fresh: bool = False

    def named(self) -> Brought:
        """It by its id."""
        return Brought(
            self.item.evidence_id, self.filename, self.duplicate.evidence_id if self.duplicate else "", self.fresh
        )


class AttachmentDesk:
    """Keeps what comes with turns, and looks what was found in it."""

    def __init__(self, cases: CaseBook, evidence: EvidenceReader) -> None:
        self._cases, self._evidence = cases, evidence

    async def held(self, case_id: str, caller: Caller) -> tuple[EvidenceView, ...]:
        """All evidence of a case, oldest first."""
        found: list[EvidenceView] = []
        after: str | None = None
        while True:
            page = await self._evidence.list(ListEvidence(case_id, after, MOST, quick=True), caller)
            found += page.items
            after = page.next
            if after is None:
                return tuple(found)

    async def take(
        self, case: CaseView, command: TakeTurn, files: Sequence[Attachment], caller: Caller
    ) -> tuple[Brought, ...]:
        """Keep everything that comes with a turn, or nothing of it.

        Raises TooLargeError where a file is over the limit, PreconditionFailedError where the case has ended.
        """
        before = {item.evidence_id: item for item in await self.held(case.case_id, caller)}
        taken: list[Brought] = []
        try:
            for attachment, origin in _coming(command, files, case.current_turn + 1):
                name = await self._step(f"file{case.version}.{len(taken)}", caller)
                step = caller.step(name)
                adding = AddContent(case.case_id, attachment.name, origin=origin, turn=case.current_turn + 1)
                adding = replace(adding, details=_details(command))
                added = await self._evidence.add_content(adding, attachment.chunks, step)
                now = [one.evidence_id for one in taken]
                taken.append(replace(await self._once(case, added, attachment.name, before, now, step), step=name))
        except FaultMavenError as error:
            if refused(error):
                await self.give_back(case.case_id, taken, caller)
            raise  # tried again, one that was not finds its files
        return tuple(taken)

    async def _step(self, name: str, caller: Caller) -> str:
        """The step under which a file comes: another one where what came under it was given back.

        The case's version is in the name: taken again on a case that has changed, a turn brings its files anew.
        """
        again = 0
        while await self._evidence.was_deleted(_back(f"{name}.{again}", caller)):
            again += 1
        return f"{name}.{again}"

    async def _once(
        self,
        case: CaseView,
        added: EvidenceView,
        name: str,
        before: dict[str, EvidenceView],
        now: Collection[str],
        step: Caller,
    ) -> Brought:
        """The piece, or that which has the same content: the case has it once."""
        same = next((one for one in before.values() if one.sha256 and one.sha256 == added.sha256), None)
        if same is None:
            before[added.evidence_id] = added
            return Brought(added.evidence_id, name, fresh=True)
        if same.evidence_id != added.evidence_id:
            with suppress(NotFoundError):  # a turn that is tried again has done it already
                await self._evidence.delete(DeleteEvidence(case.case_id, added.evidence_id), step.step("same"))
        # What a turn left that broke off was never told of: this turn brings it.
        left = same.turn > case.current_turn and same.evidence_id not in now
        return Brought(same.evidence_id, name, "" if left else same.evidence_id)

    async def brought(self, case: CaseView, brought: Sequence[Brought], caller: Caller) -> tuple[Attached, ...]:
        """What came with a turn, as it is now. Raises RequestKeyReusedError where a piece is not there any more."""
        held = {item.evidence_id: item for item in await self.held(case.case_id, caller)} if brought else {}
        if any(one.evidence_id not in held for one in brought):
            raise RequestKeyReusedError("A file of this turn was taken away meanwhile: send it again, under a new key.")
        return tuple(Attached(held[one.evidence_id], one.filename, held.get(one.duplicate_of)) for one in brought)

    async def give_back(self, case_id: str, brought: Sequence[Brought], caller: Caller) -> None:
        """Take off the case what came with a turn that is refused, but for what another turn told of meanwhile.

        What cannot be taken off now stays, as evidence that nobody asked about.
        """
        fresh = [one for one in brought if one.fresh]
        try:
            told = await self._told(case_id, caller) if fresh else set()
            for one in fresh:
                if one.evidence_id not in told:
                    with suppress(NotFoundError):  # somebody else did
                        deleting = DeleteEvidence(case_id, one.evidence_id)
                        await self._evidence.delete(deleting, _back(one.step, caller))
        except FaultMavenError as error:
            _log.warning("Files of a refused turn of %s stay with it: %s", case_id, error)

    async def _told(self, case_id: str, caller: Caller) -> set[str]:
        """The pieces that the last turns brought."""
        case = await self._cases.show(ShowCase(case_id), caller)
        page = await self._cases.messages(ReadMessages(case_id, max(0, case.message_count - MOST_LOOKED)), caller)
        return {named for message in page.messages for named in message.metadata.get("attachments", ())}

    async def unread(self, taken: Sequence[Attached], caller: Caller) -> bool:
        """Whether anything of it was never read: it is new, or the turn that brought it first broke off."""
        for one in taken:
            if one.duplicate is None:
                return True
            shown = await self._evidence.show(ShowEvidence(one.item.case_id, one.item.evidence_id), caller)
            if not shown.sources:
                return True
        return False

    async def described(self, case: CaseView, taken: Sequence[Attached], caller: Caller) -> tuple[AttachmentView, ...]:
        """What each was found to be, after it was read."""
        views = []
        for one in taken:
            detail = await self._evidence.show(ShowEvidence(case.case_id, one.item.evidence_id), caller)
            views.append(_view(one, detail.item, detail.sources))
        return tuple(views)


def _back(step: str, caller: Caller) -> Caller:
    """The caller for giving back what came under a step."""
    return caller.step(f"{step}/back")


def _coming(command: TakeTurn, files: Sequence[Attachment], turn: int) -> list[tuple[Attachment, str]]:
    origin = command.input_type if command.input_type in ORIGINS else "file_upload"
    coming = [
        (replace(file, name=file_name(file.name)), "page_capture" if origin == "page_capture" else "file_upload")
        for file in files
    ]
    if command.pasted_content:
        capture = command.input_type == "page_capture"
        name = f"{'page-capture' if capture else 'pasted-content'}-{turn}.txt"
        paste = Attachment(name, _once(command.pasted_content))
        coming.append((paste, "page_capture" if capture else "paste"))
    return coming


async def _once(text: str) -> AsyncIterator[bytes]:
    yield text.encode("utf-8", "replace")


def _details(command: TakeTurn) -> dict[str, str]:
    told = {"source_url": command.source_url}
    if command.observed_at is not None:
        told["observed_at"] = command.observed_at.isoformat()
    return {key: text for key, text in told.items() if text}


def _view(one: Attached, item: EvidenceView, sources: Sequence[SourceView]) -> AttachmentView:
    kinds = [source.kind for source in sources if source.sha256]
    kind = item.kind or (kinds[0] if kinds else "unanalyzable")
    problem = _problem(item, sources)
    return AttachmentView(
        item.evidence_id,
        item.evidence_id,
        one.filename,
        item.size,
        kind,
        "image" if _IMAGE.search(one.filename) else _CLASSES.get(kind, "logs"),
        item.origin or "file_upload",
        "failed" if problem else "completed" if sources else "pending",
        item.added_at,
        one.duplicate.evidence_id if one.duplicate else None,
        one.duplicate.turn if one.duplicate else None,
        problem,
    )


def _problem(item: EvidenceView, sources: Sequence[SourceView]) -> str:
    """Why nothing of it could be used; empty where something could."""
    if item.size == 0:
        return "The file is empty."
    if item.state != "available":
        return item.explanation
    if sources and not any(source.lines for source in sources):
        return next(
            (problem for source in sources for problem in source.problems), "Nothing in it can be read as text."
        )
    return ""
