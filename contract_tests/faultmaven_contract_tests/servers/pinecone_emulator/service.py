"""The control plane, projects by their keys, and what tests may set about them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from faultmaven_contract_tests.servers.pinecone_emulator.index import Index
from faultmaven_contract_tests.servers.pinecone_emulator.refusals import RefusalError, require
from faultmaven_contract_tests.servers.pinecone_emulator.wire import Request, Response

API_VERSION = "2026-07"
ADMIN = "x-emulator-admin"
HOSTS = "hosts"
"""First part of the path of an index's host: here all have one address, there each has a name."""
REGIONS = {("aws", "us-east-1"), ("aws", "eu-west-1"), ("gcp", "us-central1"), ("azure", "eastus2")}
METRICS = ("cosine", "dotproduct", "euclidean")
MOST_DIMENSION = 20_000
MOST_TAGS, LONGEST_TAG_KEY, LONGEST_TAG = 20, 80, 120
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?")
_TAG_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TAG = re.compile(r"[A-Za-z0-9;@_.+ -]*")

USUAL: dict[str, Any] = {
    "lag": 1,
    "looks_until_ready": 0,
    "most_indexes": 20,
    "missing_is_unequal": False,
    "refusals": [],
}
"""What a project begins with. `lag`: so many stale answers of each kind of reader follow every write. `refusals`: answers
instead of the next ones: {"path": part of it, "status", "times", "retry_after"}."""


@dataclass(slots=True)
class Project:
    """What one key sees."""

    settings: dict[str, Any] = field(default_factory=lambda: {**USUAL, "refusals": []})
    indexes: dict[str, Index] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)


class Service:
    """All projects. `admin` is what the tests show who set them up."""

    def __init__(self, admin: str) -> None:
        self._admin = admin
        self._projects: dict[str, Project] = {}

    def answer(self, request: Request) -> Response:
        """What is said to one request. Raises RefusalError."""
        if request.parts[:1] == ("emulator",):
            return self._administer(request)
        project = self._projects.get(request.headers.get("api-key", ""))
        if project is None:
            raise RefusalError(401, "", "Unauthorized")
        version = request.headers.get("x-pinecone-api-version")
        require(version == API_VERSION, f"This speaks version {API_VERSION} only, not {version}.")
        on_data = request.parts[:1] == (HOSTS,)
        path = request.parts[2:] if on_data else request.parts
        operation = "/".join((path[0], *path[2:]) if path[0] in {"namespaces", "indexes"} else path)
        project.requests[f"{request.method} {operation}"] += 1
        _refuse_as_told(project, "/".join(request.parts))
        if not on_data:
            return _control(project, request)
        index = project.indexes.get(request.parts[1])
        if index is None:
            raise RefusalError(404, "NOT_FOUND", f"Index {request.parts[1]} not found.")
        if not index.description["status"]["ready"]:
            raise RefusalError(503, "SERVICE_UNAVAILABLE", "The index is not ready.")
        return index.answer(request, path)

    def _administer(self, request: Request) -> Response:
        if request.headers.get(ADMIN) != self._admin:
            raise RefusalError(401, "", "Unauthorized")
        _, _, key = request.parts
        if request.method == "DELETE":
            self._projects.pop(key, None)
            return Response(200, {})
        project = self._projects.setdefault(key, Project())
        if request.method == "PUT":
            told = request.json()
            require(told.keys() <= USUAL.keys(), "Unknown settings.")
            project.settings.update(told)
            for index in project.indexes.values():
                for namespace in index.namespaces.values():
                    namespace.catch_up()
        return Response(200, {"requests": dict(project.requests)})


def _refuse_as_told(project: Project, path: str) -> None:
    for told in project.settings["refusals"]:
        if told["times"] and told["path"] in path:
            told["times"] -= 1
            headers = (("Retry-After", str(told["retry_after"])),) if "retry_after" in told else ()
            # 403 and 429 come from a layer in front, in plain words.
            code = "" if told["status"] in {403, 429} else told.get("code", "UNKNOWN")
            raise RefusalError(told["status"], code, "Told to refuse.", headers)


def _control(project: Project, request: Request) -> Response:
    match (request.method, *request.parts):
        case ("GET", "indexes"):
            return Response(200, {"indexes": [index.description for index in project.indexes.values()]})
        case ("POST", "indexes"):
            return Response(201, _created(project, request))
        case ("GET", "indexes", name):
            return Response(200, _looked_at(project, name))
        case ("DELETE", "indexes", name):
            return _deleted(project, name)
    raise RefusalError(404, "NOT_FOUND", "No such operation.")


def _found(project: Project, name: str) -> Index:
    if name not in project.indexes:
        raise RefusalError(404, "NOT_FOUND", f"Index {name} not found.")
    return project.indexes[name]


def _looked_at(project: Project, name: str) -> dict[str, Any]:
    """The description; what is being made or removed goes on by being looked at."""
    index = _found(project, name)
    status = index.description["status"]
    if index.remaining_looks:
        index.remaining_looks -= 1
    elif status["state"] == "Terminating":
        del project.indexes[name]
        return _looked_at(project, name)
    else:
        status.update(ready=True, state="Ready")
    return index.description


def _deleted(project: Project, name: str) -> Response:
    index = _found(project, name)
    if index.description["deletion_protection"] == "enabled":
        raise RefusalError(403, "FORBIDDEN", "Deletion protection is enabled for this index.")
    index.description["status"].update(ready=False, state="Terminating")
    index.remaining_looks = project.settings["looks_until_ready"]
    return Response(202, {})


def _created(project: Project, request: Request) -> dict[str, Any]:
    told = request.json()
    known = {"name", "schema", "deployment", "tags", "deletion_protection", "read_capacity"}
    require(told.keys() <= known, f"Unknown keys: {sorted(told.keys() - known)}.")
    name = told.get("name")
    require(
        isinstance(name, str) and _NAME.fullmatch(name), "The name of an index is 1-45 of a-z, 0-9 and inner hyphens."
    )
    assert isinstance(name, str)
    _check_schema(told.get("schema"))
    _check_tags(told.get("tags", {}))
    deployment = told.get("deployment") or {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"}
    require(deployment.get("deployment_type") == "managed", "Only managed indexes are emulated.")
    if (deployment.get("cloud"), deployment.get("region")) not in REGIONS:
        raise RefusalError(404, "NOT_FOUND", f"Resource {deployment} not found.")
    if name in project.indexes:
        raise RefusalError(409, "ALREADY_EXISTS", "Resource already exists.")
    if len(project.indexes) >= project.settings["most_indexes"]:
        raise RefusalError(403, "FORBIDDEN", "Increase your quota or upgrade to create more indexes.")
    description = {
        "name": name,
        "schema": told["schema"],
        "deployment": deployment,
        "tags": told.get("tags"),
        "deletion_protection": told.get("deletion_protection", "disabled"),
        "read_capacity": {"mode": "OnDemand", "status": {"state": "Ready"}},
        "status": {"ready": False, "state": "Initializing"},
        # By the way that the request came: also through a proxy.
        "host": f"http://{request.headers['host']}/{HOSTS}/{name}",
    }
    project.indexes[name] = Index(description, project.settings)
    return description


def _check_schema(schema: Any) -> None:
    require(isinstance(schema, dict) and isinstance(schema.get("fields"), dict), "A schema with fields is required.")
    fields = schema["fields"]
    require(len(fields) == 1, "The emulator knows indexes with one field of dense vectors, and nothing beside it.")
    for name, declared in fields.items():
        length = len(name.encode())
        require(1 <= length <= 64 and not name.startswith(("$", "_")), f"The field name {name!r} is not allowed.")
        require(isinstance(declared, dict) and declared.get("type") == "dense_vector", f"{name} is not searched.")
        require(declared.keys() <= {"type", "dimension", "metric", "description"}, f"{name} has unknown options.")
        dimension = declared.get("dimension")
        require(isinstance(dimension, int) and 1 <= dimension <= MOST_DIMENSION, "The dimension is not allowed.")
        require(declared.get("metric") in METRICS, "The metric is not known.")


def _check_tags(tags: Any) -> None:
    require(isinstance(tags, dict) and len(tags) <= MOST_TAGS, f"At most {MOST_TAGS} tags.")
    for key, value in tags.items():
        require(_TAG_KEY.fullmatch(key) and len(key) <= LONGEST_TAG_KEY, f"The tag {key!r} is not allowed.")
        require(_TAG.fullmatch(value) and len(value) <= LONGEST_TAG, f"The value of the tag {key} is not allowed.")
