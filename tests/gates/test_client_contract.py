"""Each rule that a client relies on has a test that holds it, and each address that it calls is offered."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from faultmaven_http.services.table import EVERYWHERE, PUBLIC, SERVICES

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| ([\d.]+-\d+) \| ([^|]+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
TEST = re.compile(r"`((?:tests|contract_tests)/[\w/]+\.py)(?:::(\w+))?`")

_COUNTED = """
1.1:3 1.2:4 1.3:8 1.4:3 1.5:12 1.6:6 1.7:3 1.8:2 2.1:1 2.2:1 3.1:2 3.2:7 3.3:3 3.4:1 3.5:7 3.6:2 3.7:1 4.1:5 4.2:1 4.3:1
5.1:3 5.2:3 5.3:5 5.4:3 5.5:9 5.6:1 5.7:5 5.8:1 5.9:3 6:1 7.1:9 8:2 9:7 10:9 11:5 12:3
"""
RULES = {part: int(many) for part, _, many in (one.partition(":") for one in _COUNTED.split())}
"""How many rules of P1 and P2 each part of the contract has."""


def rows() -> dict[str, tuple[str, str]]:
    """Rule to who reads it and what holds it, as docs/clients.md says."""
    found = ROW.findall((ROOT / "docs" / "clients.md").read_text())
    assert len({name for name, *_ in found}) == len(found), "a rule stands there twice"
    return {name: (readers, held) for name, readers, _, held in found}


def test_every_rule_stands_in_the_table() -> None:
    """None is forgotten, and none is invented; each says how much a client loses without it, and which."""
    assert set(rows()) == {f"{part}-{n}" for part, most in RULES.items() for n in range(1, most + 1)}
    for readers, _ in rows().values():
        assert all(re.fullmatch(r"P[12]( (C|D|D2|S|all|own))+", one) for one in readers.split(", ")), readers


def test_every_rule_has_tests_that_are_there() -> None:
    """A test that was renamed, removed or put off to `make soak` leaves its rule bare."""
    wrong = {}
    for name, (_, held) in rows().items():
        tests = TEST.findall(held)
        missing = [f"{file}::{test}" for file, test in tests if not _is_run(ROOT / file, test)]
        if missing or not tests:
            wrong[name] = missing or held
    assert wrong == {}


def test_every_call_is_offered() -> None:
    """The table's end lists what clients call; a path that was renamed would be a silent 404."""
    text = (ROOT / "docs" / "clients.md").read_text()
    calls = {tuple(line.split()) for line in text.partition("```text\n")[2].partition("\n```")[0].splitlines()}
    offered = {(one.method, one.path) for endpoints in SERVICES.values() for one in endpoints}
    offered |= {(one.method, one.path) for one in EVERYWHERE} | PUBLIC
    assert len(calls) > 50
    assert calls - offered == set()


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("def test_it(): ...", True),
        ("async def test_it(): ...", True),
        ("@pytest.mark.timeout(9)\nasync def test_it(): ...", True),
        ("@pytest.mark.parametrize('n', [1, pytest.param(2, marks=pytest.mark.soak)])\ndef test_it(n): ...", True),
        ("@pytest.mark.soak\n@pytest.mark.timeout(9)\nasync def test_it(): ...", False),
        ("pytestmark = [pytest.mark.soak, pytest.mark.timeout(9)]\ndef test_it(): ...", False),
        ("def test_it_too(): ...\n# def test_it", False),
    ],
)
def test_what_is_put_off_is_told_from_what_runs(tmp_path: Path, text: str, run: bool) -> None:
    """By its own mark or its module's; one long case among others puts off no test."""
    file = tmp_path / "test_it.py"
    file.write_text(text)
    assert _is_run(file, "test_it") == run


def _is_run(path: Path, test: str) -> bool:
    """Whether the file holds such a test that runs with all others."""
    if not path.is_file():
        return False
    body = ast.parse(path.read_text()).body
    marks = [
        line.value for line in body if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "pytestmark"
    ]
    found = [one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name == test]
    marks += [mark for one in found for mark in one.decorator_list if "parametrize" not in ast.unparse(mark)]
    return bool(found) and not any("mark.soak" in ast.unparse(mark) for mark in marks)
