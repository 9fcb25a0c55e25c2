"""What every repository of knowledge promises of documents and their chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.nasty import TEXTS
from faultmaven_contract_tests.samples import ACME, EVERYBODY, OTHER, Storage, chunk, document, key
from faultmaven_core.knowledge.model import Chunk, Document, DocumentState, KnowledgeScope, Status, Tier
from faultmaven_core.knowledge.ports import DocumentQuery, KnowledgeRepository
from faultmaven_core.shared.errors import AlreadyExistsError, InvalidInputError, NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import OrganizationId

PAYMENTS = KnowledgeScope(Tier.TEAM, "payments")
HERS = KnowledgeScope(Tier.PERSONAL, "ann")
EVERYWHERE = (EVERYBODY, PAYMENTS, HERS)


async def keep(storage: Storage, *documents: Document, chunks: Sequence[Chunk] = ()) -> None:
    """Add documents of one organization, the chunks with each, and commit."""
    async with storage.knowledge(documents[0].organization) as unit:
        await unit.knowledge.add(documents)
        for one in documents if chunks else ():
            await unit.knowledge.replace_chunks(one.key, [replace(part, document=one.key) for part in chunks])
        await unit.commit()


async def titles(storage: Storage, query: DocumentQuery, organization: OrganizationId = ACME) -> list[str]:
    """The titles of all matching documents, in order."""
    async with storage.knowledge(organization, read_only=True) as unit:
        return [one.title for one in (await unit.knowledge.page(query, after=None, limit=1000)).items]


async def is_found(subject: Storage, number: int, chunks: Sequence[Chunk], words: dict[str, list[int]]) -> None:
    """The chunks of a document are these, and words and names lead to documents with these numbers."""
    async with subject.knowledge(ACME, read_only=True) as unit:
        knowledge: KnowledgeRepository = unit.knowledge
        assert await knowledge.chunks(document(number).key) == list(chunks)
        for word, numbers in words.items():
            keys = [document(one).key for one in numbers]
            if word == "errno11":
                found = [one.document for one in await knowledge.named([EVERYBODY], [word], 9)]
            else:
                found = [one.document for one in await knowledge.candidates([EVERYBODY], {word: 1}, 9)]
                frequency = (await knowledge.statistics([EVERYBODY], [word])).frequency
                assert frequency.get(word, 0) == len(keys)
            assert found == keys, word


class KnowledgeRepositoryContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    @pytest.mark.parametrize("text", TEXTS)
    async def test_every_field_comes_back_whatever_it_holds(self, subject: Storage, text: str) -> None:
        """Byte for byte, of a document and of a chunk."""
        stored = document(
            title=text, name=text, source=text, problem=text, tags=(text, "b"), status=Status.DRAFT, embedded="é"
        )
        part = chunk(3, headings=(text, ""), text=text, start=2**40, end=2**41, names=(text[:128], "x.y"), labels=())
        await keep(subject, stored, chunks=[part])
        async with subject.knowledge(ACME, read_only=True) as unit:
            assert await unit.knowledge.get(stored.id) == stored
            assert await unit.knowledge.chunks(stored.key) == [part]
            assert await unit.knowledge.by_name(EVERYBODY, [text]) == {text: stored}

    @pytest.mark.parametrize("scope", [*EVERYWHERE, KnowledgeScope(Tier.CASE, "case_0123456789ab")])
    async def test_every_scope_comes_back(self, subject: Storage, scope: KnowledgeScope) -> None:
        """With its owner; a document that was never reviewed has no day of that."""
        stored = document(scope=scope, reviewed_on=None)
        await keep(subject, stored)
        async with subject.knowledge(ACME, read_only=True) as unit:
            assert await unit.knowledge.get_many([stored.key, key(1)]) == {stored.key: stored}

    async def test_adding_what_is_there_keeps_nothing_of_the_batch(self, subject: Storage) -> None:
        """The same key, id, or name in a scope."""
        await keep(subject, document(1))
        taken = document(1)
        for clash in (
            document(3, key=taken.key),
            document(3, id=taken.id),
            document(3, name=taken.name),
        ):
            with pytest.raises(AlreadyExistsError):
                await keep(subject, document(2), clash)
        assert await titles(subject, DocumentQuery([EVERYBODY])) == ["Runbook 1"]
        await keep(subject, document(3, name=taken.name, scope=PAYMENTS))

    async def test_the_name_of_a_removed_document_is_free(self, subject: Storage) -> None:
        """While its remains are still being taken away."""
        await keep(subject, document(1, state=DocumentState.REMOVED))
        await keep(subject, document(2, name=document(1).name))
        async with subject.knowledge(ACME) as unit:
            assert await unit.knowledge.by_name(EVERYBODY, [document(1).name]) == {
                document(1).name: document(2, name=document(1).name)
            }
            with pytest.raises(AlreadyExistsError):
                await unit.knowledge.save([document(1)])

    async def test_a_time_without_a_zone_is_refused(self, subject: Storage) -> None:
        """It would be another instant elsewhere."""
        with pytest.raises(InvalidInputError):
            await keep(subject, document(added_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - what is to be refused

    async def test_empty_batches_are_nothing(self, subject: Storage) -> None:
        """And no error."""
        async with subject.knowledge(ACME) as unit:
            await unit.knowledge.add([])
            await unit.knowledge.save([])
            await unit.knowledge.remove([])
            assert await unit.knowledge.get_many([]) == {}
            assert await unit.knowledge.by_name(EVERYBODY, []) == {}
            assert await unit.knowledge.chunks_at([]) == {}
            await unit.commit()

    async def test_absent_and_foreign_documents_look_the_same(self, subject: Storage) -> None:
        """Of another organization, or of nobody."""
        await keep(subject, document(1, OTHER), chunks=[chunk()])
        for absent in (document(1), document(2)):
            async with subject.knowledge(ACME) as unit:
                with pytest.raises(NotFoundError, match=absent.id):
                    await unit.knowledge.get(absent.id)
                with pytest.raises(NotFoundError):
                    await unit.knowledge.replace_chunks(absent.key, [])
                with pytest.raises(StaleVersionError):
                    await unit.knowledge.save([absent])

    async def test_saving_grows_the_version_and_stale_ones_are_refused(self, subject: Storage) -> None:
        """One lost race in a batch is enough. A document does not move to another scope."""
        await keep(subject, document(1), document(2))
        async with subject.knowledge(ACME) as unit:
            await unit.knowledge.save([document(1, title="new", tags=(), reviewed_on=None)])
            await unit.commit()
        for lost in (document(1), document(1, version=2, scope=PAYMENTS)):
            async with subject.knowledge(ACME) as unit:
                with pytest.raises(StaleVersionError, match="read it again"):
                    await unit.knowledge.save([document(2), lost])
        async with subject.knowledge(ACME, read_only=True) as unit:
            assert await unit.knowledge.get(document(1).id) == document(
                1, title="new", tags=(), reviewed_on=None, version=2
            )
            assert (await unit.knowledge.get(document(2).id)).version == 1

    async def test_pages_are_in_order_of_adding_and_end(self, subject: Storage) -> None:
        """And show each document once."""
        await keep(subject, *(document(number) for number in (5, 2, 7, 1, 6, 3, 4)))
        seen: list[Document] = []
        after = None
        for _ in range(3):
            async with subject.knowledge(ACME, read_only=True) as unit:
                page = await unit.knowledge.page(DocumentQuery([EVERYBODY]), after=after, limit=3)
            seen += page.items
            after = page.next
        assert seen == [document(number) for number in range(1, 8)]
        assert after is None

    async def test_a_page_holds_what_was_asked_for_and_nothing_else(self, subject: Storage) -> None:
        """By scope, state, source, and every tag, in capitals or small."""
        await keep(
            subject,
            document(1, tags=("DNS", "a%b")),
            document(2, scope=PAYMENTS, tags=("dns",)),
            document(3, scope=KnowledgeScope(Tier.TEAM, "payments2"), state=DocumentState.PENDING, tags=()),
            document(4, scope=HERS, state=DocumentState.REMOVED, tags=("dns", "DNS")),
            document(5, source="/srv", tags=('quote " \\', "aab")),
        )
        everywhere = (*EVERYWHERE, KnowledgeScope(Tier.TEAM, "payments2"))
        for query, wanted in (
            (DocumentQuery(everywhere), [1, 2, 3, 5]),
            (DocumentQuery([PAYMENTS]), [2]),
            (DocumentQuery(everywhere, tuple(DocumentState)), [1, 2, 3, 4, 5]),
            (DocumentQuery(everywhere, (DocumentState.PENDING,)), [3]),
            (DocumentQuery(everywhere, source="/srv"), [5]),
            (DocumentQuery(everywhere, tags=("dns",)), [2]),
            (DocumentQuery(everywhere, tags=("DNS", "a%b")), [1]),
            (DocumentQuery(everywhere, tags=('quote " \\',)), [5]),
            (DocumentQuery(everywhere, tags=("dns", "DNS")), []),
        ):
            assert await titles(subject, query) == [f"Runbook {number}" for number in wanted], query

    async def test_documents_are_found_by_name_digest_and_source(self, subject: Storage) -> None:
        """In their scope, oldest first, but for removed ones."""
        same: dict[str, Any] = {"sha256": "ab" * 32, "source": "/src"}
        await keep(
            subject,
            document(3, **same),
            document(1, **same),
            document(2, scope=PAYMENTS, **same),
            document(4, state=DocumentState.REMOVED, **same),
            document(5, state=DocumentState.FAILED, problem="It is broken.", sha256="ab" * 32),
        )
        async with subject.knowledge(ACME, read_only=True) as unit:
            found = await unit.knowledge.by_digest(EVERYBODY, "ab" * 32)
            assert [one.title for one in found] == ["Runbook 1", "Runbook 3", "Runbook 5"]
            found = await unit.knowledge.of_source(EVERYBODY, "/src")
            assert [one.title for one in found] == ["Runbook 1", "Runbook 3"]
            names = [document(number).name for number in range(1, 6)]
            assert (await unit.knowledge.by_name(EVERYBODY, names)).keys() == {names[0], names[2], names[4]}

    async def test_more_names_and_keys_than_a_statement_takes(self, subject: Storage) -> None:
        """A folder may have tens of thousands of files."""
        await keep(subject, document(1), document(2), chunks=[chunk()])
        async with subject.knowledge(ACME) as unit:
            names = [*(f"/none/{number}" for number in range(33_000)), document(2).name]
            assert (await unit.knowledge.by_name(EVERYBODY, names)).keys() == {document(2).name}
            keys = [*(UUID(int=number) for number in range(33_000)), document(2).key]
            assert (await unit.knowledge.get_many(keys)).keys() == {document(2).key}
            places = [(one, 0) for one in keys]
            assert (await unit.knowledge.chunks_at(places)).keys() == {(document(2).key, 0)}
            await unit.knowledge.remove(keys)
            await unit.commit()
        assert await titles(subject, DocumentQuery([EVERYBODY])) == ["Runbook 1"]

    async def test_what_jobs_have_to_do(self, subject: Storage) -> None:
        """Oldest first, in every scope: by state, and what the present model has not embedded."""
        await keep(
            subject,
            document(3, state=DocumentState.PENDING),
            document(1, scope=HERS, state=DocumentState.PENDING),
            document(2, state=DocumentState.REMOVED),
            document(4, embedded="old"),
            document(5, embedded="", status=Status.DEPRECATED),
            document(6, scope=PAYMENTS, embedded=""),
            document(7, embedded="new"),
        )

        def numbers(found: Sequence[Document]) -> list[str]:
            return [one.title[-1] for one in found]

        async with subject.knowledge(ACME, read_only=True) as unit:
            assert numbers(await unit.knowledge.in_state(DocumentState.PENDING, 9)) == ["1", "3"]
            assert numbers(await unit.knowledge.in_state(DocumentState.PENDING, 1)) == ["1"]
            assert numbers(await unit.knowledge.in_state(DocumentState.REMOVED, 9)) == ["2"]
            assert numbers(await unit.knowledge.not_embedded("new", 9)) == ["4", "6"]
            assert numbers(await unit.knowledge.not_embedded("new", 1)) == ["4"]

    async def test_the_originals_that_are_named(self, subject: Storage) -> None:
        """By documents of every state."""
        await keep(subject, document(1), document(2, blob=""), document(3, state=DocumentState.REMOVED))
        await keep(subject, document(1, OTHER))
        async with subject.knowledge(ACME, read_only=True) as unit:
            assert set(await unit.knowledge.blobs()) == {document(1).blob, document(3).blob}

    async def test_a_census_counts_the_scopes_that_it_is_for(self, subject: Storage) -> None:
        """Removed documents among the states alone; nothing is embedded under no model."""
        await keep(
            subject,
            document(1, chunks=2, characters=30, size=5, embedded="m"),
            document(2, chunks=1, characters=2**40, size=2**41, embedded="n"),
            document(3, chunks=7, characters=70, size=7, state=DocumentState.REMOVED, embedded="m"),
            document(4, chunks=1, characters=1, size=1, status=Status.DEPRECATED, embedded="m"),
            document(5, chunks=0, characters=0, size=9, state=DocumentState.FAILED, embedded=""),
            document(6, chunks=9, characters=9, size=9, scope=HERS, embedded="m"),
        )
        async with subject.knowledge(ACME, read_only=True) as unit:
            census = await unit.knowledge.census([EVERYBODY, PAYMENTS], "m")
            assert census.states == {DocumentState.READY: 3, DocumentState.REMOVED: 1, DocumentState.FAILED: 1}
            assert (census.searchable, census.embedded, census.chunks) == (2, 1, 4)
            assert (census.characters, census.size) == (31 + 2**40, 15 + 2**41)
            assert (await unit.knowledge.census([EVERYBODY], "")).embedded == 0
            assert (await unit.knowledge.census([PAYMENTS], "m")).states == {}

    async def test_chunks_come_in_order_and_in_parts(self, subject: Storage) -> None:
        """From a number on, as many as are wanted; single ones by their place."""
        parts = [chunk(number, f"word{number}") for number in range(12)]
        await keep(subject, document(), chunks=[*reversed(parts)])
        of = document().key
        async with subject.knowledge(ACME, read_only=True) as unit:
            assert await unit.knowledge.chunks(of) == parts
            assert await unit.knowledge.chunks(of, first=3, limit=2) == parts[3:5]
            assert await unit.knowledge.chunks(of, first=12) == []
            assert await unit.knowledge.chunks(key(1)) == []
            found = await unit.knowledge.chunks_at([(of, 11), (of, 0), (of, 12), (key(1), 0)])
            assert found == {(of, 11): parts[11], (of, 0): parts[0]}

    async def test_new_chunks_take_the_place_of_all_old_ones(self, subject: Storage) -> None:
        """In every query; other documents keep theirs."""
        await keep(subject, document(1), document(2), chunks=[chunk(0), chunk(1)])
        async with subject.knowledge(ACME) as unit:
            await unit.knowledge.replace_chunks(document(1).key, [chunk(0, "new", names=())])
            await unit.commit()
        await is_found(subject, 1, [chunk(0, "new", names=())], {"dns": [2], "new": [1], "errno11": [2, 2]})
        async with subject.knowledge(ACME) as unit:
            await unit.knowledge.replace_chunks(document(1).key, [])
            await unit.commit()
        await is_found(subject, 1, [], {"dns": [2], "new": [], "fix": [2], "errno11": [2, 2]})

    async def test_removing_takes_documents_with_all_that_is_of_them(self, subject: Storage) -> None:
        """The second time it is no error."""
        await keep(subject, document(1), document(2), chunks=[chunk()])
        await keep(subject, document(1, OTHER), chunks=[chunk()])
        for _ in range(2):
            async with subject.knowledge(ACME) as unit:
                await unit.knowledge.remove([document(1).key])
                await unit.commit()
        await is_found(subject, 1, [], {"dns": [2], "errno11": [2]})
        assert await titles(subject, DocumentQuery([EVERYBODY])) == ["Runbook 2"]
        assert await titles(subject, DocumentQuery([EVERYBODY]), OTHER) == ["Runbook 1"]

    async def test_chunks_with_one_number_are_refused(self, subject: Storage) -> None:
        """A place in a document is one chunk's."""
        await keep(subject, document())
        async with subject.knowledge(ACME) as unit:
            with pytest.raises(AlreadyExistsError):
                await unit.knowledge.replace_chunks(document().key, [chunk(1), chunk(1, "other")])

    async def test_what_is_not_committed_is_not_found(self, subject: Storage) -> None:
        """Documents, chunks and words go back together."""
        await keep(subject, document(1), chunks=[chunk()])
        async with subject.knowledge(ACME) as unit:
            await unit.knowledge.add([document(2)])
            await unit.knowledge.replace_chunks(document(2).key, [chunk(of=2)])
            await unit.knowledge.remove([document(1).key])
        await is_found(subject, 1, [chunk()], {"dns": [1], "errno11": [1]})
