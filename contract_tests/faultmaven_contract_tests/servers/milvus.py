"""Milvus, all of its parts in one process, from a wheel that has it packed."""

from __future__ import annotations

import lzma
import shutil
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from faultmaven_contract_tests.servers.ports import free_ports
from faultmaven_contract_tests.servers.process import Process, ServerError, wait_until_ready
from faultmaven_contract_tests.servers.server import Place, Server

PARTS = ("rootCoord", "queryCoord", "queryNode", "indexNode", "dataCoord", "dataNode")
OTHERS = ("proxy", "internal", "index", "metrics", "etcd", "etcd_peer")
TICK = 50
"""Milliseconds between ticks of its clock, and between looks of its parts at each other. Reads that wait for a write wait
for a tick; otherwise all is as usual, also that reads which do not wait may miss it."""

SESSION = 3
"""Seconds after which its parts take one for dead that says nothing; by default half a minute, which a restart would take."""

_unpacking = threading.Lock()


def start(place: Place) -> Server:
    """Ready when all its parts are."""
    ports = dict(zip((*OTHERS, *PARTS), free_ports(len(OTHERS) + len(PARTS)), strict=True))
    binaries = _unpacked(place.guard.folder / "milvus-program")
    _configure(place.folder, ports)
    process = Process(
        place.guard,
        [binaries / "milvus", "run", "standalone"],
        folder=place.folder,
        port=ports["proxy"],
        env={
            "DEPLOY_MODE": "STANDALONE",
            "LD_LIBRARY_PATH": str(binaries),
            "METRICS_PORT": str(ports["metrics"]),
            "MILVUS_RUN_DIR": str(place.folder / "run"),
            "TMPDIR": str(place.folder),
        },
    )

    def ready() -> bool:
        with urlopen(f"http://127.0.0.1:{ports['metrics']}/healthz", timeout=5) as answer:  # a constant scheme
            return bool(answer.read() == b"OK")

    wait_until_ready(place.name, ready, [process])
    return Server(
        name=place.name,
        url=f"http://127.0.0.1:{ports['proxy']}",
        product="Milvus",
        version=_version(),
        processes=[process],
        ready=ready,
    )


def _unpacked(folder: Path) -> Path:
    """The program and its libraries, unpacked once for all servers of a run."""
    package = find_spec("milvus")
    if package is None or package.origin is None:
        raise ServerError("The tests need Milvus of the package milvus: run tools/install-servers.")
    with _unpacking:
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            partial.mkdir()
            for packed in (Path(package.origin).parent / "data" / "bin").glob("*.lzma"):
                target = partial / packed.stem
                with lzma.open(packed) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
                target.chmod(0o755)
            partial.rename(folder)
    return folder


def _configure(folder: Path, ports: dict[str, int]) -> None:
    """Every port is given: two of its defaults would meet in any two servers, and its parts would look for each other outside."""
    etcd, peers = (f"http://127.0.0.1:{ports[name]}" for name in ("etcd", "etcd_peer"))
    local = {name: {"ip": "127.0.0.1", "port": ports[name]} for name in PARTS}
    proxy = {"ip": "127.0.0.1", "port": ports["proxy"], "internalPort": ports["internal"]}
    looks = ("checkInterval", "checkChannelInterval", "checkSegmentInterval", "distPullInterval")
    files: dict[str, Any] = {
        "milvus": {
            "etcd": {
                "endpoints": etcd.removeprefix("http://"),
                "use": {"embed": True},
                "config": {"path": folder / "configs" / "etcd.yaml"},
                "data": {"dir": folder / "etcd"},
                "log": {"level": "warn", "path": folder / "etcd.log"},
            },
            "metastore": {"type": "etcd"},
            "localStorage": {"path": folder / "data"},
            "mq": {"type": "rocksmq"},
            "rocksmq": {"path": folder / "rocksmq"},
            "common": {"storageType": "local", "session": {"ttl": SESSION}},
            "trace": {"exporter": "stdout"},
            "log": {"level": "warn", "stdout": True},
            **local,
            "proxy": {**proxy, "timeTickInterval": TICK, "http": {"enabled": False}},
            "queryCoord": {**local["queryCoord"], **dict.fromkeys(looks, TICK)},
            "indexCoord": {"bindIndexNodeMode": {"enable": False, "address": f"127.0.0.1:{ports['index']}"}},
        },
        "etcd": {
            "listen-client-urls": etcd,
            "advertise-client-urls": etcd,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"default={peers}",
        },
    }
    configs = folder / "configs"
    configs.mkdir()
    for name, content in files.items():
        (configs / f"{name}.yaml").write_text("\n".join(_lines(content)) + "\n")
    (configs / "glog.conf").write_text("--logtostdout=true\n")


def _lines(content: dict[str, Any], indent: str = "") -> Iterator[str]:
    """The content as YAML."""
    for name, value in content.items():
        if isinstance(value, dict):
            yield f"{indent}{name}:"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{name}: {str(value).lower() if isinstance(value, bool) else value}"


def _version() -> str:
    from importlib.metadata import version

    return version("milvus")
