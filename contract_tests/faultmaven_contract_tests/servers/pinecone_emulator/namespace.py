"""One namespace: a log of writes, and the views that its readers have of it, each late in its own way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Document:
    """As stored: numbers of the metadata are 64-bit floats, those of the vector 32-bit."""

    metadata: dict[str, Any]
    vector: NDArray[np.float32]


Documents: TypeAlias = dict[str, Document]
Change: TypeAlias = Callable[[Documents], None]


class Reader(StrEnum):
    """Who reads; they catch up independently of each other."""

    SEARCH = "search"
    FETCH = "fetch"
    LIST = "list"
    STATS = "stats"


@dataclass(slots=True)
class View:
    """What one kind of reader sees."""

    documents: Documents = field(default_factory=dict)
    applied: int = 0
    """The position in the log that it has reached."""
    stale_reads: int = 0
    """So many more reads before it catches up."""


class Namespace:
    """Writes are acknowledged with their position in the log; a reader sees them only after it was late some times."""

    def __init__(self) -> None:
        self._log: list[Change] = []
        self._views = {reader: View() for reader in Reader}

    def write(self, change: Change, *, lag: int) -> int:
        """The write's log sequence number. Each reader gives `lag` answers without it."""
        for view in self._views.values():
            if view.applied == len(self._log):
                view.stale_reads = lag
        self._log.append(change)
        return len(self._log)

    def read(self, reader: Reader) -> View:
        """What this reader sees now."""
        view = self._views[reader]
        if view.stale_reads:
            view.stale_reads -= 1
            return view
        for change in self._log[view.applied :]:
            change(view.documents)
        view.applied = len(self._log)
        return view

    def catch_up(self) -> None:
        """As if time had passed."""
        for view in self._views.values():
            view.stale_reads = 0
