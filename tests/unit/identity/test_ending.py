"""What ends with a sign-in, and who may end which."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from faultmaven_contract_tests.identity_installation import ELSEWHERE, OTHER_PASSWORD, PASSWORD, People
from faultmaven_core.identity import commands as c
from faultmaven_core.identity.oauth import OAuthError
from faultmaven_core.identity.policy import COPILOT, IdentityPolicy
from faultmaven_core.sessions.expiry import SessionLimits
from faultmaven_core.shared.errors import PermissionDeniedError, UnauthenticatedError
from tests.unit.identity.conftest import LOCAL, Make
from tests.unit.identity.test_oauth import AGREED, coded, refused
from tests.unit.identity.test_passwords import token_of


@pytest.mark.parametrize("way", ["change", "reset", "set", "sign out everywhere", "end the others"])
async def test_a_code_that_waits_ends_with_what_the_user_ends(people: People, way: str) -> None:
    """T-10: it would become a session after all sessions have ended."""
    owner = await people.principal(await people.sign_up("owner"))
    await people.service.users.create(c.CreateUser("ann", "ann@example.org", password=PASSWORD), owner)
    ann = await people.principal(await people.sign_in("ann"))
    command = await coded(people, ann)
    if way == "change":
        await people.service.passwords.change(c.ChangePassword(PASSWORD, OTHER_PASSWORD), ann)
    elif way == "reset":
        await people.service.passwords.request_reset(c.RequestReset("ann@example.org"), ELSEWHERE)
        letter = token_of(await people.post())
        await people.service.passwords.complete_reset(c.CompleteReset(letter, OTHER_PASSWORD), ELSEWHERE)
    elif way == "set":
        await people.service.users.set_password(c.SetPassword(ann.caller.user, OTHER_PASSWORD), owner)
    elif way == "sign out everywhere":
        await people.service.logout(c.LogOut(), ann)
    else:
        await people.service.sessions.end_others(ann)
    await refused(people, command)


async def test_an_organization_s_longest_session_holds_through_refreshes(people: People) -> None:
    """S-2: a refresh begins no session that lives beyond it."""
    owner = await people.principal(await people.sign_up("ann"))
    await people.service.organizations.change(c.ChangeOrganization(session_absolute_seconds=2 * 86400), owner)
    pair = await people.sign_in("ann")
    assert pair.refresh_expires_in == 2 * 86400
    for _ in range(3):
        people.later(hours=12)
        pair = await people.refresh(pair)
    people.later(hours=12)
    with pytest.raises(UnauthenticatedError):
        await people.refresh(pair)


async def test_the_installation_s_longest_session_holds_through_refreshes(make: Make) -> None:
    """S-2: where it is the shorter of both."""
    people = make(IdentityPolicy(LOCAL, session=SessionLimits(timedelta(hours=1), timedelta(hours=8))))
    pair = await people.sign_up("ann")
    people.later(hours=7)
    pair = await people.refresh(pair)
    people.later(hours=1)
    with pytest.raises(UnauthenticatedError):
        await people.refresh(pair)


async def test_an_organization_s_idle_time_is_counted_from_the_last_use(people: People) -> None:
    """S-2: who works goes on, by access tokens too; whoever is away for longer signs in again, whatever he kept."""
    owner = await people.principal(await people.sign_up("ann"))
    await people.service.organizations.change(c.ChangeOrganization(session_idle_seconds=900), owner)
    pair = await people.sign_in("ann")
    for _ in range(6):
        people.later(minutes=9)
        assert await people.principal(pair)
        people.later(minutes=9)
        pair = await people.refresh(pair)
    people.later(minutes=15)
    with pytest.raises(UnauthenticatedError):
        await people.refresh(pair)
    with pytest.raises(UnauthenticatedError):
        await people.principal(pair)


async def test_a_program_signs_itself_out_and_nobody_else(people: People) -> None:
    """S-3: an OAuth client ends its own session, a key has none."""
    pair = await people.sign_up("ann")
    ann = await people.principal(pair)
    client = await people.service.oauth.exchange(await coded(people, ann), ELSEWHERE)
    key = await people.service.api_keys.create(c.CreateApiKey("bot"), ann)
    with pytest.raises(PermissionDeniedError):
        await people.service.logout(c.LogOut(), await people.service.authenticate(key.secret))
    done = await people.service.logout(c.LogOut(everywhere=True), await people.principal(client))
    assert (done.revoked_tokens, done.all_sessions_ended) == (1, False)
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(client.access_token)
    assert await people.refresh(pair)


async def test_one_client_s_tokens_do_not_let_another_client_in(make: Make, people: People) -> None:
    """T-11: consent is a person's, whichever program asks for it."""
    other = replace(COPILOT, id="another-client")
    people = make(replace(people.service.policy, clients=(COPILOT, other)))
    ann = await people.principal(await people.sign_up("ann"))
    pair = await people.service.oauth.exchange(await coded(people, ann), ELSEWHERE)
    with pytest.raises(OAuthError) as refusal:
        await people.service.oauth.consent(replace(AGREED, client_id=other.id), await people.principal(pair))
    assert refusal.value.error == "access_denied"
