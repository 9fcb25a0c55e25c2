"""All of it: inputs, product, scorer, false twins of claims, verifier, judge. Prints what the scorer prints.

`python -m benchmarks.quality.evaluate --scorer DIR/score.py --data DIR [--work DIR] [--jobs N]`. The inputs and the
answers stay in the work folder; the key that tells true claims from false ones is read by the scorer alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.quality.claims import judge
from benchmarks.quality.product import Product
from benchmarks.quality.retrieval import EMBEDDING
from benchmarks.quality.run import run, write_rows
from benchmarks.quality.sets import SETS

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("FM_TEST_DATA") or ROOT.parent / "shared" / "data")


def score(scorer: Path, arguments: Sequence[str | Path]) -> None:
    """One call of the scorer, its output on ours. Raises CalledProcessError where it fails."""
    subprocess.run([sys.executable, str(scorer), *map(str, arguments)], check=True)


def evaluate(scorer: Path, data: Path, work: Path, jobs: int) -> int:
    """How many questions got no answer; every table is printed by the scorer."""
    inputs, predictions, claims = work / "inputs", work / "predictions", work / "claims.jsonl"
    for folder in (inputs, predictions):
        shutil.rmtree(folder, ignore_errors=True)
    product = Product.installed()
    for name in SETS:
        score(scorer, ["inputs", "--data", data, "--out", inputs / name, "--only", name])
    unanswered = sum(run(product, inputs / name, predictions, name, jobs) for name in SETS)
    for name in SETS:
        score(scorer, ["score", "--data", data, "--predictions", predictions, "--only", name])
    unanswered += by_words(scorer, product, data, work)
    score(scorer, ["mutate", "--predictions", predictions, "--inputs", inputs / "cases", "--out", claims])
    verdicts = work / "verdicts.jsonl"
    write_rows(verdicts, judge(product, claims, inputs / "cases"))
    score(scorer, ["judge", "--file", verdicts, "--key", claims.with_name(claims.name + ".key.json")])
    return unanswered


def by_words(scorer: Path, product: Product, data: Path, work: Path) -> int:
    """Runbook retrieval once more without an embedding model; how many questions got no answer."""
    predictions = work / "predictions-by-words"
    shutil.rmtree(predictions, ignore_errors=True)
    unanswered = run(replace(product, settings={EMBEDDING: "none:"}), work / "inputs" / "kb", predictions, "kb", 1)
    print("kb without an embedding model:", flush=True)
    score(scorer, ["score", "--data", data, "--predictions", predictions, "--only", "kb"])
    return unanswered


def main() -> int:
    """Exit code 1 where a question got no answer."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.evaluate", description=__doc__)
    parser.add_argument("--scorer", type=Path, default=SHARED.parent / "eval" / "score.py")
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "eval")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1))
    args = parser.parse_args()
    if not args.scorer.is_file():
        parser.error(f"no scorer at {args.scorer}: name it with --scorer")
    return 1 if evaluate(args.scorer, args.data, args.work, args.jobs) else 0


if __name__ == "__main__":
    sys.exit(main())
