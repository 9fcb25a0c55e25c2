"""The sets of questions: where each finds its items in the inputs folder, and how an item is put to the product."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.quality.product import Product
from benchmarks.quality.retrieval import rankings

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One question: its id and what the product may see of it."""

    id: str
    path: Path


@dataclass(frozen=True, slots=True)
class Set:
    """`items` lists the questions below the inputs folder, `answer` gives the prediction rows for one."""

    name: str
    items: Callable[[Path], Sequence[Item]]
    answer: Callable[[Product, Item], list[Row]]


def logs(inputs: Path) -> Sequence[Item]:
    """One item per system's log."""
    return [Item(path.stem, path) for path in sorted((inputs / "logs").glob("*.log"))]


def templates(product: Product, item: Item) -> list[Row]:
    """The template of every line."""
    printed = product.call(["evidence", "templates", str(item.path), "--lines"])
    rows = [json.loads(line) for line in printed.splitlines() if line.strip()]
    return [{"system": item.id, "line": row["line"], "template_id": row["template_id"]} for row in rows]


def cases(inputs: Path) -> Sequence[Item]:
    """One item per case folder."""
    return [Item(path.name, path) for path in sorted((inputs / "cases").glob("case-*"))]


def investigate(product: Product, item: Item) -> list[Row]:
    """The record of a case. The list of how the files were obtained stands beside the folder, where `fm` looks for it."""
    question = (item.path / "question.txt").read_text(encoding="utf-8").strip()
    printed = product.call(["investigate", str(item.path / "evidence"), "--question", question, "--format", "json"])
    return [{"id": item.id, "record": json.loads(printed)}]


def texts(inputs: Path) -> Sequence[Item]:
    """All texts together: one call masks them all."""
    path = inputs / "redaction" / "texts.jsonl"
    return [Item("texts", path)] if path.exists() else []


def redact(product: Product, item: Item) -> list[Row]:
    """The character spans that the product masks in each text."""
    printed = product.call(["redact", str(item.path), "--field", "text", "--spans"])
    rows = [json.loads(line) for line in printed.splitlines() if line.strip()]
    return [{"id": row["id"], "masked": [span[:2] for span in row["masked"]]} for row in rows]


def corpora(inputs: Path) -> Sequence[Item]:
    """One item per corpus with its questions."""
    return [Item(path.name, path) for path in sorted((inputs / "kb").glob("*")) if (path / "queries.jsonl").is_file()]


def find(product: Product, item: Item) -> list[Row]:
    """The pages for every question of a corpus, best first."""
    return rankings(product, item.path)


SETS: Mapping[str, Set] = {
    known.name: known
    for known in (
        Set("logs", logs, templates),
        Set("cases", cases, investigate),
        Set("redaction", texts, redact),
        Set("kb", corpora, find),
    )
}
