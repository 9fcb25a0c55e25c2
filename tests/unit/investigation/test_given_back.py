"""Files of turns that are refused or fail, and of the same turn under the same key afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from faultmaven import FaultMaven
from faultmaven_core import codec
from faultmaven_core.evidence.commands import AddContent, DeleteEvidence, EvidenceView
from faultmaven_core.investigation.long_turns import FINISH
from faultmaven_core.investigation.turn_commands import Attachment, FinishTurn, TakeTurn
from faultmaven_core.jobs.commands import JobView
from faultmaven_core.jobs.context import JobCancelledError
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import (
    BackendUnavailableError,
    FaultMavenError,
    InvalidInputError,
    QuotaExceededError,
    RateLimitedError,
    StaleVersionError,
    TooLargeError,
)
from tests.unit.investigation.talking import once, opened, said, say
from tests.unit.investigation.test_long_turns import Endless, between, ended, held, installation


async def test_a_turn_that_found_no_room_is_taken_under_its_key_once_there_is(tmp_path: Path, crash: Path) -> None:
    """It brings anew what was given back, as often as it is refused."""
    size = (crash / "describe.txt").stat().st_size
    (tmp_path / "small.log").write_text("2026-03-01T11:58:00Z ERROR out of memory\n")
    (tmp_path / "large.log").write_bytes(b"2026-03-01T11:58:00Z INFO served\n" * (size // 40))
    brought = (tmp_path / "small.log", tmp_path / "large.log")
    async with installation(tmp_path / "home", FM_QUOTA_ORGANIZATION=str(size + 200)) as fm:
        other, case = await opened(fm), await opened(fm)
        await say(fm, other, "", crash / "describe.txt")
        keyed = replace(fm.caller, request_key="opt_msg_1")
        for _ in range(3):
            with pytest.raises(QuotaExceededError):
                await say(fm, case, "Why?", *brought, caller=keyed)
            assert await held(fm, case) == []
        (fills,) = await held(fm, other)
        await fm.evidence.delete(DeleteEvidence(other, fills.evidence_id), fm.caller)
        view = await say(fm, case, "Why?", *brought, caller=keyed)
        assert [one.processing_status for one in view.attachments_processed] == ["completed"] * 2
        assert [one.name for one in await held(fm, case)] == ["small.log", "large.log"]
        assert await say(fm, case, "Why?", *brought, caller=keyed) == view


async def test_a_turn_whose_second_file_met_an_outage_is_taken_under_its_key(
    fm: FaultMaven, crash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds the first file, and brings the second."""
    case = await opened(fm)
    add = fm.evidence.add_content
    names: list[str] = []

    async def flaky(command: AddContent, chunks: AsyncIterable[bytes], caller: Caller) -> EvidenceView:
        names.append(command.name)
        if len(names) == 2:
            raise BackendUnavailableError("The blob store is away.")
        return await add(command, chunks, caller)

    monkeypatch.setattr(fm.evidence, "add_content", flaky)
    keyed = replace(fm.caller, request_key="opt_msg_2")
    brought = (crash / "describe.txt", crash / "app.log")
    with pytest.raises(BackendUnavailableError):
        await say(fm, case, "Why does web crash?", *brought, caller=keyed)
    (first,) = await held(fm, case)
    view = await say(fm, case, "Why does web crash?", *brought, caller=keyed)
    assert [one.duplicate_of for one in view.attachments_processed] == [None, None]
    assert view.attachments_processed[0].evidence_id == first.evidence_id
    assert len(await held(fm, case)) == 2


async def test_a_turn_that_is_refused_after_its_files_came_is_refused_alike_under_its_key(
    fm: FaultMaven, crash: Path
) -> None:
    """Not for its files, which it brings anew."""
    case = await opened(fm)
    keyed = replace(fm.caller, request_key="opt_msg_3")
    intent = {"evidence_id": "ev_000000000000", "kind": "text_log"}
    for _ in range(2):
        with pytest.raises(InvalidInputError, match="There is no file"):
            await say(
                fm,
                case,
                "look",
                crash / "app.log",
                caller=keyed,
                intent_type="file_reclassification",
                intent_data=intent,
            )
        assert await held(fm, case) == []
    assert await said(fm, case) == ()


async def test_a_turn_whose_job_failed_goes_on_under_its_key_as_another_job(
    fm: FaultMaven, crash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the files that it brought this time, also where the process that took it does not come to it."""
    case = await opened(fm)
    keyed = replace(fm.caller, request_key="opt_msg_4")
    turns = fm.application.long_turns

    async def send() -> JobView:
        attached = [Attachment("describe.txt", once((crash / "describe.txt").read_bytes()))]
        job = await turns.take(TakeTurn(case, "Why does web crash?"), keyed, attached, seconds=0)
        assert isinstance(job, JobView)
        return job

    async with between(fm, monkeypatch, lambda: say(fm, case, "what do you need?")):
        first = await send()
        assert (await ended(fm, first.job_id)).job.state == "dead"
        assert await held(fm, case) == []

    async def elsewhere(*_: Any) -> bool:
        return False

    monkeypatch.setattr(turns._runner, "attend", elsewhere)
    monkeypatch.setattr("faultmaven_core.investigation.long_turns.LEAD", timedelta())
    second = await send()
    detail = await ended(fm, second.job_id)
    assert detail.job.state == "succeeded", detail.job.error
    assert second.job_id != first.job_id
    (item,) = await held(fm, case)
    assert (await said(fm, case))[-2].metadata["attachments"] == [item.evidence_id]


async def test_a_turn_that_no_job_can_hold_takes_its_files_along(
    fm: FaultMaven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it any more, and nobody could go on with it."""
    monkeypatch.setattr(fm.investigation, "_runner", Endless())
    case = await opened(fm)
    attached = [Attachment(f"{n}-{'x' * 240}.log", once(b"2026-03-01T11:58:00Z ERROR %d\n" % n)) for n in range(250)]
    with pytest.raises(TooLargeError, match="payload"):
        await fm.application.long_turns.take(TakeTurn(case, "Why?"), fm.caller, attached, seconds=0)
    assert await held(fm, case) == []


async def test_a_turn_that_broke_off_and_was_too_long_to_be_kept_takes_its_files_along(
    fm: FaultMaven, crash: Path
) -> None:
    """Under its key it is sent again, and brings them anew."""
    case = await opened(fm)
    keyed = replace(fm.caller, request_key="opt_msg_6")
    attached = [Attachment("describe.txt", once((crash / "describe.txt").read_bytes()))]
    begun = await fm.application.turns.begin(TakeTurn(case, "Why does web crash?"), keyed, attached)
    assert isinstance(begun, FinishTurn)
    job = await fm.jobs.ask(JobRequest(FINISH, codec.encode(replace(begun, cut=True)), fm.caller))
    detail = await ended(fm, job.job_id)
    assert (detail.job.state, "send it again" in detail.job.error) == ("dead", True)
    assert await held(fm, case) == []
    view = await say(fm, case, "Why does web crash?", crash / "describe.txt", caller=keyed)
    assert [one.processing_status for one in view.attachments_processed] == ["completed"]


@pytest.mark.parametrize(
    "error",
    [
        StaleVersionError("Somebody else was first."),
        RateLimitedError("Too many calls.", retry_after=0.0),
        JobCancelledError("The job is another runner's."),
    ],
)
async def test_what_another_attempt_reads_stays(
    fm: FaultMaven, crash: Path, monkeypatch: pytest.MonkeyPatch, error: FaultMavenError
) -> None:
    """Of this turn by its job or another runner; only what is refused for good takes its files along."""
    case = await opened(fm)
    attached = [Attachment("describe.txt", once((crash / "describe.txt").read_bytes()))]
    keyed = replace(fm.caller, request_key="opt_msg_5")
    begun = await fm.application.turns.begin(TakeTurn(case, "Why does web crash?"), keyed, attached)
    assert isinstance(begun, FinishTurn)

    async def failing(*_: Any) -> None:
        raise error

    monkeypatch.setattr(fm.investigation, "investigate", failing)
    with pytest.raises(type(error)):
        await fm.application.turns.finish(begun, fm.caller)
    monkeypatch.undo()
    (item,) = await held(fm, case)
    place = await fm.application.turns.finish(begun, fm.caller)
    view = await fm.application.turns.taken(place, fm.caller)
    assert [one.evidence_id for one in view.attachments_processed] == [item.evidence_id]
