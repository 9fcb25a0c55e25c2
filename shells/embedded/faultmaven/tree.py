"""What settings mean once they are read: values, in the units that programs use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faultmaven.places import Resource
from faultmaven.serving import HttpSettings, IdentitySettings
from faultmaven.tracing import TracingSettings
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.secret import Secret


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """The database. Times are in seconds; `migration` and `read` are None where they are not set."""

    url: Resource
    migration: Resource | None
    read: Resource | None
    pool_size: int
    max_overflow: int
    pool_timeout: float
    pool_recycle: float
    statement_timeout: float
    lock_timeout: float
    transaction_pooler: bool


@dataclass(frozen=True, slots=True)
class S3Settings:
    """What an S3 store needs beside its bucket; what is not set is empty or None."""

    endpoint: str
    public_endpoint: str
    region: str
    access_key: str
    secret_key: Secret | None
    session_token: Secret | None
    addressing: str
    encryption: str
    kms_key: str
    ca_file: str
    pool: int


@dataclass(frozen=True, slots=True)
class KnowledgeSettings:
    """Where vectors stand and what makes them."""

    vectors: Resource
    embedding: Resource


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """Redis, or memory."""

    url: Resource
    sentinel_password: Secret | None
    ca_file: str
    pool: int


@dataclass(frozen=True, slots=True)
class JobSettings:
    """The broker, or the program itself; `time_limit` of an attempt and `lease` of a silent runner are in seconds."""

    url: Resource
    sentinel_password: Secret | None
    ca_file: str
    time_limit: float
    lease: float


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """A worker's size. `concurrency` 0 is one per processor; `autoscale` is (fewest, most), None where it is off.

    `grace` is in seconds, `max_memory` in bytes (0: no limit); `heartbeat_file` is empty where none is wanted.
    """

    concurrency: int
    autoscale: tuple[int, int] | None
    queues: tuple[str, ...]
    beat: bool
    grace: float
    max_tasks: int
    max_memory: int
    heartbeat_file: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `startup_wait` is in seconds; quotas are in bytes, 0 without limit."""

    home: Path
    caller: Caller
    replicas: int
    startup_wait: float
    database: DatabaseSettings
    blobs: Resource
    s3: S3Settings
    knowledge: KnowledgeSettings
    cache: CacheSettings
    jobs: JobSettings
    worker: WorkerSettings
    extraction_processes: int
    evidence_copy_max: int
    quota_organization: int
    quota_user: int
    http: HttpSettings
    identity: IdentitySettings
    tracing: TracingSettings
    shown: tuple[tuple[str, str, str], ...]

    def show(self) -> tuple[tuple[str, str, str], ...]:
        """(name, value, origin) of every variable, secrets starred; origin: environment | file <path> | default."""
        return self.shown
