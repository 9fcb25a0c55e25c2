"""Settings are read once, strictly, and every problem is told at once."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from faultmaven.declared import VARIABLES
from faultmaven.places import Resource, shown_url
from faultmaven.settings import load, load_settings, read_setting_file
from faultmaven.variables import Reading, Variable
from faultmaven_core.shared.errors import MisconfiguredError
from faultmaven_core.shared.secret import Secret

HOME = {"HOME": "/home/ann"}


def files(content: dict[str, bytes]) -> object:
    """A reader of files that do not exist on disk."""

    def read(path: str) -> bytes:
        if path not in content:
            raise FileNotFoundError(2, "No such file or directory")
        return content[path]

    return read


def problems(environ: dict[str, str], content: dict[str, bytes] | None = None) -> list[str]:
    """The lines of the error."""
    with pytest.raises(MisconfiguredError) as caught:
        load({**HOME, **environ}, files(content or {}))  # type: ignore[arg-type]  # a plain function is one
    return str(caught.value).splitlines()


def test_an_empty_environment_gives_a_home_in_the_data_folder() -> None:
    """A person sets nothing; XDG and FM_HOME move it."""
    settings = load(HOME, read_setting_file)
    assert settings.home == Path("/home/ann/.local/share/faultmaven")
    assert settings.database.url == Resource("sqlite", "/home/ann/.local/share/faultmaven/faultmaven.db")
    assert settings.blobs == Resource("file", "/home/ann/.local/share/faultmaven/blobs")
    assert (settings.caller.organization, settings.caller.user) == ("local", "local")
    assert (settings.extraction_processes, settings.evidence_copy_max) == (0, 16 << 30)
    assert load({**HOME, "XDG_DATA_HOME": "/data"}, read_setting_file).home == Path("/data/faultmaven")
    assert load({**HOME, "FM_HOME": "/fm"}, read_setting_file).database.url.place == "/fm/faultmaven.db"
    assert load_settings({**HOME, "FM_HOME": "/fm"}).home == Path("/fm")


def test_empty_means_unset() -> None:
    """Compose files pass empty strings for what nobody set."""
    assert load({**HOME, **{variable.name: "" for variable in VARIABLES}}, read_setting_file) == load(
        HOME, read_setting_file
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (
            "FM_DATABASE_URL",
            "postgres://u:hunter2@h/d",
            "FM_DATABASE_URL does not begin with one of sqlite:, postgresql:",
        ),
        (
            "FM_DATABASE_URL",
            "/just/a/path",
            "FM_DATABASE_URL does not begin with one of sqlite:, postgresql:, memory:.",
        ),
        ("FM_DATABASE_URL", "postgresql://u:hunter2@h", "FM_DATABASE_URL names no database"),
        ("FM_DATABASE_URL", "postgresql://u:hun/ter2@h/d", "FM_DATABASE_URL names no server"),
        (
            "FM_DATABASE_URL",
            "postgresql://u@h/d?password=hunter2",
            "FM_DATABASE_URL has the parameter 'password' after `?`",
        ),
        (
            "FM_DATABASE_URL",
            "postgresql://u@h/d?sslmode=sometimes",
            "FM_DATABASE_URL has an sslmode that is not one of",
        ),
        ("FM_DATABASE_URL", "postgresql://u@h:99999/d", "FM_DATABASE_URL names no server"),
        ("FM_DATABASE_URL", "sqlite:", "FM_DATABASE_URL names no place: write sqlite:<path>."),
        ("FM_BLOBS_URL", "http://bucket", "FM_BLOBS_URL does not begin with one of file:, s3:, memory:."),
        ("FM_BLOBS_URL", "s3://B", "FM_BLOBS_URL names no bucket"),
        ("FM_BLOBS_URL", "s3://bucket/../up", "FM_BLOBS_URL names no bucket"),
        ("FM_S3_ENDPOINT_URL", "https://u:hunter2@store", "FM_S3_ENDPOINT_URL is no address"),
        ("FM_S3_ADDRESSING", "dns", "FM_S3_ADDRESSING is not one of auto, path, virtual."),
        ("FM_CACHE_URL", "memcached://h", "FM_CACHE_URL does not begin with one of memory:, redis:"),
        ("FM_CACHE_URL", "redis://:hunter2@", "FM_CACHE_URL names no server"),
        ("FM_CACHE_URL", "redis+cluster://h:1,h:2/3", "FM_CACHE_URL names a database; a cluster has none but 0."),
        ("FM_CACHE_SENTINELS", "a:1;b:2", "FM_CACHE_SENTINELS names no servers"),
        ("FM_JOBS_URL", "celery:", "FM_JOBS_URL does not begin with one of embedded:, redis:"),
        ("FM_JOBS_URL", "redis+cluster://h:1", "FM_JOBS_URL names a Redis Cluster, which cannot be a broker"),
        ("FM_STARTUP_WAIT", "60", "FM_STARTUP_WAIT is no duration"),
        ("FM_JOB_LEASE", "10ms", "FM_JOB_LEASE is too short: at least 1s."),
        ("FM_WORKER_BEAT", "yes", "FM_WORKER_BEAT is not one of true, false, 1, 0."),
        ("FM_WORKER_QUEUES", "A B", "FM_WORKER_QUEUES is no list of names"),
        ("FM_DATABASE_POOL_SIZE", "0", "FM_DATABASE_POOL_SIZE is no whole number from 1 to 500."),
        ("FM_WORKER_AUTOSCALE_MAX", "4", "FM_WORKER_AUTOSCALE_MIN and FM_WORKER_AUTOSCALE_MAX belong together"),
        ("FM_ORGANIZATION", "a/b", "FM_ORGANIZATION is no name"),
        ("FM_USER", "a b", "FM_USER is no name"),
        ("FM_EXTRACTION_PROCESSES", "65", "FM_EXTRACTION_PROCESSES is no whole number from 0 to 64."),
        ("FM_EXTRACTION_PROCESSES", "two", "FM_EXTRACTION_PROCESSES is no whole number from 0 to 64."),
        ("FM_OTLP_URL", "http://u:hunter2@collector:4318", "FM_OTLP_URL is no address"),
        ("FM_OTLP_HEADERS", "hunter2", "FM_OTLP_HEADERS cannot be used"),
        ("FM_OTLP_HEADERS", "key=hunter2%0Ax", "FM_OTLP_HEADERS cannot be used"),
        ("FM_OTLP_PERCENT", "101", "FM_OTLP_PERCENT is no whole number from 0 to 100."),
        ("FM_OTLP_SERVICE", "a b", "FM_OTLP_SERVICE is no name"),
        ("FM_EVIDENCE_COPY_MAX", "64MB", "FM_EVIDENCE_COPY_MAX is no size"),
    ],
)
def test_a_bad_value_is_named_but_not_shown(name: str, value: str, expected: str) -> None:
    """It may hold a password."""
    (line,) = problems({name: value})
    assert line.startswith(expected)
    assert "hunter2" not in line


def test_all_problems_are_told_at_once() -> None:
    """One start, one list."""
    told = problems(
        {"FM_DATABASE_URL": "x:", "FM_EXTRACTION_PROCESSES": "-1", "FM_DATABSE_URL": "memory:", "FM_QQQ": "1"}
    )
    assert len(told) == 4
    assert "FM_DATABSE_URL is no setting of FaultMaven: did you mean FM_DATABASE_URL?" in told
    assert any(line.startswith("FM_QQQ is no setting") and "docs/settings.md" in line for line in told)


def test_names_of_tests_and_of_kubernetes_services_are_no_settings() -> None:
    """Kubernetes injects these for a service called fm-case-service."""
    injected = {
        "FM_TEST_DATA": "/data",
        "FM_CASE_SERVICE_SERVICE_HOST": "10.0.0.1",
        "FM_CASE_SERVICE_SERVICE_PORT": "80",
        "FM_CASE_SERVICE_SERVICE_PORT_HTTP": "80",
        "FM_CASE_SERVICE_PORT": "tcp://10.0.0.1:80",
        "FM_CASE_SERVICE_PORT_80_TCP": "tcp://10.0.0.1:80",
        "FM_CASE_SERVICE_PORT_80_TCP_ADDR": "10.0.0.1",
    }
    assert load({**HOME, **injected}, read_setting_file) == load(HOME, read_setting_file)


@pytest.mark.parametrize(
    ("data", "expected"), [(b"ann", "ann"), (b"ann\n", "ann"), (b"ann\r\n", "ann"), (b"ann@x.org\n", "ann@x.org")]
)
def test_a_value_may_come_from_a_file(data: bytes, expected: str) -> None:
    """Exactly one line end is cut; the origin is shown."""
    settings = load({**HOME, "FM_USER_FILE": "/run/user"}, lambda _: data)
    assert settings.caller.user == expected
    assert ("FM_USER", expected, "file /run/user") in settings.show()


def test_files_that_cannot_be_used_are_named() -> None:
    """Missing, binary, or in conflict with the variable itself."""
    assert problems({"FM_USER_FILE": "/gone"}) == [
        "FM_USER_FILE names /gone, which cannot be read: No such file or directory."
    ]
    assert "no text in UTF-8" in problems({"FM_USER_FILE": "/b"}, {"/b": b"\xff"})[0]
    assert problems({"FM_USER_FILE": "/b", "FM_USER": "x"}, {"/b": b"y"}) == [
        "FM_USER and FM_USER_FILE are both set: keep one."
    ]
    assert "is no name" in problems({"FM_USER_FILE": "/b"}, {"/b": b"ann\n\n"})[0]


def test_only_small_regular_files_are_read(tmp_path: Path) -> None:
    """A pipe would hang, a large file is a mistake."""
    (tmp_path / "large").write_bytes(b"x" * (65 << 10))
    with pytest.raises(OSError, match="64 KiB"):
        read_setting_file(str(tmp_path / "large"))
    with pytest.raises(OSError, match="regular"):
        read_setting_file(str(tmp_path))
    (tmp_path / "fine").write_bytes(b"x")
    assert read_setting_file(str(tmp_path / "fine")) == b"x"
    with pytest.raises(MisconfiguredError, match="no regular file"):
        load_settings({**HOME, "FM_USER_FILE": str(tmp_path)})


def test_without_any_home_the_problem_is_said() -> None:
    """As in a bare container."""
    with pytest.raises(MisconfiguredError, match="set FM_HOME"):
        load({}, read_setting_file)
    assert load({"FM_HOME": "/fm"}, read_setting_file).home == Path("/fm")


@pytest.mark.parametrize(
    ("url", "place"),
    [("sqlite:/a/b.db", "/a/b.db"), ("sqlite:///a/b.db", "/a/b.db"), ("sqlite:b.db", "b.db"), ("memory:", "")],
)
def test_both_ways_to_write_a_path_mean_the_same(url: str, place: str) -> None:
    """Two more slashes are habit."""
    assert load({**HOME, "FM_DATABASE_URL": url}, read_setting_file).database.url.place == place


def test_every_variable_is_shown_and_secrets_are_starred() -> None:
    """With where the value came from."""
    settings = load({**HOME, "FM_USER": "ann"}, read_setting_file)
    assert [name for name, _, _ in settings.show()] == [variable.name for variable in VARIABLES]
    assert ("FM_USER", "ann", "environment") in settings.show()
    assert ("FM_BLOBS_URL", "file:/home/ann/.local/share/faultmaven/blobs", "default") in settings.show()
    secret = Variable("FM_KEY", "A key.", "", "nothing", secret=True)
    assert Reading({"FM_KEY": "hunter2"}, read_setting_file, [secret]).shown({}) == (("FM_KEY", "***", "environment"),)


ODD = {
    "FM_DATABASE_PASSWORD": "x",
    "FM_S3_KMS_KEY_ID": "x",
    "FM_S3_ACCESS_KEY_ID": "x",
    "FM_S3_SECRET_ACCESS_KEY": "x",
    "FM_WORKER_BEAT": "true",
    "FM_CACHE_PASSWORD": "x",
    "FM_CACHE_SENTINEL_MASTER": "x",
    "FM_VECTORS_API_KEY": "x",
    "FM_EMBEDDING_API_KEY": "x",
    "FM_MAIL_PASSWORD": "x",
    "FM_KEYS_DIR": "/k",
    "FM_OTLP_HEADERS": "x-key=x",
}
"""What is odd enough for a variable that takes nearly everything."""

WITH = {
    "FM_CACHE_SENTINEL_MASTER": {"FM_CACHE_SENTINELS": "a:1,b:2"},
    "FM_CACHE_PASSWORD": {"FM_CACHE_URL": "redis://h"},
    "FM_VECTORS_API_KEY": {"FM_VECTORS_URL": "milvus://h"},
    "FM_EMBEDDING_API_KEY": {"FM_EMBEDDING_URL": "openai+http://h/v1?model=m&dimension=8"},
    "FM_MAIL_PASSWORD": {"FM_MAIL_URL": "smtp://ann@h"},
    "FM_JOBS_PASSWORD": {"FM_JOBS_URL": "redis://h", "FM_CACHE_URL": "redis://h"},
    "FM_DATABASE_MIGRATION_PASSWORD": {
        "FM_DATABASE_URL": "postgresql://app@h/d",
        "FM_DATABASE_MIGRATION_URL": "postgresql://owner@h/d",
    },
}
"""What must be set beside it for a variable to mean something."""


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_declared_variable_is_read(variable: Variable) -> None:
    """A variable that changes nothing is a lie: each one, set to something odd, shows up as a problem or a value."""
    beside = {**HOME, **WITH.get(variable.name, {})}
    default = load(beside, read_setting_file)
    try:
        changed = load({**beside, variable.name: ODD.get(variable.name, "7")}, read_setting_file)
    except MisconfiguredError as error:
        assert variable.name in str(error)  # noqa: PT017 - either outcome proves that it is read
    else:
        assert replace(changed, shown=()) != replace(default, shown=())


@pytest.mark.parametrize("variable", [v for v in VARIABLES if v.aliases], ids=lambda variable: variable.name)
def test_an_alias_is_the_variable_by_another_name(variable: Variable) -> None:
    """With the same effect, from a file too; both at once are an error."""
    beside = {"FM_WORKER_AUTOSCALE_MIN": "2", "FM_WORKER_AUTOSCALE_MAX": "7"} if "AUTOSCALE" in variable.name else {}
    beside = {**HOME, **WITH.get(variable.name, {}), **beside}
    beside.pop(variable.name, None)
    value = "http://s:1" if "ENDPOINT" in variable.name else "a:1,b:2" if "SENTINELS" in variable.name else "7s"
    value = value if "TIME" in variable.name or "WAIT" in variable.name or ":" in value else "7"
    own = load({**beside, variable.name: value}, read_setting_file)
    for alias in variable.aliases:
        assert replace(load({**beside, alias: value}, read_setting_file), shown=()) == replace(own, shown=())
        from_file = load({**beside, f"{alias}_FILE": "/v"}, files({"/v": value.encode()}))  # type: ignore[arg-type]  # a plain function is one
        assert replace(from_file, shown=()) == replace(own, shown=())
        (line,) = problems({**beside, alias: value, variable.name: value})
        assert line == f"{variable.name} and {alias} are both set: keep one."


def test_a_password_comes_from_the_url_or_from_its_own_variable() -> None:
    """Percent-encoded in the URL; never in what is shown, in a repr, or in the place that adapters log."""
    in_url = load({**HOME, "FM_DATABASE_URL": "postgresql://app:p%40ss%2Fw@db:5432/fm"}, read_setting_file)
    apart = load(
        {**HOME, "FM_DATABASE_URL": "postgresql://app@db:5432/fm", "FM_DATABASE_PASSWORD": "p@ss/w"}, read_setting_file
    )
    assert in_url.database == apart.database
    assert in_url.database.url == Resource("postgresql", "postgresql://app@db:5432/fm", Secret("p@ss/w"))
    for settings in (in_url, apart):
        assert "p@ss" not in repr(settings)
        assert "p%40ss" not in repr(settings)
    assert ("FM_DATABASE_URL", "postgresql://app:***@db:5432/fm", "environment") in in_url.show()
    both = {"FM_DATABASE_URL": "postgresql://app:hunter2@db/fm", "FM_DATABASE_PASSWORD": "hunter3"}
    assert problems(both) == ["FM_DATABASE_URL holds a password and FM_DATABASE_PASSWORD is set: keep one."]


@pytest.mark.parametrize(
    "text", ["redis://u:hun@ter2@h/0", "redis://u:hun/ter2@h", "s3://u:hunter2@b", "postgresql://:hunter2@"]
)
def test_a_password_that_nobody_encoded_is_not_shown_either(text: str) -> None:
    """People paste what they have."""
    assert not re.search("hun|ter2", shown_url(text))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://cache", "redis://cache"),
        ("rediss://app@cache:6380/2", "rediss://app@cache:6380/2"),
        ("redis+sentinel://a:26379,b:26379", "redis+sentinel://a:26379,b:26379/mymaster"),
        ("rediss+sentinel://a,b/main/1", "rediss+sentinel://a,b/main/1"),
        ("redis+cluster://a:1,b:2,[::1]:3", "redis+cluster://a:1,b:2,[::1]:3"),
    ],
)
def test_every_topology_of_redis_has_a_url(url: str, place: str) -> None:
    """The master's name has a default; the rest is kept as written."""
    assert load({**HOME, "FM_CACHE_URL": url}, read_setting_file).cache.url == Resource(url.partition(":")[0], place)


def test_sentinels_may_be_listed_as_older_installations_do() -> None:
    """Hosts in one variable, the master's name in another."""
    settings = load({**HOME, "REDIS_SENTINEL_HOSTS": "a:1,b:2", "REDIS_MASTER_SET": "main"}, read_setting_file)
    assert settings.cache.url == Resource("redis+sentinel", "redis+sentinel://a:1,b:2/main")
    (line,) = problems({"REDIS_SENTINEL_HOSTS": "a:1", "FM_CACHE_URL": "redis://h"})
    assert line == "FM_CACHE_URL and FM_CACHE_SENTINELS both say where the cache is: keep one."


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:/var/v.db", "/var/v.db"),
        ("memory:", ""),
        ("chroma+file:/var/chroma", "/var/chroma"),
        ("chroma+https://c:8000", "chroma+https://c:8000"),
        ("milvus://m:19530/facts", "milvus://m:19530/facts"),
        ("milvus+file:/var/m.db", "/var/m.db"),
        ("pgvector://app@h:5432/d?sslmode=require", "postgresql://app@h:5432/d?sslmode=require"),
    ],
)
def test_every_vector_store_has_a_url(url: str, place: str) -> None:
    """One variable chooses it; pgvector is a PostgreSQL."""
    assert load({**HOME, "FM_VECTORS_URL": url}, read_setting_file).knowledge.vectors == Resource(
        url.partition(":")[0], place
    )


def test_pinecone_is_a_region_and_a_key() -> None:
    """A region has a default; another server with the same interface is named by its address."""
    for url, place in (
        ("pinecone:", "aws/us-east-1"),
        ("pinecone:gcp/europe-west4", "gcp/europe-west4"),
        ("pinecone://h:5081", "pinecone://h:5081"),
    ):
        found = load({**HOME, "FM_VECTORS_URL": url, "PINECONE_API_KEY": "hunter2"}, read_setting_file)
        assert found.knowledge.vectors == Resource("pinecone", place, Secret("hunter2"))
        assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("FM_VECTORS_URL", "weaviate://h", "does not begin with one of sqlite:"),
        ("FM_VECTORS_URL", "chroma+http://h:8000/tenant", "has a path"),
        ("FM_VECTORS_URL", "milvus://h/a-b", "names no database"),
        ("FM_VECTORS_URL", "pinecone:us-east-1", "names no region"),
        ("FM_EMBEDDING_URL", "openai+https://h/v1", "names no model"),
        ("FM_EMBEDDING_URL", "openai+https://h/v1?model=m", "how many numbers"),
    ],
)
def test_a_place_of_knowledge_that_says_nothing_is_refused(name: str, value: str, why: str) -> None:
    """With the form that it should have."""
    (line,) = problems({name: value})
    assert line.startswith(name)
    assert why in line


POSTGRES = {"FM_DATABASE_URL": "postgresql://app@h/d"}
WORKERS = {"FM_JOBS_URL": "redis://h"}
SHARED = {**POSTGRES, "FM_BLOBS_URL": "s3://bucket", "FM_CACHE_URL": "redis://h"}


@pytest.mark.parametrize(
    ("environ", "lines"),
    [
        (
            {"FM_REPLICAS": "2"},
            [
                "database of one host: use postgresql:",
                "folder of one host: use s3:",
                "memory of one process: use redis:",
            ],
        ),
        ({**SHARED, "FM_REPLICAS": "2", "FM_BLOBS_URL": "memory:"}, ["keeps copies in one process: use s3:"]),
        (
            {"FM_JOBS_URL": "redis://h", "FM_DATABASE_URL": "memory:", "FM_BLOBS_URL": "memory:"},
            ["cannot see what FM_DATABASE_URL", "cannot see what FM_BLOBS_URL", "cannot see what FM_CACHE_URL"],
        ),
        ({"FM_WORKER_CONCURRENCY": "2", "FM_WORKER_AUTOSCALE_MIN": "1", "FM_WORKER_AUTOSCALE_MAX": "3"}, ["both set"]),
        ({"FM_WORKER_AUTOSCALE_MIN": "4", "FM_WORKER_AUTOSCALE_MAX": "3"}, ["is greater than FM_WORKER_AUTOSCALE_MAX"]),
        ({"FM_DATABASE_READ_URL": "postgresql://a@h/d"}, ["FM_DATABASE_READ_URL is for PostgreSQL"]),
        ({"FM_DATABASE_POOLER": "transaction"}, ["FM_DATABASE_POOLER is for PostgreSQL"]),
        ({**POSTGRES, "FM_DATABASE_MIGRATION_URL": "postgresql://app@h/d"}, ["has the same user as FM_DATABASE_URL"]),
        ({"FM_S3_ACCESS_KEY_ID": "k"}, ["belong together: set both, or none"]),
        ({"FM_S3_KMS_KEY_ID": "k", "FM_S3_ENCRYPTION": "AES256"}, ["needs FM_S3_ENCRYPTION=aws:kms"]),
        ({**SHARED, "FM_REPLICAS": "2", "FM_EMBEDDING_URL": "onnx:"}, ["keeps vectors on one host: use pgvector:"]),
        (
            {**SHARED, **WORKERS, "FM_EMBEDDING_URL": "onnx:", "FM_VECTORS_URL": "memory:"},
            ["cannot see what FM_VECTORS_URL"],
        ),
        (
            {**SHARED, **WORKERS, "FM_EMBEDDING_URL": "onnx:", "FM_VECTORS_URL": "chroma+file:/v"},
            ["FM_VECTORS_URL can be opened by one process only"],
        ),
        ({"FM_VECTORS_URL": "pinecone:"}, ["which needs a key: set FM_VECTORS_API_KEY"]),
        ({"FM_VECTORS_URL": "pgvector:"}, ["which names another database"]),
        ({"FM_VECTORS_API_KEY": "k"}, ["names a store without one"]),
        ({"FM_EMBEDDING_API_KEY": "k"}, ["names none: remove one"]),
    ],
)
def test_what_cannot_work_together_is_refused_at_start(environ: dict[str, str], lines: list[str]) -> None:
    """And not found out under load."""
    told = problems(environ)
    assert len(told) == len(lines)
    for line, expected in zip(told, lines, strict=True):
        assert expected in line


def test_what_can_work_together_is_taken() -> None:
    """Several replicas on shared backends, with workers."""
    settings = load({**HOME, **SHARED, "FM_REPLICAS": "8", "FM_JOBS_URL": "amqp://app:x@mq:5672/fm"}, read_setting_file)
    assert settings.jobs.url == Resource("amqp", "amqp://app@mq:5672/fm", Secret("x"))
    assert settings.worker.queues == ("default",)


def test_the_document_lists_exactly_the_variables(request: pytest.FixtureRequest) -> None:
    """Generated by `python -m faultmaven.settings_document`; a stale one fails here."""
    from faultmaven.settings_document import document

    stands = (request.config.rootpath / "docs" / "settings.md").read_text()
    assert stands == document(), "run: python -m faultmaven.settings_document > docs/settings.md"
