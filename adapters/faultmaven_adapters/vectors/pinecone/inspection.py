"""What Pinecone tells of a project, and what about it will hurt later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import metadata

from pinecone.models.indexes.deployment import ManagedDeployment
from pinecone.models.indexes.index import IndexModel

from faultmaven_adapters.vectors.pinecone.documents import VECTOR
from faultmaven_adapters.vectors.pinecone.indexes import TAG, PineconeProject
from faultmaven_core.ports.health import Inspection

OLD_CLIENT = "pinecone-client"


def inspected(project: PineconeProject, indexes: Sequence[IndexModel]) -> Inspection:
    """The client speaks one version of the interface, so its own version is the one to know."""
    ours = [index for index in indexes if any(tag.startswith(TAG) for tag in index.tags or {})]
    product = f"Pinecone ({project.cloud} {project.region}, {len(ours)} of {len(indexes)} indexes ours)"
    warnings = (
        *_old_client(),
        *_on_plain_http(project),
        *(found for index in ours for found in _doubts(index, project)),
    )
    return Inspection(product, f"client {metadata.version('pinecone')}", warnings=warnings)


def _old_client() -> Iterator[str]:
    try:
        version = metadata.version(OLD_CLIENT)
    except metadata.PackageNotFoundError:
        return
    yield (
        f"{OLD_CLIENT} {version} is installed, the dead name of the same library; it overwrites files of pinecone. "
        f"Run `pip uninstall {OLD_CLIENT}`, then `pip install --force-reinstall pinecone`."
    )


def _on_plain_http(project: PineconeProject) -> Iterator[str]:
    if project.control_url.startswith("http:"):
        yield "The key and all content travel unencrypted: this is for emulators on the same machine only."


def _doubts(index: IndexModel, project: PineconeProject) -> Iterator[str]:
    deployment = index.deployment
    if not isinstance(deployment, ManagedDeployment):
        yield f"The index {index.name} is not serverless: organizations are kept apart by namespaces of such indexes only."
    elif (deployment.cloud, deployment.region) != (project.cloud, project.region):
        yield (
            f"The index {index.name} stands in {deployment.cloud}/{deployment.region} and not in "
            f"{project.cloud}/{project.region}: it stays there; drop it and index again to move it."
        )
    if VECTOR not in index.schema.fields:
        yield f"The index {index.name} is no document index: drop it and index again."
    if not index.status.ready:
        yield f"The index {index.name} is {index.status.state}, so what is in it cannot be read now."
