"""What only a bucket has: credentials from many places, encryption, look-alikes, connections, uploads of the dead."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from buckets import bare, fresh_prefix, parts_left, s3_store
from canned import Answer, Asked, serving
from faultmaven_adapters.blobs.s3 import S3BlobStore, upload
from faultmaven_contract_tests.blobs import KEY, MIB, chunks, content, keys, megabytes
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.servers import Server, private, shared
from faultmaven_contract_tests.servers.certificates import certificate
from faultmaven_core.ports.blobs import (
    AccessDeniedError,
    BlobCapability,
    BlobExistsError,
    BlobKey,
    BucketMissingError,
    DigestMismatchError,
    StorageFullError,
)
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.shared.errors import (
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    FaultMavenError,
)
from faultmaven_core.shared.secret import Secret

pytestmark = pytest.mark.servers("s3")

Opens = Callable[..., S3BlobStore]
NOBODY = {"access_key": "", "secret_key": None}
"""No keys given: the chain has to find some."""


@pytest.fixture
def server() -> Server:
    """The run's own."""
    return shared("s3")


@pytest.fixture
def prefix() -> str:
    """This test's part of the bucket."""
    return fresh_prefix()


@pytest.fixture
async def opens(server: Server, prefix: str) -> AsyncIterator[Opens]:
    """Opens stores, which are closed at the end."""
    stores: list[S3BlobStore] = []

    def opened(**options: Any) -> S3BlobStore:
        stores.append(s3_store(server, **{"prefix": prefix, **options}))
        return stores[-1]

    yield opened
    for store in stores:
        await store.aclose()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """One in which nothing of this machine's own credentials is found."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


async def test_keys_of_the_environment_are_found(opens: Opens, server: Server, environment: pytest.MonkeyPatch) -> None:
    """The first place where anybody puts them."""
    environment.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    environment.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
    store = opens(**NOBODY)
    await store.put(KEY, chunks(b"x"))
    assert await content(store) == b"x"


async def test_keys_of_a_profile_are_found(
    opens: Opens, server: Server, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the file that all of Amazon's programs share."""
    (tmp_path / "credentials").write_text(
        f"[blobs]\naws_access_key_id={server.access_key}\naws_secret_access_key={server.secret_key}\n"
    )
    environment.setenv("AWS_PROFILE", "blobs")
    store = opens(**NOBODY)
    await store.put(KEY, chunks(b"x"))
    assert await content(store) == b"x"


async def test_a_web_identity_is_exchanged_for_keys(
    opens: Opens, server: Server, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A pod's token becomes a role's keys. The token service is an emulator of ours; the bucket behind it is real."""
    asked: list[Asked] = []

    def exchange(request: Asked) -> Answer:
        asked.append(request)
        return Answer(body=_role_keys(server.access_key, server.secret_key), headers=(("Content-Type", "text/xml"),))

    with serving(exchange) as url:
        (tmp_path / "token").write_text("the-token-of-a-pod")
        environment.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
        environment.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/blobs")
        environment.setenv("AWS_ENDPOINT_URL_STS", url)
        store = opens(**NOBODY)
        await store.put(KEY, chunks(b"x"))
        assert await content(store) == b"x"
    assert len(asked) == 1
    assert b"Action=AssumeRoleWithWebIdentity" in asked[0].body
    assert b"WebIdentityToken=the-token-of-a-pod" in asked[0].body


async def test_a_role_that_is_refused_is_said(opens: Opens, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As wrong credentials, not as a policy of the bucket, and without the token."""
    refusal = _error("AccessDenied", envelope="<ErrorResponse>{}</ErrorResponse>")
    with serving(lambda _: Answer(403, refusal)) as url:
        (tmp_path / "token").write_text("the-token-of-a-pod")
        environment.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
        environment.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/blobs")
        environment.setenv("AWS_ENDPOINT_URL_STS", url)
        with pytest.raises(AuthenticationError, match="role") as caught:
            await opens(**NOBODY).ping()
    assert "the-token" not in str(caught.value)


async def test_no_credentials_at_all_is_said(opens: Opens, environment: pytest.MonkeyPatch) -> None:
    """With what to do."""
    with pytest.raises(AuthenticationError, match="none were found"):
        await opens(**NOBODY).ping()


@pytest.mark.parametrize("size", [1000, 20 * MIB])
async def test_blobs_are_encrypted_at_rest_on_request(opens: Opens, server: Server, prefix: str, size: int) -> None:
    """The server does it, and says so."""
    store = opens(server_side_encryption="AES256")
    await store.put(KEY, chunks(*megabytes(size)))
    head = bare(server).head_object(Bucket=server.bucket, Key=f"{prefix}/{KEY}!")
    assert head["ServerSideEncryption"] == "AES256"
    assert await content(store) == b"x" * size


async def test_encryption_by_a_managed_key_is_asked_for(opens: Opens) -> None:
    """Of every request that stores. No key service exists here: what is proven is what goes out."""
    asked: list[Asked] = []

    def record(request: Asked) -> Answer:
        asked.append(request)
        body = b"<X><UploadId>1</UploadId></X>" if request.path.endswith("?uploads") else b""
        return Answer(body=body, headers=(("ETag", '"1"'),))

    with serving(record) as url:
        store = opens(endpoint_url=url, server_side_encryption="aws:kms", kms_key_id="the-key")
        store.capabilities |= {BlobCapability.CONDITIONAL_WRITE}
        for size in (1, 20 * MIB):
            await store.put(BlobKey(f"o/{size}"), chunks(*megabytes(size)), mode="replace")
        await store.aclose()
    stored = [one for one in asked if one.path.endswith(("/o/1%21", "?uploads")) and "/o/" in one.path]
    assert [one.method for one in stored] == ["PUT", "POST"]
    for one in stored:
        assert one.headers["x-amz-server-side-encryption"] == "aws:kms"
        assert one.headers["x-amz-server-side-encryption-aws-kms-key-id"] == "the-key"


async def test_a_server_that_ignores_conditions_is_found_out(opens: Opens, server: Server) -> None:
    """Then the capability is not declared, a key in use is looked for first, and an inspection warns."""
    with serving(_without_conditions(server)) as url:
        store = opens(endpoint_url=url)
        await store.start()
        assert BlobCapability.CONDITIONAL_WRITE not in store.capabilities
        await store.put(KEY, chunks(b"old"))
        for size in (1000, 20 * MIB):
            with pytest.raises(BlobExistsError):
                await store.put(KEY, chunks(*megabytes(size)))
        assert await content(store) == b"old"
        assert any("If-None-Match" in warning for warning in (await store.inspect()).warnings)
        assert await keys(store) == [KEY.text]
        await store.aclose()


async def test_readers_that_leave_early_hold_no_connection(opens: Opens, server: Server) -> None:
    """With a pool of one, twenty times."""
    place = urlsplit(server.url)
    async with FaultProxy(str(place.hostname), place.port or 0) as proxy:
        store = opens(endpoint_url=proxy.through(server.url), pool=1)
        await store.put(KEY, chunks(*megabytes(3 * MIB)))
        for _ in range(20):
            async with store.open(KEY) as reader:
                await anext(aiter(reader))
        assert len(await content(store)) == 3 * MIB
        async with asyncio.timeout(60):
            while proxy.open_connections > 1:  # noqa: ASYNC110 - the proxy counts, it tells nobody
                await asyncio.sleep(0.01)
        await store.aclose()


UPLOADER = """
import asyncio, sys
from faultmaven_adapters.blobs.s3 import S3BlobStore
from faultmaven_core.ports.blobs import BlobKey
from faultmaven_core.shared.secret import Secret

async def endless():
    while True:
        yield b"x" * (1 << 20)

async def main(url, access_key, secret_key, bucket, prefix):
    store = S3BlobStore(bucket, prefix=prefix, endpoint_url=url, access_key=access_key, secret_key=Secret(secret_key))
    await store.put(BlobKey("org/one"), endless())

asyncio.run(main(*sys.argv[1:]))
"""


async def test_what_a_killed_writer_leaves_is_invisible_and_swept(
    opens: Opens, server: Server, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the next listing that finds it old enough."""
    place = [server.url, server.access_key, server.secret_key, server.bucket, prefix]
    writer = await asyncio.create_subprocess_exec(sys.executable, "-c", UPLOADER, *place)
    async with asyncio.timeout(60):
        while f"{prefix}/{KEY}!" not in await asyncio.to_thread(parts_left, server, prefix):  # noqa: ASYNC110 - a server tells nobody
            await asyncio.sleep(0.05)
    writer.send_signal(signal.SIGKILL)
    await writer.wait()
    store = opens()
    assert await store.stat(KEY) is None
    assert await keys(store) == []
    assert await asyncio.to_thread(parts_left, server, prefix) != []
    monkeypatch.setattr(upload, "FORGET_AFTER", timedelta(seconds=-5))
    assert await keys(store) == []
    assert await asyncio.to_thread(parts_left, server, prefix) == []


async def test_what_others_put_there_is_told_apart(opens: Opens, server: Server, prefix: str) -> None:
    """A copy by another program is a blob with less description; what is no key of ours is not listed."""
    client = bare(server)
    client.put_object(Bucket=server.bucket, Key=f"{prefix}/org/copied!", Body=b"123")
    client.put_object(Bucket=server.bucket, Key=f"{prefix}/.hidden", Body=b"")
    client.put_object(Bucket=server.bucket, Key=f"{prefix}/not a key!", Body=b"")
    client.put_object(Bucket=server.bucket, Key=f"{prefix}/no-name-of-ours", Body=b"")
    store = opens()
    assert await keys(store) == ["org/copied"]
    info = await store.stat(BlobKey("org/copied"))
    assert info is not None
    assert (info.size, info.sha256, dict(info.attributes)) == (3, None, {})
    assert info.created_at.tzinfo is UTC


async def test_an_inspection_says_what_it_is_and_what_will_hurt(opens: Opens) -> None:
    """A bucket as it comes: unencrypted transport, and nobody who removes unfinished uploads."""
    found = await opens().inspect()
    assert (found.product, found.version[:1].isdigit()) == ("SeaweedFS", True)
    assert found.clock is not None
    assert abs((found.clock - datetime.now(UTC)).total_seconds()) < 60
    assert [warning.split(":")[0][:20] for warning in found.warnings] == [
        "Content travels unen",
        "No lifecycle rule re",
    ]


async def test_an_inspection_knows_versions_and_rules() -> None:
    """What is deleted must be gone."""
    with private("s3") as own:
        client = bare(own)
        client.put_bucket_versioning(Bucket=own.bucket, VersioningConfiguration={"Status": "Enabled"})
        rule = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}}
        rule |= {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
        client.put_bucket_lifecycle_configuration(Bucket=own.bucket, LifecycleConfiguration={"Rules": [rule]})
        store = s3_store(own)
        warnings = (await store.inspect()).warnings
        await store.aclose()
    assert [warning.split(":")[0][:20] for warning in warnings] == ["Content travels unen", "The bucket keeps old"]


async def test_urls_for_browsers_name_the_public_endpoint(opens: Opens, server: Server) -> None:
    """Which is signed, so it cannot be put in afterwards; nothing is asked of it."""
    store = opens(public_endpoint_url="https://files.example.org", region="eu-central-1")
    url = urlsplit(await store.presign_get(KEY, expires=timedelta(minutes=5), download_name="a"))
    assert (url.scheme, url.hostname) == ("https", "files.example.org")
    assert url.path.startswith(f"/{server.bucket}/")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url.query
    assert "X-Amz-Expires=300" in url.query
    assert "eu-central-1" in url.query
    assert server.secret_key not in url.query


async def test_a_private_authority_is_trusted_when_it_is_named(opens: Opens, server: Server, tmp_path: Path) -> None:
    """And nobody else's certificate; the real server stands behind."""
    shown = certificate(tmp_path)
    with serving(lambda request: _passed_on(server, request), shown) as url:
        store = opens(endpoint_url=url, ca_file=str(shown.authority))
        for size in (1000, 20 * MIB):
            await store.put(BlobKey(f"o/{size}"), chunks(*megabytes(size)))
            assert await content(store, BlobKey(f"o/{size}")) == b"x" * size
        assert not any("unencrypted" in warning for warning in (await store.inspect()).warnings)
        with pytest.raises(BackendError, match="certificate") as caught:
            await opens(endpoint_url=url).ping()
        assert not caught.value.retryable
        await store.aclose()


async def test_amazons_own_buckets_have_their_own_host() -> None:
    """Without an endpoint; a bucket with dots in its name, for which no certificate stands, goes into the path."""
    for bucket, host in [("plain", "plain.s3.amazonaws.com"), ("with.dots", "s3.amazonaws.com")]:
        store = S3BlobStore(bucket, access_key="a", secret_key=Secret("s"), region="us-east-1")
        assert BlobCapability.CONDITIONAL_WRITE in store.capabilities
        assert urlsplit(await store.presign_get(KEY, expires=timedelta(minutes=1))).hostname == host
        await store.aclose()


async def test_a_listing_that_goes_backwards_is_refused(opens: Opens) -> None:
    """A sweeper that trusts it would delete or keep the wrong things."""
    pages = [_page("b!", more=True), _page("a!", more=False)]

    def answer(request: Asked) -> Answer:
        return Answer(body=pages.pop(0) if "list-type" in request.path else b"<ListMultipartUploadsResult/>")

    with serving(answer) as url:
        store = opens(endpoint_url=url, prefix="")
        with pytest.raises(BackendError, match="out of order"):
            await keys(store)
        await store.aclose()


ANSWERS: dict[tuple[int, str], tuple[type[FaultMavenError], bool]] = {
    (503, "SlowDown"): (BackendRefusedError, True),
    (503, ""): (BackendRefusedError, True),
    (429, "TooManyRequests"): (BackendRefusedError, True),
    (409, "ConditionalRequestConflict"): (BackendRefusedError, True),
    (500, "InternalError"): (BackendUnavailableError, True),
    (502, ""): (BackendUnavailableError, True),
    (400, "ExpiredToken"): (AuthenticationError, False),
    (403, "InvalidAccessKeyId"): (AuthenticationError, False),
    (403, "RequestTimeTooSkewed"): (AuthenticationError, False),
    (403, "AccessDenied"): (AccessDeniedError, False),
    (400, "KMS.DisabledException"): (AccessDeniedError, False),
    (404, "NoSuchBucket"): (BucketMissingError, False),
    (400, "BadDigest"): (DigestMismatchError, False),
    (507, "XMinioStorageFull"): (StorageFullError, False),
    (403, "QuotaExceeded"): (StorageFullError, False),
    (418, "NobodyKnows"): (BackendError, False),
}


async def test_what_servers_answer_has_a_class(opens: Opens) -> None:
    """For a blob that is stored, listed or deleted; the words of the server are not in the message."""
    said = Answer()
    found = {}
    with serving(lambda _: said) as url:
        store = opens(endpoint_url=url)
        for status, code in ANSWERS:
            said = Answer(status, _error(code) if code else b"<html>no xml of ours</html>")
            calls = (store.put(KEY, chunks(b"x"), mode="replace"), store.delete([KEY]), store.ping())
            errors = await asyncio.gather(*calls, return_exceptions=True)
            assert not any("words of the server" in str(error) for error in errors)
            found[status, code] = {(type(error), getattr(error, "retryable", None)) for error in errors}
        await store.aclose()
    assert found == {answer: {meant} for answer, meant in ANSWERS.items()}


async def test_one_refused_key_of_many_is_an_error(opens: Opens) -> None:
    """The answer as a whole says that all is well."""
    body = b"<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code><Message>No</Message></Error></DeleteResult>"
    with serving(lambda _: Answer(body=body)) as url:
        store = opens(endpoint_url=url)
        with pytest.raises(AccessDeniedError):
            await store.delete([KEY])
        await store.aclose()


def test_parts_hold_the_largest_object_and_are_never_refused() -> None:
    """10,000 of them make over 5 TiB, each within the limits of S3; a blob of a few GiB goes in small ones."""
    sizes = [upload.part_size(number) for number in range(1, 10_001)]
    assert sum(sizes) > 5 << 40
    assert all((5 << 20) <= size <= (5 << 30) for size in sizes)
    assert sizes == sorted(sizes)
    assert sum(size for size in sizes if size == 8 * MIB) > 3 << 30


def _error(code: str, envelope: str = "{}") -> bytes:
    error = f"<Error><Code>{code}</Code><Message>words of the server</Message></Error>"
    return envelope.format(error).encode()


def _page(key: str, *, more: bool) -> bytes:
    token = "<NextContinuationToken>t</NextContinuationToken>" if more else ""
    return (
        f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}<Contents><Key>{key}</Key>"
        "<LastModified>2026-01-01T00:00:00Z</LastModified><Size>1</Size></Contents></ListBucketResult>"
    ).encode()


def _role_keys(access_key: str, secret_key: str) -> bytes:
    until = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        "<AssumeRoleWithWebIdentityResult><Credentials>"
        f"<AccessKeyId>{access_key}</AccessKeyId><SecretAccessKey>{secret_key}</SecretAccessKey>"
        f"<SessionToken></SessionToken><Expiration>{until}</Expiration>"
        "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    ).encode()


def _without_conditions(server: Server) -> Callable[[Asked], Answer]:
    """The real server behind somebody who drops conditions and signs again: so it looks to the store."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    kept = ("content-type", "content-md5", "range", "x-amz-meta-", "x-amz-checksum-", "x-amz-sdk-")

    def forward(request: Asked) -> Answer:
        headers = {name: value for name, value in request.headers.items() if name.startswith(kept)}
        signed = AWSRequest(request.method, f"{server.url}{request.path}", headers=headers, data=request.body)
        S3SigV4Auth(Credentials(server.access_key, server.secret_key), "s3", "us-east-1").add_auth(signed)
        return _passed_on(server, replace(request, headers=dict(signed.headers)))

    return forward


def _passed_on(server: Server, request: Asked) -> Answer:
    """The real server's answer to the request as it came."""
    with closing(HTTPConnection(urlsplit(server.url).netloc, timeout=20)) as connection:
        connection.request(request.method, request.path, body=request.body, headers=dict(request.headers))
        answer = connection.getresponse()
        passed = tuple((name, value) for name, value in answer.getheaders() if name.lower() != "transfer-encoding")
        return Answer(answer.status, answer.read(), passed)
