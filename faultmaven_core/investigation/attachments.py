"""What comes with a turn: kept as evidence, once; and told of as what it was found to be."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType

from faultmaven_core.cases.commands import CaseView
from faultmaven_core.evidence.commands import (
    AddContent,
    DeleteEvidence,
    EvidenceView,
    ListEvidence,
    ShowEvidence,
    SourceView,
)
from faultmaven_core.investigation.ports import EvidenceReader
from faultmaven_core.investigation.turn_commands import Attachment, AttachmentView, TakeTurn
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import NotFoundError
from faultmaven_core.shared.file_names import file_name
from faultmaven_core.shared.page import MOST

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


class AttachmentDesk:
    """Keeps what comes with turns, and looks what was found in it."""

    def __init__(self, evidence: EvidenceReader) -> None:
        self._evidence = evidence

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
    ) -> tuple[Attached, ...]:
        """Keep everything that comes with a turn.

        Raises TooLargeError where a file is over the limit, PreconditionFailedError where the case has ended.
        """
        before = {item.evidence_id: item for item in await self.held(case.case_id, caller)}
        turn = case.current_turn + 1
        taken: list[Attached] = []
        for number, (attachment, origin) in enumerate(_coming(command, files, turn)):
            # The turn's number is in the steps' keys: taken again after another turn, it brings the files to its new place.
            added = await self._evidence.add_content(
                AddContent(case.case_id, attachment.name, origin=origin, turn=turn, details=_details(command)),
                attachment.chunks,
                caller.step(f"file{turn}.{number}"),
            )
            same = next((one for one in before.values() if one.sha256 and one.sha256 == added.sha256), None)
            if same is not None and same.evidence_id != added.evidence_id:
                with suppress(NotFoundError):  # a turn that is tried again has done it already
                    again = DeleteEvidence(case.case_id, added.evidence_id)
                    await self._evidence.delete(again, caller.step(f"same{turn}.{number}"))
                taken.append(Attached(same, attachment.name, same))
            else:
                before[added.evidence_id] = added
                taken.append(Attached(added, attachment.name))
        return tuple(taken)

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
