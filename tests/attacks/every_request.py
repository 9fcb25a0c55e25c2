"""Every request that the served endpoints take, made from what they say of themselves."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from types import UnionType
from typing import Any, Union, get_args, get_origin

import httpx2

from faultmaven_core import codec
from faultmaven_http.admission import Admission
from faultmaven_http.app import HttpApplication
from faultmaven_http.dispatch import Resource
from faultmaven_http.endpoint import Endpoint
from faultmaven_http.examples import EXAMPLES
from faultmaven_http.routing import Tree
from faultmaven_http.services.table import EVERYWHERE, SERVICES
from tests.attacks.installation import BESIDE

ENDPOINTS: Sequence[Endpoint] = (*EVERYWHERE, *chain.from_iterable(SERVICES.values()))
"""All that the services offer; probes and the description are made anew for each application."""

ANY_ID = {
    part[1:-1]: "none_0123456789ab" for endpoint in ENDPOINTS for part in endpoint.path.split("/") if part[:1] == "{"
}
"""An id for each place in a path, that nobody has."""

RAW: Mapping[str, Mapping[str, Any]] = {
    "upload.receive": {
        "content": b"a part",
        "headers": {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"},
    }
}
"""What is sent to endpoints whose bodies are no values, by their names."""

NEEDED: Mapping[str, Mapping[str, Any]] = {
    "upload.begin": {"name": "app.log", "size": 10},
    "report.write": {"report_types": ["incident_report"]},
}
"""Members that an endpoint needs though its type does not say so."""

NO_REFERENCES = frozenset({"client_id"})
"""Names that end as ids do and are a client's own words."""

Ids = Mapping[str, str]


def served(app: HttpApplication) -> list[Endpoint]:
    """What an application really answers, from its tree of addresses."""
    layer: Any = app
    while not isinstance(layer, Tree):
        layer = layer._app
    found: list[Endpoint] = []
    for route in layer.routes:
        behind: Any = route.app._inner if isinstance(route.app, Admission) else route.app
        assert isinstance(behind, Resource)
        found += behind._endpoints
    return found


def title(endpoint: Endpoint) -> str:
    """Its method and path."""
    return f"{endpoint.method} {endpoint.path}"


def references(endpoint: Endpoint) -> frozenset[str]:
    """The names of all ids that it takes, in path, query and body."""
    path = {part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")}
    fields = {name for kind in (endpoint.query, endpoint.body, endpoint.parts) for name, _ in _fields(kind)}
    return frozenset(path | {name for name in fields if name.endswith(("_id", "_ids"))}) - NO_REFERENCES


def kind_of(name: str, ids: Ids) -> str:
    """The id that a name of a field asks for: a list's is of its members' kind, `shared_team_ids` are ids of teams."""
    one = name.removesuffix("s") if name.endswith("_ids") else name
    return next((known for known in ids if one == known or one.endswith(f"_{known}")), "")


def request(endpoint: Endpoint, ids: Ids, word: str = BESIDE, **extra: Any) -> Mapping[str, Any]:
    """What a client sends to an endpoint: these ids, `word` in texts of queries, `extra` members in the body."""
    sent: dict[str, Any] = {
        "method": endpoint.method,
        "url": endpoint.path.format_map(ids),
        **RAW.get(endpoint.name, {}),
    }
    if endpoint.query is not None:
        texts = {name: word for name, kind in _fields(endpoint.query) if name in ("text", "query", "q", "search")}
        sent["params"] = {**_texts(sample(endpoint.query)), **texts, **_own(endpoint.query, ids)}
    if endpoint.body is not None:
        sent["json"] = {**sample(endpoint.body), **NEEDED.get(endpoint.name, {}), **_own(endpoint.body, ids), **extra}
    if endpoint.parts is not None:
        sent["data"] = {**_texts(sample(endpoint.parts)), "query": word, **_own(endpoint.parts, ids), **extra}
        sent["files"] = {"file": ("note.log", b"2026-03-02T14:05:01Z ERROR out of memory\n", "text/plain")}
    return sent


async def ask(client: httpx2.AsyncClient, sent: Mapping[str, Any]) -> httpx2.Response:
    """The answer."""
    return await client.request(**sent)


def sample(kind: type) -> dict[str, Any]:
    """Members that are valid for a type: its example, or what its fields must have."""
    if kind in EXAMPLES:
        built: dict[str, Any] = codec.to_builtins(EXAMPLES[kind])
        return {name: value for name, value in built.items() if value is not None}
    needed = {field.name for field in dataclasses.fields(kind) if _must(field)}
    return {name: _value(hint) for name, hint in _fields(kind) if name in needed}


def _must(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _fields(kind: type | None) -> Iterator[tuple[str, Any]]:
    if kind is not None:
        yield from typing.get_type_hints(kind).items()


def _own(kind: type, ids: Ids) -> dict[str, Any]:
    """The ids among a type's fields; one that names many is a list of one."""
    found: dict[str, Any] = {}
    for name, _ in _fields(kind):
        one = kind_of(name, ids) if name.endswith(("_id", "_ids")) else ""
        if one:
            found[name] = [ids[one]] if name.endswith("_ids") else ids[one]
    return found


def _value(hint: Any) -> Any:
    options = [option for option in get_args(hint) if option is not type(None)]
    if get_origin(hint) in (Union, UnionType):
        return _value(options[0])
    if get_origin(hint) in (tuple, list):
        return []
    known: dict[Any, Any] = {bool: True, int: 1, float: 1.0, datetime: "2026-03-02T14:00:00Z"}
    return known.get(hint, "text")


def _texts(members: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in members.items()}
