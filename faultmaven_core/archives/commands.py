"""What can be asked of archives, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass

from faultmaven_core.cases.commands import CaseView


@dataclass(frozen=True, slots=True)
class ExportCase:
    """A case with its conversation, journal, last record and report, and all files of its evidence as one archive."""

    case_id: str


@dataclass(frozen=True, slots=True)
class ImportCase:
    """Make a case of an archive: whole, or not at all. With a `sha256` the archive must be what that is the digest of."""

    sha256: str = ""


@dataclass(frozen=True, slots=True)
class ImportedCase:
    """The new case, and where it came from. `missing` names evidence whose content was not in the archive."""

    case: CaseView
    from_case: str
    from_organization: str
    evidence: int
    missing: tuple[str, ...]
    sha256: str
