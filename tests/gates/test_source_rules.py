"""Rules about the source that no linter has: sizes, unfinished methods, addresses."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE_LINES = 500
FUNCTION_LINES = 50
PRODUCT = ("faultmaven_core/", "adapters/", "shells/", "contract_tests/faultmaven_contract_tests/", "benchmarks/")
REGISTRY = re.compile(
    r"https?://[^\s\"'<>)]*(pypi|pythonhosted|npmjs|debian\.org|crates\.io|maven\.org|golang\.org)", re.IGNORECASE
)


@cache
def files(pattern: str) -> tuple[str, ...]:
    """Files under version control or about to be, by glob."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return tuple(name for name in listed if (ROOT / name).is_file())


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods of a module."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def too_long(source: str) -> Iterator[str]:
    """Functions over the limit. Decorators do not count: the options of a command are a table, not code."""
    for function in functions(ast.parse(source)):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length >= FUNCTION_LINES:
            yield f"{function.name} has {length} lines"


def unfinished(source: str) -> Iterator[str]:
    """Places that raise or return NotImplementedError or NotImplemented's exception class."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id == "NotImplementedError":
            yield f"line {node.lineno}"


def test_there_is_source_to_look_at() -> None:
    """A gate that sees no file would pass."""
    assert len(files("*.py")) > 50


def test_no_module_is_over_500_lines() -> None:
    """Long files are where reviewers stop reading."""
    lengths = {name: (ROOT / name).read_text().count("\n") for name in files("*.py")}
    assert {name: length for name, length in lengths.items() if length > MODULE_LINES} == {}


def test_functions_of_the_product_stay_under_50_lines() -> None:
    """What does not fit is two things."""
    product = [name for name in files("*.py") if name.startswith(PRODUCT)]
    assert {name: found for name in product if (found := list(too_long((ROOT / name).read_text())))} == {}


def test_no_adapter_or_shell_is_left_unfinished() -> None:
    """What a backend cannot do is declared and raises UnsupportedError; nothing raises NotImplementedError."""
    outer = [name for name in files("*.py") if name.startswith(("adapters/", "shells/"))]
    assert {name: found for name in outer if (found := list(unfinished((ROOT / name).read_text())))} == {}


def test_no_file_names_a_registry() -> None:
    """People install from where their pip is set to; an address in a lock would overrule them."""
    text = [name for name in files("*") if not name.startswith("examples/")]
    found = {name: m.group() for name in text if (m := REGISTRY.search((ROOT / name).read_text(errors="replace")))}
    assert found == {}


@pytest.mark.parametrize("lines", [49, 50])
def test_the_gate_on_functions_counts_lines(lines: int) -> None:
    """Planted: 49 lines pass, 50 do not."""
    source = "async def planted():\n" + "    pass\n" * (lines - 1)
    assert bool(list(too_long(source))) is (lines == FUNCTION_LINES)


@pytest.mark.parametrize("line", ["raise NotImplementedError", "raise NotImplementedError('later')"])
def test_the_gate_on_unfinished_methods_sees_them(line: str) -> None:
    """Planted in an adapter's method."""
    assert list(unfinished(f"class Planted:\n    def ping(self):\n        {line}\n")) == ["line 3"]


def test_the_gate_on_registries_sees_one() -> None:
    """Planted as pip writes it into a lock."""
    assert REGISTRY.search("--index-url https://" + "pypi.example/simple")
