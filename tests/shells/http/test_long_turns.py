"""Turns that take longer than clients wait: 202 with a place to look at, and the turn's own answer there in the end."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_core.cases.turn_commands import KeepTurn, TurnKept
from faultmaven_core.ports.extraction_runner import ExtractionRunner
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import BackendUnavailableError, PreconditionFailedError
from tests.shells.http.processes import SECONDS, serving, until
from tests.shells.http.shell import Made, client_of
from tests.shells.http.test_event_stream import events
from tests.shells.http.test_turns import LOG, check, opened

KEY = {"Idempotency-Key": "opt_msg_1764000000000_9"}
FORM: dict[str, Any] = {"data": {"query": "Why does checkout fail?"}, "files": {"files": ("app.log", LOG.encode())}}


class Held:
    """A runner whose work begins when it is let, and that fails as it is told; `runs` counts what was begun."""

    def __init__(self, runner: ExtractionRunner) -> None:
        self._runner = runner
        self.let, self.runs = asyncio.Event(), 0
        self.failures: list[Exception] = []

    def run(self, *arguments: Any) -> Any:
        """See ExtractionRunner."""
        return self._Run(self, self._runner.run(*arguments))

    class _Run:
        def __init__(self, held: Held, inner: Any) -> None:
            self._held, self._inner = held, inner

        async def __aenter__(self) -> Any:
            self._held.runs += 1
            await self._held.let.wait()
            if self._held.failures:
                raise self._held.failures.pop(0)
            return await self._inner.__aenter__()

        async def __aexit__(self, *failure: object) -> Any:
            return await self._inner.__aexit__(*failure)


@pytest.fixture
def held(fm: FaultMaven, monkeypatch: pytest.MonkeyPatch) -> Held:
    """Reading waits until it is let."""
    runner = Held(fm.investigation._runner)
    monkeypatch.setattr(fm.investigation, "_runner", runner)
    return runner


async def looked(client: httpx2.AsyncClient, place: str) -> httpx2.Response:
    """The last answer of a place."""
    async with asyncio.timeout(60):
        while (answer := await client.get(place)).status_code == 202:  # noqa: ASYNC110 - clients look again and again
            await asyncio.sleep(0.02)
    return answer


async def handed_on(client: httpx2.AsyncClient, address: str, **more: Any) -> str:
    """The place of a turn that was sent and goes on."""
    answer = await client.post(f"{address}/turns", **FORM, **more)
    assert answer.status_code == 202, answer.text
    place = answer.headers["location"]
    assert place == f"/api/v1/jobs/{answer.json()['job_id']}"
    assert int(answer.headers["retry-after"]) > 0
    return place


async def test_a_slow_turn_goes_on_after_its_answer_and_is_read_at_its_place(made: Made, held: Held) -> None:
    """202 as long as it runs, then 200 with the turn on top, as clients take it; one message of each side."""
    async with client_of(made(turn_wait=0.0), "ann") as ann:
        address = await opened(ann)
        place = await handed_on(ann, address)
        running = await ann.get(place)
        assert (running.status_code, running.json()["status"]) == (202, "running")
        assert (await ann.get(f"{address}/messages")).json()["total_count"] == 0
        held.let.set()
        turn = check(await looked(ann, place))
        assert (turn["status"], turn["turn_number"], turn["case_state"]) == ("completed", 1, "investigating")
        assert turn["result"]["agent_response"] == turn["agent_response"]
        assert [one["filename"] for one in turn["attachments_processed"]] == ["app.log"]
        said = (await ann.get(f"{address}/messages")).json()["messages"]
        assert [(m["role"], m["turn_number"]) for m in said] == [("user", 1), ("assistant", 1)]
        assert said[1]["content"] == turn["agent_response"]
        assert (await ann.get(place)).json() == turn
    assert held.runs == 1


async def test_the_same_key_leads_to_the_same_place_and_then_to_the_answer(made: Made, held: Held) -> None:
    """Nothing is begun twice while it runs; done, the turn is answered at once."""
    async with client_of(made(turn_wait=0.0), "ann") as ann:
        address = await opened(ann)
        place = await handed_on(ann, address, headers=KEY)
        assert await handed_on(ann, address, headers=KEY) == place
        for other in (
            {"data": {"query": "Something else?"}},
            {**FORM, "files": {"files": ("app.log", b"2026 other\n")}},
        ):
            reused = await ann.post(f"{address}/turns", **other, headers=KEY)
            assert (reused.status_code, reused.headers["x-error-code"]) == (409, "IDEMPOTENCY_KEY_REUSE")
        assert (await ann.get(f"{address}/uploaded-files")).json()["total_count"] == 1
        held.let.set()
        turn = (await looked(ann, place)).json()["result"]
        again = await ann.post(f"{address}/turns", **FORM, headers=KEY)
        assert (again.status_code, again.json()) == (200, turn)
        other = {"data": FORM["data"], "files": {"files": ("app.log", LOG.encode() * 2)}}
        reused = await ann.post(f"{address}/turns", **other, headers=KEY)
        assert (reused.status_code, reused.headers["x-error-code"]) == (409, "IDEMPOTENCY_KEY_REUSE")
        assert (await ann.get(f"{address}/messages")).json()["total_count"] == 2
    assert held.runs >= 1


async def test_a_client_says_how_long_it_waits(made: Made, held: Held) -> None:
    """RFC 7240; never longer than the server does."""
    async with client_of(made(), "ann") as ann:
        for wish in ("wait=0", "respond-async", "respond-async, wait=0"):
            await handed_on(ann, await opened(ann), headers={"Prefer": wish})
        held.let.set()
        check(await ann.post(f"{await opened(ann)}/turns", **FORM, headers={"Prefer": "wait=9999"}))


async def test_a_slow_turn_that_is_told_of_as_events_says_where_it_goes_on(made: Made, held: Held) -> None:
    """In the place of the answer; the turn is the same one."""
    async with client_of(made(turn_wait=0.0), "ann") as ann:
        address = await opened(ann)
        told = events((await ann.post(f"{address}/turns/stream", **FORM)).text)
        ((name, value),) = told
        assert name == "accepted"
        assert isinstance(value, dict)
        assert value["location"] == f"/api/v1/jobs/{value['job']['job_id']}"
        held.let.set()
        assert check(await looked(ann, value["location"]))["turn_number"] == 1


async def test_a_lost_race_is_told_at_the_place_with_its_label(
    made: Made, held: Held, fm: FaultMaven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """409, as if it had been the turn's own answer; nothing of it stays, and the key may be used again."""
    keep = fm.cases.keep_turn

    async def late(command: KeepTurn, caller: Caller) -> TurnKept:
        monkeypatch.setattr(fm.cases, "keep_turn", keep)
        check(await quick.post(f"{address}/turns", data={"query": "What do you need?"}))
        return await keep(command, caller)

    monkeypatch.setattr(fm.cases, "keep_turn", late)
    async with client_of(made(turn_wait=0.0), "ann") as ann, client_of(made(), "ann") as quick:
        address = await opened(ann)
        place = await handed_on(ann, address, headers=KEY)
        held.let.set()
        lost = await looked(ann, place)
        assert (lost.status_code, lost.headers["x-error-code"]) == (409, "CASE_VERSION_CONFLICT")
        assert (lost.json()["status"], lost.json()["detail"]) == ("failed", lost.json()["error"]["message"])
        assert (await ann.get(f"{address}/uploaded-files")).json()["files"] == []
        again = await looked(ann, await handed_on(ann, address, headers=KEY))
        assert check(again)["turn_number"] == 2
        assert (await ann.get(f"{address}/uploaded-files")).json()["total_count"] == 1


async def test_a_refusal_is_told_at_the_place_and_leaves_nothing(made: Made, held: Held) -> None:
    """422, so that clients stop asking; they go on at 5xx."""
    held.failures.append(PreconditionFailedError("The case has ended."))
    async with client_of(made(turn_wait=0.0), "ann") as ann:
        address = await opened(ann)
        place = await handed_on(ann, address)
        held.let.set()
        refused = await looked(ann, place)
        assert refused.status_code == 422
        assert (refused.json()["status"], refused.json()["status_code"]) == ("failed", 422)
        assert "The case has ended." in refused.json()["error"]["message"]
        assert "The case has ended." in refused.json()["detail"]
        assert (await ann.get(f"{address}/messages")).json()["total_count"] == 0
        assert (await ann.get(f"{address}/uploaded-files")).json()["total_count"] == 0


async def test_a_turn_whose_backend_fails_is_tried_again_by_its_job(made: Made, held: Held) -> None:
    """Whoever looks sees it go on, and gets the answer."""
    held.failures.append(BackendUnavailableError("No process can be started."))
    async with client_of(made(turn_wait=0.0), "ann") as ann:
        address = await opened(ann)
        place = await handed_on(ann, address)
        held.let.set()
        turn = check(await looked(ann, place))
        assert [one["duplicate_of"] for one in turn["attachments_processed"]] == [None]
        assert (await ann.get(f"{address}/messages")).json()["total_count"] == 2
    assert held.runs == 2


async def test_a_turn_that_is_cancelled_says_so_and_leaves_no_message(made: Made, held: Held) -> None:
    """By its job."""
    async with client_of(made(turn_wait=0.0), "ann") as ann:
        address = await opened(ann)
        place = await handed_on(ann, address)
        assert (await ann.post(f"{place}/cancel")).status_code == 200
        ended = await looked(ann, place)
        assert (ended.status_code, ended.json()["status"]) == (422, "failed")
        assert (await ann.get(f"{address}/messages")).json()["total_count"] == 0


async def test_nobody_else_sees_the_place(made: Made, held: Held) -> None:
    """To another organization it looks like one that never was."""
    async with client_of(made(turn_wait=0.0), "ann") as ann, client_of(made(), "bob") as bob:
        place = await handed_on(ann, await opened(ann))
        assert (await bob.get(place)).status_code == 404
        held.let.set()
        await looked(ann, place)
        assert (await bob.get(place)).status_code == 404


def signed_in(address: str) -> dict[str, str]:
    """What whoever signs in by name sends."""
    token = httpx2.post(f"{address}/api/v1/auth/dev-login", json={"username": "ann"}).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.soak
def test_a_slow_turn_survives_the_death_of_its_server(tmp_path: Path) -> None:
    """Killed without warning while it reads; the next server answers at the same place, once."""
    environ = {"FM_TURN_WAIT": "0s", "FM_JOB_LEASE": "5s", "FM_LOG_LEVEL": "warning"}
    long = "".join(f"2026-03-02T14:00:{n % 60:02d}Z ERROR checkout: connection {n} refused\n" for n in range(150_000))
    with serving(tmp_path, **environ) as (child, address):
        until(child, f"{address}/health/ready")
        bearer = signed_in(address)
        case = httpx2.post(f"{address}/api/v1/cases", json={"title": None}, headers=bearer).json()["case_id"]
        turns = f"{address}/api/v1/cases/{case}/turns"
        sent = httpx2.post(turns, data=FORM["data"], files={"files": ("app.log", long.encode())}, headers=bearer)
        assert sent.status_code == 202, sent.text
        child.kill()
        child.wait()
    with serving(tmp_path, **environ) as (child, address):
        until(child, f"{address}/health/ready")
        bearer = signed_in(address)  # sessions of a laptop's installation end with its server
        deadline = time.monotonic() + SECONDS
        while (answer := httpx2.get(address + sent.headers["location"], headers=bearer)).status_code == 202:
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.1)
        assert check(answer)["turn_number"] == 1
        said = httpx2.get(f"{address}/api/v1/cases/{case}/messages", headers=bearer).json()
        assert [message["role"] for message in said["messages"]] == ["user", "assistant"]
        files = httpx2.get(f"{address}/api/v1/cases/{case}/uploaded-files", headers=bearer).json()
        assert [file["filename"] for file in files["files"]] == ["app.log"]
