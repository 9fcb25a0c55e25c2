"""The files of a folder by the digest of their content, mapped into memory instead of read."""

from __future__ import annotations

import gzip
import hashlib
import mmap
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from faultmaven_cli.output import printable
from faultmaven_core.analysis.claims.citations import Content, Evidence, EvidenceFile
from faultmaven_core.analysis.intake.forms import HEAD, form_of
from faultmaven_core.analysis.intake.limits import Limits
from faultmaven_core.analysis.intake.memory_scratch import MemoryScratch
from faultmaven_core.analysis.intake.unpack import Unpacker
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError

MAX_UNPACKED = 1 << 30
"""Bytes that a compressed file may unpack to: it is held in memory while claims are checked."""

_ARCHIVES = frozenset(("zip", "tar"))

_GZIP = b"\x1f\x8b"


def opened_evidence(paths: Sequence[Path], stack: ExitStack) -> Evidence:
    """Evidence files by digest; a gzip file by that of its bytes and of what is in it, members of archives by theirs."""
    found: dict[str, EvidenceFile] = {}
    for path in _files(paths):
        content = _mapped(path, stack)
        found.setdefault(_digest(content), EvidenceFile(path.name, content))
        if content[0:2] == _GZIP:
            unpacked = _unpacked(path)
            packed_digest, digest = _digest(content), _digest(unpacked)
            found[packed_digest] = found[digest] = EvidenceFile(path.name, unpacked)
            content = unpacked
        if form_of(bytes(content[:HEAD])) in _ARCHIVES:
            for digest, member in _members(path):
                found.setdefault(digest, member)
    return found


def _members(path: Path) -> Iterator[tuple[str, EvidenceFile]]:
    """What is in an archive, by digest, unpacked as an investigation does it, and held in memory."""
    scratch = MemoryScratch()
    with path.open("rb") as packed:
        for content in Unpacker(scratch, limits=Limits(total=MAX_UNPACKED)).unpack(path.name, packed):
            if content.problem:
                click.echo(f"note: {printable(content.problem)}", err=True)
            if content.key:
                yield content.sha256, EvidenceFile(content.name, scratch.contents[content.key])


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (file for file in inside if file.is_file() and not file.is_symlink())


def _mapped(path: Path, stack: ExitStack) -> Content:
    if path.stat().st_size == 0:
        return b""
    file = stack.enter_context(path.open("rb"))
    return stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _unpacked(path: Path) -> bytes:
    try:
        with gzip.open(path) as packed:
            content = packed.read(MAX_UNPACKED + 1)
    except (OSError, EOFError) as error:
        raise InvalidInputError(f"{path} cannot be unpacked ({error}): give its unpacked content instead.") from error
    if len(content) > MAX_UNPACKED:
        raise TooLargeError(f"{path} unpacks to more than {MAX_UNPACKED} bytes: give its unpacked content instead.")
    return content


def _digest(content: Content) -> str:
    digest = hashlib.sha256()
    for at in range(0, len(content), 1 << 20):
        digest.update(content[at : at + (1 << 20)])
    return digest.hexdigest()
