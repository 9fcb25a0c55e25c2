"""From a system to a cause: collect a bundle, hand it to `fm investigate`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

FM = [sys.executable, "-m", "faultmaven_cli.main"]

DESCRIBED = """\
Name:             web-0
Namespace:        shop
Status:           Running
Containers:
  app:
    Image:          registry.local/web:1.0
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          False
    Restart Count:  9
    Limits:
      memory:       128Mi
"""

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web-0", "namespace": "shop"},
    "spec": {"containers": [{"name": "app", "image": "web:1.0", "resources": {"limits": {"memory": "128Mi"}}}]},
    "status": {
        "phase": "Running",
        "containerStatuses": [
            {
                "name": "app",
                "ready": False,
                "restartCount": 9,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
            }
        ],
    },
}


def _investigated(arguments: list[str], home: Path, stdin: bytes | None = None) -> dict[str, object]:
    done = subprocess.run(
        [*FM, "investigate", *arguments, "--json"],
        input=stdin,
        capture_output=True,
        check=True,
        env={**os.environ, "FM_HOME": str(home)},
    )
    record = json.loads(done.stdout)
    assert isinstance(record, dict)
    return record


def test_bundle_of_this_host_is_read_file_by_file(tmp_path: Path) -> None:
    """Every output in the bundle is a source of the record, told apart, with nothing unreadable."""
    bundle = tmp_path / "host.tar.gz"
    subprocess.run([*FM, "collect", "host", "--output", str(bundle)], check=True, capture_output=True)
    record = _investigated([str(bundle)], tmp_path / "home")
    sources = {Path(str(s["file"]).rpartition("!")[2]).name: s for s in record["coverage"]}  # type: ignore[attr-defined]  # a list of objects by contract
    assert {"ps.txt", "df.txt", "free.txt", "uptime.txt"} <= set(sources)
    assert sources["sources.json"]["kind"] == "provenance"
    assert not [name for name, source in sources.items() if source["kind"] == "unreadable"]


def test_bundle_of_a_cluster_leads_to_the_cause(tmp_path: Path) -> None:
    """What kubectl says of a container that is killed for memory, collected through a pipe, is diagnosed."""
    tool = tmp_path / "bin" / "kubectl"
    tool.parent.mkdir()
    (tmp_path / "pods.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [POD]}))
    (tmp_path / "described.txt").write_text(DESCRIBED)
    tool.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        "*jsonpath*) echo 'shop web-0  app' ;;\n"
        f"'get pods'*json*) cat {tmp_path}/pods.json ;;\n"
        f"'describe pods'*) cat {tmp_path}/described.txt ;;\n"
        "logs*) echo '2026-03-02T14:00:00Z INFO started' ;;\n"
        """*json*) echo '{"apiVersion": "v1", "kind": "List", "items": []}' ;;\n"""
        "*) echo 'No resources found' ;;\n"
        "esac\n"
    )
    tool.chmod(0o755)
    collected = subprocess.run(
        [*FM, "collect", "k8s", "--output", "-"],
        check=True,
        capture_output=True,
        env={**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}"},
    )
    record = _investigated(["-", "--question", "Why does web-0 restart?"], tmp_path / "home", collected.stdout)
    cause = record["root_cause"]
    assert isinstance(cause, dict)
    assert cause["entity"] == {"kind": "pod", "name": "web-0", "namespace": "shop"}
    assert cause["category"] == "resource_exhaustion"
