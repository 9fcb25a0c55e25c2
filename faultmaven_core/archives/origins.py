"""What was somebody else's becomes one's own: ids made anew, persons marked as those of another place, texts checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from faultmaven_core.analysis.model import Verdict
from faultmaven_core.archives.model import ArchivedEvidence, Manifest
from faultmaven_core.archives.unpacking import refused
from faultmaven_core.cases import journal
from faultmaven_core.cases.conversation import MOST_ANSWER
from faultmaven_core.cases.dialogue import Message
from faultmaven_core.cases.editing import MOST_DESCRIPTION, MOST_TITLE
from faultmaven_core.cases.journal import JournalEntry
from faultmaven_core.cases.metadata import checked_metadata
from faultmaven_core.cases.milestones import MILESTONES
from faultmaven_core.cases.model import TERMINAL, Case, ClosureReason
from faultmaven_core.cases.service import MOST_QUESTION, MOST_SOURCE
from faultmaven_core.evidence.model import Custody, Evidence, SeenSource
from faultmaven_core.evidence.service import MOST_KIND, MOST_NAME, MOST_ORIGIN
from faultmaven_core.evidence.uploads import checked_details, checked_digest
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.file_names import file_name
from faultmaven_core.shared.ids import CaseId, Ids, OrganizationId, UserId, case_id, evidence_id, message_id
from faultmaven_core.shared.text import checked

ELSEWHERE = "imported:"
"""Stands before the id of whoever did something where the case came from: it is no user of here."""

MOST_DEPTH = 40
MOST_VERSION = 64
MOST_NUMBER = 2**53
FIRST_YEAR = 1970
"""In UTC, as databases keep times: not all keep earlier ones."""

_ANEW: Mapping[str, Any] = {"version": 1, "teams": (), "archived_at": None}
"""What a case does not bring along, beside its ids, its owner and its organization."""

_REASONS = frozenset(("", *ClosureReason))
_VERDICTS = frozenset(("", *Verdict))
_KIND = re.compile(r"[a-z][a-z_]{0,63}")
_ID = re.compile(r"\b(?:case|ev|msg)_[0-9a-f]{12}\b")


class Renaming:
    """The ids of an archive, and those that are given for them here."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._known: dict[str, str] = {}

    def given(self, old: str, new: str) -> None:
        """From now on `new` stands where `old` stood."""
        self._known[old] = new

    def __call__(self, value: Any) -> Any:
        """A text, or a value with texts in it, with the ids that are known by now."""
        if isinstance(value, str):
            return _ID.sub(lambda found: self._known.get(found[0], found[0]), value)
        if isinstance(value, Mapping):
            return {key: self(below) for key, below in value.items()}
        if isinstance(value, list | tuple):
            return [self(below) for below in value]
        return value


def elsewhere(person: str) -> UserId:
    """Somebody of the place that the case came from; "" is nobody."""
    return UserId(f"{ELSEWHERE}{person.removeprefix(ELSEWHERE)}"[:128]) if person else UserId("")


def manifest_of(manifest: Manifest, happened: Sequence[JournalEntry]) -> None:
    """Raises InvalidInputError where a manifest says of itself what none of ours says: it is told in the new journal."""
    last = happened[-1].digest if happened else journal.GENESIS
    if manifest.journal != last:
        raise refused("its journal does not end where its manifest says: entries are missing, or others were added")
    if not _ID.fullmatch(manifest.case_id):
        raise refused("its manifest names a case as none is called")
    Caller(OrganizationId(manifest.organization), UserId(manifest.exported_by))
    checked("version", manifest.version, most=MOST_VERSION)
    _zoned(manifest.exported_at)


def case_of(found: Case, manifest: Manifest, key: UUID, messages: int, now: datetime, caller: Caller) -> Case:
    """The case as the caller's own. Raises InvalidInputError where it is none that could have come to be."""
    ended = found.status in TERMINAL
    if found.id != manifest.case_id or found.deleted_at is not None:
        raise refused("the case is not the one that its manifest names")
    if ended != bool(found.closure_reason) or ended != bool(found.closed_at) or found.closure_reason not in _REASONS:
        raise refused("the case has ended for no reason that is known, or has not ended for one")
    if found.messages != messages or not 0 <= found.turns <= messages or not 0 <= found.records < MOST_NUMBER:
        raise refused("the case counts other messages than it has")
    if found.verdict not in _VERDICTS or len(found.source) > MOST_SOURCE:
        raise refused("the case has a verdict or a source that is none")
    told = found.figures
    if not set(told.milestones) <= MILESTONES.keys() or len(told.milestones) > len(MILESTONES):
        raise refused("the case has reached milestones that there are not")
    if not all(0 <= number < MOST_NUMBER for number in (told.hypotheses, told.solutions, found.dialogue.idle)):
        raise refused("the case counts what cannot be counted")
    _zoned(found.created_at, found.closed_at, *(step.at for step in found.history))
    plain(found)
    checked_metadata(found.metadata)
    return replace(
        found,
        **_ANEW,
        key=key,
        id=case_id(key),
        organization=caller.organization,
        owner=caller.user,
        title=checked("title", found.title, most=MOST_TITLE, least=1),
        question=checked("question", found.question, most=MOST_QUESTION),
        description=checked("description", found.description, most=MOST_DESCRIPTION),
        updated_at=now,
        history=tuple(replace(step, by=elsewhere(step.by)) for step in found.history),
    )


def messages_of(found: Sequence[Message], case: Case, rename: Renaming, ids: Ids) -> list[Message]:
    """The conversation; its persons are those of elsewhere. Raises InvalidInputError where it is none."""
    keys = [ids.new() for _ in found]
    for message, key in zip(found, keys, strict=True):
        rename.given(message.id, message_id(key))
    made = []
    for number, (message, key) in enumerate(zip(found, keys, strict=True), 1):
        if message.sequence != number or not 0 <= message.turn <= case.turns:
            raise refused(f"message {number} stands in the wrong place")
        _zoned(message.at)
        plain(message)
        made.append(
            replace(
                message,
                key=key,
                id=message_id(key),
                case_id=case.id,
                author=elsewhere(message.author),
                text=checked("text", rename(message.text), most=MOST_ANSWER, least=1),
                metadata=rename(message.metadata),
            )
        )
    return made


def journal_of(found: Sequence[JournalEntry], case: Case, rename: Renaming, ids: Ids) -> list[JournalEntry]:
    """What happened elsewhere, as the beginning of the case's journal. Raises InvalidInputError where a link is broken."""
    if not journal.intact(found) or any(entry.case_id != found[0].case_id for entry in found):
        raise refused("its journal was changed after it was written")
    made: list[JournalEntry] = []
    for entry in found:
        _zoned(entry.at)
        plain(entry)
        if not _KIND.fullmatch(entry.kind):
            raise refused(f"an entry of its journal is called {entry.kind[:60]!r}")
        last = made[-1] if made else None
        made.append(
            journal.following(
                last,
                case.id,
                ids.new(),
                entry.at.astimezone(UTC),
                elsewhere(entry.actor),
                entry.kind,
                rename(entry.detail),
            )
        )
    return made


def evidence_of(found: ArchivedEvidence, size: int, key: UUID, case: CaseId, caller: Caller) -> Evidence:
    """A piece of evidence that is the caller's, without its content. Raises InvalidInputError where it is none.

    Who brings it counts as who added it: it is held against his quota.
    """
    item = found.item
    _zoned(item.added_at)
    plain(item)
    for number in (item.turn, *(n for source in item.sources for n in (source.size, source.lines))):
        if not 0 <= number < MOST_NUMBER:
            raise refused(f"{item.name[:200]} counts what cannot be counted")
    return Evidence(
        key,
        evidence_id(key),
        caller.organization,
        case,
        "/".join(file_name(part) for part in item.name[:MOST_NAME].split("/") if part) or file_name(""),
        item.role,
        Custody.COPY if found.path else Custody.REFERENCE,
        item.added_at,
        caller.user,
        size=size,
        kind=checked("kind", item.kind, most=MOST_KIND),
        problem=item.problem if found.path else item.problem or "The file was not in the archive.",
        sources=tuple(_source(source) for source in item.sources) if found.path else (),
        turn=item.turn,
        origin=checked("origin", item.origin, most=MOST_ORIGIN),
        details=checked_details(item.details),
    )


def plain(value: object, depth: int = MOST_DEPTH) -> None:
    """Raises InvalidInputError where a value holds a text that no database keeps, or more levels than anything has."""
    if depth == 0:
        raise refused("something in it is nested too deep")
    if isinstance(value, str):
        checked("text", value, most=MOST_ANSWER)
    elif isinstance(value, Mapping):
        for name, below in value.items():
            plain(name, depth - 1)
            plain(below, depth - 1)
    elif isinstance(value, list | tuple):
        for below in value:
            plain(below, depth - 1)
    elif is_dataclass(value):
        for field in fields(value):
            plain(getattr(value, field.name), depth - 1)


def _source(source: SeenSource) -> SeenSource:
    checked_digest(source.sha256)
    return source


def _zoned(*moments: datetime | None) -> None:
    for moment in moments:
        try:
            if moment is None or (moment.tzinfo and moment.astimezone(UTC).year >= FIRST_YEAR):
                continue
        except OverflowError:  # its zone puts it before all years, or behind them
            pass
        raise refused("one of its times has no zone, or is from before there were computers or behind the last year")
