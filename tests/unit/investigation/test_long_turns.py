"""Turns that go on when nobody waits for them: handed over, begun anew, taken once; and what a refused turn leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from faultmaven import FaultMaven, load_settings
from faultmaven_core import codec
from faultmaven_core.cases.ports import CaseChangedError
from faultmaven_core.cases.turn_commands import KeepTurn, TurnKept
from faultmaven_core.evidence.commands import EvidenceView, ListEvidence
from faultmaven_core.investigation.long_turns import FINISH
from faultmaven_core.investigation.turn_commands import Attachment, FinishTurn, TakeTurn, TurnPlace, TurnView
from faultmaven_core.jobs.commands import JobView, ShowJob
from faultmaven_core.jobs.context import Handler, JobContext
from faultmaven_core.ports.extraction_runner import ExtractionRun, ExtractionRunner
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.ports.writes import RequestKeyReusedError
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import QuotaExceededError
from tests.unit.investigation.talking import once, opened, said, say, shown


@asynccontextmanager
async def installation(home: Path, **settings: str) -> AsyncIterator[FaultMaven]:
    """One that outlives its processes."""
    async with FaultMaven.open(load_settings({"FM_HOME": str(home), **settings})) as fm:
        yield fm


class Endless:
    """A runner that never comes to an end."""

    def run(self, *_: Any) -> Any:
        """See ExtractionRunner."""
        return self

    async def __aenter__(self) -> Any:
        await asyncio.Event().wait()

    async def __aexit__(self, *_: object) -> None:
        """Nothing was opened."""


async def sent(fm: FaultMaven, case: str, query: str, *files: Path, seconds: float = 0.0) -> JobView:
    """The job of a turn that nobody waits for."""
    attached = [Attachment(file.name, once(file.read_bytes())) for file in files]
    job = await fm.application.long_turns.take(TakeTurn(case, query), fm.caller, attached, seconds=seconds)
    assert isinstance(job, JobView)
    return job


async def ended(fm: FaultMaven, job_id: str) -> Any:
    """The job once it has ended."""
    async with asyncio.timeout(60):
        while True:
            detail = await fm.jobs.show(ShowJob(job_id), fm.caller)
            if detail.job.finished_at is not None:
                return detail
            await asyncio.sleep(0.02)


async def held(fm: FaultMaven, case: str) -> list[EvidenceView]:
    """The evidence of a case."""
    return list((await fm.evidence.list(ListEvidence(case), fm.caller)).items)


async def test_a_turn_outlives_the_process_that_took_it(
    tmp_path: Path, crash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs jobs next answers it, once, with the files that came with it."""
    async with installation(tmp_path / "home") as fm:
        case = await opened(fm)
        monkeypatch.setattr(fm.investigation, "_runner", Endless())
        job = await sent(fm, case, "Why does web crash?", crash / "describe.txt")
        assert await said(fm, case) == ()
    async with installation(tmp_path / "home") as fm:
        detail = await ended(fm, job.job_id)
        assert detail.job.state == "succeeded", detail.job.error
        view = await fm.application.turns.taken(codec.restored(TurnPlace, detail.result), fm.caller)
        assert (view.turn_number, view.cause_assurance) == (1, "mechanistic")
        assert [one.filename for one in view.attachments_processed] == ["describe.txt"]
        assert len(await said(fm, case)) == 2
        assert len(await held(fm, case)) == 1


async def test_a_turn_that_is_done_twice_is_taken_once(fm: FaultMaven, crash: Path) -> None:
    """As after a crash between the answer and the end of its job."""
    case = await opened(fm)
    attached = [Attachment("describe.txt", once((crash / "describe.txt").read_bytes()))]
    keyed = replace(fm.caller, request_key="opt_msg_1")
    begun = await fm.application.turns.begin(TakeTurn(case, "Why does web crash?"), keyed, attached)
    assert isinstance(begun, FinishTurn)
    places = [await fm.application.turns.finish(begun, fm.caller) for _ in range(2)]
    assert places[0] == places[1]
    job = await fm.jobs.ask(JobRequest(FINISH, codec.encode(begun), fm.caller))
    assert codec.restored(TurnPlace, (await ended(fm, job.job_id)).result) == places[0]
    assert len(await said(fm, case)) == 2
    assert await say(fm, case, "Why does web crash?", crash / "describe.txt", caller=keyed)
    assert len(await said(fm, case)) == 2


async def test_of_two_that_send_the_same_turn_at_once_one_works_at_it(
    fm: FaultMaven, crash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are told of the same job, and it is run once."""
    case = await opened(fm)
    monkeypatch.setattr(fm.investigation, "_runner", Endless())
    keyed = replace(fm.caller, request_key="opt_msg_4")

    async def send() -> JobView:
        attached = [Attachment("describe.txt", once((crash / "describe.txt").read_bytes()))]
        command = TakeTurn(case, "Why does web crash?")
        job = await fm.application.long_turns.take(command, keyed, attached, seconds=0)
        assert isinstance(job, JobView)
        return job

    first, second, third = await asyncio.gather(send(), send(), send())
    assert first.job_id == second.job_id == third.job_id
    async with asyncio.timeout(60):
        while (await fm.jobs.show(ShowJob(first.job_id), fm.caller)).job.state != "running":  # noqa: ASYNC110 - nobody tells when a runner took it
            await asyncio.sleep(0)
    monkeypatch.undo()
    assert (await send()).job_id == first.job_id
    assert (await fm.jobs.show(ShowJob(first.job_id), fm.caller)).job.attempts == 1
    assert len(await held(fm, case)) == 1


async def test_a_text_that_is_too_long_for_a_job_is_answered_where_it_was_begun(fm: FaultMaven) -> None:
    """And elsewhere it is said that it must be sent again: nothing is answered that was not asked."""
    case = await opened(fm)
    long = "Why is checkout slow? " + "x" * 150_000
    job = await sent(fm, case, long)
    assert (await ended(fm, job.job_id)).job.state == "succeeded"
    assert (await said(fm, case))[0].content == long
    cut = FinishTurn(TakeTurn(case), "digest", "turn-1", cut=True)
    again = await fm.jobs.ask(JobRequest(FINISH, codec.encode(cut), fm.caller))
    detail = await ended(fm, again.job_id)
    assert detail.job.state == "dead"
    assert "send it again" in detail.job.error


class Held:
    """A runner that counts its readings, and begins each only when it may."""

    def __init__(self, runner: ExtractionRunner) -> None:
        self._runner, self.readings = runner, 0
        self.begun, self.free = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def run(self, *arguments: Any) -> AsyncIterator[ExtractionRun]:
        """See ExtractionRunner."""
        self.readings += 1
        self.begun.set()
        await self.free.wait()
        async with self._runner.run(*arguments) as run:
            yield run


async def test_who_waited_for_a_turn_is_told_no_more_once_it_is_a_job(
    fm: FaultMaven, crash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would take it; the job's row tells how far it is."""
    runner, turns = Held(fm.investigation._runner), fm.application.long_turns
    monkeypatch.setattr(fm.investigation, "_runner", runner)
    attend = turns._runner.attend

    async def attended(job_id: UUID, due: datetime, work: Handler) -> bool:
        async def going_on(payload: bytes, context: JobContext) -> object:
            asyncio.get_running_loop().call_soon(runner.free.set)
            return await work(payload, context)

        return await attend(job_id, due, going_on)

    monkeypatch.setattr(turns._runner, "attend", attended)
    case, told = await opened(fm), list[object]()
    attached = [Attachment("describe.txt", once((crash / "describe.txt").read_bytes()))]
    job = await turns.take(TakeTurn(case, "Why?"), fm.caller, attached, seconds=0, progress=told.append)
    assert isinstance(job, JobView)
    detail = await ended(fm, job.job_id)
    assert (detail.job.state, detail.job.done) == ("succeeded", 1)
    assert told == []


async def test_a_question_while_the_evidence_is_read_does_not_have_it_read_again(
    fm: FaultMaven, crash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a yes that would open the investigation. Both are told so, and the turn that reads is kept after them."""
    case = await opened(fm)
    await say(fm, case, "web crashes since 12:00")
    runner = Held(fm.investigation._runner)
    monkeypatch.setattr(fm.investigation, "_runner", runner)
    reads = asyncio.create_task(say(fm, case, "Why does web crash?", crash / "describe.txt"))
    await runner.begun.wait()
    async with asyncio.timeout(60):
        for text in ("yes", "what should I do?"):
            assert "is being read now" in (await say(fm, case, text)).agent_response
    runner.free.set()
    view = await reads
    assert (view.turn_number, view.cause_assurance, runner.readings) == (4, "mechanistic", 1)


async def test_a_turn_in_time_is_answered_without_a_job(fm: FaultMaven) -> None:
    """Also one without a key."""
    case = await opened(fm)
    view = await fm.application.long_turns.take(TakeTurn(case, "What do you need?"), fm.caller, seconds=60)
    assert isinstance(view, TurnView)
    assert view == await fm.application.turns.taken(TurnPlace(case, 1, 2), fm.caller)


@asynccontextmanager
async def between(
    fm: FaultMaven, monkeypatch: pytest.MonkeyPatch, work: Callable[[], Awaitable[Any]]
) -> AsyncIterator[None]:
    """Something happens just before the next turn is kept."""
    keep = fm.cases.keep_turn

    async def late(command: KeepTurn, caller: Caller) -> TurnKept:
        monkeypatch.setattr(fm.cases, "keep_turn", keep)
        await work()
        return await keep(command, caller)

    monkeypatch.setattr(fm.cases, "keep_turn", late)
    yield
    assert fm.cases.keep_turn == keep


async def test_a_refused_turn_leaves_no_evidence(fm: FaultMaven, crash: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another one came first: the client sends it again, or does not."""
    case = await opened(fm)
    async with between(fm, monkeypatch, lambda: say(fm, case, "what do you need?")):
        with pytest.raises(CaseChangedError):
            await say(fm, case, "Why?", crash / "describe.txt", crash / "app.log")
    assert await held(fm, case) == []
    assert (await shown(fm, case)).message_count == 2


async def test_a_refused_turn_takes_nothing_from_the_turn_that_won(
    fm: FaultMaven, crash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both brought the same file: the case keeps it."""
    case = await opened(fm)
    async with between(fm, monkeypatch, lambda: say(fm, case, "look at this", crash / "describe.txt")):
        with pytest.raises(CaseChangedError):
            await say(fm, case, "Why?", crash / "describe.txt")
    (item,) = await held(fm, case)
    assert (await said(fm, case))[0].metadata["attachments"] == [item.evidence_id]


async def test_files_that_find_no_room_take_the_others_with_them(tmp_path: Path, crash: Path) -> None:
    """The whole turn is refused, so none of its files stays; what was there before does."""
    size = (crash / "describe.txt").stat().st_size
    async with installation(tmp_path / "home", FM_QUOTA_ORGANIZATION=str(2 * size + 1000)) as fm:
        case = await opened(fm)
        await say(fm, case, "", crash / "describe.txt")
        (tmp_path / "small.log").write_text("2026-03-01T11:58:00Z ERROR out of memory\n")
        (tmp_path / "large.log").write_bytes(b"2026-03-01T11:58:00Z INFO served\n" * (size // 8))
        with pytest.raises(QuotaExceededError):
            await say(fm, case, "", tmp_path / "small.log", tmp_path / "large.log")
        assert [one.name for one in await held(fm, case)] == ["describe.txt"]


async def test_another_file_of_the_same_name_is_another_turn(fm: FaultMaven) -> None:
    """Under one key it is refused by its digest, before anything of it is kept."""
    case = await opened(fm)
    keyed = replace(fm.caller, request_key="opt_msg_2")

    async def take(data: bytes, sha256: str) -> Any:
        attached = [Attachment("app.log", once(data), sha256)]
        return await fm.application.turns.take(TakeTurn(case, "why?"), keyed, attached)

    first = await take(b"2026-03-01T11:58:00Z ERROR one\n", "a" * 64)
    assert await take(b"2026-03-01T11:58:00Z ERROR one\n", "a" * 64) == first
    with pytest.raises(RequestKeyReusedError):
        await take(b"2026-03-01T11:58:00Z ERROR two\n", "b" * 64)
    assert len(await held(fm, case)) == 1
