"""All services of one installation, as a shell sees them."""

from __future__ import annotations

from dataclasses import dataclass

from faultmaven_core.cases.service import CaseService
from faultmaven_core.evidence.service import EvidenceService
from faultmaven_core.investigation.service import InvestigationService
from faultmaven_core.jobs.runner import JobRunner


@dataclass(frozen=True, slots=True)
class Application:
    """The services; each is complete by itself."""

    cases: CaseService
    evidence: EvidenceService
    investigation: InvestigationService
    jobs: JobRunner
