"""What was found out of evidence comes along, whatever characters the evidence holds."""

from __future__ import annotations

from faultmaven import FaultMaven
from faultmaven_core.cases.commands import OpenCase
from faultmaven_core.evidence.commands import AddContent
from faultmaven_core.investigation.commands import Investigate
from faultmaven_core.shared.caller import Caller
from tests.unit.archives.forging import exported, parts_of, pieces, taken

NUL = b"".join(
    b"2026-03-01T11:5%d:01Z ERROR checkout cannot start: \0 exit code 1: connection refused by db:5432\n" % minute
    for minute in range(10)
)


async def test_evidence_with_a_nul_does_not_hold_a_case_back(fm: FaultMaven, foreigner: Caller) -> None:
    """Records quote it and are kept as bytes: no database is asked to hold it as text."""
    opened = await fm.cases.open(OpenCase("Why does it not start?"), fm.caller)
    await fm.evidence.add_content(AddContent(opened.case_id, "app.log"), pieces(NUL), fm.caller)
    await fm.investigation.investigate(Investigate(opened.case_id), fm.caller)
    archive = await exported(fm, opened.case_id)
    assert b"\\u0000" in parts_of(archive)["record.json"]
    assert (await taken(fm, archive, foreigner)).evidence == 1
