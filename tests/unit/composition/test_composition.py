"""The one place that chooses: complete for every combination, quiet while it builds, tidy when it ends."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from injector import Injector, Module, provider, singleton

from faultmaven import FaultMaven, load_settings
from faultmaven.composition.lifecycle import Lifecycle
from faultmaven.composition.modules import modules
from faultmaven.composition.select import BACKENDS, LAZY_DRIVERS, backend
from faultmaven_adapters.blobs.memory import MemoryBlobStore
from faultmaven_core.application import Application
from faultmaven_core.cases.commands import ListCases, OpenCase
from faultmaven_core.ports.blobs import BlobStore
from faultmaven_core.shared.errors import BackendUnavailableError, CorruptDataError, MisconfiguredError

COMBINATIONS = list(itertools.product(("sqlite:{}/fm.db", "memory:"), ("file:{}/blobs", "memory:")))


@pytest.mark.parametrize(("database", "blobs"), COMBINATIONS)
async def test_every_combination_builds_and_touches_nothing_while_it_does(
    tmp_path: Path, database: str, blobs: str
) -> None:
    """A missing binding shows only when it is asked for; a provider must not connect."""
    urls = {"FM_DATABASE_URL": database.format(tmp_path), "FM_BLOBS_URL": blobs.format(tmp_path)}
    settings = load_settings({"FM_HOME": str(tmp_path), **urls})
    injector = Injector([*modules(settings)], auto_bind=False)
    assert injector.get(Application) is injector.get(Application)
    assert not any(os.scandir(tmp_path))
    await injector.get(Lifecycle).close()
    async with FaultMaven.open(settings) as fm:
        assert (await fm.cases.open(OpenCase("q"), fm.caller)).status == "inquiry"


async def test_the_last_binding_wins(tmp_path: Path) -> None:
    """Tests and embedding programs put their own in its place."""
    own = MemoryBlobStore()

    class Mine(Module):
        @singleton
        @provider
        def blobs(self) -> BlobStore:
            return own

    from faultmaven_core.evidence.commands import AddContent

    async def content() -> object:
        yield b"x"

    async with FaultMaven.open(load_settings({"FM_HOME": str(tmp_path)}), overrides=[Mine()]) as fm:
        case = await fm.cases.open(OpenCase("q"), fm.caller)
        await fm.evidence.add_content(AddContent(case.case_id, "x"), content(), fm.caller)  # type: ignore[arg-type]  # a generator
        assert len([info async for info in own.list("")]) == 1


async def test_a_start_that_fails_closes_what_was_open(tmp_path: Path) -> None:
    """No thread, no connection is left."""
    (tmp_path / "faultmaven.db").write_text("no database " * 500)
    before = set(threading.enumerate())
    with pytest.raises(CorruptDataError, match="no database"):
        async with FaultMaven.open(load_settings({"FM_HOME": str(tmp_path)})):
            pytest.fail("opened")
    assert set(threading.enumerate()) <= before


async def test_everything_is_closed_at_the_end_even_after_an_error(tmp_path: Path) -> None:
    """And what was stored stays."""
    before = set(threading.enumerate())
    settings = load_settings({"FM_HOME": str(tmp_path)})

    async def fail() -> None:
        async with FaultMaven.open(settings) as fm:
            await fm.cases.open(OpenCase("q"), fm.caller)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert set(threading.enumerate()) <= before
    async with FaultMaven.open(settings) as fm:
        assert len((await fm.cases.list(ListCases(), fm.caller)).items) == 1


async def test_times_of_jobs_reach_their_runner(tmp_path: Path) -> None:
    """Embedded or in a worker: a setting that changes nothing is a lie."""
    times = {"FM_JOB_LEASE": "8s", "FM_JOB_TIME_LIMIT": "2h"}
    async with FaultMaven.open(load_settings({"FM_HOME": str(tmp_path), **times})) as fm:
        options = fm.application.runner._options
    assert (options.lease, options.beat, options.time_limit) == (
        timedelta(seconds=8),
        timedelta(seconds=2),
        timedelta(hours=2),
    )


async def test_closing_goes_backwards_and_past_errors() -> None:
    """And happens once."""
    done: list[str] = []

    async def step(name: str) -> None:
        done.append(name)
        if name == "second":
            raise BackendUnavailableError("second")

    lifecycle = Lifecycle()
    for name in ("first", "second", "third"):
        lifecycle.on_close(lambda name=name: step(name))  # type: ignore[misc]  # the loop's value, kept
    with pytest.raises(BackendUnavailableError):
        await lifecycle.close()
    assert done == ["third", "second", "first"]
    await lifecycle.close()
    assert len(done) == 3


def test_every_backend_of_the_table_can_be_imported() -> None:
    """A typing error there would show at a user's start."""
    for port, scheme in BACKENDS:
        assert backend(port, scheme)


_AHEAD = """
import sys
from faultmaven import load_settings
from faultmaven.composition.preloading import preload
preload(load_settings({"FM_HOME": ".", "FM_OTLP_URL": "http://127.0.0.1:4318", "FM_MAIL_URL": "smtp://127.0.0.1:25"}))
print(*sys.modules)
"""


def test_a_server_imports_ahead_what_tells_a_collector_and_sends_mail() -> None:
    """On an event loop nobody would be answered for so long."""
    done = subprocess.run([sys.executable, "-c", _AHEAD], capture_output=True, text=True, check=True, timeout=120)
    assert {BACKENDS["telemetry", "otlp"], BACKENDS["mail", "smtp"]} <= set(done.stdout.split())


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install; a broken module of our own is not mistaken for it."""
    monkeypatch.setitem(BACKENDS, ("database", "odd"), "no_such_driver")
    with pytest.raises(MisconfiguredError, match=r"no_such_driver.*pip install"):
        backend("database", "odd")
    monkeypatch.setitem(LAZY_DRIVERS, "memory", "no_such_driver")
    with pytest.raises(MisconfiguredError, match=r"no_such_driver.*pip install"):
        backend("blobs", "memory")
    monkeypatch.setitem(BACKENDS, ("database", "odd"), "faultmaven_adapters.none")
    with pytest.raises(ModuleNotFoundError):
        backend("database", "odd")
