"""Files that are sent in parts: what came stays, what is missing is asked for, and the whole is what was announced."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from faultmaven import FaultMaven, load_settings
from faultmaven_http import multipart
from faultmaven_http.app import HttpApplication, create_app
from tests.shells.http.shell import Made, Table, client_of, exchanged, principal, served
from tests.shells.http.test_evidence import LOG, opened

PART = {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture
async def small(tmp_path: Path, people: Table) -> AsyncIterator[httpx2.AsyncClient]:
    """Ann's client where her organization may hold 10,000 bytes, she 6,000, and one file 5,000."""
    settings = load_settings(
        {
            "FM_DATABASE_URL": "memory:",
            "FM_BLOBS_URL": "memory:",
            "FM_HOME": str(tmp_path / "small"),
            "FM_QUOTA_ORGANIZATION": "10000",
            "FM_QUOTA_USER": "6000",
            "FM_EVIDENCE_COPY_MAX": "5000",
        }
    )
    async with FaultMaven.open(settings) as fm, client_of(_app(fm, people), "ann") as client:
        yield client


def _app(fm: FaultMaven, people: Table) -> HttpApplication:
    return create_app(fm.application, fm.settings.http, authenticator=people)


async def begun(client: httpx2.AsyncClient, case: str, content: bytes = LOG, **more: str) -> str:
    """The address of a new upload."""
    answer = await client.post(f"{case}/uploads", json={"name": "app.log", "size": len(content), **more})
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


async def part(client: httpx2.AsyncClient, place: str, offset: int, content: bytes) -> httpx2.Response:
    """A part, sent."""
    return await client.patch(place, content=content, headers={**PART, "Upload-Offset": str(offset)})


async def test_a_file_in_parts_becomes_evidence_with_the_last_one(ann: httpx2.AsyncClient) -> None:
    """Parts of any size; the digest is of the whole."""
    case = await opened(ann)
    place = await begun(ann, case, sha256=hashlib.sha256(LOG).hexdigest())
    for start, end in ((0, 1), (1, 1000), (1000, len(LOG))):
        assert (await ann.head(place)).headers["upload-offset"] == str(start)
        answer = await part(ann, place, start, LOG[start:end])
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(end))
    evidence = answer.headers["location"]
    assert (await ann.get(f"{evidence}/content")).content == LOG
    assert (await ann.get(evidence)).json()["item"]["sha256"] == hashlib.sha256(LOG).hexdigest()
    assert (await ann.head(place)).status_code == 404


async def test_clients_of_tus_are_understood(ann: httpx2.AsyncClient) -> None:
    """Version 1.0.0: creation, offset, termination."""
    case = await opened(ann)
    name = base64.b64encode("Störung.log".encode()).decode()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "4", "Upload-Metadata": f"filename {name}"}
    answer = await ann.post(f"{case}/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    place = answer.headers["location"]
    asked = await ann.head(place)
    assert (asked.headers["upload-length"], asked.headers["tus-resumable"]) == ("4", "1.0.0")
    assert asked.headers["cache-control"] == "no-store"
    done = await part(ann, place, 0, b"text")
    assert (await ann.get(done.headers["location"])).json()["item"]["name"] == "Störung.log"
    other = (await ann.post(f"{case}/uploads", headers=headers)).headers["location"]
    assert (await ann.delete(other)).status_code == 204
    assert (await ann.head(other)).status_code == 404


async def test_what_does_not_fit_is_refused_and_changes_nothing(ann: httpx2.AsyncClient) -> None:
    """Another offset, too many bytes, another type of body, no offset at all."""
    place = await begun(ann, await opened(ann))
    assert (await part(ann, place, 0, LOG[:10])).status_code == 204
    assert (await part(ann, place, 0, LOG[:10])).status_code == 409
    assert (await part(ann, place, 20, LOG[20:30])).status_code == 409
    assert (await part(ann, place, 10, LOG)).status_code == 413
    assert (await ann.patch(place, content=b"x", headers={"Upload-Offset": "10"})).status_code == 415
    for offset in ("", "-1", "1e1", "9" * 30):
        assert (await ann.patch(place, content=b"x", headers={**PART, "Upload-Offset": offset})).status_code == 422
    assert (await ann.head(place)).headers["upload-offset"] == "10"


async def test_of_the_same_part_twice_at_once_one_counts(ann: httpx2.AsyncClient) -> None:
    """Whoever is late is told where the upload stands."""
    place = await begun(ann, await opened(ann))
    answers = await asyncio.gather(*(part(ann, place, 0, LOG[:100]) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [204, 409, 409, 409, 409]
    assert (await ann.head(place)).headers["upload-offset"] == "100"


async def test_a_whole_that_is_not_what_was_announced_is_thrown_away(ann: httpx2.AsyncClient) -> None:
    """With everything that came of it."""
    case = await opened(ann)
    place = await begun(ann, case, sha256=hashlib.sha256(b"other").hexdigest())
    assert (await part(ann, place, 0, LOG)).status_code == 422
    assert (await ann.head(place)).status_code == 404
    assert (await ann.get(f"{case}/evidence")).json()["items"] == []


async def test_what_could_never_be_kept_is_refused_before_a_part_is_sent(ann: httpx2.AsyncClient) -> None:
    """Not with the last of sixteen gigabytes."""
    case = await opened(ann)
    for wrong in ({"sha256": "0" * 63}, {"sha256": "x" * 64}, {"source_url": "https://a/" + "x" * 1000}):
        answer = await ann.post(f"{case}/uploads", json={"name": "a.log", "size": 1, **wrong})
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"]
    place = await begun(ann, case, sha256=hashlib.sha256(LOG).hexdigest().upper())
    assert (await part(ann, place, 0, LOG)).status_code == 204


async def test_an_upload_is_its_users_alone(ann: httpx2.AsyncClient, made: Made, people: Table) -> None:
    """Not a colleague's, not another organization's, and not of another case."""
    people.holders["amy"] = principal("acme", "amy")
    case = await opened(ann)
    place = await begun(ann, case)
    for name in ("amy", "bob"):
        async with client_of(made(), name) as other:
            assert (await other.head(place)).status_code == 404
            assert (await part(other, place, 0, LOG)).status_code == 404
            assert (await other.delete(place)).status_code == 404
    elsewhere = place.replace(case, await opened(ann))
    assert (await ann.head(elsewhere)).status_code == 404
    async with client_of(made(), "vic") as vic:
        assert (await vic.post(f"{case}/uploads", json={"name": "a", "size": 1})).status_code == 403


async def _stands(client: httpx2.AsyncClient, place: str, offset: int) -> None:
    """Wait until so much has come."""
    async with asyncio.timeout(30):
        while True:
            if (await client.head(place)).headers["upload-offset"] == str(offset):
                return
            await asyncio.sleep(0.02)


async def test_what_came_before_the_connection_broke_stays(made: Made) -> None:
    """Over a real socket; the client asks where it stands and goes on."""
    async with (
        served(made()) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": "Bearer ann"}) as ann,
    ):
        place = await begun(ann, await opened(ann))
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"PATCH {place} HTTP/1.1\r\nHost: fm.test\r\nAuthorization: Bearer ann\r\nUpload-Offset: 0\r\n"
        head += f"Content-Type: {PART['Content-Type']}\r\nContent-Length: {len(LOG)}\r\n\r\n"
        writer.write(head.encode() + LOG[:1000])
        await writer.drain()
        writer.close()
        await _stands(ann, place, 1000)
        answer = await part(ann, place, 1000, LOG[1000:])
        assert (await ann.get(f"{answer.headers['location']}/content")).content == LOG


async def test_what_came_before_a_connection_stalled_stays(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is told how far it is, and the connection, on which the rest may still come, ends."""
    monkeypatch.setattr(multipart, "IDLE_SECONDS", 0.5)
    app = made()
    async with served(app) as port, client_of(app, "ann") as ann:
        place = await begun(ann, await opened(ann))
        head = f"PATCH {place} HTTP/1.1\r\nHost: fm.test\r\nAuthorization: Bearer ann\r\nUpload-Offset: 0\r\n"
        head += f"Content-Type: {PART['Content-Type']}\r\nContent-Length: {len(LOG)}\r\n\r\n"
        answer = await exchanged(port, head.encode() + LOG[:1000])
        assert answer.startswith(b"HTTP/1.1 204 "), answer
        assert b"upload-offset: 1000\r\n" in answer
        assert (await ann.head(place)).headers["upload-offset"] == "1000"


async def test_quotas_are_kept_free_before_a_byte_comes(small: httpx2.AsyncClient) -> None:
    """Also by uploads that have only begun; what is given up or deleted is free again."""
    case = await opened(small)
    assert (await small.post(f"{case}/evidence?name=a", content=b"x" * 5001)).status_code == 413
    assert (await small.post(f"{case}/uploads", json={"name": "a", "size": 5001})).status_code == 413
    place = await begun(small, case, b"x" * 4000)
    refused = await small.post(f"{case}/evidence?name=a", content=b"x" * 2001)
    assert (refused.status_code, refused.headers["x-error-code"]) == (402, "QUOTA_EXHAUSTED")
    assert (await small.delete(place)).status_code == 204
    kept = await small.post(f"{case}/evidence?name=a", content=b"x" * 4000)
    assert kept.status_code == 201
    assert (await small.post(f"{case}/evidence?name=b", content=b"x" * 2001)).status_code == 402
    assert (await small.delete(kept.headers["location"])).status_code == 204
    assert (await small.post(f"{case}/evidence?name=b", content=b"x" * 2001)).status_code == 201


async def test_many_at_once_do_not_get_past_a_quota(small: httpx2.AsyncClient) -> None:
    """Of unknown length too: room grows only as far as there is some."""
    case = await opened(small)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    answers = await asyncio.gather(*(small.post(f"{case}/evidence?name=a", content=pieces()) for _ in range(6)))
    statuses = [answer.status_code for answer in answers]
    assert {201} <= set(statuses) <= {201, 402}
    held = sum(item["size"] for item in (await small.get(f"{case}/evidence")).json()["items"])
    assert held == 2000 * statuses.count(201) <= 6000
