"""From small pieces of evidence to verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from faultmaven_adapters.scanning.re2 import Re2PatternScanner
from faultmaven_adapters.structured.pyyaml import PyYamlStructuredText
from faultmaven_core.analysis.analyse import analyse
from faultmaven_core.analysis.diagnose.conclude import Request, confidence
from faultmaven_core.analysis.diagnose.hypotheses import Hypothesis
from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.analysis.mechanisms.mechanism import Mechanism
from faultmaven_core.analysis.model import Category, Verdict
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.analysis.signals.signatures import SignatureScan
from tests.unit.diagnose.conftest import POD

PODS = """\
NAMESPACE   NAME                    READY   STATUS    RESTARTS   AGE
shop        cart-6d4cf56db6-x2x4k   1/1     Running   0          3d
shop        cart-6d4cf56db6-r9s7q   1/1     Running   0          3d
"""
REFUSED = "2024-05-01T10:00:00Z ERROR connect ECONNREFUSED 10.0.0.5:5432\n"

Analyse = Callable[..., RcaRecord]


@pytest.fixture(scope="module")
def tools() -> Tools:
    """The real compute adapters."""
    return Tools(PyYamlStructuredText(), SignatureScan(Re2PatternScanner()))


@pytest.fixture
def analysed(tools: Tools) -> Analyse:
    """The record for texts by name."""

    def run(
        files: Mapping[str, str], question: str = "", since: float | None = None, until: float | None = None
    ) -> RcaRecord:
        request = Request("case_000000000001", question, "0", since, until)
        return analyse({name: text.encode() for name, text in files.items()}, request, tools)

    return run


def test_nothing_wrong_is_healthy_and_names_no_cause(analysed: Analyse) -> None:
    """The states say so."""
    record = analysed({"pods.txt": PODS})
    assert (record.verdict, record.root_cause, record.findings) == (Verdict.HEALTHY, None, ())
    assert [source.file for source in record.coverage] == ["pods.txt"]


def test_text_that_shows_no_state_is_insufficient(analysed: Analyse) -> None:
    """Silence is not health."""
    assert analysed({"notes.txt": "all quiet\n"}).verdict is Verdict.INSUFFICIENT_EVIDENCE


def test_something_wrong_without_a_mechanism_is_insufficient_and_shown(analysed: Analyse) -> None:
    """Abnormal, and we do not know why."""
    record = analysed({"pods.txt": PODS.replace("1/1     Running   0  ", "0/1     Unknown   0  ", 1)})
    assert record.verdict is not Verdict.HEALTHY
    assert record.findings[0].entity.name == "cart-6d4cf56db6-x2x4k"


def test_a_bound_mechanism_is_a_cause_with_proof_and_checks(analysed: Analyse) -> None:
    """Every conclusion can be confirmed by a command and refuted by an observation."""
    record = analysed(
        {"pods.txt": PODS, "logs/cart-6d4cf56db6-x2x4k.log": REFUSED * 5}, "Why does deployment cart-6d4cf56db6 fail?"
    )
    cause = record.root_cause
    assert cause is not None
    assert cause.mechanism_id == "network.connection_refused"
    assert "10.0.0.5:5432" in cause.statement
    assert cause.confirm.command
    assert cause.refute.expect
    leading = record.hypotheses[0]
    claims = {claim.id: claim for claim in record.claims}
    assert leading.status == "leading"
    assert claims[leading.claims[0]].citations[0].file == "logs/cart-6d4cf56db6-x2x4k.log"
    assert {action.mechanism for action in record.actions} == {"network.connection_refused"}
    assert [finding.kind for finding in record.findings] == ["signature"]


def test_what_is_dated_outside_the_time_asked_about_is_left_out(analysed: Analyse) -> None:
    """1714557600 is 10:00:00 of the log's day."""
    files = {"pods.txt": PODS, "logs/cart-6d4cf56db6-x2x4k.log": REFUSED * 5}
    question = "Why does cart-6d4cf56db6-x2x4k fail?"
    assert analysed(files, question, since=1714557600).root_cause is not None
    assert analysed(files, question, until=1714557600).root_cause is not None
    assert analysed(files, question, since=1714557601).root_cause is None
    assert analysed(files, question, until=1714557599).root_cause is None


def test_the_order_of_the_files_changes_nothing(analysed: Analyse) -> None:
    """Same bytes, same record."""
    files = {"pods.txt": PODS, "b.log": REFUSED, "a.log": "x\n" + REFUSED}
    assert analysed(files) == analysed(dict(reversed(files.items())))


def test_rivals_share_the_odds() -> None:
    """Two explanations that score alike make each other less certain; the same one elsewhere does not."""
    mine = Mechanism("a", Category.UNKNOWN, (), (), (), ())
    other = Mechanism("b", Category.UNKNOWN, (), (), (), ())

    def scored(mechanism: Mechanism, score: float) -> Hypothesis:
        return Hypothesis(mechanism, POD, (), (), score)

    assert confidence([scored(mine, 1.0)]) == 0.5
    assert confidence([scored(mine, 2.0)]) == 0.75
    assert confidence([scored(mine, 2.0), scored(other, 1.9)]) == 0.67
    assert confidence([scored(mine, 2.0), scored(other, 1.0), scored(mine, 2.0)]) == 0.75


def test_the_timeline_marks_the_first_sign_of_trouble(analysed: Analyse) -> None:
    """Dated, cited, oldest first."""
    record = analysed(
        {"pods.txt": PODS, "logs/cart-6d4cf56db6-x2x4k.log": "2024-05-01T09:59:00Z INFO started\n" + REFUSED}
    )
    assert [(entry.when, entry.first_deviation) for entry in record.timeline][:1] == [("2024-05-01T10:00:00Z", True)]
    assert record.timeline[0].citations[0].lines == (2, 2)


def test_a_source_that_ends_before_the_time_asked_about_says_so(analysed: Analyse) -> None:
    """You ask about 14:00, this file ends at 10:00."""
    record = analysed({"a.log": REFUSED * 3}, since=1714572000)
    assert any("You ask about" in problem for problem in record.coverage[0].problems)


def test_sources_whose_clocks_differ_are_set_on_one(analysed: Analyse) -> None:
    """The same messages, an hour apart: stated, and corrected."""
    lines = [f"2024-05-01T{{hour}}:0{n}:00Z ERROR connect ECONNREFUSED 10.0.0.{n}:5432" for n in range(5)]
    files = {f"{name}.log": "\n".join(lines).format(hour=hour) + "\n" for name, hour in (("a", 10), ("b", 11))}
    record = analysed(files)
    problems = {source.file: " ".join(source.problems) for source in record.coverage}
    assert "3600 s ahead of a.log" in problems["b.log"]
    assert {entry.when for entry in record.timeline} <= {f"2024-05-01T10:0{n}:00Z" for n in range(5)}


NO_PROGRAM = """\
Mar 03 03:20:00 web1 systemd[9]: report.service: Failed at step EXEC spawning /opt/report/run: No such file or directory
Mar 03 03:20:00 web1 systemd[1]: report.service: Failed with result 'exit-code'.
"""


def test_a_unit_without_its_program_is_told_by_both_names(analysed: Analyse) -> None:
    """The line that a unit failed and the line that it has no program must not explain each other away."""
    cause = analysed({"journal.txt": NO_PROGRAM}).root_cause
    assert cause is not None
    assert cause.mechanism_id == "linux.executable_missing"
    assert "report.service" in cause.statement
    assert "/opt/report/run" in cause.statement


def test_a_unit_that_never_ran_does_not_outrank_what_ended_another(analysed: Analyse) -> None:
    """Journals hold units that have been broken for months."""
    killed = "Mar 03 03:40:00 web1 kernel: Out of memory: Killed process 811 (postgres) total-vm:900000kB\n"
    record = analysed({"journal.txt": NO_PROGRAM + killed})
    assert record.root_cause is not None
    assert (record.verdict, record.root_cause.mechanism_id) == (Verdict.SUSPECTED, "linux.out_of_memory")


def test_a_class_that_nobody_listed_is_not_probably_missing(analysed: Analyse) -> None:
    """A claim that waits has other reasons too."""
    claims = "NAME          STATUS    VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   AGE\nreport-data   Pending                                      fast-ssd       14m\n"
    assert analysed({"pvc.txt": claims}).verdict is Verdict.SUSPECTED


def test_an_error_that_its_log_has_outlived_counts_less_than_one_that_goes_on(analysed: Analyse) -> None:
    """Refused at ten, well again at once, out of disk since noon."""
    hours = [f"2024-05-01T{hour}:{minute:02d}:00Z" for hour in (10, 11, 12) for minute in range(0, 60, 5)]
    lines = [f"{at} INFO served {n} orders" for n, at in enumerate(hours)]
    lines[2:2] = [f"2024-05-01T10:0{n}:00Z ERROR connect ECONNREFUSED 10.0.0.5:5432" for n in (6, 7)]
    lines[-2:-2] = [f"2024-05-01T12:4{n}:00Z ERROR write /var/lib/orders: no space left on device" for n in (6, 7)]
    record = analysed({"orders.log": "\n".join(lines) + "\n"})
    assert [h.mechanism for h in record.hypotheses][:2] == ["linux.disk_full", "network.connection_refused"]
    assert record.root_cause is not None
    alone = analysed({"orders.log": "\n".join(line for line in lines if "no space" not in line) + "\n"})
    assert alone.hypotheses[0].confidence < record.root_cause.confidence
    asked_then = analysed({"orders.log": "\n".join(lines) + "\n"}, until=1714558080)
    assert asked_then.hypotheses[0].mechanism == "network.connection_refused"
    assert asked_then.hypotheses[0].confidence > alone.hypotheses[0].confidence
