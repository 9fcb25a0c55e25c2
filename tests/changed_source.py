"""A plugin for a child run of pytest in which one module comes from another text: `-p tests.changed_source`.

`FM_TEST_CHANGED_MODULE` names the module, `FM_TEST_CHANGED_FILE` the file that stands for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType

import pytest

MODULE, FILE = "FM_TEST_CHANGED_MODULE", "FM_TEST_CHANGED_FILE"


class _Finder(MetaPathFinder):
    """Finds the changed module before anybody else does."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_file_location(fullname, os.environ[FILE]) if fullname == os.environ[MODULE] else None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before anything of ours is imported."""
    if os.environ[MODULE] in sys.modules:
        raise ImportError(f"{os.environ[MODULE]} was imported before it could be changed.")
    sys.meta_path.insert(0, _Finder())
