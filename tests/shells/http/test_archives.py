"""Cases over HTTP as archives: one leaves whole, and arrives elsewhere as if it had been worked on there."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from faultmaven import FaultMaven, load_settings
from faultmaven_core.archives import limits
from faultmaven_core.investigation.commands import Investigate
from faultmaven_core.investigation.turn_commands import TakeTurn
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_http.app import HttpApplication, create_app
from tests.shells.http.shell import Table, client_of, principal

LOG = b"".join(
    b"2026-03-02T14:%02d:01Z ERROR checkout: java.lang.OutOfMemoryError: Java heap space\n" % n for n in range(40)
)
BINARY = bytes(range(256)) * 300
ANN = Caller(OrganizationId("acme"), UserId("ann"))
IDS = re.compile(r"\b(?:case|ev|msg)_[0-9a-f]{12}\b")
IMPORT = "/api/v1/cases/import"


@dataclass(frozen=True)
class Worked:
    """An installation with a case of Ann's that has everything that one can have; its path, and its archive."""

    fm: FaultMaven
    people: Table
    app: HttpApplication
    case: str
    archive: bytes

    def client(self, name: str) -> httpx2.AsyncClient:
        """A client of somebody."""
        return client_of(self.app, name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worked]:
    """Made once: no test here changes Ann's case."""
    home = tmp_path_factory.mktemp("archives")
    urls = {"FM_DATABASE_URL": "memory:", "FM_BLOBS_URL": "memory:", "FM_HOME": str(home), "FM_RATE_LIMIT": "0"}
    people = Table(
        {"ann": principal("acme", "ann"), "bob": principal("other", "bob"), "dan": principal("third", "dan")}
    )
    async with FaultMaven.open(load_settings(urls)) as fm:
        app = create_app(fm.application, fm.settings.http, authenticator=people)
        async with client_of(app, "ann") as ann:
            opened = await ann.post("/api/v1/cases", json={"title": "Checkout fails", "metadata": {"ticket": "OPS-1"}})
            case = f"/api/v1/cases/{opened.json()['case_id']}"
            for name, content in (("app.log", LOG), ("übersicht.bin", BINARY)):
                answer = await ann.post(f"{case}/evidence", files={"file": (name, content)})
                assert answer.status_code == 201, answer.text
            await fm.application.investigation.investigate(Investigate(opened.json()["case_id"]), ANN)
            await fm.application.turns.take(TakeTurn(opened.json()["case_id"], "What does app.log say?"), ANN)
            archive = await ann.get(f"{case}/export")
            assert archive.status_code == 200, archive.text
        yield Worked(fm, people, app, case, archive.content)


@pytest_asyncio.fixture(loop_scope="module")
async def ann(worked: Worked) -> AsyncIterator[httpx2.AsyncClient]:
    """Who exports."""
    async with worked.client("ann") as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def bob(worked: Worked) -> AsyncIterator[httpx2.AsyncClient]:
    """Of another organization."""
    async with worked.client("bob") as client:
        yield client


def members(archive: bytes) -> dict[str, bytes]:
    """What stands in an archive, by name."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.mark.asyncio(loop_scope="module")
async def test_a_case_goes_to_another_organization_whole(
    ann: httpx2.AsyncClient, bob: httpx2.AsyncClient, worked: Worked
) -> None:
    """With its conversation, record, journal and the files of its evidence, all of them under new ids."""
    case = worked.case
    answer = await bob.post(IMPORT, content=worked.archive)
    assert answer.status_code == 201, answer.text
    there = answer.headers["location"]
    told = answer.json()
    assert (told["case_id"], told["from_case_id"]) == (there[14:], case[14:])
    assert (told["from_organization"], told["evidence_count"], told["missing"]) == ("acme", 2, [])
    before, after = (await ann.get(case)).json(), (await bob.get(there)).json()
    same = ("title", "state", "priority", "metadata", "current_turn", "message_count", "created_at", "stage")
    assert {name: before[name] for name in same} == {name: after[name] for name in same}
    assert (after["organization_id"], after["user_id"]) == ("other", "bob")
    said, heard = [(await one.get(f"{at}/messages")).json() for one, at in ((ann, case), (bob, there))]
    texts = [[IDS.sub("<id>", row["content"]) for row in rows["messages"]] for rows in (said, heard)]
    assert texts[0] == texts[1]
    files = [(await one.get(f"{at}/evidence")).json()["items"] for one, at in ((ann, case), (bob, there))]
    assert [(row["name"], row["sha256"]) for row in files[0]] == [(row["name"], row["sha256"]) for row in files[1]]
    for row, content in zip(files[1], (LOG, BINARY), strict=True):
        assert (await bob.get(f"{there}/evidence/{row['evidence_id']}/content")).content == content
    records = [(await one.get(f"{at}/record")).json() for one, at in ((ann, case), (bob, there))]
    assert records[1].pop("case_id") == told["case_id"] != records[0].pop("case_id")
    assert records[0] == records[1]
    hits = await bob.post(f"{there}/evidence/search", json={"text": "heap space", "limit": 5})
    assert len(hits.json()["hits"]) == 5, "what was read stays searchable"


@pytest.mark.asyncio(loop_scope="module")
async def test_the_journal_says_where_a_case_came_from(
    ann: httpx2.AsyncClient, bob: httpx2.AsyncClient, worked: Worked
) -> None:
    """Its chain holds; whoever did something elsewhere is not taken for a user of here."""
    case, archive = worked.case, worked.archive
    there = (await bob.post(IMPORT, content=archive)).headers["location"]
    old, new = (await ann.get(f"{case}/journal")).json(), (await bob.get(f"{there}/journal")).json()
    assert new["intact"]
    entries = new["entries"]
    assert [entry["kind"] for entry in entries[:-1]] == [entry["kind"] for entry in old["entries"]]
    assert {entry["actor"] for entry in entries[:-1]} == {"imported:ann"}
    last = entries[-1]
    assert (last["kind"], last["actor"]) == ("case_imported", "bob")
    assert last["detail"]["from_case"] == case[14:]
    assert last["detail"]["sha256"] == hashlib.sha256(archive).hexdigest()
    assert last["detail"]["journal"] == old["entries"][-1]["digest"]


@pytest.mark.asyncio(loop_scope="module")
async def test_no_id_of_the_old_case_is_left_but_as_its_origin(
    ann: httpx2.AsyncClient, bob: httpx2.AsyncClient, worked: Worked
) -> None:
    """Neither in what was said, nor beside it."""
    archive = worked.archive
    there = (await bob.post(IMPORT, content=archive)).headers["location"]
    old = {
        found.decode() for content in members(archive).values() for found in re.findall(IDS.pattern.encode(), content)
    }
    seen: list[Any] = [
        (await bob.get(f"{there}{path}")).text
        for path in ("", "/messages", "/evidence", "/uploaded-files", "/record", "/report", "/ui")
    ]
    assert old
    assert not [one for one in old for text in seen if one in text]


@pytest.mark.asyncio(loop_scope="module")
async def test_an_archive_can_be_read_without_us(ann: httpx2.AsyncClient, worked: Worked) -> None:
    """By any program that knows zip: JSON, Markdown and the files as they were; the manifest's digests hold."""
    case = worked.case
    answer = await ann.get(f"{case}/export")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{case[14:]}.zip"')
    found = members(answer.content)
    manifest = json.loads(found["manifest.json"])
    assert manifest["format"] == "faultmaven-case/1"
    assert {part["path"] for part in manifest["parts"]} == set(found) - {"manifest.json"}
    for part in manifest["parts"]:
        content = found[part["path"]]
        assert (len(content), hashlib.sha256(content).hexdigest()) == (part["size"], part["sha256"])
    assert found["evidence/00001/app.log"] == LOG
    assert found["evidence/00002/übersicht.bin"] == BINARY
    assert b"OutOfMemoryError" in found["report.md"]
    assert len(found["conversation.jsonl"].splitlines()) == 2


@pytest.mark.asyncio(loop_scope="module")
async def test_an_archive_comes_in_a_form_and_once_per_key(worked: Worked) -> None:
    """Under one key there is one case, however often it is sent; another archive under it is refused."""
    archive = worked.archive
    key = {"Idempotency-Key": "import-0001"}
    form: dict[str, Any] = {
        "data": {"sha256": hashlib.sha256(archive).hexdigest()},
        "files": {"file": ("case.zip", archive)},
    }
    async with worked.client("ann") as ann, worked.client("dan") as dan:
        first, again = [await dan.post(IMPORT, headers=key, **form) for _ in range(2)]
        assert first.status_code == 201, first.text
        assert first.json() == again.json()
        newer = (await ann.get(f"{worked.case}/export")).content
        other = await dan.post(IMPORT, headers=key, content=newer)
        assert (other.status_code, other.headers["x-error-code"]) == (409, "IDEMPOTENCY_KEY_REUSE")
        wrong = await dan.post(f"{IMPORT}?sha256={'0' * 64}", content=archive)
        assert wrong.status_code == 422, wrong.text
        assert (await dan.get("/api/v1/cases")).json()["total_count"] == 1


@pytest.mark.asyncio(loop_scope="module")
async def test_only_who_may_read_all_of_a_case_takes_it_along(
    worked: Worked,
) -> None:
    """And only who may add evidence brings one in; another organization's case is none."""
    case, archive = worked.case, worked.archive
    full = principal("acme", "cy")
    for lacking, wanted in (("evidence:read", "export"), ("report:read", "export"), ("evidence:write", "import")):
        worked.people.holders["cy"] = type(full)(
            full.caller, "cy", "Cy", "", (), full.permissions - {lacking}, "sid", "", "pwd", expires_at=None
        )
        async with worked.client("cy") as cy:
            statuses = (
                (await cy.get(f"{case}/export")).status_code,
                (await cy.post(IMPORT, content=archive)).status_code,
            )
        assert statuses == ((403, 201) if wanted == "export" else (200, 403)), lacking
    worked.people.holders["vic"] = principal("acme", "vic", "viewer")
    async with worked.client("vic") as vic, worked.client("bob") as bob:
        assert (await vic.post(IMPORT, content=archive)).status_code == 403
        assert (await bob.get(f"{case}/export")).status_code == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_the_head_of_an_archive_costs_no_archive(ann: httpx2.AsyncClient, worked: Worked) -> None:
    """Only whether there is one."""
    case = worked.case
    head = await ann.head(f"{case}/export")
    assert (head.status_code, head.content) == (200, b"")
    assert (await ann.head("/api/v1/cases/case_0123456789ab/export")).status_code == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_too_large_is_refused_before_an_answer_begins(
    ann: httpx2.AsyncClient, worked: Worked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a state and a sentence, of its head too: once the first byte is on its way, neither can be told."""
    monkeypatch.setattr(limits, "MOST_TEXT", 10)
    refused = await ann.get(f"{worked.case}/export")
    assert refused.status_code == 409, refused.text
    assert "cannot be exported" in refused.json()["detail"]
    assert (await ann.head(f"{worked.case}/export")).status_code == 409
