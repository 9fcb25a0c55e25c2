"""Values that suites store: complete, distinct, and the same in every run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from faultmaven_core.analysis.model import Category, Role, Verdict
from faultmaven_core.analysis.record import CheckView, EntityView, Producer, RcaRecord, RootCause
from faultmaven_core.archives.ports import ArchiveUnitOfWork
from faultmaven_core.cases.dialogue import Dialogue, Gate, Message, MessageRole
from faultmaven_core.cases.journal import JournalEntry, following
from faultmaven_core.cases.model import Case, CaseStatus, Judgement, Priority, Transition
from faultmaven_core.cases.ports import CaseUnitOfWork
from faultmaven_core.evidence.model import Custody, Evidence, SeenSource
from faultmaven_core.evidence.ports import EvidenceUnitOfWork
from faultmaven_core.evidence.uploads import Upload, upload_id
from faultmaven_core.identity.ports import AccountDirectory, IdentityUnitOfWork
from faultmaven_core.jobs.ports import JobStore, JobUnitOfWork
from faultmaven_core.knowledge.model import Chunk, Document, DocumentState, KnowledgeScope, Status, Tier
from faultmaven_core.knowledge.ports import KnowledgeUnitOfWork
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.ids import (
    CaseId,
    OrganizationId,
    UserId,
    case_id,
    document_id,
    evidence_id,
    message_id,
    uuid7,
)

ACME = OrganizationId("acme")
OTHER = OrganizationId("other")
EVERYBODY = KnowledgeScope(Tier.GLOBAL)
START = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


class Storage(Protocol):
    """What a binding opens: units of work over one database, its job rows, and its directory of accounts."""

    jobs: JobStore
    accounts: AccountDirectory

    async def aclose(self) -> None:
        """Close all connections. Used again, it opens new ones."""

    def cases(self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False) -> CaseUnitOfWork:
        """A unit over cases."""

    def evidence(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> EvidenceUnitOfWork:
        """A unit over evidence."""

    def archives(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> ArchiveUnitOfWork:
        """A unit over cases and their evidence."""

    def knowledge(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> KnowledgeUnitOfWork:
        """A unit over knowledge."""

    def job_units(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> JobUnitOfWork:
        """A unit over jobs."""

    def identity(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> IdentityUnitOfWork:
        """A unit over the people of an organization."""


def record() -> RcaRecord:
    """A record with a root cause, and nothing else in it."""
    web, check = EntityView("pod", "web", "shop"), CheckView("kubectl get pods", "web runs")
    cause = RootCause(
        web, Category.DEPENDENCY_FAILURE, "dns.failure", "The name is not known.", "", (), 0.9, check, check
    )
    producer = Producer("0", "deterministic")
    return RcaRecord(
        "rca-record/1", case().id, "why?", Verdict.PROBABLE, cause, (), (), (), (), (), (), (), (), producer
    )


def key(number: int) -> UUID:
    """The nth key."""
    return uuid7(1_700_000_000_000 + number, 0, number)


def case(number: int = 1, organization: OrganizationId = ACME, **changes: Any) -> Case:
    """The nth case, with every field set to something."""
    uid = key(number)
    plain = Case(
        uid,
        case_id(uid),
        organization,
        UserId("ann"),
        f"title {number}",
        f"question {number}",
        START + timedelta(minutes=number),
        START + timedelta(minutes=number, microseconds=1),
        CaseStatus.INVESTIGATING,
        "probable",
        f"cause {number}",
        "dns.failure pod shop/web",
        Judgement.CONFIRMED,
        "what it was",
        "",
        None,
        (Transition(CaseStatus.INQUIRY, CaseStatus.INVESTIGATING, START, UserId("ann"), "because"),),
        0,
        f"description {number}",
        Priority.HIGH,
        "slack",
        {"thread": [1, {"x": None}], "né": "é"},
        3,
        6,
        Dialogue("The shop is down.", True, Gate.RESOLVED, (("hyp_1", "refuted"),), 2),
    )
    return replace(plain, **changes)


def message(number: int = 1, **changes: Any) -> Message:
    """The nth message of the first case, with every field set to something."""
    uid = key(3000 + number)
    role = MessageRole.USER if number % 2 else MessageRole.ASSISTANT
    plain = Message(
        uid, message_id(uid), case().id, number, 1, role, UserId("ann"), f"text {number}", START, {"files": ["a.log"]}
    )
    return replace(plain, **changes)


def entry(name: CaseId, last: JournalEntry | None = None, number: int = 1) -> JournalEntry:
    """A journal entry after another."""
    return following(last, name, key(1000 + number), START, UserId("ann"), "case_opened", {"title": f"t{number}"})


def evidence(number: int = 1, organization: OrganizationId = ACME, **changes: Any) -> Evidence:
    """The nth piece of evidence of the first case, with every field set to something."""
    uid = key(500 + number)
    plain = Evidence(
        uid,
        evidence_id(uid),
        organization,
        case().id,
        f"pods/{number}.log",
        Role.BASELINE,
        Custody.REFERENCE,
        START,
        UserId("ann"),
        f"/var/log/pods/{number}.log",
        "",
        2**40 + number,
        1_700_000_000_123_456_789,
        "ab" * 32,
        "log",
        "",
        (SeenSource(f"{number}.log", "cd" * 32, "log", 5, 2, ("inner.tar", "a.log"), ("Line 2 is cut.",)),),
        2,
        "paste",
        {"source_url": "https://example.com/thread"},
    )
    return replace(plain, **changes)


def upload(number: int = 1, organization: OrganizationId = ACME, **changes: Any) -> Upload:
    """The nth upload to the first case, with every field set to something."""
    uid = key(700 + number)
    plain = Upload(
        uid,
        upload_id(uid),
        organization,
        case().id,
        UserId("ann"),
        f"{number}.log",
        Role.BASELINE,
        2**40 + number,
        START + timedelta(seconds=number),
        True,
        "ab" * 32,
        2**33,
        (f"{organization}/uploads/{uid.hex}/1",),
        {"source_url": "https://example.com/thread"},
    )
    return replace(plain, **changes)


def document(number: int = 1, organization: OrganizationId = ACME, **changes: Any) -> Document:
    """The nth document, with every field set to something; a search may find it."""
    uid = key(2000 + number)
    plain = Document(
        uid,
        document_id(uid),
        organization,
        EVERYBODY,
        f"Runbook {number}",
        f"/srv/runbooks/{number}.md",
        "text/markdown",
        f"{organization}/knowledge/{number}",
        f"{number:064x}",
        2**40 + number,
        START,
        UserId("ann"),
        START + timedelta(seconds=number),
        "/srv/runbooks",
        1_700_000_000_123_456_789,
        DocumentState.READY,
        "",
        ("dns", "on call"),
        Status.VERIFIED,
        date(2026, 2, 28),
        90,
        1,
        40,
        10,
        "hashing-1",
        {"title": "Runbook", "category": "dns"},
    )
    return replace(plain, **changes)


def chunk(number: int = 0, terms: str = "dns timeout dns", of: int = 1, **changes: Any) -> Chunk:
    """A chunk of the nth document, with every field set to something; its terms are words parted by spaces."""
    text = f"{terms}: what to do"
    plain = Chunk(
        key(2000 + of), number, ("Runbook", "Fix"), text, 7, 7 + len(text), tuple(terms.split()), ("fix",), ("errno11",)
    )
    return replace(plain, **changes)


def request(organization: OrganizationId = ACME, **changes: Any) -> JobRequest:
    """A job."""
    return replace(JobRequest("case.note", b'{"a":1}', Caller(organization, UserId("ann"))), **changes)
