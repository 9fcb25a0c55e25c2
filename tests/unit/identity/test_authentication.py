"""A token is held against the session that it names, and the session against the organization and user that it names."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from faultmaven_contract_tests.identity_installation import People
from faultmaven_contract_tests.identity_samples import organization
from faultmaven_core.identity.model import OrganizationState
from faultmaven_core.ports.tokens import TokenKind
from faultmaven_core.shared.errors import UnauthenticatedError
from faultmaven_core.shared.ids import OrganizationId

ELSEWHERE = OrganizationId("elsewhere")


async def test_a_session_is_good_for_its_own_organization_alone(people: People) -> None:
    """N-4: though the token is signed, and the other organization has an active user of the very same id."""
    pair = await people.sign_up("ann")
    ann = await people.principal(pair)
    async with people.units(ann.caller.organization, read_only=True) as unit:
        user = await unit.users.get(ann.caller.user)
    async with people.units(ELSEWHERE) as unit:
        await unit.organizations.add(organization(ELSEWHERE, state=OrganizationState.ACTIVE))
        await unit.users.add(replace(user, organization=ELSEWHERE, username="twin", email=""))
        await unit.commit()
    tokens, audience = people.service._parts.tokens, people.service.policy.audience
    read = await tokens.read(pair.access_token, TokenKind.ACCESS, audience=audience)
    claims = {name: value for name, value in read.items() if name not in ("iss", "iat", "exp", "jti", "nbf")}
    end = people.clock.now() + timedelta(minutes=5)
    same = await tokens.issue(TokenKind.ACCESS, claims, end)
    moved = await tokens.issue(TokenKind.ACCESS, {**claims, "org": ELSEWHERE}, end)
    assert (await people.service.authenticate(same)).caller == ann.caller
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(moved)
