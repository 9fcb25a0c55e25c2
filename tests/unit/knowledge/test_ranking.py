"""Scores are what the formulas say, and orders do not depend on chance."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.knowledge.ports import ChunkTerms, Statistics
from faultmaven_core.knowledge.ranking import MOST_READ, MOST_TERMS, TITLED, Finding, Words, ranked

STATISTICS = Statistics(documents=10, chunks=20, words=200, frequency={"disk": 8, "full": 2, "inode": 1})
SHARE = st.floats(0, 1)


def passage(text: str, labels: str = "") -> ChunkTerms:
    """A chunk of these words."""
    return ChunkTerms(0, len(text.split()), Counter(text.split()), Counter(labels.split()))


def document(number: int) -> UUID:
    """A key."""
    return UUID(int=number)


def test_bm25_is_what_its_formula_gives() -> None:
    """By hand: ln(1 + 8.5 / 2.5) x 2.2 x 1 / (1 + 1.2) for one `full` among the usual ten words."""
    words = Words(STATISTICS, ["full"])
    assert words.bm25(passage("full " + "x " * 9)) == pytest.approx(1.4816, abs=1e-4)


def test_a_rare_word_weighs_more_than_a_common_one_and_a_label_more_than_text() -> None:
    """In passages of the usual length."""
    rest = " x" * 9
    words = Words(STATISTICS, ["disk", "full", "inode"])
    inode, full, disk = (words.bm25(passage(word + rest)) for word in ("inode", "full", "disk"))
    assert inode > full > disk
    assert words.bm25(passage("x" + rest, "full")) > full


@given(st.lists(st.sampled_from(["disk", "full", "inode", "x"]), min_size=1, max_size=50), st.integers(0, 3))
def test_no_passage_exceeds_the_highest_bm25(text: list[str], labels: int) -> None:
    """So a share of words is one."""
    words = Words(STATISTICS, ["disk", "full", "inode"])
    assert 0 <= words.share(words.bm25(ChunkTerms(0, len(text), Counter(text), {"full": labels}))) < 1


def test_words_that_no_document_has_lower_the_share_of_the_others() -> None:
    """A question that is mostly unknown is not answered by its one common word."""
    known, unknown = Words(STATISTICS, ["full"]), Words(STATISTICS, ["full", "zebra", "quagga"])
    one = passage("full x x")
    assert known.bm25(one) == unknown.bm25(one)
    assert unknown.share(unknown.bm25(one)) < known.share(known.bm25(one)) / 3


def test_common_words_select_no_candidates_once_rarer_ones_found_enough() -> None:
    """They still weigh; the two rarest select whatever they cost."""
    statistics = replace(
        STATISTICS, documents=MOST_READ * 2, frequency={"a1": MOST_READ, "b1": MOST_READ, "c1": MOST_READ + 1}
    )
    words = Words(statistics, ["c1", "b1", "a1"])
    assert [term for term, weight in words.selecting.items() if weight] == ["a1", "b1"]
    assert words.weights["c1"] > 0


def test_of_a_long_question_the_rarest_words_that_are_known_count() -> None:
    """A stack trace has hundreds that nobody has written down."""
    unknown = [f"u{number}" for number in range(MOST_TERMS * 2)]
    assert list(Words(STATISTICS, [*unknown, "disk", "full"]).weights)[:2] == ["full", "disk"]


def test_an_empty_library_has_no_scores_and_no_error() -> None:
    """There is nothing to divide by."""
    words = Words(Statistics(0, 0, 0, {}), ["disk"])
    assert words.share(words.bm25(passage("disk"))) <= 1
    assert Words(STATISTICS, []).share(0.0) == 0.0


def order(passages: dict[tuple[UUID, int], Finding], *, by_meaning: bool = True) -> list[tuple[int, int]]:
    """Document and passage numbers, best first."""
    found = ranked(passages, lambda _: 0, by_meaning=by_meaning)
    return [(one.place[0].int, one.place[1]) for one in found]


def test_a_document_has_two_passages_at_most_and_the_first_has_its_score() -> None:
    """What one passage says in words, another may mean."""
    one, other = document(1), document(2)
    passages = {
        (one, 0): Finding(words=0.6, cosine=0.1),
        (one, 1): Finding(words=0.1, cosine=0.7),
        (one, 2): Finding(words=0.1, cosine=0.1),
        (other, 0): Finding(words=0.5, cosine=0.5),
    }
    assert order(passages) == [(1, 1), (2, 0), (1, 0)]


def test_what_is_not_known_of_a_meaning_is_at_most_its_bound() -> None:
    """A passage beyond those that a vector store told of is as likely as the last of them, and no likelier."""
    passages = {
        (document(1), 0): Finding(words=0.4, cosine=None, bound=0.3),
        (document(2), 0): Finding(words=0.4, cosine=0.31, bound=0.3),
        (document(3), 0): Finding(words=0.4, cosine=0.29, bound=0.3),
    }
    assert order(passages) == [(2, 0), (1, 0), (3, 0)]


def test_a_document_that_is_not_embedded_yet_is_ranked_by_its_words() -> None:
    """Between those whose meaning is less like, and more like, than its words."""
    passages = {
        (document(1), 0): Finding(words=0.5, cosine=0.6),
        (document(2), 0): Finding(words=0.5),
        (document(3), 0): Finding(words=0.5, cosine=0.4),
    }
    assert order(passages) == [(1, 0), (2, 0), (3, 0)]


@given(st.lists(st.tuples(SHARE, SHARE), min_size=1, max_size=8))
def test_a_document_that_bears_the_name_comes_first(shares: list[tuple[float, float]]) -> None:
    """Whatever the others say."""
    passages = {(document(number), 0): Finding(words, cosine) for number, (words, cosine) in enumerate(shares, 1)}
    passages[document(99), 0] = Finding(words=0.01, cosine=0.0, named=TITLED, names=("x",))
    assert order(passages)[0] == (99, 0)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), SHARE, SHARE), max_size=12), st.randoms())
def test_the_order_does_not_depend_on_the_order_of_finding(
    found: list[tuple[int, int, float, float]], chance: object
) -> None:
    """Equal scores come by key."""
    passages = {(document(key), number): Finding(words, cosine) for key, number, words, cosine in found}
    shuffled = list(passages.items())
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert order(dict(shuffled)) == order(passages)
