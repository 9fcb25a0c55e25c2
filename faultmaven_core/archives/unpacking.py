"""Reads an archive that anybody may have made: nothing of it is believed before its digest was seen to hold."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import BinaryIO, TypeVar

from faultmaven_core import codec
from faultmaven_core.analysis.intake.zip import ZipEntry, entries
from faultmaven_core.archives import limits
from faultmaven_core.archives import model as m
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError

T = TypeVar("T")


class Unpacker:
    """An archive in a file. `most` bytes are unpacked of it in all."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file, self._most = file, most

    async def manifest(self) -> m.Manifest:
        """What the archive says of itself. Raises InvalidInputError where that is not all that stands in it, TooLargeError."""
        manifest = await asyncio.to_thread(self._manifest)
        if sum(part.size for part in manifest.parts) > self._most:
            raise TooLargeError(f"The archive unpacks to over {self._most:,} bytes, which is the most that is taken.")
        return manifest

    async def members(self, manifest: m.Manifest) -> AsyncGenerator[tuple[m.Part, AsyncGenerator[bytes, None]], None]:
        """Each part, with its content to be read before the next one is asked for.

        Reading raises InvalidInputError where the content is not what the manifest says.
        """
        parts = {part.path: part for part in manifest.parts}
        found = entries(self._file)
        while entry := await asyncio.to_thread(next, found, None):
            if entry.name != m.MANIFEST:
                part = parts[entry.name]
                yield part, _content(entry, part)

    def _manifest(self) -> m.Manifest:
        content, names = b"", list[str]()
        try:
            for entry in entries(self._file):
                if entry.refusal:
                    raise refused(f"{entry.name[:200]}: {entry.refusal}")
                names.append(entry.name)
                if len(names) > limits.MOST_FILES + len(m.ALWAYS) + len(m.WITH_RECORD) + 1:
                    raise TooLargeError(
                        f"The archive has over {limits.MOST_FILES:,} files, which is the most that is taken."
                    )
                if entry.name == m.MANIFEST:
                    content = _bounded(entry, limits.MOST_MANIFEST)
        except (OSError, EOFError) as error:
            raise refused("it is no zip archive, or its end is missing") from error
        if not content:
            raise refused(f"it has no {m.MANIFEST}")
        fitting({m.MANIFEST: content})
        manifest = decoded(m.Manifest, content, m.MANIFEST)
        _check(manifest, names)
        return manifest


def refused(why: str) -> InvalidInputError:
    """The refusal of an archive as a whole."""
    return InvalidInputError(
        f"This is no archive of a case that can be taken: {why}.", fields={"archive": "not allowed"}
    )


def fitting(texts: Mapping[str, bytes]) -> None:
    """Raises InvalidInputError where reading these parts would cost more than any of ours."""
    if why := limits.excess(texts):
        raise refused(why)


def decoded(kind: type[T], content: bytes, name: str) -> T:
    """A value from a part. Raises InvalidInputError that names the part."""
    try:
        return codec.decode(kind, content)
    except (InvalidInputError, RecursionError) as error:
        raise refused(f"{name} cannot be read: {error}") from error


async def whole(content: AsyncGenerator[bytes, None]) -> bytes:
    """A part that is held in memory."""
    return b"".join([chunk async for chunk in content])


def lines(kind: type[T], content: bytes, name: str) -> Sequence[T]:
    """The values of a part that has one in each line. Raises InvalidInputError."""
    if content and not content.endswith(b"\n"):
        raise refused(f"the last line of {name} does not end")
    return [decoded(kind, line, f"{name}, line {number}") for number, line in enumerate(io.BytesIO(content), 1)]


def _check(manifest: m.Manifest, names: Sequence[str]) -> None:
    """Whether the manifest is of a format that we know, and names what is there, no more and no less."""
    if manifest.format != m.FORMAT:
        raise refused(f"its format is {manifest.format[:60]!r}, and only {m.FORMAT} is known here")
    listed = [part.path for part in manifest.parts]
    if sorted(listed) != sorted(set(names) - {m.MANIFEST}) or len(set(listed)) < len(listed):
        raise refused(f"{m.MANIFEST} does not name exactly what stands in it")
    texts = {path for path in listed if not m.is_name_of_a_file(path)}
    if texts not in ({*m.ALWAYS}, {*m.ALWAYS, *m.WITH_RECORD}):
        raise refused("it has not the parts of a case, or others")
    if any(part.size < 0 for part in manifest.parts):
        raise refused("one of its parts has less than nothing")
    size = sum(part.size for part in manifest.parts if part.path in texts)
    if size > limits.MOST_TEXT:
        raise TooLargeError(
            f"What is no file in the archive has {size:,} bytes together, and {limits.MOST_TEXT:,} are taken."
        )


def _bounded(entry: ZipEntry, most: int) -> bytes:
    content = b""
    for chunk in entry.content:
        content += chunk
        if len(content) > most:
            raise TooLargeError(f"{entry.name} is over {most >> 20} MiB, which is the most that is taken.")
    return content


async def _content(entry: ZipEntry, part: m.Part) -> AsyncGenerator[bytes, None]:
    """The content, never a byte more than the manifest says."""
    size, digest = 0, hashlib.sha256()
    content: Iterator[bytes] = entry.content
    while True:
        try:
            chunk = await asyncio.to_thread(next, content, None)
        except (OSError, EOFError) as error:
            raise refused(f"{part.path} is damaged") from error
        if chunk is None:
            break
        size += len(chunk)
        if size > part.size:
            raise refused(f"{part.path} has more than the {part.size:,} bytes that it says")
        digest.update(chunk)
        yield chunk
    if size != part.size or digest.hexdigest() != part.sha256:
        raise refused(f"{part.path} is not what {m.MANIFEST} says: its size or its SHA-256 differs")
