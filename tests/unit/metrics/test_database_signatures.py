"""What databases, pools, HTTP services and runtimes say, and what only resembles it."""

from __future__ import annotations

import pytest

from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.analysis.model import Entity, Mode, Span

SAID = [
    ("database.storage_full", 'ERROR: could not extend file "base/16384/2619": No space left on device', {}),
    ("database.storage_full", "The allocated storage for the DB instance has been consumed and is exhausted", {}),
    (
        "database.storage_low",
        "Free storage is low: 2 GB remaining of 100 GB",
        {"remaining": "2 GB", "allocated": "100 GB"},
    ),
    ("database.storage_expanding", "Applying modification to allocated storage", {}),
    ("database.storage_expanded", "Finished applying modification to allocated storage", {}),
    ("database.failover", "+switch-master mymaster 10.0.0.1 6379 10.0.0.2 6379", {}),
    (
        "database.failover",
        "Started cross AZ failover to DB instance: db-2. Reason: unhealthy host.",
        {"reason": "unhealthy host"},
    ),
    ("database.restarted", "LOG:  database system is ready to accept connections", {}),
    ("database.unavailable", "FATAL:  the database system is in recovery mode", {}),
    ("database.read_only", "ERROR: cannot execute INSERT in a read-only transaction", {}),
    ("database.connections_exhausted", "ERROR 1040 (HY000): Too many connections", {}),
    (
        "database.connections_exhausted",
        "shop-db has 490 connections, near the maximum of 500",
        {"used": "490", "limit": "500"},
    ),
    ("database.idle_in_transaction", "FATAL:  terminating connection due to idle-in-transaction timeout", {}),
    (
        "database.checkpoint_frequent",
        "LOG:  checkpoints are occurring too frequently (9 seconds apart)",
        {"checkpoint_seconds": "9"},
    ),
    (
        "database.vacuum",
        'automatic vacuum of table "shop.public.orders": index scans: 1',
        {"table": "shop.public.orders"},
    ),
    ("database.wraparound", 'database "shop" must be vacuumed within 10985967 transactions', {}),
    (
        "database.lock_wait",
        "LOG: process 812 still waiting for ShareLock on transaction 99 after 1000.1 ms",
        {"waited": "1000.1 ms"},
    ),
    ("database.lock_wait", "ERROR 1205 (HY000): Lock wait timeout exceeded; try restarting transaction", {}),
    ("database.statement_timeout", "ERROR:  canceling statement due to statement timeout", {}),
    ("database.replication_conflict", "ERROR: requested WAL segment 000000010000 has already been removed", {}),
    ("database.schema_mismatch", 'ERROR:  relation "orders" does not exist at character 15', {"object": "orders"}),
    ("database.schema_mismatch", "Unknown column 'colour' in 'field list'", {"object": "colour"}),
    ("database.constraint_violated", 'violates unique constraint "orders_pkey"', {"constraint": "orders_pkey"}),
    ("database.corruption", "ERROR: invalid page in block 17 of relation base/1/2", {}),
    ("redis.memory_full", "OOM command not allowed when used memory > 'maxmemory'.", {}),
    ("redis.persistence_failed", "MISCONF Redis is configured to save RDB snapshots", {}),
    ("kafka.consumer_evicted", "CommitFailedException: Commit cannot be completed since the group has rebalanced", {}),
    ("kafka.under_replicated", "[Partition orders-0 broker=1] Shrinking ISR from 1,2 to 1", {}),
    (
        "pool.exhausted",
        "HikariPool-1 - Connection is not available, request timed out after 30000ms.",
        {"waited": "30000ms", "pool": "HikariPool-1"},
    ),
    ("pool.exhausted", "QueuePool limit of size 5 overflow 10 reached, connection timed out", {"pool_size": "5"}),
    ("pool.exhausted", "2026/11/22 pool exhausted (20/20)", {"pool_active": "20", "pool_size": "20"}),
    ("pool.leak", "Apparent connection leak detected", {}),
    (
        "http.server_error",
        '10.0.0.1 - - "GET /cart?x=1 HTTP/1.1" 503 12',
        {"method": "GET", "path": "/cart", "status": "503"},
    ),
    (
        "http.circuit_open",
        "CircuitBreaker 'payments' is OPEN and does not permit further calls",
        {"circuit": "payments"},
    ),
    ("http.deadline_exceeded", "rpc error: code = DeadlineExceeded desc = context deadline exceeded", {}),
    ("http.request_too_large", "client intended to send too large body: 10485761 bytes", {}),
    ("jvm.heap_exhausted", "java.lang.OutOfMemoryError: Java heap space", {}),
    ("jvm.linkage_error", "java.lang.NoClassDefFoundError: com/shop/Cart", {"symbol": "com/shop/Cart"}),
    ("code.module_missing", "ModuleNotFoundError: No module named 'flask'", {"module": "flask"}),
    ("code.null_reference", "TypeError: Cannot read properties of undefined (reading 'id')", {"attribute": "id"}),
    ("code.recursion", "RecursionError: maximum recursion depth exceeded", {}),
    ("data.malformed", "json.decoder.JSONDecodeError: Expecting value", {}),
]
CALM = [
    "GET /api/v1/health 200 2ms",
    "LOG:  checkpoint complete: wrote 12 buffers (0.1%)",
    "connection pool at 12/100",
    "INFO storage class gp3 selected",
    "DB instance backup completed",
    "Opened 3 connections to the database",
    "rolling out version 5.0.3 of cart",
    "circuit breaker payments closed again",
]


def matched(tools: Tools, line: str) -> dict[str, dict[str, str]]:
    facts = tools.signatures.facts(Entity("source", "x"), line, Span("a", 0, 1, 1, 1), Mode.LOG)
    return {fact.attribute.removeprefix("signature."): dict(fact.params) for fact in facts}


@pytest.mark.parametrize(("signature", "line", "params"), SAID)
def test_a_message_is_recognised_with_its_numbers_and_names(
    tools: Tools, signature: str, line: str, params: dict[str, str]
) -> None:
    """In the words of the products' own documentation."""
    found = matched(tools, line)
    assert signature in found
    assert params.items() <= found[signature].items()


@pytest.mark.parametrize("line", CALM)
def test_everyday_messages_match_nothing_of_these(tools: Tools, line: str) -> None:
    """A signature that fires where all is well is worse than none."""
    areas = ("database.", "pool.", "http.", "jvm.", "code.", "redis.", "kafka.", "queue.", "data.")
    assert [name for name in matched(tools, line) if name.startswith(areas)] == []
