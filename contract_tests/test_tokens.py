"""The contract of tokens for each algorithm, and the folder that the keys are in."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from faultmaven_adapters.tokens.jose import JoseTokens
from faultmaven_adapters.tokens.key_folder import KeyFolder
from faultmaven_adapters.tokens.ring import Ring
from faultmaven_contract_tests.tokens import AUDIENCE, CLAIMS, ISSUER, OpenedTokens, TokensContract, encoded
from faultmaven_core import codec
from faultmaven_core.ports.tokens import KeyState, TokenKind
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import MisconfiguredError, UnauthenticatedError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def signature(pem: bytes, message: bytes) -> bytes:
    """By the standard's own algorithms, without the library under test."""
    key = serialization.load_pem_private_key(pem, None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


@cache
def made(algorithm: str) -> Mapping[str, bytes]:
    """The files of a folder of keys; made once, because some algorithms take a second for each key."""

    async def make(folder: Path) -> None:
        keys = KeyFolder(folder, FixedClock(NOON), algorithm=algorithm)
        await keys.keys()
        await keys.aclose()

    with tempfile.TemporaryDirectory() as folder:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, make(Path(folder) / "keys")).result()
        return {path.name: path.read_bytes() for path in (Path(folder) / "keys").iterdir()}


@asynccontextmanager
async def tokens(algorithm: str, folder: Path) -> AsyncIterator[OpenedTokens]:
    """Two processes on one folder, and an installation of somebody else."""
    (folder / "keys").mkdir(mode=0o700)
    for name, content in made(algorithm).items():
        (folder / "keys" / name).touch(mode=0o600)
        (folder / "keys" / name).write_bytes(content)
    clock = FixedClock(NOON)
    one, two = (KeyFolder(folder / "keys", clock, algorithm=algorithm) for _ in range(2))
    stranger = KeyFolder(folder / "stranger", clock, algorithm=algorithm)
    await one.keys()
    await two.keys()

    def active() -> bytes:
        ring = codec.restore(Ring, (folder / "keys" / "ring.json").read_bytes())
        return (folder / "keys" / f"{ring.active.kid}.pem").read_bytes()

    def sign(header: Mapping[str, Any], payload: bytes) -> str:
        start = f"{encoded(dict(header))}.{encoded(payload)}"
        return f"{start}.{encoded(signature(active(), start.encode()))}"

    public = serialization.load_pem_private_key(active(), None).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    yield OpenedTokens(
        JoseTokens(one, ISSUER, clock),
        JoseTokens(two, ISSUER, clock),
        JoseTokens(stranger, ISSUER, clock),
        one,
        clock,
        sign,
        pem,
    )
    for each in (one, two, stranger):
        await each.aclose()


OPENERS = {name.lower(): partial(tokens, name) for name in ("Ed25519", "ES256", "RS256")}


class TestTokens(TokensContract):
    """Tokens."""

    port = "tokens"
    openers = OPENERS

    @pytest.fixture
    async def opened(self, backend: str, tmp_path: Path) -> AsyncIterator[OpenedTokens]:
        """Fresh keys."""
        async with self.openers[backend](tmp_path) as opened:
            yield opened


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[KeyFolder]:
    """A folder of keys that nobody has used yet."""
    made = KeyFolder(tmp_path / "keys", FixedClock(NOON))
    yield made
    await made.aclose()


async def test_nothing_is_made_before_the_first_use(folder: KeyFolder, tmp_path: Path) -> None:
    """Commands that need no identity leave no keys behind."""
    assert not (tmp_path / "keys").exists()
    await folder.keys()
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["*.pem", "ring.json", "pepper", "."])
async def test_files_that_others_can_read_are_refused(folder: KeyFolder, tmp_path: Path, name: str) -> None:
    """T-6: with the command that mends it."""
    await folder.keys()
    folder.pepper()
    path = next((tmp_path / "keys").glob(name)) if name != "." else tmp_path / "keys"
    path.chmod(path.stat().st_mode | 0o040)
    again = KeyFolder(tmp_path / "keys", FixedClock(NOON))

    async def use() -> None:
        await again.keys()
        again.pepper()

    with pytest.raises(MisconfiguredError, match="chmod"):
        await use()
    await again.aclose()


async def test_a_private_key_that_is_missing_or_another_is_refused(folder: KeyFolder, tmp_path: Path) -> None:
    """At the start, with its name."""
    kid = (await folder.keys())[0].kid
    path = tmp_path / "keys" / f"{kid}.pem"
    for content in (b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", None):
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        again = KeyFolder(tmp_path / "keys", FixedClock(NOON))
        with pytest.raises(MisconfiguredError, match=kid):
            await again.keys()
        await again.aclose()


async def test_ten_processes_that_start_at_once_have_the_same_keys(tmp_path: Path) -> None:
    """The first one makes them, the others wait."""
    folders = [KeyFolder(tmp_path / "keys", FixedClock(NOON)) for _ in range(10)]
    found = await asyncio.gather(*(folder.keys() for folder in folders))
    assert len({tuple(key.kid for key in keys) for keys in found}) == 1
    assert len({folder.pepper() for folder in folders}) == 1
    for folder in folders:
        await folder.aclose()


async def test_rotations_under_load_refuse_no_token(tmp_path: Path) -> None:
    """T-5: three processes sign and read while a fourth rotates again and again."""
    clock = FixedClock(NOON)
    folders = [KeyFolder(tmp_path / "keys", clock) for _ in range(4)]
    processes = [JoseTokens(folder, ISSUER, clock) for folder in folders[:3]]
    await folders[3].keys()
    for _ in range(6):
        clock.advance(timedelta(minutes=20))
        for turn in range(30):
            end = clock.now() + timedelta(minutes=10)
            token = await processes[turn % 3].issue(TokenKind.ACCESS, CLAIMS, end)
            assert await processes[(turn + 1) % 3].read(token, TokenKind.ACCESS, audience=AUDIENCE)
            if turn == 10:
                await folders[3].rotate()
            clock.advance(timedelta(milliseconds=100))
    keys = await folders[3].keys()
    assert [key.state for key in keys].count(KeyState.ACTIVE) == 1
    assert {path.stem for path in (tmp_path / "keys").glob("*.pem")} == {key.kid for key in keys}
    for folder in folders:
        await folder.aclose()


async def test_keys_that_are_taken_away_under_a_running_process_still_work(folder: KeyFolder, tmp_path: Path) -> None:
    """As when a network folder cannot be reached for a while; no new keys are made instead."""
    clock = FixedClock(NOON)
    tokens_ = JoseTokens(folder, ISSUER, clock)
    token = await tokens_.issue(TokenKind.ACCESS, CLAIMS, NOON + timedelta(minutes=1))
    (tmp_path / "keys").rename(tmp_path / "elsewhere")
    assert len(await folder.keys()) == 2
    assert await tokens_.read(token, TokenKind.ACCESS, audience=AUDIENCE)
    assert not (tmp_path / "keys").exists()


async def test_an_unknown_algorithm_is_refused(tmp_path: Path) -> None:
    """Before any key is made of it."""
    folder = KeyFolder(tmp_path / "keys", FixedClock(NOON), algorithm="HS256")
    with pytest.raises(MisconfiguredError, match="Ed25519"):
        await folder.keys()
    await folder.aclose()


async def test_a_token_in_the_name_of_another_issuer_is_refused(folder: KeyFolder) -> None:
    """Though the keys are the same."""
    clock = FixedClock(NOON)
    token = await JoseTokens(folder, "https://other.example", clock).issue(
        TokenKind.ACCESS, CLAIMS, NOON + timedelta(minutes=1)
    )
    with pytest.raises(UnauthenticatedError):
        await JoseTokens(folder, ISSUER, clock).read(token, TokenKind.ACCESS, audience=AUDIENCE)
