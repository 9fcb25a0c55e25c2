"""What ends with a sign-in, and who may end which."""

from __future__ import annotations

import pytest

from faultmaven_contract_tests.identity_installation import ELSEWHERE, OTHER_PASSWORD, PASSWORD, People
from faultmaven_core.identity import commands as c
from tests.unit.identity.test_oauth import coded, refused
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
