"""Embedding servers that refuse, fail, hang, answer otherwise than asked, or want other words; and what they are asked."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from array import array
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import pytest

from canned import Answer, Asked, serving
from embedding_servers import embedder_of
from faultmaven_adapters.embedding.openai_compatible import OpenAiCompatibleEmbedder
from faultmaven_adapters.resilience.policy import resilient
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.servers import shared
from faultmaven_contract_tests.servers.certificates import certificate
from faultmaven_core.ports.embedding import Embedder, Purpose
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.ports.policy import EMBEDDING
from faultmaven_core.shared.errors import (
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    DeadlineExceededError,
    FaultMavenError,
    InvalidInputError,
    MisconfiguredError,
    QuotaExceededError,
    RateLimitedError,
    TooLargeError,
)
from faultmaven_core.shared.secret import Secret

KEY = "sk-canary-3Xr7"
BESIDE = "http://127.0.0.1:9/v1"
"""A port at which nothing listens."""

Respond = Callable[[Sequence[str]], Answer]


@asynccontextmanager
async def asking(url: str, **options: object) -> AsyncIterator[OpenAiCompatibleEmbedder]:
    """An embedder of vectors of two numbers."""
    settings: dict[str, object] = {"api_key": Secret(KEY), "timeout": 10.0} | options
    embedder = OpenAiCompatibleEmbedder(url, "small", 2, **settings)  # type: ignore[arg-type]  # names and types as above
    try:
        yield embedder
    finally:
        await embedder.aclose()


def said(status: int, error: object, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An answer as these servers give it."""
    return Answer(status, json.dumps({"error": error}).encode(), (("Content-Type", "application/json"), *headers))


def vectors(*pairs: tuple[int, object]) -> Answer:
    """An answer with vectors by their index."""
    data = [{"object": "embedding", "index": index, "embedding": values} for index, values in pairs]
    body = {"object": "list", "model": "small", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    return Answer(200, json.dumps(body).encode(), (("Content-Type", "application/json"),))


def as_base64(*values: float) -> str:
    """Numbers as the servers send them when they are asked for base64."""
    return base64.b64encode(array("f", values).tobytes()).decode()


async def raised_by(answer: Answer) -> FaultMavenError:
    """What becomes of such an answer."""
    with serving(lambda _asked: answer) as url:
        async with asking(f"{url}/v1") as embedder:
            with pytest.raises(FaultMavenError) as raised:
                await embedder.embed(["x"])
    return raised.value


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (said(400, {"message": "no"}), InvalidInputError),
        (said(401, {"message": f"Incorrect API key: {KEY}"}), AuthenticationError),
        (said(403, {"message": "no"}), AuthenticationError),
        (said(404, {"message": "The model does not exist"}), MisconfiguredError),
        (said(408, {"message": "late"}), DeadlineExceededError),
        (said(422, {"message": "no"}), InvalidInputError),
        (said(429, {"message": "no", "code": "insufficient_quota"}), QuotaExceededError),
        (said(500, {"message": "no"}), BackendUnavailableError),
        (said(502, "<html>"), BackendUnavailableError),
        (said(503, {"message": "Loading model"}), BackendRefusedError),
        (said(529, {"message": "overloaded"}), BackendRefusedError),
        (said(418, {"message": "odd"}), BackendError),
        (Answer(200, b"<html>Welcome</html>", (("Content-Type", "text/html"),)), BackendError),
        (Answer(200, b"{", (("Content-Type", "application/json"),)), BackendError),
        (Answer(200, b"[]", (("Content-Type", "application/json"),)), BackendError),
        (Answer(200, b'{"data": 7}', (("Content-Type", "application/json"),)), BackendError),
        (vectors(), BackendError),
        (vectors((0, [1.0, 0.0]), (1, [1.0, 0.0])), BackendError),
        (vectors((7, [1.0, 0.0])), BackendError),
        (vectors((0, None)), BackendError),
        (vectors((0, ["a", "b"])), BackendError),
        (vectors((0, [0.0, 0.0])), BackendError),
        (vectors((0, as_base64(float("nan"), 1))), BackendError),
        (vectors((0, [1.0, 0.0, 0.0])), MisconfiguredError),
    ],
)
async def test_an_answer_becomes_the_error_that_says_what_to_do(answer: Answer, error: type[FaultMavenError]) -> None:
    """By status, then by what the answer holds; what is no vector is an error, never a short list."""
    found = await raised_by(answer)
    assert type(found) is error
    assert "127.0.0.1" in str(found)


async def test_the_servers_dimension_is_told() -> None:
    """Whoever reads it can set it."""
    assert "dimension=3" in str(await raised_by(vectors((0, [1.0, 0.0, 0.0]))))


async def test_a_limit_says_when_to_come_again() -> None:
    """As seconds, as a date, or not at all: then after a second."""
    limit = {"message": "slow down"}
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    for headers, least, most in [
        ((("Retry-After", "7.5"),), 7.5, 7.5),
        ((("Retry-After", later),), 60, 90),
        ((("Retry-After", "soon"),), 1, 1),
        ((), 1, 1),
    ]:
        error = await raised_by(said(429, limit, headers))
        assert isinstance(error, RateLimitedError)
        assert least <= error.retry_after <= most


async def test_a_limit_beyond_the_deadline_is_not_waited_for() -> None:
    """The caller hears of it at once; the SDK's own retries are off."""
    asked: list[Asked] = []

    def respond(request: Asked) -> Answer:
        asked.append(request)
        return said(429, {"message": "no"}, (("Retry-After", "900"),))

    with serving(respond) as url:
        async with asking(f"{url}/v1") as embedder:
            subject: Embedder = resilient(embedder, EMBEDDING, "The embedding server")
            with pytest.raises(RateLimitedError):
                await subject.embed(["x"])
    assert len(asked) == 1


@pytest.mark.parametrize("status", [400, 413, 500])
async def test_what_is_too_long_is_divided_and_cut(status: int) -> None:
    """Each server says it in its own way; texts that fit are embedded whole, others by their beginning, in their order."""
    words = {
        400: "This model's maximum context length is 8192 tokens, however you requested 9000 tokens",
        413: "no",
        500: "input (3001 tokens) is too large to process. increase the physical batch size (current batch size: 512)",
    }
    taken: list[str] = []

    def respond(request: Asked) -> Answer:
        texts = json.loads(request.body)["input"]
        if sum(map(len, texts)) > 10:
            return said(status, {"message": words[status]})
        taken.extend(texts)
        return vectors(*((number, [float(len(text)), 1.0]) for number, text in enumerate(texts)))

    with serving(respond) as url:
        async with asking(f"{url}/v1") as embedder:
            found = await embedder.embed(["one", "abcdefghijklmnop", "three"])
    assert taken == ["one", "abcdefgh", "three"]
    assert [round(vector.values[0] / vector.values[1]) for vector in found] == [3, 8, 5]


async def test_a_server_that_finds_everything_too_long_is_not_asked_for_ever() -> None:
    """One letter is not too long."""
    assert isinstance(await raised_by(said(413, {"message": "no"})), TooLargeError)


@pytest.mark.parametrize(
    "answered",
    [
        lambda count: [(number, [1.0, float(number)]) for number in reversed(range(count))],
        lambda count: [(number, as_base64(1, number)) for number in reversed(range(count))],
    ],
    ids=["numbers", "base64"],
)
async def test_vectors_are_sorted_by_their_index(answered: Callable[[int], list[tuple[int, object]]]) -> None:
    """Servers that work in parallel answer in the order in which they are done."""
    with serving(lambda asked: vectors(*answered(len(json.loads(asked.body)["input"])))) as url:
        async with asking(f"{url}/v1", batch=4) as embedder:
            found = await embedder.embed([str(number) for number in range(10)])
    assert [round(vector.values[1] / vector.values[0]) for vector in found] == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]


async def test_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model, the texts with the prefix of their purpose, our key, and nothing of other programs' variables."""
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-somebody-else")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-of-somebody-else")
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-somebody-else")
    asked: list[Asked] = []

    def respond(request: Asked) -> Answer:
        asked.append(request)
        return vectors((0, [1.0, 0.0]))

    with serving(respond) as url:
        async with asking(f"{url}/v1", query_prefix="query: ", document_prefix="passage: ") as embedder:
            await embedder.embed(["x"])
            await embedder.embed(["x"], Purpose.QUERY)
            await embedder.embed([])
        async with asking(f"{url}/v1", api_key=None) as embedder:
            await embedder.embed(["x"])
    bodies = [json.loads(request.body) for request in asked]
    assert [body["input"] for body in bodies] == [["passage: x"], ["query: x"], ["x"]]
    assert {body["model"] for body in bodies} == {"small"}
    assert [request.headers["authorization"] for request in asked] == [f"Bearer {KEY}"] * 2 + ["Bearer none"]
    assert "somebody-else" not in f"{[request.headers for request in asked]}"


async def test_the_fingerprint_tells_models_prefixes_and_dimensions_apart() -> None:
    """And says the same of a model wherever it is served: vectors stay good when a server moves."""
    made = [
        OpenAiCompatibleEmbedder(url, model, dimension, query_prefix=prefix)
        for url, model, dimension, prefix in [
            (BESIDE, "a", 2, ""),
            ("http://127.0.0.2:9/v1", "a", 2, ""),
            (BESIDE, "b", 2, ""),
            (BESIDE, "a", 3, ""),
            (BESIDE, "a", 2, "query: "),
        ]
    ]
    assert made[0].fingerprint == made[1].fingerprint
    assert len({embedder.fingerprint for embedder in made}) == 4
    for embedder in made:
        await embedder.aclose()


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    """Said as such, and nothing was sent: it may be tried again."""
    async with asking(BESIDE) as embedder:
        with pytest.raises(BackendRefusedError):
            await embedder.embed(["x"])
        with pytest.raises(BackendRefusedError):
            await embedder.inspect()


async def test_a_certificate_that_is_not_trusted_is_said(tmp_path: Path) -> None:
    """It does not get better by waiting."""
    with serving(lambda _: vectors((0, [1.0, 0.0])), certificate(tmp_path)) as url:
        async with asking(f"{url}/v1") as embedder:
            with pytest.raises(BackendError, match="certificate") as raised:
                await embedder.embed(["x"])
    assert not raised.value.retryable


@pytest.mark.servers("llama")
async def test_a_server_that_breaks_or_hangs_is_said_and_recovers() -> None:
    """Within the time-out; the next call succeeds when the server does."""
    server = shared("llama")
    port = urlsplit(server.url).port or 0
    async with FaultProxy("127.0.0.1", port) as proxy:
        embedder = embedder_of(server, url=proxy.through(server.url), timeout=20.0)
        hasty = embedder_of(server, url=proxy.through(server.url), timeout=0.5)
        await embedder.ping()
        proxy.blackhole = True
        begin = perf_counter()
        with pytest.raises(DeadlineExceededError):
            await hasty.embed(["x"])
        assert perf_counter() - begin < 15
        proxy.blackhole = False
        proxy.cut_next_reply(b"doomed")
        with pytest.raises(BackendUnavailableError):
            await embedder.embed(["doomed"])
        again: Embedder = resilient(embedder, EMBEDDING, "The embedding server")
        proxy.cut_next_reply(b"doomed")
        assert len(await again.embed(["doomed"])) == 1
        assert proxy.doomed_request is None
        await embedder.aclose()
        await hasty.aclose()


@pytest.mark.servers("llama")
async def test_a_wrong_key_is_told_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Not in the error, not in what caused it, not in our log."""
    caplog.set_level(logging.DEBUG, "faultmaven_adapters")
    embedder = embedder_of(shared("llama"), api_key=Secret(KEY))
    with pytest.raises(AuthenticationError, match="FM_EMBEDDING_API_KEY") as raised:
        await embedder.embed(["x"])
    await embedder.aclose()
    texts = [repr(embedder), caplog.text, *traceback.format_exception(raised.value)]
    assert caplog.text
    assert [text for text in texts if KEY in text] == []


@pytest.mark.servers("llama")
async def test_a_server_says_what_serves_the_model() -> None:
    """For `fm doctor`."""
    embedder = embedder_of(shared("llama"))
    assert (await embedder.inspect()).product == "smollm2-135m of llamacpp"
    await embedder.aclose()
