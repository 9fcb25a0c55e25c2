"""What every repository of cases, records and journals promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.nasty import REFUSED, TEXTS
from faultmaven_contract_tests.samples import ACME, OTHER, START, Storage, case, entry, message, record
from faultmaven_core.cases.commands import BeginInvestigation, CloseCase, ListCases, OpenCase, ReadReport, StoreRecord
from faultmaven_core.cases.journal import intact
from faultmaven_core.cases.model import Case, CaseStatus, Judgement, Priority, words
from faultmaven_core.cases.ports import CaseQuery, CaseSlice, StoredRecord
from faultmaven_core.cases.service import CaseService
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import AlreadyExistsError, InvalidInputError, NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import OrganizationId, RandomIds, UserId


async def keep(storage: Storage, *cases: Case) -> None:
    """Add cases and commit."""
    for one in cases:
        async with storage.cases(one.organization) as unit:
            await unit.cases.add(one)
            await unit.commit()


async def found(storage: Storage, query: CaseQuery, organization: OrganizationId = ACME) -> list[str]:
    """The titles of all matching cases, in order."""
    async with storage.cases(organization, read_only=True) as unit:
        return [one.title for one in (await unit.cases.page(query, after=None, limit=1000)).items]


class CaseRepositoryContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    @pytest.mark.parametrize("text", TEXTS)
    async def test_every_field_comes_back_whatever_it_holds(self, subject: Storage, text: str) -> None:
        """Byte for byte."""
        stored = case(title=text, question=text, cause=text, mechanism=text, actual_cause=text, closure_reason="x")
        await keep(subject, stored)
        async with subject.cases(ACME, read_only=True) as unit:
            assert await unit.cases.get(stored.id) == stored

    @pytest.mark.parametrize(
        "at",
        [
            datetime(1, 1, 2, tzinfo=UTC),
            datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC),
            datetime(2026, 3, 29, 3, 4, tzinfo=timezone(timedelta(hours=5))),
            datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
        ],
    )
    async def test_moments_come_back_as_the_same_instant_in_utc(self, subject: Storage, at: datetime) -> None:
        """With microseconds, from any zone."""
        await keep(subject, case(closed_at=at))
        async with subject.cases(ACME, read_only=True) as unit:
            closed = (await unit.cases.get(case().id)).closed_at
        assert closed == at
        assert closed is not None
        assert closed.utcoffset() == timedelta(0)

    @pytest.mark.parametrize("field", ["created_at", "updated_at", "closed_at", "deleted_at"])
    async def test_a_moment_without_a_zone_is_refused(self, subject: Storage, field: str) -> None:
        """Nobody could say which instant it is."""
        naive: dict[str, Any] = {field: datetime(2026, 1, 1)}  # noqa: DTZ001 - what is refused
        with pytest.raises(InvalidInputError, match="without a zone"):
            await keep(subject, case(**naive))
        assert await found(subject, CaseQuery()) == []

    @pytest.mark.parametrize("text", REFUSED)
    async def test_text_that_some_database_cannot_hold_is_refused_before_any_sees_it(
        self, subject: Storage, text: str
    ) -> None:
        """By the commands, alike for all."""
        clock = FixedClock(START)
        cases, ann = CaseService(subject.cases, clock, RandomIds(clock)), Caller(ACME, UserId("ann"))
        name = (await cases.open(OpenCase("why?"), ann)).case_id
        for command in (
            cases.open(OpenCase(text), ann),
            cases.open(OpenCase("why?", text), ann),
            cases.begin(BeginInvestigation(name, text), ann),
            cases.close(CloseCase(name, note=text), ann),
            cases.list(ListCases(text=text), ann),
        ):
            with pytest.raises(InvalidInputError):
                await command

    async def test_adding_twice_is_refused(self, subject: Storage) -> None:
        """By id as by key; another organization may have the same."""
        await keep(subject, case(), case(organization=OTHER))
        for again, field in (
            (case(), "(id|key)"),
            (replace(case(2), id=case().id), "id"),
            (replace(case(2), key=case().key), "key"),
        ):
            with pytest.raises(AlreadyExistsError, match=f"a row with the same {field} already") as caught:
                await keep(subject, again)
            assert case().id not in str(caught.value)

    async def test_absent_and_foreign_cases_look_the_same(self, subject: Storage) -> None:
        """In every method."""
        await keep(subject, case(organization=OTHER))
        for name in (case().id, case(2).id):
            async with subject.cases(ACME) as unit:
                with pytest.raises(NotFoundError):
                    await unit.cases.get(name)
                with pytest.raises(StaleVersionError):
                    await unit.cases.save(case(id=name))
                with pytest.raises(StaleVersionError):
                    await unit.cases.remove(name, 1)
                with pytest.raises(NotFoundError):
                    await unit.records.last(name)
                assert await unit.journal.last(name) is None
                assert not await unit.journal.has(name, entry(name).key)
                assert list(await unit.journal.read(name, after=0, limit=9)) == []
        assert await found(subject, CaseQuery()) == []
        assert await found(subject, CaseQuery(), OTHER) == ["title 1"]

    @pytest.mark.parametrize("what", ["record", "journal"])
    async def test_nothing_can_be_added_to_a_case_that_is_not_there(self, subject: Storage, what: str) -> None:
        """Or is another organization's."""
        await keep(subject, case(organization=OTHER))
        async with subject.cases(ACME) as unit:
            record = StoredRecord(b"{}", "0" * 64, b"{}")
            adding = unit.records.add(case().id, 1, record) if what == "record" else unit.journal.add(entry(case().id))
            with pytest.raises(NotFoundError):
                await adding

    async def test_saving_grows_the_version_by_one(self, subject: Storage) -> None:
        """And changes every field."""
        await keep(subject, case(1), case(2))
        changed = replace(case(2), key=case(1).key, id=case(1).id, status=CaseStatus.CLOSED, records=7, history=())
        async with subject.cases(ACME) as unit:
            await unit.cases.save(changed)
            await unit.commit()
        async with subject.cases(ACME, read_only=True) as unit:
            assert await unit.cases.get(case(1).id) == replace(changed, version=2)
            assert await unit.cases.get(case(2).id) == case(2)

    async def test_a_lost_race_is_stale(self, subject: Storage) -> None:
        """To the second of two writers, and to one whose case was removed."""
        await keep(subject, case())
        async with subject.cases(ACME) as unit:
            await unit.cases.save(case(title="first"))
            await unit.commit()
        async with subject.cases(ACME) as unit:
            with pytest.raises(StaleVersionError):
                await unit.cases.save(case(title="second"))
            with pytest.raises(StaleVersionError):
                await unit.cases.remove(case().id, 1)
            await unit.cases.remove(case().id, 2)
            await unit.commit()
        async with subject.cases(ACME) as unit:
            with pytest.raises(StaleVersionError):
                await unit.cases.save(case(version=2))

    async def test_pages_show_each_case_once_while_others_are_added(self, subject: Storage) -> None:
        """Newest first; ties of time do not matter, for keys have none."""
        await keep(subject, *(case(number, created_at=START) for number in range(2, 12)))
        seen: list[str] = []
        after = None
        while True:
            async with subject.cases(ACME, read_only=True) as unit:
                page = await unit.cases.page(CaseQuery(), after=after, limit=3)
            seen += [one.title for one in page.items]
            await keep(subject, case(100 + len(seen)))
            after = page.next
            if after is None:
                break
        assert seen == [f"title {number}" for number in range(11, 1, -1)]

    async def test_the_last_page_says_so_when_it_is_full(self, subject: Storage) -> None:
        """And an empty list has no next either."""
        async with subject.cases(ACME, read_only=True) as unit:
            assert (await unit.cases.page(CaseQuery(), after=None, limit=2)).next is None
        await keep(subject, case(1), case(2))
        async with subject.cases(ACME, read_only=True) as unit:
            page = await unit.cases.page(CaseQuery(), after=None, limit=2)
        assert len(page.items) == 2
        assert page.next is None

    async def test_queries_by_status_and_age(self, subject: Storage) -> None:
        """Together."""
        late = START + timedelta(days=1)
        await keep(
            subject,
            case(1, status=CaseStatus.CLOSED, updated_at=START),
            case(2, status=CaseStatus.CLOSED, updated_at=late),
            case(3, status=CaseStatus.INQUIRY, updated_at=START),
        )
        assert await found(subject, CaseQuery((CaseStatus.CLOSED,))) == ["title 2", "title 1"]
        assert await found(subject, CaseQuery((CaseStatus.CLOSED,), updated_before=late)) == ["title 1"]
        assert await found(subject, CaseQuery(())) == []

    async def test_queries_by_judgement(self, subject: Storage) -> None:
        """One, none, or whichever."""
        judgements = [Judgement.CONFIRMED, Judgement.NONE, Judgement.REJECTED, Judgement.CONFIRMED]
        await keep(subject, *(case(number, judgement=one) for number, one in enumerate(judgements, 1)))
        assert await found(subject, CaseQuery(judgement=Judgement.CONFIRMED)) == ["title 4", "title 1"]
        assert await found(subject, CaseQuery(judgement=Judgement.NONE)) == ["title 2"]
        assert len(await found(subject, CaseQuery())) == 4

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", 6),
            ("STRASSE", 1),
            ("istanbul", 1),
            ("ärger", 1),
            ("arger", 1),
            ("resume", 2),
            ("résumé", 2),
            ("connection-refused", 1),
            ("refused connection", 1),
            ("conn", 1),
            ("onnection", 0),
            ('"connection" AND refused*', 0),
            ("connection: (refused)*", 1),
            ("50%", 0),
            ("_", 0),
            ("'; --", 6),
        ],
    )
    async def test_search_finds_beginnings_of_words_and_no_syntax(
        self, subject: Storage, text: str, expected: int
    ) -> None:
        """Case, accents and their notation do not matter; quotes and operators mean nothing."""
        titles = ["Straße gesperrt", "İstanbul", "Ärger", "re\u0301sume\u0301", "résumé", "connection-refused by db"]
        await keep(subject, *(case(n, title=title, question="", cause="") for n, title in enumerate(titles, 1)))
        assert len(await found(subject, CaseQuery(words=words(text)))) == expected

    async def test_the_last_record_is_the_one_with_the_highest_number(self, subject: Storage) -> None:
        """Byte for byte, whatever the bytes; a number is given once."""
        await keep(subject, case())
        bodies = [bytes(range(256)), b'{"b": 1,  "a": "\xc3\xa9"}', b""]
        async with subject.cases(ACME) as unit:
            for number in (1, 10, 9):
                await unit.records.add(case().id, number, StoredRecord(bodies[number % 3], f"{number:064}", b"{}"))
            await unit.commit()
        async with subject.cases(ACME) as unit:
            assert await unit.records.last(case().id) == StoredRecord(bodies[1], f"{10:064}", b"{}")
            with pytest.raises(AlreadyExistsError):
                await unit.records.add(case().id, 9, StoredRecord(b"", "", b""))

    async def test_the_journal_keeps_its_order_and_its_chain(self, subject: Storage) -> None:
        """And gives each number and each key once."""
        await keep(subject, case())
        first = entry(case().id)
        second = entry(case().id, first, 2)
        async with subject.cases(ACME) as unit:
            await unit.journal.add()
            await unit.journal.add(first, second)
            await unit.commit()
        async with subject.cases(ACME) as unit:
            entries = list(await unit.journal.read(case().id, after=0, limit=10))
            assert entries == [first, second]
            assert intact(entries)
            assert list(await unit.journal.read(case().id, after=1, limit=10)) == [second]
            assert list(await unit.journal.read(case().id, after=0, limit=1)) == [first]
            assert await unit.journal.last(case().id) == second
            assert await unit.journal.has(case().id, second.key)
            with pytest.raises(AlreadyExistsError):
                await unit.journal.add(second)
        async with subject.cases(ACME) as unit:
            with pytest.raises(AlreadyExistsError):
                await unit.journal.add(replace(entry(case().id, second, 3), key=first.key))

    async def test_removing_a_case_removes_what_hangs_on_it(self, subject: Storage) -> None:
        """And nothing of others."""
        await keep(subject, case(), case(2))
        async with subject.cases(ACME) as unit:
            for one in (case(), case(2)):
                await unit.records.add(one.id, 1, StoredRecord(b"{}", "0" * 64, b"{}"))
                await unit.journal.add(entry(one.id))
            await unit.cases.remove(case().id, 1)
            await unit.commit()
        await keep(subject, case())
        async with subject.cases(ACME, read_only=True) as unit:
            assert await unit.journal.last(case().id) is None
            with pytest.raises(NotFoundError):
                await unit.records.last(case().id)
            assert await unit.journal.last(case(2).id) is not None
            assert await unit.records.last(case(2).id)

    async def test_a_deleted_case_is_found_by_nothing_but_by_asking_for_it(self, subject: Storage) -> None:
        """It can be saved and removed like any other; its messages stay."""
        await keep(subject, case(1, deleted_at=START), case(2))
        name = case(1).id
        async with subject.cases(ACME) as unit:
            await unit.messages.add([message()])
            with pytest.raises(NotFoundError):
                await unit.cases.get(name)
            with pytest.raises(NotFoundError):
                await unit.cases.get(case(2).id, deleted=True)
            found_one = await unit.cases.get(name, deleted=True)
            assert found_one == case(1, deleted_at=START)
            assert await unit.cases.opened_since(START) == 2
            assert [one.id for one in (await unit.cases.page(CaseQuery(), after=None, limit=9)).items] == [case(2).id]
            assert (await unit.cases.browse(CaseQuery(), offset=0, limit=9)).total == 1
            await unit.cases.save(replace(found_one, deleted_at=None))
            assert (await unit.cases.get(name)).version == 2
            assert [one.sequence for one in await unit.messages.read(name, after=0, limit=9)] == [1]
            await unit.commit()

    async def test_cases_are_browsed_by_their_last_change_with_a_count(self, subject: Storage) -> None:
        """Of equal moments the newer case first; an offset beyond the end is an empty slice."""
        late = START + timedelta(days=1)
        await keep(
            subject,
            case(1, updated_at=late),
            case(2, updated_at=START),
            case(3, updated_at=START),
            case(4, updated_at=late, organization=OTHER),
        )
        async with subject.cases(ACME, read_only=True) as unit:
            whole = await unit.cases.browse(CaseQuery(), offset=0, limit=9)
            part = await unit.cases.browse(CaseQuery(), offset=1, limit=1)
            beyond = await unit.cases.browse(CaseQuery(), offset=9, limit=9)
        assert [one.title for one in whole.items] == ["title 1", "title 3", "title 2"]
        assert ([one.title for one in part.items], part.total) == (["title 3"], 3)
        assert beyond == CaseSlice((), 3)

    async def test_queries_by_what_clients_say_of_cases(self, subject: Storage) -> None:
        """Source, priority, the moment of opening, teams, whether it is left out of lists, and whether anybody spoke yet."""
        noon = START + timedelta(minutes=2)
        red, blue = "team_00000000000a", "team_0000000000a0"
        await keep(
            subject,
            case(1, source="slack", priority=Priority.LOW, turns=0),
            case(2, source="copilot", priority=Priority.HIGH, turns=0, teams=(blue, red)),
            case(3, source="slack", priority=Priority.HIGH, turns=1, teams=(red,), archived_at=START),
        )
        assert await found(subject, CaseQuery(source="slack")) == ["title 3", "title 1"]
        assert await found(subject, CaseQuery(priority=Priority.HIGH)) == ["title 3", "title 2"]
        assert await found(subject, CaseQuery(source="slack", priority=Priority.HIGH)) == ["title 3"]
        assert await found(subject, CaseQuery(opened_from=noon)) == ["title 3", "title 2"]
        assert await found(subject, CaseQuery(opened_before=noon)) == ["title 1"]
        assert await found(subject, CaseQuery(no_empty_before=noon)) == ["title 3", "title 2"]
        assert await found(subject, CaseQuery(team=red)) == ["title 3", "title 2"]
        assert await found(subject, CaseQuery(team=blue)) == ["title 2"]
        for none in ("team_0000000000%a", red.upper(), red[:-1]):
            assert await found(subject, CaseQuery(team=none)) == []
        assert await found(subject, CaseQuery(archived=False)) == ["title 2", "title 1"]

    @pytest.mark.parametrize("text", TEXTS)
    async def test_messages_come_back_whatever_they_hold(self, subject: Storage, text: str) -> None:
        """In their order, to the letter; from any place on."""
        await keep(subject, case())
        kept = [
            message(1, text=text, metadata={"k": [text, {"n": 1.5, "none": None}]}),
            message(2),
            message(3, author=""),
        ]
        async with subject.cases(ACME) as unit:
            await unit.messages.add(kept)
            await unit.messages.add([])
            await unit.commit()
        async with subject.cases(ACME, read_only=True) as unit:
            assert list(await unit.messages.read(case().id, after=0, limit=9)) == kept
            assert list(await unit.messages.read(case().id, after=1, limit=1)) == kept[1:2]
            assert list(await unit.messages.read(case().id, after=3, limit=9)) == []

    @pytest.mark.parametrize("clash", [{"sequence": 1}, {"id": message().id}])
    async def test_a_message_takes_no_other_ones_place(self, subject: Storage, clash: dict[str, Any]) -> None:
        """Nor its id; and none belongs to a case that is not there."""
        await keep(subject, case())
        async with subject.cases(ACME) as unit:
            await unit.messages.add([message()])
            with pytest.raises(AlreadyExistsError):
                await unit.messages.add([message(2, **clash)])
        async with subject.cases(ACME) as unit:
            with pytest.raises(NotFoundError):
                await unit.messages.add([message(case_id=case(2).id)])

    async def test_messages_go_with_their_case(self, subject: Storage) -> None:
        """Those of others stay."""
        await keep(subject, case(1), case(2))
        async with subject.cases(ACME) as unit:
            await unit.messages.add([message(1), message(2, case_id=case(2).id, sequence=1)])
            await unit.cases.remove(case(1).id, 1)
            await unit.commit()
        async with subject.cases(ACME, read_only=True) as unit:
            assert list(await unit.messages.read(case(1).id, after=0, limit=9)) == []
            assert len(await unit.messages.read(case(2).id, after=0, limit=9)) == 1

    async def test_a_cause_that_quotes_what_no_database_takes_is_kept(self, subject: Storage) -> None:
        """With a sign in the place of what cannot be stored; the record itself stays to the letter."""
        clock = FixedClock(START)
        cases, ann = CaseService(subject.cases, clock, RandomIds(clock)), Caller(ACME, UserId("ann"))
        name = (await cases.open(OpenCase("why?"), ann)).case_id
        await cases.begin(BeginInvestigation(name), ann)
        plain = record()
        assert plain.root_cause is not None
        entity = replace(plain.root_cause.entity, name="we\0b")
        found_one = replace(plain, root_cause=replace(plain.root_cause, statement="`se\0rv` fails", entity=entity))
        kept = await cases.store(StoreRecord(name, found_one, b"{}"), ann)
        assert kept.cause == "`se\N{REPLACEMENT CHARACTER}rv` fails"
        assert (await cases.report(ReadReport(name), ann)).record == found_one
