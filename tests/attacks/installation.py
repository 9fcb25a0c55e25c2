"""A whole installation, and two organizations in it that must know nothing of each other."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import re
import sqlite3
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from faultmaven import FaultMaven, load_settings
from faultmaven_core.cases.commands import OpenCase
from faultmaven_core.evidence.commands import AddContent
from faultmaven_core.identity import commands as c
from faultmaven_core.identity.model import Principal
from faultmaven_core.investigation.commands import Investigate
from faultmaven_core.investigation.report_commands import ListReports
from faultmaven_core.investigation.turn_commands import TakeTurn
from faultmaven_core.jobs.commands import ListJobs
from faultmaven_core.knowledge.commands import AddDocumentContent
from faultmaven_core.sessions.commands import OpenSession
from faultmaven_core.shared.clock import Clock
from faultmaven_http.app import HttpApplication, create_app

PASSWORD = "plum otter ladder 7731 quay"
PRIVATE = "zqcanary"
"""The beginning of every text that only organization A may see."""

_VECTORS = """
    select * from scopes join records using (scope) join vectors using (key) left join field_values using (scope, key)
    where organization = ?
"""

BESIDE = "quetzal"
"""A word that stands beside each of these, for whoever searches."""

_volatile = re.compile(
    rb'"(?:correlation_id|timestamp|created_at|updated_at|last_activity_at|expires_at|started_at|finished_at)":"[^"]*"'
    rb"|(?:case|msg|ev|doc|job|usr|team|inv|key)_[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:.]+Z|Case-\d{6}-\d+"
)
_addresses = itertools.count(1)


def canary(name: str) -> str:
    """A text of organization A that nobody else may ever see."""
    return f"{BESIDE} {PRIVATE}-{name}"


@dataclass(frozen=True)
class Installation:
    """An installation on SQLite in a folder of its own."""

    fm: FaultMaven
    app: HttpApplication
    home: Path

    def client(self, token: str = "", **headers: str) -> httpx2.AsyncClient:
        """A client at an address of its own, so that nobody is slowed by what others tried."""
        number = next(_addresses)
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 4000))
        given = {"Authorization": f"Bearer {token}", **headers} if token else headers
        return httpx2.AsyncClient(transport=transport, base_url="http://fm.test", headers=given)

    async def signed_up(self, name: str, **more: str) -> dict[str, Any]:
        """Tokens of a new organization's owner."""
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD, **more}
        async with self.client() as client:
            answer = await client.post("/api/v1/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def signed_in(self, name: str) -> str:
        """An access token of somebody who has PASSWORD."""
        async with self.client() as client:
            answer = await client.post("/api/v1/auth/login", json={"username": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def principal(self, token: str) -> Principal:
        """Who holds a token."""
        return await self.fm.application.identity.authenticate(token)

    def rows(self, organization: str) -> dict[str, list[str]]:
        """All that is stored of an organization: the rows of each table that names it, its vectors, and its files."""
        with closing(sqlite3.connect(f"file:{self.home / 'faultmaven.db'}?mode=ro", uri=True)) as database:
            tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
            found = {}
            for table in tables:
                columns = [column[1] for column in database.execute(f"pragma table_info('{table}')")]
                if "organization_id" in columns:
                    query = f"select * from '{table}' where organization_id = ?"
                    found[table] = sorted(repr(row) for row in database.execute(query, (organization,)))
        if (self.home / "vectors.db").exists():
            with closing(sqlite3.connect(f"file:{self.home / 'vectors.db'}?mode=ro", uri=True)) as database:
                rows = database.execute(_VECTORS, (organization,))
                found["vectors"] = sorted(repr(row) for row in rows)
        files = [path for path in self.home.rglob("*") if path.is_file() and organization in path.name]
        found["files"] = sorted(f"{path} {path.read_bytes()!r}" for path in files)
        return found

    def digests(self, organization: str) -> dict[str, str]:
        """The same in short."""
        return {
            name: f"{len(rows)} {hashlib.sha256(repr(rows).encode()).hexdigest()}"
            for name, rows in self.rows(organization).items()
        }


@dataclass
class Owned:
    """What organization A has: its owner's token, its own id, and one id of each kind by the name of its parameter."""

    token: str
    organization: str
    user: str
    ids: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)


@asynccontextmanager
async def installed(home: Path, *, clock: Clock | None = None, **settings: str) -> AsyncIterator[Installation]:
    """An open installation, by a clock of its own if one is given."""
    chosen = load_settings({"FM_HOME": str(home), "FM_RATE_LIMIT": "0", "FM_DEV_LOGIN": "off", **settings})
    overrides = [] if clock is None else [lambda binder: binder.bind(Clock, to=lambda: clock)]
    async with FaultMaven.open(chosen, overrides=overrides) as fm:
        yield Installation(fm, create_app(fm.application, chosen.http), home)


async def pieces(text: str) -> AsyncIterable[bytes]:
    """A file's content as it comes over a network."""
    yield text.encode()


LOG = "".join(f"2026-03-02T14:00:{n:02d}Z INFO served {n}\n" for n in range(30))


async def own_all(place: Installation) -> Owned:
    """Organization A, with something of everything, and a canary in each text."""
    tokens = await place.signed_up("alice", display_name=canary("display-name"))
    a = Owned(tokens["access_token"], "", tokens["user_id"])
    a.secrets = [tokens["access_token"], tokens["refresh_token"], PASSWORD]
    principal = await place.principal(a.token)
    a.organization = str(principal.caller.organization)
    await _of_identity(place, principal, a)
    await _of_a_case(place, principal, a)
    document = await place.fm.knowledge.add_content(
        AddDocumentContent(f"{PRIVATE}-document.md", "global", (f"{PRIVATE}-tag",)),
        pieces(f"# {canary('document-title')}\n\n{canary('document-text')} restarts the pod.\n"),
        principal.caller,
    )
    a.ids["document_id"] = document.documents[0]
    session = await place.fm.application.sessions.open(
        OpenSession(f"{PRIVATE}-client", metadata={"note": canary("session")}), principal.caller
    )
    a.ids["session_id"] = session.session_id
    await quiet(place, principal)
    return a


async def quiet(place: Installation, principal: Principal) -> None:
    """Wait for what goes on behind A's back: from here on only an attack could change anything."""
    async with asyncio.timeout(60):
        while await _busy(place, principal):  # noqa: ASYNC110 - nobody tells when the last job has ended
            await asyncio.sleep(0.02)


async def _busy(place: Installation, principal: Principal) -> bool:
    jobs = (await place.fm.jobs.list(ListJobs(), principal.caller)).jobs
    return any(job.state in ("queued", "waiting", "running") for job in jobs)


async def _of_identity(place: Installation, principal: Principal, a: Owned) -> None:
    identity = place.fm.application.identity
    await identity.organizations.change(c.ChangeOrganization(name=canary("organization")), principal)
    email = f"{PRIVATE}-member@example.org"
    user = await identity.users.create(
        c.CreateUser(f"{PRIVATE}-member", email, canary("member-name"), PASSWORD), principal
    )
    team = await identity.teams.create(c.CreateTeam(f"{PRIVATE}-team"), principal)
    key = await identity.api_keys.create(c.CreateApiKey(canary("api-key")), principal)
    asked = await identity.invitations.invite(c.Invite(f"{PRIVATE}-invited@example.org"), principal)
    await identity.organizations.save_role(c.SaveRole("night-shift", ("case:read",)), principal)
    a.ids |= {
        "user_id": user.user_id,
        "team_id": team.team_id,
        "api_key_id": key.api_key.api_key_id,
        "invitation_id": asked.invitation.invitation_id,
        "name": "night-shift",
    }
    a.secrets += [key.secret, asked.token]


async def _of_a_case(place: Installation, principal: Principal, a: Owned) -> None:
    app, caller = place.fm.application, principal.caller
    case = await app.cases.open(
        OpenCase(canary("question"), canary("title"), canary("description"), metadata={"k": canary("metadata")}), caller
    )
    a.ids["case_id"] = case.case_id
    added = await app.evidence.add_content(
        AddContent(case.case_id, f"{PRIVATE}-file.log", details={"source_url": f"https://{PRIVATE}-page.example.org/"}),
        pieces(LOG + f"2026-03-02T14:05:01Z ERROR {canary('evidence')} java.lang.OutOfMemoryError: Java heap space\n"),
        caller,
    )
    a.ids["evidence_id"] = a.ids["file_id"] = added.evidence_id
    async with place.client(a.token) as client:
        asked = await client.post(f"/api/v1/cases/{case.case_id}/investigations", json={"question": canary("asked")})
        upload = await client.post(
            f"/api/v1/cases/{case.case_id}/uploads", json={"name": f"{PRIVATE}-upload.log", "size": 100}
        )
    a.ids |= {"job_id": asked.json()["job_id"], "upload_id": upload.json()["upload_id"]}
    await app.investigation.investigate(Investigate(case.case_id), caller)
    await app.turns.take(TakeTurn(case.case_id, f"Why? {canary('message')}"), caller)
    a.ids["report_id"] = (await app.reporting.list(ListReports(case.case_id), caller)).reports[0].report_id


@dataclass
class Answered:
    """An answer without what differs from one request to the next."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def compared(answer: httpx2.Response, *ids: str) -> Answered:
    """What must be the same whether an id exists elsewhere or nowhere."""
    body = answer.content
    for text in ids:
        body = body.replace(text.encode(), b"<id>")
    passing = {"x-request-id", "x-correlation-id", "traceparent", "date", "content-length"}
    headers = {name: value for name, value in answer.headers.items() if name not in passing}
    for text in ids:
        headers = {name: value.replace(text, "<id>") for name, value in headers.items()}
    return Answered(answer.status_code, headers, _volatile.sub(b"<volatile>", body))
