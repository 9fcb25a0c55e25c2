"""The description of the interface, made from what is really served: OpenAPI 3.1."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from faultmaven_core import codec
from faultmaven_http.auth import ANYONE
from faultmaven_http.endpoint import Endpoint
from faultmaven_http.examples import example_of
from faultmaven_http.shapes.problem import Problem

PLACE = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"\{(\w+)\}")


def describe(endpoints: Sequence[Endpoint], server: str) -> Mapping[str, Any]:
    """The document. Aliases are left out: they are for clients that know them already."""
    offered = [endpoint for endpoint in endpoints if not endpoint.alias]
    kinds = list(dict.fromkeys([Problem, *(kind for endpoint in offered for kind in _kinds(endpoint))]))
    schemas, components = codec.schemas(kinds, PLACE)
    refs = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in offered:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, refs, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "FaultMaven",
            "version": version("faultmaven"),
            "description": "Finds the root cause of incidents. Every error is a problem of RFC 9457.",
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _kinds(endpoint: Endpoint) -> list[type]:
    return [
        kind
        for kind in (endpoint.body, endpoint.query, endpoint.parts, endpoint.answer, endpoint.later)
        if kind is not None
    ]


def _operation(endpoint: Endpoint, refs: Mapping[type, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.name.partition(".")[0]],
        "security": [] if endpoint.permission == ANYONE else [{"bearer": []}],
        "responses": {str(endpoint.status): _answer(endpoint, refs), **_failures(endpoint, refs)},
    }
    if endpoint.later is not None:
        going = {"application/json": _content(endpoint.later, refs)}
        place = {"description": "Where to look for the answer", "schema": {"type": "string"}}
        made["responses"]["202"] = {"description": "Still under way", "headers": {"Location": place}, "content": going}
    if endpoint.permission != ANYONE:
        made["x-permission"] = endpoint.permission
    parameters = _parameters(endpoint, refs, components)
    if parameters:
        made["parameters"] = parameters
    media = _media(endpoint)
    kind = endpoint.parts or endpoint.body
    if kind is not None:
        made["requestBody"] = {"content": {name: _content(kind, refs) for name in media}}
    return made


def _media(endpoint: Endpoint) -> Sequence[str]:
    if endpoint.parts is not None:
        return ("multipart/form-data", "application/x-www-form-urlencoded")
    return ("application/json", "application/x-www-form-urlencoded") if endpoint.form else ("application/json",)


def _content(kind: type, refs: Mapping[type, Any]) -> dict[str, Any]:
    return {"schema": refs[kind], "example": example_of(kind)}


def _answer(endpoint: Endpoint, refs: Mapping[type, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(endpoint.status).phrase}
    if endpoint.answer is not None:
        answer["content"] = {"application/json": _content(endpoint.answer, refs)}
    elif "content-type" in endpoint.headers:
        answer["content"] = {endpoint.headers["content-type"].partition(";")[0]: {"schema": {"type": "string"}}}
    return answer


def _failures(endpoint: Endpoint, refs: Mapping[type, Any]) -> dict[str, Any]:
    statuses = {400, 429, *endpoint.failures}
    if endpoint.permission != ANYONE:
        statuses |= {401, 403}
    if endpoint.body is not None or endpoint.query is not None or endpoint.parts is not None:
        statuses |= {422}
    if endpoint.body is not None or endpoint.parts is not None:
        statuses |= {413, 415}
    problem = {"application/problem+json": _content(Problem, refs)}
    described = {
        str(status): {"description": HTTPStatus(status).phrase, "content": problem} for status in sorted(statuses)
    }
    return {**described, "default": {"description": "Any other failure", "content": problem}}


def _parameters(endpoint: Endpoint, refs: Mapping[type, Any], components: Mapping[str, Any]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(endpoint.path)
    ]
    if endpoint.query is not None:
        schema = components[refs[endpoint.query]["$ref"].rpartition("/")[2]]
        needed = schema.get("required", ())
        for name, part in schema["properties"].items():
            made.append({"name": name, "in": "query", "required": name in needed, "schema": part})
    if endpoint.method == "POST" and endpoint.permission != ANYONE:
        key = {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,255}$"}
        made.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": key})
    if endpoint.method == "PUT":
        made.append({"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"}})
    return made
