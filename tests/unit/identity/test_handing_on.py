"""What an edge says of a request: read by the service that it is for, for a minute, and by nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from faultmaven_adapters.tokens.jose import MOST_ACCESS, JoseTokens
from faultmaven_adapters.tokens.key_folder import KeyFolder
from faultmaven_core.identity.handing_on import LIFE, Handed, HandingOn
from faultmaven_core.identity.model import ClientInfo, Principal
from faultmaven_core.identity.permissions import ALL
from faultmaven_core.identity.teams import MOST_OF_USER
from faultmaven_core.ports.tokens import TokenKind
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import UnauthenticatedError
from faultmaven_core.shared.ids import OrganizationId, UserId

CLIENT = ClientInfo("192.0.2.7", "Firefox", request_id="ab" * 16)
ANN = Principal(
    Caller(OrganizationId("acme"), UserId("usr_0123456789ab")),
    "ann",
    "Ann Ünal",
    "ann@example.org",
    ("admin", "auditor"),
    frozenset({"case:read", "case:write"}),
    "tag.digest",
    "faultmaven-copilot",
    "oauth",
    datetime(2026, 3, 1, 12, 10, tzinfo=UTC),
    ("payments", "web"),
    CLIENT,
)
CLAIMS = {"aud": "faultmaven", "sub": "usr_0123456789ab"}


class Installation:
    """Two processes over one folder of keys."""

    def __init__(self, folder: Path, clock: FixedClock) -> None:
        self.clock = clock
        self.folders = [KeyFolder(folder / "keys", clock) for _ in range(2)]
        self.tokens, self.elsewhere = (JoseTokens(each, "https://fm.example", clock) for each in self.folders)
        self.edge, self.service = HandingOn(self.tokens, clock), HandingOn(self.elsewhere, clock)


@pytest.fixture
async def place(tmp_path: Path, clock: FixedClock) -> AsyncIterator[Installation]:
    """See Installation."""
    made = Installation(tmp_path, clock)
    yield made
    for folder in made.folders:
        await folder.aclose()


@pytest.mark.parametrize(
    "said",
    [
        Handed(ANN, CLIENT),
        Handed(replace(ANN, expires_at=None, sid="", method="api_key", teams=()), CLIENT),
        Handed(None, CLIENT),
        Handed(None, ClientInfo()),
    ],
    ids=["signed in", "by key", "nobody", "nobody from nowhere"],
)
async def test_what_the_edge_says_is_what_the_service_hears(place: Installation, said: Handed) -> None:
    """G-2: in the same process and in another one, as often as it is read."""
    word = await place.edge.give(said, "case")
    for reader in (place.edge, place.edge, place.service, place.service):
        assert await reader.take(word, "case") == said


async def test_a_word_has_the_claims_that_are_required_and_lives_a_minute(place: Installation) -> None:
    """G-2: audience, organization, user, roles, permissions, session, request id."""
    word = await place.edge.give(Handed(ANN, CLIENT), "case")
    claims = await place.elsewhere.read(word, TokenKind.INTERNAL, audience="fm-case-service")
    wanted = {
        "org": "acme",
        "sub": "usr_0123456789ab",
        "roles": ["admin", "auditor"],
        "permissions": ["case:read", "case:write"],
        "sid": "tag.digest",
        "rid": "ab" * 16,
    }
    assert {name: claims[name] for name in wanted} == wanted
    now = int(place.clock.now().timestamp())
    assert (claims["iat"], claims["exp"]) == (now, now + 60)


async def test_a_word_ends_after_its_minute(place: Installation) -> None:
    """G-2: clocks of one installation differ by seconds, not by the minute that strangers are granted."""
    word = await place.edge.give(Handed(ANN, CLIENT), "case")
    place.clock.advance(LIFE + timedelta(seconds=4))
    assert await place.service.take(word, "case")
    place.clock.advance(timedelta(seconds=1))
    for reader in (place.service, place.edge):
        with pytest.raises(UnauthenticatedError):
            await reader.take(word, "case")


async def test_a_word_is_for_one_service(place: Installation) -> None:
    """G-2: also where this process signed it itself, and where it was read before."""
    for reader in (place.edge, place.service):
        word = await place.edge.give(Handed(ANN, CLIENT), "case")
        with pytest.raises(UnauthenticatedError):
            await reader.take(word, "evidence")
        assert await reader.take(word, "case")
        with pytest.raises(UnauthenticatedError):
            await reader.take(word, "evidence")


async def test_other_tokens_are_no_words_and_words_are_no_other_tokens(place: Installation) -> None:
    """T-3: by their kind, whatever they say; and an internal token that says too little is none either."""
    end = place.clock.now() + timedelta(minutes=1)
    claims = {**CLAIMS, "aud": "fm-case-service"}
    for kind in TokenKind:
        token = await place.tokens.issue(kind, claims, end)
        with pytest.raises(UnauthenticatedError):
            await place.edge.take(token, "case")
    word = await place.edge.give(Handed(ANN, CLIENT), "case")
    with pytest.raises(UnauthenticatedError):
        await place.tokens.read(word, TokenKind.ACCESS, audience="fm-case-service")


async def test_the_largest_word_is_read(place: Installation) -> None:
    """As many teams, roles and rights as a user can have, with the longest names."""
    teams = tuple(f"{number:03}" + "t" * 60 for number in range(MOST_OF_USER))
    roles = tuple(f"r{number:02}" + "o" * 45 for number in range(20))
    largest = replace(
        ANN, teams=teams, roles=roles, permissions=frozenset(ALL), display_name="\U0001f600" * 120, email="e" * 254
    )
    said = Handed(replace(largest, client=replace(CLIENT, device="ÿ" * 200)), replace(CLIENT, device="ÿ" * 200))
    assert await place.service.take(await place.edge.give(said, "knowledge"), "knowledge") == said


async def test_a_signature_that_was_found_good_vouches_for_nothing_else(place: Installation) -> None:
    """T-2: not for other letters, another audience, or the time after the token's end."""
    token = await place.tokens.issue(TokenKind.ACCESS, CLAIMS, place.clock.now() + timedelta(minutes=1))

    async def read(text: str, audience: str = "faultmaven") -> object:
        return await place.elsewhere.read(text, TokenKind.ACCESS, audience=audience)

    first = await read(token)
    assert await read(token) == first
    for place_ in range(0, len(token), 5):
        if token[place_] != ".":
            changed = token[:place_] + ("A" if token[place_] != "A" else "B") + token[place_ + 1 :]
            with pytest.raises(UnauthenticatedError):
                await read(changed)
    with pytest.raises(UnauthenticatedError):
        await read(token, "another")
    place.clock.advance(timedelta(minutes=2))
    with pytest.raises(UnauthenticatedError):
        await read(token)


@pytest.mark.parametrize("kind", list(TokenKind))
async def test_a_key_that_is_withdrawn_vouches_for_nothing(place: Installation, kind: TokenKind) -> None:
    """T-5: tokens that were read before too, in the process that signed them and in others, within a second."""
    before = await place.tokens.issue(kind, CLAIMS, place.clock.now() + timedelta(minutes=1))
    unread = await place.tokens.issue(kind, CLAIMS, place.clock.now() + timedelta(minutes=1))
    for tokens in (place.tokens, place.elsewhere):
        assert await tokens.read(before, kind, audience="faultmaven")
    await place.folders[0].rotate(compromised=True)
    place.clock.advance(timedelta(seconds=1))
    for tokens in (place.tokens, place.elsewhere):
        for token in (before, unread):
            with pytest.raises(UnauthenticatedError):
                await tokens.read(token, kind, audience="faultmaven")


async def test_so_many_tokens_are_remembered_and_no_more(place: Installation) -> None:
    """The oldest go, and are read as before."""
    end = place.clock.now() + timedelta(minutes=1)
    tokens = [await place.tokens.issue(TokenKind.ACCESS, CLAIMS, end) for _ in range(3)]
    place.elsewhere._verified._most = 2
    for _ in range(2):
        for token in tokens:
            assert await place.elsewhere.read(token, TokenKind.ACCESS, audience="faultmaven")
        assert len(place.elsewhere._verified._known) == 2
    assert place.tokens._verified._most == MOST_ACCESS
