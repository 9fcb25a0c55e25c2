"""The quality benchmark asks the installed `fm` and writes answers in the scorer's formats."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
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


def corpus(folder: Path) -> Path:
    """Inputs with two pages and two questions."""
    pages = folder / "inputs" / "kb" / "main" / "pages" / "node"
    pages.mkdir(parents=True)
    (pages / "NodeDiskFull.md").write_text("# NodeDiskFull\n\nThe disk has no room left.\n", encoding="utf-8")
    (pages / "QueueBacklog.md").write_text("# QueueBacklog\n\nConsumers are too slow.\n", encoding="utf-8")
    asked = [{"query_id": "q1", "query": "consumers are slow"}, {"query_id": "q2", "query": "NodeDiskFull"}]
    rows = "".join(json.dumps(row) + "\n" for row in asked)
    (pages.parent.parent / "queries.jsonl").write_text(rows, encoding="utf-8")
    return folder / "inputs"


@pytest.mark.parametrize("embedding", ["hashing:", "none:"])
def test_pages_are_ranked_for_every_question(tmp_path: Path, embedding: str) -> None:
    """With a model and without one: the pages are added by the command, the questions asked of the library."""
    product = replace(Product.installed(), settings={"FM_EMBEDDING_URL": embedding})
    assert run(product, corpus(tmp_path), tmp_path, "kb", 1) == 0
    rows = [json.loads(line) for line in (tmp_path / "kb.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["query_id"], row["ranking"][0]) for row in rows] == [
        ("q1", "node/QueueBacklog.md"),
        ("q2", "node/NodeDiskFull.md"),
    ]


def test_pages_that_are_not_searchable_are_no_wrong_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page that could not be read is a failure of the run."""
    inputs = corpus(tmp_path)
    (inputs / "kb" / "main" / "pages" / "broken.md").write_bytes(b"\xff")
    product = replace(Product.installed(), settings={"FM_EMBEDDING_URL": "none:"})
    assert run(product, inputs, tmp_path, "kb", 1) == 1
    assert "no answer: kb main" in capsys.readouterr().err


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
