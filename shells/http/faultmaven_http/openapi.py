"""The description of the interface, made from what is really served: OpenAPI 3.1."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from faultmaven_core import codec
from faultmaven_http import wording
from faultmaven_http.auth import ANYONE, SIGNED_IN
from faultmaven_http.endpoint import Endpoint
from faultmaven_http.examples import example_of
from faultmaven_http.shapes.problem import Problem

PLACE = "#/components/schemas/{name}"
FILE = {"type": "string", "format": "binary"}
UNSAID = ("application/json", "text/event-stream")
"""Types of answers whose form no schema of a whole says."""

_PARAMETER = re.compile(r"\{(\w+)\}")


def describe(endpoints: Sequence[Endpoint], server: str) -> Mapping[str, Any]:
    """The document. Aliases are left out: they are for clients that know them already."""
    offered = [endpoint for endpoint in endpoints if not endpoint.alias]
    kinds = list(dict.fromkeys([Problem, *(kind for endpoint in offered for kind in _kinds(endpoint))]))
    schemas, components = codec.schemas(kinds, PLACE)
    refs = dict(zip(kinds, schemas, strict=True))
    for endpoint in offered:
        if endpoint.parts is not None:
            _hold_files(_component(endpoint.parts, refs, components))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in offered:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, refs, components)
    tags = dict.fromkeys(_tag(endpoint) for endpoint in offered)
    statuses = {status for endpoint in offered for status in _statuses(endpoint)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "FaultMaven", "version": version("faultmaven"), "description": wording.INTRODUCTION},
        "servers": [{"url": server}],
        "tags": [{"name": tag, "description": wording.TAGS.get(tag, tag)} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {str(status): _failure(status, refs) for status in sorted(statuses)},
            "securitySchemes": {"bearer": wording.BEARER},
        },
    }


def _kinds(endpoint: Endpoint) -> list[type]:
    return [
        kind
        for kind in (endpoint.body, endpoint.query, endpoint.parts, endpoint.answer, endpoint.later)
        if kind is not None
    ]


def _component(kind: type, refs: Mapping[type, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = components[refs[kind]["$ref"].rpartition("/")[2]]
    return found


def _hold_files(form: dict[str, Any]) -> None:
    """Bytes in a form are files as they are, not text that stands for them as in JSON."""
    for name, part in form["properties"].items():
        if part.get("contentEncoding") == "base64":
            form["properties"][name] = FILE
        elif part.get("items", {}).get("contentEncoding") == "base64":
            part["items"] = FILE


def _tag(endpoint: Endpoint) -> str:
    return endpoint.name.partition(".")[0]


def _operation(endpoint: Endpoint, refs: Mapping[type, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": _description(endpoint),
        "tags": [_tag(endpoint)],
        "security": [] if endpoint.permission == ANYONE else [{"bearer": []}],
        "responses": _responses(endpoint, refs),
    }
    if endpoint.permission != ANYONE:
        made["x-permission"] = endpoint.permission
    parameters = _parameters(endpoint, refs, components)
    if parameters:
        made["parameters"] = parameters
    kind = endpoint.parts or endpoint.body
    if kind is not None:
        # What is optional in all its parts may be left out as a whole.
        needed = endpoint.parts is not None or bool(_component(kind, refs, components).get("required"))
        made["requestBody"] = {"required": needed, "content": {name: _content(kind, refs) for name in _taken(endpoint)}}
    if endpoint.raw:
        body = made.setdefault("requestBody", {"required": True, "content": {}})
        body["content"][endpoint.raw] = {"schema": FILE}
    return made


def _description(endpoint: Endpoint) -> str:
    if endpoint.permission == ANYONE:
        return f"{endpoint.summary}. For anyone."
    if endpoint.permission == SIGNED_IN:
        return f"{endpoint.summary}. For everybody who has signed in."
    needed = " and ".join(f"`{permission}`" for permission in (endpoint.permission, *endpoint.besides))
    return f"{endpoint.summary}. Needs the permission {needed}."


def _taken(endpoint: Endpoint) -> Sequence[str]:
    if endpoint.parts is not None:
        return ("multipart/form-data", "application/x-www-form-urlencoded")
    return ("application/json", "application/x-www-form-urlencoded") if endpoint.form else ("application/json",)


def _content(kind: type, refs: Mapping[type, Any]) -> dict[str, Any]:
    return {"schema": refs[kind], "example": example_of(kind)}


def _responses(endpoint: Endpoint, refs: Mapping[type, Any]) -> dict[str, Any]:
    made = {str(endpoint.status): _answer(endpoint, refs)}
    if endpoint.later is not None:
        going = {"application/json": _content(endpoint.later, refs)}
        place = {"description": "Where to look for the answer", "schema": {"type": "string"}}
        headers = {"Location": place, "Retry-After": wording.RETRY_AFTER}
        made["202"] = {"description": "Still under way", "headers": headers, "content": going}
    if endpoint.again:
        made["200"] = {**made[str(endpoint.status)], "description": "It was there already"}
    if 416 in endpoint.failures:
        made["206"] = {**made["200"], "description": HTTPStatus(206).phrase}
    for status in sorted(_statuses(endpoint)):
        made[str(status)] = {"$ref": f"#/components/responses/{status}"}
    other = {"application/problem+json": {"schema": refs[Problem]}}
    return {**made, "default": {"description": "Any other failure", "content": other}}


def _statuses(endpoint: Endpoint) -> set[int]:
    statuses = {400, 422, 429, *endpoint.failures}
    if endpoint.permission != ANYONE:
        statuses |= {401, 403}
    if _has_key(endpoint):
        statuses.add(409)
    if endpoint.body is not None or endpoint.parts is not None or endpoint.raw:
        statuses |= {413, 415}
    return statuses


def _has_key(endpoint: Endpoint) -> bool:
    return endpoint.method == "POST" and endpoint.permission != ANYONE and endpoint.keyed and not endpoint.reads


def _answer(endpoint: Endpoint, refs: Mapping[type, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if endpoint.answer is not None and not endpoint.media:
        content["application/json"] = _content(endpoint.answer, refs)
    for media in endpoint.media or filter(None, [endpoint.headers.get("content-type", "").partition(";")[0]]):
        content[media] = {} if media in UNSAID else {"schema": _text_or_file(media)}
    answer: dict[str, Any] = {"description": HTTPStatus(endpoint.status).phrase}
    return {**answer, "content": content} if content else answer


def _text_or_file(media: str) -> Mapping[str, Any]:
    return {"type": "string"} if media.startswith("text/") else FILE


def _failure(status: int, refs: Mapping[type, Any]) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    meaning = wording.FAILURES.get(status, phrase)
    problem = {**example_of(Problem), "status": status, "title": phrase, "detail": f"{meaning}."}
    problem["message"] = problem["detail"]
    made: dict[str, Any] = {
        "description": meaning,
        "content": {"application/problem+json": {"schema": refs[Problem], "example": problem}},
    }
    return {**made, "headers": {"Retry-After": wording.RETRY_AFTER}} if status in (429, 503) else made


def _parameters(endpoint: Endpoint, refs: Mapping[type, Any], components: Mapping[str, Any]) -> list[dict[str, Any]]:
    made = [_parameter(name, "path", {"type": "string", "minLength": 1}) for name in _PARAMETER.findall(endpoint.path)]
    if endpoint.query is not None:
        schema = _component(endpoint.query, refs, components)
        needed = schema.get("required", ())
        for name, part in schema["properties"].items():
            made.append(_parameter(name, "query", {**part, **wording.BOUNDS.get(name, {})}, needed=name in needed))
    if _has_key(endpoint):
        made.append(dict(wording.IDEMPOTENCY_KEY))
    if endpoint.conditional:
        made.append(dict(wording.IF_MATCH))
    return made


def _parameter(name: str, place: str, schema: Mapping[str, Any], *, needed: bool = True) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "in": place, "required": needed, "schema": schema}
    return {**made, "description": wording.PARAMETERS[name]} if name in wording.PARAMETERS else made
