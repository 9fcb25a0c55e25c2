"""Requests made of the description of the interface, and what of their answers the description does not allow."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.transport.requests import REQUESTS_TRANSPORT, binary_serializer

from faultmaven import FaultMaven, load_settings
from faultmaven_adapters.ratelimit.memory import MemoryRateLimiter
from faultmaven_core.ports.rate_limit import Decision, RateLimit, RateLimiter, RateLimitKey
from faultmaven_core.shared.clock import SystemClock
from faultmaven_http.app import create_app
from tests.attacks.installation import Installation, own_all
from tests.shells.http.shell import Table, served

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MEANT = (501, 503)
"""What a description may announce although it is the server's fault: the installation does not offer it."""

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")

LAST = ("close", "disable", "logout", "cancel")
"""What ends a thing that others need."""

TOKEN = "owner"

BYTES = "application/offset+octet-stream"
"""A body in which nothing can be wrong."""

REQUESTS_TRANSPORT.serializer(BYTES)(binary_serializer)


class NoLimit(MemoryRateLimiter):
    """Lets everything through: limits have tests of their own, and here they would hide what lies behind."""

    async def hit(self, key: RateLimitKey, limit: RateLimit, *, cost: int = 1) -> Decision:
        """Yes."""
        return Decision(allowed=True, limit=limit.burst, remaining=limit.burst, retry_after=0.0, reset=0.0)


@dataclass(frozen=True)
class Served:
    """A server, one thing of each kind that it holds by the name of its parameter, and what it says of itself."""

    address: str
    ids: Mapping[str, str]
    document: Mapping[str, Any]

    def operations(self) -> Sequence[Any]:
        """All that it describes, what removes and ends things last."""
        paths = {
            path: {method: _to_be_tried(operation) for method, operation in methods.items()}
            for path, methods in self.document["paths"].items()
        }
        schema = schemathesis.openapi.from_dict({**self.document, "paths": paths})
        found: list[Any] = [cast("Any", result).ok() for result in schema.get_all_operations()]
        return sorted(found, key=lambda one: (one.method == "delete", one.path.endswith(LAST), one.path.count("/") < 5))


def _to_be_tried(operation: Mapping[str, Any]) -> dict[str, Any]:
    # A status that is described only as "any other" is not described.
    answers = {status: answer for status, answer in operation["responses"].items() if status != "default"}
    # Who asks is the session: what is wrong in this alone is not sent, and what is wrong in something else as well is a 401.
    return {**operation, "responses": answers, "security": []}


@contextmanager
def serving(home: Path) -> Iterator[Served]:
    """An installation behind a port of this machine, in a thread of its own, with an organization that has something."""
    ready: list[Served] = []
    begun, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        chosen = load_settings({"FM_HOME": str(home), "FM_RATE_LIMIT": "0", "FM_DEV_LOGIN": "off"})
        unlimited = NoLimit(SystemClock())
        async with FaultMaven.open(chosen, overrides=[lambda to: to.bind(RateLimiter, to=lambda: unlimited)]) as fm:
            place = Installation(fm, create_app(fm.application, chosen.http), home)
            owned = await own_all(place)
            who = await place.principal(owned.token)
            app = create_app(fm.application, chosen.http, authenticator=Table({TOKEN: who}))
            async with place.client() as client:
                document = (await client.get("/openapi.json")).json()
            async with served(app) as port:
                ready.append(Served(f"http://127.0.0.1:{port}", owned.ids, document))
                begun.set()
                await asyncio.to_thread(stop.wait)

    def work() -> None:
        try:
            asyncio.run(serve())
        finally:
            begun.set()

    thread = threading.Thread(target=work, name="served")
    thread.start()
    try:
        begun.wait()
        (found,) = ready
        yield found
    finally:
        stop.set()
        thread.join()


def surprises(place: Served, operation: Any, mode: GenerationMode, *, examples: int, chance: int = 1) -> list[str]:
    """Send requests of one operation, valid ones or such as the description forbids; what was answered that it forbids."""
    ids = {name: value for name, value in place.ids.items() if f"{{{name}}}" in operation.path}
    own = {"path_parameters": ids} if ids else {}
    described = [body for body in operation.body if body.media_type != BYTES]
    if mode is GenerationMode.NEGATIVE and not (described or operation.query or operation.headers):
        return []
    found: dict[str, str] = {}

    @seed(chance)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(case=operation.as_strategy(generation_mode=mode, **own))
    def ask(case: Case[Any]) -> None:
        answer = case.call(place.address, session=session, timeout=120)
        more = [not_a_server_error] if answer.status_code not in MEANT else []
        # In a form everything is text, so a number in the place of a text is none that could be noticed.
        if mode is GenerationMode.NEGATIVE and case.media_type not in FORMS:
            more.append(negative_data_rejection)
        try:
            case.validate_response(answer, checks=[*CHECKS, *more])
        except FailureGroup as group:
            for failure in group.exceptions:
                told = f"{operation.label}: {answer.status_code} {type(failure).__name__}"
                found.setdefault(told, f"{told} {failure}\n{case.as_curl_command()}\n{answer.text[:500]}")

    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        ask()
    return list(found.values())
