"""All services of one installation, as a shell sees them."""

from __future__ import annotations

from dataclasses import dataclass

from faultmaven_core.cases.service import CaseService
from faultmaven_core.evidence.service import EvidenceService
from faultmaven_core.investigation.service import InvestigationService
from faultmaven_core.jobs.runner import JobRunner
from faultmaven_core.jobs.scheduler import Scheduler
from faultmaven_core.jobs.service import JobService
from faultmaven_core.knowledge.service import KnowledgeService


@dataclass(frozen=True, slots=True)
class Application:
    """The services; each is complete by itself. Runner and scheduler are for what keeps jobs going."""

    cases: CaseService
    evidence: EvidenceService
    knowledge: KnowledgeService
    investigation: InvestigationService
    jobs: JobService
    runner: JobRunner
    scheduler: Scheduler
