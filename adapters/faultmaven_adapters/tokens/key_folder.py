"""Signing keys in a folder that only its owner can read: one file per private key, and what the ring says of them.

All processes of an installation share the folder. Who changes it holds a lock and replaces `ring.json` last; who reads looks
every second whether there is another one.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_adapters.tokens.private_keys import generate, load
from faultmaven_adapters.tokens.ring import Ring, begun, rotated
from faultmaven_core import codec
from faultmaven_core.ports.tokens import KeyRing, KeyState, SigningKey
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import MisconfiguredError

if TYPE_CHECKING:
    from faultmaven_adapters.tokens.private_keys import PrivateKey

FRESH = timedelta(seconds=1)
_PEPPER_BYTES = 32
_RING, _LOCK, _PEPPER = "ring.json", "ring.lock", "pepper"


@dataclass(frozen=True, slots=True)
class Keys:
    """The ring with the private halves, as they were in the folder at a moment."""

    ring: Ring
    private: Mapping[str, PrivateKey]
    stamp: tuple[int, int, int]


class KeyFolder(KeyRing):
    """See the port. Makes folder and keys at the first use; refuses files that others can read."""

    def __init__(self, folder: Path, clock: Clock, *, algorithm: str = "Ed25519") -> None:
        self._folder, self._clock, self._algorithm = folder, clock, algorithm
        self._calls = BlockingCalls("keys", 1)
        self._keys: Keys | None = None
        self._looked_at: datetime | None = None
        self._pepper: bytes | None = None

    async def keys(self) -> Sequence[SigningKey]:
        keys = await self.current(now=True)
        return keys.ring.trusted(self._clock.now())

    async def rotate(self, *, compromised: bool = False) -> Sequence[SigningKey]:
        self._keys = await self._calls(self._rotate, compromised)
        return self._keys.ring.trusted(self._clock.now())

    async def current(self, *, now: bool = False) -> Keys:
        """The keys; looks at the folder at most every second, or `now`."""
        at = self._clock.now()
        if self._keys is None or now or self._looked_at is None or not timedelta() <= at - self._looked_at < FRESH:
            self._looked_at = at
            self._keys = await self._calls(self._reread)
        return self._keys

    def pepper(self) -> bytes:
        """32 secret bytes, made at the first use and never changed."""
        if self._pepper is None:
            with self._locked():
                path = self._folder / _PEPPER
                if not path.exists():
                    _write_new(path, secrets.token_bytes(_PEPPER_BYTES))
                self._pepper = _read_private(path)
            if len(self._pepper) != _PEPPER_BYTES:
                raise MisconfiguredError(f"{self._folder / _PEPPER} does not hold {_PEPPER_BYTES} bytes.")
        return self._pepper

    async def aclose(self) -> None:
        """Use no more."""
        self._calls.close()

    def _reread(self) -> Keys:
        known = self._keys
        try:
            stamp = _stamp(self._folder / _RING)
        except FileNotFoundError:
            if known is not None:
                # Taken away under us: the last good keys go on, as with a folder that cannot be reached for a while.
                return known
            return self._begin()
        return known if known is not None and known.stamp == stamp else self._load()

    def _begin(self) -> Keys:
        with self._locked():
            if not (self._folder / _RING).exists():
                now = self._clock.now()
                self._store(begun(self._make(now), self._make(now), now))
            return self._load()

    def _rotate(self, compromised: bool) -> Keys:
        self._reread()
        with self._locked():
            ring, now = self._load().ring, self._clock.now()
            if compromised:
                changed = begun(self._make(now), self._make(now), now)
            else:
                changed = rotated(ring, partial(self._make, now), now)
            self._store(changed)
            kept = {key.kid for key in changed.keys}
            for path in self._folder.glob("*.pem"):
                if path.stem not in kept:
                    path.unlink()
            return self._load()

    def _make(self, now: datetime) -> SigningKey:
        kid = secrets.token_hex(8)
        _write_new(self._folder / f"{kid}.pem", generate(self._algorithm))
        return SigningKey(kid, self._algorithm, KeyState.NEXT, now)

    def _store(self, ring: Ring) -> None:
        draft = self._folder / f"{_RING}.{secrets.token_hex(4)}"
        _write_new(draft, codec.encode(ring))
        draft.replace(self._folder / _RING)

    def _load(self) -> Keys:
        stamp = _stamp(self._folder / _RING)
        ring = codec.restore(Ring, _read_private(self._folder / _RING))
        private = {key.kid: load(_read_private(self._folder / f"{key.kid}.pem"), key) for key in ring.keys}
        return Keys(ring, private, stamp)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._folder.stat().st_mode & 0o077:
            raise MisconfiguredError(f"Others can read {self._folder}: run chmod 700 on it.")
        handle = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read_private(path: Path) -> bytes:
    """A file that its owner alone can read. Raises MisconfiguredError where it is another, or missing."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError as error:
        raise MisconfiguredError(f"{path} is missing: bring the whole folder back from a backup.") from error
    except OSError as error:
        raise MisconfiguredError(f"{path} cannot be read: {error.strerror}.") from error
    with os.fdopen(handle, "rb") as file:
        if os.fstat(handle).st_mode & 0o077:
            raise MisconfiguredError(f"Others can read {path}: run chmod 600 on it.")
        return file.read()


def _write_new(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)
