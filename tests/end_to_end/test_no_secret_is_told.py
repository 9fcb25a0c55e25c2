"""Secrets reach the servers that they are for, and nothing that a person or another program reads."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faultmaven import Settings, load_settings
from faultmaven.declared import VARIABLES
from faultmaven.doctor import examine
from faultmaven_contract_tests.servers import shared
from faultmaven_core.shared.secret import Secret

FM = Path(sys.executable).parent / "fm"
CANARY = "canary"
COMMANDS = (
    ("config", "show"),
    ("config", "show", "--json"),
    ("--debug", "config", "check"),
    ("doctor", "--json"),
    ("--debug", "doctor"),
    ("--debug", "migrate"),
    ("--debug", "case", "list"),
)


def canaries() -> dict[str, str]:
    """A value of its own for every secret variable."""
    values = {variable.name: f"{CANARY}{number:04}" for number, variable in enumerate(VARIABLES) if variable.secret}
    return {**values, "FM_OTLP_HEADERS": f"x-key={values['FM_OTLP_HEADERS']}"}


def nowhere() -> dict[str, str]:
    """Servers that nobody is, with secrets for all of them."""
    return {
        **canaries(),
        "FM_DATABASE_URL": "postgresql://app@127.0.0.1:9/fm",
        "FM_DATABASE_MIGRATION_URL": "postgresql://owner@127.0.0.1:9/fm",
        "FM_BLOBS_URL": "s3://bucket-of-nobody",
        "FM_S3_ENDPOINT_URL": "http://127.0.0.1:9",
        "FM_S3_ACCESS_KEY_ID": "key",
        "FM_VECTORS_URL": "milvus://127.0.0.1:9",
        "FM_EMBEDDING_URL": "openai+http://127.0.0.1:9/v1?model=m&dimension=8",
        "FM_CACHE_URL": "redis+sentinel://app@127.0.0.1:9,127.0.0.1:9/main",
        "FM_JOBS_URL": "amqp://app@127.0.0.1:9/fm",
        "FM_OTLP_URL": "http://127.0.0.1:9",
        "FM_STARTUP_WAIT": "0",
    }


def in_urls() -> dict[str, str]:
    """The same with the secrets in the URLs."""
    urls = {name: value for name, value in nowhere().items() if "PASSWORD" not in name}
    for name in ("FM_DATABASE_URL", "FM_DATABASE_MIGRATION_URL", "FM_CACHE_URL", "FM_JOBS_URL"):
        urls[name] = urls[name].replace("@", f":{CANARY}%2F{name[-9:]}@", 1)
    return urls


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """What is told; every log of every library is added at the end, and nothing of it may hold a canary."""
    texts: list[str] = []
    with caplog.at_level(logging.DEBUG):
        yield texts
    texts += [f"{record.name}: {record.getMessage()} {record.exc_text or ''}" for record in caplog.records]
    found = [text for text in texts if CANARY in text]
    assert found == []


@pytest.mark.parametrize("environ", [nowhere, in_urls], ids=["in variables", "in URLs"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_prints_a_secret(environ: Any, command: tuple[str, ...], tmp_path: Path) -> None:
    """Right or failing, with or without a traceback, for people and for programs."""
    variables = {"PATH": os.environ["PATH"], "FM_HOME": str(tmp_path), **environ()}
    done = subprocess.run([FM, *command], env=variables, capture_output=True, text=True, check=False, timeout=120)
    assert CANARY not in done.stdout + done.stderr
    assert done.stdout + done.stderr


@pytest.mark.parametrize("environ", [nowhere, in_urls], ids=["in variables", "in URLs"])
async def test_a_doctor_that_reaches_nobody_tells_no_secret(environ: Any, tmp_path: Path, told: list[str]) -> None:
    """Drivers like to quote where they wanted to connect, and as whom."""
    settings = load_settings({"FM_HOME": str(tmp_path), **environ()})
    findings = await examine(settings)
    assert [finding for finding in findings if finding.outcome == "failed"]
    told += [repr(findings), *_texts(settings)]


@pytest.mark.servers("postgres_tls", "redis_tls", "s3", "rabbitmq", "milvus_tls", "llama")
async def test_a_wrong_password_is_not_quoted(tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each server refuses it, each refusal is a sentence."""
    postgres, redis, s3, rabbitmq = (shared(name) for name in ("postgres_tls", "redis_tls", "s3", "rabbitmq"))
    host = rabbitmq.url.rpartition("@")[2]
    monkeypatch.setenv("SSL_CERT_FILE", str(shared("milvus_tls").ca))
    settings = load_settings(
        {
            "FM_HOME": str(tmp_path),
            **canaries(),
            "FM_DATABASE_URL": postgres.url,
            "FM_DATABASE_MIGRATION_URL": postgres.url.replace("://", "://other").replace("otherpostgres", "other"),
            "FM_BLOBS_URL": f"s3://{s3.bucket}",
            "FM_S3_ENDPOINT_URL": s3.url,
            "FM_S3_ACCESS_KEY_ID": s3.access_key,
            "FM_S3_ADDRESSING": "path",
            "FM_VECTORS_URL": shared("milvus_tls").url.replace("https:", "milvus+https:"),
            "FM_EMBEDDING_URL": f"openai+{shared('llama').url}",
            "FM_CACHE_URL": redis.url,
            "FM_CACHE_CA_FILE": str(redis.ca),
            "FM_JOBS_URL": f"amqp://guest@{host}",
        }
    )
    findings = await examine(settings)
    refused = {finding.dependency for finding in findings if finding.outcome == "failed" and finding.step == "reach"}
    assert refused == {
        *("database (postgresql)", "blobs (s3)", "cache (rediss)", "jobs (amqp)"),
        *("vectors (milvus+https)", "embedding (openai+http)"),
    }
    assert not any(finding.code in {"unavailable", "deadline_exceeded"} for finding in findings)
    told += [repr(findings), *_texts(settings)]


def test_a_secret_shows_itself_to_nobody(told: list[str]) -> None:
    """Not as text, not in a container, not in a traceback, not on disk."""
    secret = Secret(CANARY)
    told += [repr(secret), str(secret), f"{secret}", f"{secret!r:>20}", repr([secret]), repr({"p": secret})]
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps({"p": secret})
    with pytest.raises(TypeError):
        dataclasses.asdict(_Holder(secret))
    told.append("".join(traceback.format_exception(ValueError(secret))))
    assert secret == Secret(CANARY)
    assert secret != Secret("other")
    assert secret != CANARY
    assert hash(secret) == hash(Secret(CANARY))
    assert (bool(secret), bool(Secret(""))) == (True, False)
    assert secret.reveal() == CANARY


@dataclasses.dataclass
class _Holder:
    secret: Secret


def _texts(settings: Settings) -> list[str]:
    """Everything that Python makes of the settings by itself."""
    return [
        repr(settings),
        str(settings),
        repr(settings.show()),
        f"{settings.database} {settings.cache} {settings.jobs}",
    ]
