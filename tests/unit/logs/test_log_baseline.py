"""Logs of a healthy time beside those of the incident."""

from __future__ import annotations

import pytest

from faultmaven.composition.compute import tools
from faultmaven_core.analysis.analyse import extract_all
from faultmaven_core.analysis.diagnose.joining import Request, prepared
from faultmaven_core.analysis.model import Role

USUAL = "2024-03-05T12:00:{:02}Z ERROR shop.Mail: cannot send newsletter {}\n"
NEW = "2024-03-05T12:30:{:02}Z ERROR shop.Db: cannot open connection {}\n"


def log_of(*forms: str) -> bytes:
    """Twenty lines of each form."""
    return "".join(form.format(n, n) for form in forms for n in range(20)).encode()


@pytest.mark.parametrize(("baseline", "kinds"), [(None, 2), (log_of(USUAL), 1), (log_of(USUAL, NEW), 0)])
def test_errors_of_a_healthy_time_are_no_news(baseline: bytes | None, kinds: int) -> None:
    """What a program always complains of did not cause the incident."""
    kit = tools()
    found, _ = extract_all({"app.log": log_of(USUAL, NEW)}, kit)
    usual = extract_all({"before.log": baseline}, kit, Role.BASELINE)[0] if baseline else []
    ordered = prepared([*found, *usual], Request("case_1", "", "1"))
    facts = [
        fact for e in ordered if e.source.role is Role.INCIDENT for fact in e.facts if fact.attribute == "log.error"
    ]
    assert len(facts) == kinds
