"""However large the files of a case are, neither its export nor its import holds them in memory."""

from __future__ import annotations

import hashlib
import random
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven import FaultMaven, load_settings
from faultmaven_core.archives.commands import ExportCase, ImportCase
from faultmaven_core.cases.commands import OpenCase
from faultmaven_core.evidence.commands import AddContent, ListEvidence
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.ids import OrganizationId, UserId

MEBIBYTE = 1 << 20
BOB = Caller(OrganizationId("other"), UserId("bob"))


@pytest.fixture
async def fm(tmp_path: Path) -> AsyncIterator[FaultMaven]:
    """Copies in files."""
    urls = {"FM_DATABASE_URL": "memory:", "FM_HOME": str(tmp_path / "home")}
    async with FaultMaven.open(load_settings(urls)) as opened:
        yield opened


async def content(size: int) -> AsyncIterator[bytes]:
    """Bytes that do not pack well, the same each time."""
    chance = random.Random(1)
    block = chance.randbytes(MEBIBYTE)
    for number in range(size // MEBIBYTE):
        yield number.to_bytes(8, "big") + block[8:]


async def moved(fm: FaultMaven, size: int) -> tuple[str, str]:
    """A case with a file of a size, exported straight into an import; the digests of the file before and after."""
    case = await fm.cases.open(OpenCase("Large"), fm.caller)
    before = await fm.evidence.add_content(AddContent(case.case_id, "large.bin"), content(size), fm.caller)
    archive = await fm.application.archives.export(ExportCase(case.case_id), fm.caller)
    there = await fm.application.archives.take(ImportCase(), archive.chunks(), BOB)
    (after,) = (await fm.evidence.list(ListEvidence(there.case.case_id), BOB)).items
    assert after.size == size
    return before.sha256, after.sha256


async def test_a_large_file_is_never_in_memory(fm: FaultMaven) -> None:
    """A quarter of it is allowed for all that is needed besides."""
    size = 32 * MEBIBYTE
    await moved(fm, MEBIBYTE)  # whatever is made once
    tracemalloc.start()
    try:
        before, after = await moved(fm, size)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert before == after
    assert peak < size / 4


@pytest.mark.soak
async def test_gigabytes_move(fm: FaultMaven) -> None:
    """Beyond what the older form of zip can count."""
    size = (4 << 30) + (256 << 20)
    whole = hashlib.sha256()
    async for piece in content(size):
        whole.update(piece)
    assert await moved(fm, size) == (whole.hexdigest(), whole.hexdigest())
