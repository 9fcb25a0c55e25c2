"""All services of one installation, as a shell sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from faultmaven_core.archives.service import ArchiveService
from faultmaven_core.cases.service import CaseService
from faultmaven_core.evidence.service import EvidenceService
from faultmaven_core.identity.service import IdentityService
from faultmaven_core.investigation.long_turns import LongTurns
from faultmaven_core.investigation.reports import CaseReporting
from faultmaven_core.investigation.service import InvestigationService
from faultmaven_core.investigation.starting import Starting
from faultmaven_core.investigation.turns import TurnService
from faultmaven_core.jobs.runner import JobRunner
from faultmaven_core.jobs.scheduler import Scheduler
from faultmaven_core.jobs.service import JobService
from faultmaven_core.knowledge.service import KnowledgeService
from faultmaven_core.ports.health import Pingable
from faultmaven_core.ports.rate_limit import RateLimiter
from faultmaven_core.ports.telemetry import Telemetry
from faultmaven_core.sessions.service import SessionService


@dataclass(frozen=True, slots=True)
class Application:
    """The services; each is complete by itself. Runner and scheduler are for what keeps jobs going.

    `probes` are the backends that everything stands on, by name: what is not there cannot be served.
    """

    cases: CaseService
    evidence: EvidenceService
    archives: ArchiveService
    knowledge: KnowledgeService
    investigation: InvestigationService
    jobs: JobService
    identity: IdentityService
    sessions: SessionService
    rate_limiter: RateLimiter
    probes: Mapping[str, Pingable]
    telemetry: Telemetry
    runner: JobRunner
    scheduler: Scheduler
    long_turns: LongTurns

    @property
    def starting(self) -> Starting:
        """Leaves investigations to runners of jobs."""
        return Starting(self.cases, self.jobs)

    @property
    def reporting(self) -> CaseReporting:
        """Writes the reports of cases."""
        return CaseReporting(self.cases, self.evidence, self.investigation)

    @property
    def turns(self) -> TurnService:
        """Answers the turns of conversations. It keeps nothing, so that any replica takes any turn."""
        return TurnService(self.cases, self.evidence, self.investigation)
