"""Milvus, all of its parts in one process, from a wheel that has it packed."""

from __future__ import annotations

import json
import lzma
import secrets
import shutil
import threading
from base64 import b64encode
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from faultmaven_contract_tests.servers.certificates import Certificate, certificate
from faultmaven_contract_tests.servers.ports import free_ports
from faultmaven_contract_tests.servers.process import Process, ServerError, wait_until_ready
from faultmaven_contract_tests.servers.server import Place, Server

PARTS = ("rootCoord", "queryCoord", "queryNode", "indexNode", "dataCoord", "dataNode")
OTHERS = ("proxy", "internal", "index", "metrics", "etcd", "etcd_peer")
TICK, LOOK = 50, 250
"""Milliseconds between ticks of its clock, and between looks of its parts at each other. Reads that wait for a write wait
for a tick; otherwise all is as usual, also that reads which do not wait may miss it."""
SUPERUSER, FIRST_PASSWORD, STRANGER = "root", "Milvus", "stranger"
SESSION = 15
"""Seconds after which its parts take one for dead that says nothing; by default half a minute. On a busy machine they say
nothing for seconds."""

_unpacking = threading.Lock()


def start(place: Place) -> Server:
    """Ready when all its parts are."""
    ports = _ports()
    return _started(place, ports, _configuration(place.folder, ports))


def start_tls(place: Place) -> Server:
    """TLS only, for known users only; one more, STRANGER, has the same password and no rights."""
    ports, files, password = _ports(), certificate(place.folder), secrets.token_urlsafe(24)
    configuration = _configuration(place.folder, ports)
    configuration["tls"] = {"serverPemPath": files.chain, "serverKeyPath": files.key, "caPemPath": files.authority}
    configuration["common"]["security"] = {"authorizationEnabled": True, "tlsMode": 1}
    server = _started(place, ports, configuration)
    server.url = server.url.replace("http:", "https:")
    server.ca, server.username, server.password = str(files.authority), SUPERUSER, password
    _give_passwords(ports["proxy"], files, password)
    return server


def _ports() -> dict[str, int]:
    return dict(zip((*OTHERS, *PARTS), free_ports(len(OTHERS) + len(PARTS)), strict=True))


def _started(place: Place, ports: dict[str, int], configuration: dict[str, Any]) -> Server:
    configs = place.folder / "configs"
    configs.mkdir()
    (configs / "milvus.yaml").write_text("\n".join(_lines(configuration)) + "\n")
    (configs / "etcd.yaml").write_text("\n".join(_lines(_etcd(ports))) + "\n")
    (configs / "glog.conf").write_text("--logtostdout=true\n")
    binaries = _unpacked(place.guard.folder / "milvus-program")
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

    sessions = _Sessions(ports["etcd"])

    def ready() -> bool:
        with urlopen(f"http://127.0.0.1:{ports['metrics']}/healthz", timeout=5) as answer:  # a constant scheme
            healthy = bool(answer.read() == b"OK")
        if healthy:
            sessions.remember()
        return healthy

    def begun_again() -> None:
        wait_until_ready(f"{place.name}'s etcd", sessions.known, [process])
        sessions.end()

    wait_until_ready(place.name, ready, [process])
    return Server(
        name=place.name,
        url=f"http://127.0.0.1:{ports['proxy']}",
        product="Milvus",
        version=version("milvus"),
        processes=[process],
        ready=ready,
        begun_again=begun_again,
    )


class _Sessions:
    """The leases by which its parts show each other that they live.

    After a restart they would wait for the end of those of the killed: they are ended, as if that time had passed.
    """

    def __init__(self, etcd: int) -> None:
        self._url = f"http://127.0.0.1:{etcd}/v3/lease"
        self._last: set[str] = set()

    def known(self) -> set[str]:
        """Those that etcd holds."""
        return {lease["ID"] for lease in self._asked("leases").get("leases", ())}

    def remember(self) -> None:
        """Those that there are now belong to what runs now."""
        self._last = self.known()

    def end(self) -> None:
        """Those of what ran when they were last remembered."""
        for lease in self._last & self.known():
            self._asked("revoke", ID=lease)

    def _asked(self, what: str, **content: str) -> Any:
        with urlopen(f"{self._url}/{what}", data=json.dumps(content).encode(), timeout=5) as answer:
            return json.load(answer)


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


def _configuration(folder: Path, ports: dict[str, int]) -> dict[str, Any]:
    """Every port is given: two of its defaults would meet in any two servers, and its parts would look for each other outside."""
    parts: dict[str, Any] = {name: {"ip": "127.0.0.1", "port": ports[name]} for name in PARTS}
    looks = ("checkInterval", "checkChannelInterval", "checkSegmentInterval", "distPullInterval")
    parts["queryCoord"].update(dict.fromkeys(looks, LOOK))
    return {
        "etcd": {
            "endpoints": f"127.0.0.1:{ports['etcd']}",
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
        **parts,
        "proxy": {
            "ip": "127.0.0.1",
            "port": ports["proxy"],
            "internalPort": ports["internal"],
            "timeTickInterval": TICK,
            "http": {"enabled": False},
        },
        "indexCoord": {"bindIndexNodeMode": {"enable": False, "address": f"127.0.0.1:{ports['index']}"}},
    }


def _etcd(ports: dict[str, int]) -> dict[str, Any]:
    clients, peers = (f"http://127.0.0.1:{ports[name]}" for name in ("etcd", "etcd_peer"))
    return {
        "listen-client-urls": clients,
        "advertise-client-urls": clients,
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": f"default={peers}",
    }


def _lines(content: dict[str, Any], indent: str = "") -> Iterator[str]:
    """The content as YAML."""
    for name, value in content.items():
        if isinstance(value, dict):
            yield f"{indent}{name}:"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{name}: {str(value).lower() if isinstance(value, bool) else value}"


def _give_passwords(port: int, files: Certificate, password: str) -> None:
    """In place of the one that everybody knows."""
    import grpc
    from pymilvus.grpc_gen import milvus_pb2, milvus_pb2_grpc

    def encoded(text: str) -> str:
        return b64encode(text.encode()).decode()

    known = (("authorization", encoded(f"{SUPERUSER}:{FIRST_PASSWORD}")),)
    trusted = grpc.ssl_channel_credentials(files.authority.read_bytes())
    with grpc.secure_channel(f"127.0.0.1:{port}", trusted) as channel:
        stub = milvus_pb2_grpc.MilvusServiceStub(channel)
        stranger = milvus_pb2.CreateCredentialRequest(username=STRANGER, password=encoded(password))
        own = milvus_pb2.UpdateCredentialRequest(
            username=SUPERUSER, oldPassword=encoded(FIRST_PASSWORD), newPassword=encoded(password)
        )
        for answer in (
            stub.CreateCredential(stranger, metadata=known, timeout=20),
            stub.UpdateCredential(own, metadata=known, timeout=20),
        ):
            if answer.error_code:
                raise ServerError(f"Milvus gives nobody a password: {answer.reason}")
