"""Messages between a run and its processes: length, then a pickle of our own values.

An extraction process may have been taken over by a hostile file. So the parent builds nothing from its words but plain
values and classes of the core.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from typing import BinaryIO

from faultmaven_adapters.extraction.jobs import Job

MAX_FRAME = 512 << 20
"""Bytes of a message that the parent accepts."""

DONE = "done"
"""The reply that ends every job, and says at the start that the process is ready."""

_OURS = ("faultmaven_core.analysis.", "faultmaven_core.ports.document_reader", "faultmaven_adapters.extraction.")


@dataclass(frozen=True, slots=True)
class Order:
    """A job with the processor time that it may use."""

    job: Job
    cpu_seconds: int


def write_frame(stream: BinaryIO, message: object) -> None:
    """Send a message."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(len(data).to_bytes(8, "little") + data)
    stream.flush()


def message_of(data: bytes) -> object:
    """A message of an extraction process. Raises pickle.UnpicklingError where it holds anything but our values."""
    return _Values(io.BytesIO(data)).load()


class _Values(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if module.startswith(_OURS) and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:  # no function, nothing that a module imports
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is not a value of ours")
