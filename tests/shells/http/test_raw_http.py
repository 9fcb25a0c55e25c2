"""Bytes on a socket that are not quite HTTP: none is two requests, none is a 5xx, none hangs, none borrows an identity."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from starlette.types import Receive, Scope, Send

from faultmaven import load_settings
from faultmaven_core import codec
from faultmaven_http import protocol
from faultmaven_http.app import edged
from faultmaven_http.hygiene import MOST_HEADERS
from faultmaven_http.metrics import Metrics
from tests.shells.http.shell import exchanged, served

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEAD = b"Host: fm.test\r\nAuthorization: Bearer ann\r\n"
LIST = b"GET /api/v1/cases HTTP/1.1\r\n" + HEAD
END = b"Connection: close\r\n\r\n"
OPEN = b"POST /api/v1/cases HTTP/1.1\r\nContent-Type: application/json\r\n" + HEAD
SMUGGLED = b"GET /api/v1/auth/me HTTP/1.1\r\n" + HEAD + END
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def statuses(answer: bytes) -> list[int]:
    """Of all answers on a connection."""
    return [int(found) for found in _STATUS.findall(answer)]


class Seen:
    """An application that takes whatever reaches it, and says which headers it has after the body was read."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, then tell."""
        while (await receive()).get("more_body"):
            pass
        body = codec.encode([name.decode() for name, _ in scope["headers"]])
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port() -> AsyncIterator[int]:
    """The port of a server at whose edge everything is decided: what gets through is answered by 200."""
    app = edged(Seen(), load_settings({"FM_HOME": "."}).http, Metrics(), lambda: False)
    async with served(app) as opened:
        yield opened


TARGETS = {
    "dot segments": b"/api/v1/../v1/cases",
    "encoded dots": b"/api/v1/%2e%2e/v1/cases",
    "dots at the end": b"/api/v1/cases/..",
    "single dot": b"/api/v1/./cases",
    "double slash": b"/api/v1//cases",
    "double slash first": b"//api/v1/cases",
    "encoded slash": b"/api/v1%2fcases",
    "encoded slash, capitals": b"/api/v1/cases/case_1%2Fmessages",
    "encoded backslash": b"/api/v1/cases%5c..",
    "backslash": b"/api/v1\\cases",
    "NUL": b"/api/v1/cases%00",
    "control": b"/api/v1/cases%0d%0a",
    "escape": b"/api/v1/cases%1b",
    "bad UTF-8": b"/api/v1/cases/%ff",
    "overlong UTF-8": b"/api/v1/cases/%c0%af",
    "path parameters": b"/api/v1/cases;a=b",
    "encoded path parameters": b"/api/v1/cases%3Bmessages",
    "twice encoded": b"/api/v1/%252e%252e/cases",
    "broken escape": b"/api/v1/cases/%zz",
    "half an escape": b"/api/v1/cases/%2",
    "direction of reading": b"/api/v1/cases/%E2%80%AE",
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
async def test_a_path_that_could_be_read_otherwise_is_refused(port: int, target: bytes) -> None:
    """400 for everybody, before anybody is asked who he is: no two programs on the way may see two addresses."""
    for token in (b"Authorization: Bearer ann\r\n", b""):
        answer = await exchanged(port, b"GET " + target + b" HTTP/1.1\r\nHost: fm.test\r\n" + token + END)
        assert statuses(answer) == [400]


FRAMINGS = {
    "length and coding": OPEN + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "coding and length": OPEN + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two lengths": OPEN + b"Content-Length: 2\r\nContent-Length: 30\r\n\r\n{}" + SMUGGLED,
    "two equal lengths": OPEN + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + SMUGGLED,
    "list of lengths": OPEN + b"Content-Length: 2, 2\r\n\r\n{}" + SMUGGLED,
    "negative length": OPEN + b"Content-Length: -2\r\n\r\n{}" + SMUGGLED,
    "signed length": OPEN + b"Content-Length: +2\r\n\r\n{}" + SMUGGLED,
    "hexadecimal length": OPEN + b"Content-Length: 0x2\r\n\r\n{}" + SMUGGLED,
    "huge length": OPEN + b"Content-Length: 99999999999999999999\r\n\r\n{}" + SMUGGLED,
    "space before colon": OPEN + b"Content-Length : 2\r\n\r\n{}" + SMUGGLED,
    "folded header": OPEN + b"X-A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}" + SMUGGLED,
    "other coding": OPEN + b"Transfer-Encoding: gzip\r\n\r\n{}" + SMUGGLED,
    "coding twice": OPEN + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "coding in a list": OPEN + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "obscured coding": OPEN + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "coding with a tab": OPEN + b"Transfer-Encoding:\tchunked\x0b\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunk size with a sign": OPEN + b"Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n" + SMUGGLED,
    "chunk size too large": OPEN
    + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff2\r\n{}\r\n0\r\n\r\n"
    + SMUGGLED,
    "chunk without its end": OPEN + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n" + SMUGGLED,
    "chunk with a bare line feed": OPEN + b"Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n" + SMUGGLED,
    "bare line feeds": b"GET /api/v1/cases HTTP/1.1\nHost: fm.test\n\n" + SMUGGLED,
    "bare carriage return": LIST + b"X-A: b\rGET /evil HTTP/1.1\r\n" + END,
    "NUL in a header": LIST + b"X-A: a\x00b\r\n" + END,
    "header without a colon": LIST + b"rubbish\r\n" + END,
    "header without a name": LIST + b": x\r\n" + END,
    "no version": b"GET /api/v1/cases\r\n" + HEAD + END,
    "unknown version": b"GET /api/v1/cases HTTP/3.7\r\n" + HEAD + END,
    "no method": b" /api/v1/cases HTTP/1.1\r\n" + HEAD + END,
    "unknown method": b"BREW /api/v1/cases HTTP/1.1\r\n" + HEAD + END,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
}


@pytest.mark.parametrize("sent", FRAMINGS.values(), ids=FRAMINGS)
async def test_a_request_with_two_lengths_or_none_is_refused_and_what_follows_it_is_not_read(
    port: int, sent: bytes
) -> None:
    """One refusal and the end of the connection; the smuggled request is never answered."""
    answer = await exchanged(port, sent)
    assert statuses(answer) == [400], answer[:300]
    assert b"application/problem+json" in answer


HOSTS = {
    "none": b"GET /api/v1/cases HTTP/1.1\r\nAuthorization: Bearer ann\r\n",
    "two": LIST + b"Host: other.test\r\n",
    "two equal": LIST + b"Host: fm.test\r\n",
    "empty": b"GET /api/v1/cases HTTP/1.1\r\nHost: \r\n",
    "with a user": b"GET /api/v1/cases HTTP/1.1\r\nHost: a@fm.test\r\n",
    "with a path": b"GET /api/v1/cases HTTP/1.1\r\nHost: fm.test/x\r\n",
    "list": b"GET /api/v1/cases HTTP/1.1\r\nHost: fm.test, other.test\r\n",
}


@pytest.mark.parametrize("sent", HOSTS.values(), ids=HOSTS)
async def test_exactly_one_host_is_taken(port: int, sent: bytes) -> None:
    """With none or two, the next program may mean another one."""
    assert statuses(await exchanged(port, sent + END)) == [400]


async def test_good_requests_pass(port: int) -> None:
    """Without this, everything above would prove nothing. Pipelined requests are answered in order."""
    assert statuses(await exchanged(port, LIST + END)) == [200]
    body = b'{"title": "A"}'
    whole = OPEN + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    chunked = OPEN + b"Transfer-Encoding: chunked\r\n\r\n" + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    assert statuses(await exchanged(port, whole + chunked + LIST + END)) == [200, 200, 200]


async def test_a_head_over_the_limits_is_refused(port: int) -> None:
    """In number and in bytes, by 431; an endless one is not read to its end."""
    many = b"".join(b"X-%d: y\r\n" % number for number in range(MOST_HEADERS))
    assert statuses(await exchanged(port, LIST + many + END)) == [431]
    assert statuses(await exchanged(port, LIST + b"X-A: " + b"y" * (17 << 10) + b"\r\n" + END)) == [431]
    assert statuses(await exchanged(port, LIST + b"X-A: " + b"y" * (300 << 10) + b"\r\n" + END)) == [431]
    assert statuses(await exchanged(port, b"GET /" + b"y" * (9 << 10) + b" HTTP/1.1\r\n" + HEAD + END)) == [414]


async def test_an_endless_head_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that grows for ever, nor one that does not come (a slow loris)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(LIST + b"X-A: " + b"y" * (200 << 10))
    async with asyncio.timeout(30):
        assert statuses(await reader.read()) == [431]
    writer.close()
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HT")
    async with asyncio.timeout(30):
        assert statuses(await reader.read()) == [408]
    writer.close()


FORGERIES = {
    "as it is": b"X-User-ID: root\r\n",
    "another case": b"x-uSeR-iD: root\r\n",
    "underscores": b"X_User_ID: root\r\n",
    "repeated": b"X-User-ID: ann\r\nX-User-ID: root\r\n",
    "named in Connection": b"Connection: X-User-ID\r\nX-User-ID: root\r\n",
    "roles": b"X-User-Roles: admin,owner\r\n",
    "organization": b"X-Org-ID: other\r\nX-Organization-ID: other\r\n",
    "ours": b"X-FM-Principal: root\r\n",
    "mail": b"X-Email-Verified: true\r\n",
    "address": b"X-Forwarded-For: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\nX-Real-IP: 10.0.0.1\r\n",
    "host": b"X-Forwarded-Host: evil.example\r\nX-Original-URL: /metrics\r\nX-Original-Host: evil.example\r\n",
    "method": b"X-HTTP-Method-Override: DELETE\r\nX-Method-Override: DELETE\r\n",
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
async def test_no_service_sees_a_header_that_only_an_edge_may_set(port: int, forged: bytes) -> None:
    """In any spelling, repeated, or said to be for one hop."""
    answer = await exchanged(port, LIST + forged + END)
    assert statuses(answer) == [200]
    names = set(codec.decode(list[str], answer.rpartition(b"\r\n\r\n")[2]))
    assert names <= {"host", "authorization", "connection"}


async def test_no_header_comes_behind_the_body(port: int) -> None:
    """As a trailer of a chunked body, which servers merge into the head."""
    trailers = b"0\r\nX-User-ID: root\r\nAuthorization: Bearer bob\r\nX-Later: 1\r\n\r\n"
    sent = OPEN + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n" + trailers
    names = codec.decode(list[str], (await exchanged(port, sent)).rpartition(b"\r\n\r\n")[2])
    assert sorted(names) == ["authorization", "connection", "content-type", "host", "transfer-encoding"]


async def test_connection_cannot_take_away_what_counts(port: int) -> None:
    """Else a client could hide the origin or the length of its request from us and not from others."""
    answer = await exchanged(
        port, LIST + b"Origin: https://evil.example\r\nConnection: close, origin, authorization, host\r\n\r\n"
    )
    names = set(codec.decode(list[str], answer.rpartition(b"\r\n\r\n")[2]))
    assert {"origin", "authorization", "host"} <= names
