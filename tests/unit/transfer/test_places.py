"""What `fm transfer` makes of the URLs and variables that it is given."""

from __future__ import annotations

import pytest

from faultmaven.transfer_places import SIDES, VARIABLES, paired, side_environ
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.transfer.model import Kind

SOURCE, TARGET = SIDES


@pytest.mark.parametrize(
    ("sources", "targets", "found"),
    [
        (["postgresql://a@b/c"], ["sqlite:x"], {Kind.DATABASE: ("postgresql://a@b/c", "sqlite:x")}),
        (["sqlite:x"], ["milvus://m"], {Kind.VECTORS: ("sqlite:x", "milvus://m")}),
        (["database=sqlite:x"], ["sqlite:y"], {Kind.DATABASE: ("sqlite:x", "sqlite:y")}),
        (["sqlite:x"], ["vectors=sqlite:y"], {Kind.VECTORS: ("sqlite:x", "sqlite:y")}),
        ([], ["s3://bucket"], {Kind.BLOBS: ("", "s3://bucket")}),
        (["file:x"], [], {Kind.BLOBS: ("file:x", "")}),
        ([], ["vectors=pgvector:"], {Kind.VECTORS: ("", "pgvector:")}),
        (
            ["sqlite:x", "file:b", "sqlite:v"],
            ["postgresql://a@b/c", "s3://b", "pinecone:aws/us-east-1"],
            {
                Kind.DATABASE: ("sqlite:x", "postgresql://a@b/c"),
                Kind.BLOBS: ("file:b", "s3://b"),
                Kind.VECTORS: ("sqlite:v", "pinecone:aws/us-east-1"),
            },
        ),
    ],
)
def test_each_url_finds_its_counterpart(sources: list[str], targets: list[str], found: object) -> None:
    """In the order in which they are given; a kind is written only where two are possible."""
    assert paired(sources, targets) == found


@pytest.mark.parametrize(
    ("sources", "targets", "said"),
    [
        ([], [], "Say where to"),
        (["sqlite:x"], ["sqlite:y"], "database= or vectors="),
        ([], ["sqlite:y"], "database= or vectors="),
        (["file:x"], ["postgresql://u:hunter2@h/d"], "Nothing can be moved"),
        (["memory:"], ["sqlite:x"], "Nothing can be moved"),
        (["redis://h"], ["redis://h"], "Nothing can be moved"),
        (["blobs=sqlite:x"], ["file:y"], "Nothing can be moved"),
        (["cache=sqlite:x"], ["sqlite:y"], "Nothing can be moved"),
        (["file:x", "file:y"], ["s3://a-b"], "2 --from and 1 --to"),
        (["file:x", "file:y"], ["s3://a-b", "s3://c-d"], "named twice"),
    ],
)
def test_what_does_not_fit_is_refused(sources: list[str], targets: list[str], said: str) -> None:
    """With what to write instead, and without a password."""
    with pytest.raises(InvalidInputError, match=said) as told:
        paired(sources, targets)
    assert "hunter2" not in str(told.value)


ENVIRON = {
    "PATH": "/bin",
    "FM_HOME": "/home",
    "FM_REPLICAS": "3",
    "FM_JOBS_URL": "redis://h",
    "FM_DATABASE_URL": "postgresql://a@b/c",
    "FM_DATABASE_PASSWORD_FILE": "/run/secret",
    "FM_DATABASE_READ_URL": "postgresql://a@replica/c",
    "FM_S3_SECRET_ACCESS_KEY": "ours",
    "FM_TO_S3_SECRET_ACCESS_KEY_FILE": "/run/theirs",
    "FM_FROM_VECTORS_API_KEY": "key",
}


def test_a_side_has_what_all_have_and_its_own() -> None:
    """Settings that say how FaultMaven runs are left out: it does not run now."""
    source = side_environ(SOURCE, {}, ENVIRON)
    assert source == {
        "PATH": "/bin",
        "FM_HOME": "/home",
        "FM_DATABASE_URL": "postgresql://a@b/c",
        "FM_DATABASE_PASSWORD_FILE": "/run/secret",
        "FM_S3_SECRET_ACCESS_KEY": "ours",
        "FM_VECTORS_API_KEY": "key",
    }
    target = side_environ(TARGET, {"FM_DATABASE_URL": "sqlite:x"}, ENVIRON)
    assert target == {
        "PATH": "/bin",
        "FM_HOME": "/home",
        "FM_DATABASE_URL": "sqlite:x",
        "FM_S3_SECRET_ACCESS_KEY_FILE": "/run/theirs",
    }


def test_a_password_in_a_url_wins_over_one_that_is_set() -> None:
    """That one is another place's; both would be refused."""
    url = "postgresql://u:p%40ss@h/d"
    found = side_environ(TARGET, {"FM_DATABASE_URL": url}, {**ENVIRON, "FM_DATABASE_PASSWORD": "x"})
    assert {name for name in found if name.startswith("FM_DATABASE_")} == {"FM_DATABASE_URL"}
    own = {**ENVIRON, "FM_TO_DATABASE_PASSWORD": "x"}
    kept = side_environ(TARGET, {"FM_DATABASE_URL": "postgresql://u@h/d"}, own)
    assert kept["FM_DATABASE_PASSWORD"] == "x"
    assert "FM_DATABASE_PASSWORD_FILE" not in kept


def test_what_a_server_needs_is_not_held_against_the_side_that_is_none() -> None:
    """A key or password that is set for all is meant for the other side; one that is set for this side is told as wrong."""
    environ = {"FM_VECTORS_URL": "milvus://m", "FM_VECTORS_API_KEY": "k", "FM_DATABASE_PASSWORD_FILE": "/run/p"}
    environ |= {"MILVUS_TOKEN": "t", "FM_DATABASE_POOLER": "transaction"}
    pairs = paired([], ["vectors=sqlite:v", "database=sqlite:d"])
    urls = {VARIABLES[kind]: pair[1] for kind, pair in pairs.items()}
    target = side_environ(TARGET, urls, environ)
    assert target == {"FM_VECTORS_URL": "sqlite:v", "FM_DATABASE_URL": "sqlite:d"}
    assert side_environ(SOURCE, {}, environ) == environ
    own = side_environ(TARGET, urls, {**environ, "FM_TO_VECTORS_API_KEY": "mine"})
    assert own["FM_VECTORS_API_KEY"] == "mine"


def test_one_sides_setting_takes_the_place_of_every_name_that_it_has() -> None:
    """Older names too: two names for one setting would be refused."""
    environ = {"S3_ENDPOINT_URL": "http://all:9000", "PINECONE_API_KEY_FILE": "/run/all"}
    environ |= {"FM_TO_S3_ENDPOINT_URL": "http://theirs:9000", "FM_TO_VECTORS_API_KEY": "theirs"}
    found = side_environ(TARGET, {"FM_BLOBS_URL": "s3://bucket", "FM_VECTORS_URL": "milvus://m"}, environ)
    assert {name: value for name, value in found.items() if not name.endswith("_URL")} == {
        "FM_VECTORS_API_KEY": "theirs"
    }
    assert found["FM_S3_ENDPOINT_URL"] == "http://theirs:9000"
    assert "S3_ENDPOINT_URL" not in found
