"""A run that skips something is not green."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPS = {
    "a marker": "import pytest\n\n@pytest.mark.skip(reason='later')\ndef test_planted(): pass\n",
    "a call": "import pytest\n\ndef test_planted(): pytest.skip('later')\n",
    "a fixture": "import pytest\n\n@pytest.fixture\ndef server(): pytest.skip('none here')\n\ndef test_planted(server): pass\n",
    "a module": "import pytest\n\npytest.importorskip('no_such_library')\n\ndef test_planted(): pass\n",
}


@pytest.mark.parametrize("source", SKIPS.values(), ids=SKIPS.keys())
def test_a_skip_fails_the_run(tmp_path: Path, source: str) -> None:
    """Planted beside the root's conftest, with nothing but that test to run."""
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "test_planted.py").write_text(source)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {1, 2}, done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]
