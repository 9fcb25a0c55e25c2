"""What is said to a broker: a message of Celery's protocol 2 for each job, in batches."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import kombu

from faultmaven_adapters.jobs.brokers import Broker, BrokerPlace
from faultmaven_core.ports.job_queue import QueuedJob

TASK = "fm.run"
"""The one task: its arguments are a job's id and the trace it belongs to."""

BATCH = 500
"""Messages sent in one round trip where the broker allows it."""

_BODY = '[["%s", %s], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'

_log = logging.getLogger(__name__)


class Publisher:
    """One connection, made when needed."""

    def __init__(self, broker: Broker, place: BrokerPlace) -> None:
        self._broker, self._place = broker, place
        self._connection: kombu.Connection | None = None
        self._producer: Any = None
        self._declared: set[str] = set()
        self._origin = f"{os.getpid()}@{socket.gethostname()}"

    def send(self, jobs: Sequence[QueuedJob]) -> None:
        """Send ids, in as few round trips as the broker allows."""
        producer = self._producer or self._connected()
        for queue in {job.queue for job in jobs} - self._declared:
            # RabbitMQ drops what is sent to a queue that does not exist yet.
            queue_of(queue)(producer.channel).declare()
            self._declared.add(queue)
        with producer.batch(max_size=BATCH):
            for job in jobs:
                self._send(producer, job)

    def _send(self, producer: Any, job: QueuedJob) -> None:
        name = str(job.id)
        producer.publish(
            _BODY % (name, json.dumps(job.trace)),
            routing_key=job.queue,
            content_type="application/json",
            content_encoding="utf-8",
            headers=_headers(name, self._origin),
            correlation_id=name,
        )

    def _connected(self) -> Any:
        self._connection = self._broker.connection(self._place.connect_timeout)
        self._connection.connect()
        self._declared = set()
        self._producer = kombu.Producer(self._connection.channel(), serializer="json")
        return self._producer

    def forget(self) -> None:
        """Let go of the connection; it may be broken."""
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            try:
                connection.collect(socket_timeout=1)
            except Exception as error:  # noqa: BLE001 - it is given up, whatever it says
                _log.debug("A broken connection: %s", type(error).__name__)


def queue_of(name: str) -> kombu.Queue:
    """A queue as workers and publishers declare it: durable, reached by its name."""
    return kombu.Queue(name, exchange=kombu.Exchange(""), routing_key=name, durable=True)


def _headers(job_id: str, origin: str) -> Mapping[str, Any]:
    # Written out: Celery's own function takes three times as long, most of it for features of no use here.
    return {
        "lang": "py",
        "task": TASK,
        "id": job_id,
        "root_id": job_id,
        "parent_id": None,
        "group": None,
        "eta": None,
        "expires": None,
        "retries": 0,
        "timelimit": [None, None],
        "argsrepr": job_id,
        "kwargsrepr": "",
        "origin": origin,
        "ignore_result": True,
    }
