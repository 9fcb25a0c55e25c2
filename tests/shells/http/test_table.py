"""The table of endpoints: nothing is open by accident, everything is described, and what is answered is what is described."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import httpx2
import jsonschema
import pytest

from faultmaven import FaultMaven
from faultmaven_cli.serve import NAMES
from faultmaven_core import codec
from faultmaven_core.identity.permissions import ALL
from faultmaven_core.operations import OPERATIONS
from faultmaven_core.shared.errors import MisconfiguredError
from faultmaven_http.app import create_app
from faultmaven_http.auth import ANYONE, SIGNED_IN
from faultmaven_http.endpoint import Endpoint
from faultmaven_http.examples import example_of
from faultmaven_http.openapi import PLACE
from faultmaven_http.services.table import EVERYWHERE, PUBLIC, SERVICES, checked
from tests.shells.http.shell import Table, client_of

EVERY: list[Endpoint] = [*EVERYWHERE, *(endpoint for offered in SERVICES.values() for endpoint in offered)]


def _named(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def test_an_endpoint_without_a_permission_is_not_served() -> None:
    """Default deny: whoever forgets it learns so at the start."""
    first = SERVICES["case"][0]
    for wrong in (replace(first, permission=""), replace(first, permission=ANYONE)):
        with pytest.raises(MisconfiguredError):
            checked([wrong])
    public = next(endpoint for endpoint in EVERYWHERE if endpoint.permission == ANYONE)
    with pytest.raises(MisconfiguredError):
        checked([replace(public, permission="case:read")])
    with pytest.raises(MisconfiguredError):
        checked([first, first])


async def test_a_service_that_does_not_exist_is_not_served(fm: FaultMaven) -> None:
    """The names are those that `fm serve` offers."""
    with pytest.raises(MisconfiguredError):
        create_app(fm.application, fm.settings.http, ("nonsense",))
    assert set(NAMES) == {"all", *SERVICES}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_alone_has_its_own_endpoints_and_no_others(fm: FaultMaven, service: str) -> None:
    """Beside the probes and what every service says of itself."""
    async with client_of(create_app(fm.application, fm.settings.http, (service,))) as client:
        described = set((await client.get("/openapi.json")).json()["paths"])
    own = {endpoint.path for endpoint in SERVICES[service] if not endpoint.alias}
    foreign = {e.path for name, offered in SERVICES.items() if name != service for e in offered if not e.alias}
    assert own <= described
    assert not described & (foreign - own)


def test_every_permission_exists() -> None:
    """A role could not have another one, so nobody could ever call it."""
    for endpoint in EVERY:
        assert endpoint.permission in {ANYONE, SIGNED_IN, *ALL}, _named(endpoint)
        if endpoint.name in OPERATIONS:
            assert endpoint.permission == OPERATIONS[endpoint.name].permission, _named(endpoint)


@pytest.mark.parametrize("endpoint", EVERY, ids=_named)
async def test_nobody_comes_in_without_a_token(fm: FaultMaven, people: Table, endpoint: Endpoint) -> None:
    """But where it is public, and there nobody is asked for one."""
    path = endpoint.path.replace("{", "x").replace("}", "")
    async with client_of(create_app(fm.application, fm.settings.http, authenticator=people)) as client:
        answer = await client.request(endpoint.method, path)
    if (endpoint.method, endpoint.path) in PUBLIC:
        assert answer.status_code not in {401, 403, 500}
    else:
        assert answer.status_code == 401
        assert answer.json()["detail"]


async def test_the_description_is_openapi_and_complete(fm: FaultMaven) -> None:
    """All endpoints but aliases, each with who may call it, its failures, and references that lead somewhere."""
    async with client_of(create_app(fm.application, fm.settings.http)) as client:
        document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    described = {(m.upper(), path) for path, methods in document["paths"].items() for m in methods}
    assert described >= {(e.method, e.path) for e in EVERY if not e.alias}
    ids: list[str] = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            ids.append(operation["operationId"])
            public = (method.upper(), path) in PUBLIC
            assert operation["security"] == ([] if public else [{"bearer": []}])
            assert public or operation["x-permission"]
            assert operation["summary"]
            assert "default" in operation["responses"]
    assert len(ids) == len(set(ids))
    for reference in _references(document):
        kind, name = reference.removeprefix("#/components/").split("/")
        assert name in document["components"][kind]


def _references(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for child in part.values() for found in _references(child)]
    return [found for child in part for found in _references(child)] if isinstance(part, list) else []


def test_the_examples_are_what_is_described() -> None:
    """Each by its schema, as another implementation reads it, and by ours."""
    bodies = [kind for e in EVERY if not e.alias for kind in (e.body, e.answer, e.parts)]
    shown = [kind for kind in dict.fromkeys(bodies) if kind is not None and is_dataclass(kind)]
    assert len(shown) > 20
    schemas, components = codec.schemas(shown, PLACE)
    for kind, schema in zip(shown, schemas, strict=True):
        jsonschema.validate(example_of(kind), {**schema, "components": {"schemas": components}})
        codec.convert(kind, example_of(kind))


async def test_what_is_answered_is_what_is_described(ann: httpx2.AsyncClient) -> None:
    """No field more, no field less, for every endpoint that needs nothing but a case."""
    row = (await ann.post("/api/v1/cases", json={"title": "One"})).json()
    for endpoint in EVERY:
        path = endpoint.path.replace("{case_id}", row["case_id"])
        if endpoint.method != "GET" or "{" in path or endpoint.answer is None or endpoint.oauth:
            continue
        if endpoint.permission not in {ANYONE, *ALL} or endpoint.path == "/api/v1/auth/me":
            continue
        answer = await ann.get(path)
        if answer.status_code == 200:
            _exact(endpoint.answer, answer.json(), path)


def _exact(kind: Any, body: Any, path: str) -> None:
    codec.convert(kind, body)
    if is_dataclass(kind):
        assert set(body) == {field.name for field in fields(kind)}, path
