"""Settings as Celery's arguments and settings: what a worker is told, and that nothing contradicts."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from faultmaven import load_settings
from faultmaven.composition.worker import celery_app_of
from faultmaven.tree import Settings
from faultmaven_core.shared.errors import MisconfiguredError
from faultmaven_worker.argv import celery_argv

BROKER = {
    "FM_HOME": "/nowhere",
    "FM_DATABASE_URL": "postgresql://fm@db.example:5432/fm",
    "FM_CACHE_URL": "redis://cache.example:6379/0",
    "FM_JOBS_URL": "redis://broker.example:6379/0",
}


def settings(**more: str) -> Settings:
    """Settings of a worker."""
    return load_settings(BROKER | more)


def argument(argv: list[str], name: str) -> str:
    """The value of an argument; empty where it is not given."""
    return next((text.partition("=")[2] for text in argv if text.startswith(f"--{name}=")), "")


def test_a_fixed_size_is_a_concurrency_and_nothing_scales() -> None:
    """By either name of the variable."""
    for name in ("FM_WORKER_CONCURRENCY", "CELERY_CONCURRENCY"):
        argv = celery_argv(settings(**{name: "3"}).worker)
        assert (argument(argv, "concurrency"), argument(argv, "autoscale")) == ("3", "")


def test_bounds_are_an_autoscale_with_the_most_first() -> None:
    """Celery's order is the other one than ours."""
    argv = celery_argv(settings(CELERY_AUTOSCALE_MIN="2", CELERY_AUTOSCALE_MAX="8").worker)
    assert (argument(argv, "autoscale"), argument(argv, "concurrency")) == ("8,2", "")


def test_without_either_there_is_a_process_for_each_processor() -> None:
    """As many as Python counts."""
    assert argument(celery_argv(settings().worker), "concurrency") == str(os.cpu_count())


def test_both_at_once_are_refused() -> None:
    """Naming them."""
    with pytest.raises(MisconfiguredError, match=r"FM_WORKER_CONCURRENCY.*FM_WORKER_AUTOSCALE"):
        settings(FM_WORKER_CONCURRENCY="2", FM_WORKER_AUTOSCALE_MIN="1", FM_WORKER_AUTOSCALE_MAX="2")


def test_queues_are_those_of_the_settings_and_no_other_is_made() -> None:
    """In their order."""
    chosen = settings(FM_WORKER_QUEUES="reports,default")
    conf = celery_app_of(chosen).conf
    assert argument(celery_argv(chosen.worker), "queues") == "reports,default"
    assert [queue.name for queue in conf.task_queues] == ["reports", "default"]
    assert conf.task_create_missing_queues is False


def test_a_job_survives_the_death_of_its_worker_and_no_time_limit_meets_another() -> None:
    """The settings that experiments showed to be needed, with the reasons in the adapter."""
    conf = celery_app_of(settings(FM_JOB_TIME_LIMIT="30m", FM_WORKER_MAX_TASKS="7", FM_WORKER_MAX_MEMORY="64MiB")).conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.accept_content == ["json"]
    assert conf.task_ignore_result
    assert (conf.worker_max_tasks_per_child, conf.worker_max_memory_per_child) == (7, 64 * 1024)
    # The runner's limit comes first: it fails the attempt; Celery's would only kill the process.
    assert 1800 < conf.task_time_limit < conf.broker_transport_options["visibility_timeout"] / 2
    assert conf.broker_transport_options["socket_timeout"]
    assert conf.broker_transport_options["socket_connect_timeout"]
    assert conf.broker_connection_max_retries is None


def test_strangers_cannot_command_a_worker_through_the_broker() -> None:
    """Neither stop it nor read its settings."""
    assert celery_app_of(settings()).conf.worker_enable_remote_control is False


def test_a_longer_time_limit_keeps_the_broker_from_handing_the_job_out_twice() -> None:
    """The message stays hidden for more than twice as long as a job may take."""
    conf = celery_app_of(settings(FM_JOB_TIME_LIMIT="5h")).conf
    assert conf.broker_transport_options["visibility_timeout"] > 2 * 5 * 3600


def test_a_password_is_in_no_url() -> None:
    """Celery logs URLs."""
    chosen = settings(FM_JOBS_PASSWORD="kanarienvogel-7")
    app = celery_app_of(chosen)
    assert app.conf.broker_password == "kanarienvogel-7"
    assert "kanarienvogel-7" not in repr(app.conf) + app.connection().as_uri() + repr(replace(chosen))
