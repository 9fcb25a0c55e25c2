"""Ports for signed tokens and the keys that sign them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class TokenKind(StrEnum):
    """What a token is for, as its `typ` says: one kind is never taken for another."""

    ACCESS = "at+jwt"
    INTERNAL = "int+jwt"


class KeyState(StrEnum):
    """Published before it signs, signing, or only checked any more."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair without its private half."""

    kid: str
    algorithm: str
    state: KeyState
    created_at: datetime
    activated_at: datetime | None = None
    retired_at: datetime | None = None


class Tokens(Protocol):
    """JSON Web Tokens of this installation, signed with an asymmetric key of its own."""

    @property
    @abstractmethod
    def issuer(self) -> str:
        """The `iss` of every token: what this installation calls itself."""

    @abstractmethod
    async def issue(self, kind: TokenKind, claims: Mapping[str, object], expires_at: datetime) -> str:
        """A token with these claims besides `iss`, `iat`, `exp` and `jti`. `aud` and `sub` must be among them.

        Raises InvalidInputError where they are not, or one of the former is.
        """

    @abstractmethod
    async def read(self, text: str, kind: TokenKind, *, audience: str) -> Mapping[str, object]:
        """The claims of a token that this installation signed, of this kind, for this audience, in its time (60 s of skew).

        Raises UnauthenticatedError for everything else, whatever is wrong with it and however long it is, and looks nowhere
        but into its own keys.
        """

    @abstractmethod
    async def jwks(self) -> Mapping[str, object]:
        """The public halves of all keys, next, active and retired, as a JSON Web Key Set (RFC 7517), seconds old at most."""

    @abstractmethod
    def pepper(self, purpose: str) -> bytes:
        """32 secret bytes of this installation, others for each purpose, the same ever after."""


class KeyRing(Protocol):
    """The keys that sign tokens."""

    @abstractmethod
    async def keys(self) -> Sequence[SigningKey]:
        """All that are published, oldest first."""

    @abstractmethod
    async def rotate(self, *, compromised: bool = False) -> Sequence[SigningKey]:
        """Let the next key sign, retire the active one, make another next one; all keys then.

        Tokens of the retired key stay good until they expire. Raises PreconditionFailedError where the next key was
        published too short a time ago for everybody to know it. Where `compromised`, that is not waited for, and all keys
        but a new active and a new next one are gone: no token that was signed before is good any more.
        """
