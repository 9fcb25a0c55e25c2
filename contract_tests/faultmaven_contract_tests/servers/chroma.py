"""Chroma as a server of its own."""

from __future__ import annotations

import urllib.request
from importlib.metadata import version
from pathlib import Path

from faultmaven_contract_tests.servers.ports import free_port
from faultmaven_contract_tests.servers.process import Process, program, wait_until_ready
from faultmaven_contract_tests.servers.server import Place, Server


def start(place: Place) -> Server:
    """Ready when it can look into its database, not only when it listens."""
    port = free_port()
    data = place.folder / "data"
    data.mkdir()
    command: list[str | Path] = [
        program("chroma", package="chromadb"), "run", "--host", "127.0.0.1", "--port", str(port), "--path", data
    ]  # fmt: skip
    process = Process(place.guard, command, folder=place.folder, port=port)
    url = f"http://127.0.0.1:{port}"

    def ready() -> object:
        with urllib.request.urlopen(f"{url}/api/v2/tenants/default_tenant/databases/default_database", timeout=1):
            return True

    wait_until_ready(place.name, ready, [process])
    return Server(
        name=place.name, url=url, product="Chroma", version=version("chromadb"), processes=[process], ready=ready
    )
