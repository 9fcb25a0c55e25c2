"""The page on which people sign in: it leads back to the client with a code, and nobody anywhere else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import RateLimitedError
from tests.shells.http.clients.test_signing_in import PASSWORD, TOKEN, bearer, registered, signed_in

PLACE = "/auth/authorize"
BACK = "https://" + "abcdefghijklmnop" * 2 + ".chromiumapp.org/"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKED = {
    "response_type": "code",
    "client_id": "faultmaven-copilot",
    "redirect_uri": BACK,
    "state": 'x"><script>alert(1)</script>&=',
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "scope": "openid profile email cases:read cases:write knowledge:read evidence:read",
}
FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


def filled(page: httpx2.Response, answer: str, **typed: str) -> Mapping[str, str]:
    """What a browser sends of the form on the page."""
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert re.search(r'<form method="post" action="/auth/authorize">', page.text)
    return {**{name: unescape(text) for name, text in FIELD.findall(page.text)}, "answer": answer, **typed}


def told(answer: httpx2.Response) -> dict[str, str]:
    """What the client learns from the address that the browser is sent to."""
    assert answer.status_code == 302, answer.text
    place = urlsplit(answer.headers["location"])
    assert f"{place.scheme}://{place.netloc}{place.path}" == BACK
    return {name: values[0] for name, values in parse_qs(place.query, strict_parsing=True).items()}


async def test_whoever_signs_in_and_allows_is_sent_back_with_a_code(
    nobody: httpx2.AsyncClient, clock: FixedClock
) -> None:
    """The code is good for tokens of that client; the sign-in on the page is over with it."""
    tokens = await registered(nobody, clock)
    page = await nobody.get(PLACE, params=ASKED)
    form = filled(page, "allow", username="ann", password=PASSWORD)
    assert "<script" not in page.text
    back = told(await nobody.post(PLACE, data=form, headers={"Sec-Fetch-Site": "same-origin"}))
    assert (back["state"], back["iss"]) == (ASKED["state"], "http://localhost:8090")
    grant = {
        "grant_type": "authorization_code",
        "code": back["code"],
        "code_verifier": VERIFIER,
        "client_id": "faultmaven-copilot",
        "redirect_uri": BACK,
    }
    given = signed_in(await nobody.post(TOKEN, json=grant), clock)
    assert given["user_id"] == tokens["user_id"]
    assert (await nobody.get("/api/v1/cases", headers=bearer(given))).status_code == 200
    sessions = (await nobody.get("/api/v1/auth/sessions", headers=bearer(tokens))).json()["sessions"]
    assert len(sessions) == 2, "the one of the sign-up, and the client's"


async def test_whoever_does_not_allow_is_sent_back_without_one(nobody: httpx2.AsyncClient) -> None:
    """Without a password even, for nothing is given."""
    page = await nobody.get(PLACE, params=ASKED)
    back = told(await nobody.post(PLACE, data=filled(page, "deny")))
    assert back == {"error": "access_denied", "state": ASKED["state"], "iss": "http://localhost:8090"}


@pytest.mark.parametrize("typed", [{}, {"username": "ann"}, {"username": '"><b>', "password": "tr0ub4dor"}], ids=str)
async def test_whoever_cannot_sign_in_sees_the_form_again(
    nobody: httpx2.AsyncClient, clock: FixedClock, typed: dict[str, str]
) -> None:
    """With a sentence, what the client asked for, and the name; never with the password."""
    await registered(nobody, clock)
    page = await nobody.get(PLACE, params=ASKED)
    again = await nobody.post(PLACE, data=filled(page, "allow", **typed))
    assert again.status_code == 422
    assert 'role="alert"' in again.text
    assert "location" not in again.headers
    assert "<b>" not in again.text
    assert "tr0ub4dor" not in again.text
    form = filled(again, "allow", username="ann", password=PASSWORD)
    assert "code" in told(await nobody.post(PLACE, data=form))


async def test_whoever_tried_too_often_is_told_how_long_to_wait(
    fm: FaultMaven, nobody: httpx2.AsyncClient, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the page, in whole seconds; the tries are counted where all sign-ins are."""
    await registered(nobody, clock)
    form = filled(await nobody.get(PLACE, params=ASKED), "allow", username="ann", password=PASSWORD)

    async def slowed(*_: object) -> None:
        raise RateLimitedError("Too many tries: wait 7 s.", retry_after=6.2)

    monkeypatch.setattr(fm.application.identity, "login", slowed)
    answer = await nobody.post(PLACE, data=form)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert "Too many tries: wait 7 s." in answer.text
    assert filled(answer, "allow")["state"] == ASKED["state"]


@pytest.mark.parametrize(
    "different",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": BACK + "../evil"},
        {"redirect_uri": BACK.replace("https", "javascript")},
        {"redirect_uri": "//evil.example/"},
        {"redirect_uri": ""},
        {"client_id": "somebody"},
        {"response_type": "token"},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"scope": "everything"},
    ],
    ids=str,
)
async def test_a_request_that_is_not_served_leads_nowhere(
    fm: FaultMaven,
    nobody: httpx2.AsyncClient,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
    different: dict[str, str],
) -> None:
    """Neither before the form nor behind it, whatever was answered: no password is even looked at."""
    await registered(nobody, clock)
    looked_at = list[object]()

    async def looks(*given: object) -> None:
        looked_at.append(given)

    monkeypatch.setattr(fm.application.identity, "login", looks)
    answers = [await nobody.get(PLACE, params=ASKED | different)]
    for said in ("allow", "deny"):
        form = ASKED | different | {"answer": said, "username": "ann", "password": PASSWORD}
        answers.append(await nobody.post(PLACE, data=form))
    for answer in answers:
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert answer.headers["content-type"] == "application/problem+json"
    assert not looked_at


async def test_no_other_page_shows_or_sends_the_form(nobody: httpx2.AsyncClient, clock: FixedClock) -> None:
    """No frame, no script, no other target; a form from elsewhere is not taken."""
    await registered(nobody, clock)
    page = await nobody.get(PLACE, params=ASKED)
    (policy,) = page.headers.get_list("content-security-policy")
    assert dict(part.split(" ", 1) for part in policy.split("; ")) == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "form-action": f"'self' {BACK.rstrip('/')}",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in page.headers
    form = filled(page, "allow", username="ann", password=PASSWORD)
    for site in ("cross-site", "same-site"):
        refused = await nobody.post(PLACE, data=form, headers={"Sec-Fetch-Site": site})
        assert refused.status_code == 403
        assert "location" not in refused.headers


async def test_a_suspended_user_gets_no_code(nobody: httpx2.AsyncClient, clock: FixedClock) -> None:
    """The page lets in whom the sign-in lets in."""
    owner = await registered(nobody, clock)
    max_ = {"username": "max", "email": "max@example.org", "display_name": "Max", "password": PASSWORD}
    made = (await nobody.post("/api/v1/admin/users", json=max_, headers=bearer(owner))).json()
    form = filled(await nobody.get(PLACE, params=ASKED), "allow", username="max", password=PASSWORD)
    assert "code" in told(await nobody.post(PLACE, data=form))
    await nobody.post(f"/api/v1/admin/users/{made['user_id']}/disable", headers=bearer(owner))
    assert (await nobody.post(PLACE, data=form)).status_code == 422
