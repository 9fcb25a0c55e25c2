"""Tokens that we did not issue as they are: each is refused like the next, and none makes us fail or call anybody."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from faultmaven_http.auth import ANYONE
from tests.attacks.every_request import ANY_ID, ENDPOINTS, ask, request, title
from tests.attacks.installation import Installation, installed

pytestmark = pytest.mark.asyncio(loop_scope="module")

LATER = 32503680000
PATHS = ("/api/v1/auth/me", "/api/v1/cases")


@dataclass
class Signer:
    """An installation, a good token of Alice's and one of Bob's, and the key that signed them."""

    place: Installation
    token: str
    other: Mapping[str, Any]
    refresh_token: str
    session_id: str
    key: Ed25519PrivateKey

    @property
    def header(self) -> dict[str, Any]:
        """The header of a good token."""
        return opened(self.token.split(".")[0])

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of a good token."""
        return opened(self.token.split(".")[1])

    def signed(self, header: Mapping[str, Any] | bytes, claims: Mapping[str, Any] | bytes) -> str:
        """A token with a right signature, whatever it says."""
        start = f"{part(header)}.{part(claims)}"
        return f"{start}.{part(self.key.sign(start.encode()))}"

    def changed(self, **claims: Any) -> str:
        """A good token but for some claims; None leaves one out."""
        return self.signed(self.header, _without({**self.claims, **claims}))


def part(value: Mapping[str, Any] | bytes) -> str:
    """A part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(dict(value)).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def opened(text: str) -> dict[str, Any]:
    """What a part says."""
    return dict(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))


def _without(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Signer]:
    """See Signer."""
    async with installed(tmp_path_factory.mktemp("tokens") / "home", FM_DATABASE_URL="memory:") as place:
        alice, bob = await place.signed_up("alice"), await place.signed_up("bob")
        token = alice["access_token"]
        kid = opened(token.split(".")[0])["kid"]
        pem = (place.home / "keys" / f"{kid}.pem").read_bytes()
        key = serialization.load_pem_private_key(pem, None)
        assert isinstance(key, Ed25519PrivateKey)
        other = opened(bob["access_token"].split(".")[1])
        yield Signer(place, token, other, alice["refresh_token"], alice["session_id"], key)


async def refused(signer: Signer, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """401 with the problem that every bad token gets, on every route, and nobody was called for it."""

    def outside(*_: object, **__: object) -> None:
        raise AssertionError("a token made us call somebody")

    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "connect", outside)
        patched.setattr(socket, "getaddrinfo", outside)
        for path in PATHS:
            async with signer.place.client() as client:
                answer = await client.get(path, headers={b"Authorization": b"Bearer " + token.encode()})
            assert answer.status_code == 401, (token[:200], answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert token not in answer.text or len(token) < 3


async def test_the_signer_of_these_tests_makes_good_tokens(signer: Signer) -> None:
    """Else the attacks would prove nothing."""
    for token in (signer.token, signer.signed(signer.header, signer.claims), signer.changed(jti="another")):
        async with signer.place.client(token) as client:
            assert (await client.get("/api/v1/auth/me")).json()["username"] == "alice"


HEADERS: tuple[Mapping[str, Any], ...] = (
    *(
        {"alg": alg}
        for alg in ("none", "None", "NONE", "nOnE", "HS256", "ES256", "RS256", "PS512", "", None, 1, ["EdDSA"])
    ),
    *({"kid": kid} for kid in ("../ring", "/dev/null", "' OR 1=1 --", "", None, ["x"], {"a": 1}, "x" * 400, 7)),
    *({"typ": typ} for typ in ("JWT", "id+jwt", "logout+jwt", "int+jwt", "AT+JWT", "refresh", "", None)),
    {"jku": "https://attacker.example/keys"},
    {"x5u": "https://attacker.example/cert"},
    {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}},
    {"x5c": ["AAAA"]},
    {"crit": ["exp"]},
    {"crit": ["b64"], "b64": False},
    {"b64": False},
    {"zip": "DEF"},
    {"cty": "JWT"},
)


@pytest.mark.parametrize("changed", HEADERS, ids=str)
async def test_a_header_that_is_not_exactly_ours(
    signer: Signer, monkeypatch: pytest.MonkeyPatch, changed: Mapping[str, Any]
) -> None:
    """T-2: though the signature is right."""
    await refused(signer, monkeypatch, signer.signed(_without({**signer.header, **changed}), signer.claims))


WRONG: Mapping[str, tuple[Any, ...]] = {
    "exp": (None, str(LATER), True, 1.5e300, 1, -1, [LATER]),
    "iat": (None, "now", LATER),
    "nbf": (LATER, "1"),
    "aud": (None, "another", ["another"], ["faultmaven", "another"], "faultmavenx", {}),
    "iss": (None, "", "http://attacker.example", ["http://localhost:8090"]),
    "sub": (None, "", 1, ["usr_0123456789ab"], "usr_0123456789ab", "' OR 1=1 --", "a\x00b"),
    "org": (None, "", 1, ["acme"], "acme", "local", "*", "../acme", "a\x00b", "a" * 3000),
    "sid": (None, "", 1, ["x"], "x", "x.y", "a" * 22 + "." + "0" * 64, "a\x00b"),
    "jti": (None, 7),
}
CLAIMS = [{name: value} for name, values in WRONG.items() for value in values]


@pytest.mark.parametrize("changed", CLAIMS, ids=lambda changed: str(changed)[:60])
async def test_claims_that_we_did_not_make(
    signer: Signer, monkeypatch: pytest.MonkeyPatch, changed: Mapping[str, Any]
) -> None:
    """T-2: though the signature is right: also a user, organization or session that the others do not belong to."""
    await refused(signer, monkeypatch, signer.changed(**changed))


@pytest.mark.parametrize(
    "names", [("sub",), ("org",), ("sid",), ("sub", "org"), ("org", "sid"), ("sub", "sid")], ids=str
)
async def test_claims_of_two_users_mixed(
    signer: Signer, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    """N-4: who holds a key of ours by mistake still needs a live session of that very user."""
    await refused(signer, monkeypatch, signer.changed(**{name: signer.other[name] for name in names}))


async def test_signatures_of_public_knowledge_and_none(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    """T-2: HS256 with the public key in each spelling and with nothing; no signature; one of zeros; another key's."""
    header, claims = signer.header, part(signer.claims)
    public = signer.key.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    for key in (pem, pem.strip(), raw, part(raw).encode(), b""):
        start = f"{part({**header, 'alg': 'HS256'})}.{claims}"
        mac = hmac.new(key, start.encode(), hashlib.sha256).digest()
        await refused(signer, monkeypatch, f"{start}.{part(mac)}")
    start = f"{part(header)}.{claims}"
    stranger = Ed25519PrivateKey.generate().sign(start.encode())
    for signature in (b"", bytes(64), bytes(132), stranger):
        await refused(signer, monkeypatch, f"{start}.{part(signature)}")


async def test_keys_that_a_token_brings_itself(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    """T-2: signed right with a key of the attacker's, which the header holds or names; or by zeros, which ES256 once took."""
    own = Ed25519PrivateKey.generate()
    raw = own.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": part(raw), "kid": "attacker", "use": "sig", "alg": "EdDSA"}
    for more in (
        {"jwk": jwk},
        {"jwk": jwk, "kid": "attacker"},
        {"jwk": jwk, "kid": None},
        {"jku": "https://attacker.example/keys", "kid": "attacker"},
        {"x5u": "https://attacker.example/cert", "kid": "attacker"},
        {"x5c": [base64.b64encode(raw).decode()], "kid": "attacker"},
        {"kid": "attacker"},
        {},
    ):
        start = f"{part(_without({**signer.header, **more}))}.{part(signer.claims)}"
        await refused(signer, monkeypatch, f"{start}.{part(own.sign(start.encode()))}")
    for alg in ("ES256", "ES384", "EdDSA"):
        start = f"{part({**signer.header, 'alg': alg})}.{part(signer.claims)}"
        await refused(signer, monkeypatch, f"{start}.{part(bytes(64))}")


async def test_issuers_and_audiences_that_resemble_ours(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    """T-2: longer, shorter, in another case, or as one of a list."""
    issuer, audience = signer.claims["iss"], signer.claims["aud"]
    for name in (f"{issuer}.attacker.example", f"{issuer}/", issuer[:-1], issuer.upper(), [issuer], f" {issuer}"):
        await refused(signer, monkeypatch, signer.changed(iss=name))
    for name in (
        f"{audience}x",
        audience[:-1],
        audience.upper(),
        [audience, "another"],
        ["another", audience],
        [[audience]],
    ):
        await refused(signer, monkeypatch, signer.changed(aud=name))


async def test_every_endpoint_of_every_service_refuses_them(signer: Signer) -> None:
    """T-2: none looks at tokens in a way of its own."""
    pem = signer.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    start = f"{part({**signer.header, 'alg': 'HS256'})}.{part(signer.claims)}"
    hostile = (
        f"{part({**signer.header, 'alg': 'none'})}.{part(signer.claims)}.",
        f"{start}.{part(hmac.new(pem, start.encode(), hashlib.sha256).digest())}",
        signer.changed(exp=1),
    )
    for endpoint in ENDPOINTS:
        if endpoint.permission != ANYONE:
            for token in hostile:
                async with signer.place.client(token) as client:
                    answer = await ask(client, request(endpoint, ANY_ID))
                assert answer.status_code == 401, (title(endpoint), answer.text)


async def test_spellings_and_shapes_that_are_not_ours(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    """T-2, T-4: padding, five parts, doubled members, depth, no objects, bytes that are no UTF-8."""
    start, payload, signature = signer.token.split(".")
    good = json.dumps(signer.claims).encode()
    twice = json.dumps(signer.header).encode()[:-1] + b', "alg": "none"}'
    for token in (
        f"{signer.token}=",
        f"{signer.token}==",
        f"{signer.token}.",
        f".{signer.token}",
        f"{signer.token}.AAAA.AAAA",
        f"{start}..{signature}",
        f"{start}.{payload}",
        f"{start}=.{payload}.{signature}",
        signer.token.replace(".", "%2e"),
        signer.token.swapcase(),
        f"{signer.token} {signer.token}",
        f"Bearer {signer.token}",
        "\u00e9",
        ".",
        "..",
        signer.signed(signer.header, good[:-1] + b', "sub": "usr_another"}'),
        signer.signed(twice, signer.claims),
        *(
            signer.signed(signer.header, each)
            for each in (b"[]", b"null", b"1", b"{", b"\xff", b"[" * 3000 + b"]" * 3000)
        ),
    ):
        await refused(signer, monkeypatch, token)


async def test_secrets_of_another_kind_are_no_access_tokens(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    """T-3: refresh tokens, names of sessions, things that look like API keys and letters' texts."""
    key = "fmk_" + "A" * 43 + "0" * 8
    for token in (signer.refresh_token, signer.session_id, key, key[:20], "fmk_", "fmi_" + "A" * 43, "fmp_" + "A" * 43):
        await refused(signer, monkeypatch, token)


async def test_long_tokens_cost_nothing(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    """T-4: refused unread up to what a head may hold at all, and beyond that with the head."""
    began = time.perf_counter()
    for text in ("a" * 9000, "." * 9000, "eyJ" + "A" * 9000 + ".e30.AA", "fmk_" + "A" * 9000, "[" * 9000):
        await refused(signer, monkeypatch, text)
    async with signer.place.client("a" * (1 << 20)) as client:
        answer = await client.get("/api/v1/auth/me")
    assert answer.status_code == 431
    assert answer.headers["content-type"] == "application/problem+json"
    assert time.perf_counter() - began < 10
