"""What every repository of knowledge promises of finding documents by their words and exact names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.knowledge_repositories import EVERYWHERE, HERS, PAYMENTS, keep
from faultmaven_contract_tests.samples import ACME, EVERYBODY, OTHER, Storage, chunk, document
from faultmaven_core.knowledge.model import Document, DocumentState, KnowledgeScope, Status, Tier
from faultmaven_core.knowledge.ports import Candidate, ChunkTerms, NamedChunk, Statistics
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import OrganizationId

WORDS = ("dns", "a", "ab", "0", "40p01", "node_load15", "größe", "時刻", "ñ", "\U0001f9eax", "e\u0301", "x" * 64)
NO_WORDS = ("", "Dns", "two words", "a-b", "a.b", "tab\t", "nul\0", "line\n", "quote'", "*", '"')


async def found(storage: Storage, *words: str, of: OrganizationId = ACME, scopes: Any = EVERYWHERE) -> list[str]:
    """The titles of the documents that hold words, and their frequencies agree."""
    async with storage.knowledge(of, read_only=True) as unit:
        candidates = await unit.knowledge.candidates(scopes, dict.fromkeys(words, 1), 99)
        known = await unit.knowledge.get_many([one.document for one in candidates])
        for word in words:
            holding = await unit.knowledge.candidates(scopes, {word: 1}, 99)
            assert (await unit.knowledge.statistics(scopes, [word])).frequency.get(word, 0) == len(holding)
    return [known[one.document].title for one in candidates]


async def change(storage: Storage, changed: Document) -> None:
    """Save a document that was stored just so often as its version says."""
    async with storage.knowledge(changed.organization) as unit:
        await unit.knowledge.save([changed])
        await unit.commit()


class KnowledgeWordsContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    @pytest.mark.parametrize("word", WORDS)
    async def test_a_word_is_found_whole_and_as_it_is(self, subject: Storage, word: str) -> None:
        """Neither folded nor parted, nor found by a part of it; with what begins alike beside it."""
        await keep(
            subject,
            document(1),
            chunks=[chunk(0, f"{word} {word} {word}x x{word} {word}_"), chunk(1, "other", labels=(word,))],
        )
        await keep(subject, document(2), chunks=[chunk(0, f"{word}x x{word} {word}_ {word}{word}", labels=())])
        assert await found(subject, word) == ["Runbook 1"]
        async with subject.knowledge(ACME, read_only=True) as unit:
            (candidate,) = await unit.knowledge.candidates([EVERYBODY], {word: 1}, 9)
        assert candidate.chunks == (
            ChunkTerms(0, 5, {word: 2}, {}),
            ChunkTerms(1, 1, {}, {word: 1}),
        )

    @pytest.mark.parametrize("word", NO_WORDS)
    async def test_what_an_index_would_part_or_fold_is_no_word(self, subject: Storage, word: str) -> None:
        """It would be stored and never found."""
        await keep(subject, document())
        for part in (replace(chunk(), terms=("dns", word)), replace(chunk(), labels=(word,))):
            async with subject.knowledge(ACME) as unit:
                with pytest.raises(InvalidInputError, match="word to search by"):
                    await unit.knowledge.replace_chunks(document().key, [part])

    async def test_asking_for_what_is_no_word_finds_nothing(self, subject: Storage) -> None:
        """Whatever it would mean in a query's own language."""
        await keep(subject, document(), chunks=[chunk()])
        for word in (*NO_WORDS, "dn*", "dns OR fix", 'dns" OR "fix', "fix:dns", "DNS", "%", "dns_"):
            assert await found(subject, word) == [], word

    async def test_only_documents_that_a_search_may_find_are_found(self, subject: Storage) -> None:
        """Whenever that changes, and whatever came first: the chunks or the state."""
        await keep(subject, document(state=DocumentState.PENDING), chunks=[chunk()])
        states = [
            (DocumentState.READY, Status.UNSTATED, True),
            (DocumentState.READY, Status.DEPRECATED, False),
            (DocumentState.READY, Status.STALE, True),
            (DocumentState.FAILED, Status.STALE, False),
            (DocumentState.READY, Status.DRAFT, True),
            (DocumentState.READY, Status.DRAFT, True),
            (DocumentState.REMOVED, Status.DRAFT, False),
        ]
        assert await found(subject, "dns") == []
        for version, (state, status, searchable) in enumerate(states, 1):
            await change(subject, document(state=state, status=status, version=version))
            assert await found(subject, "dns") == ["Runbook 1"] * searchable
            async with subject.knowledge(ACME, read_only=True) as unit:
                assert len(await unit.knowledge.named([EVERYBODY], ["errno11"], 9)) == searchable
                size = await unit.knowledge.statistics([EVERYBODY], [])
                assert size == Statistics(searchable, searchable, 10 * searchable, {})

    async def test_a_search_looks_in_its_scopes_alone(self, subject: Storage) -> None:
        """Each alone, and several at once; names that begin alike are not the same."""
        other = KnowledgeScope(Tier.TEAM, "payments2")
        for number, scope in enumerate((EVERYBODY, PAYMENTS, other, HERS), 1):
            await keep(subject, document(number, scope=scope, words=number), chunks=[chunk(0, "dns")])
        for number, scope in enumerate((EVERYBODY, PAYMENTS, other, HERS), 1):
            assert await found(subject, "dns", scopes=[scope]) == [f"Runbook {number}"]
        assert await found(subject, "dns", scopes=[HERS, PAYMENTS, HERS]) == ["Runbook 2", "Runbook 4"]
        async with subject.knowledge(ACME, read_only=True) as unit:
            statistics = await unit.knowledge.statistics([HERS, PAYMENTS, PAYMENTS], ["dns", "none"])
            assert statistics == Statistics(2, 2, 6, {"dns": 2})
            assert [one.document for one in await unit.knowledge.named([other], ["errno11"], 9)] == [document(3).key]

    async def test_without_a_scope_nothing_is_asked(self, subject: Storage) -> None:
        """No scope is not every scope."""
        async with subject.knowledge(ACME, read_only=True) as unit:
            for asked in (
                unit.knowledge.candidates([], {"dns": 1}, 9),
                unit.knowledge.statistics([], ["dns"]),
                unit.knowledge.named([], ["errno11"], 9),
                unit.knowledge.census([], "m"),
            ):
                with pytest.raises(InvalidInputError, match="scope"):
                    await asked

    async def test_others_neither_show_nor_weigh(self, subject: Storage) -> None:
        """The same keys, scopes and words: another organization's are as if they were not there."""
        await keep(subject, document(1, words=3), chunks=[chunk(0, "dns rare")])
        async with subject.knowledge(ACME, read_only=True) as unit:
            before = [
                await unit.knowledge.statistics(EVERYWHERE, ["dns", "rare", "fix"]),
                await unit.knowledge.candidates(EVERYWHERE, {"dns": 1, "rare": 7}, 9),
                await unit.knowledge.named(EVERYWHERE, ["errno11"], 9),
            ]
        for number, scope in ((1, EVERYBODY), (2, EVERYBODY), (3, HERS)):
            await keep(subject, document(number, OTHER, scope=scope), chunks=[chunk(0, "rare rare"), chunk(1, "dns")])
        async with subject.knowledge(ACME, read_only=True) as unit:
            assert before == [
                await unit.knowledge.statistics(EVERYWHERE, ["dns", "rare", "fix"]),
                await unit.knowledge.candidates(EVERYWHERE, {"dns": 1, "rare": 7}, 9),
                await unit.knowledge.named(EVERYWHERE, ["errno11"], 9),
            ]
        assert await found(subject, "dns", of=OTHER) == ["Runbook 1", "Runbook 2", "Runbook 3"]

    async def test_candidates_come_by_weight_then_key(self, subject: Storage) -> None:
        """A word counts once for a document, in however many chunks it stands; what weighs nothing does not come."""
        await keep(subject, document(4), chunks=[chunk(0, "dns dns"), chunk(1, "dns")])
        await keep(subject, document(2), chunks=[chunk(0, "dns"), chunk(1, "pod")])
        await keep(subject, document(3), chunks=[chunk(0, "pod")])
        await keep(subject, document(1), chunks=[chunk(0, "pod")])
        await keep(subject, document(5), chunks=[chunk(0, "less")])

        async def ordered(weights: dict[str, int], limit: int = 9) -> list[str]:
            async with subject.knowledge(ACME, read_only=True) as unit:
                candidates = await unit.knowledge.candidates([EVERYBODY], weights, limit)
                known = await unit.knowledge.get_many([one.document for one in candidates])
            return [known[one.document].title[-1] for one in candidates]

        assert await ordered({"dns": 3, "pod": 2}) == ["2", "4", "1", "3"]
        assert await ordered({"dns": 2, "pod": 3}) == ["2", "1", "3", "4"]
        assert await ordered({"dns": 2, "pod": 3}, 2) == ["2", "1"]
        assert await ordered({"dns": 2**40, "pod": 2**40 + 1}, 2) == ["2", "1"]
        assert await ordered({"dns": 1, "less": 0, "pod": -1}) == ["4"]
        assert await ordered({}) == []

    async def test_a_candidate_has_all_chunks_with_a_word_and_no_others(self, subject: Storage) -> None:
        """By number; also those with a word that weighs nothing; with how often each word stands where."""
        parts = [
            chunk(0, "none", labels=()),
            chunk(1, "dns dns fix dns"),
            chunk(2, "x pod", labels=()),
            chunk(3, "x", labels=("dns", "dns", "fix")),
        ]
        await keep(subject, document(), chunks=[*reversed(parts)])
        async with subject.knowledge(ACME, read_only=True) as unit:
            candidates = await unit.knowledge.candidates([EVERYBODY], {"dns": 5, "pod": 0}, 9)
        counted = (
            ChunkTerms(1, 4, {"dns": 3}, {}),
            ChunkTerms(2, 2, {"pod": 1}, {}),
            ChunkTerms(3, 1, {}, {"dns": 2}),
        )
        assert candidates == [Candidate(document().key, counted)]

    async def test_a_question_of_many_words_in_many_scopes(self, subject: Storage) -> None:
        """More than one list of a statement holds."""
        scopes = [EVERYBODY, *(KnowledgeScope(Tier.TEAM, f"team{number}") for number in range(40))]
        await keep(subject, document(1, scope=scopes[-1]), document(2), chunks=[chunk(0, "w7 w199")])
        weights = {f"w{number}": 1 for number in range(200)}
        async with subject.knowledge(ACME, read_only=True) as unit:
            statistics = await unit.knowledge.statistics(scopes, weights)
            assert statistics == Statistics(2, 2, 20, {"w7": 2, "w199": 2})
            assert len(await unit.knowledge.candidates(scopes, weights, 9)) == 2

    async def test_exact_names_are_found_exactly(self, subject: Storage) -> None:
        """With whatever is in them; by name, document and number, each place once."""
        names = ("kubernetes.io/hostname", "errno11", "a%", "é:8080", "errno11")
        await keep(subject, document(2), document(1), chunks=[chunk(1, names=names), chunk(0, names=("errno11",))])
        first, second = document(1).key, document(2).key

        async def places(*asked: str, limit: int = 99) -> list[NamedChunk]:
            async with subject.knowledge(ACME, read_only=True) as unit:
                return list(await unit.knowledge.named([EVERYBODY], asked, limit))

        both = [NamedChunk(key, number, "errno11") for key in (first, second) for number in (0, 1)]
        assert await places("errno11") == both
        assert await places("é:8080", "errno11", limit=5) == [*both, NamedChunk(first, 1, "é:8080")]
        assert await places("a%") == [NamedChunk(first, 1, "a%"), NamedChunk(second, 1, "a%")]
        for unknown in ("errno1", "ERRNO11", "a_", "", "%"):
            assert await places(unknown) == []
        assert await places() == []
