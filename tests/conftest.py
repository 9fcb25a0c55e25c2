"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real test data; its place is FM_TEST_DATA, by default beside the checkout."""
    folder = Path(os.environ.get("FM_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "cases").is_dir():
        pytest.fail(f"No test data at {folder}: set FM_TEST_DATA to the folder that holds 'cases' and 'logs'.")
    return folder
