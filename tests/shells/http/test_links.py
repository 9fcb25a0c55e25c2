"""Addresses of files in a store that gives some, as a browser follows them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from buckets import fresh_prefix
from faultmaven import FaultMaven, load_settings
from faultmaven_contract_tests.servers import shared
from faultmaven_http.app import HttpApplication, create_app
from tests.shells.http.shell import Table, client_of
from tests.shells.http.test_evidence import LOG, opened

pytestmark = pytest.mark.servers("s3")

HOSTILE = '<img src=x>"; filename="x.html\r\nSet-Cookie: a=b'


@pytest.fixture
async def over_s3(tmp_path: Path, people: Table) -> AsyncIterator[HttpApplication]:
    """An installation that keeps its files in a bucket."""
    server = shared("s3")
    settings = load_settings(
        {
            "FM_DATABASE_URL": "memory:",
            "FM_BLOBS_URL": f"s3://{server.bucket}/{fresh_prefix()}",
            "FM_S3_ENDPOINT_URL": server.url,
            "FM_S3_ACCESS_KEY_ID": server.access_key,
            "FM_S3_SECRET_ACCESS_KEY": server.secret_key,
            "FM_HOME": str(tmp_path / "home"),
        }
    )
    async with FaultMaven.open(settings) as fm:
        yield create_app(fm.application, fm.settings.http, authenticator=people)


async def test_who_has_a_link_gets_the_file_from_the_store_without_a_token(over_s3: HttpApplication) -> None:
    """As a download under its name, whole or in part, for as long as was said."""
    async with client_of(over_s3, "ann") as ann, httpx2.AsyncClient() as browser:
        case = await opened(ann)
        place = (await ann.post(f"{case}/evidence", params={"name": HOSTILE}, content=LOG)).headers["location"]
        made = await ann.post(f"{place}/link", json={"seconds": 60})
        assert made.status_code == 200, made.text
        link = made.json()
        ends = datetime.fromisoformat(link["expires_at"])
        assert timedelta(seconds=0) < ends - datetime.now(UTC) <= timedelta(seconds=60)
        whole = await browser.get(link["url"])
        part = await browser.get(link["url"], headers={"Range": "bytes=10-19"})
        changed = await browser.get(link["url"] + "0")
    assert (whole.status_code, hashlib.sha256(whole.content).digest()) == (200, hashlib.sha256(LOG).digest())
    assert whole.headers["content-disposition"].startswith("attachment")
    assert whole.headers["content-type"] == "application/octet-stream"
    assert "set-cookie" not in whole.headers
    assert (part.status_code, part.content) == (206, LOG[10:20])
    assert changed.status_code == 403


async def test_what_the_installation_itself_gives_out_of_a_store_is_the_same(over_s3: HttpApplication) -> None:
    """Whole, in part, and only if it is another than the client has."""
    async with client_of(over_s3, "ann") as ann, client_of(over_s3, "bob") as bob:
        case = await opened(ann)
        sent = await ann.post(f"{case}/evidence", params={"name": "app.log"}, content=LOG)
        place = sent.headers["location"]
        whole = await ann.get(f"{place}/content")
        assert (whole.status_code, whole.content) == (200, LOG)
        part = await ann.get(f"{place}/content", headers={"Range": "bytes=-7"})
        assert (part.status_code, part.content) == (206, LOG[-7:])
        known = await ann.get(f"{place}/content", headers={"If-None-Match": whole.headers["etag"]})
        assert known.status_code == 304
        assert (await bob.post(f"{place}/link", json={"seconds": 60})).status_code == 404
        assert (await ann.delete(place)).status_code == 204
        assert (await ann.post(f"{place}/link", json={"seconds": 60})).status_code == 404
