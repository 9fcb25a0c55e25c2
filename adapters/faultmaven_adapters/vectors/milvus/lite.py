"""The link to Milvus Lite: a process of ours that has the folder open.

Lite is written in Python and computes for tenths of a second; in a thread it would hold up the event loop. Talking to it
through a port, as its own client does, would open the data to everybody on the machine.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from faultmaven_adapters._support.child_process import END_SECONDS, ChildProcess
from faultmaven_adapters._support.translate import Row, says, translation
from faultmaven_adapters.vectors.milvus.errors import MILVUS_ERRORS, accepted
from faultmaven_adapters.vectors.milvus.process import Opened, kinds
from faultmaven_core.shared.errors import (
    BackendError,
    BackendUnavailableError,
    ConflictError,
    CorruptDataError,
    FaultMavenError,
    UnsupportedError,
)

START_SECONDS = 120.0
"""Its packages are many: a second to load, on a machine under load many times that."""
_MODULE = "faultmaven_adapters.vectors.milvus.process"


def _locked(_error: object, place: str) -> FaultMavenError:
    return UnsupportedError(f"several processes; {place} is used by another one, so use a server of Milvus")


_NOT_OPENED: Mapping[Opened, Row] = {
    Opened.LOCKED: _locked,
    Opened.DAMAGED: says(CorruptDataError, "{place} is damaged: put back a copy, or remove it and index again."),
    Opened.UNUSABLE: says(
        BackendError, "{place} cannot be opened: look at the rights on it and at the space that is left."
    ),
}


class LiteLink:
    """See Link. Calls go one after the other; the process starts at the first, and again after its death."""

    lite = True
    threads = 1
    """Lite's writers must not meet, by its own notes."""

    def __init__(self, folder: Path, timeout: float) -> None:
        self.place = f"Milvus Lite in {folder}"
        self._folder, self._timeout = folder, timeout
        self._process: ChildProcess | None = None
        self._one_call = threading.Lock()
        self._closed = False

    def exchange(self, method: str, request: Any) -> Any:
        with self._one_call, translation(MILVUS_ERRORS, self.place):
            try:
                process = self._started()
                process.send(method.encode() + b" " + request.SerializeToString(), self._timeout)
                return accepted(kinds(method)[1].FromString(process.receive(self._timeout)))
            except TimeoutError:
                # It is still at it, and would answer somebody else's question.
                self._end(patience=0)
                raise
            except (EOFError, OSError) as error:
                self._end()
                raise BackendUnavailableError(f"{self.place} cannot serve us: its process has ended.") from error

    def close(self) -> None:
        with self._one_call:
            self._closed = True
            self._end()

    def _end(self, patience: float = END_SECONDS) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.end(patience)

    def _started(self) -> ChildProcess:
        if self._closed:  # a call that waited for its turn must not bring it back
            raise ConflictError("The vector store is closed.")
        if self._process is None:
            self._process = ChildProcess(_MODULE, str(self._folder))
            opened = Opened(self._process.receive(START_SECONDS).decode())
            if opened is not Opened.YES:
                self._end()
                raise _NOT_OPENED[opened](opened, self.place)
        return self._process
