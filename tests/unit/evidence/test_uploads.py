"""Uploads that nobody ends: what came of them goes, what was kept free for them is free again, and nothing else is touched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from injector import Module, provider, singleton

from faultmaven import FaultMaven, load_settings
from faultmaven_core.cases.commands import CloseCase, OpenCase
from faultmaven_core.evidence import commands as c
from faultmaven_core.evidence import uploading
from faultmaven_core.evidence.uploading import LIFE, BeginUpload, NameUpload
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import (
    FaultMavenError,
    NotFoundError,
    PreconditionFailedError,
    QuotaExceededError,
)


class MovedClock(Clock):
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        """See Clock."""
        return self.moment


class ByThisClock(Module):
    """Composition with that clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @singleton
    @provider
    def clock(self) -> Clock:
        """The clock of everything."""
        return self._clock


@pytest.fixture
def clock() -> MovedClock:
    """The time."""
    return MovedClock()


@pytest.fixture
async def fm(tmp_path: Path, clock: MovedClock) -> AsyncIterator[FaultMaven]:
    """Where an organization may hold 100 bytes."""
    urls = {
        "FM_DATABASE_URL": "memory:",
        "FM_BLOBS_URL": "memory:",
        "FM_HOME": str(tmp_path),
        "FM_QUOTA_ORGANIZATION": "100",
    }
    async with FaultMaven.open(load_settings(urls), overrides=[ByThisClock(clock)]) as opened:
        yield opened


async def content(*parts: bytes) -> AsyncIterator[bytes]:
    """A body."""
    for part in parts:
        yield part


async def broken() -> AsyncIterator[bytes]:
    """A body that does not end."""
    yield b"12345"
    raise ConnectionError


async def begun(fm: FaultMaven, size: int = 60) -> NameUpload:
    """An upload to a new case, of which ten bytes have come."""
    case = await fm.cases.open(OpenCase("Why?"), fm.caller)
    view = await fm.evidence.uploads.begin(BeginUpload(case.case_id, "a.log", size), fm.caller)
    named = NameUpload(case.case_id, view.upload_id)
    await fm.evidence.uploads.receive(named, 0, content(b"0123456789"), fm.caller)
    return named


async def test_an_upload_that_nobody_ends_is_given_up_after_a_day(fm: FaultMaven, clock: MovedClock) -> None:
    """Its parts go and its room is free; a younger one stays."""
    old = await begun(fm)
    clock.moment += LIFE
    with pytest.raises(QuotaExceededError):
        await begun(fm)
    young = await begun(fm, 40)
    clock.moment += timedelta(minutes=1)
    with pytest.raises(NotFoundError):
        await fm.evidence.uploads.show(old, fm.caller)
    assert (await fm.evidence.sweep(c.SweepCopies(), fm.caller)).blobs == 1
    assert (await fm.evidence.uploads.show(young, fm.caller)).offset == 10
    await begun(fm, 60)


async def test_room_is_given_back_when_a_body_breaks_off(fm: FaultMaven) -> None:
    """At once, and nothing of the body stays."""
    case = (await fm.cases.open(OpenCase("Why?"), fm.caller)).case_id
    for _ in range(5):
        with pytest.raises((ConnectionError, FaultMavenError)):
            await fm.evidence.add_content(c.AddContent(case, "a", size=90), broken(), fm.caller)
    kept = await fm.evidence.add_content(c.AddContent(case, "a", size=100), content(b"x" * 100), fm.caller)
    with pytest.raises(QuotaExceededError):
        await fm.evidence.add_content(c.AddContent(case, "b"), content(b"x"), fm.caller)
    assert [item.evidence_id for item in (await fm.evidence.list(c.ListEvidence(case), fm.caller)).items] == [
        kept.evidence_id
    ]


async def test_the_last_part_of_an_upload_can_be_sent_again(fm: FaultMaven) -> None:
    """Where all of it is here and it became nothing yet, an empty part makes it evidence: the case was closed, say."""
    named = await begun(fm, 20)
    await fm.cases.close(CloseCase(named.case_id, "abandoned"), fm.caller)
    with pytest.raises(PreconditionFailedError):
        await fm.evidence.uploads.receive(named, 10, content(b"0123456789"), fm.caller)
    assert (await fm.evidence.uploads.show(named, fm.caller)).offset == 20
    with pytest.raises(PreconditionFailedError):
        await fm.evidence.uploads.receive(named, 20, content(), fm.caller)


async def test_an_empty_part_changes_nothing(fm: FaultMaven, clock: MovedClock) -> None:
    """No blob of it stays either, however often it comes."""
    named = await begun(fm)
    for _ in range(3):
        assert (await fm.evidence.uploads.receive(named, 10, content(), fm.caller)).offset == 10
    clock.moment += LIFE + timedelta(minutes=1)
    assert (await fm.evidence.sweep(c.SweepCopies(), fm.caller)).blobs == 1


async def test_the_number_of_parts_has_an_end(fm: FaultMaven, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a byte each would make a row of sixteen thousand million names."""
    monkeypatch.setattr(uploading, "MOST_PARTS", 3)
    named = await begun(fm)
    for offset in (10, 11):
        await fm.evidence.uploads.receive(named, offset, content(b"x"), fm.caller)
    with pytest.raises(PreconditionFailedError):
        await fm.evidence.uploads.receive(named, 12, content(b"x"), fm.caller)
    assert (await fm.evidence.uploads.show(named, fm.caller)).offset == 12


async def test_a_repeated_request_holds_no_room(fm: FaultMaven) -> None:
    """The answer is given again, and what was kept free for it is free."""
    case = (await fm.cases.open(OpenCase("Why?"), fm.caller)).case_id
    caller = replace(fm.caller, request_key="again")
    first = await fm.evidence.add_content(c.AddContent(case, "a", size=40), content(b"x" * 40), caller)
    again = await fm.evidence.add_content(c.AddContent(case, "a", size=40), content(b"x" * 40), caller)
    assert again == first
    await fm.evidence.add_content(c.AddContent(case, "b", size=60), content(b"x" * 60), fm.caller)
