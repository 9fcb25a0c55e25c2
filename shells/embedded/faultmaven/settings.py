"""Settings: one tree, read once at start from environment variables; every problem is told at once."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from faultmaven import declared as d
from faultmaven import serving, tracing
from faultmaven.conflicts import conflicts
from faultmaven.places import PLACES, Resource
from faultmaven.tree import (
    CacheSettings,
    DatabaseSettings,
    JobSettings,
    KnowledgeSettings,
    S3Settings,
    Settings,
    WorkerSettings,
)
from faultmaven.variables import Reading, Variable
from faultmaven_core.shared.errors import MisconfiguredError

MOST_FILE = 64 << 10
"""Bytes of a file that a `..._FILE` variable may name."""

REDIS = ("redis", "rediss", "redis+sentinel", "rediss+sentinel")
CLUSTER = ("redis+cluster", "rediss+cluster")
BROKERS = (*REDIS, "amqp", "amqps")
CHROMA = ("chroma+file", "chroma+http", "chroma+https")
MILVUS = ("milvus", "milvus+https", "milvus+file")
EMBEDDINGS = ("none", "onnx", "hashing", "openai+http", "openai+https")

_HTTP = re.compile(r"https?://[A-Za-z0-9.\[\]:_-]+(/[A-Za-z0-9._/-]*)?")


def load(environ: Mapping[str, str], read_file: Callable[[str], bytes]) -> Settings:
    """The settings that these variables give. Pure: files are read by `read_file`, which raises OSError.

    Raises MisconfiguredError whose message has one line for every problem, naming variable and remedy, never a secret.
    """
    read = Reading(environ, read_file, d.VARIABLES)
    home = Path(read.text(d.HOME) or _data_home(environ, read)).expanduser()
    settings = Settings(
        home,
        read.caller(d.ORGANIZATION, d.USER),
        read.number(d.REPLICAS, 1, 10_000),
        read.seconds(d.STARTUP_WAIT),
        _database(read, home),
        _at_home(read, d.BLOBS, ("file", "s3", "memory"), home / "blobs"),
        _s3(read),
        _knowledge(read, home),
        _cache(read),
        _jobs(read),
        _worker(read),
        read.number(d.PROCESSES, 0, 64),
        read.size(d.COPY_MAX),
        read.size(d.QUOTA_ORGANIZATION),
        read.size(d.QUOTA_USER),
        serving.http(read),
        serving.identity(read, home),
        tracing.tracing(read),
        (),
    )
    resolved = {d.HOME: str(home), d.DATABASE: _url(settings.database.url), d.BLOBS: _url(settings.blobs)}
    resolved[d.VECTORS] = _url(settings.knowledge.vectors)
    resolved[serving.KEYS] = str(settings.identity.keys)
    settings = replace(settings, shown=read.shown({variable.name: text for variable, text in resolved.items()}))
    if not read.problems:  # what could not be read would only be complained of twice
        read.problems += conflicts(settings)
    if read.problems:
        raise MisconfiguredError("\n".join(read.problems))
    return settings


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process."""
    return load(environ, read_setting_file)


def read_setting_file(path: str) -> bytes:
    """The content of a file that a variable names. Raises OSError where it is no regular file under 64 KiB."""
    if not stat.S_ISREG(Path(path).stat().st_mode):
        raise OSError(None, "it is no regular file")
    with Path(path).open("rb") as file:
        data = file.read(MOST_FILE + 1)
    if len(data) > MOST_FILE:
        raise OSError(None, "it has more than 64 KiB")
    return data


def _database(read: Reading, home: Path) -> DatabaseSettings:
    postgres = ("postgresql",)
    return DatabaseSettings(
        _at_home(read, d.DATABASE, ("sqlite", "postgresql", "memory"), home / "faultmaven.db", d.DATABASE_PASSWORD),
        read.resource(d.MIGRATION, postgres, d.MIGRATION_PASSWORD) if read.given(d.MIGRATION) else None,
        read.resource(d.READ, postgres, d.DATABASE_PASSWORD) if read.given(d.READ) else None,
        read.number(d.POOL_SIZE, 1, 500),
        read.number(d.MAX_OVERFLOW, 0, 500),
        read.seconds(d.POOL_TIMEOUT),
        read.seconds(d.POOL_RECYCLE),
        read.seconds(d.STATEMENT_TIMEOUT),
        read.seconds(d.LOCK_TIMEOUT),
        read.choice(d.POOLER, "", "transaction") == "transaction",
    )


def _s3(read: Reading) -> S3Settings:
    return S3Settings(
        _http(read, d.S3_ENDPOINT),
        _http(read, d.S3_PUBLIC_ENDPOINT),
        read.text(d.S3_REGION),
        read.text(d.S3_ACCESS_KEY),
        read.secret(d.S3_SECRET_KEY),
        read.secret(d.S3_SESSION_TOKEN),
        read.choice(d.S3_ADDRESSING, "auto", "path", "virtual"),
        read.choice(d.S3_ENCRYPTION, "", "AES256", "aws:kms"),
        read.text(d.S3_KMS_KEY),
        read.text(d.S3_CA),
        read.number(d.S3_POOL, 1, 500),
    )


def _knowledge(read: Reading, home: Path) -> KnowledgeSettings:
    schemes = ("sqlite", "memory", *CHROMA, *MILVUS, "pinecone", "pgvector")
    return KnowledgeSettings(
        _at_home(read, d.VECTORS, schemes, home / "vectors.db", d.VECTORS_KEY),
        read.resource(d.EMBEDDING, EMBEDDINGS, d.EMBEDDING_KEY),
    )


def _cache(read: Reading) -> CacheSettings:
    if read.given(d.CACHE_SENTINELS) and read.given(d.CACHE):
        read.problems.append("FM_CACHE_URL and FM_CACHE_SENTINELS both say where the cache is: keep one.")
    if read.given(d.CACHE_SENTINELS):
        text = f"redis+sentinel://{read.text(d.CACHE_SENTINELS)}/{read.text(d.CACHE_MASTER) or d.CACHE_MASTER.default}"
        url = _sentinels(read, text)
    else:
        url = read.resource(d.CACHE, ("memory", *REDIS, *CLUSTER), d.CACHE_PASSWORD)
    return CacheSettings(
        url, read.secret(d.CACHE_SENTINEL_PASSWORD), read.text(d.CACHE_CA), read.number(d.CACHE_POOL, 1, 10_000)
    )


def _sentinels(read: Reading, text: str) -> Resource:
    password = read.secret(d.CACHE_PASSWORD)
    try:
        found = PLACES["redis+sentinel"](text)
    except MisconfiguredError:
        read.problems.append("FM_CACHE_SENTINELS names no servers: write <host>:<port>,<host>:<port>.")
        return Resource("redis+sentinel", "")
    return found.with_password(password) if password else found


def _jobs(read: Reading) -> JobSettings:
    if read.text(d.JOBS).partition(":")[0] in CLUSTER:
        read.problems.append(
            "FM_JOBS_URL names a Redis Cluster, which cannot be a broker: name a Redis, its Sentinels, or RabbitMQ; the cache may stay on it."
        )
        url = Resource("embedded", "")
    else:
        url = read.resource(d.JOBS, ("embedded", *BROKERS), d.JOBS_PASSWORD)
    return JobSettings(
        url,
        read.secret(d.JOBS_SENTINEL_PASSWORD),
        read.text(d.JOBS_CA),
        read.seconds(d.JOB_TIME_LIMIT, 1),
        read.seconds(d.JOB_LEASE, 1),
    )


def _worker(read: Reading) -> WorkerSettings:
    autoscale = None
    if read.given(d.AUTOSCALE_MIN) or read.given(d.AUTOSCALE_MAX):
        if read.given(d.CONCURRENCY):
            read.problems.append("FM_WORKER_CONCURRENCY and FM_WORKER_AUTOSCALE_MIN or _MAX are both set: keep one.")
        if not (read.given(d.AUTOSCALE_MIN) and read.given(d.AUTOSCALE_MAX)):
            read.problems.append("FM_WORKER_AUTOSCALE_MIN and FM_WORKER_AUTOSCALE_MAX belong together: set both.")
        else:
            autoscale = read.number(d.AUTOSCALE_MIN, 1, 1000), read.number(d.AUTOSCALE_MAX, 1, 1000)
            if autoscale[0] > autoscale[1]:
                read.problems.append("FM_WORKER_AUTOSCALE_MIN is greater than FM_WORKER_AUTOSCALE_MAX.")
    return WorkerSettings(
        read.number(d.CONCURRENCY, 0, 1000),
        autoscale,
        read.names(d.QUEUES),
        read.flag(d.BEAT),
        read.seconds(d.WORKER_GRACE),
        read.number(d.MAX_TASKS, 1, 1_000_000),
        read.size(d.MAX_MEMORY),
        read.text(d.HEARTBEAT_FILE),
    )


def _url(resource: Resource) -> str:
    return f"{resource.scheme}:{resource.place}"


def _http(read: Reading, variable: Variable) -> str:
    value = read.text(variable)
    if value and not _HTTP.fullmatch(value):
        read.problems.append(f"{variable.name} is no address: write https://<host>:<port>, without user or password.")
        return ""
    return value


def _data_home(environ: Mapping[str, str], read: Reading) -> str:
    given = environ.get("XDG_DATA_HOME") or environ.get("LOCALAPPDATA")
    if given:
        return str(Path(given) / "faultmaven")
    if environ.get("HOME"):
        return str(Path(environ["HOME"]) / ".local" / "share" / "faultmaven")
    read.problems.append("FM_HOME is not set and there is no HOME: set FM_HOME to a folder for the database.")
    return "."


def _at_home(
    read: Reading, variable: Variable, schemes: tuple[str, ...], default: Path, password: Variable | None = None
) -> Resource:
    if not read.given(variable):
        return Resource(schemes[0], str(default), read.secret(password) if password else None)
    return read.resource(variable, schemes, password)
