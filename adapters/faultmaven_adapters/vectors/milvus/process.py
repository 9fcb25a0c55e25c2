"""The program of the process that has a folder of Milvus Lite's open: requests in, answers out, until its parent is gone."""

from __future__ import annotations

import logging
import os
import signal
import sys
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Any

from faultmaven_adapters._support.child_process import Parent


class Opened(StrEnum):
    """What the process says first: how it went."""

    YES = "yes"
    LOCKED = "locked"
    DAMAGED = "damaged"
    UNUSABLE = "unusable"


def main(folder: Path, parent: Parent) -> None:
    """Serve until the connection ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what ends when
    os.umask(0o077)
    logging.disable()  # every refusal would be logged with a trace
    from milvus_lite import exceptions as lite
    from milvus_lite.adapter.grpc.servicer import MilvusServicer
    from milvus_lite.db import MilvusLite

    try:
        folder.mkdir(parents=True, exist_ok=True)
        database = MilvusLite(str(folder))
    except lite.DataDirLockedError:
        parent.send(Opened.LOCKED.encode())
    except lite.MilvusLiteError:
        parent.send(Opened.DAMAGED.encode())
    except OSError:
        parent.send(Opened.UNUSABLE.encode())
    else:
        with closing(database):
            servicer = MilvusServicer(database)
            parent.send(Opened.YES.encode())
            while order := _received(parent):
                method, request = order
                answer = getattr(servicer, method)(kinds(method)[0].FromString(request), None)
                parent.send(answer.SerializeToString())


def kinds(method: str) -> tuple[Any, Any]:
    """The classes of a method's request and answer."""
    from pymilvus.grpc_gen import common_pb2, milvus_pb2

    def kind(name: str) -> Any:
        return getattr(milvus_pb2 if hasattr(milvus_pb2, name) else common_pb2, name)

    found = milvus_pb2.DESCRIPTOR.services_by_name["MilvusService"].methods_by_name[method]
    return kind(found.input_type.name), kind(found.output_type.name)


def _received(parent: Parent) -> tuple[str, bytes] | None:
    try:
        method, _, request = parent.receive().partition(b" ")
    except (EOFError, OSError):
        return None
    return method.decode(), request


if __name__ == "__main__":
    main(Path(sys.argv[1]), Parent(sys.argv[2]))
