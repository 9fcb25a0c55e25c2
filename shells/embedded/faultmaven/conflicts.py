"""Settings that are right one by one and impossible together; refused at start, where it costs nothing."""

from __future__ import annotations

from collections.abc import Iterator

from faultmaven.tree import Settings

ONE_PROCESS = ("chroma+file", "milvus+file")
"""Vector stores that break when a second process writes to them."""

ONE_HOST = ("memory", "sqlite", *ONE_PROCESS)
"""Vector stores that only one host can reach. Without embeddings none is used, and no limit is felt."""


def conflicts(settings: Settings) -> list[str]:
    """A sentence for each combination that cannot work."""
    return [*_several_hosts(settings), *_workers(settings), *_database(settings), *_s3(settings), *_knowledge(settings)]


def _several_hosts(settings: Settings) -> Iterator[str]:
    if settings.replicas == 1:
        return
    many = f"FM_REPLICAS is {settings.replicas}, and"
    if settings.database.url.scheme != "postgresql":
        yield f"{many} FM_DATABASE_URL names a database of one host: use postgresql:."
    if settings.blobs.scheme == "memory":
        yield f"{many} FM_BLOBS_URL keeps copies in one process: use s3:."
    if settings.blobs.scheme == "file":
        yield f"{many} FM_BLOBS_URL names a folder of one host: use s3:."
    if settings.cache.url.scheme == "memory":
        yield f"{many} FM_CACHE_URL is memory of one process: use redis:, redis+sentinel: or redis+cluster:."
    if settings.knowledge.embedding.scheme != "none" and settings.knowledge.vectors.scheme in ONE_HOST:
        yield f"{many} FM_VECTORS_URL keeps vectors on one host: use pgvector:, milvus:, chroma+http: or pinecone:."


def _workers(settings: Settings) -> Iterator[str]:
    if settings.jobs.url.scheme == "embedded":
        return
    for name, scheme in (
        ("FM_DATABASE_URL", settings.database.url.scheme),
        ("FM_BLOBS_URL", settings.blobs.scheme),
        ("FM_CACHE_URL", settings.cache.url.scheme),
        ("FM_VECTORS_URL", settings.knowledge.vectors.scheme if settings.knowledge.embedding.scheme != "none" else ""),
    ):
        if scheme == "memory":
            yield f"FM_JOBS_URL names a broker for workers, which cannot see what {name} keeps in this process's memory."
        if scheme in ONE_PROCESS:
            yield (
                f"FM_JOBS_URL names a broker for workers, and {name} can be opened by one process only: use sqlite:, "
                "pgvector:, milvus:, chroma+http: or pinecone:."
            )


def _database(settings: Settings) -> Iterator[str]:
    if settings.database.url.scheme == "postgresql":
        own = settings.database.url.place.partition("?")[0].partition("://")[2]
        owner = settings.database.migration
        if owner and owner.place.partition("?")[0].partition("://")[2] == own:
            yield (
                "FM_DATABASE_MIGRATION_URL has the same user as FM_DATABASE_URL: the owner of tables is not bound by their "
                "row-level security, so everyday work needs another user."
            )
        return
    for name, value in (
        ("FM_DATABASE_MIGRATION_URL", settings.database.migration),
        ("FM_DATABASE_READ_URL", settings.database.read),
        ("FM_DATABASE_POOLER", settings.database.transaction_pooler),
        ("FM_DATABASE_PASSWORD", settings.database.url.password),
    ):
        if value:
            yield f"{name} is for PostgreSQL, and FM_DATABASE_URL names another database: remove one."


def _s3(settings: Settings) -> Iterator[str]:
    if bool(settings.s3.access_key) != bool(settings.s3.secret_key):
        yield "FM_S3_ACCESS_KEY_ID and FM_S3_SECRET_ACCESS_KEY belong together: set both, or none."
    if settings.s3.kms_key and settings.s3.encryption != "aws:kms":
        yield "FM_S3_KMS_KEY_ID needs FM_S3_ENCRYPTION=aws:kms."


def _knowledge(settings: Settings) -> Iterator[str]:
    vectors, embedding = settings.knowledge.vectors, settings.knowledge.embedding
    if vectors.scheme == "pinecone" and vectors.password is None:
        yield "FM_VECTORS_URL names Pinecone, which needs a key: set FM_VECTORS_API_KEY."
    if vectors.scheme == "pgvector" and not vectors.place and settings.database.url.scheme != "postgresql":
        yield (
            "FM_VECTORS_URL=pgvector: stands beside the PostgreSQL of FM_DATABASE_URL, which names another database: write "
            "pgvector://<user>@<host>:<port>/<database>."
        )
    if vectors.password and vectors.scheme in {"sqlite", "memory", *ONE_PROCESS}:
        yield "FM_VECTORS_API_KEY is for a server, and FM_VECTORS_URL names a store without one: remove one."
    if embedding.password and not embedding.scheme.startswith("openai"):
        yield "FM_EMBEDDING_API_KEY is for a server, and FM_EMBEDDING_URL names none: remove one."
