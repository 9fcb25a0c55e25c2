"""What content is told to be, and how sure that is."""

from __future__ import annotations

import pytest

from faultmaven_core.analysis.extract.passage import SourceText
from faultmaven_core.analysis.intake.sniff import RULES, SURE, kind_of, sniff

SAMPLES = {
    "kubectl_describe": "Name:             web-0\nNamespace:        shop\nPriority:         0\nNode:             n1/10.0.0.4\n",
    "kubectl_get": "NAME    READY   STATUS    RESTARTS   AGE\nweb-0   0/1     Error     3          5m\n",
    "kubectl_top": "NAME    CPU(cores)   MEMORY(bytes)\nweb-0   3m           120Mi\n",
    "kubernetes_manifest": "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n",
    "json": '{\n  "alerts": [\n    {"status": "firing"}\n  ]\n}\n',
    "cluster_dump": '{\n    "kind": "NodeList",\n    "apiVersion": "v1"\n}\n',
    "transcript": "ops@bastion:~$ kubectl get pods -n shop\nNAME READY\nops@bastion:~$ df -h\n/dev/sda1 100%\n",
    "diff": "diff --git a/app.py b/app.py\n--- a/app.py\n+++ b/app.py\n@@ -1,2 +1,2 @@\n-x = 1\n+x = 2\n",
    "structured_config": "[server]\nport = 8080\n; remark\n[database]\nurl = postgres://db/app\n",
    "source_code": "import os\nfrom app import db\n\nclass Job:\n    def run(self):\n        return db.go()\n",
    "document": "# What happened\n\nThe payment service was slow for most of the morning.\n\n## Timeline\n\n- We saw the first alert early in the day.\n",
    "log": "2026-11-22T10:00:00Z INFO starting\n2026-11-22T10:00:01Z ERROR no route to host\n",
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_kind_is_told_from_its_content_with_confidence(kind: str) -> None:
    """No name is given, so none can help."""
    guess = sniff(SourceText(SAMPLES[kind].encode()).passage())
    assert guess.kind == kind
    assert guess.confidence >= SURE
    assert guess.suggestions == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"a": 1}\n{"a": 2}\n', "log"),  # JSON lines are a log
        ('{"a": 1}\n', "json"),
        ("[2026-01-01T10:00:00] Sending invoice\n[2026-01-01T10:00:02] Sent\n", "log"),
        ("[1, 2,\n 3]\n", "json"),
        ("[812345.112001] java invoked oom-killer: order=0\n[812345.112034] CPU: 1 PID: 4311 Comm: java\n", "log"),
        ("shop   web-0   0/1   CrashLoopBackOff   12 (3m ago)   1h\n", "kubectl_get"),
        ("Command `kubectl logs web-0` failed with return code 1\nstdout:\n\nstderr:\nerror: no\n", "transcript"),
        ("stdout:\nNAME   READY   STATUS\nweb    1/1     Running\n\nstderr:\n", "transcript"),
        ("key: value\nother:\n  - 1\n  - two\n", "structured_config"),
        ("export A=1\nDB_HOST=db\nDB_PORT=5432\n", "structured_config"),
        ("\n\n", "log"),
    ],
)
def test_forms_that_resemble_another_are_told_apart(text: str, kind: str) -> None:
    """The near misses that decide what a fact is worth."""
    assert kind_of(SourceText(text.encode()).passage()) == kind


def test_a_known_command_decides_where_the_content_leaves_it_open() -> None:
    """A pod may log what looks like settings; the command that printed it says that it is a log."""
    passage = SourceText(b"a: 1\nb: 2\nc: 3\n").passage()
    assert kind_of(passage) == "structured_config"
    assert kind_of(passage, "kubectl logs web-0 -n shop") == "log"
    assert kind_of(passage, "fetch_pod_logs") == "log"


def test_an_unsure_guess_names_up_to_three_other_kinds() -> None:
    """A person can then say what it is."""
    text = "hello\nthis is odd\n# A heading\nand more of it\n* an item\nmore\nand more\n"
    guess = sniff(SourceText(text.encode()).passage())
    assert guess.confidence < SURE
    assert 1 <= len(guess.suggestions) <= 3
    assert guess.kind not in guess.suggestions
    assert set(guess.suggestions) <= {kind for kind, _ in RULES}
