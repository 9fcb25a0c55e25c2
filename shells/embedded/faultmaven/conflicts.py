"""Settings that are right one by one and impossible together; refused at start, where it costs nothing."""

from __future__ import annotations

from collections.abc import Iterator

from faultmaven.tree import Settings


def conflicts(settings: Settings) -> list[str]:
    """A sentence for each combination that cannot work."""
    return [*_several_hosts(settings), *_workers(settings), *_database(settings), *_s3(settings)]


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


def _workers(settings: Settings) -> Iterator[str]:
    if settings.jobs.url.scheme == "embedded":
        return
    for name, scheme in (
        ("FM_DATABASE_URL", settings.database.url.scheme),
        ("FM_BLOBS_URL", settings.blobs.scheme),
        ("FM_CACHE_URL", settings.cache.url.scheme),
    ):
        if scheme == "memory":
            yield f"FM_JOBS_URL names a broker for workers, which cannot see what {name} keeps in this process's memory."


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
