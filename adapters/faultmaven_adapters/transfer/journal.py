"""The journal of a transfer as a file: a line for the transfer, then one for everything that is confirmed."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_core.shared.errors import (
    BackendError,
    ConflictError,
    CorruptDataError,
    InvalidInputError,
    MisconfiguredError,
)
from faultmaven_core.transfer.model import Confirmed, Part
from faultmaven_core.transfer.ports import Journal

FORMAT = "faultmaven-transfer/1"


class FileJournal(Journal):
    """See the port. `about` is what makes two transfers the same one: the places, as people may see them.

    The file is locked while it is open. A `restart` knows nothing of what it says, and forgets it when it begins: one that
    is refused leaves it. A line that was cut short by the end of the program counts as not written. Who only means to
    `look` changes nothing, and makes no file.
    """

    def __init__(self, path: Path, about: Mapping[str, Any], *, restart: bool = False, look: bool = False) -> None:
        self._path, self._restart, self._look = path, restart, look
        self._header = {"format": FORMAT, **about}
        self._calls = BlockingCalls("transfer", 1)
        self._file = -1

    async def open(self) -> Mapping[str, Confirmed] | None:
        return await self._calls(self._open)

    async def begin(self) -> None:
        await self._calls(self._begin)

    async def confirm(self, part: Part, confirmed: Confirmed) -> None:
        await self._calls(self._write, {"part": str(part), **asdict(confirmed)})

    async def aclose(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._calls.close()

    def _open(self) -> Mapping[str, Confirmed] | None:
        if self._look:
            return self._known()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            _keep_name(self._path)
        except OSError as error:
            raise MisconfiguredError(
                f"The journal {self._path} cannot be written ({error.strerror}); name another file with --journal."
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConflictError(f"This transfer is running already: its journal {self._path} is in use.") from error
        if self._restart:
            return None
        whole, torn = self._lines()
        if torn:
            os.ftruncate(self._file, len(whole) + 1 if whole else 0)
        return self._read(whole.splitlines()) if whole else None

    def _begin(self) -> None:
        os.ftruncate(self._file, 0)
        self._write(self._header)

    def _known(self) -> Mapping[str, Confirmed] | None:
        if self._restart or not self._path.exists():
            return None
        whole, _ = self._lines()
        return self._read(whole.splitlines()) if whole else None

    def _lines(self) -> tuple[bytes, bytes]:
        """The whole lines, and what of one more was written."""
        whole, _, torn = self._path.read_bytes().rpartition(b"\n")
        if not whole and not json.dumps(self._header).encode().startswith(torn):
            raise CorruptDataError(f"The journal {self._path} cannot be read; it is no journal of a transfer.")
        return whole, torn

    def _read(self, lines: list[bytes]) -> Mapping[str, Confirmed]:
        try:
            header, *entries = [json.loads(line) for line in lines]
            confirmed = {entry.pop("part"): Confirmed(**entry) for entry in entries}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CorruptDataError(
                f"The journal {self._path} cannot be read; it is no journal of a transfer."
            ) from error
        if header != self._header:
            raise InvalidInputError(
                f"The journal {self._path} is of another transfer; name another file with --journal.",
                fields={"journal": "another transfer"},
            )
        return confirmed

    def _write(self, entry: Mapping[str, Any]) -> None:
        before = os.fstat(self._file).st_size
        rest = memoryview(json.dumps(entry).encode() + b"\n")
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError as error:
            with suppress(OSError):  # half a line in the middle would spoil the whole; at the end it is nothing
                os.ftruncate(self._file, before)
            raise BackendError(f"The journal {self._path} cannot be written: {error.strerror}.") from error


def _keep_name(path: Path) -> None:
    """A file survives a crash of the machine only together with its folder's entry."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
