"""Files of cases over HTTP: they come as they are, nothing of their names does harm, and they leave as downloads."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator

import httpx2

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
