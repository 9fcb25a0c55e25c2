"""What conversations promise on every storage: whole turns in one order, whoever takes them at once."""

from __future__ import annotations

import asyncio

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.samples import ACME, OTHER, START, Storage
from faultmaven_core.cases.commands import CloseCase, OpenCase, ShowCase
from faultmaven_core.cases.dialogue import Dialogue, Gate
from faultmaven_core.cases.ports import CaseChangedError
from faultmaven_core.cases.service import CaseService
from faultmaven_core.cases.turn_commands import AddNotice, Asked, Decision, KeepTurn, ReadMessages
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import NotFoundError
from faultmaven_core.shared.ids import RandomIds, UserId

ANN = Caller(ACME, UserId("ann"))
SPEAKERS, EACH = 4, 3


def service(storage: Storage) -> CaseService:
    """A replica: nothing is shared but the storage."""
    clock = FixedClock(START)
    return CaseService(storage.cases, clock, RandomIds(clock))


async def say(cases: CaseService, name: str, text: str, decision: Decision | None = None) -> int:
    """Take a turn, again as long as somebody else was first; its number."""
    while True:
        case = await cases.show(ShowCase(name), ANN)
        number = case.current_turn + 1
        dialogue = Dialogue(f"turn {number}", gate=Gate.CLOSED)
        asked = Asked(name, text)
        try:
            kept = await cases.keep_turn(
                KeepTurn(
                    asked,
                    number,
                    case.status,
                    case.version,
                    text,
                    f"answer to {text}",
                    beside={"turn_number": number, "nested": [{"é": None}]},
                    dialogue=dialogue,
                    decision=decision or Decision(),
                ),
                ANN,
            )
        except CaseChangedError:
            continue
        assert (kept.case.current_turn, kept.case.dialogue) == (number, dialogue)
        return number


class ConversationContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    async def test_turns_at_once_from_several_replicas_are_all_kept_in_one_order(self, subject: Storage) -> None:
        """A question and its answer side by side, no place and no number twice, notices between them."""
        name = (await service(subject).open(OpenCase("why?"), ANN)).case_id

        async def speaker(who: int) -> list[int]:
            cases = service(subject)
            numbers = [await say(cases, name, f"{who}.{n}") for n in range(EACH)]
            await cases.notify(AddNotice(name, f"notice of {who}"), ANN)
            return numbers

        taken = sorted(number for numbers in await asyncio.gather(*map(speaker, range(SPEAKERS))) for number in numbers)
        assert taken == list(range(1, SPEAKERS * EACH + 1))
        page = await service(subject).messages(ReadMessages(name), ANN)
        assert page.total == len(page.messages) == 2 * SPEAKERS * EACH + SPEAKERS
        spoken = [one for one in page.messages if one.role != "system"]
        assert [one.turn_number for one in spoken] == [number for number in taken for _ in range(2)]
        assert [one.role for one in spoken] == ["user", "assistant"] * (SPEAKERS * EACH)
        for question, answer in zip(spoken[::2], spoken[1::2], strict=True):
            assert answer.content == f"answer to {question.content}"
            assert answer.metadata == {"turn_number": answer.turn_number, "nested": [{"é": None}]}
        turns = [one.turn_number for one in page.messages]
        assert turns == sorted(turns)

    async def test_what_was_said_is_read_by_another_replica(self, subject: Storage) -> None:
        """With all that the conversation had come to."""
        name = (await service(subject).open(OpenCase(metadata={"a": [1, "é"]}), ANN)).case_id
        await say(service(subject), name, "hello", Decision("closed", "inquiry_only"))
        case = await service(subject).show(ShowCase(name), ANN)
        assert (case.status, case.closure_reason, case.message_count) == ("closed", "inquiry_only", 2)
        assert (case.dialogue, case.metadata) == (Dialogue("turn 1", gate=Gate.CLOSED), {"a": [1, "é"]})

    async def test_a_turn_upon_a_case_that_ended_meanwhile_is_refused_whole(self, subject: Storage) -> None:
        """With the versions that tell the caller why."""
        cases = service(subject)
        case = await cases.open(OpenCase("why?"), ANN)
        await cases.close(CloseCase(case.case_id), ANN)
        stale = KeepTurn(Asked(case.case_id, "x"), 1, case.status, case.version, "q", "a")
        with pytest.raises(CaseChangedError) as caught:
            await cases.keep_turn(stale, ANN)
        assert (caught.value.expected, caught.value.actual) == (1, 2)
        assert (await cases.messages(ReadMessages(case.case_id), ANN)).total == 0

    async def test_nobody_speaks_in_another_organizations_case(self, subject: Storage) -> None:
        """It is not there; nothing of it is read either."""
        cases = service(subject)
        case = await cases.open(OpenCase("why?"), ANN)
        await say(cases, case.case_id, "hello")
        stranger = Caller(OTHER, UserId("ann"))
        turn = KeepTurn(Asked(case.case_id, "x"), 2, case.status, case.version, "q", "a")
        for attempt in (
            cases.keep_turn(turn, stranger),
            cases.notify(AddNotice(case.case_id, "x"), stranger),
            cases.messages(ReadMessages(case.case_id), stranger),
        ):
            with pytest.raises(NotFoundError):
                await attempt
        assert (await cases.messages(ReadMessages(case.case_id), ANN)).total == 2
