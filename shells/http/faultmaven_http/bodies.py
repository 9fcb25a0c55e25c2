"""Bodies and queries as values: bounded, with one meaning, and without what a client must not say of himself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from faultmaven_core import codec
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError
from faultmaven_core.shared.text import storable
from faultmaven_http.errors import HttpError

T = TypeVar("T")

MOST_DEPTH = 32
MOST_FIELDS = 200
READ_SECONDS = 60.0
"""For a body that is read whole; a client that sends it byte by byte keeps nothing busy for longer."""

CLAIMS = frozenset(
    (
        "organization_id",
        "organization",
        "org_id",
        "tenant_id",
        "role",
        "roles",
        "is_admin",
        "user_id",
        "owner_id",
        "permissions",
    )
)
"""What a client could say of himself or of where something belongs; only its token says that."""


@dataclass(frozen=True, slots=True)
class NoQuery:
    """What is read of a query where an endpoint has no parameters."""


class ClientLeftError(Exception):
    """The client closed the connection: nobody waits for an answer."""


def declared_length(scope: Scope) -> int:
    """What Content-Length says; 0 without one."""
    return next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)


async def read(scope: Scope, receive: Receive, *, most: int) -> bytes:
    """The whole body.

    Raises TooLargeError, before a byte is read where the length is told, HttpError 408 where it does not come within
    READ_SECONDS, ClientLeftError.
    """
    if declared_length(scope) > most:
        raise too_large(most)
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _read(receive, most)
    except TimeoutError as error:
        raise HttpError(
            408, "The body did not come in time.", code="timeout", headers={"connection": "close"}
        ) from error


async def _read(receive: Receive, most: int) -> bytes:
    data = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        data += message.get("body", b"")
        more = message.get("more_body", False)
        if len(data) > most:
            raise too_large(most)
    return bytes(data)


def too_large(most: int) -> TooLargeError:
    """The refusal of a body over a limit."""
    size = f"{most >> 20} MiB" if most >= 1 << 20 else f"{most >> 10} KiB"
    return TooLargeError(f"The body is over {size}, which is the most that is taken here.")


def from_json(kind: type[T], data: bytes, content_type: str, *, claims: frozenset[str] = CLAIMS) -> T:
    """A value from a JSON object; no body at all is an empty object. Raises InvalidInputError, HttpError 415."""
    if not data:
        return _converted(kind, {}, claims)
    if content_type.partition(";")[0].strip().lower() not in ("application/json", ""):
        raise HttpError(415, "The body must be JSON: send Content-Type application/json.", code="unsupported_type")
    try:
        raw = json.loads(data.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError as error:
        raise InvalidInputError(f"The JSON is nested deeper than {MOST_DEPTH} levels.") from error
    except ValueError as error:
        raise InvalidInputError("The body is not JSON in UTF-8.") from error
    if not isinstance(raw, dict):
        raise InvalidInputError("The body must be a JSON object.")
    if _depth(raw) > MOST_DEPTH:
        raise InvalidInputError(f"The JSON is nested deeper than {MOST_DEPTH} levels.")
    try:
        json.dumps(raw, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError("The body holds half of a surrogate pair.") from error
    return _converted(kind, raw, claims)


def from_form(kind: type[T], data: bytes, *, claims: frozenset[str] = CLAIMS) -> T:
    """A value from a form in a body. Raises InvalidInputError."""
    return _converted(kind, pairs_of(data), claims, texts=True)


def from_texts(kind: type[T], texts: Mapping[str, str], *, claims: frozenset[str] = CLAIMS) -> T:
    """A value from the texts of a form that was read. Raises InvalidInputError."""
    return _converted(kind, texts, claims, texts=True)


def from_query(kind: type[T], query: bytes, *, claims: frozenset[str] = CLAIMS) -> T:
    """A value from the query of an address; parameters that the type does not have are passed over."""
    return _converted(kind, pairs_of(query), claims, texts=True)


def pairs_of(data: bytes) -> dict[str, str]:
    """The parameters of a query or form. Raises InvalidInputError where one is given twice or is no UTF-8."""
    try:
        pairs = parse_qsl(data.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise InvalidInputError("The parameters are not encoded as UTF-8 in a URL.") from error
    known = dict(pairs)
    if len(known) != len(pairs):
        raise InvalidInputError("A parameter is given twice.", fields={_twice(pairs): "given twice"})
    return known


def _converted(kind: type[T], raw: Mapping[str, Any], claims: frozenset[str], *, texts: bool = False) -> T:
    if found := sorted(claims & raw.keys()):
        raise InvalidInputError(
            f"{found[0]} is never taken from a client; your token says it.", fields={found[0]: "not allowed"}
        )
    return codec.convert_known(kind, raw, texts=texts)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        fields = {storable(_twice(pairs)): "given twice"}
        raise InvalidInputError("A member is given twice in a JSON object.", fields=fields)
    return made


def _twice(pairs: list[tuple[str, Any]]) -> str:
    names = [name for name, _ in pairs]
    return next(name for name in names if names.count(name) > 1)


def _constant(name: str) -> NoReturn:
    raise InvalidInputError(f"{name} is no number of JSON.")


def _depth(raw: object) -> int:
    level, depth = [raw], 0
    while level:
        depth += 1
        level = [child for part in level for child in _children(part)]
    return depth - 1


def _children(part: object) -> list[Any]:
    if isinstance(part, dict):
        return list(part.values())
    return part if isinstance(part, list) else []
