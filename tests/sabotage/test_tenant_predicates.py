"""N-6: no place that keeps organizations apart can go without a test that fails. All of them in turn: tests/soak."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.sabotage.tenancy_suites import NO_PREDICATES, failed_anyway, looking_alike, noticed, population
from tests.sabotage.tenant_predicates import ANYBODYS, predicates

SEED = 20261123
IN_MEMORY = "faultmaven_adapters.sql.memory"
ELSEWHERE = {
    "part of a text": "faultmaven_core.evidence",
    "SQL": "faultmaven_adapters.vectors.sqlite",
    "row-level security": "faultmaven_adapters.sql.migrations.versions.v0007_uploads",
}
"""Kinds that are not in memory, and where suites that are quick notice them."""


def _sample() -> list[str]:
    """One of each kind but policies and the tables in their loops, which take long: tests/soak."""
    found: dict[str, list[str]] = {}
    for predicate, _ in population():
        if predicate.module.startswith(ELSEWHERE.get(predicate.kind, IN_MEMORY)):
            found.setdefault(predicate.kind, []).append(str(predicate))
    return [random.Random(SEED).choice(names) for _, names in sorted(found.items())]


@pytest.mark.parametrize("name", _sample())
def test_one_of_each_kind_is_missed(name: str, tmp_path: Path) -> None:
    """On a copy of the module, with the clauses that speak of organizations."""
    predicate, suites = next(pair for pair in population() if str(pair[0]) == name)
    assert noticed(predicate, suites, tmp_path)


@pytest.mark.parametrize("module", sorted({name.split()[0] for name in _sample() if name.startswith(IN_MEMORY)}))
def test_nothing_is_missed_where_nothing_is_removed(module: str, tmp_path: Path) -> None:
    """A copy fails no clause for being one. Of all modules, with all of their suites: tests/soak."""
    predicate, suites = next(pair for pair in population() if pair[0].module == module)
    assert not failed_anyway(predicate, suites[:1], tmp_path)


def test_each_is_found_and_has_tests_that_would_notice() -> None:
    """A new one is found by itself, and what it is replaced by can be compiled; a module without suites fails here."""
    found = [predicate for predicate, _ in population()]
    assert len(found) > len({predicate.module for predicate in found}) > 25
    for predicate in {(predicate.module, predicate.kind): predicate for predicate in found}.values():
        assert predicate.original != predicate.removed()
        compile(predicate.removed(), predicate.module, "exec")


def test_no_exception_is_left_over() -> None:
    """Each names a function in which something looks like a predicate."""
    assert {predicate.where for _, predicate in looking_alike()} >= NO_PREDICATES.keys()


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("T.c.organization_id == bindparam('own')", "(T.c.organization_id == bindparam('own')) | (T.c.organization_id != bindparam('own'))"),
        ("row.organization != self._organization", "(row.organization != self._organization) & (row.organization == self._organization)"),
        ("key[:2] == (organization, case)", "_same_but_for(0, key[:2], (organization, case))"),
        ("(organization, name) in rows", "_anybodys(rows, (organization, name), 0) in rows"),
        ("rows[name, organization]", "rows[_anybodys(rows, (name, organization), 1)]"),
        ("rows.get((organization, name))", "rows.get(_anybodys(rows, (organization, name), 0))"),
        ("rows.setdefault(organization, {})", "rows.setdefault(_anybodys(rows, organization, None), {})"),
        ("place = (organization, name)", "place = ('everybody', name)"),
        ("f'{organization}/{name}'", "f'everybody/{name}'"),
        ("redis.key(topic.organization, 'signal')", "redis.key('everybody', 'signal')"),
        ("index.search(namespace=organization)", "index.search(namespace='everybody')"),
        ("run.own(case.organization)", "pass"),
        ("run('SELECT 1 WHERE organization = ? AND a')", "run('SELECT 1 WHERE (organization = ? OR 1 = 1) AND a')"),
        ("run('WHERE scope = ?')", "run('WHERE (scope = ? OR 1 = 1)')"),
        ("op.execute('ALTER TABLE a ENABLE ROW LEVEL SECURITY')", "pass"),
        ("op.execute('ALTER TABLE a FORCE ROW LEVEL SECURITY')", "pass"),
        (
            "run(f'CREATE POLICY organization ON {a} USING ({own})', 'NO FORCE ROW LEVEL SECURITY')",
            "run(f'CREATE POLICY organization ON {a} USING (true)', 'NO FORCE ROW LEVEL SECURITY')",
        ),
    ],
)  # fmt: skip
def test_each_kind_is_found_and_removed(good: str, bad: str) -> None:
    """Planted."""
    (found,) = predicates("planted", good)
    assert found.removed() == f"{bad}{ANYBODYS}"


@pytest.mark.parametrize(
    "text",
    [
        "self._run, self._organization = transaction, organization",
        "return user, organization",
        "connection.execute(text, (name, organization))",
        "raise NotFoundError(f'{organization} has none.')",
        "found.version != organization.version",
        "op.execute('ALTER TABLE a NO FORCE ROW LEVEL SECURITY')",
        "transaction(organization, name)",
    ],
)
def test_what_only_passes_an_organization_on_is_none(text: str) -> None:
    """Planted."""
    assert predicates("planted", text) == []


def test_each_is_known_by_its_function() -> None:
    """An exception for one says nothing of the next."""
    source = "class A:\n    def get(self):\n        return a.organization == b\n    def put(self):\n        return a.organization == b\n"
    assert [one.where for one in predicates("planted", source)] == ["planted A.get", "planted A.put"]


def test_a_table_without_row_level_security_is_found() -> None:
    """Each in turn of those for which a loop makes policies."""
    loop = "for table in (*A, 'c'):\n    op.execute(f'CREATE POLICY organization ON {table} USING (x)')\n"
    source = f"A = ('a', 'b')\n{loop}\n'NO FORCE ROW LEVEL SECURITY'\n"
    found = [predicate.removed() for predicate in predicates("planted", source)]
    assert len(found) == 3
    assert "enumerate((*A, 'c')) if at != 2" in found[2]
