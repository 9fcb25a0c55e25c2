"""All variables that there are, in the order in which one needs them."""

from __future__ import annotations

from faultmaven import serving, tracing
from faultmaven.variables import Variable

HOME = Variable("FM_HOME", "Folder for the database and for copies of evidence.", "$XDG_DATA_HOME/faultmaven", "all")
ORGANIZATION = Variable("FM_ORGANIZATION", "Organization that everything belongs to.", "local", "all")
USER = Variable("FM_USER", "Name that stands in the journal for what you do.", "local", "all")
REPLICAS = Variable(
    "FM_REPLICAS",
    "Hosts or pods that share this installation. More than one needs backends that several hosts can use at once.",
    "1",
    "all",
)
STARTUP_WAIT = Variable(
    "FM_STARTUP_WAIT",
    "How long a start waits, trying again with growing pauses, for servers that do not answer yet; `0` does not wait.",
    "60s",
    "all",
    aliases=("STARTUP_RETRY_TIMEOUT",),
)

DATABASE = Variable(
    "FM_DATABASE_URL",
    "`sqlite:<path>`, `postgresql://<user>@<host>:<port>/<database>` (after `?`: `sslmode` disable, require, verify-ca or "
    "verify-full; `sslrootcert` with a path), or `memory:` to keep nothing.",
    "sqlite:$FM_HOME/faultmaven.db",
    "database",
    url=True,
)
DATABASE_PASSWORD = Variable(
    "FM_DATABASE_PASSWORD", "Password of the database's user, if it is not in the URL.", "", "database", secret=True
)
MIGRATION = Variable(
    "FM_DATABASE_MIGRATION_URL",
    "The same PostgreSQL database as the user who owns its tables; only `fm migrate` uses it. The everyday user must be "
    "another one, so that row-level security binds it.",
    "",
    "fm migrate",
    url=True,
)
MIGRATION_PASSWORD = Variable(
    "FM_DATABASE_MIGRATION_PASSWORD", "Password of the owner, if it is not in the URL.", "", "fm migrate", secret=True
)
READ = Variable(
    "FM_DATABASE_READ_URL",
    "A PostgreSQL replica for what only reads; it may lag behind. Same user and password.",
    "",
    "database",
    url=True,
)
POOL_SIZE = Variable(
    "FM_DATABASE_POOL_SIZE", "Connections that a process keeps.", "5", "PostgreSQL", aliases=("DB_POOL_SIZE",)
)
MAX_OVERFLOW = Variable(
    "FM_DATABASE_MAX_OVERFLOW",
    "Further connections that a process opens under load and closes again.",
    "10",
    "PostgreSQL",
    aliases=("DB_MAX_OVERFLOW",),
)
POOL_TIMEOUT = Variable(
    "FM_DATABASE_POOL_TIMEOUT",
    "How long a request waits for a free connection.",
    "10s",
    "PostgreSQL",
    aliases=("DB_POOL_TIMEOUT",),
)
POOL_RECYCLE = Variable("FM_DATABASE_POOL_RECYCLE", "Age at which a connection is replaced.", "30m", "PostgreSQL")
STATEMENT_TIMEOUT = Variable("FM_DATABASE_STATEMENT_TIMEOUT", "Longest single statement.", "15s", "PostgreSQL")
LOCK_TIMEOUT = Variable("FM_DATABASE_LOCK_TIMEOUT", "Longest wait for a lock.", "3s", "PostgreSQL")
POOLER = Variable(
    "FM_DATABASE_POOLER",
    "`transaction` where a pooler such as pgbouncer in transaction mode stands in front of PostgreSQL.",
    "",
    "PostgreSQL",
)

BLOBS = Variable(
    "FM_BLOBS_URL",
    "`file:<folder>`, `s3://<bucket>/<prefix>`, or `memory:` to keep nothing.",
    "file:$FM_HOME/blobs",
    "evidence copies",
)
S3_ENDPOINT = Variable(
    "FM_S3_ENDPOINT_URL",
    "Where an S3-compatible store answers; unset is AWS.",
    "",
    "S3",
    url=True,
    aliases=("S3_ENDPOINT_URL",),
)
S3_PUBLIC_ENDPOINT = Variable(
    "FM_S3_PUBLIC_ENDPOINT_URL",
    "Where browsers reach the store, if that is another address; presigned URLs are made for it.",
    "",
    "S3",
    url=True,
)
S3_REGION = Variable("FM_S3_REGION", "Region; unset takes what AWS libraries find.", "", "S3", aliases=("S3_REGION",))
S3_ACCESS_KEY = Variable(
    "FM_S3_ACCESS_KEY_ID",
    "Access key; unset uses the usual chain: environment, web identity, profile, container, instance.",
    "",
    "S3",
)
S3_SECRET_KEY = Variable("FM_S3_SECRET_ACCESS_KEY", "The access key's secret.", "", "S3", secret=True)
S3_SESSION_TOKEN = Variable("FM_S3_SESSION_TOKEN", "Session token of temporary keys.", "", "S3", secret=True)
S3_ADDRESSING = Variable(
    "FM_S3_ADDRESSING", "`auto`, `path` or `virtual`: where the bucket's name stands.", "auto", "S3"
)
S3_ENCRYPTION = Variable(
    "FM_S3_ENCRYPTION", "`AES256` or `aws:kms` asks the store to encrypt; unset leaves it to the bucket.", "", "S3"
)
S3_KMS_KEY = Variable("FM_S3_KMS_KEY_ID", "The key for `aws:kms`; unset is the account's own.", "", "S3")
S3_CA = Variable("FM_S3_CA_FILE", "Certificates that sign the store's, where a private authority does.", "", "S3")
S3_POOL = Variable("FM_S3_POOL_SIZE", "Connections to the store that a process uses at once.", "10", "S3")

VECTORS = Variable(
    "FM_VECTORS_URL",
    "Where the vectors of knowledge stand: `sqlite:<path>` (exact search, one host), `chroma+file:<folder>` (one process), "
    "`chroma+http://<host>:<port>`, `milvus://<host>:<port>/<database>`, `milvus+file:<path>` (Milvus Lite, one process), "
    "`pinecone:<cloud>/<region>`, `pgvector:` (beside the PostgreSQL of FM_DATABASE_URL), "
    "`pgvector://<user>@<host>:<port>/<database>`, or `memory:`. `chroma+https` and `milvus+https` are with TLS.",
    "sqlite:$FM_HOME/vectors.db",
    "knowledge",
    url=True,
)
VECTORS_KEY = Variable(
    "FM_VECTORS_API_KEY",
    "Key of Pinecone, token of Milvus (`<user>:<password>`) or Chroma, password of pgvector's user.",
    "",
    "knowledge",
    secret=True,
    aliases=("PINECONE_API_KEY", "MILVUS_TOKEN"),
)
EMBEDDING = Variable(
    "FM_EMBEDDING_URL",
    "What turns text into vectors: `none:` (words and exact names only), `onnx:` (a small model on this machine), "
    "`openai+https://<host>/v1?model=<name>&dimension=<number>` or `openai+http` (any server with the OpenAI interface; "
    "`query_prefix` and `document_prefix` for models that want them), or `hashing:` (for tests).",
    "none:",
    "knowledge",
    url=True,
)
EMBEDDING_KEY = Variable(
    "FM_EMBEDDING_API_KEY",
    "Key for the embedding server.",
    "",
    "knowledge",
    secret=True,
    aliases=("EMBEDDING_API_KEY",),
)

CACHE = Variable(
    "FM_CACHE_URL",
    "For sessions, leases, signals, rate limits and caches: `memory:`, `redis://<host>:<port>/<n>`, "
    "`redis+sentinel://<host>:<port>,<host>:<port>/<master>`, `redis+cluster://<host>:<port>,<host>:<port>`; `rediss` in "
    "the place of `redis` is with TLS. A user stands before the host: `<user>@<host>`.",
    "memory:",
    "cache",
    url=True,
)
CACHE_SENTINELS = Variable(
    "FM_CACHE_SENTINELS",
    "Sentinels as `<host>:<port>,<host>:<port>`, in the place of FM_CACHE_URL.",
    "",
    "cache",
    aliases=("REDIS_SENTINEL_HOSTS",),
)
CACHE_MASTER = Variable(
    "FM_CACHE_SENTINEL_MASTER",
    "The name under which those Sentinels watch the primary.",
    "mymaster",
    "cache",
    aliases=("REDIS_MASTER_SET",),
)
CACHE_PASSWORD = Variable(
    "FM_CACHE_PASSWORD",
    "Password of Redis, if it is not in the URL.",
    "",
    "cache",
    secret=True,
    aliases=("REDIS_PASSWORD",),
)
CACHE_SENTINEL_PASSWORD = Variable(
    "FM_CACHE_SENTINEL_PASSWORD", "Password of the Sentinels themselves.", "", "cache", secret=True
)
CACHE_CA = Variable("FM_CACHE_CA_FILE", "Certificates that sign those of Redis; unset is the system's.", "", "cache")
CACHE_POOL = Variable("FM_CACHE_POOL_SIZE", "Connections to Redis that a process uses at once.", "50", "cache")

JOBS = Variable(
    "FM_JOBS_URL",
    "`embedded:` runs jobs in the program itself; `redis://`, `redis+sentinel://`, `amqp://<user>@<host>:<port>/<vhost>` "
    "(RabbitMQ) or their TLS forms `rediss`, `rediss+sentinel`, `amqps` wake workers (`fm worker`). Job rows stand in the "
    "database in any case. A Redis Cluster cannot be a broker.",
    "embedded:",
    "jobs",
    url=True,
)
JOBS_PASSWORD = Variable(
    "FM_JOBS_PASSWORD", "Password of the broker, if it is not in the URL.", "", "jobs", secret=True
)
JOBS_SENTINEL_PASSWORD = Variable(
    "FM_JOBS_SENTINEL_PASSWORD", "Password of the broker's Sentinels.", "", "jobs", secret=True
)
JOBS_CA = Variable("FM_JOBS_CA_FILE", "Certificates that sign the broker's; unset is the system's.", "", "jobs")
CONCURRENCY = Variable(
    "FM_WORKER_CONCURRENCY",
    "Processes of a worker; 0 is one per processor. Not together with autoscaling.",
    "0",
    "fm worker",
    aliases=("CELERY_CONCURRENCY",),
)
AUTOSCALE_MIN = Variable(
    "FM_WORKER_AUTOSCALE_MIN",
    "Fewest processes of a worker that grows with its work.",
    "",
    "fm worker",
    aliases=("CELERY_AUTOSCALE_MIN",),
)
AUTOSCALE_MAX = Variable(
    "FM_WORKER_AUTOSCALE_MAX",
    "Most processes of a worker that grows with its work.",
    "",
    "fm worker",
    aliases=("CELERY_AUTOSCALE_MAX",),
)
QUEUES = Variable(
    "FM_WORKER_QUEUES", "Queues that a worker takes jobs from, such as `default,reports`.", "default", "fm worker"
)
JOB_TIME_LIMIT = Variable(
    "FM_JOB_TIME_LIMIT", "Longest single attempt at a job, unless the job itself asks for less.", "30m", "jobs"
)
JOB_LEASE = Variable(
    "FM_JOB_LEASE", "After this long without a sign of its runner a job is taken by another one.", "60s", "jobs"
)
BEAT = Variable(
    "FM_WORKER_BEAT",
    "`true` makes this worker start what is scheduled, too. Several may: each time is done once.",
    "false",
    "fm worker",
)
MAX_TASKS = Variable("FM_WORKER_MAX_TASKS", "Jobs after which a process of a worker is replaced.", "500", "fm worker")
MAX_MEMORY = Variable(
    "FM_WORKER_MAX_MEMORY",
    "Memory above which a process of a worker is replaced after its job; `0` is without limit.",
    "0",
    "fm worker",
)
WORKER_GRACE = Variable(
    "FM_WORKER_GRACE",
    "How long a worker that is asked to stop goes on with what it runs before it hands it back.",
    "30s",
    "fm worker",
)
HEARTBEAT_FILE = Variable(
    "FM_WORKER_HEARTBEAT_FILE",
    "A file that a worker touches every few seconds while it is alive, for liveness probes.",
    "",
    "fm worker",
)

PROCESSES = Variable(
    "FM_EXTRACTION_PROCESSES",
    "Processes that read evidence at once, 1 to 64; 0 is one per processor.",
    "0",
    "extraction",
)
COPY_MAX = Variable(
    "FM_EVIDENCE_COPY_MAX",
    "Largest single copy of evidence, such as `500MiB`; also the most that an archive of a case has, and unpacks to.",
    "16GiB",
    "evidence copies",
)

QUOTA_ORGANIZATION = Variable(
    "FM_QUOTA_ORGANIZATION",
    "Bytes of evidence that an organization may keep, such as `100GiB`; `0` is without limit.",
    "0",
    "evidence copies",
)
QUOTA_USER = Variable("FM_QUOTA_USER", "The same for a single user.", "0", "evidence copies")

VARIABLES = (
    *(value for value in list(globals().values()) if isinstance(value, Variable)),
    *serving.VARIABLES,
    *tracing.VARIABLES,
)
"""Every variable, in the order of the modules that declare them."""
