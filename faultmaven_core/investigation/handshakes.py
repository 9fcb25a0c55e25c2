"""What a turn decides: the two handshakes of a case's life, and what clicks mean. A word is asked for before it counts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from faultmaven_core.analysis.record import HypothesisView, RcaRecord
from faultmaven_core.cases import model
from faultmaven_core.cases.commands import CaseView
from faultmaven_core.cases.dialogue import Dialogue, Gate
from faultmaven_core.cases.model import CaseStatus, ClosureReason, Judgement
from faultmaven_core.cases.titles import title_of
from faultmaven_core.cases.turn_commands import Decision
from faultmaven_core.investigation.markdown import plain
from faultmaven_core.investigation.progress import hypothesis_id
from faultmaven_core.investigation.questions import Question, Topic
from faultmaven_core.investigation.turn_commands import TakeTurn

MOST_STATEMENT = 1_000
STATEMENT_WORDS = 40

_NEXT = {
    CaseStatus.INQUIRY: (CaseStatus.INVESTIGATING, CaseStatus.CLOSED),
    CaseStatus.INVESTIGATING: (CaseStatus.RESOLVED, CaseStatus.CLOSED),
}


@dataclass(frozen=True, slots=True)
class Move:
    """What a turn changes, and sentences that say so. `settled` means that nothing else was asked."""

    dialogue: Dialogue
    decision: Decision = field(default_factory=Decision)
    said: tuple[str, ...] = ()
    settled: bool = False


def next_states(case: CaseView) -> tuple[str, ...]:
    """The states that a person may take the case to."""
    return tuple(map(str, _NEXT.get(CaseStatus(case.status), ())))


def move(case: CaseView, record: RcaRecord | None, command: TakeTurn, question: Question) -> Move:
    """What this turn decides. Unknown intents, and clicks that fit the case no more, decide nothing."""
    if case.status not in _NEXT:
        return Move(case.dialogue)
    gate, case = case.dialogue.gate, _unanswered(case)
    if command.intent_type == "status_transition":
        return _transition(case, command.intent_data)
    if command.intent_type == "hypothesis_action":
        return _judged(case, record, command.intent_data)
    agreed = _answer(command, question)
    if agreed is not None and gate is not Gate.NONE:
        return _answered(case, gate, agreed=agreed)
    if command.intent_type == "confirmation":
        return Move(case.dialogue, said=("There is nothing open that you could agree to.",), settled=True)
    if question.topic in {Topic.RESOLVE, Topic.CLOSE}:
        return _asked_to_end(case, CaseStatus.RESOLVED if question.topic is Topic.RESOLVE else CaseStatus.CLOSED)
    if case.status == CaseStatus.INQUIRY and question.names and question.topic in {Topic.GENERAL, Topic.SUMMARY}:
        return _stated(case, command.query)
    return Move(case.dialogue)


def reason_to_close(case: CaseView, given: object = "") -> ClosureReason:
    """Why a case is closed that is not resolved: what was said, else what the case shows."""
    if isinstance(given, str) and given in set(ClosureReason) - {ClosureReason.RESOLVED}:
        return ClosureReason(given)
    if case.status == CaseStatus.INQUIRY:
        return ClosureReason.INQUIRY_ONLY
    return ClosureReason.SOLUTION_DEFERRED if model.asserted_cause(case) else ClosureReason.INSUFFICIENT_EVIDENCE


def _unanswered(case: CaseView) -> CaseView:
    """The case for a turn that answers something else: anything but yes and no is the way out of what was asked.

    Except for a problem that was proposed, which stays proposed until the investigation is open.
    """
    if case.dialogue.gate is Gate.STATEMENT and case.status == CaseStatus.INQUIRY:
        return case
    return replace(case, dialogue=replace(case.dialogue, gate=Gate.NONE))


def _answer(command: TakeTurn, question: Question) -> bool | None:
    if command.intent_type == "confirmation":
        return command.intent_data.get("confirmation_value") is True
    return {Topic.YES: True, Topic.NO: False}.get(question.topic)


def _transition(case: CaseView, data: dict[str, Any]) -> Move:
    to = data.get("to_state")
    if to == case.status:
        return Move(case.dialogue)
    if to not in next_states(case):
        if case.status == CaseStatus.INQUIRY and to == CaseStatus.RESOLVED:
            told = (
                "This case was never investigated, so it cannot be resolved. It can be closed, or investigated first."
            )
        else:
            told = f"The case is {case.status} and cannot go to {plain(str(to))[:40]}."
        return Move(case.dialogue, said=(told,), settled=True)
    if to == CaseStatus.INVESTIGATING:
        dialogue = replace(case.dialogue, gate=Gate.NONE, agreed=bool(case.dialogue.statement))
        return Move(dialogue, Decision(str(to)), ("The investigation is open.",))
    if data.get("user_confirmed") is not True:
        return _asked_to_end(case, CaseStatus(str(to)))
    return _ended(case, CaseStatus(str(to)), data.get("closure_reason"))


def _ended(case: CaseView, to: CaseStatus, given: object = "") -> Move:
    reason = ClosureReason.RESOLVED if to is CaseStatus.RESOLVED else reason_to_close(case, given)
    told = (
        "The case is resolved."
        if to is CaseStatus.RESOLVED
        else f"The case is closed ({str(reason).replace('_', ' ')})."
    )
    return Move(
        replace(case.dialogue, gate=Gate.NONE),
        Decision(str(to), str(reason)),
        (f"{told} It cannot be changed any more; you can still ask about it.",),
        settled=True,
    )


def _asked_to_end(case: CaseView, to: CaseStatus) -> Move:
    if str(to) not in next_states(case):
        return _transition(case, {"to_state": str(to)})
    gate = Gate.RESOLVED if to is CaseStatus.RESOLVED else Gate.CLOSED
    told = "resolve this case" if gate is Gate.RESOLVED else "close this case without a solution"
    sure = f"Shall I {told}? Nothing can be added to it afterwards. Say yes or no; anything else leaves it open."
    return Move(replace(case.dialogue, gate=gate), said=(sure,), settled=True)


def _answered(case: CaseView, gate: Gate, *, agreed: bool) -> Move:
    free = replace(case.dialogue, gate=Gate.NONE)
    if gate is Gate.STATEMENT:
        if agreed:
            told = ("Good: that is the problem, and the investigation is open.",)
            return Move(replace(free, agreed=True), Decision(str(CaseStatus.INVESTIGATING)), told)
        told = ("Then tell me in a sentence what goes wrong, for whom, and since when.",)
        return Move(replace(free, statement=""), said=told, settled=True)
    if not agreed:
        return Move(free, said=("The case stays open.",), settled=True)
    return _ended(case, CaseStatus.RESOLVED if gate is Gate.RESOLVED else CaseStatus.CLOSED)


def _stated(case: CaseView, text: str) -> Move:
    """Take the text as the problem, if it says anything, and ask whether it is."""
    statement = title_of(text[:MOST_STATEMENT], STATEMENT_WORDS) or case.dialogue.statement
    if not statement or (case.dialogue.agreed and case.dialogue.statement):
        return Move(case.dialogue)
    told = f"I take the problem to be: **{plain(statement)}** Is that right?"
    return Move(replace(case.dialogue, statement=statement, gate=Gate.STATEMENT), said=(told,))


def _judged(case: CaseView, record: RcaRecord | None, data: dict[str, Any]) -> Move:
    named, action = str(data.get("hypothesis_id", "")), str(data.get("action", ""))
    found = next((one for one in record.hypotheses if hypothesis_id(one) == named), None) if record else None
    if found is None or action not in {"validate", "refute", "retire"}:
        told = "I do not know this explanation any more; it may have changed with the evidence."
        return Move(case.dialogue, said=(told,), settled=True)
    word = {"validate": "validated", "refute": "refuted", "retire": "retired"}[action]
    dialogue = case.dialogue.judging(named, word)
    return Move(
        dialogue, _judgement(case, found, action), (f"Noted, as your word: {plain(found.statement)} ({word}).",)
    )


def _judgement(case: CaseView, found: HypothesisView, action: str) -> Decision:
    """A word on the explanation that is the case's cause is a judgement; so is that another one is right."""
    if not case.cause or action == "retire":
        return Decision()
    # Not by its place among the others: a cause that was rejected before leads no more, and is still the case's.
    if model.mechanism_of(found.mechanism, found.entity) == case.mechanism:
        right = action == "validate"
        return Decision(judgement=str(Judgement.CONFIRMED if right else Judgement.REJECTED))
    return Decision(judgement=str(Judgement.REJECTED), cause=found.statement) if action == "validate" else Decision()
