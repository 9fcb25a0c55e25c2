"""The claim verifier, put to the test: true claims and their false twins, unlabelled."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.quality.product import Product
from benchmarks.quality.sets import Row


def judge(product: Product, claims: Path, inputs: Path) -> list[Row]:
    """A status per row of the claims file; one call per case, with that case's evidence and nothing else."""
    by_case: dict[str, list[Row]] = defaultdict(list)
    for line in claims.read_text(encoding="utf-8").splitlines():
        if line.strip():
            row = json.loads(line)
            by_case[row["case"]].append(row)
    answers: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="fm-claims-") as folder:
        for case, rows in sorted(by_case.items()):
            asked = Path(folder) / f"{case}.jsonl"
            asked.write_text("".join(json.dumps({"id": r["id"], "claim": r["claim"]}) + "\n" for r in rows), "utf-8")
            evidence = inputs / "cases" / case / "evidence"
            printed = product.call(["verify", str(asked), "--evidence", str(evidence), "--json"])
            answers += [json.loads(line) for line in printed.splitlines() if line.strip()]
    return answers
