"""Signatures of networks, Linux and latency: what each finds, what it captures, and what it must leave alone."""

from __future__ import annotations

import pytest

from faultmaven_adapters.scanning.re2 import Re2PatternScanner
from faultmaven_core.analysis.model import Entity, Mode, Span
from faultmaven_core.analysis.signals.signatures import SignatureScan

SPAN = Span("a" * 64, 0, 1, 1, 1)

FOUND = [
    ("dns.resolution_failed", "Error: getaddrinfo ENOTFOUND db.shop.svc.cluster.local", {"host": "db.shop.svc.cluster.local"}),
    ("dns.resolution_failed", "dial tcp: lookup cache.shop on 10.96.0.10:53: no such host", {"host": "cache.shop"}),
    ("dns.resolution_failed", 'could not translate host name "db" to address: Name or service not known', {"host": "db"}),
    ("dns.resolution_failed", "java.net.UnknownHostException: queue.internal", {"host": "queue.internal"}),
    ("connection.refused", "connect ECONNREFUSED 10.0.0.5:5432", {"address": "10.0.0.5:5432"}),
    ("connection.refused", "redis:6379: Connection refused", {"address": "redis:6379"}),
    ("connection.refused", "10.0.0.7:5432 - refused: connection refused", {"address": "10.0.0.7:5432"}),
    ("connection.refused", "dial tcp 10.0.0.9:6379: connect: connection refused", {"address": "10.0.0.9:6379"}),
    ("connection.timed_out", "connect ETIMEDOUT 10.0.0.5:443", {"address": "10.0.0.5:443"}),
    ("connection.timed_out", "context deadline exceeded", {}),
    ("connection.reset", "read: connection reset by peer", {}),
    ("network.unreachable", "connect: no route to host", {}),
    ("tls.certificate_invalid", "x509: certificate has expired or is not yet valid", {"problem": "certificate has expired or is not yet valid"}),
    ("http.upstream_failed", "upstream prematurely closed connection while reading response header", {}),
    ("http.rate_limited", "HTTP 429 Too Many Requests", {}),
    ("auth.denied", 'FATAL: password authentication failed for user "app"', {"user": "app"}),
    ("time.skew", "RequestTimeTooSkewed: the difference is too large", {}),
    ("memory.oom_killed", "Out of memory: Killed process 4711 (java) total-vm:9000kB, anon-rss:8000kB", {"pid": "4711", "process": "java", "rss": "8000kB"}),
    ("memory.allocation_failed", "java.lang.OutOfMemoryError: Java heap space", {"what": "Java heap space"}),
    ("disk.full", "write /var/lib/data/segment: no space left on device", {"path": "/var/lib/data/segment"}),
    ("disk.io_error", "blk_update_request: I/O error, dev sda, sector 12345", {"device": "sda"}),
    ("disk.read_only", "cannot create temp file: Read-only file system", {}),
    ("limit.open_files", "accept4: too many open files", {}),
    ("limit.processes", "java.lang.OutOfMemoryError: unable to create new native thread", {}),
    ("limit.connection_tracking", "nf_conntrack: table full, dropping packet", {}),
    ("process.address_in_use", "bind() to 0.0.0.0:8080 failed (98: Address already in use)", {"port": "8080"}),
    ("process.address_in_use", "Mar 03 03:20:01 web1 nginx[9]: bind() to 0.0.0.0:80 failed (98: Address already in use)", {"port": "80"}),
    ("process.address_in_use", "12:20:31 listen tcp :9090: bind: address already in use", {"port": "9090"}),
    ("process.address_in_use", "12:20:31 Error: listen EADDRINUSE: address already in use :::3000", {"port": "3000"}),
    ("process.address_in_use", "12:20:31 Bind for 0.0.0.0:8443 failed: port is already allocated, address already in use", {"port": "8443"}),
    ("process.unit_executable_missing", "systemd[9]: a.service: Failed at step EXEC spawning /opt/a/run: No such file or directory", {"executable": "/opt/a/run", "unit": "a.service"}),
    ("disk.nfs_unresponsive", "kernel: nfs: server filer01 not responding, still trying", {"server": "filer01"}),
    ("connection.refused", 'connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.7, upstream: "http://10.0.0.12:8080/a"', {"address": "10.0.0.12:8080"}),
    ("connection.refused", 'Server shop/app2 is DOWN, reason: Layer4 connection problem, info: "Connection refused"', {"backend": "shop/app2"}),
    ("tls.certificate_invalid", "PKIX path validation failed: certificate expired", {"problem": "certificate expired"}),
    ("process.permission_denied", "open /data/index: permission denied", {"path": "/data/index"}),
    ("process.segfault", "worker[812]: segfault at 0 ip 00007f sp 00007f error 4", {"process": "worker"}),
    ("process.unit_failed", "nginx.service: Failed with result 'exit-code'.", {"unit": "nginx.service"}),
    ("process.shell_syntax", 'sh: syntax error: unexpected "done"', {"error": 'sh: syntax error: unexpected "done"'}),
    ("process.configuration_invalid", "required environment variable DATABASE_URL is not set", {"variable": "DATABASE_URL"}),
    ("kernel.hung_task", "INFO: task jbd2/sda1-8:287 blocked for more than 120 seconds.", {"process": "jbd2/sda1-8"}),
    ("latency.slow_operation", "INFO Cache lookup completed in 4.5 seconds", {"operation": "Cache lookup", "duration": "4.5", "unit": "seconds"}),
    ("latency.slow_operation", "GET /orders responded 200 after 12000 ms", {"duration": "12000", "unit": "ms"}),
    ("latency.slow_query", "LOG:  duration: 5231.442 ms  statement: SELECT 1", {"duration": "5231.442", "unit": "ms"}),
]  # fmt: skip

HARMLESS = [
    "INFO request completed in 120 ms",
    "Server returned error NXDOMAIN, mitigating potential DNS violation DVE-2018-0001, retrying transaction",
    '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
    "INFO connected to 10.0.0.5:5432",
    "GET /healthz 200 0.8 seconds",
    "INFO lookup table loaded, 4000 rows",
    "INFO 3 of 3 certificates are valid",
    "INFO opened 12 files",
    "user alice logged in",
]


@pytest.fixture(scope="module")
def scan() -> SignatureScan:
    """All signatures of the product."""
    return SignatureScan(Re2PatternScanner())


@pytest.mark.parametrize(("name", "line", "captured"), FOUND)
def test_a_signature_finds_its_line_and_captures_its_parts(
    scan: SignatureScan, name: str, line: str, captured: dict[str, str]
) -> None:
    """What is captured fills the texts of mechanisms."""
    facts = {fact.attribute: dict(fact.params) for fact in scan.facts(Entity("pod", "p"), line, SPAN, Mode.LOG)}
    assert f"signature.{name}" in facts
    assert captured.items() <= facts[f"signature.{name}"].items()


@pytest.mark.parametrize("line", HARMLESS)
def test_harmless_lines_match_no_signature(scan: SignatureScan, line: str) -> None:
    """One that fires where it should not is worse than none."""
    assert list(scan.facts(Entity("pod", "p"), line, SPAN, Mode.LOG)) == []


@pytest.mark.parametrize("moment", ["2026-03-03T03:05:00Z", "03:05:00", "Mar  3 03:05:00 web1 app:"])
def test_the_time_of_a_line_is_no_address(scan: SignatureScan, moment: str) -> None:
    """It has the form of a name and a port."""
    line = f"{moment} WARN redis ping failed: connection refused, retrying"
    (found,) = scan.facts(Entity("pod", "p"), line, SPAN, Mode.LOG)
    assert found.params == ()
