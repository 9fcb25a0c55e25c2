"""Secrets are compared in constant time or looked up by their digest, never with `==` (T-13)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import faultmaven_adapters.tokens
import faultmaven_core.identity

SECRET = re.compile(r"(token|secret|signature|password|verifier|challenge|pepper|hmac|mac|api_key)$")
PLACES = [Path(str(module.__file__)).parent for module in (faultmaven_core.identity, faultmaven_adapters.tokens)]


def compared(source: str) -> Iterator[int]:
    """Lines where something that is named as a secret is compared with `==` or `!=`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            for side in (node.left, *node.comparators):
                name = side.attr if isinstance(side, ast.Attribute) else side.id if isinstance(side, ast.Name) else ""
                if SECRET.search(name):
                    yield node.lineno


@pytest.mark.parametrize("source", ["a.token == b", "x != user.password", "signature == y == z"])
def test_the_rule_sees_what_it_is_for(source: str) -> None:
    """Else it would prove nothing."""
    assert list(compared(source))


def test_no_secret_is_compared_letter_by_letter() -> None:
    """In identity and in what signs tokens."""
    files = [file for place in PLACES for file in sorted(place.rglob("*.py"))]
    assert len(files) > 20
    assert {file.name: found for file in files if (found := list(compared(file.read_text())))} == {}
