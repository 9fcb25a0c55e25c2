"""The Celery application of workers: every setting that differs from Celery's own choice, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from celery import Celery

from faultmaven_adapters.jobs.brokers import BrokerPlace, broker_at
from faultmaven_adapters.jobs.publisher import queue_of

ROOM = 60.0
"""Seconds that Celery's limit lies above the runner's own: it ends processes whose event loop does not answer."""


@dataclass(frozen=True, slots=True)
class CeleryOptions:
    """A worker's size and limits: `time_limit` of an attempt in seconds, `max_memory` of a process in bytes, 0 is none."""

    queues: tuple[str, ...] = ("default",)
    time_limit: float = 1800.0
    max_tasks: int = 500
    max_memory: int = 0


def celery_app(place: BrokerPlace, options: CeleryOptions) -> Celery:
    """An application without tasks. Raises MisconfiguredError where the broker is none that Celery can use."""
    app = Celery("faultmaven", set_as_current=False, fixups=[])
    app.conf.update(_broker(place, options), **_tasks(options), **_processes(options))
    return app


def _broker(place: BrokerPlace, options: CeleryOptions) -> dict[str, Any]:
    broker = broker_at(place)
    transport = dict(broker.options)
    if "visibility_timeout" in transport:
        transport["visibility_timeout"] = max(transport["visibility_timeout"], int(2 * (options.time_limit + ROOM)) + 1)
    return {
        "broker_url": broker.url,
        # Not in the URL, which Celery logs.
        "broker_password": broker.password or None,
        "broker_use_ssl": dict(broker.ssl) or False,
        "broker_transport_options": transport,
        "broker_heartbeat": broker.heartbeat,
        "broker_connection_timeout": place.connect_timeout,
        "broker_connection_retry_on_startup": True,
        # A broker that is away for an hour is waited for; Celery would give up after 100 tries.
        "broker_connection_max_retries": None,
        # The row's lease says whose job it is. Ending jobs because the broker is away would only repeat them.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # A channel that a failover broke is opened again instead of ending the worker.
        "broker_channel_error_retry": True,
    }


def _tasks(options: CeleryOptions) -> dict[str, Any]:
    return {
        "accept_content": ["json"],
        "task_serializer": "json",
        # A job whose worker dies comes back: acknowledged after the work, and given back when the process is lost.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        # States and results stand in the job's row; a result backend would be a second, weaker truth.
        "task_ignore_result": True,
        "result_backend": "disabled://",
        # Nothing is published through Celery; if something ever is, it must not block for a broker that is away.
        "task_publish_retry": False,
        "task_queues": [queue_of(name) for name in options.queues],
        "task_default_queue": options.queues[0],
        "task_default_exchange": "",
        "task_default_routing_key": options.queues[0],
        # A misspelt queue is an error, not a new queue that nobody reads.
        "task_create_missing_queues": False,
        "task_time_limit": options.time_limit + ROOM,
    }


def _processes(options: CeleryOptions) -> dict[str, Any]:
    return {
        # One job ahead for each process: more would wait behind a long job while other workers are idle.
        "worker_prefetch_multiplier": 1,
        "worker_max_tasks_per_child": options.max_tasks or None,
        "worker_max_memory_per_child": options.max_memory // 1024 or None,
        # Anyone who reaches the broker could otherwise read the settings and stop workers.
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
    }
