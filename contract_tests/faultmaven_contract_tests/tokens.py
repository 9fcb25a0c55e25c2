"""What every kind of signed token must withstand: the attack list, and time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_core.ports.tokens import KeyRing, KeyState, TokenKind, Tokens
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import InvalidInputError, PreconditionFailedError, UnauthenticatedError

AUDIENCE, ISSUER = "faultmaven", "https://fm.example"
CLAIMS: Mapping[str, object] = {"aud": AUDIENCE, "sub": "usr_0123456789ab", "org": "acme"}


@dataclass(frozen=True)
class OpenedTokens:
    """Tokens, another process' view of the same keys, the keys, and a signer that signs whatever it is given."""

    subject: Tokens
    other: Tokens
    stranger: Tokens
    ring: KeyRing
    clock: FixedClock
    sign: Callable[[Mapping[str, Any], bytes], str]
    public_pem: bytes


def encoded(raw: bytes | object) -> str:
    """A part of a token, from bytes or from what becomes JSON."""
    body = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


async def header_of(opened: OpenedTokens) -> dict[str, str]:
    """The header that a good token has now."""
    token = await issued(opened)
    part = token.split(".")[0]
    header: dict[str, str] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return header


def payload_of(opened: OpenedTokens, **changed: object) -> bytes:
    """A good payload but for some claims; None leaves one out."""
    now = int(opened.clock.now().timestamp())
    whole = {**CLAIMS, "iss": ISSUER, "iat": now, "exp": now + 600, "jti": "j", **changed}
    return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


async def issued(opened: OpenedTokens, minutes: int = 10) -> str:
    """A good token."""
    return await opened.subject.issue(TokenKind.ACCESS, CLAIMS, opened.clock.now() + timedelta(minutes=minutes))


async def kids_of(tokens: Tokens) -> set[str]:
    """Of the keys that a process publishes."""
    keys: Any = (await tokens.jwks())["keys"]
    return {key["kid"] for key in keys}


async def refused(opened: OpenedTokens, token: str, audience: str = AUDIENCE) -> None:
    """Every process refuses it, with the same words."""
    for tokens in (opened.subject, opened.other):
        with pytest.raises(UnauthenticatedError, match="This access token is not good"):
            await tokens.read(token, TokenKind.ACCESS, audience=audience)


class TokensContract(Contract):
    """A binding gives the fixture `opened`. What `sign` signs is made with the installation's own active key."""

    async def test_what_was_issued_is_read_by_every_process(self, opened: OpenedTokens) -> None:
        """T-1: with issuer, times and an id of its own."""
        token, second = await issued(opened), await issued(opened)
        claims = await opened.other.read(token, TokenKind.ACCESS, audience=AUDIENCE)
        now = int(opened.clock.now().timestamp())
        assert {name: claims[name] for name in CLAIMS} == CLAIMS
        assert (claims["iss"], claims["iat"], claims["exp"]) == (ISSUER, now, now + 600)
        assert claims["jti"] != (await opened.subject.read(second, TokenKind.ACCESS, audience=AUDIENCE))["jti"]
        assert opened.subject.issuer == ISSUER

    async def test_the_signer_of_this_suite_makes_good_tokens(self, opened: OpenedTokens) -> None:
        """Else the attacks below would prove nothing."""
        token = opened.sign(await header_of(opened), payload_of(opened))
        assert await opened.subject.read(token, TokenKind.ACCESS, audience=AUDIENCE)

    async def test_claims_must_say_who_and_for_whom(self, opened: OpenedTokens) -> None:
        """And leave the rest to the issuer."""
        for claims in ({"aud": AUDIENCE}, {"sub": "x"}, {**CLAIMS, "exp": 1}, {**CLAIMS, "iss": "x"}):
            with pytest.raises(InvalidInputError):
                await opened.subject.issue(TokenKind.ACCESS, claims, opened.clock.now() + timedelta(minutes=1))

    async def test_time_is_held_with_a_minute_of_skew(self, opened: OpenedTokens) -> None:
        """T-1: by the clock that is given."""
        token = await issued(opened)
        opened.clock.advance(timedelta(minutes=10, seconds=59))
        assert await opened.subject.read(token, TokenKind.ACCESS, audience=AUDIENCE)
        opened.clock.advance(timedelta(seconds=1))
        await refused(opened, token)

    async def test_a_kind_or_audience_is_not_taken_for_another(self, opened: OpenedTokens) -> None:
        """T-3."""
        end = opened.clock.now() + timedelta(minutes=1)
        internal = await opened.subject.issue(TokenKind.INTERNAL, CLAIMS, end)
        assert await opened.subject.read(internal, TokenKind.INTERNAL, audience=AUDIENCE)
        await refused(opened, internal)
        await refused(opened, await issued(opened), audience="another")
        foreign = await opened.stranger.issue(TokenKind.ACCESS, CLAIMS, end)
        await refused(opened, foreign)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *(("alg", value) for value in ("none", "None", "NONE", "nOnE", "HS256", "PS512", "", None, 1, ["EdDSA"])),
            *(
                ("kid", value)
                for value in ("../ring", "/dev/null", "' OR 1=1 --", "", None, ["x"], {"a": 1}, "x" * 400)
            ),
            *(("typ", value) for value in ("JWT", "id+jwt", "logout+jwt", "int+jwt", "AT+JWT", "", None)),
            ("jku", "https://attacker.example/keys"),
            ("x5u", "https://attacker.example/cert"),
            ("jwk", {"kty": "oct", "k": "AAAA"}),
            ("x5c", ["AAAA"]),
            ("crit", ["exp"]),
            ("crit", []),
            ("b64", False),
            ("zip", "DEF"),
            ("cty", "JWT"),
        ],
    )
    async def test_a_header_that_is_not_exactly_ours_is_refused(
        self, opened: OpenedTokens, monkeypatch: pytest.MonkeyPatch, name: str, value: object
    ) -> None:
        """T-2: even where the signature is right, and without asking anybody outside."""
        header: dict[str, object] = {**(await header_of(opened)), name: value}
        if value is None:
            del header[name]

        def outside(*_: object, **__: object) -> None:
            raise AssertionError("a token made us call somebody")

        token = opened.sign(header, payload_of(opened))
        monkeypatch.setattr(socket.socket, "connect", outside)
        monkeypatch.setattr(socket, "getaddrinfo", outside)
        await refused(opened, token)

    async def test_a_signature_with_public_knowledge_is_refused(self, opened: OpenedTokens) -> None:
        """T-2: HS256 with the public key as PEM, with an empty key; no signature, one of zeros."""
        header, payload = await header_of(opened), encoded(payload_of(opened))
        for key in (opened.public_pem, opened.public_pem.strip(), b""):
            start = f"{encoded({**header, 'alg': 'HS256'})}.{payload}"
            await refused(opened, f"{start}.{encoded(hmac.new(key, start.encode(), hashlib.sha256).digest())}")
        start = f"{encoded(header)}.{payload}"
        for signature in ("", "AA", encoded(bytes(64)), encoded(bytes(384))):
            await refused(opened, f"{start}.{signature}")

    @pytest.mark.parametrize(
        "changed",
        [
            {"exp": None},
            {"exp": "9999999999"},
            {"exp": True},
            {"exp": 1.5e300},
            {"exp": 1},
            {"iat": None},
            {"iat": "now"},
            {"iat": 32503680000},
            {"nbf": 32503680000},
            {"nbf": "1"},
            {"aud": None},
            {"aud": "another"},
            {"aud": ["another"]},
            {"aud": [AUDIENCE, "another"]},
            {"aud": AUDIENCE + "x"},
            {"aud": {}},
            {"iss": None},
            {"iss": ISSUER + ".attacker.example"},
            {"iss": [ISSUER]},
            {"iss": ISSUER[:-1]},
            {"sub": None},
            {"sub": ""},
            {"sub": 1},
            {"jti": None},
            {"jti": 7},
        ],
        ids=str,
    )
    async def test_claims_that_we_do_not_make_are_refused(
        self, opened: OpenedTokens, changed: dict[str, object]
    ) -> None:
        """T-2: even where the signature is right."""
        await refused(opened, opened.sign(await header_of(opened), payload_of(opened, **changed)))

    async def test_payloads_that_are_no_object_or_ambiguous_are_refused(self, opened: OpenedTokens) -> None:
        """T-2: deep ones and doubled members too."""
        good = payload_of(opened)
        header = await header_of(opened)
        doubled = good[:-1] + b', "sub": "usr_another"}'
        for payload in (b"", b"[]", b"null", b"1", b'"x"', b"{", b"\xff", b"[" * 3000 + b"]" * 3000, doubled):
            await refused(opened, opened.sign(header, payload))
        twice = json.dumps(header).encode()[:-1] + b', "alg": "none"}'
        await refused(opened, f"{encoded(twice)}.{encoded(good)}.{encoded(bytes(64))}")

    async def test_other_spellings_of_a_good_token_are_refused(self, opened: OpenedTokens) -> None:
        """T-2: padding, spaces, five parts, other alphabets, a bit that no byte needs."""
        token = await issued(opened)
        start, payload, signature = token.split(".")
        last = signature[-1]
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        neighbours = {alphabet[alphabet.index(last) ^ bit] for bit in (1, 2, 3)}
        for other in (
            f"{token}=",
            f"{token}==",
            f" {token}",
            f"{token}\n",
            f"{token}.",
            f".{token}",
            f"{token}.AAAA.AAAA",
            f"{start}..{signature}",
            f"{start}.{payload}",
            f"{start}=.{payload}.{signature}",
            token.replace(".", "\uff0e"),
            f"Bearer {token}",
            "",
            ".",
            "..",
            *(f"{start}.{payload}.{signature[:-1]}{neighbour}" for neighbour in neighbours),
        ):
            await refused(opened, other)

    async def test_every_changed_letter_is_seen(self, opened: OpenedTokens) -> None:
        """In header, payload and signature."""
        token = await issued(opened)
        for place in range(0, len(token), 7):
            if token[place] != ".":
                other = "A" if token[place] != "A" else "B"
                await refused(opened, token[:place] + other + token[place + 1 :])

    @pytest.mark.parametrize(
        "text",
        ["a" * (1 << 20), "." * (1 << 20), "eyJ" + "A" * (1 << 20) + ".e30.AA", "[" * 200_000, "\u00e9" * (1 << 20)],
        ids=["letters", "dots", "header", "deep", "unicode"],
    )
    async def test_a_huge_text_costs_nothing(self, opened: OpenedTokens, text: str) -> None:
        """T-4: refused by its length, before anything of it is decoded."""
        began = time.perf_counter()
        for _ in range(10):
            await refused(opened, text)
        assert time.perf_counter() - began < 2

    async def test_the_published_keys_are_public(self, opened: OpenedTokens) -> None:
        """T-5: the active and the next one, each for one algorithm, nothing private."""
        await issued(opened)
        keys: Any = (await opened.subject.jwks())["keys"]
        assert {key["kid"] for key in keys} == {key.kid for key in await opened.ring.keys()}
        header = await header_of(opened)
        for key in keys:
            assert not set(key) & {"d", "p", "q", "dp", "dq", "qi", "k"}
            assert (key["use"], key["alg"]) == ("sig", header["alg"])

    async def test_a_rotation_breaks_no_token(self, opened: OpenedTokens) -> None:
        """T-5: signed before, it works until its end; signed after, other processes know the key already."""
        before = await issued(opened)
        with pytest.raises(PreconditionFailedError):
            await opened.ring.rotate()
        assert await kids_of(opened.other) == {key.kid for key in await opened.ring.keys()}
        opened.clock.advance(timedelta(minutes=20))
        first = await issued(opened)
        keys = await opened.ring.rotate()
        assert [key.state for key in keys] == [KeyState.RETIRED, KeyState.ACTIVE, KeyState.NEXT]
        # A process that was asked for nothing else publishes the new ones too.
        assert await kids_of(opened.other) == {key.kid for key in keys}
        second = await issued(opened)
        for token in (first, second):
            assert await opened.other.read(token, TokenKind.ACCESS, audience=AUDIENCE)
        await refused(opened, before)
        kids = [json.loads(base64.urlsafe_b64decode(each.split(".")[0] + "=="))["kid"] for each in (first, second)]
        assert kids[0] != kids[1]

    async def test_a_retired_key_is_forgotten_when_no_token_can_have_it(self, opened: OpenedTokens) -> None:
        """T-5: not published, not trusted."""
        opened.clock.advance(timedelta(minutes=20))
        old = (await header_of(opened))["kid"]
        header = await header_of(opened)
        await opened.ring.rotate()
        opened.clock.advance(timedelta(days=1, minutes=2))
        assert old not in {key.kid for key in await opened.ring.keys()}
        await refused(opened, opened.sign(header, payload_of(opened)))

    async def test_a_compromised_key_is_gone_at_once(self, opened: OpenedTokens) -> None:
        """No token that is out is good any more; no waiting for caches."""
        token = await issued(opened)
        keys = await opened.ring.rotate(compromised=True)
        assert [key.state for key in keys] == [KeyState.ACTIVE, KeyState.NEXT]
        opened.clock.advance(timedelta(seconds=2))
        await refused(opened, token)
        assert await opened.other.read(await issued(opened), TokenKind.ACCESS, audience=AUDIENCE)

    async def test_a_pepper_is_one_purpose_s_and_the_same_for_all_processes(self, opened: OpenedTokens) -> None:
        """32 bytes; another installation has others."""
        pepper = opened.subject.pepper("refresh")
        assert len(pepper) == 32
        assert pepper == opened.other.pepper("refresh")
        assert pepper not in {opened.subject.pepper("devices"), opened.stranger.pepper("refresh")}
