"""Where a server is, settings say and nobody else: no product code holds a host, an address or another service's name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("faultmaven_core", "adapters/faultmaven_adapters", "shells")
READS_EVIDENCE = "faultmaven_core/analysis/"
"""Analysis knows of loopback because evidence speaks of it; it connects to nothing."""

DEFAULTS = ("shells/embedded/faultmaven/declared.py", "shells/embedded/faultmaven/serving.py")
"""The defaults of settings, the one place where a host may stand."""

ADDRESS = re.compile(
    r"localhost|\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b|\[?::1\]?(?![\w:])|\.svc\b|\.cluster\.local|host\.docker|\.internal\b",
    re.IGNORECASE,
)
SERVER = re.compile(r"\b[a-z][a-z0-9+]*://(?!user\b|host\b|bucket\b|<|\{)[a-z0-9]", re.IGNORECASE)
"""A URL whose place is not one of the words that forms are written with."""

SERVICE = re.compile(r"fm-(?:knowledge|case|evidence|session|agent|auth)-service|fm-(?:job-worker|api-gateway)")


def literals(source: str) -> Iterator[tuple[int, str]]:
    """Every text of a program with its line, docstrings and the fixed parts of f-strings too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def hosts(source: str) -> list[str]:
    """Texts that name a host."""
    return [
        f"line {line}: {text[:60]!r}"
        for line, text in literals(source)
        if ADDRESS.search(text) or SERVICE.search(text) or SERVER.search(text.replace("https://no-color.org", ""))
    ]


def product() -> Iterator[Path]:
    """The programs that must not know a host."""
    for place in PLACES:
        for file in sorted((ROOT / place).rglob("*.py")):
            name = str(file.relative_to(ROOT))
            if not name.startswith(READS_EVIDENCE) and name not in DEFAULTS:
                yield file


def test_no_product_code_names_a_host() -> None:
    """It would be right on the machine where it was written."""
    found = {str(file.relative_to(ROOT)): told for file in product() if (told := hosts(file.read_text()))}
    assert found == {}


def test_there_is_code_to_look_at() -> None:
    """A gate that sees no file would pass."""
    assert len(list(product())) > 100


@pytest.mark.parametrize(
    "line",
    [
        'connect("localhost", 6379)',
        'URL = "http://127.0.0.1:8000/api"',
        'connect("0.0.0.0")',
        'connect("::1")',
        'URL = "redis://redis:6379/0"',
        'URL = f"postgresql://app:{password}@postgres/fm"',
        'PEER = "fm-case-service"',
        'PEER = "case.faultmaven.svc.cluster.local"',
        'HOST = "host.docker.internal"',
    ],
)
def test_a_planted_host_is_seen(line: str) -> None:
    """The gate can fail."""
    assert hosts(line)


@pytest.mark.parametrize(
    "line",
    [
        '"redis://host:port/db"',
        '"postgresql://<user>@<host>/<database>"',
        '"s3://bucket/prefix"',
        'f"{scheme}://{place}"',
        '"1.2.3"',
    ],
)
def test_a_form_to_fill_in_is_no_host(line: str) -> None:
    """Help texts say how to write one."""
    assert not hosts(line)
