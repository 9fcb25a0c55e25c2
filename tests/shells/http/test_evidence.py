"""Files of cases over HTTP: they come as they are, nothing of their names does harm, and they leave as downloads."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import httpx2
import pytest

from faultmaven import FaultMaven, load_settings
from faultmaven_core.shared.file_names import file_name
from faultmaven_http.app import create_app
from tests.shells.http.shell import Made, Table, client_of, exchanged, served
from tests.unit.shared.test_file_names import CORPUS

LOG = b"2026-03-02T14:05:01Z ERROR checkout: connection refused by redis:6379\n" * 40


async def opened(client: httpx2.AsyncClient) -> str:
    """A new case; the path of its evidence."""
    answer = await client.post("/api/v1/cases", json={"title": "Checkout fails"})
    return f"/api/v1/cases/{answer.json()['case_id']}"


async def sent(client: httpx2.AsyncClient, case: str, name: str = "app.log", content: bytes = LOG) -> httpx2.Response:
    """A file, uploaded by a form."""
    answer = await client.post(f"{case}/evidence", files={"file": (name, content)})
    assert answer.status_code == 201, answer.text
    return answer


async def test_a_file_comes_by_a_form_and_leaves_as_it_was(ann: httpx2.AsyncClient) -> None:
    """Counted and digested on the way, listed, fetched, taken away."""
    case = await opened(ann)
    answer = await sent(ann, case)
    item = answer.json()
    assert item["name"] == "app.log"
    assert (item["size"], item["sha256"]) == (len(LOG), hashlib.sha256(LOG).hexdigest())
    assert item["details"]["content_type"] == "text/plain"
    place = answer.headers["location"]
    assert place == f"{case}/evidence/{item['evidence_id']}"
    listed = await ann.get(f"{case}/evidence")
    assert [one["evidence_id"] for one in listed.json()["items"]] == [item["evidence_id"]]
    assert (await ann.get(place)).json()["item"]["name"] == "app.log"
    fetched = await ann.get(f"{place}/content")
    assert fetched.content == LOG
    assert (await ann.delete(place)).status_code == 204
    assert (await ann.get(f"{place}/content")).status_code == 404


async def test_a_file_comes_as_the_body_itself(ann: httpx2.AsyncClient) -> None:
    """Its name stands in the query; of unknown length it is counted as it comes."""
    case = await opened(ann)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(LOG), 100):
            yield LOG[start : start + 100]

    parameters = {"name": "app.log", "evidence_role": "baseline"}
    answer = await ann.post(f"{case}/evidence", params=parameters, content=pieces())
    assert answer.status_code == 201, answer.text
    assert (answer.json()["size"], answer.json()["role"]) == (len(LOG), "baseline")


async def test_what_came_must_be_what_was_sent(ann: httpx2.AsyncClient) -> None:
    """By a digest in the form or in a header of RFC 9530; nothing is kept of anything else."""
    case = await opened(ann)
    right, wrong = hashlib.sha256(LOG).digest(), hashlib.sha256(b"other").digest()
    for digest, status in ((right, 201), (wrong, 422)):
        header = {"Content-Digest": f"sha-256=:{base64.b64encode(digest).decode()}:"}
        answer = await ann.post(f"{case}/evidence?name=a.log", content=LOG, headers=header)
        assert answer.status_code == status, answer.text
        form = await ann.post(f"{case}/evidence", data={"sha256": digest.hex()}, files={"file": ("b.log", LOG)})
        assert form.status_code == status, form.text
    assert len((await ann.get(f"{case}/evidence")).json()["items"]) == 2


async def test_a_digest_of_a_form_is_not_one_of_its_file(ann: httpx2.AsyncClient) -> None:
    """RFC 9530 has it of the bytes that are sent: right for the form, it is no reason to refuse the file."""
    case = await opened(ann)
    form = ann.build_request("POST", f"{case}/evidence", files={"file": ("a.log", LOG)})
    digest = hashlib.sha256(form.read()).digest()
    form.headers["Content-Digest"] = f"sha-256=:{base64.b64encode(digest).decode()}:"
    answer = await ann.send(form)
    assert (answer.status_code, answer.json().get("size")) == (201, len(LOG)), answer.text


async def test_a_key_stands_for_one_content(ann: httpx2.AsyncClient) -> None:
    """Sent again it is answered again; another content under it was never kept, and nobody is told that it was."""
    case = await opened(ann)
    key = {"Idempotency-Key": "upload-0001"}
    first = await ann.post(f"{case}/evidence?name=a.log", content=b"text 1", headers=key)
    again = await ann.post(f"{case}/evidence?name=a.log", content=b"text 1", headers=key)
    other = await ann.post(f"{case}/evidence?name=a.log", content=b"text 2", headers=key)
    assert (first.status_code, again.json()) == (201, first.json())
    assert (other.status_code, other.headers["x-error-code"]) == (409, "IDEMPOTENCY_KEY_REUSE")
    assert len((await ann.get(f"{case}/evidence")).json()["items"]) == 1


async def test_hostile_names_are_data_on_the_way_in_and_out(ann: httpx2.AsyncClient) -> None:
    """In the query or in a form; no header of a download is broken, and what is saved under it is no path."""
    case = await opened(ann)
    for name in CORPUS[::4]:
        if not name or any("\ud800" <= char <= "\udfff" for char in name):
            continue  # no request can say these
        answer = await ann.post(f"{case}/evidence", params={"name": name}, content=b"x")
        if len(name.encode()) > 2000:
            assert answer.status_code in {201, 414}
            continue
        assert answer.status_code == 201, (name, answer.text)
        assert answer.json()["name"] == file_name(name)
        head = (await ann.head(f"{answer.headers['location']}/content")).headers["content-disposition"]
        told = re.fullmatch(r"attachment; filename=\"([ -!#-~]*)\"; filename\*=UTF-8''([A-Za-z0-9%._~-]+)", head)
        assert told is not None, head
        assert unquote(told.group(2)) == file_name(name)
        assert not set(told.group(1)) & set('/\\:;"')


async def test_a_download_is_never_a_page_of_ours(ann: httpx2.AsyncClient) -> None:
    """Whatever it is: an attachment, in a sandbox, of a type that runs nowhere."""
    case = await opened(ann)
    for name, content, kind in (
        ("page.html", b"<!doctype html><script>alert(1)</script>", "application/octet-stream"),
        ("picture.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "text/plain; charset=utf-8"),
        ("page.log", b"<html><script>alert(1)</script></html>", "application/octet-stream"),
        ("app.log", LOG, "text/plain; charset=utf-8"),
        ("binary.txt", b"\x00\x01\x02", "application/octet-stream"),
    ):
        place = (await sent(ann, case, name, content)).headers["location"]
        answer = await ann.get(f"{place}/content")
        assert answer.headers["content-type"] == kind, name
        assert answer.headers["content-disposition"].startswith("attachment; ")
        assert answer.headers["x-content-type-options"] == "nosniff"
        (policy,) = answer.headers.get_list("content-security-policy")
        assert {"sandbox", "frame-ancestors 'none'"} <= set(policy.split("; "))
        assert answer.headers.get_list("cross-origin-resource-policy") == ["same-site"]


async def test_a_name_that_says_another_type_than_the_content_is_flagged(ann: httpx2.AsyncClient) -> None:
    """The content decides; nothing is refused, for evidence is evidence."""
    case = await opened(ann)
    told = (await sent(ann, case, "report.pdf", b"MZ\x90\x00\x03")).json()["details"]
    assert told["content_type"] == "application/octet-stream"
    assert "application/pdf" in told["mismatch"]
    assert "mismatch" not in (await sent(ann, case)).json()["details"]


async def test_parts_of_a_download(ann: httpx2.AsyncClient) -> None:
    """As RFC 9110 has them: ranges, tags, and conditions on these."""
    case = await opened(ann)
    place = (await sent(ann, case)).headers["location"] + "/content"
    whole = await ann.get(place)
    tag, size = whole.headers["etag"], len(LOG)
    for asked, start, end in (("0-9", 0, 10), ("10-", 10, size), ("-5", size - 5, size), (f"5-{size * 9}", 5, size)):
        part = await ann.get(place, headers={"Range": f"bytes={asked}", "If-Range": tag})
        assert (part.status_code, part.content) == (206, LOG[start:end]), asked
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
    assert (await ann.get(place, headers={"Range": "bytes=0-9", "If-Range": '"other"'})).content == LOG
    for whole_again in ("bytes=0-1,3-4", "bytes=9-1", "bytes=-", "lines=1-2", "bytes=a-b"):
        assert (await ann.get(place, headers={"Range": whole_again})).status_code == 200
    for beyond in (f"bytes={size}-", "bytes=-0"):
        refused = await ann.get(place, headers={"Range": beyond})
        assert (refused.status_code, refused.headers["content-range"]) == (416, f"bytes */{size}")
    known = await ann.get(place, headers={"If-None-Match": f'"x", {tag}'})
    assert (known.status_code, known.content) == (304, b"")
    head = await ann.head(place)
    assert (head.headers["content-length"], head.headers["etag"], head.content) == (str(size), tag, b"")


async def test_lines_are_searched_and_files_classified(ann: httpx2.AsyncClient) -> None:
    """By the table of operations."""
    case = await opened(ann)
    item = (await sent(ann, case)).json()
    place = f"{case}/evidence/{item['evidence_id']}"
    assert (await ann.put(f"{place}/kind", json={"kind": "log"})).json()["kind"] == "log"
    found = await ann.post(f"{case}/evidence/search", json={"text": "refused"})
    assert found.status_code == 200
    assert found.json()["problems"] == ["app.log was not read yet; investigate the case first."]
    assert (await ann.get(place, params={"lines": 3})).status_code == 404
    link = await ann.post(f"{place}/link", json={"seconds": 60})
    assert link.status_code == 501, "blobs in memory have no address"
    assert (await ann.post(f"{place}/link", json={"seconds": 301})).status_code == 422


async def test_uploaded_files_have_the_fields_that_clients_read(ann: httpx2.AsyncClient) -> None:
    """The list and the detail agree on how much evidence a file is."""
    case = await opened(ann)
    names = [f"{number}.log" for number in range(5)]
    for name in names:
        await sent(ann, case, name, LOG + name.encode())
    listed = (await ann.get(f"{case}/uploaded-files", params={"limit": 2, "offset": 1})).json()
    assert (listed["total_count"], listed["limit"], listed["offset"]) == (5, 2, 1)
    assert [row["filename"] for row in listed["files"]] == names[1:3]
    row = listed["files"][0]
    assert (row["size_bytes"], row["uploaded_at_turn"], row["evidence_count"]) == (len(LOG) + 5, 0, 1)
    assert (row["size_display"], row["source_type"]) == ("2.7 KB", "file_upload")
    detail = (await ann.get(f"{case}/uploaded-files/{row['file_id']}")).json()
    assert {**row, "summary": detail["summary"], "analysis_status": "pending"}.items() <= detail.items()
    assert len(detail["derived_evidence"]) == detail["evidence_count"] == 1
    assert detail["content_hash"] == hashlib.sha256(LOG + b"1.log").hexdigest()
    assert (detail["content_type"], detail["upload_source"]) == ("text/plain", "file_upload")
    assert {"evidence_id", "summary", "category", "related_hypothesis_ids"} <= detail["derived_evidence"][0].keys()


async def test_evidence_is_its_organizations_alone(ann: httpx2.AsyncClient, made: Made) -> None:
    """To others it is not there; who may only read adds nothing and takes nothing away."""
    case = await opened(ann)
    place = (await sent(ann, case)).headers["location"]
    async with client_of(made(), "bob") as bob:
        for path in (f"{case}/evidence", place, f"{place}/content", f"{case}/uploaded-files"):
            assert (await bob.get(path)).status_code == 404, path
        assert (await bob.delete(place)).status_code == 404
        assert (await bob.post(f"{case}/evidence?name=x", content=b"x")).status_code == 404
        assert (await bob.post(f"{place}/link", json={})).status_code == 404
    async with client_of(made(), "vic") as vic:
        assert (await vic.get(f"{place}/content")).content == LOG
        assert (await vic.post(f"{case}/evidence?name=x", content=b"x")).status_code == 403
        assert (await vic.delete(place)).status_code == 403


BOUNDARY = "----b"
FORMS = {
    "no end": b'------b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
    "no file": b'------b\r\nContent-Disposition: form-data; name="x"\r\n\r\nabc\r\n------b--\r\n',
    "no name": b'------b\r\nContent-Disposition: form-data; filename="a"\r\n\r\nabc\r\n------b--\r\n',
    "no head": b"------b\r\n\r\nabc\r\n------b--\r\n",
    "two files": b'------b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n' * 2
    + b"------b--\r\n",
    "a claim": b'------b\r\nContent-Disposition: form-data; name="organization_id"\r\n\r\nother\r\n'
    b'------b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n------b--\r\n',
    "many parts": b'------b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n' * 100 + b"------b--\r\n",
    "a long head": b'------b\r\nContent-Disposition: form-data; name="'
    + b"x" * 9000
    + b'"\r\n\r\nabc\r\n------b--\r\n',
    "many heads": b"------b\r\n" + b"X-A: b\r\n" * 50 + b"\r\nabc\r\n------b--\r\n",
    "a long field": b'------b\r\nContent-Disposition: form-data; name="x"\r\n\r\n'
    + b"x" * 70_000
    + b"\r\n------b--\r\n",
    "nothing": b"",
    "no form": b"abc" * 100,
}


@pytest.mark.parametrize("form", FORMS)
async def test_what_is_no_form_of_one_file_leaves_nothing(ann: httpx2.AsyncClient, form: str) -> None:
    """Refused in words, and no evidence of it."""
    case = await opened(ann)
    header = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = await ann.post(f"{case}/evidence", content=FORMS[form], headers=header)
    assert answer.status_code in {400, 413, 422}, answer.text
    assert (await ann.get(f"{case}/evidence")).json()["items"] == []


async def test_who_is_not_signed_in_or_sends_too_much_is_refused_before_the_body_is_read(made: Made) -> None:
    """Over a real socket: the answer comes, though not a byte of two gigabytes was sent."""
    async with served(made()) as port, client_of(made(), "ann") as ann:
        case = await opened(ann)
        head = f"POST {case}/evidence?name=a HTTP/1.1\r\nHost: fm.test\r\nConnection: close\r\n"
        most = 16 << 30
        for token, size, status in (("", 2 << 30, b"401"), ("nobody", 2 << 30, b"401"), ("ann", most + 1, b"413")):
            authorization = f"Authorization: Bearer {token}\r\n" if token else ""
            answer = await exchanged(port, f"{head}{authorization}Content-Length: {size}\r\n\r\n".encode())
            assert answer.split(b" ", 2)[1] == status, answer


async def test_a_large_file_is_never_whole_in_memory(tmp_path: Path, people: Table) -> None:
    """By a form over a real socket, to a disk and back; what Python holds meanwhile is a few blocks."""
    settings = load_settings({"FM_DATABASE_URL": "memory:", "FM_HOME": str(tmp_path / "home")})
    block, blocks = b"0123456789abcdef" * 4096, 1024
    async with FaultMaven.open(settings) as fm:
        app = create_app(fm.application, fm.settings.http, authenticator=people)
        async with served(app) as port, client_of(app, "ann") as ann:
            case = await opened(ann)
            begin = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.log"\r\n\r\n'.encode()
            end = f"\r\n--{BOUNDARY}--\r\n".encode()
            head = (
                f"POST {case}/evidence HTTP/1.1\r\nHost: fm.test\r\nConnection: close\r\nAuthorization: Bearer ann\r\n"
                f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
                f"Content-Length: {len(begin) + blocks * len(block) + len(end)}\r\n\r\n"
            )
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            tracemalloc.start()
            writer.write(head.encode() + begin)
            for _ in range(blocks):
                writer.write(block)
                await writer.drain()
            writer.write(end)
            answer = await reader.read()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            writer.close()
            await writer.wait_closed()
            assert answer.startswith(b"HTTP/1.1 201 "), answer[:300]
            assert peak < 32 << 20
            row = (await ann.get(f"{case}/uploaded-files")).json()["files"][0]
            assert row["size_bytes"] == blocks * len(block)
