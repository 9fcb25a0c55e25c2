"""What people say, and what they pasted among it."""

from __future__ import annotations

import pytest

from faultmaven_core.investigation.triage import split

LOG = "\n".join(f"2026-03-01T12:00:0{n}Z ERROR cannot connect" for n in range(6))
TABLE = "NAME      READY   STATUS             RESTARTS   AGE\n" + "\n".join(
    f"web-{n}     0/1     CrashLoopBackOff   {n}          5m" for n in range(4)
)
TRACE = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\n  File "a.py", line 2, in g\n    h()\n  File "b.py", line 3, in h\nERROR done'


@pytest.mark.parametrize("machine", [LOG, TABLE, TRACE])
def test_what_a_machine_said_is_parted_from_the_question(machine: str) -> None:
    """Before it or after it."""
    for text in (f"why does it fail?\n{machine}", f"{machine}\nwhy does it fail?"):
        said, pasted = split(text)
        assert said == "why does it fail?"
        assert pasted.strip() == machine.strip()
    assert split(machine)[0] == ""


def test_a_block_of_code_is_pasted_whole() -> None:
    """Whatever stands in it; a short one is a quotation."""
    block = "one\ntwo\nthree\nfour\n"
    assert split(f"what is this?\n```text\n{block}```\nplease") == ("what is this?\n\nplease", block)
    short = "is\n```\nexit 1\n```\nbad?"
    assert split(short) == (short, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "why?",
        "We moved at 12:00.\nThen it broke.\nNobody knows why.\nERROR is what it says.\nHelp us.",
        "- first\n- second\n- third\n- fourth\n- fifth",
        "\n".join(LOG.splitlines()[:3]) + "\nwhat are these?",
    ],
)
def test_what_people_write_stays_theirs(text: str) -> None:
    """A few quoted lines too."""
    assert split(text) == (text, "")


def test_long_text_takes_no_time() -> None:
    """Two hundred thousand characters of anything."""
    for part in ("a  " * 60_000, "```\n" * 50_000, "x\n" * 100_000, " " * 200_000, "A" * 200_000 + "  B"):
        split(part)
