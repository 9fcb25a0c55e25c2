"""What every storage promises of organizations: a foreign row is as good as none, in every method there is."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.samples import (
    ACME,
    EVERYBODY,
    OTHER,
    START,
    Storage,
    case,
    chunk,
    document,
    entry,
    evidence,
    message,
    upload,
)
from faultmaven_core.cases import ports as cases_ports
from faultmaven_core.cases.ports import CaseQuery, CaseSlice, StoredRecord
from faultmaven_core.evidence import ports as evidence_ports
from faultmaven_core.evidence.uploads import Held
from faultmaven_core.knowledge import ports as knowledge_ports
from faultmaven_core.knowledge.model import DocumentState
from faultmaven_core.knowledge.ports import Census, DocumentQuery, Statistics
from faultmaven_core.ports.transactions import Answer, AnswerRepository
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import NotFoundError, PermissionDeniedError, StaleVersionError
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_core.shared.page import Page

RECORD = StoredRecord(b"{}", "0" * 64, b"{}")
ANSWER = Answer("0" * 64, b"{}", START)
NAME = case().id
KEY = document().key
NOTHING: tuple[object, ...] = (
    None,
    False,
    [],
    (),
    set(),
    {},
    0,
    CaseSlice((), 0),
    Statistics(0, 0, 0, {}),
    Census({}, 0, 0, 0, 0, 0),
    Held(0, 0),
)

Call = Callable[[Any], Coroutine[Any, Any, Any]]


def caller(organization: OrganizationId) -> Caller:
    """Somebody with a request key."""
    return Caller(organization, UserId("ann"), "k")


METHODS: dict[str, tuple[Call, type[Exception] | None]] = {
    "CaseRepository.add": (lambda u: u.cases.add(case(organization=ACME)), PermissionDeniedError),
    "CaseRepository.get": (lambda u: u.cases.get(NAME), NotFoundError),
    "CaseRepository.save": (lambda u: u.cases.save(case(organization=OTHER)), StaleVersionError),
    "CaseRepository.remove": (lambda u: u.cases.remove(NAME, 1), StaleVersionError),
    "CaseRepository.page": (lambda u: u.cases.page(CaseQuery(), after=None, limit=9), None),
    "CaseRepository.browse": (lambda u: u.cases.browse(CaseQuery(), offset=0, limit=9), None),
    "CaseRepository.opened_since": (lambda u: u.cases.opened_since(START), None),
    "MessageRepository.add": (lambda u: u.messages.add([message(3)]), NotFoundError),
    "MessageRepository.read": (lambda u: u.messages.read(NAME, after=0, limit=9), None),
    "RecordRepository.add": (lambda u: u.records.add(NAME, 2, RECORD), NotFoundError),
    "RecordRepository.last": (lambda u: u.records.last(NAME), NotFoundError),
    "JournalRepository.add": (lambda u: u.journal.add(entry(NAME, number=2)), NotFoundError),
    "JournalRepository.last": (lambda u: u.journal.last(NAME), None),
    "JournalRepository.has": (lambda u: u.journal.has(NAME, entry(NAME).key), None),
    "JournalRepository.read": (lambda u: u.journal.read(NAME, after=0, limit=9), None),
    "EvidenceRepository.add": (lambda u: u.evidence.add([evidence(organization=ACME)]), PermissionDeniedError),
    "EvidenceRepository.get": (lambda u: u.evidence.get(NAME, evidence().id), NotFoundError),
    "EvidenceRepository.save": (lambda u: u.evidence.save([evidence(organization=OTHER)]), StaleVersionError),
    "EvidenceRepository.remove": (lambda u: u.evidence.remove([evidence(organization=OTHER)]), None),
    "EvidenceRepository.page": (lambda u: u.evidence.page(NAME, after=None, limit=9), None),
    "EvidenceRepository.count": (lambda u: u.evidence.count(NAME), None),
    "EvidenceRepository.blobs": (lambda u: u.evidence.blobs(), None),
    "EvidenceRepository.of_case": (lambda u: u.evidence.of_case(NAME), None),
    "UploadRepository.add": (lambda u: u.uploads.add(upload(organization=ACME)), PermissionDeniedError),
    "UploadRepository.get": (lambda u: u.uploads.get(upload().id), NotFoundError),
    "UploadRepository.save": (lambda u: u.uploads.save(upload(organization=OTHER)), StaleVersionError),
    "UploadRepository.remove": (lambda u: u.uploads.remove([upload(organization=OTHER)]), None),
    "UploadRepository.begun_before": (lambda u: u.uploads.begun_before(START.replace(year=2100), 9), None),
    "UploadRepository.held": (lambda u: u.uploads.held(upload().owner), None),
    "KnowledgeRepository.add": (lambda u: u.knowledge.add([document(organization=ACME)]), PermissionDeniedError),
    "KnowledgeRepository.get": (lambda u: u.knowledge.get(document().id), NotFoundError),
    "KnowledgeRepository.get_many": (lambda u: u.knowledge.get_many([KEY]), None),
    "KnowledgeRepository.save": (lambda u: u.knowledge.save([document(organization=OTHER)]), StaleVersionError),
    "KnowledgeRepository.remove": (lambda u: u.knowledge.remove([KEY]), None),
    "KnowledgeRepository.page": (lambda u: u.knowledge.page(DocumentQuery([EVERYBODY]), after=None, limit=9), None),
    "KnowledgeRepository.count": (lambda u: u.knowledge.count(DocumentQuery([EVERYBODY])), None),
    "KnowledgeRepository.by_name": (lambda u: u.knowledge.by_name(EVERYBODY, [document().name]), None),
    "KnowledgeRepository.by_digest": (lambda u: u.knowledge.by_digest(EVERYBODY, document().sha256), None),
    "KnowledgeRepository.of_source": (lambda u: u.knowledge.of_source(EVERYBODY, document().source), None),
    "KnowledgeRepository.in_state": (lambda u: u.knowledge.in_state(DocumentState.READY, 9), None),
    "KnowledgeRepository.not_embedded": (lambda u: u.knowledge.not_embedded("other", 9), None),
    "KnowledgeRepository.blobs": (lambda u: u.knowledge.blobs(), None),
    "KnowledgeRepository.census": (lambda u: u.knowledge.census([EVERYBODY], "other"), None),
    "KnowledgeRepository.replace_chunks": (lambda u: u.knowledge.replace_chunks(KEY, []), NotFoundError),
    "KnowledgeRepository.chunks": (lambda u: u.knowledge.chunks(KEY), None),
    "KnowledgeRepository.chunks_at": (lambda u: u.knowledge.chunks_at([(KEY, 0)]), None),
    "KnowledgeRepository.statistics": (lambda u: u.knowledge.statistics([EVERYBODY], ["dns"]), None),
    "KnowledgeRepository.candidates": (lambda u: u.knowledge.candidates([EVERYBODY], {"dns": 1}, 9), None),
    "KnowledgeRepository.named": (lambda u: u.knowledge.named([EVERYBODY], ["errno11"], 9), None),
    "AnswerRepository.find": (lambda u: u.answers.find(caller(OTHER)), None),
    "AnswerRepository.add": (lambda u: u.answers.add(caller(ACME), ANSWER), PermissionDeniedError),
    "AnswerRepository.sweep": (lambda u: u.answers.sweep(START.replace(year=2100)), None),
}
"""Every method, called from another organization than the one whose rows there are, and what it must raise."""


SAVES: dict[str, Callable[[Any, OrganizationId], Coroutine[Any, Any, None]]] = {
    "cases": lambda u, of: u.cases.save(case(organization=of, title="Saved")),
    "evidence": lambda u, of: u.evidence.save([evidence(organization=of, name="saved.log")]),
    "uploads": lambda u, of: u.uploads.save(upload(organization=of)),
    "knowledge": lambda u, of: u.knowledge.save([document(organization=of, state=DocumentState.REMOVED)]),
}
"""What changes a row that an organization has: of another organization it is refused, also where the ids are the same."""


def repositories() -> list[type]:
    """Every port of rows, as the core declares them."""
    modules = (cases_ports, evidence_ports, knowledge_ports)
    found = [kind for module in modules for name, kind in vars(module).items() if name.endswith("Repository")]
    return [*found, AnswerRepository]


async def fill(storage: Storage, organization: OrganizationId) -> None:
    """One row of every kind."""
    async with storage.cases(organization) as unit:
        await unit.cases.add(case(organization=organization))
        await unit.records.add(NAME, 1, RECORD)
        await unit.journal.add(entry(NAME))
        await unit.messages.add([message()])
        await unit.answers.add(caller(organization), ANSWER)
        await unit.commit()
    async with storage.evidence(organization) as unit:
        await unit.evidence.add([evidence(organization=organization, blob=f"{organization}/x")])
        await unit.uploads.add(upload(organization=organization))
        await unit.commit()
    async with storage.knowledge(organization) as unit:
        await unit.knowledge.add([document(organization=organization)])
        await unit.knowledge.replace_chunks(KEY, [chunk(terms="dns", labels=())])
        await unit.commit()


async def look(storage: Storage, organization: OrganizationId) -> list[Any]:
    """All rows of an organization."""
    async with storage.cases(organization, read_only=True) as unit:
        found: list[Any] = [await unit.cases.get(NAME), await unit.records.last(NAME)]
        found += [await unit.journal.read(NAME, after=0, limit=9), await unit.answers.find(caller(organization))]
        found += [await unit.messages.read(NAME, after=0, limit=9)]
    async with storage.evidence(organization, read_only=True) as unit:
        found += [await unit.evidence.of_case(NAME), await unit.evidence.blobs(), await unit.uploads.get(upload().id)]
    async with storage.knowledge(organization, read_only=True) as unit:
        found += [await unit.knowledge.get(document().id), await unit.knowledge.chunks(KEY)]
        found += [await unit.knowledge.candidates([EVERYBODY], {"dns": 1}, 9)]
        return [*found, await unit.knowledge.named([EVERYBODY], ["errno11"], 9)]


class TenancyContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    def test_every_method_of_every_repository_is_looked_at(self, subject: Storage) -> None:
        """A new one that is not in the table makes this fail."""
        declared = {
            f"{kind.__name__}.{name}"
            for kind in repositories()
            for name, member in vars(kind).items()
            if getattr(member, "__isabstractmethod__", False)
        }
        assert declared == METHODS.keys()

    @pytest.mark.parametrize("name", sorted(METHODS))
    async def test_a_method_neither_shows_nor_changes_another_organizations_rows(
        self, subject: Storage, name: str
    ) -> None:
        """The same ids and keys, asked for from outside."""
        await fill(subject, ACME)
        before = await look(subject, ACME)
        call, raised = METHODS[name]
        context = name.partition("Repository")[0]
        units: Any = {"Evidence": subject.evidence, "Upload": subject.evidence, "Knowledge": subject.knowledge}.get(
            context, subject.cases
        )
        answer: Any = None
        async with units(OTHER) as unit:
            if raised is None:
                answer = await call(unit)
            else:
                with pytest.raises(raised):
                    await call(unit)
            # So that a change of foreign rows would stay. A unit that a row was refused in can only be left.
            if raised is not NotFoundError:
                await unit.commit()
        assert (answer.items if isinstance(answer, Page) else answer) in NOTHING
        assert await look(subject, ACME) == before

    async def test_two_organizations_may_have_the_same_ids_and_keys(self, subject: Storage) -> None:
        """So nobody learns from a clash what somebody else has."""
        await fill(subject, ACME)
        before = await look(subject, ACME)
        await fill(subject, OTHER)
        assert await look(subject, ACME) == before
        for context, save in SAVES.items():
            units = getattr(subject, {"uploads": "evidence"}.get(context, context))
            async with units(OTHER) as unit:
                with pytest.raises(PermissionDeniedError):
                    await save(unit, ACME)
            async with units(OTHER) as unit:
                await save(unit, OTHER)
                await unit.commit()
            assert await look(subject, ACME) == before, context
        async with subject.cases(OTHER) as unit:
            await unit.cases.remove(NAME, 2)
            await unit.commit()
        assert await look(subject, ACME) == before

    async def test_what_was_removed_is_invisible_in_every_method(self, subject: Storage) -> None:
        """To its own organization too."""
        await fill(subject, ACME)
        async with subject.cases(ACME) as unit:
            await unit.cases.remove(NAME, 1)
            await unit.commit()
        async with subject.cases(ACME) as unit:
            for gone in (unit.cases.get(NAME), unit.records.last(NAME)):
                with pytest.raises(NotFoundError):
                    await gone
            assert (await unit.cases.page(CaseQuery(), after=None, limit=9)).items == ()
            assert await unit.journal.last(NAME) is None
            assert not await unit.journal.has(NAME, entry(NAME).key)
            assert list(await unit.journal.read(NAME, after=0, limit=9)) == []
            assert list(await unit.messages.read(NAME, after=0, limit=9)) == []
            assert await unit.cases.browse(CaseQuery(), offset=0, limit=9) == CaseSlice((), 0)
            with pytest.raises(StaleVersionError):
                await unit.cases.save(case())
