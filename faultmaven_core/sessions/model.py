"""The session: a signed-in client of a user. The client holds a token; only the token's digest is ever stored."""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime

from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError, UnauthenticatedError
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_core.shared.text import checked

MOST_DATA = 64 * 1024
"""Bytes of data: every request reads them all."""

CLIENT = "client"
"""The method of sessions that are no sign-ins, and that nobody can sign in with: a client's own, beside its user's."""

_SECRET_BYTES = 32
_TAG_BYTES = 16
_TAG = r"[A-Za-z0-9_-]{22}"
_TOKEN = re.compile(rf"{_TAG}\.[A-Za-z0-9_-]{{43}}")
_ID = re.compile(rf"{_TAG}\.[0-9a-f]{{64}}")


@dataclass(frozen=True, slots=True)
class SessionId:
    """A session's name among ourselves: whoever knows it cannot use the session. `tag` is `user_tag` of its owner."""

    tag: str
    digest: str

    def __post_init__(self) -> None:
        if not _ID.fullmatch(str(self)):
            raise InvalidInputError("This is no id of a session.", fields={"session": "unknown"})

    @classmethod
    def of(cls, text: str) -> SessionId:
        """The id that this text is. Raises InvalidInputError where it is none."""
        return cls(*text.partition(".")[::2])

    def __str__(self) -> str:
        return f"{self.tag}.{self.digest}"


class SessionToken:
    """What the client sends: the user's tag and 256 random bits. As secret as a password, and hidden in every text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not _TOKEN.fullmatch(text):
            raise UnauthenticatedError("This is no session: sign in again.")
        self._text = text

    @classmethod
    def new(cls, owner: Caller) -> SessionToken:
        """A token that nobody can guess."""
        return cls(f"{user_tag(owner)}.{_text(secrets.token_bytes(_SECRET_BYTES))}")

    def reveal(self) -> str:
        """The text, for the client alone."""
        return self._text

    @property
    def id(self) -> SessionId:
        """What is stored instead. Changing any letter of the token gives the id of no session."""
        return SessionId(self._text.partition(".")[0], hashlib.sha256(self._text.encode()).hexdigest())

    def __repr__(self) -> str:
        return "SessionToken(***)"


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signed in, how and from where: what a user sees of each session, and what never changes.

    Raises InvalidInputError where a text is too long or the id is not one of the user's.
    """

    id: SessionId
    organization: OrganizationId
    user: UserId
    method: str
    device: str = ""
    address: str = ""
    place: str = ""

    def __post_init__(self) -> None:
        if self.id.tag != user_tag(Caller(self.organization, self.user)):
            raise InvalidInputError("The session's id belongs to another user.", fields={"id": "of another user"})
        checked("method", self.method, most=64)
        checked("device", self.device, most=512)
        checked("address", self.address, most=64)
        checked("place", self.place, most=200)


@dataclass(frozen=True, slots=True)
class Session:
    """A live session. All its times are by the store's clock; `data` is what the services keep with it, at most 64 KiB."""

    sign_in: SignIn
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    data: bytes = b""
    version: int = 1

    def __post_init__(self) -> None:
        if len(self.data) > MOST_DATA:
            raise TooLargeError(f"A session keeps at most {MOST_DATA} bytes.")

    @property
    def id(self) -> SessionId:
        """The session's id."""
        return self.sign_in.id


def user_tag(owner: Caller) -> str:
    """A user's name within sessions' ids: one per user and organization, telling neither."""
    return _text(hashlib.sha256(f"{owner.organization}\0{owner.user}".encode()).digest()[:_TAG_BYTES])


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
