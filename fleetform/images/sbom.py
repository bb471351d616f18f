"""The software bill of materials (SBOM) of an image.

Created by syft and attached to the image in its registry.

An attachment is a separate manifest without a tag whose subject is the image. Registries list it with the
image: https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md, "Guidelines for Artifact Usage".
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
_FILE_NAME = "sbom.spdx.json"  # the file name that clients save it under


def notices() -> list[str]:
    """Return a line for each document that this machine cannot create."""
    return [] if shutil.which(_SYFT) else ["images get no SBOM: syft is not on PATH"]


def create_sbom(reference: str, platform: str, file: Path) -> list[str]:
    """Return the command that creates an SBOM. syft reads the image from its registry, so any engine will do.

    Args:
        reference: The image, as `<host>/<repository>@<digest>`.
        platform: Its platform, which matters if the digest is that of an index.
        file: The file to write.
    """
    return [_SYFT, "scan", f"registry:{reference}", f"--platform={platform}", f"--output=spdx-json={file}"]


def variables(base: Mapping[str, str], credentials: Credentials) -> dict[str, str]:
    """Return syft's process environment with the login, which must not be in arguments.

    Other users can read them.
    """
    return {
        **base,
        "SYFT_CHECK_FOR_APP_UPDATE": "false",
        "SYFT_REGISTRY_AUTH_AUTHORITY": credentials.host,
        "SYFT_REGISTRY_AUTH_USERNAME": credentials.user,
        "SYFT_REGISTRY_AUTH_PASSWORD": credentials.password,
        "SYFT_REGISTRY_INSECURE_USE_HTTP": "true" if on_loopback(credentials.host) else "false",
    }


def referrer(subject: Manifest, sbom: bytes) -> Manifest:
    """Return the manifest that attaches an SBOM to an image."""
    content = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": SPDX,
        "config": _descriptor(_EMPTY_TYPE, _EMPTY),
        "layers": [
            {**_descriptor(SPDX, sbom), "annotations": {"org.opencontainers.image.title": _FILE_NAME}}
        ],
        "subject": _descriptor(subject.media_type, subject.content),
    }
    return Manifest(MANIFEST_TYPE, json.dumps(content).encode())


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def attach_sbom(repository: Repository, digest: str, sbom: bytes) -> None:
    """Attach an SBOM to an image.

    Raises:
        ProgramError: A request to the registry fails.
    """
    manifest = referrer(repository.manifest(digest), sbom)
    for blob in (_EMPTY, sbom):
        repository.put_blob(digest_of(blob), io.BytesIO(blob))
    repository.put_manifest(digest_of(manifest.content), manifest)
