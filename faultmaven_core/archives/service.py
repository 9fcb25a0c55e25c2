"""Cases as archives: to keep them, and to take them to another organization or installation."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable
from dataclasses import dataclass

from faultmaven_core.archives import commands as c
from faultmaven_core.archives.exporting import Exporting
from faultmaven_core.archives.importing import Importing
from faultmaven_core.archives.ports import ArchiveUnits, Spool
from faultmaven_core.evidence.custody import EvidenceDesk
from faultmaven_core.evidence.ports import EvidenceFiles
from faultmaven_core.evidence.uploads import Quota
from faultmaven_core.ports.report_renderer import ReportRenderer
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.ids import Ids


@dataclass(frozen=True, slots=True)
class CaseArchive:
    """A case on its way out: `chunks` gives its bytes, once, and raises where no whole archive comes of it."""

    name: str
    chunks: Callable[[], AsyncGenerator[bytes, None]]


class ArchiveService:
    """Exports cases of the caller's organization, and imports those of any."""

    def __init__(
        self,
        units: ArchiveUnits,
        desk: EvidenceDesk,
        files: EvidenceFiles,
        spool: Spool,
        renderer: ReportRenderer,
        quota: Quota,
        clock: Clock,
        ids: Ids,
        version: str,
    ) -> None:
        self._desk = desk
        self._exporting = Exporting(units, desk, files, renderer, clock, version)
        self._importing = Importing(units, desk, spool, quota, clock, ids)

    @property
    def most(self) -> int:
        """Bytes that an archive may have, and that may be unpacked of it."""
        return self._desk.most_copied

    async def export(self, command: c.ExportCase, caller: Caller) -> CaseArchive:
        """The case as it is now. Raises NotFoundError, PreconditionFailedError where it is too large."""
        found = await self._exporting.snapshot(command.case_id, caller)
        return CaseArchive(f"{found.case.id}.zip", lambda: self._exporting.archive(found, caller))

    async def take(self, command: c.ImportCase, chunks: AsyncIterable[bytes], caller: Caller) -> c.ImportedCase:
        """Make a case of an archive, whole or not at all.

        Raises InvalidInputError where it is no archive of a case, or not what it says of itself; TooLargeError,
        QuotaExceededError.
        """
        return await self._importing.take(command, chunks, caller)
