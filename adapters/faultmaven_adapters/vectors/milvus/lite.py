"""Milvus Lite: the same requests, answered by a call in this process. No port is open for others to find."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from milvus_lite import exceptions as lite
from milvus_lite.adapter.grpc.servicer import MilvusServicer
from milvus_lite.db import MilvusLite

from faultmaven_adapters._support.translate import Table, says, translation
from faultmaven_adapters.vectors.milvus.errors import MILVUS_ERRORS
from faultmaven_adapters.vectors.milvus.links import accepted
from faultmaven_core.shared.errors import BackendError, CorruptDataError, FaultMavenError, UnsupportedError


def _locked(_error: object, place: str) -> FaultMavenError:
    return UnsupportedError(f"several processes; {place} is used by another one, so use a server of Milvus")


_damaged = says(CorruptDataError, "{place} is damaged: put back a copy, or remove it and index again.")
_ERRORS: Table = {
    **MILVUS_ERRORS,
    lite.DataDirLockedError: _locked,
    lite.WALCorruptedError: _damaged,
    lite.ManifestCorruptedError: _damaged,
    lite.SchemaValidationError: _damaged,
    OSError: says(
        BackendError, "{place} cannot be used: look at the rights on the folder, and at the space that is left."
    ),
}


class LiteLink:
    """A folder, opened at its first use."""

    lite = True
    threads = 1
    """Its writers must not meet, by its own notes."""

    def __init__(self, folder: Path) -> None:
        self.place = f"Milvus Lite in {folder}"
        self._folder = folder
        self._database: MilvusLite | None = None

    def exchange(self, method: str, request: Any) -> Any:
        with translation(_ERRORS, self.place):
            if self._database is None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._database = MilvusLite(str(self._folder))
            return accepted(getattr(MilvusServicer(self._database), method)(request, None))

    def close(self) -> None:
        if self._database is not None:
            with translation(_ERRORS, self.place), closing(self._database):
                self._database = None
