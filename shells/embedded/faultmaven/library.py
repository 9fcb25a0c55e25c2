"""The door for embedding programs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from faultmaven.settings import load_settings
from faultmaven.tree import Settings
from faultmaven_core.shared.caller import Caller

if TYPE_CHECKING:
    from faultmaven_core.application import Application
    from faultmaven_core.cases.service import CaseService
    from faultmaven_core.evidence.service import EvidenceService
    from faultmaven_core.investigation.service import InvestigationService
    from faultmaven_core.jobs.service import JobService
    from faultmaven_core.knowledge.service import KnowledgeService


class FaultMaven:
    """One open installation. Made by `open`; its services are complete APIs that take a command and a caller."""

    def __init__(self, application: Application, settings: Settings) -> None:
        self.application = application
        self.settings = settings

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings | None = None, *, overrides: Sequence[Any] = ()) -> AsyncIterator[Self]:
        """Open the database and all that the settings name, and close it again at the end.

        Without settings those of the environment. `overrides` are injector modules; the last binding wins. Raises
        MisconfiguredError where a setting is wrong, BackendError where something cannot be opened.
        """
        from faultmaven.composition.resources import open_application

        chosen = settings or load_settings()
        async with open_application(chosen, overrides=overrides) as application:
            yield cls(application, chosen)

    @property
    def caller(self) -> Caller:
        """Organization and user of the settings."""
        return self.settings.caller

    @property
    def cases(self) -> CaseService:
        """Opens, shows, judges and ends cases."""
        return self.application.cases

    @property
    def evidence(self) -> EvidenceService:
        """Adds, shows, searches and removes evidence."""
        return self.application.evidence

    @property
    def knowledge(self) -> KnowledgeService:
        """Adds, syncs, finds and removes runbooks and other documents."""
        return self.application.knowledge

    @property
    def investigation(self) -> InvestigationService:
        """Finds root causes."""
        return self.application.investigation

    @property
    def jobs(self) -> JobService:
        """Shows, cancels and retries what was left to do after commits."""
        return self.application.jobs
