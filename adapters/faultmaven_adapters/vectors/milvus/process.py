"""The program of the process that has a folder of Milvus Lite's open: requests in, answers out, until its parent is gone."""

from __future__ import annotations

import logging
import os
import signal
import sys
from contextlib import closing
from enum import StrEnum
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from faultmaven_adapters._support.child_process import connection_of


class Opened(StrEnum):
    """What the process says first: how it went."""

    YES = "yes"
    LOCKED = "locked"
    DAMAGED = "damaged"
    UNUSABLE = "unusable"


def main(folder: Path, connection: Connection) -> None:
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
        connection.send(str(Opened.LOCKED))
    except lite.MilvusLiteError:
        connection.send(str(Opened.DAMAGED))
    except OSError:
        connection.send(str(Opened.UNUSABLE))
    else:
        with closing(database):
            servicer = MilvusServicer(database)
            connection.send(str(Opened.YES))
            while order := _received(connection):
                method, request = order
                answer = getattr(servicer, method)(kinds(method)[0].FromString(request), None)
                connection.send(answer.SerializeToString())


def kinds(method: str) -> tuple[Any, Any]:
    """The classes of a method's request and answer."""
    from pymilvus.grpc_gen import common_pb2, milvus_pb2

    def kind(name: str) -> Any:
        return getattr(milvus_pb2 if hasattr(milvus_pb2, name) else common_pb2, name)

    found = milvus_pb2.DESCRIPTOR.services_by_name["MilvusService"].methods_by_name[method]
    return kind(found.input_type.name), kind(found.output_type.name)


def _received(connection: Connection) -> tuple[str, bytes] | None:
    try:
        order: tuple[str, bytes] = connection.recv()
    except EOFError:
        return None
    return order


if __name__ == "__main__":
    main(Path(sys.argv[1]), connection_of(sys.argv[2]))
