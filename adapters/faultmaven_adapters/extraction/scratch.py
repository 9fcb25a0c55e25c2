"""Scratch space on disk: numbered files in a private folder, never named after anything that an archive says."""

from __future__ import annotations

import os
from typing import BinaryIO

from faultmaven_core.analysis.intake.unpack import Scratch


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
