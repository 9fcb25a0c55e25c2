"""How often somebody may ask, and what he is told of it."""

from __future__ import annotations

import re

from tests.shells.http.shell import Made, client_of

POLICY = re.compile(r'"requests";q=(\d+);w=(\d+)')
LEFT = re.compile(r'"requests";r=(\d+);t=(\d+)')


async def test_a_user_is_told_what_is_left_and_then_to_wait(made: Made) -> None:
    """By the draft's fields and by the older ones, on good answers too; the wait is in whole seconds."""
    async with client_of(made(rate=20), "ann") as client:
        answers = [await client.get("/api/v1/cases") for _ in range(21)]
    good, last = answers[:20], answers[20]
    assert {answer.status_code for answer in good} == {200}
    policy = POLICY.fullmatch(good[0].headers["ratelimit-policy"])
    assert policy is not None
    assert (policy[1], policy[2]) == ("20", "60")
    left = [LEFT.fullmatch(answer.headers["ratelimit"]) for answer in good]
    counted = [int(found[1]) for found in left if found]
    assert counted[0] == 19
    assert counted == sorted(counted, reverse=True)
    assert good[0].headers["x-ratelimit-limit"] == "20"
    assert good[0].headers["x-ratelimit-remaining"] == "19"
    assert last.status_code == 429
    assert last.headers["retry-after"].isdecimal()
    assert 1 <= int(last.headers["retry-after"]) <= 60
    assert last.json()["retry_after"] == int(last.headers["retry-after"])


async def test_one_user_does_not_use_up_anothers_allowance(made: Made) -> None:
    """Nor that of somebody of the same name in another organization."""
    app = made(rate=1)
    async with client_of(app, "ann") as ann, client_of(app, "bob") as bob:
        for _ in range(25):
            last = await ann.get("/api/v1/cases")
        assert last.status_code == 429
        assert (await bob.get("/api/v1/cases")).status_code == 200


async def test_costly_requests_take_more(made: Made) -> None:
    """A turn is an analysis, a list is a list."""
    async with client_of(made(rate=20), "ann") as client:
        before = int((await client.get("/api/v1/cases")).headers["x-ratelimit-remaining"])
        turn = await client.post("/api/v1/cases/case_0/turns", data={"query": "Why?"})
        assert before - int(turn.headers["x-ratelimit-remaining"]) == 10


async def test_without_a_limit_nobody_is_counted(made: Made) -> None:
    """FM_RATE_LIMIT=0."""
    async with client_of(made(rate=0), "ann") as client:
        answer = await client.get("/api/v1/cases")
    assert answer.status_code == 200
    assert "ratelimit" not in answer.headers


async def test_an_address_that_tries_tokens_is_slowed(made: Made) -> None:
    """By its address; who has a valid token goes on from there."""
    app = made()
    async with client_of(app, "guess") as stranger, client_of(app, "ann") as ann:
        statuses = [(await stranger.get("/api/v1/cases")).status_code for _ in range(70)]
        assert set(statuses[:60]) == {401}
        assert statuses[-1] == 429
        assert (await ann.get("/api/v1/cases")).status_code == 200
