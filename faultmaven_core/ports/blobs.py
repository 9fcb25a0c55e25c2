"""Port for bytes under a key: copies of evidence and whatever else is too large for a row."""

from __future__ import annotations

import hashlib
import re
from abc import abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, Protocol
from urllib.parse import urlencode

from faultmaven_core.ports.health import Pingable
from faultmaven_core.shared.capability import Capability
from faultmaven_core.shared.errors import (
    AlreadyExistsError,
    BackendError,
    CorruptDataError,
    InvalidInputError,
    NotFoundError,
    TooLargeError,
)

_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
_MOST_KEY = 512
_CONTENT_TYPE = re.compile(r"[\w!#$&^.+-]{1,100}/[\w!#$&^.+-]{1,100}(?:; ?[a-z]{1,16}=[\w.-]{1,64}){0,3}", re.ASCII)
_MOST_DESCRIBED = 1800
_LONGEST_EXPIRY = 7 * 24 * 3600


class BlobNotFoundError(NotFoundError):
    """Nothing is stored under the key."""


class BlobExistsError(AlreadyExistsError):
    """Something is stored under the key already."""


class BlobTooLargeError(TooLargeError):
    """The content went over the limit that the caller set."""


class DigestMismatchError(CorruptDataError):
    """The content is not what its sender meant to send."""


class StorageFullError(BackendError):
    """The disk or the bucket's quota is full."""


class BucketMissingError(BackendError):
    """The place that blobs are kept in does not exist; nobody but an administrator makes one."""


class AccessDeniedError(BackendError):
    """The backend knows who we are, and does not let us do this."""


@dataclass(frozen=True, slots=True, order=True)
class BlobKey:
    """1 to 128 characters of `A-Z a-z 0-9 . _ -` per segment, none starting with a dot, `/` between, 512 in all.

    The intersection of what all backends keep apart; names that people give are attributes, never keys.
    """

    text: str

    def __post_init__(self) -> None:
        if len(self.text) > _MOST_KEY or not all(_SEGMENT.fullmatch(part) for part in self.text.split("/")):
            raise InvalidInputError(f"{self.text[:80]!r} is no key of a blob.", fields={"key": "not allowed"})

    def __str__(self) -> str:
        return self.text


class BlobCapability(Capability):
    """What only some backends can do."""

    CONDITIONAL_WRITE = "conditional_write"
    PRESIGN_GET = "presign_get"


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """What is known of a stored blob. `sha256` is None where the backend was not told in time and cannot say.

    `created_at` is the moment of the put by its writer's clock. The digest of a large blob is known for certain only to
    whoever put it; keep it beside the key.
    """

    key: BlobKey
    size: int
    sha256: str | None
    content_type: str
    created_at: datetime
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ListedBlob:
    """What a listing tells of a blob. `created_at` is by the backend's clock."""

    key: BlobKey
    size: int
    created_at: datetime


class BlobReader(Protocol):
    """An open blob: iterate it once."""

    info: BlobInfo

    @abstractmethod
    def __aiter__(self) -> AsyncIterator[bytes]:
        """The content in blocks of at most 1 MiB."""


class BlobStore(Pingable, Protocol):
    """Bytes under a key. Keys reach an adapter already validated by `BlobKey`."""

    capabilities: frozenset[BlobCapability]

    @abstractmethod
    async def put(
        self,
        key: BlobKey,
        chunks: AsyncIterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        attributes: Mapping[str, str] = MappingProxyType({}),
        expected_sha256: str | None = None,
        max_size: int | None = None,
        mode: Literal["create", "replace"] = "create",
    ) -> BlobInfo:
        """Store the chunks; readers see nothing or the old value until they see the whole new one, never a part.

        If the source raises, the caller is cancelled before the source has ended, the digest differs
        (DigestMismatchError) or the content is larger than `max_size` (BlobTooLargeError, raised without reading on),
        nothing of it stays. Mode "create" on a key in use raises BlobExistsError; of two at once one wins where
        CONDITIONAL_WRITE is declared. A full disk is StorageFullError. AmbiguousError: the connection broke while the
        whole was being made visible, and the backend cannot be asked whether it is. The content type is `type/subtype`
        with up to three parameters; it and the attributes, as a URL's query, have at most 1,800 characters; anything else
        is InvalidInputError. The returned info holds the SHA-256 of what was stored.
        """

    @abstractmethod
    def open(
        self, key: BlobKey, *, start: int = 0, length: int | None = None
    ) -> AbstractAsyncContextManager[BlobReader]:
        """The content from byte `start` on; a start beyond the end gives nothing.

        Entering raises BlobNotFoundError; negative numbers are InvalidInputError. A reader that is open while the blob
        is replaced or deleted goes on with the old content or fails, it never mixes.
        """

    @abstractmethod
    async def stat(self, key: BlobKey) -> BlobInfo | None:
        """What is known of the blob; None where there is none."""

    @abstractmethod
    async def delete(self, keys: Collection[BlobKey]) -> None:
        """Remove blobs; absent ones are no error."""

    @abstractmethod
    def list(self, prefix: str, *, after: BlobKey | None = None) -> AsyncIterator[ListedBlob]:
        """Blobs whose key's text begins with the prefix, ascending by key, from beyond `after` on. For sweepers only.

        What was put or deleted meanwhile may be missing or there. Also removes what killed writers left long ago.
        """

    @abstractmethod
    async def presign_get(self, key: BlobKey, *, expires: timedelta, download_name: str | None = None) -> str:
        """A URL that serves the blob by GET until it expires: as a download, of that name where one is given.

        Raises UnsupportedError where PRESIGN_GET is not declared, InvalidInputError where `expires` is not between one
        second and seven days. Whoever has the URL has the blob: hand it out, never log it.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Release what the store holds; using it afterwards is ConflictError. Closing twice is no error."""


class Intake:
    """What every store does with a blob's chunks on their way in: count, digest, and hold the caller's limits."""

    def __init__(self, expected_sha256: str | None, max_size: int | None) -> None:
        self.size = 0
        self._digest = hashlib.sha256()
        self._expected, self._most = expected_sha256, max_size

    def take(self, chunk: bytes) -> None:
        """Account for a chunk. Raises BlobTooLargeError as soon as the limit is passed."""
        self.count(chunk)
        self.add(chunk)

    def count(self, chunk: bytes) -> None:
        """The first half of `take`, for who does the second elsewhere. Raises BlobTooLargeError."""
        self.size += len(chunk)
        if self._most is not None and self.size > self._most:
            raise BlobTooLargeError(f"The content has more than the allowed {self._most} bytes.")

    def add(self, content: bytes | bytearray) -> None:
        """The second half of `take`, of one or several counted chunks; it may run in a thread."""
        self._digest.update(content)

    def digest(self) -> str:
        """The SHA-256 of all chunks. Raises DigestMismatchError where another one was expected."""
        found = self._digest.hexdigest()
        if self._expected is not None and found != self._expected:
            raise DigestMismatchError("The content is not what its sender announced: its SHA-256 differs.")
        return found


def checked_description(content_type: str, attributes: Mapping[str, str]) -> str:
    """The attributes as a URL's query, which every backend can keep. Raises InvalidInputError for what is too much."""
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise InvalidInputError("A content type is written type/subtype.", fields={"content_type": "not allowed"})
    try:
        query = urlencode(attributes)
    except UnicodeEncodeError as error:
        raise InvalidInputError("Half a character.", fields={"attributes": "not allowed"}) from error
    if len(query) + len(content_type) > _MOST_DESCRIBED:
        raise InvalidInputError(
            f"The attributes have more than {_MOST_DESCRIBED} characters.", fields={"attributes": "too long"}
        )
    return query


def checked_expiry(expires: timedelta) -> int:
    """Seconds that a URL may live. Raises InvalidInputError for less than one and for more than seven days."""
    seconds = int(expires.total_seconds())
    if not 1 <= seconds <= _LONGEST_EXPIRY:
        raise InvalidInputError("A URL lives between one second and seven days.", fields={"expires": "not allowed"})
    return seconds


def checked_range(start: int, length: int | None) -> None:
    """Raises InvalidInputError where a start or a length is negative."""
    if start < 0 or (length is not None and length < 0):
        raise InvalidInputError("A range of bytes begins at 0 or later and has no negative length.")
