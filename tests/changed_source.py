"""A plugin for a child run of pytest in which one module has another text: `-p tests.changed_source`.

`FM_TEST_CHANGED_MODULE` names the module, `FM_TEST_CHANGED_FILE` the file with the text.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import pytest

MODULE, FILE = "FM_TEST_CHANGED_MODULE", "FM_TEST_CHANGED_FILE"


class _Loader(SourceFileLoader):
    """Runs the changed text as if it stood in the module's own file: modules look for files beside theirs."""

    def get_code(self, fullname: str) -> CodeType:
        return compile(Path(os.environ[FILE]).read_bytes(), self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Finds the changed module before anybody else does."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != os.environ[MODULE]:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is not None and found.origin is not None:
            found.loader = _Loader(fullname, found.origin)
        return found


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before anything of ours is imported."""
    if os.environ[MODULE] in sys.modules:
        raise ImportError(f"{os.environ[MODULE]} was imported before it could be changed.")
    sys.meta_path.insert(0, _Finder())
