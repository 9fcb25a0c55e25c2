"""Identity over every database: what happens when several do the same at once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine
from typing import Any

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.identity_installation import HOME, PASSWORD, People
from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.credentials import as_text
from faultmaven_core.shared.errors import (
    ConflictError,
    InvalidInputError,
    PreconditionFailedError,
    UnauthenticatedError,
)

CLIENT, REDIRECT, VERIFIER = "faultmaven-copilot", f"https://{'a' * 32}.chromiumapp.org/", "v" * 64
CHALLENGE = as_text(hashlib.sha256(VERIFIER.encode()).digest())


async def together(*calls: Coroutine[Any, Any, object]) -> list[object]:
    """All answers and errors of calls at the same time."""
    return list(await asyncio.gather(*calls, return_exceptions=True))


def of(kind: type[object], answers: list[object]) -> int:
    """How many are of a kind."""
    return sum(isinstance(answer, kind) for answer in answers)


class IdentityRacesContract(Contract):
    """A binding gives the fixture `people`: an installation without anybody."""

    async def test_fifty_refreshes_at_once_yield_one_successor(self, people: People) -> None:
        """T-8: every one of them is answered, with the same."""
        first = await people.sign_up("ann")
        answers = await together(*(people.refresh(first) for _ in range(50)))
        assert of(v.TokenPair, answers) == 50
        assert len({pair.refresh_token for pair in answers if isinstance(pair, v.TokenPair)}) == 1

    async def test_a_token_that_was_used_before_ends_its_family(self, people: People) -> None:
        """T-8: for several thieves at once, too."""
        first = await people.sign_up("ann")
        second = await people.refresh(first)
        people.later(seconds=11)
        answers = await together(*(people.refresh(first) for _ in range(5)))
        assert of(UnauthenticatedError, answers) == 5
        assert of(UnauthenticatedError, await together(people.refresh(second))) == 1
        again = await people.principal(await people.sign_in("ann"))
        assert len(await people.actions(again, "refresh_token")) == 1

    async def test_twenty_sign_ins_at_once_all_come_in_and_are_all_in_the_log(self, people: People) -> None:
        """O-5: and the chain holds."""
        ann = await people.sign_up("ann")
        answers = await together(*(people.sign_in("ann") for _ in range(19)))
        assert of(v.TokenPair, answers) == 19
        owner = await people.principal(await people.sign_in("ann"))
        assert len(await people.actions(owner, "user.signed_in")) == 21
        verified = await people.service.audit.verify(owner.caller)
        assert (verified.intact, verified.events) == (True, 23)
        assert ann.user.organization_id == owner.caller.organization

    async def test_a_name_is_taken_by_one_of_several(self, people: People) -> None:
        """Over the whole installation; the others hear of a conflict and leave nothing behind."""
        answers = await together(*(people.sign_up("ann", email="ann@example.org") for _ in range(4)))
        assert (of(v.TokenPair, answers), of(ConflictError, answers)) == (1, 3)
        assert len(await people.service.installation.organizations()) == 1

    async def test_an_invitation_is_accepted_by_one_of_several(self, people: People) -> None:
        """A-8."""
        owner = await people.principal(await people.sign_up("ann"))
        made = await people.service.invitations.invite(c.Invite("bob@example.org"), owner)
        calls = (people.sign_up(f"bob{number}", invitation=made.token) for number in range(4))
        answers = await together(*calls)
        assert of(v.TokenPair, answers) == 1
        assert of(InvalidInputError, answers) + of(ConflictError, answers) == 3
        assert len((await people.service.users.list(c.ListUsers(), owner)).users) == 2

    async def test_two_owners_cannot_remove_each_other(self, people: People) -> None:
        """N-9: one of them is last."""
        ann = await people.principal(await people.sign_up("ann"))
        bob = await people.principal(await people.join(ann, "bob", "owner"))
        users = people.service.users
        answers = await together(
            users.set_roles(c.SetRoles(bob.caller.user, ("member",)), ann),
            users.disable(c.DisableUser(ann.caller.user), bob),
        )
        assert (of(v.UserView, answers), of(PreconditionFailedError, answers)) == (1, 1)

    async def test_two_moves_make_no_circle_of_teams(self, people: People) -> None:
        """N-9."""
        owner = await people.principal(await people.sign_up("ann"))
        teams = people.service.teams
        one, two = [await teams.create(c.CreateTeam(name), owner) for name in ("one", "two")]
        answers = await together(
            teams.change(c.ChangeTeam(one.team_id, parent=two.team_id), owner),
            teams.change(c.ChangeTeam(two.team_id, parent=one.team_id), owner),
        )
        assert (of(v.TeamView, answers), of(InvalidInputError, answers)) == (1, 1)

    async def test_a_code_that_comes_several_times_gives_nothing_that_lasts(self, people: People) -> None:
        """T-11."""
        principal = await people.principal(await people.sign_up("ann"))
        agreed = c.Consent(
            approved=True,
            client_id=CLIENT,
            redirect_uri=REDIRECT,
            code_challenge=CHALLENGE,
            code_challenge_method="S256",
        )
        code = (await people.service.oauth.consent(agreed, principal)).code
        command = c.Exchange(code, VERIFIER, CLIENT, REDIRECT)
        await together(*(people.service.oauth.exchange(command, HOME) for _ in range(5)))
        assert [each.current for each in (await people.service.sessions.list(principal)).sessions] == [True]

    async def test_signing_out_wins_over_refreshes_under_way(self, people: People) -> None:
        """T-10: whatever they were given is good for nothing afterwards."""
        pair = await people.sign_up("ann")
        principal = await people.principal(pair)
        answers = await together(
            *(people.refresh(pair) for _ in range(5)),
            people.service.logout(c.LogOut(), principal),
            *(people.refresh(pair) for _ in range(5)),
        )
        assert of(v.LoggedOut, answers) == 1
        for answer in answers:
            if isinstance(answer, v.TokenPair):
                assert of(UnauthenticatedError, await together(people.service.authenticate(answer.access_token))) == 1
                assert of(UnauthenticatedError, await together(people.refresh(answer))) == 1

    async def test_a_first_owner_is_made_once(self, people: People) -> None:
        """By several administrators at once."""
        starts = [c.StartInstallation(f"root{number}", password=PASSWORD) for number in range(3)]
        answers = await together(*(people.service.installation.start(start) for start in starts))
        assert (of(v.UserView, answers), of(ConflictError, answers)) == (1, 2)
