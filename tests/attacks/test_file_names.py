"""Names that people give to files, sent in every way that a file comes in: text everywhere, a path nowhere."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
import pytest
import pytest_asyncio

from faultmaven_core.shared.file_names import file_name
from tests.attacks.installation import Installation, installed
from tests.unit.shared.test_file_names import CORPUS, harmless

pytestmark = pytest.mark.asyncio(loop_scope="module")

SENT = [name for name in CORPUS if name and not re.search("[\ud800-\udfff]", name)]
"""Halves of pairs and nothing at all are no text in UTF-8, so no request can say them."""

TOGETHER = 10
_DISPOSITION = re.compile(r"attachment; filename=\"([ -!#-~]*)\"; filename\*=UTF-8''([A-Za-z0-9%._~-]+)")
_OURS = re.compile(r"org_[0-9a-f]{12}\+[a-z+]*[0-9a-f]{32}(?:\+[0-9a-f]{32})?\.blob|(?:faultmaven|vectors)\.db.*")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation whose files are files."""
    async with installed(tmp_path_factory.mktemp("names") / "home", FM_DATABASE_URL="memory:") as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ann(place: Installation) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody who has signed up."""
    tokens = await place.signed_up("ann")
    async with place.client(tokens["access_token"]) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def case(ann: httpx2.AsyncClient) -> str:
    """The address of a case of hers."""
    return f"/api/v1/cases/{(await ann.post('/api/v1/cases', json={'title': 'Names'})).json()['case_id']}"


def form(field: str, *names: str, **texts: str) -> dict[str, Any]:
    """A form with a file of each name, written as plainly as a careless program does."""
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in texts.items()]
    for number, name in enumerate(names):
        told = name.replace("\\", "\\\\").replace('"', '\\"')
        told = told.replace("\r", "%0D").replace("\n", "%0A")
        said = f"line {number} of {name!a}"  # another content for each, for of the same only one is kept
        parts.append(f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="{told}"\r\n\r\n{said}\r\n')
    content = "".join([*parts, "--b--\r\n"]).encode()
    return {"content": content, "headers": {"Content-Type": "multipart/form-data; boundary=b"}}


def strangers(home: Path) -> list[str]:
    """Files that we did not name, within the installation and beside it."""
    found = [path for path in home.parent.rglob("*") if path.is_file() and path.parent != home / "keys"]
    return [str(path) for path in found if not _OURS.fullmatch(path.name) or home not in path.parents]


def names_in(value: object) -> Iterator[str]:
    """What an answer calls files, wherever it says so."""
    if isinstance(value, Mapping):
        yield from (str(told) for name, told in value.items() if name in ("name", "filename") and told)
        for inner in value.values():
            yield from names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_in(inner)


async def check(client: httpx2.AsyncClient, address: str) -> str:
    """The name that is kept, after a look at it and at the head of its download."""
    name = str((await client.get(address)).json()["item"]["name"])
    assert harmless(name), name
    head = (await client.head(f"{address}/content")).headers["content-disposition"]
    told = _DISPOSITION.fullmatch(head)
    assert told is not None, head
    assert unquote(told.group(2)) == name
    assert not set(told.group(1)) & set('/\\:;"')
    return name


async def test_in_forms(place: Installation, ann: httpx2.AsyncClient, case: str) -> None:
    """U-2: taken under a harmless name, or refused as no form."""
    assert len(SENT) >= 200
    taken = 0
    for name in SENT:
        answer = await ann.post(f"{case}/evidence", **form("file", name))
        assert answer.status_code in (201, 400, 422), (name, answer.text)
        if answer.status_code == 201:
            assert harmless(answer.json()["name"]), name
            taken += 1
    assert taken > len(SENT) * 0.9
    assert strangers(place.home) == []


async def test_in_uploads_by_parts(place: Installation, ann: httpx2.AsyncClient, case: str) -> None:
    """U-2: where any name at all can be said, each is kept as its harmless form, and goes out as that."""
    for name in SENT:
        told = {"Upload-Length": "1", "Upload-Metadata": f"filename {base64.b64encode(name.encode()).decode()}"}
        begun = await ann.post(f"{case}/uploads", headers=told)
        assert begun.status_code == 201, (name, begun.text)
        part = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
        done = await ann.patch(begun.headers["location"], content=b"x", headers=part)
        assert done.status_code == 204, (name, done.text)
        assert await check(ann, done.headers["location"]) == file_name(name)
    assert strangers(place.home) == []


async def test_in_turns_of_a_conversation(place: Installation, ann: httpx2.AsyncClient, case: str) -> None:
    """U-2: ten at once; what the answer says of them is harmless too."""
    said = []
    printable = [name for name in SENT if name.isprintable()][::2]
    for number in range(0, len(printable), TOGETHER):
        names = printable[number : number + TOGETHER]
        answer = await ann.post(f"{case}/turns", **form("files", *names, query="What are these?"))
        assert answer.status_code in (200, 400, 422), (names, answer.text)
        said += list(names_in(answer.json().get("attachments_processed", [])))
    assert len(said) > 50
    assert [name for name in said if not harmless(name)] == []
    assert strangers(place.home) == []


async def test_as_documents(place: Installation, ann: httpx2.AsyncClient) -> None:
    """U-2: names and titles of runbooks, of which the name that is kept is made."""
    names = SENT[::4]
    taken = 0
    for name in names:
        answer = await ann.post("/api/v1/documents/upload", **form("file", f"{name}.md", title=name[:200]))
        assert answer.status_code in (201, 400, 422), (name, answer.text)
        if answer.status_code == 201:
            title, kept = answer.json()["metadata"]["file_name"].split("/")
            assert harmless(title), name
            assert harmless(kept), name
            taken += 1
    assert taken > len(names) * 0.9
    assert strangers(place.home) == []
