"""What every repository promises of lists that are read in parts."""

from __future__ import annotations

from datetime import timedelta

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.samples import ACME, EVERYBODY, OTHER, START, Storage, case, document, evidence
from faultmaven_core.cases.model import Case, CaseStatus
from faultmaven_core.cases.ports import CaseQuery
from faultmaven_core.knowledge.model import Document, DocumentState
from faultmaven_core.knowledge.ports import DocumentQuery
from faultmaven_core.shared.page import Place

MANY = 7


class PagesContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    async def test_cases_are_followed_by_place(self, subject: Storage) -> None:
        """Each once and in order, also where several were changed in the same moment; and it is told whether more follow."""
        async with subject.cases(ACME) as unit:
            for number in range(1, MANY + 1):
                await unit.cases.add(case(number, updated_at=START + timedelta(seconds=number // 3)))
            await unit.commit()
        async with subject.cases(OTHER) as unit:
            await unit.cases.add(case(99, OTHER))
            await unit.commit()
        async with subject.cases(ACME, read_only=True) as unit:
            whole = await unit.cases.browse(CaseQuery(), offset=0, limit=99)
            found = list[Case]()
            after, more = None, True
            while more:
                part = await unit.cases.browse(CaseQuery(), offset=0, limit=2, after=after)
                assert part.total == MANY
                assert len(part.items) == 2 or not part.more
                found += part.items
                after, more = Place(part.items[-1].updated_at, part.items[-1].key), part.more
        assert [one.id for one in found] == [one.id for one in whole.items]
        assert (len(found), whole.more) == (MANY, False)

    async def test_a_case_that_changes_between_two_pages_shifts_no_other(self, subject: Storage) -> None:
        """It goes to the front; by counting from the beginning another one would be seen twice."""
        async with subject.cases(ACME) as unit:
            for number in range(1, 5):
                await unit.cases.add(case(number, updated_at=START + timedelta(seconds=number)))
            await unit.commit()
        async with subject.cases(ACME) as unit:
            first = await unit.cases.browse(CaseQuery(), offset=0, limit=2)
            last = first.items[-1]
            oldest = (await unit.cases.browse(CaseQuery(), offset=3, limit=1)).items[0]
            await unit.cases.save(case(1, updated_at=START + timedelta(hours=1), version=oldest.version))
            rest = await unit.cases.browse(CaseQuery(), offset=0, limit=9, after=Place(last.updated_at, last.key))
        assert [one.id for one in rest.items] == [case(2).id]

    async def test_a_place_is_within_what_is_asked_for(self, subject: Storage) -> None:
        """A query holds behind it as before it."""
        states = [CaseStatus.INQUIRY, CaseStatus.INVESTIGATING]
        async with subject.cases(ACME) as unit:
            for number in range(1, 7):
                moment = START + timedelta(seconds=number)
                await unit.cases.add(case(number, status=states[number % 2], updated_at=moment))
            await unit.commit()
            query = CaseQuery((CaseStatus.INQUIRY,))
        async with subject.cases(ACME, read_only=True) as unit:
            after = Place(START + timedelta(seconds=5), case(5).key)
            rest = await unit.cases.browse(query, offset=0, limit=9, after=after)
        assert ([one.id for one in rest.items], rest.total) == ([case(4).id, case(2).id], 3)

    async def test_evidence_is_counted_and_passed_over(self, subject: Storage) -> None:
        """Of one case of one organization."""
        of = case().id
        items = [evidence(number) for number in range(1, MANY + 1)]
        async with subject.evidence(ACME) as unit:
            await unit.evidence.add([*items, evidence(50, case_id=case(2).id)])
            await unit.commit()
        async with subject.evidence(OTHER) as unit:
            await unit.evidence.add([evidence(60, OTHER)])
            await unit.commit()
        async with subject.evidence(ACME, read_only=True) as unit:
            assert await unit.evidence.count(of) == MANY
            part = await unit.evidence.page(of, after=None, limit=2, offset=3)
            behind = await unit.evidence.page(of, after=items[1].key, limit=9, offset=4)
            beyond = await unit.evidence.page(of, after=None, limit=2, offset=MANY)
            assert await unit.evidence.count(case(3).id) == 0
        assert ([one.id for one in part.items], part.next) == ([one.id for one in items[3:5]], items[4].key)
        assert [one.id for one in behind.items] == [items[6].id]
        assert (beyond.items, beyond.next) == ((), None)

    async def test_documents_are_read_from_the_newest_on(self, subject: Storage) -> None:
        """Followed by key and passed over, counted, and of one kind: what says none is of the kind `other`."""
        told = [{"document_type": "runbook"}, {}, {"document_type": "faq"}, {"document_type": "other"}] * 2
        documents = [
            document(number, name=f"{number}.md", details=details, state=DocumentState.READY)
            for number, details in enumerate(told, 1)
        ]
        async with subject.knowledge(ACME) as unit:
            await unit.knowledge.add(documents)
            await unit.commit()
        async with subject.knowledge(OTHER) as unit:
            await unit.knowledge.add([document(50, OTHER, name="other.md", state=DocumentState.READY)])
            await unit.commit()
        newest = [one.id for one in reversed(documents)]
        query = DocumentQuery([EVERYBODY])
        async with subject.knowledge(ACME, read_only=True) as unit:
            found = list[Document]()
            after, more = None, True
            while more:
                part = await unit.knowledge.page(query, after=after, limit=3, newest=True)
                found += part.items
                after, more = part.next, part.next is not None
            passed = await unit.knowledge.page(query, after=None, limit=2, offset=5, newest=True)
            others = await unit.knowledge.page(DocumentQuery([EVERYBODY], kind="other"), after=None, limit=9)
            counts = [
                await unit.knowledge.count(DocumentQuery([EVERYBODY], kind=kind)) for kind in ("", "other", "faq", "x")
            ]
        assert [one.id for one in found] == newest
        assert [one.id for one in passed.items] == newest[5:7]
        assert [one.id for one in others.items] == [documents[n].id for n in (1, 3, 5, 7)]
        assert counts == [8, 4, 2, 0]
