"""An emulator of Pinecone, ours: nobody offers one. It speaks what is published as version 2026-07 of its interface.

It knows managed document indexes with one field of dense vectors: control plane, documents, namespaces. It refuses what
the service is documented to refuse, and where the documentation leaves something open it takes the worse reading: reads
of every kind lag behind writes, equal scores come in an unexpected order, nothing may be left out of what is required.
"""

from __future__ import annotations

import json
import secrets
import sys
import urllib.request
from typing import Any
from uuid import uuid4

from faultmaven_contract_tests.servers.ports import free_port
from faultmaven_contract_tests.servers.process import Process, wait_until_ready
from faultmaven_contract_tests.servers.server import Place, Server

VERSION = "2026-07"
ADMIN_VARIABLE = "PINECONE_EMULATOR_ADMIN"
_ADMIN_HEADER = "x-emulator-admin"


def start(place: Place) -> Server:
    """Ready when it answers. Its password is the tests' own; keys are made by `new_project`."""
    port, admin = free_port(), secrets.token_urlsafe(24)
    command = [sys.executable, "-m", __name__, str(port)]
    process = Process(place.guard, command, folder=place.folder, port=port, env={ADMIN_VARIABLE: admin})
    server = Server(
        name=place.name,
        url=f"http://127.0.0.1:{port}",
        product="emulator of Pinecone",
        version=VERSION,
        processes=[process],
        password=admin,
    )
    server.ready = lambda: administer(server, "GET", "ready")
    wait_until_ready(place.name, server.ready, [process])
    return server


def new_project(server: Server, **settings: Any) -> str:
    """The key of a project that nobody else has, with these settings instead of the usual ones."""
    key = f"pckey-{uuid4().hex}"
    administer(server, "PUT", key, settings)
    return key


def administer(server: Server, method: str, key: str, settings: dict[str, Any] | None = None) -> dict[str, int]:
    """Change a project's settings (PUT), remove it (DELETE) or look at it (GET): the number of its requests by kind.

    After a change all readers catch up, as if time had passed.
    """
    request = urllib.request.Request(
        f"{server.url}/emulator/projects/{key}",
        data=json.dumps(settings or {}).encode(),
        method=method,
        headers={_ADMIN_HEADER: server.password, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
    requests: dict[str, int] = found.get("requests", {})
    return requests
