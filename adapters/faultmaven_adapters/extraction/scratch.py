"""Scratch space on disk: numbered files in a private folder, never named after anything that an archive says."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from faultmaven_core.analysis.intake.unpack import Scratch

_PREFIX = "faultmaven-run-"
_LOCK = "in-use"

_YOUNG_SECONDS = 60.0
"""A folder younger than this may be about to be locked by its owner."""


@contextmanager
def private_folder() -> Iterator[str]:
    """A temporary folder that only this user can read, gone when the context is left.

    A process that is killed cannot clean up. So folders whose owner holds no lock any more are removed here first:
    unpacked evidence must not stay on somebody's disk.
    """
    _sweep(tempfile.gettempdir())
    folder = tempfile.mkdtemp(prefix=_PREFIX)
    lock = os.open(os.path.join(folder, _LOCK), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep(parent: str) -> None:
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and entry.is_dir(follow_symlinks=False):
                _remove_abandoned(entry)


def _remove_abandoned(entry: os.DirEntry[str]) -> None:
    with suppress(OSError):  # in use, somebody else's, or gone in the meantime
        status = entry.stat(follow_symlinks=False)
        if status.st_uid != os.geteuid() or time.time() - status.st_mtime < _YOUNG_SECONDS:
            return
        lock = os.open(os.path.join(entry.path, _LOCK), os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(entry.path, ignore_errors=True)
        finally:
            os.close(lock)


class FolderScratch(Scratch):
    """See the port. `prefix` keeps apart what several processes write into one folder."""

    def __init__(self, folder: str, prefix: str = "") -> None:
        self._folder, self._prefix, self._made = folder, prefix, 0

    def create(self) -> tuple[str, BinaryIO]:
        """See the port."""
        self._made += 1
        key = f"{self._prefix}{self._made:06}"
        return key, open(os.open(self.path(key), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def open(self, key: str) -> BinaryIO:
        """See the port."""
        return open(self.path(key), "rb")

    def drop(self, key: str) -> None:
        """See the port."""
        os.unlink(self.path(key))

    def path(self, key: str) -> str:
        """The file that holds a content."""
        return os.path.join(self._folder, key)
