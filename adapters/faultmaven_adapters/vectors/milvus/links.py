"""How requests reach a server of Milvus; `lite` has the other way.

pymilvus' clients retry until their time is over, keep what they know of collections per process and log every failure
with a trace; its messages and stubs, which are used here, do none of that.
"""

from __future__ import annotations

import base64
import ssl
import threading
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import grpc
from pymilvus.grpc_gen import milvus_pb2_grpc

from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.vectors.milvus.errors import MILVUS_ERRORS, accepted
from faultmaven_core.shared.errors import ConflictError
from faultmaven_core.shared.secret import Secret

DEFAULT_PORT = 19530
CONNECT_TIMEOUT_MS = 3000
_OPTIONS = (
    ("grpc.enable_retries", 0),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # How long one attempt to connect may take, and how soon the next is made: by default 20 s, and up to two minutes.
    ("grpc.min_reconnect_backoff_ms", CONNECT_TIMEOUT_MS),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 100),
    # Channels to one address would share a connection and its back-off.
    ("grpc.use_local_subchannel_pool", 1),
)


class Link(Protocol):
    """A way to one database. `exchange` and `close` block."""

    place: str
    lite: bool
    threads: int
    """How many may call at once."""

    def exchange(self, method: str, request: Any) -> Any:
        """The answer to a request. Raises our errors, also where the answer is a refusal."""

    def close(self) -> None:
        """Use no more; calls that still run end soon."""


class ServerLink:
    """One channel, made at its first use. `http` is without TLS, `https` with what this system trusts."""

    lite = False
    threads = 8

    def __init__(self, url: str, token: Secret | None, database: str, timeout: float) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        self._address = f"{f'[{host}]' if ':' in host else host}:{parts.port or DEFAULT_PORT}"
        self.place = f"Milvus at {self._address}"
        self._secure = parts.scheme == "https"
        self._metadata = _authorization(token)
        self._database = database
        self._timeout = timeout
        self._opening = threading.Lock()
        self._closed = False
        self._channel: Any = None
        self._stub: Any = None

    def exchange(self, method: str, request: Any) -> Any:
        if hasattr(request, "db_name"):
            request.db_name = self._database
        with translation(MILVUS_ERRORS, self.place):
            call = getattr(self._opened(), method)
            return accepted(call(request, timeout=self._timeout, metadata=self._metadata))

    def close(self) -> None:
        with self._opening:
            self._closed = True
            if self._channel is not None:
                self._channel.close()

    def _opened(self) -> Any:
        with self._opening:
            if self._closed:  # as a call may find it that waited for its turn
                raise ConflictError("The vector store is closed.")
            if self._channel is None:
                if self._secure:
                    credentials = grpc.ssl_channel_credentials(_trusted())
                    self._channel = grpc.secure_channel(self._address, credentials, options=_OPTIONS)
                else:
                    self._channel = grpc.insecure_channel(self._address, options=_OPTIONS)
                self._stub = milvus_pb2_grpc.MilvusServiceStub(self._channel)
            return self._stub


def _trusted() -> bytes | None:
    """The certificates that other programs here trust, `SSL_CERT_FILE` first; None leaves it to gRPC, which has its own."""
    found = ssl.get_default_verify_paths().cafile
    return Path(found).read_bytes() if found else None


def _authorization(token: Secret | None) -> tuple[tuple[str, str], ...]:
    if not token:
        return ()
    return (("authorization", base64.b64encode(token.reveal().encode()).decode()),)
