"""All goals in one table: what a part of the product has to reach beside its peers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

By: TypeAlias = Literal["cpu", "wall", "peak"]


@dataclass(frozen=True, slots=True)
class Goal:
    """A ratio of two programs of one part, measured in the same round.

    `least`: as much work of `own` per second as this, in units of `peer`. `most`: `own` may cost this much of `peer`.
    Without either the ratio of costs is only shown. `by` is what costs: CPU time, wall time, or peak memory.
    """

    name: str
    own: str
    peer: str
    least: float | None = None
    most: float | None = None
    by: By = "cpu"


STARTED = ("all", "auth", "session", "case", "evidence", "knowledge", "agent")
"""What is started alone, and everything at once."""


def _started(service: str) -> Iterator[Goal]:
    yield Goal(f"{service} lives / the smallest server, by the clock", f"{service} live", "hello", most=1.5, by="wall")
    yield Goal(f"{service} is ready / the same, by the clock", f"{service} ready", "hello", most=2.2, by="wall")
    yield Goal(f"{service} is ready / the same, CPU", f"{service} ready", "hello")
    yield Goal(f"{service} is ready / the same, memory", f"{service} ready", "hello", by="peak")


GOALS: dict[str, tuple[Goal, ...]] = {
    "logs": (
        Goal("pattern scan / rg", "scan", "rg", least=0.55),
        Goal("full pass / rg", "full", "rg", least=0.10),
        Goal("sampled pass / rg", "fast", "rg", least=0.35),
        Goal("template mining / drain3", "templates", "drain", least=8.0),
        Goal("fm --help / python -c pass", "fm", "bare", most=6.0),
    ),
    "blobs": (
        Goal("put to disk, ours / read, digest, write, sync", "disk put", "plain put", most=1.7),
        Goal("put to disk, ours / cp", "disk put", "cp"),
        Goal("get from disk, ours / read, write", "disk get", "plain get"),
        Goal("put to S3, ours / boto3 upload_file", "S3 put", "boto3 put", least=0.75),
        Goal("put to S3, ours / boto3 upload_file, by the clock", "S3 put", "boto3 put", least=0.75, by="wall"),
        Goal("get from S3, ours / boto3 download_file", "S3 get", "boto3 get", least=1.5),
        Goal("get from S3, ours / boto3 download_file, by the clock", "S3 get", "boto3 get", by="wall"),
    ),
    "sessions": (
        Goal("touch, ours / redis-py with the same command", "ours", "redis-py", least=0.9),
        Goal("touch, ours / redis-py GETEX", "ours", "redis-py GETEX"),
        Goal("touch, behind Sentinel / direct", "ours, Sentinel", "ours", least=0.9),
        Goal("touch, in a cluster / direct", "ours, cluster", "ours", least=0.8),
        Goal("touch, ours / redis-benchmark GETEX", "ours", "redis-benchmark GETEX"),
    ),
    "jobs": (
        Goal("run a job that does nothing, ours / Celery", "run ours", "run celery", least=0.75),
        Goal("run a job that does nothing, ours / Celery, by the clock", "run ours", "run celery", by="wall"),
        Goal("tell of a job, ours / Celery's delay()", "tell ours", "tell celery", least=2.0),
    ),
    "embedding": (
        Goal("chunks, ours / bare onnxruntime on ready tokens", "ours", "bare", least=0.85),
        Goal("ingest of runbooks, ours / bare onnxruntime on its chunks", "ingest", "bare ingest", least=0.85),
        Goal("chunks, ours / bare onnxruntime as they come, 32 at once", "ours", "bare, as they come", least=2.0),
    ),
    "vectors": (
        Goal("search, Chroma in a folder / bare hnswlib", "search chroma ours", "search hnswlib", most=8.0, by="wall"),
        Goal("search, sqlite / bare hnswlib", "search sqlite ours", "search hnswlib", by="wall"),
        Goal("search, sqlite / all by numpy", "search sqlite ours", "search numpy", by="wall"),
        Goal("search, Milvus / bare hnswlib", "search milvus ours", "search hnswlib", by="wall"),
        *(
            Goal(
                f"{work}, {store}, ours / its client",
                f"{work} {store} ours",
                f"{work} {store} client",
                most=1.15,
                by="wall",
            )
            for work in ("search", "upsert")
            for store in ("chroma", "chroma server", "milvus")
        ),
    ),
    "knowledge": (
        Goal("a folder synced again unchanged / synced first", "again", "first", most=0.02),
        Goal("the same, by the clock", "again", "first", by="wall"),
    ),
    "http": (
        Goal("GET of a case, SQLite / without a database", "get sqlite", "get memory", most=3.0),
        Goal("GET of a case, PostgreSQL / without a database", "get postgres", "get memory", most=3.0),
        Goal("GET of a case, without a database / the framework alone", "get memory", "get nothing"),
        Goal("upload to disk / read and dropped, by the clock", "upload", "sink", least=0.85, by="wall"),
        Goal("upload to disk / read and dropped", "upload", "sink", most=1.7),
        Goal("download / the framework's file", "download", "file", least=2.5),
        Goal("download / the framework's file, by the clock", "download", "file", by="wall"),
    ),
    "starts": tuple(goal for service in STARTED for goal in _started(service)),
    "repositories": tuple(
        Goal(f"{database} {work}, ours / ORM", f"{database} {work} ours", f"{database} {work} ORM", most=0.6)
        for database in ("sqlite", "postgres")
        for work in ("get", "update", "page")
    ),
}
"""Part to goals. A goal that is missed stands in the documents with the figure and the reason."""
