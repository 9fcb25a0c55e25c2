"""Embedders over the tests' server, as the settings would make them of its URL."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from faultmaven_adapters.embedding.openai_compatible import OpenAiCompatibleEmbedder
from faultmaven_contract_tests.servers import Server
from faultmaven_core.shared.secret import Secret


def embedder_of(server: Server, *, url: str = "", **options: Any) -> OpenAiCompatibleEmbedder:
    """The server's model; `url` leads there another way."""
    parts = urlsplit(url or server.url)
    query = parse_qs(parts.query)
    given: dict[str, Any] = {
        "model": query["model"][0],
        "dimension": int(query["dimension"][0]),
        "api_key": Secret(server.password),
        "timeout": 120.0,
        "batch": 8,  # so that few texts are several requests: this model reads slowly
    }
    return OpenAiCompatibleEmbedder(parts._replace(query="").geturl(), **given | options)
