"""Passwords, rights, certificates and names of a Redis that are wrong."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from faultmaven_adapters._support.redis_clients import RedisPlace, open_redis
from faultmaven_adapters.cache.redis import RedisCache
from faultmaven_adapters.leases.redis import RedisLeases
from faultmaven_adapters.signals.redis import RedisSignals
from faultmaven_contract_tests.servers import private, shared
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.ports.signals import Topic
from faultmaven_core.shared.errors import (
    BackendError,
    FaultMavenError,
    MisconfiguredError,
)
from faultmaven_core.shared.secret import Secret
from redis_administration import KEY, MINUTE, admin, failure, quick

CANARY = "canary-7f3a91-password"


def told(error: FaultMavenError, caplog: pytest.LogCaptureFixture) -> str:
    """Everything that anybody could read of a failure."""
    chain: list[str] = []
    found: BaseException | None = error
    while found is not None:
        chain += [str(found), repr(found), repr(found.args)]
        found = found.__cause__ or found.__context__
    return "\n".join([*chain, caplog.text])


@pytest.mark.servers("redis_tls")
async def test_a_wrong_password_is_not_worth_a_retry_and_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    """Not by the error, what caused it, or the log."""
    caplog.set_level(logging.DEBUG)
    where = replace(quick(shared("redis_tls")), password=Secret(CANARY))
    error = await failure(where)
    assert isinstance(error, AuthenticationError)
    assert not error.retryable
    assert "password" in str(error)
    assert CANARY not in told(error, caplog) + repr(where)


async def test_a_wrong_password_of_a_cluster_and_of_a_sentinel_is_found(caplog: pytest.LogCaptureFixture) -> None:
    """Where redis-py only says that it found no node, or no primary."""
    caplog.set_level(logging.DEBUG)
    with private("redis") as server, admin(server) as connection:
        connection.config_set("requirepass", "the right one")
        port = urlsplit(server.url).port
        for url in (f"redis+cluster://127.0.0.1:{port}", f"redis+sentinel://127.0.0.1:{port}/mymaster"):
            error = await failure(
                replace(quick(server), url=url, password=Secret(CANARY), sentinel_password=Secret(CANARY))
            )
            assert isinstance(error, AuthenticationError), url
            assert CANARY not in told(error, caplog)


@pytest.mark.servers("redis_tls")
async def test_a_missing_right_is_not_worth_a_retry() -> None:
    """It says which rights are needed, also where a script lacks one; what the user may do still works."""
    server = shared("redis_tls")
    where = replace(quick(server), username="reader", url=server.url.replace("fm@", ""), password=Secret("reader's"))
    with admin(server) as connection:
        connection.acl_setuser(
            "reader",
            enabled=True,
            passwords=["+reader's"],
            keys=["fm:*"],
            categories=["+@all", "-@write", "-@dangerous"],
        )
    clients = open_redis(where)
    cache, signals = RedisCache(clients), RedisSignals(clients)
    assert await cache.get(KEY) is None
    refused: list[Any] = [
        cache.set(KEY, b"x", ttl=MINUTE),
        cache.add(KEY, b"x", ttl=MINUTE),
        RedisLeases(clients).acquire("schedule", ttl=MINUTE, owner="one"),
        signals.publish(Topic(KEY.organization, "topic"), b"x"),
        signals.subscribe(Topic(KEY.organization, "topic")).__aenter__(),
    ]
    for call in refused:
        with pytest.raises(AuthenticationError, match=r"fm:\*") as caught:
            await call
        assert not caught.value.retryable
    await signals.aclose()
    await clients.aclose()
    with admin(server) as connection:
        connection.acl_deluser("reader")


async def test_a_right_that_a_script_lacks_is_found_on_newer_servers_too() -> None:
    """They say it with other words."""
    with private("redis") as server, admin(server) as connection:
        connection.acl_setuser("reader", enabled=True, nopass=True, keys=["fm:*"], categories=["+@all", "-@write"])
        clients = open_redis(replace(quick(server), username="reader", password=Secret("any")))
        with pytest.raises(AuthenticationError):
            await RedisCache(clients).add(KEY, b"x", ttl=MINUTE)
        await clients.aclose()


@pytest.mark.servers("redis_tls")
async def test_a_certificate_of_a_private_authority_works() -> None:
    """When its file is given; the whole of the suites runs on it as well."""
    clients = open_redis(quick(shared("redis_tls")))
    await clients.ping()
    assert (await clients.inspect()).version.startswith("7.0")
    await clients.aclose()


@pytest.mark.servers("redis_tls")
async def test_an_untrusted_certificate_or_a_wrong_name_fails() -> None:
    """And is not worth a retry."""
    where = quick(shared("redis_tls"))
    for wrong in (replace(where, ca_file=""), replace(where, url=where.url.replace("127.0.0.1", "127.0.0.2"))):
        for form in ("rediss", "rediss+cluster"):
            error = await failure(replace(wrong, url=wrong.url.removesuffix("/0").replace("rediss", form)))
            assert type(error) is BackendError
            assert "certificate" in str(error)


@pytest.mark.servers("redis_tls")
async def test_plain_words_to_an_encrypted_server_fail() -> None:
    """As what they are: nobody understands."""
    where = quick(shared("redis_tls"))
    assert isinstance(await failure(replace(where, url=where.url.replace("rediss", "redis"))), BackendError)


def test_a_file_that_holds_no_certificates_is_named(tmp_path: Path) -> None:
    """Before anything connects."""
    (tmp_path / "empty.pem").write_text("nothing")
    for file in ("empty.pem", "missing.pem"):
        with pytest.raises(MisconfiguredError, match=file):
            open_redis(RedisPlace("rediss://127.0.0.1:9", ca_file=str(tmp_path / file)))


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://127.0.0.1:9", "scheme"),
        ("redis+other://127.0.0.1:9", "scheme"),
        ("127.0.0.1:9", "scheme"),
        (f"redis://:{CANARY}@127.0.0.1:9", "password"),
        ("redis://127.0.0.1:9,127.0.0.1:10", "one server"),
        ("redis://127.0.0.1:nine", "no server"),
        ("redis://", "no server"),
        ("redis://127.0.0.1:9/one", "database"),
        ("redis+cluster://127.0.0.1:9/1", "database"),
        ("redis+sentinel://127.0.0.1:9", "primary's name"),
    ],
)
def test_a_place_that_is_none_is_refused(url: str, word: str) -> None:
    """With a sentence on what is wrong, which does not repeat a password."""
    with pytest.raises(MisconfiguredError, match=word) as caught:
        RedisPlace(url)
    assert CANARY not in str(caught.value)


@pytest.mark.servers("redis_cluster", "redis")
async def test_a_client_for_another_topology_is_refused_and_the_setting_named() -> None:
    """It would work for a third of the keys, or for none."""
    node = shared("redis_cluster").url.rpartition(",")[2]
    error = await failure(RedisPlace(f"redis://{node}"))
    assert isinstance(error, MisconfiguredError)
    assert "redis+cluster://" in str(error)
    assert "FM_CACHE_URL" in str(error)
    single = quick(shared("redis"))
    url = single.url.removesuffix("/0").replace("redis://", "redis+cluster://")
    assert isinstance(await failure(replace(single, url=url)), MisconfiguredError)
