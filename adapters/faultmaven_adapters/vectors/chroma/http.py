"""The wire to a Chroma server.

Its own client is passed by: it has no time-outs, and shares connections and headers between all clients of a program.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from faultmaven_adapters._support.translate import Table, translation
from faultmaven_adapters.vectors.chroma.errors import ChromaAnswerError, over_http
from faultmaven_adapters.vectors.chroma.wire import NOBODY, Found, Operation, Wire
from faultmaven_core.shared.errors import ConflictError
from faultmaven_core.shared.secret import Secret

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT = 3.0
MOST_CONNECTIONS = 20
_DATABASE = "/api/v2/tenants/default_tenant/databases/default_database"
_COLLECTIONS = f"{_DATABASE}/collections"


class HttpWire(Wire):
    """See Wire. Nothing connects before the first call."""

    def __init__(self, url: str, token: Secret | None, *, timeout: float) -> None:
        self.place = f"The Chroma server at {urlsplit(url).hostname}"
        self._url = url.rstrip("/")
        self._token, self._timeout = token, timeout
        self._client: httpx.AsyncClient | None = None
        self._table: Table = {}
        self._closed = False

    async def __call__(
        self, operation: Operation, collection: Found | str = "", body: Mapping[str, Any] = NOBODY
    ) -> Any:
        """See Wire."""
        if self._closed:
            raise ConflictError("The vector store was closed.")
        client = self._client or self._opened()
        method, path, query = _request(operation, collection, body)
        content = _encoded(body) if method == "POST" else None
        with translation(self._table, self.place):
            answer = await client.request(method, self._url + path, params=query or None, content=content)
            if answer.is_error or answer.is_redirect:
                raise ChromaAnswerError(
                    self._without_token(answer.text), answer.status_code, answer.headers.get("retry-after", "")
                )
            return msgspec.json.decode(answer.content)

    async def aclose(self) -> None:
        """See Wire."""
        self._closed = True
        if self._client is not None:
            await self._client.aclose()

    def _without_token(self, text: str) -> str:
        """What a server says goes to our log, and some quote what they refuse."""
        return text.replace(self._token.reveal(), "***") if self._token else text

    def _opened(self) -> httpx.AsyncClient:
        import httpx

        headers = {"content-type": "application/json"}
        if self._token:
            # Chroma's own header, and the one that a proxy in front of a server without accounts looks at.
            headers |= {"x-chroma-token": self._token.reveal(), "authorization": f"Bearer {self._token.reveal()}"}
        self._table = over_http()
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(self._timeout, connect=min(CONNECT_TIMEOUT, self._timeout)),
            limits=httpx.Limits(max_connections=MOST_CONNECTIONS),
        )
        return self._client


def _encoded(body: Mapping[str, Any]) -> bytes:
    """Bytes become base64, which Chroma takes where it stores vectors; queries it takes as numbers only."""
    return msgspec.json.encode(body, enc_hook=array.tolist)


def _request(
    operation: Operation, collection: Found | str, body: Mapping[str, Any]
) -> tuple[str, str, Mapping[str, Any]]:
    """Method, path and query; the body of a POST stays as it is."""
    if isinstance(collection, Found):
        method = "GET" if operation is Operation.COUNT else "POST"
        return method, f"{_COLLECTIONS}/{collection.id}/{operation}", NOBODY
    match operation:
        case Operation.PING:
            return "GET", _DATABASE, NOBODY
        case Operation.VERSION:
            return "GET", "/api/v2/version", NOBODY
        case Operation.LIST:
            return "GET", _COLLECTIONS, body
        case Operation.CREATE:
            return "POST", _COLLECTIONS, NOBODY
        case Operation.REMOVE:
            return "DELETE", f"{_COLLECTIONS}/{collection}", NOBODY
        case _:
            return "GET", f"{_COLLECTIONS}/{collection}", NOBODY
