"""Cases that came as archives."""

from __future__ import annotations

from dataclasses import dataclass

from faultmaven_http.shapes.cases import CaseRow


@dataclass(frozen=True, slots=True)
class ArchiveForm:
    """What stands beside the archive in a form, or in the query where the body is the archive itself."""

    sha256: str = ""


@dataclass(frozen=True, slots=True)
class ImportedCase:
    """The new case. `missing` names files of evidence that were not in the archive; `sha256` is the archive's."""

    case_id: str
    case: CaseRow
    from_case_id: str
    from_organization: str
    evidence_count: int
    missing: tuple[str, ...]
    sha256: str
