"""`fm collect`: reads, says so first, changes nothing, and what it makes is evidence."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

READING = {"get", "describe", "logs", "top", "version"}
"""The kubectl verbs that change nothing."""

FAKE_KUBECTL = """#!/bin/sh
printf '%s\\n' "$*" >> "$FM_TEST_CALLS"
case "$*" in
*"get secrets"*-o*) echo "secret values asked for" >&2; exit 1 ;;
*jsonpath*) printf 'shop web-0 init app\\nshop web-1  app\\n' ;;
*--previous*web-1*|*web-1*--previous*) echo 'previous terminated container not found' >&2; exit 1 ;;
logs*) echo 'ERROR out of cheese' ;;
*"get networkpolicies"*) echo 'Error from server (Forbidden): no' >&2; exit 1 ;;
*) echo '{"kind": "List", "items": []}' ;;
esac
"""


def _collect(*arguments: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "faultmaven_cli.main", "collect", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environ or {})},
    )


@pytest.fixture
def cluster(tmp_path: Path) -> dict[str, str]:
    """A PATH on which kubectl writes down how it is called."""
    tool = tmp_path / "bin" / "kubectl"
    tool.parent.mkdir()
    tool.write_text(FAKE_KUBECTL)
    tool.chmod(0o755)
    return {"PATH": f"{tool.parent}:{os.environ['PATH']}", "FM_TEST_CALLS": str(tmp_path / "calls")}


@pytest.mark.parametrize("kind", ["host", "k8s"])
def test_printed_script_is_short_and_plain_posix(kind: str) -> None:
    """A person reads it before running it; any shell runs it."""
    script = _collect(kind, "--print").stdout
    assert script.startswith("#!/bin/sh\n")
    assert len(script.splitlines()) < 120
    for shell in ("dash", "sh", "bash"):
        if shutil.which(shell):
            subprocess.run([shell, "-n"], input=script, text=True, check=True)
    assert not [word for word in ("[[", "function ", "local ", "eval", "sudo", "curl", "wget") if word in script]


def test_host_bundle_holds_outputs_and_their_commands(tmp_path: Path) -> None:
    """Run for real on this machine: what it says it reads is in the archive, with the command of each file."""
    bundle = tmp_path / "host.tar.gz"
    done = _collect("host", "--output", str(bundle))
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("This will read, and change nothing:\n  cat /etc/os-release\n")
    with tarfile.open(bundle) as archive:
        names = {Path(name).name for name in archive.getnames()}
        member = archive.extractfile("./sources.json")
        assert member is not None
        sources = json.load(member)
    assert {"ps.txt", "df.txt", "uptime.txt"} <= names
    commands = {entry["file"]: entry["params"]["command"] for entry in sources}
    assert commands["df.txt"] == "df -h"
    assert {Path(file).name for file in commands} == names - {"sources.json", ""}


def test_host_bundle_is_private_and_nothing_else_is_left_behind(tmp_path: Path) -> None:
    """The bundle may hold secrets: only its owner may read it; the temporary folder is gone."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    bundle = tmp_path / "host.tar.gz"
    assert _collect("host", "--output", str(bundle), environ={"TMPDIR": str(scratch)}).returncode == 0
    assert bundle.stat().st_mode & 0o077 == 0
    assert list(scratch.iterdir()) == []


def test_cluster_is_only_read(cluster: dict[str, str], tmp_path: Path) -> None:
    """Every call of kubectl has a reading verb, and secrets are listed by name only."""
    bundle = tmp_path / "k8s.tar.gz"
    done = _collect("k8s", "--output", str(bundle), environ=cluster)
    assert done.returncode == 0, done.stderr
    calls = Path(cluster["FM_TEST_CALLS"]).read_text().splitlines()
    assert {call.split()[0] for call in calls} == READING
    assert [call for call in calls if "secret" in call] == ["get secrets --all-namespaces"]
    with tarfile.open(bundle) as archive:
        names = archive.getnames()
        refused = archive.extractfile("./networkpolicies.json")
        assert refused is not None
        assert b"Forbidden" in refused.read()
    assert "./logs/shop/web-0.init.log" in names
    assert "./logs/shop/web-0.app.previous.log" in names
    assert "./logs/shop/web-1.app.log" in names
    assert "./logs/shop/web-1.app.previous.log" not in names


def test_namespace_narrows_every_namespaced_call(cluster: dict[str, str], tmp_path: Path) -> None:
    """Who may see one namespace only is not refused at each step."""
    done = _collect("k8s", "--namespace", "shop", "--output", str(tmp_path / "b.tar.gz"), environ=cluster)
    assert done.returncode == 0, done.stderr
    calls = Path(cluster["FM_TEST_CALLS"]).read_text().splitlines()
    assert not [call for call in calls if "--all-namespaces" in call]
    assert "get pods -n shop -o json" in calls


def test_namespace_cannot_carry_a_command(tmp_path: Path) -> None:
    """Whatever is given as a namespace, nothing but a namespace gets into the script."""
    for name in ("shop; touch gone", "$(id)", "../up", "-A", "Shop"):
        done = _collect("k8s", "--print", f"--namespace={name}")
        assert done.returncode == 2
        assert "namespace" in done.stderr


def test_output_with_odd_characters_stays_one_name(cluster: dict[str, str], tmp_path: Path) -> None:
    """Spaces and quotes in a file's name are part of the name."""
    bundle = tmp_path / "it's a $(bundle).tar.gz"
    assert _collect("k8s", "--output", str(bundle), environ=cluster).returncode == 0
    assert tarfile.is_tarfile(bundle)


def test_bundle_goes_to_standard_output_on_request(cluster: dict[str, str]) -> None:
    """`fm collect k8s --output - | fm investigate -` needs no file."""
    done = subprocess.run(
        [sys.executable, "-m", "faultmaven_cli.main", "collect", "k8s", "--output", "-"],
        capture_output=True,
        check=True,
        env={**os.environ, **cluster},
    )
    assert done.stdout.startswith(b"\x1f\x8b")


def test_without_kubectl_the_answer_is_a_sentence(tmp_path: Path) -> None:
    """No tool, no bundle, and the person knows what to do."""
    done = _collect("k8s", "--output", str(tmp_path / "b"), environ={"PATH": str(tmp_path)})
    assert done.returncode == 69
    assert done.stderr.startswith("error: kubectl is not installed here")
