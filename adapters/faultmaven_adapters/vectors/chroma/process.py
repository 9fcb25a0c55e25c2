"""The program of the process that has a folder of Chroma's open: orders in, answers out, until its parent is gone."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from array import array
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from faultmaven_adapters._support.child_process import Parent
from faultmaven_adapters.vectors.chroma.errors import FAILED, LOCKED, OK, UNREACHED, UNREADABLE

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

LOCK = "faultmaven.lock"
LOCK_SECONDS = 2.0
"""For the end of a process that is closing the folder."""


def main(folder: Path, parent: Parent) -> None:
    """Serve until the connection ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what ends when
    os.umask(0o077)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        _say(parent, UNREACHED, error.strerror)
        return
    if not _locked(lock):
        _say(parent, LOCKED, "Another process has the folder open.")
        return
    try:
        chroma = _Chroma(folder)
    except BaseException as error:  # noqa: BLE001 - Chroma's own core panics with one that is no Exception
        _say(parent, UNREADABLE, f"{type(error).__name__}: {error}")
        return
    _say(parent, OK, "")
    with suppress(EOFError, OSError):
        while True:
            operation, name, body = msgspec.msgpack.decode(parent.receive())
            _say(parent, *chroma.answer(operation, name, body))
    chroma.close()


def _say(parent: Parent, status: int, answer: Any) -> None:
    parent.send(msgspec.msgpack.encode((status, answer)))


def _locked(lock: int) -> bool:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        else:
            return True


class _Chroma:
    """The operations of the wire by Chroma's own client."""

    def __init__(self, folder: Path) -> None:
        import chromadb
        from chromadb.config import Settings

        self._client = chromadb.PersistentClient(folder, settings=Settings(anonymized_telemetry=False))
        self._collections: dict[str, Collection] = {}

    def answer(self, operation: str, name: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """A status and what belongs to it."""
        from chromadb.errors import ChromaError

        work: Callable[[str, Mapping[str, Any]], Any] = getattr(self, f"_{operation}")
        try:
            return OK, work(name, body)
        except ChromaError as error:
            return error.code(), str(error)
        except Exception as error:  # noqa: BLE001 - whatever Chroma raises is for the parent to judge
            return FAILED, f"{type(error).__name__}: {error}"

    def close(self) -> None:
        """Let Chroma write what it still holds."""
        self._client.close()  # type: ignore[attr-defined]  # its declared type is that of older clients

    def _ping(self, _name: str, _body: Mapping[str, Any]) -> int:
        return self._client.count_collections()

    def _version(self, _name: str, _body: Mapping[str, Any]) -> str:
        import chromadb

        return chromadb.__version__

    def _find(self, name: str, _body: Mapping[str, Any]) -> dict[str, Any]:
        return _described(self._collection(name))

    def _create(self, _name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return _described(self._client.create_collection(embedding_function=None, **body))

    def _list(self, _name: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [_described(found) for found in self._client.list_collections(**body)]

    def _remove(self, name: str, _body: Mapping[str, Any]) -> None:
        self._collections.pop(name, None)
        self._client.delete_collection(name)

    def _count(self, name: str, _body: Mapping[str, Any]) -> int:
        return self._collection(name).count()

    def _get(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        found = self._collection(name).get(**body)
        vectors = found["embeddings"]
        return {
            "ids": found["ids"],
            "metadatas": found["metadatas"],
            "embeddings": None if vectors is None else [array("f", vector).tobytes() for vector in vectors],
        }

    def _query(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        import numpy as np

        vectors = [np.frombuffer(vector, dtype="f4") for vector in body["query_embeddings"]]
        found = self._collection(name).query(**{**body, "query_embeddings": vectors})
        return {key: found[key] for key in ("ids", "metadatas", "distances")}

    def _upsert(self, name: str, body: Mapping[str, Any]) -> None:
        import numpy as np

        vectors = [np.frombuffer(vector, dtype="<f4") for vector in body["embeddings"]]
        self._collection(name).upsert(ids=body["ids"], embeddings=vectors, metadatas=body["metadatas"])

    def _delete(self, name: str, body: Mapping[str, Any]) -> None:
        self._collection(name).delete(**body)

    def _collection(self, name: str) -> Collection:
        if name not in self._collections:
            self._collections[name] = self._client.get_collection(name, embedding_function=None)
        return self._collections[name]


def _described(found: Collection) -> dict[str, Any]:
    return {"name": found.name, "id": str(found.id), "metadata": found.metadata}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Parent(sys.argv[2]))
