"""Authorization codes with PKCE: one use, one client, one redirect, one minute."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from faultmaven_contract_tests.identity_installation import ELSEWHERE, HOME, People
from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.credentials import as_text
from faultmaven_core.identity.model import Principal
from faultmaven_core.identity.oauth import OAuthError
from faultmaven_core.identity.policy import IdentityPolicy
from faultmaven_core.shared.errors import InvalidInputError, UnauthenticatedError

CLIENT, REDIRECT = "faultmaven-copilot", f"https://{'a' * 32}.chromiumapp.org/"
VERIFIER = "v" * 64
CHALLENGE = as_text(hashlib.sha256(VERIFIER.encode()).digest())
SCOPE = "openid profile email cases:read cases:write knowledge:read evidence:read"

ASKED = c.Authorize("code", CLIENT, REDIRECT, CHALLENGE, "S256", SCOPE, "state-1")
AGREED = c.Consent(True, CLIENT, REDIRECT, CHALLENGE, "S256", SCOPE, "state-1")


async def coded(people: People, principal: Principal, command: c.Consent = AGREED) -> c.Exchange:
    """What a client sends for the code that it got."""
    granted = await people.service.oauth.consent(command, principal)
    return c.Exchange(granted.code, VERIFIER, CLIENT, REDIRECT)


async def refused(people: People, command: c.Exchange, error: str = "invalid_grant") -> None:
    """In OAuth's own words."""
    with pytest.raises(OAuthError) as raised:
        await people.service.oauth.exchange(command, ELSEWHERE)
    assert raised.value.error == error


async def test_a_client_gets_tokens_of_its_own_by_consent(people: People) -> None:
    """T-11: within its scope, with a session of its own."""
    principal = await people.principal(await people.sign_up("ann"))
    shown = await people.service.oauth.authorize(ASKED, principal)
    assert isinstance(shown, v.ConsentView)
    assert (shown.client_id, shown.scope, shown.user.username) == (CLIENT, SCOPE, "ann")
    granted = await people.service.oauth.consent(AGREED, principal)
    assert (granted.state, granted.redirect_uri, granted.iss) == ("state-1", REDIRECT, "https://fm.example")
    assert granted.code not in repr(granted)
    pair = await people.service.oauth.exchange(c.Exchange(granted.code, VERIFIER, CLIENT, REDIRECT), ELSEWHERE)
    client = await people.principal(pair)
    assert (client.caller, client.client_id, client.method) == (principal.caller, CLIENT, "oauth")
    assert client.sid != principal.sid
    assert client.may("case:write")
    assert not client.may("user:write")
    assert not client.may("knowledge:write")
    assert pair.scope == SCOPE


async def test_its_refresh_token_is_for_this_client_alone(people: People) -> None:
    """T-7: and keeps the scope."""
    principal = await people.principal(await people.sign_up("ann"))
    pair = await people.service.oauth.exchange(await coded(people, principal), ELSEWHERE)
    for other in ("", "faultmaven-slack-agent"):
        with pytest.raises(UnauthenticatedError):
            await people.refresh(pair, client_id=other)
    second = await people.refresh(pair, client_id=CLIENT)
    assert second.scope == SCOPE
    assert not (await people.principal(second)).may("user:write")


async def test_a_refresh_token_of_a_sign_in_is_good_at_both_endpoints(people: People) -> None:
    """Clients that got it by a password refresh it by OAuth's endpoint."""
    pair = await people.sign_up("ann")
    assert await people.refresh(await people.refresh(pair, client_id="faultmaven-slack-agent"))


async def test_a_code_is_good_once_and_its_reuse_takes_back_what_it_gave(people: People) -> None:
    """T-11."""
    principal = await people.principal(await people.sign_up("ann"))
    command = await coded(people, principal)
    pair = await people.service.oauth.exchange(command, ELSEWHERE)
    assert await people.service.authenticate(pair.access_token)
    await refused(people, command)
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(pair.access_token)
    with pytest.raises(UnauthenticatedError):
        await people.refresh(pair, client_id=CLIENT)
    assert [event.action for event in await people.actions(principal, "oauth")][-1] == "oauth.code_reused"
    assert await people.service.authenticate((await people.sign_in("ann")).access_token)


async def test_a_code_that_comes_many_times_at_once_gives_nothing_that_lasts(people: People) -> None:
    """T-11: what the first one got is taken back, even if it is told of the others only afterwards."""
    principal = await people.principal(await people.sign_up("ann"))
    command = await coded(people, principal)
    calls = (people.service.oauth.exchange(command, ELSEWHERE) for _ in range(10))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    given = [answer for answer in answers if isinstance(answer, v.TokenPair)]
    assert len(given) <= 1
    assert all(isinstance(answer, v.TokenPair | OAuthError) for answer in answers)
    for pair in given:
        with pytest.raises(UnauthenticatedError):
            await people.service.authenticate(pair.access_token)
    sessions = (await people.service.sessions.list(principal)).sessions
    assert [session.current for session in sessions] == [True]


async def test_a_code_lives_a_minute(people: People) -> None:
    """T-11."""
    command = await coded(people, await people.principal(await people.sign_up("ann")))
    people.later(seconds=60)
    await refused(people, command)


@pytest.mark.parametrize(
    "change",
    [
        {"code": "fmc_" + "A" * 43},
        {"code": ""},
        {"code_verifier": "w" * 64},
        {"code_verifier": "v" * 42},
        {"code_verifier": CHALLENGE},
        {"code_verifier": ""},
        {"client_id": "faultmaven-slack-agent"},
        {"redirect_uri": REDIRECT + "x"},
        {"redirect_uri": ""},
    ],
    ids=str,
)
async def test_a_code_is_for_who_asked_for_it(people: People, change: dict[str, str]) -> None:
    """T-11: and a wrong guess does not use it up."""
    command = await coded(people, await people.principal(await people.sign_up("ann")))
    await refused(people, replace(command, **change))
    assert await people.service.oauth.exchange(command, ELSEWHERE)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"client_id": "unknown"}, "invalid_client"),
        ({"redirect_uri": "https://attacker.example/"}, "invalid_request"),
        ({"redirect_uri": REDIRECT + "../x"}, "invalid_request"),
        ({"redirect_uri": REDIRECT + "?x=1"}, "invalid_request"),
        ({"redirect_uri": REDIRECT + "\n"}, "invalid_request"),
        ({"redirect_uri": REDIRECT.replace("https", "http")}, "invalid_request"),
        ({"redirect_uri": "https://attacker.example/" + REDIRECT}, "invalid_request"),
        ({"redirect_uri": REDIRECT.replace(".org/", ".org.attacker.example/")}, "invalid_request"),
        ({"redirect_uri": REDIRECT.replace("chromiumapp.org", "chromiumappxorg")}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "x" * 42}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"scope": "openid admin"}, "invalid_scope"),
        ({"client_id": "faultmaven-slack-agent"}, "invalid_request"),
    ],
    ids=str,
)
async def test_a_request_that_is_not_served_is_refused(people: People, change: dict[str, Any], error: str) -> None:
    """T-11: before the user is asked, and again when he answers."""
    principal = await people.principal(await people.sign_up("ann"))
    with pytest.raises(OAuthError) as raised:
        await people.service.oauth.authorize(replace(ASKED, **change), principal)
    assert raised.value.error == error
    if "response_type" not in change:
        with pytest.raises(OAuthError):
            await people.service.oauth.consent(replace(AGREED, **change), principal)


async def test_who_does_not_agree_gives_nothing(people: People) -> None:
    """And a state that is too long is not carried."""
    principal = await people.principal(await people.sign_up("ann"))
    with pytest.raises(OAuthError) as raised:
        await people.service.oauth.consent(replace(AGREED, approved=False), principal)
    assert raised.value.error == "access_denied"
    with pytest.raises(InvalidInputError):
        await people.service.oauth.consent(replace(AGREED, state="x" * 513), principal)


async def test_only_somebody_who_signed_in_himself_lets_a_client_act(people: People) -> None:
    """Neither an API key nor the client itself can widen what it has."""
    principal = await people.principal(await people.sign_up("ann"))
    pair = await people.service.oauth.exchange(await coded(people, principal), ELSEWHERE)
    key = await people.service.api_keys.create(c.CreateApiKey("x"), principal)
    for who in (await people.principal(pair), await people.service.authenticate(key.secret)):
        with pytest.raises(OAuthError) as raised:
            await people.service.oauth.authorize(ASKED, who)
        assert raised.value.error == "access_denied"


async def test_an_installation_may_not_ask(make: Callable[[IdentityPolicy], People], people: People) -> None:
    """Then the code comes at once."""
    quiet = make(replace(people.service.policy, ask_consent=False))
    granted = await quiet.service.oauth.authorize(ASKED, await quiet.principal(await quiet.sign_up("ann")))
    assert isinstance(granted, v.CodeGranted)
    assert await quiet.service.oauth.exchange(c.Exchange(granted.code, VERIFIER, CLIENT, REDIRECT), ELSEWHERE)


async def test_a_scope_that_is_not_named_is_the_client_s_usual_one(people: People) -> None:
    """RFC 6749 3.3."""
    principal = await people.principal(await people.sign_up("ann"))
    pair = await people.service.oauth.exchange(await coded(people, principal, replace(AGREED, scope="")), ELSEWHERE)
    assert "knowledge:write" in pair.scope.split()


async def test_a_token_is_revoked_by_whoever_holds_it(people: People) -> None:
    """RFC 7009: a refresh token by its client, an access token; what is unknown is no error and tells nothing."""
    principal = await people.principal(await people.sign_up("ann"))
    one, two = [await people.service.oauth.exchange(await coded(people, principal), ELSEWHERE) for _ in range(2)]
    answers = [
        await people.service.oauth.revoke(c.Revoke(token, client), ELSEWHERE)
        for token, client in ((one.refresh_token, "another"), ("unknown", CLIENT), ("a.b.c", ""), ("", ""))
    ]
    assert await people.service.authenticate(one.access_token)
    answers.append(await people.service.oauth.revoke(c.Revoke(one.refresh_token, CLIENT), HOME))
    answers.append(await people.service.oauth.revoke(c.Revoke(two.access_token), HOME))
    assert len({repr(answer) for answer in answers}) == 1
    for pair in (one, two):
        with pytest.raises(UnauthenticatedError):
            await people.service.authenticate(pair.access_token)
        with pytest.raises(UnauthenticatedError):
            await people.refresh(pair, client_id=CLIENT)
