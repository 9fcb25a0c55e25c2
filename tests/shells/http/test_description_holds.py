"""What the interface says of itself is so: whatever is sent, the answer is one that is described, and never a defect."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import httpx2
import schemathesis
from schemathesis import GenerationMode

from faultmaven_http import wording
from faultmaven_http.openapi import describe
from faultmaven_http.services.table import EVERYWHERE, SERVICES
from tests.shells.http.described import serving, surprises


def test_every_answer_is_one_that_is_described(tmp_path: Path) -> None:
    """Valid requests and forbidden ones, of all operations; `make soak` sends many more of them."""
    found: list[str] = []
    with serving(tmp_path) as place:
        operations = place.operations()
        assert len(operations) > 100
        for operation in operations:
            found += surprises(place, operation, GenerationMode.POSITIVE, examples=1)
            found += surprises(place, operation, GenerationMode.NEGATIVE, examples=1)
        schemathesis.openapi.from_dict(dict(place.document)).validate()
    assert not found, "\n\n".join(found)


async def test_a_number_that_no_database_counts_to_is_refused(ann: httpx2.AsyncClient) -> None:
    """Of all lists that pass over some, and of the journal; others would fail within the database's driver."""
    case = (await ann.post("/api/v1/cases", json={"title": "x"})).json()["case_id"]
    asked = 0
    for endpoint in [endpoint for offered in SERVICES.values() for endpoint in offered]:
        if endpoint.query is None or "offset" not in {part.name for part in fields(endpoint.query)}:
            continue
        for offset in (-1, 10**10, 10**20):
            answer = await ann.get(endpoint.path.format(case_id=case), params={"offset": offset})
            assert answer.status_code in (403, 422), (endpoint.path, offset, answer.text)
            asked += answer.status_code == 422
    assert asked > 9
    for after in (-1, 10**10, 10**20):
        answer = await ann.get(f"/api/v1/cases/{case}/journal", params={"after": after})
        assert answer.status_code == 422, (after, answer.text)


async def test_a_body_of_blanks_is_no_json_and_none_at_all_is_an_empty_object(ann: httpx2.AsyncClient) -> None:
    """Only what is not sent is left out."""
    headers = {"Content-Type": "application/json"}
    answers = [await ann.post("/api/v1/cases", content=content, headers=headers) for content in (b"", b" \n", b"{}")]
    assert [answer.status_code for answer in answers] == [201, 400, 201]


def test_a_file_that_was_there_already_has_an_answer_that_is_described() -> None:
    """Of each kind of document; tests/shells/http/test_knowledge.py sends them."""
    document = describe([*EVERYWHERE, *(endpoint for offered in SERVICES.values() for endpoint in offered)], "/")
    for path in ("/api/v1/documents/upload", "/api/v1/knowledge/documents", "/api/v1/admin/kb/documents"):
        assert document["paths"][path]["post"]["responses"].keys() >= {"200", "201"}, path


def test_everything_is_said_in_words() -> None:
    """Each operation, each group of them, each part of an address and each failure; and one document holds all services."""
    document = describe([*EVERYWHERE, *(endpoint for offered in SERVICES.values() for endpoint in offered)], "/")
    assert {tag["name"] for tag in document["tags"]} <= wording.TAGS.keys()
    assert {int(status) for status in document["components"]["responses"]} <= wording.FAILURES.keys()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            place = f"{method} {path}"
            assert operation["description"].startswith(operation["summary"]), place
            names = {part["name"] for part in operation.get("parameters", ())}
            assert "409" in operation["responses"] or "Idempotency-Key" not in names, place
            unsaid = [part["name"] for part in operation.get("parameters", ()) if "description" not in part]
            assert not unsaid, place
            for answer in (operation.get("requestBody", {}), *operation["responses"].values()):
                for media, content in answer.get("content", {}).items():
                    assert not content or "example" in content or media != "application/json", (place, media)
