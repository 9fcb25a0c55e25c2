"""What is named after an organization has another name for another one, and is found by its own organization alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from faultmaven_adapters.blobs.memory import MemoryBlobStore
from faultmaven_adapters.extraction.files import LocalEvidenceFiles
from faultmaven_adapters.sql.memory import MemoryStorage
from faultmaven_contract_tests.samples import ACME, OTHER, START, evidence, key
from faultmaven_core.evidence.custody import EvidenceDesk
from faultmaven_core.investigation import long_turns, starting
from faultmaven_core.jobs.scheduler import slot_id
from faultmaven_core.knowledge.originals import Originals
from faultmaven_core.sessions.model import user_tag
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.ids import OrganizationId, RandomIds, UserId
from faultmaven_core.shared.scoped_name import ScopedName

LATE = datetime(2100, 1, 1, tzinfo=UTC)


def ann(organization: OrganizationId) -> Caller:
    """The same user and request key, wherever."""
    return Caller(organization, UserId("ann"), "k-1")


NAMES: dict[str, Callable[[OrganizationId], object]] = {
    "the job of a schedule": lambda owner: slot_id(owner, "sweep", START),
    "an investigation that was asked for": lambda owner: starting._id(ann(owner)),
    "a turn that goes on": lambda owner: long_turns._id("case_1", ann(owner), "request"),
    "a user among sessions": lambda owner: user_tag(ann(owner)),
    "a name in a cache": lambda owner: str(ScopedName(owner, "a")),
}


@pytest.mark.parametrize("what", NAMES)
def test_names_differ(what: str) -> None:
    """For the same user, request and time."""
    assert NAMES[what](ACME) == NAMES[what](ACME)
    assert NAMES[what](ACME) != NAMES[what](OTHER)


async def text() -> AsyncIterator[bytes]:
    """A content."""
    yield b"text"


async def test_blobs_lie_with_their_organization_and_are_swept_there_alone() -> None:
    """Copies of evidence, parts that are on their way in, originals of documents."""
    clock, blobs = FixedClock(START), MemoryBlobStore()
    storage = MemoryStorage("", clock, RandomIds(clock), lambda _: None)
    await storage.start()
    files = LocalEvidenceFiles()
    custody = EvidenceDesk(storage.evidence, files, blobs, 100)
    originals = Originals(blobs, RandomIds(clock), 100)
    for owner in (ACME, OTHER):
        await custody.copied(evidence(organization=owner), text())
        await custody.part(owner, key(1), key(2), text(), 100)
        await originals.keep(owner, "a.md", "text/markdown", text())

    async def kept() -> list[str]:
        return sorted([info.key.text.partition("/")[0] async for info in blobs.list("")])

    assert await kept() == [ACME] * 3 + [OTHER] * 3
    assert len(await originals.older(ACME, LATE)) == 1
    assert all(name.startswith(f"{ACME}/") for name in await originals.older(ACME, LATE))
    assert await custody.sweep(ACME, LATE) == 1
    assert await custody.sweep_parts(ACME, LATE) == 1
    await originals.destroy(await originals.older(ACME, LATE))
    assert await kept() == [OTHER] * 3
    await files.aclose()
    await storage.aclose()
