"""From a URL's scheme to the module that serves it; only what is chosen is imported."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from faultmaven_core.shared.errors import MisconfiguredError

KINDS = {
    **dict.fromkeys(("rediss", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"), "redis"),
    "amqp": "rabbitmq",
    "amqps": "rabbitmq",
    **dict.fromkeys(("chroma+file", "chroma+http", "chroma+https"), "chroma"),
    **dict.fromkeys(("milvus+https", "milvus+file"), "milvus"),
    "smtps": "smtp",
    **dict.fromkeys(("openai+http", "openai+https"), "openai"),
}
"""Schemes that one adapter serves under another name."""

BACKENDS = {
    ("database", "sqlite"): "faultmaven_adapters.sql.storage",
    ("database", "postgresql"): "faultmaven_adapters.sql.storage",
    ("database", "memory"): "faultmaven_adapters.sql.memory",
    ("blobs", "file"): "faultmaven_adapters.blobs.filesystem",
    ("blobs", "s3"): "faultmaven_adapters.blobs.s3",
    ("blobs", "memory"): "faultmaven_adapters.blobs.memory",
    ("vectors", "memory"): "faultmaven_adapters.vectors.memory",
    ("vectors", "sqlite"): "faultmaven_adapters.vectors.sqlite",
    ("vectors", "chroma"): "faultmaven_adapters.vectors.chroma",
    ("vectors", "milvus"): "faultmaven_adapters.vectors.milvus",
    ("vectors", "pinecone"): "faultmaven_adapters.vectors.pinecone",
    ("vectors", "pgvector"): "faultmaven_adapters.vectors.pgvector",
    ("embedding", "hashing"): "faultmaven_adapters.embedding.hashing",
    ("embedding", "onnx"): "faultmaven_adapters.embedding.onnx",
    ("embedding", "openai"): "faultmaven_adapters.embedding.openai_compatible",
    ("cache", "memory"): "faultmaven_adapters.cache.memory",
    ("cache", "redis"): "faultmaven_adapters.cache.redis",
    ("leases", "memory"): "faultmaven_adapters.leases.memory",
    ("leases", "redis"): "faultmaven_adapters.leases.redis",
    ("signals", "memory"): "faultmaven_adapters.signals.memory",
    ("signals", "redis"): "faultmaven_adapters.signals.redis",
    ("sessions", "memory"): "faultmaven_adapters.sessions.memory",
    ("sessions", "redis"): "faultmaven_adapters.sessions.redis",
    ("rate limits", "memory"): "faultmaven_adapters.ratelimit.memory",
    ("rate limits", "redis"): "faultmaven_adapters.ratelimit.redis",
    ("mail", "none"): "faultmaven_adapters.mail.none",
    ("mail", "smtp"): "faultmaven_adapters.mail.smtp",
    ("telemetry", "none"): "faultmaven_adapters.telemetry.null",
    ("telemetry", "otlp"): "faultmaven_adapters.telemetry.opentelemetry",
    ("jobs", "embedded"): "faultmaven_adapters.jobs.embedded",
    ("jobs", "redis"): "faultmaven_adapters.jobs.celery",
    ("jobs", "rabbitmq"): "faultmaven_adapters.jobs.celery",
}

EXTRAS = {
    "postgresql": "postgres",
    "pgvector": "postgres",
    "s3": "s3",
    "redis": "redis",
    "rabbitmq": "worker",
    "chroma": "chroma",
    "milvus": "milvus",
    "pinecone": "pinecone",
    "onnx": "embeddings",
    "openai": "llm",
    "smtp": "identity",
    "otlp": "telemetry",
}
"""Scheme -> the extra that brings its driver."""

LAZY_DRIVERS = {
    "postgresql": "asyncpg",
    "pgvector": "asyncpg",
    "redis": "redis",
    "s3": "boto3",
    "chroma": "chromadb",
    "milvus": "pymilvus",
    "pinecone": "pinecone",
    "onnx": "onnxruntime",
    "openai": "openai",
    "smtp": "aiosmtplib",
}
"""Drivers that their adapter imports only when it connects; missing ones are told at start."""


def kind(scheme: str) -> str:
    """The adapter that serves a scheme."""
    return KINDS.get(scheme, scheme)


def require_driver(port: str, scheme: str) -> None:
    """Raises MisconfiguredError that names the extra to install where a backend's driver is missing; imports nothing."""
    driver = LAZY_DRIVERS.get(kind(scheme))
    if driver and find_spec(driver) is None:
        raise _missing(driver, port, scheme)


def backend(port: str, scheme: str) -> ModuleType:
    """The module of a backend. Raises MisconfiguredError as `require_driver` does."""
    require_driver(port, scheme)
    try:
        return import_module(BACKENDS[port, kind(scheme)])
    except ModuleNotFoundError as error:
        if not error.name or error.name.startswith("faultmaven"):
            raise
        raise _missing(error.name, port, scheme) from error


def _missing(driver: str, port: str, scheme: str) -> MisconfiguredError:
    extra = "worker" if port == "jobs" else EXTRAS.get(kind(scheme), "all")
    return MisconfiguredError(
        f"{scheme}: for {port} needs the library {driver}, which is not installed: pip install 'faultmaven[{extra}]'."
    )
