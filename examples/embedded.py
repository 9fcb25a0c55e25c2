"""Finds the root cause of a sample incident from a program; the case is kept, as `fm case list` would show."""

from __future__ import annotations

import asyncio
from pathlib import Path

from faultmaven import FaultMaven
from faultmaven_core.cases.commands import OpenCase
from faultmaven_core.evidence.commands import AddEvidence
from faultmaven_core.investigation.commands import Investigate

EVIDENCE = Path(__file__).parent / "failed-job" / "evidence"


async def main() -> None:
    """Open a case, add a folder of evidence, investigate, print the cause and what proves it."""
    async with FaultMaven.open() as fm:
        case = await fm.cases.open(OpenCase(question="Why did the get-data job fail?"), fm.caller)
        await fm.evidence.add(AddEvidence(case.case_id, str(EVIDENCE)), fm.caller)
        done = await fm.investigation.investigate(Investigate(case.case_id), fm.caller)

    cause = done.record.root_cause
    if cause is None:
        print(done.record.verdict)
        return
    print(f"{cause.statement} ({done.record.verdict}, {cause.confidence:.0%})")
    claims = {claim.id: claim for claim in done.record.claims}
    for name in done.record.hypotheses[0].claims:
        for citation in claims[name].citations:
            print(f"  {citation.file}:{citation.lines[0]}  {claims[name].text.strip()}")


if __name__ == "__main__":
    asyncio.run(main())
