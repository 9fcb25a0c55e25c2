"""What is known already: passages that are about what was found, and confirmed cases with the checks they needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from faultmaven import FaultMaven
from faultmaven_contract_tests.samples import record as sample
from faultmaven_core.analysis.model import Category, Verdict
from faultmaven_core.analysis.record import (
    Action,
    CheckView,
    EntityView,
    EvidenceNeed,
    Finding,
    HypothesisView,
    PredictionView,
    RcaRecord,
)
from faultmaven_core.cases import commands as c
from faultmaven_core.investigation.commands import Guidance
from faultmaven_core.investigation.guidance import MOST_COMPARED, Adviser
from faultmaven_core.investigation.ports import KnowledgeSearch
from faultmaven_core.knowledge.commands import (
    Coverage,
    Explanation,
    KnowledgeHit,
    SearchKnowledge,
    SearchResult,
    Snippet,
)
from faultmaven_core.knowledge.questions import MOST_TEXT
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import (
    BackendUnavailableError,
    CorruptDataError,
    FaultMavenError,
    InvalidInputError,
    MisconfiguredError,
)

API = EntityView("workload", "api", "shop")
DB = EntityView("database", "orders", "shop")
SCOPES = ("global", "personal")


def found(mechanism: str, statement: str, entity: EntityView = API, **changes: object) -> RcaRecord:
    """A record with this root cause."""
    base = sample()
    assert base.root_cause is not None
    cause = replace(base.root_cause, mechanism_id=mechanism, statement=statement, entity=entity, mechanism="")
    leading = HypothesisView(
        1,
        entity,
        Category.RESOURCE_EXHAUSTION,
        mechanism,
        statement,
        0.8,
        "leading",
        (
            PredictionView("memory use rose to the limit", "met", ()),
            PredictionView("the node was short of memory", "failed", ()),
        ),
        (),
    )
    whole = replace(base, verdict=Verdict.PROBABLE, root_cause=cause, hypotheses=(leading,))
    return replace(whole, **changes)  # type: ignore[arg-type]  # fields by name


OOM = found(
    "kubernetes.out_of_memory",
    "Workload api: container app was OOMKilled, it used more than its memory limit.",
    actions=(Action("Raise the memory limit of the container.", "kubernetes.out_of_memory"),),
    evidence_needs=(EvidenceNeed("memory use", "", ("kubectl top pod",), "it rises to the limit", ()),),
)


def hit(
    document: str = "doc_a",
    terms: Sequence[str] = (),
    names: Sequence[str] = (),
    cosine: float = 0.0,
    title: str = "OOM",
) -> KnowledgeHit:
    """A hit with an explanation."""
    why = Explanation(1, 2.0, tuple(terms), 1, cosine, tuple(names), 0.5, 0.5)
    snippet = Snippet("Raise the limit.", ((0, 5),))
    return KnowledgeHit(document, title, "oom.md", "global", ("Mitigation",), 4, 20, snippet, 1.0, "", why)


@dataclass
class Shelf(KnowledgeSearch):
    """Answers every question alike, and keeps the questions."""

    hits: tuple[KnowledgeHit, ...] = ()
    notes: tuple[str, ...] = ()
    down: FaultMavenError | None = None
    down_for_good: bool = False
    asked: list[SearchKnowledge] = field(default_factory=list)

    async def search(self, command: SearchKnowledge, caller: Caller) -> SearchResult:
        """See the port."""
        self.asked.append(command)
        if self.down is not None and (self.down_for_good or not command.lexical_only):
            raise self.down
        return SearchResult(self.hits, Coverage(7, 7, "used", self.notes))


async def case_with(fm: FaultMaven, record: RcaRecord, question: str, judgement: str = "") -> c.CaseView:
    """A case with a record that a person judged, or did not."""
    case = await fm.cases.open(c.OpenCase(question), fm.caller)
    await fm.cases.begin(c.BeginInvestigation(case.case_id), fm.caller)
    view = await fm.cases.store(c.StoreRecord(case.case_id, replace(record, case_id=case.case_id), b"{}"), fm.caller)
    if judgement == "confirmed":
        return await fm.cases.confirm(c.ConfirmCause(case.case_id), fm.caller)
    if judgement == "rejected":
        return await fm.cases.reject(c.RejectCause(case.case_id, "it was something else"), fm.caller)
    return view


async def advised(fm: FaultMaven, case: c.CaseView, record: RcaRecord, shelf: Shelf | None = None) -> Guidance:
    """Guidance for a record."""
    return await Adviser(fm.cases, shelf or Shelf()).advise(case, record, SCOPES, fm.caller)


# Similar cases.


async def test_confirmed_cases_are_offered_with_the_checks_they_needed(fm: FaultMaven) -> None:
    """What was to be run, what was seen, and what was to be done."""
    past = await case_with(fm, OOM, "Why does api restart?", "confirmed")
    present = await case_with(fm, OOM, "api restarts again")
    told = await advised(fm, present, OOM)
    (similar,) = told.similar
    assert (similar.case_id, similar.cause, told.compared) == (past.case_id, past.cause, 1)
    assert similar.reasons[0] == "the same mechanism (kubernetes.out_of_memory)"
    assert similar.reasons[1] == "the same workload shop/api"
    assert similar.reasons[2].startswith("words in common: ")
    assert OOM.root_cause is not None
    assert similar.checks == (OOM.root_cause.confirm, CheckView("kubectl top pod", "it rises to the limit"))
    assert similar.signs == ("memory use rose to the limit",)
    assert similar.remedies == ("Raise the memory limit of the container.",)


async def test_only_what_a_person_confirmed_is_offered(fm: FaultMaven) -> None:
    """A cause that nobody looked at, or that was wrong, teaches nothing."""
    await case_with(fm, OOM, "Why does api restart?")
    await case_with(fm, OOM, "Why does api restart?", "rejected")
    present = await case_with(fm, OOM, "Why does api restart?", "confirmed")
    told = await advised(fm, present, OOM)
    assert (told.similar, told.compared) == ((), 0)


async def test_another_organizations_cases_are_none(fm: FaultMaven, foreigner: Caller) -> None:
    """Their confirmed causes are neither told nor counted."""
    await case_with(fm, OOM, "Why does api restart?", "confirmed")
    case = await fm.cases.open(c.OpenCase("Why does api restart?"), foreigner)
    told = await Adviser(fm.cases, Shelf()).advise(case, OOM, SCOPES, foreigner)
    assert (told.similar, told.compared) == ((), 0)


async def test_the_likest_come_first(fm: FaultMaven) -> None:
    """The mechanism tells more than the thing that broke, and that more than words; what has little in common is left out."""
    words = await case_with(
        fm, found("app.leak", "Cache grows: OOMKilled beyond its memory limit.", DB), "container restarts", "confirmed"
    )
    thing = await case_with(fm, found("network.policy", "Traffic is denied.", API), "timeouts", "confirmed")
    same = await case_with(
        fm, found("kubernetes.out_of_memory", "Ledger was killed.", DB), "ledger is gone", "confirmed"
    )
    await case_with(fm, found("tls.expired", "The certificate of mail has expired.", DB), "mail bounces", "confirmed")
    present = await case_with(fm, OOM, "container restarts")
    told = await advised(fm, present, OOM)
    assert [one.case_id for one in told.similar] == [same.case_id, thing.case_id, words.case_id]
    assert told.compared == 4


async def test_without_a_cause_the_symptoms_are_compared(fm: FaultMaven) -> None:
    """That is when a past case helps most."""
    past = await case_with(fm, OOM, "Why does api restart?", "confirmed")
    finding = Finding("symptom", "error", API, "container app was OOMKilled, memory at its limit", ())
    unsure = replace(OOM, verdict=Verdict.INSUFFICIENT_EVIDENCE, root_cause=None, hypotheses=(), findings=(finding,))
    present = await case_with(fm, unsure, "Why does api restart?")
    told = await advised(fm, present, unsure)
    assert [one.case_id for one in told.similar] == [past.case_id]


async def test_a_case_that_cannot_be_read_is_said(fm: FaultMaven, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is offered without its checks, and the rest is not held up."""
    past = await case_with(fm, OOM, "Why does api restart?", "confirmed")
    present = await case_with(fm, OOM, "Why does api restart?")
    monkeypatch.setattr("faultmaven_core.cases.service.hashlib.sha256", lambda _: _Digest())
    told = await advised(fm, present, OOM)
    assert [(one.case_id, one.checks) for one in told.similar] == [(past.case_id, ())]
    assert told.notes == (f"The stored record of {past.case_id} was changed after it was stored.",)


class _Digest:
    def hexdigest(self) -> str:
        """Of other bytes."""
        return "0" * 64


async def test_many_cases_are_compared_up_to_a_bound(fm: FaultMaven, monkeypatch: pytest.MonkeyPatch) -> None:
    """And where there are more, that is said."""
    for number in range(5):
        await case_with(fm, OOM, f"Why does api restart? {number}", "confirmed")
    present = await case_with(fm, OOM, "Why does api restart?")
    monkeypatch.setattr("faultmaven_core.investigation.guidance.MOST", 2)
    monkeypatch.setattr("faultmaven_core.investigation.guidance.MOST_COMPARED", 3)
    told = await advised(fm, present, OOM)
    assert (told.compared, told.notes) == (4, ("Only the newest 4 confirmed cases were compared.",))
    assert MOST_COMPARED >= 1000


# Knowledge.


@pytest.mark.parametrize(
    ("one", "because"),
    [
        (hit(names=["oomkilled"]), "it names oomkilled"),
        (
            hit(terms=["memory", "limit", "container", "oomkilled", "used"]),
            "it is about memory, limit, container, oomkilled, used",
        ),
        (hit(cosine=0.71), "it means much the same (0.71 of 1)"),
        (hit(terms=["memory"], cosine=0.3), ""),
        (hit(), ""),
    ],
)
async def test_only_passages_about_the_cause_are_cited(fm: FaultMaven, one: KnowledgeHit, because: str) -> None:
    """A search always finds something; what merely shares a word is no citation."""
    present = await case_with(fm, OOM, "Why does api restart?")
    told = await advised(fm, present, OOM, Shelf((one,)))
    assert [cited.because for cited in told.runbooks] == ([because] if because else [])


async def test_remedies_are_cited_too(fm: FaultMaven) -> None:
    """Each with the passage that tells how; a document is cited once for one sentence."""
    hits = (
        hit("doc_a", ["raise", "memory", "limit", "container", "oomkilled", "app"]),
        hit("doc_a", names=["oomkilled"]),
        hit("doc_b", names=["x"]),
    )
    present = await case_with(fm, OOM, "Why does api restart?")
    told = await advised(fm, present, OOM, Shelf(hits))
    assert [cited.document_id for cited in told.runbooks] == ["doc_a", "doc_b"]
    (remedy,) = told.remedies
    assert remedy.action == "Raise the memory limit of the container."
    assert [cited.document_id for cited in remedy.citations] == ["doc_a"]
    assert (told.documents, told.notes) == (7, ())


async def test_all_questions_name_their_scopes(fm: FaultMaven) -> None:
    """And ask for the reasons."""
    shelf = Shelf()
    await advised(fm, await case_with(fm, OOM, "q"), OOM, shelf)
    assert len(shelf.asked) == 2
    assert all(one.scopes == SCOPES and one.explain for one in shelf.asked)


async def test_vectors_that_are_down_are_done_without_and_said(fm: FaultMaven) -> None:
    """Words and names still find."""
    shelf = Shelf((hit(names=["oomkilled"]),), down=BackendUnavailableError("The vector store cannot be reached."))
    told = await advised(fm, await case_with(fm, OOM, "q"), OOM, shelf)
    assert len(told.runbooks) == 1
    assert told.notes == ("Knowledge was searched by words alone: The vector store cannot be reached.",)


@pytest.mark.parametrize("kind", [MisconfiguredError, CorruptDataError])
async def test_knowledge_that_is_set_up_wrongly_fails_no_investigation(
    fm: FaultMaven, kind: type[FaultMavenError]
) -> None:
    """A model that is not installed, an index that is damaged: said, and done without."""
    case = await case_with(fm, OOM, "Why?")
    told = await advised(fm, case, OOM, Shelf(down=kind("It is not there."), down_for_good=True))
    assert told.notes == ("Knowledge could not be searched: It is not there.",)


async def test_a_question_that_is_too_long_for_a_search_is_asked_by_its_beginning(fm: FaultMaven) -> None:
    """A case's question may be longer than a search takes."""
    shelf = Shelf()
    record = found("kubernetes.out_of_memory", "It was killed. " * 2000)
    await advised(fm, await case_with(fm, record, "Why?"), record, shelf)
    assert max(len(command.text) for command in shelf.asked) == MOST_TEXT


async def test_knowledge_that_is_down_is_said_and_never_an_empty_list(fm: FaultMaven) -> None:
    """Similar cases are told all the same."""
    past = await case_with(fm, OOM, "Why does api restart?", "confirmed")
    shelf = Shelf(down=BackendUnavailableError("The database cannot be reached."), down_for_good=True)
    told = await advised(fm, await case_with(fm, OOM, "Why does api restart?"), OOM, shelf)
    assert (told.runbooks, told.remedies, told.documents) == ((), (), None)
    assert told.notes == ("Knowledge could not be searched: The database cannot be reached.",)
    assert [one.case_id for one in told.similar] == [past.case_id]


async def test_what_a_search_says_of_itself_is_passed_on_once(fm: FaultMaven) -> None:
    """However many questions were asked."""
    told = await advised(
        fm, await case_with(fm, OOM, "q"), OOM, Shelf(notes=("3 of 7 documents are not embedded yet.",))
    )
    assert told.notes == ("3 of 7 documents are not embedded yet.",)


async def test_where_nothing_is_wrong_nothing_is_asked(fm: FaultMaven) -> None:
    """A healthy system needs no runbook."""
    healthy = replace(sample(), verdict=Verdict.HEALTHY, root_cause=None, hypotheses=(), findings=(), actions=())
    shelf = Shelf((hit(names=["x"]),))
    told = await advised(fm, await case_with(fm, healthy, "Is all well?"), healthy, shelf)
    assert (told.runbooks, shelf.asked) == ((), [])


async def test_a_scope_that_is_none_is_the_callers_mistake(fm: FaultMaven) -> None:
    """And told as such."""

    class Strict(Shelf):
        async def search(self, command: SearchKnowledge, caller: Caller) -> SearchResult:
            raise InvalidInputError("'nowhere' is no scope.")

    with pytest.raises(InvalidInputError):
        await advised(fm, await case_with(fm, OOM, "q"), OOM, Strict())
