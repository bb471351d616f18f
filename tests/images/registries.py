"""Images and repositories in the emulator's registry, for tests of what is done with them."""

import gzip
import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from fleetform.aws.clients import Access
from fleetform.catalog.images_lock import LockedImage
from fleetform.images.registry import Registry
from fleetform.images.transfer import Manifest, Repository

ACCOUNT = "123456789012"
REGION = "eu-west-1"
TAG = "1" * 16
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


def registry_at(variables: Mapping[str, str], environment: str = "dev") -> Registry:
    """The emulator's registry."""
    ecr = Access(REGION, variables).client("ecr")
    return Registry(ecr, ACCOUNT, environment, urlsplit(variables["AWS_ENDPOINT_URL"]).netloc)


def make_repository(registry: Registry, name: str = "") -> Repository:
    """Makes an immutable repository, and the right to use it."""
    name = name or f"shop-{uuid4().hex}"
    registry.ecr.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
    return Repository(registry.credentials(), name)


def digest_of(content: bytes) -> str:
    """The digest of what a manifest names."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def manifest_of(*layers: bytes, **changes: object) -> Manifest:
    """The manifest of an image of these layers, the first of which is its configuration."""
    described = [{"mediaType": "x/y", "size": len(layer), "digest": digest_of(layer)} for layer in layers]
    plain = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": described[0], "layers": described[1:]}
    return Manifest(MANIFEST_TYPE, json.dumps({**plain, **changes}).encode())


def index_of(*manifests: Manifest) -> Manifest:
    """The index of images of several platforms."""
    described = [
        {"mediaType": MANIFEST_TYPE, "size": 1, "digest": digest_of(each.content)} for each in manifests
    ]
    plain: dict[str, Any] = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": described}
    return Manifest(INDEX_TYPE, json.dumps(plain).encode())


def layers_of(word: str) -> tuple[bytes, bytes]:
    """Configuration and layer of an image."""
    return json.dumps({"os": word}).encode(), gzip.compress(word.encode(), mtime=0)


def push(repository: Repository, word: str, tag: str) -> str:
    """Pushes an image of a layer; returns its digest."""
    layers = layers_of(word)
    push_layers(repository, *layers)
    manifest = manifest_of(*layers)
    repository.put_manifest(tag, manifest)
    return digest_of(manifest.content)


def push_layers(repository: Repository, *layers: bytes) -> None:
    """Pushes layers."""
    for layer in layers:
        repository.put_blob(digest_of(layer), io.BytesIO(layer))


def locked(digest: str, *platforms: str) -> LockedImage:
    """The entry of an image in a lock."""
    return LockedImage(TAG, digest, platforms or ("linux/amd64",), "", "1" * 64)
