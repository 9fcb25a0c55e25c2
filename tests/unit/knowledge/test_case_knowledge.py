"""What belongs to a case comes and goes with it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from faultmaven import FaultMaven
from faultmaven_core.cases.commands import DeleteCase, OpenCase, ReadJournal, RestoreCase
from faultmaven_core.jobs.commands import ListJobs
from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge.model import DocumentState, KnowledgeScope, Tier
from faultmaven_core.shared.errors import NotFoundError
from tests.unit.knowledge.library import ANN, hashed, write


async def drained(fm: FaultMaven) -> None:
    """Wait for the program's own runner."""
    async with asyncio.timeout(60):
        while any([(await fm.jobs.list(ListJobs(state), fm.caller)).jobs for state in ("queued", "running")]):  # noqa: ASYNC110 - jobs tell nobody outside that they ended
            await asyncio.sleep(0.01)


async def test_a_cases_documents_are_told_in_its_journal_and_deleted_with_it(fm: FaultMaven, tmp_path: Path) -> None:
    """Another case's and everybody's stay."""
    case, other = [(await fm.cases.open(OpenCase(f"Why {name}?"), fm.caller)).case_id for name in ("a", "b")]
    write(tmp_path / "kb", redis="# Redis\n\nIt is full.\n", dns="# DNS\n\nNo answer.\n")
    for scope in (f"case:{case}", f"case:{other}", "global"):
        await fm.knowledge.add(c.AddDocuments(str(tmp_path / "kb"), scope), fm.caller)
    await drained(fm)
    redis = (await fm.knowledge.list(c.ListDocuments((f"case:{case}",)), fm.caller)).items[1]
    await fm.knowledge.delete(c.DeleteDocument(redis.document_id), fm.caller)
    await drained(fm)
    journal = (await fm.cases.journal(ReadJournal(case), fm.caller)).entries
    told = {entry.kind: entry.detail for entry in journal}
    assert told["documents_added"]["count"] == "2"
    assert told["document_deleted"]["name"] == redis.name
    await fm.cases.delete(DeleteCase(case, forever=True), fm.caller)
    with pytest.raises(NotFoundError):
        await fm.knowledge.list(c.ListDocuments((f"case:{case}",)), fm.caller)
    await drained(fm)
    with pytest.raises(NotFoundError):
        await fm.knowledge.show(c.ShowDocument(redis.document_id), fm.caller)
    counts = await fm.knowledge.stats(c.CountKnowledge((f"case:{other}", "global")), fm.caller)
    assert counts.documents == 4
    assert (await fm.knowledge.discard_case(c.DiscardCaseKnowledge(case), fm.caller)).documents == 0


async def test_what_comes_while_its_case_is_removed_goes_too(tmp_path: Path) -> None:
    """The removal's job may have run before the rows were there."""
    write(tmp_path / "kb", redis="# Redis\n\nIt is full.\n")
    async with hashed() as subject:
        case = (await subject.cases.open(OpenCase("Why?"), ANN)).case_id
        await subject.service.add(c.AddDocuments(str(tmp_path / "kb"), f"case:{case}"), ANN)
        scope = KnowledgeScope(Tier.CASE, case)
        (document,) = (await subject.documents(scope=scope)).values()
        await subject.cases.delete(DeleteCase(case, forever=True), ANN)
        # As if the job that the removal asked for had come before the rows: only those that read them are left.
        await subject.service.ingest(c.IngestDocuments((document.key.hex,)), ANN)
        assert await subject.documents(scope=scope) == {}
        while await subject.run_jobs():
            pass
        assert await subject.originals() == set()
        assert await subject.embedded(tier=Tier.CASE) == {}


async def test_a_case_that_is_restored_has_the_documents_that_were_read_meanwhile(tmp_path: Path) -> None:
    """A deleted case may come back, and nothing of it is destroyed before it cannot."""
    write(tmp_path / "kb", redis="# Redis\n\nIt is full.\n", dns="# DNS\n\nNo answer.\n")
    async with hashed() as subject:
        case = (await subject.cases.open(OpenCase("Why?"), ANN)).case_id
        await subject.service.add(c.AddDocuments(str(tmp_path / "kb"), f"case:{case}"), ANN)
        await subject.cases.delete(DeleteCase(case), ANN)
        while await subject.run_jobs():
            pass
        await subject.cases.restore(RestoreCase(case), ANN)
        documents = await subject.documents(scope=KnowledgeScope(Tier.CASE, case))
        assert [document.state for document in documents.values()] == [DocumentState.READY] * 2
        listed = await subject.service.list(c.ListDocuments((f"case:{case}",)), ANN)
        assert {item.document_id for item in listed.items} == {document.id for document in documents.values()}


async def test_a_document_of_a_gone_case_is_as_good_as_none(tmp_path: Path) -> None:
    """Also before anybody has destroyed it: neither shown, changed nor deleted by its id."""
    write(tmp_path / "kb", redis="# Redis\n\nIt is full.\n")
    async with hashed() as subject:
        case = (await subject.cases.open(OpenCase("Why?"), ANN)).case_id
        await subject.service.add(c.AddDocuments(str(tmp_path / "kb"), f"case:{case}"), ANN)
        (document,) = (await subject.documents(scope=KnowledgeScope(Tier.CASE, case))).values()
        assert (await subject.service.show(c.ShowDocument(document.id), ANN)).item.name == document.name
        await subject.cases.delete(DeleteCase(case), ANN)
        with pytest.raises(NotFoundError):
            await subject.service.show(c.ShowDocument(document.id, characters=100), ANN)
        with pytest.raises(NotFoundError):
            await subject.service.update(c.UpdateDocument(document.id, title="Full"), ANN)
        with pytest.raises(NotFoundError):
            await subject.service.delete(c.DeleteDocument(document.id), ANN)
