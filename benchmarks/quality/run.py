"""Puts every question of the chosen sets to the product and writes the predictions."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.quality.product import Product, ProductError
from benchmarks.quality.sets import SETS, Item, Row, Set


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Rows as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, sort_keys=True) + "\n" for row in rows), encoding="utf-8")


def answer(product: Product, chosen: Set, inputs: Path, jobs: int) -> tuple[list[Row], list[str]]:
    """The predictions of one set in the order of its items, and a sentence per question that got no answer."""

    def one(item: Item) -> tuple[list[Row], str]:
        try:
            return chosen.answer(product, item), ""
        except (ProductError, ValueError, KeyError) as error:
            return [], f"{chosen.name} {item.id}: {error}"

    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(one, chosen.items(inputs)))
    return [row for rows, _ in results for row in rows], [problem for _, problem in results if problem]


def run(product: Product, inputs: Path, predictions: Path, only: str | None, jobs: int) -> int:
    """Answers the sets that the inputs folder holds; returns how many questions got no answer, which are named."""
    unanswered = 0
    for name, chosen in SETS.items():
        if only not in (None, name) or not chosen.items(inputs):
            continue
        rows, problems = answer(product, chosen, inputs, jobs)
        write_rows(predictions / f"{name}.jsonl", rows)
        for problem in problems:
            print(f"no answer: {problem}", file=sys.stderr)
        print(f"{name}: {len(rows)} predictions, {len(problems)} questions without an answer", file=sys.stderr)
        unanswered += len(problems)
    return unanswered
