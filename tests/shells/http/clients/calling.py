"""The clients of FaultMaven, as far as a server meets them: what they send, what they see, and what they do about it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2
from starlette.types import ASGIApp

from faultmaven_core.shared.clock import FixedClock
from tests.shells.http.shell import served

EXTENSION = "chrome-extension://" + "abcdefghijklmnop" * 2
DASHBOARD = "http://localhost:3333"
PROFILE = "0b2f6a54-6c2f-4f43-9d39-7d1b6f0a1c11"
SEEN_ANYWAY = {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified"}
SIMPLE_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
LONGEST_WAIT, NEAR = 120, 300
"""Seconds: what the extension waits by itself, and how long before its end it renews a token."""
JSON = {"Content-Type": "application/json"}


class NetworkError(Exception):
    """All that a page learns of an answer that it may not read."""


@dataclass(frozen=True)
class Seen:
    """What a page sees of an answer: of its headers only those that it is shown."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """The JSON in it."""
        assert self.headers["content-type"] in ("application/json", "application/problem+json")
        return json.loads(self.content)


@dataclass
class Page:
    """A page of a browser, without any permission but those that the server gives it (the Fetch standard, 3.2)."""

    server: httpx2.AsyncClient
    origin: str
    clock: FixedClock
    calls: list[tuple[str, str, int]] = field(default_factory=list)

    async def fetch(self, method: str, path: str, headers: Mapping[str, str], **sent: Any) -> Seen:
        """An answer that the page may read. Raises NetworkError for any other."""
        self.clock.advance(timedelta(seconds=1))
        await self._ask_first(method, path, headers)
        answer = await self.server.request(method, path, headers={**headers, "Origin": self.origin}, **sent)
        self._require(answer)
        if 300 <= answer.status_code < 400:
            raise NetworkError
        self.calls.append((method, path, answer.status_code))
        shown = SEEN_ANYWAY | {name.strip().lower() for name in _header(answer, "expose-headers").split(",")}
        return Seen(answer.status_code, {k: v for k, v in answer.headers.items() if k in shown}, answer.content)

    async def _ask_first(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        own = sorted(name.lower() for name, value in headers.items() if not _is_simple(name, value))
        if not own and method in ("GET", "HEAD", "POST"):
            return
        asking = {"Origin": self.origin, "Access-Control-Request-Method": method}
        asking["Access-Control-Request-Headers"] = ",".join(own)
        answer = await self.server.options(path, headers=asking)
        self._require(answer)
        taken = {name.strip().lower() for name in _header(answer, "allow-headers").split(",")}
        methods = {name.strip() for name in _header(answer, "allow-methods").split(",")}
        if not answer.is_success or not set(own) <= taken or method not in methods:
            raise NetworkError

    def _require(self, answer: httpx2.Response) -> None:
        told = _header(answer, "allow-origin"), _header(answer, "allow-credentials")
        if told != (self.origin, "true"):
            raise NetworkError


def _header(answer: httpx2.Response, name: str) -> str:
    return str(answer.headers.get(f"access-control-{name}", ""))


def _is_simple(name: str, value: str) -> bool:
    return name.lower() == "accept" or (name.lower() == "content-type" and value.startswith(SIMPLE_TYPES))


@dataclass
class Extension:
    """The browser extension: its tokens, its session, and what it does when something is refused."""

    page: Page
    tokens: dict[str, Any] = field(default_factory=dict)
    session: str = ""
    sent: int = 0

    async def call(self, method: str, path: str, *, key: str = "", **sent: Any) -> Seen:
        """An answer, after the waits and repetitions that the extension makes by itself."""
        made = JSON | ({"Idempotency-Key": self.key(key)} if key else {})
        return await self.repeated(method, path, made, **sent)

    async def turn(self, case_id: str, *, key: str = "", files: Any = None, **form: str) -> Seen:
        """A turn, always as multipart; pressed again by its user it has the key of before."""
        parts: dict[str, Any] = {name: (None, text) for name, text in form.items()}
        made = httpx2.Request("POST", "http://fm.test/", files=parts | ({"files": files} if files else {}))
        headers = {"Content-Type": made.headers["content-type"], "Idempotency-Key": key or self.key("msg")}
        return await self.repeated("POST", f"/api/v1/cases/{case_id}/turns", headers, content=made.read())

    async def repeated(self, method: str, path: str, headers: Mapping[str, str], **sent: Any) -> Seen:
        """The same again after a short wait, and in a new session where the old one is over."""
        for _ in range(4):
            seen = await self.page.fetch(method, path, {**self.headers(), **headers}, **sent)
            if seen.status == 401 and _is_dead_session(seen.body):
                self.session = ""
                await self.begin()
            elif seen.status == 429 and int(seen.headers["retry-after"]) <= LONGEST_WAIT:
                self.page.clock.advance(timedelta(seconds=int(seen.headers["retry-after"])))
            else:
                break
        return seen

    def headers(self) -> dict[str, str]:
        """Who it is, and in which session."""
        given = {"Authorization": f"Bearer {self.tokens['access_token']}"} if self.tokens else {}
        return {**given, "X-Session-Id": self.session} if self.session else given

    def key(self, kind: str) -> str:
        """A request key, of the time and a counter that begins anew with the panel."""
        self.sent += 1
        return f"opt_{kind}_{round(self.page.clock.now().timestamp() * 1000)}_{self.sent}"

    async def begin(self) -> Seen:
        """Begin a session, or try to."""
        wish = {"client_id": PROFILE, "session_type": "troubleshooting", "timeout_minutes": 180}
        seen = await self.page.fetch("POST", "/api/v1/sessions", {**self.headers(), **JSON}, json=wish)
        if seen.status in (200, 201):
            self.session = seen.body["session_id"]
        return seen

    async def sign_in(self, username: str, password: str) -> Seen:
        """By the password form."""
        body = {"username": username, "password": password}
        seen = await self.page.fetch("POST", "/api/v1/auth/login", JSON, json=body)
        if seen.status == 200:
            self.tokens = seen.body
        return seen

    async def renew(self) -> None:
        """What it does before a request, where its token ends within five minutes."""
        left = self.tokens["expires_at"] / 1000 - self.page.clock.now().timestamp()
        if left < NEAR:
            assert (await self.page.fetch("GET", "/api/v1/auth/config", JSON)).body["auth_mode"] == "local"
            body = {"refresh_token": self.tokens["refresh_token"]}
            seen = await self.page.fetch("POST", "/api/v1/auth/refresh", JSON, json=body)
            self.tokens = self.tokens | seen.body


def _is_dead_session(body: Mapping[str, Any]) -> bool:
    text = body["detail"].lower()
    return body["code"] == "SESSION_EXPIRED" or "session expired" in text or "session not found" in text


@asynccontextmanager
async def page_of(app: ASGIApp, origin: str, clock: FixedClock) -> AsyncIterator[Page]:
    """A page of that origin, and the application behind a socket of this machine."""
    async with served(app) as port, httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120.0) as server:
        yield Page(server, origin, clock)
