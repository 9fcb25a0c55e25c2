"""The audit's rows, in its order, with what answers each."""

from __future__ import annotations

from faultmaven.neutrality.model import Contract, File, Row

_SQL = ("sqlite", "postgres", "pgbouncer")
_REDIS = ("redis", "redis_old", "redis_tls", "sentinel", "cluster")
_HIGHLY_AVAILABLE = ("sentinel", "cluster")

_UNITS = Contract("transactions", _SQL)
_DRIVERS = File("tests/gates/test_packaging.py", "every driver is installed by the extra `all`")
_SETTINGS = File("tests/unit/settings/test_settings.py", "settings, their files, aliases and conflicts")
_NO_HOSTS = File("tests/gates/test_no_host_literals.py", "no product code names a host")
_S3 = File("contract_tests/test_s3_blobs.py", "credentials, encryption, look-alikes, killed writers of S3")
_BLOBS = Contract("blobs", ("filesystem", "s3"))
_POOLS = File("contract_tests/test_postgres.py", "pools, time-outs, row-level security, certificates")
_BROKEN = File("contract_tests/test_postgres_faults.py", "connections that break, servers that hang or refuse")
_RETRY = File("tests/unit/resilience/test_retries.py", "deadline, retry with growing pauses, retry budget")
_DOCTOR = File("tests/shells/test_cli_doctor.py", "each dependency is tried for real")
_CANARIES = File("tests/end_to_end/test_no_secret_is_told.py", "secrets appear in no log, error, repr or output")

_VECTORS = ("sqlite", "chroma", "chroma_server", "milvus", "milvus_lite", "pgvector")
_KNOWLEDGE = Contract("knowledge", _SQL)
_KNOWLEDGE_WORK = File("tests/end_to_end/test_knowledge.py", "documents added, searched, synced and deleted")

_PEERS = "services apart, which call each other by name"

ROWS = (
    Row("knowledge", "database", 20, "SQLAlchemy with asyncpg, PostgreSQL works", (_KNOWLEDGE, _UNITS, _DRIVERS)),
    Row(
        "knowledge",
        "vector store",
        0,
        "an interface, several providers, chosen by a variable",
        (Contract("vectors", _VECTORS), _SETTINGS, _DRIVERS),
    ),
    Row(
        "knowledge", "vector store: Pinecone", 0, "one of the providers", (Contract("vectors", ("pinecone_emulated",)),)
    ),
    Row("knowledge", "storage", 50, "files, not only the database", (_KNOWLEDGE_WORK, _BLOBS)),
    Row("knowledge", "configuration", 60, "variables plus Kubernetes secrets", (_SETTINGS, _CANARIES)),
    Row("knowledge", "service discovery", 30, "no host in code", (_NO_HOSTS,), _PEERS),
    Row(
        "case",
        "database",
        30,
        "asyncpg; PostgreSQL tested in every run",
        (
            Contract("cases", _SQL),
            _UNITS,
            _BROKEN,
            File("contract_tests/test_postgres_killed.py", "PostgreSQL killed in the middle of commands"),
            _DRIVERS,
        ),
    ),
    Row("case", "configuration", 50, "everything by variable", (_SETTINGS,)),
    Row("case", "service discovery", 30, "peers by name", (_NO_HOSTS,), _PEERS),
    Row("case", "connection pool", 40, "pool size variables", (_SETTINGS, _POOLS)),
    Row("evidence", "database", 30, "as case", (Contract("evidence", _SQL), _UNITS, _DRIVERS)),
    Row("evidence", "storage", 10, "S3 by boto3, S3-compatible stores of one's own", (_BLOBS, _S3, _DRIVERS)),
    Row("evidence", "configuration", 50, "variables that are read", (_SETTINGS,)),
    Row("evidence", "service discovery", 40, "peers by name", (_NO_HOSTS,), _PEERS),
    Row(
        "evidence",
        "large files",
        30,
        "streaming up and down",
        (
            _BLOBS,
            File("tests/shells/http/test_uploads.py", "uploads that go on where they stopped"),
            File("tests/shells/http/test_transfers.py", "large files come and leave in little memory"),
        ),
    ),
    Row(
        "session",
        "Redis",
        50,
        "single, behind an interface",
        (Contract("sessions", ("memory", "redis", "redis_old", "redis_tls")), Contract("cache", ("memory", *_REDIS))),
    ),
    Row(
        "session",
        "high availability",
        0,
        "Sentinel and Cluster",
        (
            Contract("sessions", _HIGHLY_AVAILABLE),
            Contract("cache", _HIGHLY_AVAILABLE),
            Contract("leases", _HIGHLY_AVAILABLE),
            Contract("signals", _HIGHLY_AVAILABLE),
            Contract("rate_limit", _HIGHLY_AVAILABLE),
            File("contract_tests/test_session_failover.py", "primaries killed under load of sessions"),
            File("contract_tests/test_redis_failover.py", "primaries killed under load of cache, leases and signals"),
        ),
    ),
    Row("session", "configuration", 70, "by variable", (_SETTINGS,)),
    Row("session", "expiry", 80, "proper TTL", (Contract("sessions", ("memory", *_REDIS)),)),
    Row(
        "session",
        "resilience",
        40,
        "retry with exponential backoff",
        (_RETRY, File("contract_tests/test_session_faults.py", "sessions while Redis is down, hangs or forgets")),
    ),
    Row("agent", "model providers", 80, "many, LangChain among them", (), "models"),
    Row("agent", "local models", 40, "Ollama, vLLM complete; provider health checks", (), "models"),
    Row("agent", "configuration", 80, "by variable", (_SETTINGS,), "models"),
    Row("agent", "service discovery", 70, "peers by name", (_NO_HOSTS,), _PEERS),
    Row(
        "agent",
        "statelessness",
        90,
        "any replica answers",
        (Contract("cases", _SQL),),
    ),
    Row(
        "job worker",
        "task queue",
        85,
        "Celery",
        (Contract("jobs", ("celery_redis", "celery_sentinel", "celery_rabbitmq")), Contract("job_stores", _SQL)),
    ),
    Row(
        "job worker",
        "broker",
        70,
        "more than Redis",
        (
            Contract("jobs", ("celery_redis", "celery_sentinel", "celery_rabbitmq")),
            File("contract_tests/test_celery_broker.py", "brokers with TLS, few rights, wrong passwords"),
        ),
    ),
    Row(
        "job worker",
        "configuration",
        80,
        "CELERY_CONCURRENCY, CELERY_AUTOSCALE_MIN, CELERY_AUTOSCALE_MAX",
        (_SETTINGS, File("tests/shells/test_worker_argv.py", "flags and variables of the worker")),
    ),
    Row(
        "job worker",
        "horizontal scaling",
        75,
        "flags, documented patterns (docs/scaling.md)",
        (File("contract_tests/test_worker_kills.py", "workers killed at random: each job takes effect once"),),
    ),
    Row(
        "job worker",
        "idempotency",
        80,
        "task ids that make a repeat harmless",
        (Contract("jobs", ("embedded", "celery_redis", "celery_rabbitmq")), Contract("job_stores", _SQL)),
    ),
    Row("api gateway", "routing", 70, "upstreams by variable", (), "gateway"),
    Row(
        "api gateway",
        "authentication",
        75,
        "JWT validation",
        (
            Contract("tokens", ("ed25519", "es256", "rs256")),
            File("tests/attacks/test_hostile_tokens.py", "hostile tokens, over HTTP"),
            File("tests/attacks/test_behind_the_edge.py", "services take an edge's signed word and nothing else"),
        ),
    ),
    Row(
        "api gateway",
        "rate limiting",
        30,
        "against floods",
        (
            Contract("rate_limit", ("memory", *_REDIS)),
            File("tests/shells/http/test_rates.py", "limits by user, organization and address, over HTTP"),
        ),
    ),
    Row("api gateway", "service discovery", 60, "names of Kubernetes services", (_NO_HOSTS,), "gateway"),
    Row(
        "api gateway",
        "CORS",
        80,
        "settings for it",
        (File("tests/shells/http/test_cors.py", "browsers' pages that may call and that may not"),),
    ),
    Row("api gateway", "circuit breaker", None, "asked for", (), "gateway"),
    Row(
        "auth",
        "methods",
        20,
        "SAML, OIDC, OAuth2",
        (File("tests/unit/identity/test_oauth.py", "authorization codes with PKCE"),),
        "SAML and OIDC of others",
    ),
    Row(
        "auth",
        "multi-tenancy",
        None,
        "organizations and teams",
        (
            Contract("identity", _SQL),
            File("tests/attacks/test_cross_tenant.py", "every endpoint attacked from another organization"),
        ),
    ),
    Row("auth", "single sign-on", None, "Okta, Entra, Google", (), "identity"),
    Row(
        "auth",
        "sessions",
        None,
        "highly available Redis",
        (
            Contract("sessions", _HIGHLY_AVAILABLE),
            File("tests/unit/identity/test_refreshing.py", "sign-ins that last, end and are resumed"),
        ),
    ),
    Row("auth", "second factor", None, "TOTP, WebAuthn", (), "identity"),
    Row(
        "all",
        "connection retry",
        None,
        "at start and while running",
        (_RETRY, File("tests/unit/resilience/test_backoff.py", "pauses, and a start that waits for servers"), _BROKEN),
    ),
    Row("all", "pool sizes", None, "by variable", (_SETTINGS, _POOLS)),
    Row(
        "all",
        "deep health checks",
        None,
        "dependencies are tried",
        (_DOCTOR, File("tests/shells/http/test_health.py", "probes of the server")),
    ),
    Row("all", "secrets", None, "mounted files; never told", (_SETTINGS, _CANARIES)),
)
