"""JSON Web Tokens, read more strictly than the standard asks: what we did not write ourselves is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from secrets import token_urlsafe
from types import MappingProxyType
from typing import Any

from faultmaven_adapters.tokens.key_folder import KeyFolder, Keys
from faultmaven_adapters.tokens.ring import by_kid
from faultmaven_adapters.tokens.verified import Signed, Verified
from faultmaven_core import codec
from faultmaven_core.ports.tokens import TokenKind, Tokens
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import InvalidInputError, UnauthenticatedError

LONGEST = {TokenKind.ACCESS: 8 << 10, TokenKind.INTERNAL: 32 << 10}
"""Bytes of a token; a longer one is refused before anything of it is decoded. An edge also says all teams of a person."""

MOST_ACCESS = 2048
"""Access tokens whose signature is remembered: each comes with many requests."""

MOST_INTERNAL = 512
"""Internal tokens that this process signed and will read itself, at once."""

SKEW = 60
"""Seconds that two clocks may differ by."""

_LONGEST_HEADER = 512
_FORM = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
_OURS = ("iss", "iat", "exp", "jti")


class _NoTokenError(Exception):
    """Something is wrong with a token; nobody is told what."""


class JoseTokens(Tokens):
    """See the port. Signs with the active key of a folder; the algorithm is always the key's."""

    def __init__(self, folder: KeyFolder, issuer: str, clock: Clock) -> None:
        self._folder, self._issuer, self._clock = folder, issuer, clock
        self._verified = Verified(MOST_ACCESS)
        self._signed = Verified(MOST_INTERNAL)

    @property
    def issuer(self) -> str:
        return self._issuer

    async def issue(self, kind: TokenKind, claims: Mapping[str, object], expires_at: datetime) -> str:
        from joserfc.jws import JWSRegistry

        if not {"aud", "sub"} <= claims.keys() or claims.keys() & set(_OURS):
            raise InvalidInputError("A token's claims name aud and sub, and neither iss, iat, exp nor jti.")
        keys = await self._folder.current()
        key = keys.ring.active
        now = int(self._clock.now().timestamp())
        whole = {
            **claims,
            "iss": self._issuer,
            "iat": now,
            "exp": int(expires_at.timestamp()),
            "jti": token_urlsafe(16),
        }
        header = {"alg": key.algorithm, "kid": key.kid, "typ": str(kind)}
        start = f"{_encoded(codec.encode(header))}.{_encoded(codec.encode(whole))}"
        signature = (
            JWSRegistry(algorithms=[key.algorithm]).get_alg(key.algorithm).sign(start.encode(), keys.private[key.kid])
        )
        text = f"{start}.{_encoded(signature)}"
        if kind is TokenKind.INTERNAL:
            self._signed.add(text, Signed(key.kid, whole), keys)
        return text

    async def read(self, text: str, kind: TokenKind, *, audience: str) -> Mapping[str, object]:
        keys = await self._folder.current()
        try:
            return self._checked(self._signed_by_us(text, kind, keys), audience)
        except _NoTokenError as error:
            raise UnauthenticatedError("This access token is not good (any more): sign in again.") from error

    async def jwks(self) -> Mapping[str, object]:
        keys = await self._folder.current()
        trusted = keys.ring.trusted(self._clock.now())
        return {"keys": [keys.private[key.kid].as_dict(private=False) for key in trusted]}

    def pepper(self, purpose: str) -> bytes:
        return hmac.new(self._folder.pepper(), f"faultmaven/{purpose}".encode(), hashlib.sha256).digest()

    def _signed_by_us(self, text: str, kind: TokenKind, keys: Keys) -> Mapping[str, object]:
        if len(text) > LONGEST[kind]:
            raise _NoTokenError
        known = self._signed.take(text, keys) if kind is TokenKind.INTERNAL else self._verified.get(text, keys)
        signed = known or self._opened(text, kind, keys)
        if by_kid(keys.ring.trusted(self._clock.now()), signed.kid) is None:
            raise _NoTokenError
        return signed.claims

    def _opened(self, text: str, kind: TokenKind, keys: Keys) -> Signed:
        """What a text says that one of our keys has signed."""
        from joserfc import jws
        from joserfc.errors import JoseError

        header, payload = _split(text)
        kid = _kid(header, kind)
        key = by_kid(keys.ring.keys, kid)
        if key is None or header["alg"] != key.algorithm:
            raise _NoTokenError
        try:
            jws.deserialize_compact(text, keys.private[kid], algorithms=[key.algorithm])
        except (JoseError, ValueError, TypeError) as error:
            raise _NoTokenError from error
        signed = Signed(kid, MappingProxyType(_object(payload)))
        if kind is TokenKind.ACCESS:
            self._verified.add(text, signed, keys)
        return signed

    def _checked(self, claims: Mapping[str, object], audience: str) -> Mapping[str, object]:
        now = self._clock.now().timestamp()
        for name in ("iss", "sub", "jti"):
            if not isinstance(claims.get(name), str) or not claims[name]:
                raise _NoTokenError
        if claims["iss"] != self._issuer or claims.get("aud") != audience:
            raise _NoTokenError
        if _number(claims, "exp") + SKEW <= now or _number(claims, "iat") - SKEW > now:
            raise _NoTokenError
        if "nbf" in claims and _number(claims, "nbf") - SKEW > now:
            raise _NoTokenError
        return claims


def _split(text: str) -> tuple[Mapping[str, Any], bytes]:
    """Header and payload. Everything that has no single spelling is refused."""
    form = _FORM.fullmatch(text)
    if form is None or len(form[1]) > _LONGEST_HEADER:
        raise _NoTokenError
    header, payload, _ = (_decoded(part) for part in form.groups())
    return _object(header), payload


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decoded(part: str) -> bytes:
    try:
        raw = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as error:
        raise _NoTokenError from error
    if _encoded(raw) != part:
        raise _NoTokenError
    return raw


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _NoTokenError from error
    if not isinstance(value, dict):
        raise _NoTokenError
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member comes twice")
    return members


def _kid(header: Mapping[str, Any], kind: TokenKind) -> str:
    """The key that the header names: one of `alg`, `kid` and `typ` and nothing else, all text."""
    if header.keys() != {"alg", "kid", "typ"} or not all(isinstance(value, str) for value in header.values()):
        raise _NoTokenError
    if header["typ"] != kind:
        raise _NoTokenError
    return str(header["kid"])


def _number(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _NoTokenError
    return value
