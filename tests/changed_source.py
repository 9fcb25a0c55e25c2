"""A plugin for a child run of pytest in which one module has another text: `-p tests.changed_source`.

`FM_TEST_CHANGED_MODULE` names the module, `FM_TEST_CHANGED_FILE` the file with the text.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

import pytest

MODULE, FILE = "FM_TEST_CHANGED_MODULE", "FM_TEST_CHANGED_FILE"

_get_code = SourceFileLoader.get_code


def _changed(loader: SourceFileLoader, fullname: str) -> CodeType | None:
    """The changed text as if it stood in the module's own file: by its place, for migrations are no modules."""
    if not loader.path.endswith(f"/{os.environ[MODULE].replace('.', '/')}.py"):
        return _get_code(loader, fullname)
    return compile(Path(os.environ[FILE]).read_bytes(), loader.path, "exec", dont_inherit=True)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before anything of ours is imported."""
    if os.environ[MODULE] in sys.modules:
        raise ImportError(f"{os.environ[MODULE]} was imported before it could be changed.")
    SourceFileLoader.get_code = _changed  # type: ignore[method-assign, assignment]  # whoever reads a file of Python comes here
