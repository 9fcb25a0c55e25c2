"""The program of an extraction process: reads jobs from its standard input, writes replies to its standard output.

It is expected to meet hostile files, so it gives up what it does not need before it reads the first: memory and time beyond
its limits, the network, other programs. What it still can do is read files and write to its scratch folder.
"""

from __future__ import annotations

import importlib
import os
import pickle
import resource
import signal
import sys
from typing import BinaryIO

from faultmaven_adapters.extraction import jobs
from faultmaven_adapters.extraction.frames import DONE, Order, write_frame
from faultmaven_core.analysis.extract.tools import Tools

_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.posix_spawn",
    "os.system",
    "os.fork",
    "os.kill",
    "ctypes.",
    "ftplib.",
    "urllib.",
)


def main() -> None:
    """Serve until the standard input ends."""
    # Replies must not be mixed with what a library prints: the real standard output is kept, the name points elsewhere.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what ends when
    tools = _tools(sys.argv[1])
    memory = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    sys.addaudithook(_forbid)
    write_frame(replies, DONE)
    while (order := _next(sys.stdin.buffer)) is not None:
        _serve(order, tools, replies)


def _tools(place: str) -> Tools:
    module, _, name = place.partition(":")
    tools = getattr(importlib.import_module(module), name)()
    if not isinstance(tools, Tools):
        raise TypeError(f"{place} gives no Tools")
    return tools


def _forbid(event: str, _args: tuple[object, ...]) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError(f"extraction does not do {event}")


def _next(stream: BinaryIO) -> Order | None:
    size = stream.read(8)
    if len(size) < 8:
        return None
    order = pickle.loads(stream.read(int.from_bytes(size, "little")))  # noqa: S301 - from our own parent
    return order if isinstance(order, Order) else None


def _serve(order: Order, tools: Tools, replies: BinaryIO) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(
        resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + order.cpu_seconds, resource.RLIM_INFINITY)
    )
    for reply in jobs.run(order.job, tools):
        write_frame(replies, reply)
    write_frame(replies, DONE)


if __name__ == "__main__":
    main()
