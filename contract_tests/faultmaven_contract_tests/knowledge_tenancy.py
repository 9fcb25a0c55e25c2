"""What the knowledge context promises of organizations and users, through every operation that there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.knowledge_installation import KnowledgeInstallation, Letters
from faultmaven_contract_tests.samples import ACME, OTHER
from faultmaven_contract_tests.vector_samples import counted
from faultmaven_core import codec
from faultmaven_core.cases.commands import OpenCase
from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge.model import Document, KnowledgeScope, Tier, scope_of
from faultmaven_core.knowledge.operations import OPERATIONS
from faultmaven_core.knowledge.ports import DocumentQuery
from faultmaven_core.knowledge.vectors import collection
from faultmaven_core.ports.vectors import Scope
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError
from faultmaven_core.shared.ids import OrganizationId, UserId

OWNER = Caller(ACME, UserId("ann"))
COLLEAGUE = Caller(ACME, UserId("bob"))
STRANGER = Caller(OTHER, UserId("ann"))
"""The same name in another organization."""

CANARY = "canary"
FILES = {"redis.md": f"The {CANARY} sings in redis.\n", "cut.md": f"broken by a {CANARY}\n"}
SCOPES = ("global", "team:payments", "personal")


@dataclass(frozen=True, slots=True)
class Held:
    """What the owner has: ids and keys that a stranger may have come to know, and the names of all that stands there."""

    case_id: str
    documents: tuple[Document, ...]

    @property
    def first(self) -> Document:
        """One of them, which could be read."""
        return next(document for document in self.documents if document.name.endswith("redis.md"))


Attempt = Callable[[Held], object]

ATTEMPTS: dict[str, tuple[Attempt, type[Exception] | None]] = {
    "knowledge.add": (lambda _: c.AddDocuments("/stranger"), None),
    "knowledge.sync": (lambda _: c.SyncDocuments("/kb"), None),
    "knowledge.list": (lambda _: c.ListDocuments(SCOPES), None),
    "knowledge.search": (lambda _: c.SearchKnowledge(f"the {CANARY} in redis", SCOPES, limit=50, explain=True), None),
    "knowledge.show": (lambda held: c.ShowDocument(held.first.id, characters=1000), NotFoundError),
    "knowledge.update": (lambda held: c.UpdateDocument(held.first.id, title="Mine"), NotFoundError),
    "knowledge.delete": (lambda held: c.DeleteDocument(held.first.id), NotFoundError),
    "knowledge.reindex": (lambda _: c.ReindexKnowledge(SCOPES), None),
    "knowledge.stats": (lambda _: c.CountKnowledge(SCOPES), None),
    "knowledge.ingest": (lambda held: c.IngestDocuments(_keys(held), again=True), None),
    "knowledge.embed": (lambda _: c.EmbedKnowledge(idle_seconds=0), None),
    "knowledge.discard": (lambda held: c.DiscardDocuments(_keys(held)), None),
    "knowledge.discard_original": (lambda held: c.DiscardOriginal(held.first.blob), InvalidInputError),
    "knowledge.discard_case": (lambda held: c.DiscardCaseKnowledge(held.case_id), None),
    "knowledge.sweep": (lambda _: c.SweepKnowledge(), None),
}
"""Every operation, tried by another organization that knows all ids and keys, and what it must raise."""


def _keys(held: Held) -> tuple[str, ...]:
    return tuple(document.key.hex for document in held.documents)


class KnowledgeTenancyContract(Contract):
    """A binding gives the fixture `subject`: a fresh and empty installation."""

    async def test_another_organization_sees_counts_changes_and_deletes_nothing(
        self, subject: KnowledgeInstallation
    ) -> None:
        """Through no operation, whatever ids it knows; nor by its own documents of the same names."""
        assert set(ATTEMPTS) == {operation.name for operation in OPERATIONS}
        held = await self.held(subject)
        case = f"case:{held.case_id}"
        before = await self.standing(subject, ACME, case)
        subject.shelf.folders["/stranger"] = {"other.md": "Nothing but redis.\n"}
        kept, subject.shelf.folders["/kb"] = subject.shelf.folders["/kb"], {"redis.md": "A stranger's redis.\n"}
        for name, (attempt, raises) in ATTEMPTS.items():
            if raises is None:
                answer = await subject.call(name, attempt(held), STRANGER)
            else:
                with pytest.raises(raises) as refused:
                    await subject.call(name, attempt(held), STRANGER)
                answer = str(refused.value)
            assert CANARY not in codec.encode(answer).decode(), name
            await subject.run_jobs()
            assert await self.standing(subject, ACME, case) == before, name
        assert {name for name, *_ in await self.standing(subject, OTHER)} == {"/kb/redis.md", "/stranger/other.md"}
        subject.shelf.folders["/kb"] = kept
        for tier in Tier:
            await self.vectors_stand(subject, OWNER.organization, tier, 1)

    async def test_a_scope_of_a_foreign_case_is_as_good_as_none(self, subject: KnowledgeInstallation) -> None:
        """For whatever names it."""
        held = await self.held(subject)
        scope = f"case:{held.case_id}"
        for name, command in (
            ("knowledge.add", c.AddDocuments("/kb", scope=scope)),
            ("knowledge.sync", c.SyncDocuments("/kb", scope=scope)),
            ("knowledge.search", c.SearchKnowledge(CANARY, (scope,))),
            ("knowledge.list", c.ListDocuments((scope,))),
            ("knowledge.stats", c.CountKnowledge((scope,))),
            ("knowledge.reindex", c.ReindexKnowledge((scope,))),
        ):
            with pytest.raises(NotFoundError):
                await subject.call(name, command, STRANGER)

    async def test_what_is_personal_is_nobody_elses_in_the_organization(self, subject: KnowledgeInstallation) -> None:
        """A colleague's scope `personal` is the colleague's, and ids do not help."""
        await self.held(subject)
        mine = (await self.documents(subject, ACME, scope_of("personal", OWNER.user)))[0]
        found = await subject.service.search(c.SearchKnowledge(CANARY, ("personal",), limit=50), COLLEAGUE)
        assert found.hits == ()
        assert (await subject.service.list(c.ListDocuments(("personal",)), COLLEAGUE)).items == ()
        for attempt in (
            subject.service.show(c.ShowDocument(mine.id), COLLEAGUE),
            subject.service.update(c.UpdateDocument(mine.id, title="Ours"), COLLEAGUE),
            subject.service.delete(c.DeleteDocument(mine.id), COLLEAGUE),
        ):
            with pytest.raises(NotFoundError):
                await attempt

    async def test_who_deletes_the_same_text_deletes_only_the_own(self, subject: KnowledgeInstallation) -> None:
        """Equal content under equal names in two organizations are two documents with two originals."""
        subject.shelf.folders["/kb"] = FILES
        for caller in (OWNER, STRANGER):
            assert (await subject.service.sync(c.SyncDocuments("/kb"), caller)).added == len(FILES)
        await subject.run_jobs()
        before = await self.standing(subject, ACME)
        for document in await self.documents(subject, OTHER, KnowledgeScope(Tier.GLOBAL)):
            await subject.service.delete(c.DeleteDocument(document.id), STRANGER)
        await subject.run_jobs()
        assert await self.standing(subject, OTHER) == []
        assert await self.standing(subject, ACME) == before
        found = await subject.service.search(c.SearchKnowledge(CANARY, ("global",)), OWNER)
        assert [hit.name for hit in found.hits] == ["/kb/redis.md"]
        await self.vectors_stand(subject, ACME, "global", 1)
        await self.vectors_stand(subject, OTHER, "global", 0)

    async def held(self, subject: KnowledgeInstallation) -> Held:
        """The owner's documents in every kind of scope, one of each cannot be read."""
        subject.shelf.folders["/kb"] = FILES
        case_id = (await subject.cases.open(OpenCase(f"Why does the {CANARY} sing?"), OWNER)).case_id
        documents: list[Document] = []
        for scope in (*SCOPES, f"case:{case_id}"):
            taken = await subject.service.sync(c.SyncDocuments("/kb", scope, (CANARY,)), OWNER)
            assert taken.added == len(FILES)
        await subject.run_jobs()
        for scope in (*SCOPES, f"case:{case_id}"):
            documents += await self.documents(subject, ACME, scope_of(scope, OWNER.user))
        return Held(case_id, tuple(documents))

    async def documents(
        self, subject: KnowledgeInstallation, organization: OrganizationId, *scopes: KnowledgeScope
    ) -> list[Document]:
        """An organization's documents of these scopes."""
        async with subject.storage.knowledge(organization, read_only=True) as unit:
            return list((await unit.knowledge.page(DocumentQuery(scopes), after=None, limit=100)).items)

    async def standing(
        self, subject: KnowledgeInstallation, organization: OrganizationId, *more: str
    ) -> list[tuple[object, ...]]:
        """All that an organization has, by name: rows, texts and originals; `more` names scopes of cases."""
        async with subject.storage.knowledge(organization, read_only=True) as unit:
            scopes = [scope_of(scope, OWNER.user) for scope in (*SCOPES, *more)]
            page = await unit.knowledge.page(DocumentQuery(scopes), after=None, limit=100)
            texts = {item.key: await unit.knowledge.chunks(item.key) for item in page.items}
        originals = {str(info.key) async for info in subject.blobs.list(f"{organization}/")}
        return [
            (item.name, str(item.scope), item, tuple(texts[item.key]), item.blob in originals)
            for item in sorted(page.items, key=lambda item: (item.name, item.key))
        ]

    async def vectors_stand(
        self, subject: KnowledgeInstallation, organization: OrganizationId, tier: str, expected: int
    ) -> None:
        """So many vectors are the organization's, in the end."""
        scope = Scope(collection(Tier(tier), Letters.fingerprint), organization)
        await counted(subject.vectors, lambda: subject.vectors.count(scope), expected)
