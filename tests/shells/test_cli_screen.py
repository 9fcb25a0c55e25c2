"""The first screen keeps its promise of fifteen lines, whatever the record holds."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven_cli.screen import LINES, first_screen

WORDS = st.text(alphabet="ab c\n\t\x1b[31mé漢-", min_size=0, max_size=900)


def _record(text: str, command: str, verdict: str = "probable", count: int = 3) -> dict[str, Any]:
    entity = {"kind": "pod", "name": "web-0", "namespace": "shop"}
    check = {"command": command, "expect": text}
    place = {"file": "logs/web-0.log", "lines": [7, 7]}
    cause = {
        "entity": entity,
        "category": "resource_exhaustion",
        "statement": text or "It broke.",
        "confidence": 0.8,
        "confirm": check,
        "refute": {"command": "", "expect": text},
    }
    known = verdict not in ("healthy", "insufficient_evidence")
    cited = {"document_id": "doc_0123456789ab", "title": text, "headings": [text, text], "because": text}
    return {
        "verdict": verdict,
        "root_cause": cause if known else None,
        "hypotheses": [{"status": "leading", "claims": ["c1", "c2"]}] if known else [],
        "claims": [{"id": name, "text": text, "citations": [place]} for name in ("c1", "c2")],
        "ruled_out": [{"statement": text, "because": text}] * count,
        "evidence_needs": [{"what": text, "commands": [command], "places": [text]}] * count,
        "findings": [{"statement": text}] * count,
        "coverage": [{}] * count,
        "guidance": {"runbooks": [cited] * count, "similar": [{"case_id": "case_0123456789ab", "cause": text}] * count},
    }


@settings(max_examples=200)
@given(WORDS, st.sampled_from([60, 80, 120]), st.integers(0, 90))
def test_never_more_than_fifteen_lines(text: str, width: int, length: int) -> None:
    """Counted as the terminal shows them, with wrapped commands."""
    for verdict in ("probable", "confirmed", "suspected", "insufficient_evidence", "healthy"):
        screen = first_screen(_record(text, "kubectl " + "x" * length, verdict), width=width, more="fm report")
        assert sum(max(1, math.ceil(len(line) / width)) for line in screen.splitlines()) <= LINES


@given(WORDS)
def test_evidence_cannot_steer_the_terminal(text: str) -> None:
    """No control character of evidence reaches the screen."""
    screen = first_screen(_record(text, text), width=100)
    assert all(character.isprintable() or character == "\n" for character in screen)


@pytest.mark.parametrize("width", [60, 100])
def test_commands_and_places_are_never_cut(width: int) -> None:
    """People copy them."""
    command = (
        "kubectl -n shop get pod web-0 -o jsonpath='{.status.containerStatuses[*].lastState}' --request-timeout=5s"
    )
    screen = first_screen(
        _record("It broke because it broke. " * 30, command), width=width, more="fm report --home " + "x" * 80
    )
    assert f"confirm    {command}" in screen
    assert "proof      logs/web-0.log:7" in screen
    assert screen.endswith("fm report --home " + "x" * 80)


def test_what_is_missing_comes_with_the_way_to_get_it() -> None:
    """Without a cause the next checks are the answer."""
    screen = first_screen(_record("the log of the previous run", "kubectl logs --previous", "insufficient_evidence"))
    assert screen.startswith("INSUFFICIENT EVIDENCE\n")
    assert "missing    the log of the previous run" in screen
    assert "kubectl logs --previous" in screen


def test_nothing_to_see_is_not_called_wrong() -> None:
    """An empty file shows neither trouble nor health; sentences that are joined end only once."""
    record = _record("the log", "", "insufficient_evidence")
    assert "Nothing here shows whether all is well" in first_screen({**record, "findings": []})
    screen = first_screen({**record, "findings": [{"statement": "Latency rose."}, {"statement": "Load rose."}]})
    assert "Something is wrong, but no known cause fits: Latency rose; Load rose. Looked at" in screen.replace(
        "\n", " "
    )


def test_what_is_known_already_is_named() -> None:
    """The runbook and the case by their ids, which one can ask for; without any, there is no line."""
    record = _record("memory is full", "kubectl top pod", count=1)
    screen = first_screen(record)
    assert "runbook    doc_0123456789ab memory is full, memory is full (memory is full)" in screen
    assert "similar    case_0123456789ab memory is full" in screen
    bare = first_screen({**record, "guidance": {"runbooks": [], "similar": []}})
    assert "runbook" not in bare
    assert "similar" not in bare
