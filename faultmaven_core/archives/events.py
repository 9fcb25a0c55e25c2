"""What happens to cases by archives."""

from __future__ import annotations

from dataclasses import dataclass

from faultmaven_core.shared.events import Event


@dataclass(frozen=True, slots=True)
class CaseImported(Event):
    """The case was made of an archive, whose digest is `sha256`; all entries before this one are as it told them.

    `journal` is the digest of the last entry where the case came from.
    """

    from_case: str
    from_organization: str
    exported_at: str
    exported_by: str
    journal: str
    sha256: str
    files: int
    missing: int
