"""The program in docs/embedding.md runs as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_documented_program_finds_the_cause(tmp_path: Path) -> None:
    """Word for word, on a sample of the repository; it imports nothing that it did not say."""
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "embedding.md").read_text(), re.DOTALL)
    evidence = ROOT / "examples" / "failed-job" / "evidence"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "home"), str(evidence)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    verdict, statement, title, count = done.stdout.splitlines()
    assert verdict in {"probable", "suspected"}
    assert "get-data" in statement
    assert title.startswith("#")
    assert count == "1"
    assert (tmp_path / "home" / "faultmaven.db").exists()
