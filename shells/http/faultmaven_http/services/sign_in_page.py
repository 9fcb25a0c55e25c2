"""The page on which people sign in and let a client act for them, where clients are told to use a browser.

It keeps nothing: no cookie, no script, no session of its own. What the client asked for stands in the form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from html import escape
from string import Template
from urllib.parse import urlencode, urlsplit

from faultmaven_core.identity import commands as c
from faultmaven_core.identity.views import CodeGranted
from faultmaven_core.shared.errors import PermissionDeniedError, RateLimitedError, UnauthenticatedError
from faultmaven_http.auth import ANYONE
from faultmaven_http.endpoint import Answer, Asked, Endpoint
from faultmaven_http.shapes import auth as s

PLACE = "/auth/authorize"
HTML = "text/html; charset=utf-8"
ALLOW, DENY = "allow", "deny"

NAMES = {
    "faultmaven-copilot": "The FaultMaven browser extension",
    "faultmaven-slack-agent": "The FaultMaven Slack agent",
}
MEANINGS = {
    "openid": "know who you are",
    "profile": "know your name",
    "email": "know your e-mail address",
    "cases:read": "read the cases of your organization",
    "cases:write": "open and change cases, and ask in them",
    "knowledge:read": "read runbooks",
    "knowledge:write": "add runbooks",
    "evidence:read": "read evidence",
}
"""Scopes in words; one that is not named here is shown as it is."""

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in to FaultMaven</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 10vh auto; padding: 0 1rem; }
label, input { display: block; width: 100%; box-sizing: border-box; margin-bottom: .5rem; }
[role=alert] { color: #a00; }
</style>
</head>
<body>
<h1>Sign in to FaultMaven</h1>
$problem<p>$client asks to:</p>
<ul>
$wishes
</ul>
<form method="post" action="$place">
$hidden
<label>Name or e-mail address <input name="username" autocomplete="username" value="$username" autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button name="answer" value="allow">Sign in and allow</button>
<button name="answer" value="deny">Do not allow</button>
</form>
</body>
</html>
""")


async def show(asked: Asked) -> Answer:
    """The form, for a request that we serve."""
    wish: s.AuthorizeQuery = asked.query
    return _page(asked, s.SignInForm(**asdict(wish)))


async def answer(asked: Asked) -> Answer:
    """Send the browser back to the client, with a code or with the refusal; whoever could not sign in sees the form again.

    Raises PermissionDeniedError where the form was on a page of somebody else's.
    """
    form: s.SignInForm = asked.body
    if asked.header(b"sec-fetch-site") not in ("", "same-origin", "none"):
        raise PermissionDeniedError("This form was not on a page of ours.")
    asked.application.identity.oauth.consider(_wish(form))
    if form.answer != ALLOW:
        return _back(form, {"error": "access_denied", "state": form.state, "iss": asked.settings.public_url})
    try:
        granted = await _granted(asked, form)
    except UnauthenticatedError as error:
        return _page(asked, form, str(error), status=422)
    except RateLimitedError as error:
        again = _page(asked, form, str(error), status=429)
        wait = str(max(1, math.ceil(error.retry_after))).encode()
        return replace(again, headers=(*again.headers, (b"retry-after", wait)))
    return _back(form, {"code": granted.code, "state": granted.state, "iss": granted.iss})


async def _granted(asked: Asked, form: s.SignInForm) -> CodeGranted:
    """A code of whoever signs in. The sign-in itself ends with it: the client gets a session of its own for the code."""
    identity = asked.application.identity
    pair = await identity.login(c.Login(form.username, form.password), asked.client)
    principal = replace(await identity.authenticate(pair.access_token), client=asked.client)
    try:
        agreed = c.Consent(
            approved=True,
            client_id=form.client_id,
            redirect_uri=form.redirect_uri,
            code_challenge=form.code_challenge,
            code_challenge_method=form.code_challenge_method,
            scope=form.scope,
            state=form.state,
        )
        return await identity.oauth.consent(agreed, principal)
    finally:
        await identity.logout(c.LogOut(everywhere=False), principal)


def _page(asked: Asked, form: s.SignInForm, problem: str = "", *, status: int = 200) -> Answer:
    scope = asked.application.identity.oauth.consider(_wish(form))
    wishes = "\n".join(f"<li>{escape(MEANINGS.get(word, word))}</li>" for word in scope.split())
    hidden = "\n".join(
        f'<input type="hidden" name="{name}" value="{escape(text)}">' for name, text in asdict(_wish(form)).items()
    )
    text = PAGE.substitute(
        problem=f'<p role="alert">{escape(problem)}</p>\n' if problem else "",
        client=escape(NAMES.get(form.client_id, form.client_id)),
        wishes=wishes,
        place=PLACE,
        hidden=hidden,
        username=escape(form.username),
    )
    to = urlsplit(form.redirect_uri)
    # Browsers hold the redirect that follows a form to this list too.
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; form-action 'self' {to.scheme}://{to.netloc}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    headers = ((b"content-type", HTML.encode()), (b"content-security-policy", policy.encode()))
    return Answer(text.encode(), status, headers)


def _wish(form: s.SignInForm) -> c.Authorize:
    return c.Authorize(
        form.response_type,
        form.client_id,
        form.redirect_uri,
        form.code_challenge,
        form.code_challenge_method,
        form.scope,
        form.state,
    )


def _back(form: s.SignInForm, told: Mapping[str, str]) -> Answer:
    """Only to an address that was found to be the client's."""
    place = f"{form.redirect_uri}?{urlencode({name: text for name, text in told.items() if text})}"
    return Answer(None, 302, ((b"location", place.encode()),))


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(
        method="GET",
        path=PLACE,
        name="oauth.page",
        summary="The page on which people sign in",
        permission=ANYONE,
        work=show,
        answer=None,
        query=s.AuthorizeQuery,
        limit="open",
        alias=True,
        oauth=True,
    ),
    Endpoint(
        method="POST",
        path=PLACE,
        name="oauth.answer",
        summary="Sign in, and let a client act for the user",
        permission=ANYONE,
        work=answer,
        answer=None,
        body=s.SignInForm,
        form=True,
        alias=True,
        oauth=True,
    ),
)
