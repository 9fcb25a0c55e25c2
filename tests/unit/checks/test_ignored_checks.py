"""Ignore rules: what a team accepted is not told again, and nothing else is lost."""

from __future__ import annotations

import pytest

from faultmaven_core.analysis.checks.ignore import checked_rule, news
from faultmaven_core.analysis.model import Entity, Violation
from faultmaven_core.shared.errors import InvalidInputError


def _violation(check: str, name: str, namespace: str = "shop") -> Violation:
    return Violation(check, Entity("pod", name, namespace), (), "this", "that", "", certain=True, bindings=())


WEB, JOB = _violation("container.no_limit", "web-0"), _violation("probe.missing", "job-1", "batch")


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ("container.no_limit", [JOB]),
        ("container.*", [JOB]),
        ("probe.missing pod batch/job-*", [WEB]),
        ("probe.missing pod shop/job-1", [WEB, JOB]),
        ("* pod job-1", [WEB]),
        ("probe.missing service job-1", [WEB, JOB]),
        ("*", []),
    ],
)
def test_rule_hides_what_it_speaks_of_and_no_more(rule: str, left: list[Violation]) -> None:
    """A check everywhere, or a check on one object; patterns reach what they match."""
    assert news([WEB, JOB], [rule]) == left


def test_without_rules_all_is_news() -> None:
    """Nothing is hidden by default."""
    assert news([WEB, JOB], []) == [WEB, JOB]


@pytest.mark.parametrize("rule", ["", "a b", "a pod x y", "a; b", "a pod ../x/y/z"])
def test_rule_that_means_nothing_is_refused(rule: str) -> None:
    """A mistyped rule must not silently hide nothing."""
    with pytest.raises(InvalidInputError):
        checked_rule(rule)
