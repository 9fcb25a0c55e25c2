"""The parts of a run write into one proof."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from recorded_proof import keep

PARTS = 8


def test_parts_that_are_written_at_the_same_time_are_all_there(tmp_path: Path) -> None:
    """None undoes another, and only the one that has contracts says something of them."""
    proof = tmp_path / "proof.json"
    old = {f"part{number}/gone.py": number for number in range(PARTS)}
    proof.write_text(json.dumps({"contracts": {}, "tests": {**old, "apart/stays.py": 1}}))
    together = Barrier(PARTS)

    def write(number: int) -> None:
        together.wait(60)
        for times in range(20):
            folder = f"part{number}"
            keep(proof, folder, {f"{folder}/{'x' * times}.py": times}, {"blobs": {}} if number == 0 else None)

    with ThreadPoolExecutor(PARTS) as pool:
        list(pool.map(write, range(PARTS)))
    tests = {f"part{number}/{'x' * 19}.py": 19 for number in range(PARTS)}
    assert json.loads(proof.read_text()) == {"contracts": {"blobs": {}}, "tests": {**tests, "apart/stays.py": 1}}
