"""The gates catch what they are there for: each violation is planted in a copy of the tree, and the gate must object."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARENTS = [".", "adapters", "shells/embedded", "shells/worker", "shells/cli", "contract_tests"]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Planted:
    """A file that must not be, the contract that forbids it, and words of the objection."""

    file: str
    text: str
    contract: str
    objection: str


IMPORTS = {
    "a driver in the core": Planted(
        "faultmaven_core/cases/planted.py",
        "import sqlalchemy",
        "The core is free of drivers, frameworks and the operating system",
        "faultmaven_core.cases.planted -> sqlalchemy",
    ),
    "the operating system in the core": Planted(
        "faultmaven_core/analysis/planted.py",
        "import os.path",
        "The core is free of drivers, frameworks and the operating system",
        "faultmaven_core.analysis.planted -> os",
    ),
    "an adapter in the core": Planted(
        "faultmaven_core/ports/planted.py",
        "import faultmaven_adapters.scanning.re2",
        "Shells over composition over adapters over the core",
        "faultmaven_core.ports.planted -> faultmaven_adapters.scanning.re2",
    ),
    "a case in the analysis": Planted(
        "faultmaven_core/analysis/planted.py",
        "import faultmaven_core.cases.model",
        "Layers of the core",
        "faultmaven_core.analysis.planted -> faultmaven_core.cases.model",
    ),
    "one context in another": Planted(
        "faultmaven_core/cases/planted.py",
        "import faultmaven_core.evidence.model",
        "Layers of the core",
        "faultmaven_core.cases.planted -> faultmaven_core.evidence.model",
    ),
    "a folder of the core without a place": Planted(
        "faultmaven_core/planted/__init__.py", "", "Layers of the core", "- faultmaven_core.planted"
    ),
    "a service in a model": Planted(
        "faultmaven_core/cases/model.py",
        "import faultmaven_core.cases.service",
        "Layers of every context",
        "faultmaven_core.cases.model -> faultmaven_core.cases.service",
    ),
    "a folder of adapters without a place": Planted(
        "adapters/faultmaven_adapters/planted/__init__.py",
        "",
        "Adapters of one port know nothing of another port's",
        "- faultmaven_adapters.planted",
    ),
    "one port's adapter in another's": Planted(
        "adapters/faultmaven_adapters/scanning/planted.py",
        "import faultmaven_adapters.structured.pyyaml",
        "Adapters of one port know nothing of another port's",
        "faultmaven_adapters.scanning.planted -> faultmaven_adapters.structured.pyyaml",
    ),
    "one backend in another": Planted(
        "adapters/faultmaven_adapters/scanning/planted.py",
        "import faultmaven_adapters.scanning.re2",
        "No backend imports another",
        "faultmaven_adapters.scanning.planted -> faultmaven_adapters.scanning.re2",
    ),
    "a backend in a contract suite": Planted(
        "contract_tests/faultmaven_contract_tests/planted.py",
        "import faultmaven_adapters.scanning.re2",
        "Contract suites name no backend",
        "faultmaven_contract_tests.planted -> faultmaven_adapters.scanning.re2",
    ),
    "an adapter chosen by a shell": Planted(
        "shells/cli/faultmaven_cli/planted.py",
        "import faultmaven_adapters.scanning.re2",
        "Composition alone chooses adapters",
        "faultmaven_cli.planted -> faultmaven_adapters.scanning.re2",
    ),
    "the container outside composition": Planted(
        "adapters/faultmaven_adapters/scanning/planted.py",
        "import injector",
        "Composition alone chooses adapters",
        "faultmaven_adapters.scanning.planted -> injector",
    ),
    "a shell in composition": Planted(
        "shells/embedded/faultmaven/planted.py",
        "import faultmaven_cli.main",
        "Shells over composition over adapters over the core",
        "faultmaven.planted -> faultmaven_cli.main",
    ),
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of everything that the import rules look at."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for parent in PARENTS:
        for package in (ROOT / parent).glob("faultmaven*/"):
            shutil.copytree(package, tmp_path / parent / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def lint_imports(tree: Path) -> tuple[int, str]:
    """The exit code of the gate, and what it says, in one line."""
    path = os.pathsep.join(str(tree / parent) for parent in PARENTS)
    done = subprocess.run(
        [BIN / "lint-imports", "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_the_tree_as_it_is_breaks_no_rule(tree: Path) -> None:
    """Without this, the planted violations below would prove nothing."""
    code, said = lint_imports(tree)
    assert code == 0, said
    assert "0 broken" in said


@pytest.mark.parametrize("planted", IMPORTS.values(), ids=IMPORTS.keys())
def test_a_planted_import_is_caught(tree: Path, planted: Planted) -> None:
    """The contract that forbids it is broken, and the message names the import."""
    file = tree / planted.file
    file.parent.mkdir(exist_ok=True)
    with file.open("a") as out:
        out.write(f"\n{planted.text}\n")
    code, said = lint_imports(tree)
    assert code == 1, said
    assert f"{planted.contract} BROKEN" in said
    assert planted.objection in said


@pytest.mark.parametrize("folder", ["adapters", "contract_tests", "docker", "docs", "examples", "helm", "shells"])
def test_a_folder_imported_as_if_it_were_a_package_is_caught(tmp_path: Path, folder: str) -> None:
    """The editable install puts the root on the path, where such an import would succeed, and fail for users."""
    planted = tmp_path / "planted.py"
    planted.write_text(f"import {folder}\n")
    done = subprocess.run(
        [BIN / "ruff", "check", "--no-cache", "--config", ROOT / "pyproject.toml", "--select", "TID251", planted],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "TID251" in done.stdout


def test_an_adapter_with_a_wrong_signature_is_caught(tmp_path: Path) -> None:
    """An adapter subclasses its port, so that the type checker compares the two where the adapter is written."""
    planted = tmp_path / "planted.py"
    planted.write_text(
        "from faultmaven_core.ports.pattern_scanner import PatternScanner, Scan\n\n\n"
        "class Planted(PatternScanner):\n"
        "    def compile(self, patterns: list[str]) -> Scan: ...\n"
    )
    done = subprocess.run(
        [BIN / "mypy", "--config-file", ROOT / "pyproject.toml", "--cache-dir", tmp_path / "cache", planted],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert 'incompatible with supertype "faultmaven_core.ports.pattern_scanner.PatternScanner"' in done.stdout
