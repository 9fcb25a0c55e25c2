"""Cases as archives: to keep them, and to take them to another organization or installation."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from faultmaven_core.archives import commands as c
from faultmaven_core.archives.ports import ArchiveUnits, Spool
from faultmaven_core.cases.commands import CaseView, ShowCase
from faultmaven_core.cases.views import view
from faultmaven_core.evidence.custody import EvidenceDesk
from faultmaven_core.evidence.ports import EvidenceFiles
from faultmaven_core.evidence.uploads import Quota
from faultmaven_core.ports.report_renderer import ReportRenderer
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.ids import CaseId, Ids

if TYPE_CHECKING:
    from faultmaven_core.archives.exporting import Exporting
    from faultmaven_core.archives.importing import Importing


@dataclass(frozen=True, slots=True)
class CaseArchive:
    """A case on its way out: `chunks` gives its bytes, once, and raises where no whole archive comes of it."""

    name: str
    chunks: Callable[[], AsyncGenerator[bytes, None]]


class ArchiveService:
    """Shows and exports cases of the caller's organization with what they have, and imports those of any."""

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
        self._units, self._desk, self._files, self._spool = units, desk, files, spool
        self._renderer, self._quota, self._clock, self._ids, self._version = renderer, quota, clock, ids, version

    # Imported when they are needed: a program that only lists cases has no use for zip and for all that is checked.
    @cached_property
    def _exporting(self) -> Exporting:
        from faultmaven_core.archives.exporting import Exporting

        return Exporting(self._units, self._desk, self._files, self._renderer, self._clock, self._version)

    @cached_property
    def _importing(self) -> Importing:
        from faultmaven_core.archives.importing import Importing

        return Importing(self._units, self._desk, self._spool, self._quota, self._clock, self._ids)

    @property
    def most(self) -> int:
        """Bytes that an archive may have, and that may be unpacked of it."""
        return self._desk.most_copied

    async def overview(self, command: ShowCase, caller: Caller) -> tuple[CaseView, int]:
        """A case and the number of its pieces of evidence, both as they are at one moment. Raises NotFoundError."""
        async with self._units(caller.organization, read_only=True) as unit:
            case, pieces = await unit.overview(CaseId(command.case_id))
            return view(case), pieces

    async def export(self, command: c.ExportCase, caller: Caller) -> CaseArchive:
        """The case as it is now. Raises NotFoundError, PreconditionFailedError where it is too large, CorruptDataError."""
        found = await self._exporting.snapshot(command.case_id, caller)
        return CaseArchive(f"{found.case.id}.zip", lambda: self._exporting.archive(found, caller))

    async def take(self, command: c.ImportCase, chunks: AsyncIterable[bytes], caller: Caller) -> c.ImportedCase:
        """Make a case of an archive, whole or not at all.

        Raises InvalidInputError where it is no archive of a case, or not what it says of itself; TooLargeError,
        QuotaExceededError.
        """
        return await self._importing.take(command, chunks, caller)
