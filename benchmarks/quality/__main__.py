"""`python -m benchmarks.quality --inputs DIR --predictions DIR [--only SET] [--jobs N]`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from benchmarks.quality.product import Product
from benchmarks.quality.run import run
from benchmarks.quality.sets import SETS


def main() -> int:
    """Exit code 1 where a question got no answer: the others are written all the same."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--inputs", type=Path, required=True, help="what `score.py inputs` wrote")
    parser.add_argument("--predictions", type=Path, required=True, help="where the answers go")
    parser.add_argument("--only", choices=sorted(SETS), help="one set only")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="questions asked at once")
    args = parser.parse_args()
    if not args.inputs.is_dir():
        parser.error(f"no such folder: {args.inputs}")
    return 1 if run(Product.installed(), args.inputs, args.predictions, args.only, args.jobs) else 0


if __name__ == "__main__":
    sys.exit(main())
