"""What an organization knows already about what was found: passages of its knowledge, and past cases like this one.

It stands beside the record and never in it: the record follows from the evidence alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from faultmaven_core.analysis.record import CheckView, RcaRecord
from faultmaven_core.cases.commands import CaseView, ListCases, ReadReport
from faultmaven_core.cases.model import Judgement
from faultmaven_core.investigation import citing
from faultmaven_core.investigation.commands import CitedRemedy, Guidance, SimilarCase
from faultmaven_core.investigation.ports import CaseBook, KnowledgeSearch
from faultmaven_core.investigation.similar import Likeness, alike, story_of
from faultmaven_core.knowledge.commands import KnowledgeHit, SearchKnowledge
from faultmaven_core.knowledge.questions import MOST_TEXT
from faultmaven_core.ports.vectors import CollectionMismatchError
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import (
    BackendError,
    CorruptDataError,
    MisconfiguredError,
    NotFoundError,
    RateLimitedError,
)
from faultmaven_core.shared.page import MOST

MOST_CITED = 3
"""Passages for the root cause; who wants more searches."""
MOST_REMEDIES = 3
MOST_SIMILAR = 3
MOST_COMPARED = 2_000
"""Confirmed cases that are compared, the newest."""
MOST_CHECKS = 3
HITS = 10
"""Passages that are looked at; of these only a few are about the sentence."""

_DOWN = (BackendError, RateLimitedError, MisconfiguredError, CorruptDataError, CollectionMismatchError)


@dataclass(slots=True)
class _Told:
    """What searches said of themselves, each sentence once."""

    documents: int | None = None
    notes: dict[str, None] = field(default_factory=dict)


class Adviser:
    """Looks for guidance. What cannot be asked is said in its notes; nothing of it fails an investigation."""

    def __init__(self, cases: CaseBook, knowledge: KnowledgeSearch) -> None:
        self._cases, self._knowledge = cases, knowledge

    async def advise(self, case: CaseView, record: RcaRecord, scopes: tuple[str, ...], caller: Caller) -> Guidance:
        """Guidance for a record. Raises InvalidInputError on a scope that is none, NotFoundError on another's case."""
        told = _Told()
        found = await self._hits(citing.asked(record), scopes, caller, told)
        own = citing.own_words(record)
        runbooks = citing.citations(found, citing.said(record), own, MOST_CITED)
        remedies = []
        for action in record.actions[:MOST_REMEDIES]:
            hits = await self._hits(action.text, scopes, caller, told)
            if cited := citing.citations(hits, action.text, own, 1):
                remedies.append(CitedRemedy(action.text, cited))
        similar, compared = await self._similar(case, record, caller, told)
        return Guidance(runbooks, tuple(remedies), similar, told.documents, compared, tuple(told.notes))

    async def _hits(self, text: str, scopes: tuple[str, ...], caller: Caller, told: _Told) -> tuple[KnowledgeHit, ...]:
        if not text:
            return ()
        text = text[:MOST_TEXT]  # a case's question may be longer than one for a search
        command = SearchKnowledge(text, scopes, limit=HITS, explain=True)
        try:
            try:
                result = await self._knowledge.search(command, caller)
            except _DOWN as error:
                words_only = SearchKnowledge(text, scopes, limit=HITS, lexical_only=True, explain=True)
                result = await self._knowledge.search(words_only, caller)
                told.notes[f"Knowledge was searched by words alone: {error}"] = None
        except _DOWN as error:
            told.notes[f"Knowledge could not be searched: {error}"] = None
            return ()
        told.documents = result.coverage.documents
        # Without a model this is how it is set up, and said where it is asked for.
        if result.coverage.vectors == "used":
            told.notes |= dict.fromkeys(result.coverage.notes)
        return result.hits

    async def _similar(
        self, case: CaseView, record: RcaRecord, caller: Caller, told: _Told
    ) -> tuple[tuple[SimilarCase, ...], int]:
        past: list[CaseView] = []
        after: str | None = None
        while len(past) < MOST_COMPARED:
            asked = ListCases(judgement=str(Judgement.CONFIRMED), after=after, limit=MOST, archived=True)
            page = await self._cases.list(asked, caller)
            past += [one for one in page.items if one.case_id != case.case_id]
            after = page.next
            if after is None:
                break
        if after is not None:
            told.notes[f"Only the newest {len(past)} confirmed cases were compared."] = None
        likely = alike(story_of(case, record), past, MOST_SIMILAR)
        found = [await self._told(one, caller, told) for one in likely]
        return tuple(one for one in found if one is not None), len(past)

    async def _told(self, likeness: Likeness, caller: Caller, told: _Told) -> SimilarCase | None:
        """With the checks of its record; None where it was deleted meanwhile."""
        case = likeness.case
        try:
            record = (await self._cases.report(ReadReport(case.case_id), caller)).record
        except NotFoundError:
            return None
        except CorruptDataError as error:
            told.notes[str(error)] = None
            return SimilarCase(case.case_id, case.title, case.cause, case.status, likeness.reasons)
        cause = record.root_cause
        checks = (cause.confirm,) if cause and (cause.confirm.command or cause.confirm.expect) else ()
        needs = [CheckView(command, need.expected) for need in record.evidence_needs for command in need.commands[:1]]
        leading = next((one for one in record.hypotheses if one.status == "leading"), None)
        signs = [one.text for one in leading.predictions if one.status == "met"] if leading else []
        return SimilarCase(
            case.case_id,
            case.title,
            case.cause,
            case.status,
            likeness.reasons,
            (*checks, *needs)[:MOST_CHECKS],
            tuple(signs[:MOST_CHECKS]),
            tuple(action.text for action in record.actions[:MOST_REMEDIES]),
        )
