"""The quality benchmark asks the installed `fm` and writes answers in the scorer's formats."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.quality.product import Product, ProductError
from benchmarks.quality.run import run

ROOT = Path(__file__).resolve().parents[2]
LOG = "".join(f"2026-03-01T10:00:{n:02d}Z INFO worker {n} finished in {n * 7} ms\n" for n in range(20))
POD = """Name:         shop-5d4f8c7b9-abcde
Namespace:    store
Node:         node-1/10.0.0.1
Status:       Running
Containers:
  shop:
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          False
    Restart Count:  7
"""


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """What the scorer writes: a log, a case and texts."""
    case = tmp_path / "inputs" / "cases" / "case-0001"
    (case / "evidence").mkdir(parents=True)
    (case / "evidence" / "pod.txt").write_text(POD, encoding="utf-8")
    (case / "question.txt").write_text("Why does shop restart?\n", encoding="utf-8")
    for name, content in (
        ("logs/app.log", LOG),
        ("redaction/texts.jsonl", '{"id": "t1", "text": "to a@example.org"}\n'),
    ):
        path = tmp_path / "inputs" / name
        path.parent.mkdir()
        path.write_text(content, encoding="utf-8")
    return tmp_path / "inputs"


def test_every_set_is_answered_in_its_format(inputs: Path, tmp_path: Path) -> None:
    """As a user runs it: a module, two folders."""
    predictions = tmp_path / "predictions"
    subprocess.run(
        [sys.executable, "-m", "benchmarks.quality", "--inputs", str(inputs), "--predictions", str(predictions)],
        check=True,
        cwd=ROOT,
    )
    logs, cases, texts = (
        [json.loads(line) for line in (predictions / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        for name in ("logs", "cases", "redaction")
    )
    assert [row["line"] for row in logs] == list(range(1, 21))
    assert {row["system"] for row in logs} == {"app"}
    assert len({row["template_id"] for row in logs}) == 1
    assert cases[0]["id"] == "case-0001"
    assert "OOMKilled" in cases[0]["record"]["root_cause"]["statement"]
    assert texts == [{"id": "t1", "masked": [[3, 16]]}]


def test_a_question_without_an_answer_is_counted_and_named(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A crash of the product must not look like a wrong answer, nor stop the others."""
    failing = Product((sys.executable, "-c", "raise SystemExit('out of order')"))
    assert run(failing, inputs, tmp_path, "logs", 1) == 1
    said = capsys.readouterr().err
    assert "no answer: logs app" in said
    assert "out of order" in said


def test_a_product_that_is_not_installed_is_said_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not after a thousand failed questions."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ProductError, match="install the distribution"):
        Product.installed()
