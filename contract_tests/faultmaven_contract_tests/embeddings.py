"""What every embedder holds to."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Sequence

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.nasty import TEXTS
from faultmaven_contract_tests.stalls import assert_lively
from faultmaven_core.ports.embedding import MOST_CHARACTERS, MOST_TEXTS, Embedder, Purpose
from faultmaven_core.ports.vectors import Embedding
from faultmaven_core.shared.errors import ConflictError, InvalidInputError

SAME = 0.999
"""Cosine of two vectors of one text; rounding depends on what else is computed with it."""

LONGEST_STALL = 0.1

ANSWER = "The pod was killed because its container used more memory than its limit."
QUESTION = "Was the pod killed because its container used more memory than its limit?"
OTHERS = (
    "Renew the certificate of the load balancer before the end of the month.",
    "Lunch is served in the canteen from noon on.",
    "The primary database failed over to its replica.",
)


class EmbedderContract(Contract):
    """Bind it with fixtures: `subject`; `again`, which makes another of the same; `many`, as many texts as take it a while.

    Where it computes here, `many` are to take over half a second.
    """

    async def test_every_text_gets_a_vector_of_length_one(self, subject: Embedder) -> None:
        """Of the dimension that was told, as 32-bit floats."""
        found = await subject.embed([ANSWER, QUESTION])
        assert [len(vector) for vector in found] == [subject.dimension] * 2
        assert [length(vector) for vector in found] == pytest.approx([1, 1], abs=1e-5)
        assert {vector.values.typecode for vector in found} == {"f"}

    async def test_vectors_come_in_the_order_of_their_texts(self, subject: Embedder) -> None:
        """Also where short and long ones are mixed, which some take in another order, and there are many."""
        texts = [f"number {number} " + "and so on " * (number * 7 % 6) for number in range(20)]
        together = await subject.embed(texts)
        assert len(together) == len(texts)
        for number in (0, 1, 11, 19):
            (alone,) = await subject.embed([texts[number]])
            assert cosine(alone, together[number]) > SAME
            assert max(range(len(texts)), key=lambda other: cosine(alone, together[other])) == number

    async def test_no_text_gives_no_vector(self, subject: Embedder) -> None:
        """An empty input is no work."""
        assert list(await subject.embed([])) == []

    async def test_the_same_text_gets_the_same_vector(
        self, subject: Embedder, again: Callable[[], contextlib.AbstractAsyncContextManager[Embedder]]
    ) -> None:
        """From another instance, and twice in one call too: what was stored can be compared with what is asked."""
        first, second = await subject.embed([ANSWER, ANSWER])
        async with again() as other:
            (elsewhere,) = await other.embed([ANSWER])
            assert (other.fingerprint, other.dimension) == (subject.fingerprint, subject.dimension)
        assert cosine(first, second) > SAME
        assert cosine(first, elsewhere) > SAME

    async def test_what_says_the_same_is_closer_than_what_does_not(self, subject: Embedder) -> None:
        """Else there is no use in it."""
        (question,) = await subject.embed([QUESTION], Purpose.QUERY)
        answer, *others = await subject.embed([ANSWER, *OTHERS])
        assert all(cosine(question, answer) > cosine(question, other) for other in others)

    async def test_nasty_text_is_text(self, subject: Embedder) -> None:
        """Quotes, controls, emoji, other scripts: a vector for each, and another for each that has other letters."""
        texts = [text for text in TEXTS if text.strip()]
        found = await subject.embed(texts)
        assert [length(vector) for vector in found] == pytest.approx([1] * len(texts), abs=1e-5)

    async def test_punctuation_alone_has_a_vector(self, subject: Embedder) -> None:
        """It may stand in a document; only blanks have none."""
        (found,) = await subject.embed(["!!! ---"])
        assert length(found) == pytest.approx(1, abs=1e-5)

    @pytest.mark.parametrize("text", ["", " \n\t", "with \0 NUL", "half \ud83d a pair", "x" * (MOST_CHARACTERS + 1)])
    async def test_what_no_embedder_takes_is_refused(self, subject: Embedder, text: str) -> None:
        """One such text refuses the call: nobody gets fewer vectors than texts."""
        with pytest.raises(InvalidInputError):
            await subject.embed([ANSWER, text])

    async def test_too_many_texts_are_refused(self, subject: Embedder) -> None:
        """The caller divides them, and can say how far it is."""
        with pytest.raises(InvalidInputError):
            await subject.embed(["x"] * (MOST_TEXTS + 1))

    async def test_a_text_longer_than_the_model_reads_counts_by_its_beginning(self, subject: Embedder) -> None:
        """It is embedded, not refused, and short ones beside it are not harmed."""
        long = f"{ANSWER} " * 300
        found, beside = await subject.embed([long, ANSWER])
        (alone,) = await subject.embed([ANSWER])
        assert cosine(beside, alone) > SAME
        (lunch,) = await subject.embed([OTHERS[1]])
        assert cosine(found, alone) > cosine(found, lunch)

    async def test_the_fingerprint_says_what_vectors_depend_on(self, subject: Embedder) -> None:
        """Short enough to be kept with a collection, and the dimension is in it."""
        assert 1 <= len(subject.fingerprint) <= 200
        assert subject.fingerprint.isprintable()
        assert str(subject.dimension) in subject.fingerprint

    async def test_many_callers_at_once_get_their_own(self, subject: Embedder) -> None:
        """Nothing of one call is in another's answer."""
        texts = [f"caller {number}: {text}" for number, text in enumerate([ANSWER, *OTHERS])]
        alone = [(await subject.embed([text]))[0] for text in texts]
        together = await asyncio.gather(*(subject.embed([text] * 2) for text in texts))
        for expected, found in zip(alone, together, strict=True):
            assert all(cosine(expected, vector) > SAME for vector in found)

    async def test_the_loop_goes_on_meanwhile(self, subject: Embedder, many: Sequence[str]) -> None:
        """Whoever waits for something else is not kept waiting."""
        await subject.ping()
        await assert_lively(lambda: self._embedded(subject, many), LONGEST_STALL)

    @staticmethod
    async def _embedded(subject: Embedder, texts: Sequence[str]) -> None:
        assert len(await subject.embed(texts)) == len(texts)

    async def test_a_cancelled_call_leaves_a_working_embedder(self, subject: Embedder, many: Sequence[str]) -> None:
        """The next caller is served."""
        call = asyncio.create_task(subject.embed(many))
        await asyncio.sleep(0.01)
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await call
        (found,) = await subject.embed([ANSWER])
        assert len(found) == subject.dimension

    async def test_it_answers_and_says_what_it_is(self, subject: Embedder) -> None:
        """For `fm doctor`."""
        await subject.ping()
        assert (await subject.inspect()).product

    async def test_a_closed_embedder_refuses(self, subject: Embedder) -> None:
        """Closing twice is no error, using it is."""
        await subject.embed([ANSWER])
        await subject.aclose()
        await subject.aclose()
        with pytest.raises(ConflictError):
            await subject.embed([ANSWER])


def cosine(one: Embedding, other: Embedding) -> float:
    """How alike two vectors of length 1 are."""
    return sum(left * right for left, right in zip(one.values, other.values, strict=True))


def length(vector: Embedding) -> float:
    """How long a vector is."""
    return math.hypot(*vector.values)
