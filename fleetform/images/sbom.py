"""The software bill of materials (SBOM) of an image: made by syft, and attached to the image in its registry.

Attached means a manifest of its own, without a tag, whose subject is the image; registries list it with the image:
https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md, "Guidelines for Artifact Usage".
"""

import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleetform.images.registry import Credentials
from fleetform.images.transfer import MANIFEST_TYPE, Manifest, Repository, digest_of, on_loopback

SPDX = "application/spdx+json"

_SYFT = "syft"
_EMPTY = b"{}"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_FILE_NAME = "sbom.spdx.json"  # what clients write it to


def notices() -> list[str]:
    """What is not made on this machine, one line each."""
    return [] if shutil.which(_SYFT) else ["images get no SBOM: syft is not on PATH"]


def create_sbom(reference: str, platform: str, file: Path) -> list[str]:
    """What makes an SBOM: syft reads the image from its registry, whichever engine pushed it.

    Args:
        reference: The image, as `<host>/<repository>@<digest>`.
        platform: Its platform, which counts if the digest is that of an index.
        file: Where the SBOM goes.
    """
    return [_SYFT, "scan", f"registry:{reference}", f"--platform={platform}", f"--output=spdx-json={file}"]


def variables(base: Mapping[str, str], credentials: Credentials) -> dict[str, str]:
    """The process environment of syft, with the login: arguments are for everybody to see."""
    return {
        **base,
        "SYFT_CHECK_FOR_APP_UPDATE": "false",
        "SYFT_REGISTRY_AUTH_AUTHORITY": credentials.host,
        "SYFT_REGISTRY_AUTH_USERNAME": credentials.user,
        "SYFT_REGISTRY_AUTH_PASSWORD": credentials.password,
        "SYFT_REGISTRY_INSECURE_USE_HTTP": "true" if on_loopback(credentials.host) else "false",
    }


def referrer(subject: Manifest, sbom: bytes) -> Manifest:
    """The manifest that attaches an SBOM to the image of another manifest."""
    content = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": SPDX,
        "config": _descriptor(_EMPTY_TYPE, _EMPTY),
        "layers": [{**_descriptor(SPDX, sbom), "annotations": {"org.opencontainers.image.title": _FILE_NAME}}],
        "subject": _descriptor(subject.media_type, subject.content),
    }
    return Manifest(MANIFEST_TYPE, json.dumps(content).encode())


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def attach_sbom(repository: Repository, digest: str, sbom: bytes) -> None:
    """Attaches an SBOM to an image.

    Raises:
        ProgramError: The registry refuses, or does not answer.
    """
    manifest = referrer(repository.manifest(digest), sbom)
    for blob in (_EMPTY, sbom):
        repository.put_blob(digest_of(blob), io.BytesIO(blob))
    repository.put_manifest(digest_of(manifest.content), manifest)
