"""Investigations as callers see them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from faultmaven import FaultMaven
from faultmaven_core import codec
from faultmaven_core.cases.commands import OpenCase, ReadJournal, ReadReport, ShowCase
from faultmaven_core.evidence.commands import AddContent, AddEvidence
from faultmaven_core.investigation.commands import Investigate, RenderReport
from faultmaven_core.investigation.service import _window
from faultmaven_core.operations import OPERATIONS
from faultmaven_core.ports.extraction_runner import Extracted, Progress
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError


async def opened(fm: FaultMaven, *paths: Path, copy: bool = False) -> str:
    """A case with evidence."""
    case = await fm.cases.open(OpenCase("Why does pod web-7d4b9c-x2x1p crash?"), fm.caller)
    for path in paths:
        await fm.evidence.add(AddEvidence(case.case_id, str(path), copy=copy), fm.caller)
    return case.case_id


async def test_from_evidence_to_a_stored_record(fm: FaultMaven, crash: Path) -> None:
    """What is returned is what can be read again, word for word."""
    case = await opened(fm, crash)
    seen: list[Progress | Extracted] = []
    done = await fm.investigation.investigate(Investigate(case), fm.caller, seen.append)
    assert done.record.case_id == case
    assert done.record.root_cause is not None
    assert "serv" in done.record.root_cause.statement
    assert await fm.investigation.report(ReadReport(case), fm.caller) == done.record
    assert (await fm.cases.show(ShowCase(case), fm.caller)) == done.case
    assert sum(isinstance(event, Extracted) for event in seen) == 2
    excerpts = (await fm.investigation.exhibits(ReadReport(case), fm.caller)).excerpts
    assert any("executable file not found" in line.text for excerpt in excerpts for line in excerpt.lines)


async def test_left_in_place_or_copied_the_record_is_the_same(fm: FaultMaven, crash: Path) -> None:
    """But for the case's own id and the names of files."""
    records = []
    for copy in (False, True):
        case = await opened(fm, crash, copy=copy)
        done = await fm.investigation.investigate(Investigate(case), fm.caller)
        records.append(codec.encode(done.record).replace(case.encode(), b"CASE"))
    assert records[0] == records[1]


async def test_twice_gives_the_same_bytes(fm: FaultMaven, crash: Path) -> None:
    """In one case, one after the other."""
    case = await opened(fm, crash)
    first = (await fm.investigation.investigate(Investigate(case), fm.caller)).record
    second = (await fm.investigation.investigate(Investigate(case), fm.caller)).record
    assert codec.encode(first) == codec.encode(second)


async def test_what_vanished_or_cannot_be_read_is_named_and_the_rest_is_read(fm: FaultMaven, crash: Path) -> None:
    """One bad file never costs the others."""
    (crash / "link.log").symlink_to(crash / "app.log")
    (crash / "gone.log").write_text("x\n")
    case = await opened(fm, crash)
    (crash / "gone.log").unlink()
    done = await fm.investigation.investigate(Investigate(case), fm.caller)
    assert done.record.root_cause is not None
    problems = {source.file.rpartition("/")[2]: source.problems for source in done.record.coverage}
    assert "gone" in problems["gone.log"][0]
    assert "link" in problems["link.log"][0]


async def test_without_evidence_nothing_is_claimed(fm: FaultMaven) -> None:
    """An honest answer, and a case that goes on."""
    case = await opened(fm)
    done = await fm.investigation.investigate(Investigate(case), fm.caller)
    assert done.record.root_cause is None
    assert done.record.verdict in {"healthy", "insufficient_evidence"}


async def test_a_cancelled_investigation_leaves_a_case_that_can_be_investigated(fm: FaultMaven, crash: Path) -> None:
    """Cancelled by whoever watches, in the middle of reading."""
    case = await opened(fm, crash)

    def stop(_: object) -> None:
        task.cancel()

    task = asyncio.create_task(fm.investigation.investigate(Investigate(case), fm.caller, stop))
    with pytest.raises(asyncio.CancelledError):
        await task
    shown = await fm.cases.show(ShowCase(case), fm.caller)
    assert (shown.status, shown.verdict) == ("investigating", "")
    assert (await fm.cases.journal(ReadJournal(case), fm.caller)).intact
    assert (await fm.investigation.investigate(Investigate(case), fm.caller)).record.root_cause is not None


async def test_reports_are_rendered_with_secrets_masked(fm: FaultMaven, crash: Path) -> None:
    """Unless the caller says otherwise; as Markdown, HTML and JSON."""
    with (crash / "describe.txt").open("a") as file:
        file.write("  Warning  Failed  1m  kubelet  Error: exec: serv --password=hunter2hunter2 not found in $PATH\n")
    case = await opened(fm, crash)
    record = (await fm.investigation.investigate(Investigate(case), fm.caller)).record
    for form, start in (("md", "#"), ("html", "<!DOCTYPE html>"), ("json", "{")):
        rendered = await fm.investigation.render(RenderReport(case, form), fm.caller)
        assert rendered.form == form
        assert rendered.text.lstrip().startswith(start)
        assert "hunter2hunter2" not in rendered.text
    plain = (await fm.investigation.render(RenderReport(case, "json", redact=False), fm.caller)).text
    assert plain == codec.encode(record).decode()
    with pytest.raises(InvalidInputError, match="md, html, json"):
        await fm.investigation.render(RenderReport(case, "pdf"), fm.caller)


async def test_there_is_no_report_before_an_investigation(fm: FaultMaven) -> None:
    """And the error says what to do."""
    case = await opened(fm)
    with pytest.raises(NotFoundError, match="investigate it first"):
        await fm.investigation.render(RenderReport(case), fm.caller)


async def test_the_operation_table_calls_the_services(fm: FaultMaven, crash: Path) -> None:
    """From JSON to JSON, as shells do it."""

    async def call(name: str, command: object) -> object:
        operation = OPERATIONS[name]
        view = await operation.call(
            fm.application, codec.decode(operation.command, json.dumps(command).encode()), fm.caller
        )
        assert isinstance(view, operation.view)
        return codec.to_builtins(view)

    case = await call("case.open", {"question": "q"})
    assert isinstance(case, dict)
    await call("evidence.add", {"case_id": case["case_id"], "path": str(crash)})
    done = await call("investigation.run", {"case_id": case["case_id"]})
    assert isinstance(done, dict)
    assert done["record"] == await call("investigation.report", {"case_id": case["case_id"]})


async def test_content_without_a_place_is_investigated_as_a_copy(fm: FaultMaven, crash: Path) -> None:
    """Standard input, an upload."""
    case = await opened(fm)

    async def content() -> object:
        yield (crash / "describe.txt").read_bytes()

    await fm.evidence.add_content(AddContent(case, "stdin"), content(), fm.caller)  # type: ignore[arg-type]  # a generator
    record = (await fm.investigation.investigate(Investigate(case), fm.caller)).record
    assert record.root_cause is not None
    assert record.claims[0].citations[0].file == "stdin"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (Investigate("c"), (None, None)),
        (Investigate("c", since=1.0, until=2.0), (1.0, 2.0)),
        (Investigate("c", around=10_000.0), (6400.0, 13_600.0)),
        (Investigate("c", around=10_000.0, since=9000.0), (9000.0, 13_600.0)),
        (Investigate("c", around=10_000.0, until=11_000.0), (6400.0, 11_000.0)),
    ],
)
def test_around_is_an_hour_on_both_sides(command: Investigate, expected: tuple[float | None, float | None]) -> None:
    """Where no closer bound is given."""
    assert _window(command) == expected
