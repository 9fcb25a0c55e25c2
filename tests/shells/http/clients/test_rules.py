"""Rules that hold for every request of every client, asked of every endpoint that there is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from faultmaven import FaultMaven
from faultmaven_adapters.sql.memory import MemoryCaseUnit
from faultmaven_core.cases.turn_commands import KeepTurn, TurnKept
from faultmaven_core.shared import errors
from faultmaven_core.shared.caller import Caller
from faultmaven_http.app import create_app
from faultmaven_http.errors import status_of, told
from tests.attacks.every_request import ANY_ID, ENDPOINTS, ask, request, title
from tests.attacks.installation import Installation, Owned, installed, own_all
from tests.shells.http.clients.fields import TEXT, TIME, check
from tests.shells.http.shell import Made, Table, client_of, principal

PROBLEM = {
    "type": "about:blank",
    "title": TEXT,
    "status": int,
    "detail": TEXT,
    "message": TEXT,
    "error": re.compile(r"[a-z_]+"),
    "error_type": TEXT,
    "code": (re.compile(r"[A-Z_]+"), ""),
    "status_code": int,
    "errors": [{"loc": [str], "msg": TEXT, "type": TEXT}],
    "correlation_id": TEXT,
    "timestamp": TIME,
    "retry_after": int,
    "error_description": str,
}
LOOKS_LIKE_A_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")
IN_AN_ADDRESS = re.compile(r"[A-Za-z0-9._~-]+")
DEAD_SESSION = ("session expired", "session not found")
EXTENSION = "chrome-extension://" + "abcdefghijklmnop" * 2
SENT = (
    "Authorization Content-Type Accept X-Session-Id Idempotency-Key X-User-ID X-User-Roles X-Request-ID X-Correlation-ID "
    "Prefer If-Match If-None-Match Range If-Range Content-Digest Repr-Digest Upload-Length Upload-Offset Upload-Metadata "
    "Tus-Resumable"
)
OF_IDENTITY = {"api-key", "auth", "invitation", "member", "oauth", "password", "team", "user"}
PASSED_OVER = {
    *("case.search", "evidence.link", "evidence.search", "knowledge.search", "report.write"),
    *("job.cancel", "job.retry", "session.keep", "session.open", "upload.begin"),
}
"""POSTs that pass over a request key, beside those that are about who one is."""
UNDER_WAY = {"GET /api/v1/jobs/{job_id}", "GET /api/v1/cases/{case_id}/reports/{report_id}/download"}
"""What a job may still be at work on: it is then 202, or a report of a newer record has taken its place."""
READ = (
    "Location Retry-After x-error-code x-expected-version x-actual-version x-title-source X-Request-ID X-Correlation-ID "
    "X-RateLimit-Limit X-RateLimit-Remaining X-RateLimit-Reset X-Total-Count Link"
)


@dataclass(frozen=True)
class Asked:
    """What was answered to all requests: `refused` ones, and `good` ones of somebody who owns one thing of each kind."""

    place: Installation
    owned: Owned
    refused: Mapping[str, httpx2.Response]
    good: Mapping[str, httpx2.Response]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asked]:
    """Every endpoint, asked without a token and for what does not exist; and all that only reads, for what there is."""
    home = tmp_path_factory.mktemp("rules") / "home"
    async with installed(home, FM_DATABASE_URL="memory:", FM_BLOBS_URL="memory:") as place:
        owned = await own_all(place)
        refused, good = {}, {}
        for endpoint in ENDPOINTS:
            named = title(endpoint)
            async with place.client() as nobody, place.client(owned.token) as owner:
                refused[f"{named} by nobody"] = await ask(nobody, request(endpoint, ANY_ID))
                if "{" in endpoint.path:
                    refused[f"{named} for nothing"] = await ask(owner, request(endpoint, ANY_ID))
                if endpoint.method == "GET" and "authorize" not in endpoint.path:
                    good[named] = await ask(owner, request(endpoint, owned.ids))
        yield Asked(place, owned, refused, good)


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_redirects(asked: Asked) -> None:
    """On the way a token and a body would be lost; a slash too many is nowhere."""
    for named, answer in {**asked.refused, **asked.good}.items():
        assert not 300 <= answer.status_code < 400, named
    async with asked.place.client(asked.owned.token) as owner:
        for path in sorted({endpoint.path for endpoint in ENDPOINTS}):
            answer = await owner.get(path.format_map(asked.owned.ids) + "/")
            assert answer.status_code == 404, path


@pytest.mark.asyncio(loop_scope="module")
async def test_every_error_has_one_body(asked: Asked) -> None:
    """Whatever is refused, each client finds its members; none of them tells a dead session by mistake."""
    failed = {named: answer for named, answer in asked.refused.items() if answer.status_code >= 400}
    assert len(failed) > len(ENDPOINTS)
    for named, answer in failed.items():
        assert answer.headers["content-type"] == "application/problem+json", named
        body = answer.json()
        check(body, PROBLEM)
        assert body["detail"] == body["message"], named
        assert body["status"] == body["status_code"] == answer.status_code, named
        assert body["correlation_id"] == answer.headers["x-request-id"], named
        if body["code"] != "SESSION_EXPIRED":
            assert not any(text in body["detail"].lower() for text in DEAD_SESSION), named


@pytest.mark.asyncio(loop_scope="module")
async def test_every_good_answer_is_json(asked: Asked) -> None:
    """But for files, reports and numbers, which no client reads."""
    files = {title(endpoint) for endpoint in ENDPOINTS if endpoint.answer is None or endpoint.media}
    other = {named for named, answer in asked.good.items() if answer.status_code != 200}
    assert other <= UNDER_WAY, [(named, asked.good[named].text) for named in other]
    assert {asked.good[named].status_code for named in other} <= {202, 404}
    assert len(asked.good) > 40
    for named, answer in asked.good.items():
        if answer.status_code == 200 and named not in files:
            assert answer.headers["content-type"].startswith("application/json"), named
            assert isinstance(answer.json(), dict | list), named


@pytest.mark.asyncio(loop_scope="module")
async def test_every_time_is_utc(asked: Asked) -> None:
    """With a Z, as the date parsers of browsers take it; a text that somebody wrote is not one."""
    times = 0
    for named, answer in asked.good.items():
        if "json" in answer.headers["content-type"]:
            for name, text in members(answer.json()):
                if LOOKS_LIKE_A_TIME.fullmatch(text) and name.endswith(("_at", "_from", "_to", "time", "activity")):
                    assert TIME.fullmatch(text), (named, name, text)
                    times += 1
    assert times > 20


@pytest.mark.asyncio(loop_scope="module")
async def test_ids_are_safe_in_addresses(asked: Asked) -> None:
    """Clients put them there as they are; a case is known by its first letters."""
    assert re.fullmatch(r"case_[0-9a-f]{12}", asked.owned.ids["case_id"])
    for name, text in asked.owned.ids.items():
        assert IN_AN_ADDRESS.fullmatch(text), name
    for named, answer in asked.good.items():
        if "json" in answer.headers["content-type"]:
            for name, text in members(answer.json()):
                if name.endswith("_id") and text and name not in ("client_id", "evidence_need_id"):
                    assert IN_AN_ADDRESS.fullmatch(text), (named, name, text)


@pytest.mark.asyncio(loop_scope="module")
async def test_every_list_is_a_list_when_it_is_empty(asked: Asked) -> None:
    """For somebody who has nothing yet: `[]`, and never null or absent."""
    tokens = await asked.place.signed_up("newcomer")
    lists = 0
    async with asked.place.client(tokens["access_token"]) as newcomer:
        opened = (await newcomer.post("/api/v1/cases", json={"title": None})).json()["case_id"]
        described = (await newcomer.get("/openapi.json")).json()
        for endpoint in ENDPOINTS:
            names = [part for part in endpoint.path.split("/") if part.startswith("{")]
            if endpoint.method != "GET" or endpoint.answer is None or names not in ([], ["{case_id}"]):
                continue
            if "authorize" in endpoint.path:
                continue
            answer = await ask(newcomer, request(endpoint, ANY_ID | {"case_id": opened}))
            if answer.status_code == 200:
                lists += _lists(described, endpoint.answer.__name__, answer.json())
    assert lists > 15


def _lists(described: dict[str, Any], shape: str, body: Any) -> int:
    """How many of a body's members are described as lists; all of them are."""
    schema = described["components"]["schemas"].get(shape, {})
    names = [name for name, kind in schema.get("properties", {}).items() if kind.get("type") == "array"]
    for name in names:
        assert isinstance(body[name], list), (shape, name)
    return len(names)


@pytest.mark.asyncio(loop_scope="module")
async def test_lists_count_by_both_names(asked: Asked) -> None:
    """Some clients read `total_count`, older ones `total`."""
    for path in ("cases", "documents", "admin/kb/documents", "knowledge/documents", "sessions"):
        body = asked.good[f"GET /api/v1/{path}"].json()
        assert body["total_count"] == body["total"]
        assert type(body["total"]) is int


@pytest.mark.asyncio(loop_scope="module")
async def test_a_type_without_a_body_is_legal_everywhere(asked: Asked) -> None:
    """The extension says application/json on all it sends, also where it sends nothing."""
    typed = {"Content-Type": "application/json"}
    for endpoint in ENDPOINTS:
        if endpoint.method in ("GET", "DELETE") and endpoint.permission:
            async with asked.place.client(asked.owned.token) as owner:
                path = endpoint.path.format_map(ANY_ID)
                plain = await owner.request(endpoint.method, path)
                answer = await owner.request(endpoint.method, path, headers=typed)
            assert answer.status_code == plain.status_code, title(endpoint)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_request_key_is_described_where_it_counts(asked: Asked) -> None:
    """Who one is, what only reads and what sends in parts takes none; every other POST reads its key before it does anything."""
    without, short = set(), {"Idempotency-Key": "short"}
    async with asked.place.client(asked.owned.token, **short) as owner:
        document = (await owner.get("/openapi.json")).json()
        for endpoint in (one for one in ENDPOINTS if one.method == "POST" and one.permission and not one.alias):
            named = {part["name"] for part in document["paths"][endpoint.path]["post"].get("parameters", ())}
            if "Idempotency-Key" not in named:
                without.add(endpoint.name)
                continue
            answer = await ask(owner, request(endpoint, asked.owned.ids))
            assert answer.status_code == 422, (endpoint.name, answer.text)
            assert answer.json()["errors"][0]["loc"] == ["Idempotency-Key"], endpoint.name
    assert {name for name in without if name.partition(".")[0] not in OF_IDENTITY} == PASSED_OVER


@pytest.mark.asyncio(loop_scope="module")
async def test_a_cookie_means_nothing(asked: Asked) -> None:
    """Browsers send what others have set; none is set, and a token in one is none."""
    for answer in (*asked.refused.values(), *asked.good.values()):
        assert "set-cookie" not in answer.headers
    async with asked.place.client() as nobody:
        cookie = {"Cookie": f"access_token={asked.owned.token}; Authorization=Bearer {asked.owned.token}"}
        assert (await nobody.get("/api/v1/cases", headers=cookie)).status_code == 401


def members(body: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Each text of a body, with the name of the member that it stands in."""
    if isinstance(body, dict):
        for inner, value in body.items():
            yield from members(value, inner)
    elif isinstance(body, list):
        for value in body:
            yield from members(value, name)
    elif isinstance(body, str):
        yield name, body


async def preflight(client: httpx2.AsyncClient, path: str, method: str) -> httpx2.Response:
    """What a browser asks before it asks."""
    headers = {
        "Origin": EXTENSION,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": SENT.lower().replace(" ", ","),
    }
    return await client.options(path, headers=headers)


async def test_a_preflight_of_every_address_is_answered(made: Made) -> None:
    """Without a token, often, and for ten minutes: the extension asks before each GET too."""
    async with client_of(made(rate=1)) as client:
        for endpoint in ENDPOINTS:
            answer = await preflight(client, endpoint.path.format_map(ANY_ID), endpoint.method)
            assert answer.status_code == 200, title(endpoint)
            assert answer.headers["access-control-allow-origin"] == EXTENSION
            assert int(answer.headers["access-control-max-age"]) >= 600
            methods = [name.strip() for name in answer.headers["access-control-allow-methods"].split(",")]
            assert endpoint.method in methods


async def test_every_header_that_clients_send_may_be_sent(made: Made) -> None:
    """One that is missing here stops the request in the browser."""
    async with client_of(made()) as client:
        answer = await preflight(client, "/api/v1/cases", "POST")
    taken = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert set(SENT.lower().split()) <= taken
    methods = {name.strip() for name in answer.headers["access-control-allow-methods"].split(",")}
    assert methods == {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


async def test_every_header_that_clients_read_is_shown(ann: httpx2.AsyncClient) -> None:
    """On good answers and on refusals; what is not named is not there for a page."""
    for path in ("/api/v1/cases", "/api/v1/cases/case_0", "/nowhere"):
        answer = await ann.get(path, headers={"Origin": EXTENSION})
        shown = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
        assert set(READ.lower().split()) <= shown
        assert answer.headers["access-control-allow-credentials"] == "true"


def _tree(kind: type[errors.FaultMavenError]) -> Iterator[type[errors.FaultMavenError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


def test_no_failure_behind_us_is_a_401() -> None:
    """Nor a 402: a model or a store that refuses our own credentials must sign nobody out."""
    for kind in _tree(errors.FaultMavenError):
        status = status_of(kind)
        assert (status == 401) == issubclass(kind, errors.UnauthenticatedError), kind
        assert (status == 402) == issubclass(kind, errors.QuotaExceededError), kind
    answer = told(errors.BackendRefusedError("401 invalid api key"), "id")
    assert answer.status == 503
    assert b"401" not in answer.body


async def test_a_turn_is_404_only_where_the_case_is_gone(ann: httpx2.AsyncClient, made: Made) -> None:
    """The agent forgets its case then; whatever else a turn names that is not there, the case is."""
    turns = f"/api/v1/cases/{(await ann.post('/api/v1/cases', json={})).json()['case_id']}/turns"
    for intent, data in (
        ("hypothesis_action", '{"hypothesis_id": "hyp_0", "action": "validate"}'),
        ("file_reclassification", '{"evidence_id": "ev_000000000000", "kind": "logs"}'),
        ("file_reclassification", '{"file_id": "ev_000000000000", "data_type": "logs"}'),
        ("confirmation", '{"confirmation_value": true}'),
        ("evidence_need", '{"evidence_need_id": "need_0"}'),
        ("status_transition", '{"from_state": "investigating", "to_state": "resolved", "user_confirmed": true}'),
    ):
        form = {"query": "So be it", "intent_type": intent, "intent_data": data}
        answer = await ann.post(turns, data=form)
        assert answer.status_code in (200, 409, 422), (intent, answer.text)
    async with client_of(made(), "bob") as bob:
        assert (await bob.post(turns, data={"query": "Mine?"})).status_code == 404
    assert (await ann.delete(turns.removesuffix("/turns"))).status_code == 204
    assert (await ann.post(turns, data={"query": "Still there?"})).status_code == 404


async def test_what_is_wrong_is_said_in_words(ann: httpx2.AsyncClient) -> None:
    """A sentence in `detail`, never a list and never a trace; fields beside it."""
    json, text = {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}
    sent: dict[str, Any]
    for sent, status in (
        ({"method": "POST", "url": "/api/v1/cases", "content": b"{", "headers": json}, 400),
        ({"method": "POST", "url": "/api/v1/cases", "content": b"x", "headers": text}, 415),
        ({"method": "POST", "url": "/api/v1/cases", "json": {"priority": "urgent"}}, 422),
        ({"method": "POST", "url": "/api/v1/cases", "json": {"title": "x" * (2 << 20)}}, 413),
        ({"method": "POST", "url": "/api/v1/sessions", "json": {"client_id": "a", "timeout_minutes": 1}}, 422),
        ({"method": "GET", "url": "/api/v1/cases?limit=none"}, 422),
        ({"method": "POST", "url": "/api/v1/documents/upload", "data": {"title": "x"}}, 422),
    ):
        answer = await ann.request(**sent)
        assert answer.status_code == status, (sent, answer.text)
        check(answer.json(), PROBLEM)
        assert answer.json()["detail"].endswith(".")
        assert bool(answer.json()["errors"]) == (status == 422)


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (errors.BackendUnavailableError("away"), 503),
        (errors.BackendRefusedError("refused"), 503),
        (errors.AmbiguousError("perhaps"), 504),
        (errors.DeadlineExceededError("late"), 504),
        (errors.BackendError("strange"), 502),
        (RuntimeError("a fault of ours"), 500),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_turn_tells_whether_it_may_have_been_taken(
    fm: FaultMaven, people: Table, monkeypatch: pytest.MonkeyPatch, failure: Exception, status: int
) -> None:
    """502 and 504: do not send it again, look first; 500 and 503: nothing was kept."""
    keep = fm.application.cases.keep_turn

    async def fails(_: object) -> None:
        raise failure

    async def begun(command: KeepTurn, caller: Caller) -> TurnKept:
        with monkeypatch.context() as patch:
            patch.setattr(MemoryCaseUnit, "commit", fails)
            return await keep(command, caller)

    app = create_app(fm.application, fm.settings.http, authenticator=people)
    async with client_of(app, "ann") as ann:
        opened = (await ann.post("/api/v1/cases", json={})).json()["case_id"]
        monkeypatch.setattr(fm.application.cases, "keep_turn", begun)
        answer = await ann.post(f"/api/v1/cases/{opened}/turns", data={"query": "Why?"})
        assert answer.status_code == status
        check(answer.json(), PROBLEM | {"errors": []})
        assert (await ann.get(f"/api/v1/cases/{opened}/messages")).json()["total_count"] == 0


async def test_a_role_is_of_the_token_alone(made: Made, people: Table) -> None:
    """The dashboard tells who its user is and which roles he has; nobody listens."""
    people.holders["ann"] = replace(principal("acme", "ann"), roles=("member",))
    claims = {"X-User-ID": "root", "X-User-Roles": "admin,platform_admin"}
    async with client_of(made(), "ann", **claims) as ann:
        assert (await ann.get("/api/v1/admin/kb/documents")).status_code == 403
        assert (await ann.post("/api/v1/cases", json={})).json()["owner_id"] == "ann"
