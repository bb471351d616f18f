"""Copies images between repositories byte for byte, so that digests stay the same.

Engines cannot do this: they unpack what they pull and pack it again when they push, which changes the digest.
The protocol is https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md.
"""

import base64
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from io import BufferedRandom
from typing import IO
from urllib.error import HTTPError
from urllib.parse import quote, urljoin
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from fleetform.base.errors import ProgramError
from fleetform.images.registry import Credentials

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"

_LOOPBACK = re.compile(r"(127\.[0-9.]+|localhost|\[::1\])(:[0-9]+)?")
_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_MANIFEST_TYPES = (
    _INDEX_TYPE,
    MANIFEST_TYPE,
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_SILENCE_SECONDS = 60


def digest_of(content: bytes) -> str:
    """Return the digest of a manifest or a layer."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def on_loopback(host: str) -> bool:
    """Return whether a registry is on this machine, where it speaks HTTP."""
    return bool(_LOOPBACK.fullmatch(host))


@dataclass(frozen=True)
class Manifest:
    """A manifest of an image or an index.

    Attributes:
        media_type: Its media type.
        content: Its bytes.
    """

    media_type: str
    content: bytes

    @property
    def manifests(self) -> list[str]:
        """Return the digests of the images that it lists, if it is an index of several platforms."""
        return [part["digest"] for part in json.loads(self.content).get("manifests", [])]

    @property
    def blobs(self) -> list[str]:
        """Return the digests of configuration and layers, without layers that are hosted elsewhere."""
        manifest = json.loads(self.content)
        parts = [manifest.get("config"), *manifest.get("layers", [])]
        return [part["digest"] for part in parts if part and not part.get("urls")]


@dataclass(frozen=True)
class Repository:
    """A repository with the login to its registry.

    Attributes:
        credentials: The login to its registry.
        name: Its name in the registry.
    """

    credentials: Credentials
    name: str

    def manifest(self, digest: str) -> Manifest:
        """Fetch the manifest of a digest."""
        with self._request(
            "GET", f"manifests/{digest}", headers={"Accept": ", ".join(_MANIFEST_TYPES)}
        ) as response:
            content = response.read()
            self._require_digest(digest, digest_of(content))
            return Manifest(response.headers["Content-Type"], content)

    def put_manifest(self, reference: str, manifest: Manifest) -> None:
        """Store a manifest under a tag or its digest. The blobs and manifests that it names must exist."""
        with self._request(
            "PUT", f"manifests/{reference}", manifest.content, {"Content-Type": manifest.media_type}
        ):
            pass

    def referrers(self, digest: str) -> dict[str, str]:
        """Return the artifact type of each digest attached to an image.

        Empty if the registry cannot list them.
        """
        with self._request(
            "GET", f"referrers/{digest}", headers={"Accept": _INDEX_TYPE}, missing_is_fine=True
        ) as response:
            content = response.read() if response.status == HTTPStatus.OK else b'{"manifests": []}'
        try:
            return {part["digest"]: part["artifactType"] for part in json.loads(content)["manifests"]}
        except (ValueError, LookupError, TypeError):
            repository = f"{self.credentials.host}/{self.name}"
            raise ProgramError(
                f"{repository}: the list of attachments of {digest} is not an OCI index"
            ) from None

    def has_blob(self, digest: str) -> bool:
        """Return whether a layer exists."""
        with self._request("HEAD", f"blobs/{digest}", missing_is_fine=True) as response:
            return response.status == HTTPStatus.OK

    def fetch_blob(self, digest: str, file: BufferedRandom) -> None:
        """Write a layer to a file."""
        with self._request("GET", f"blobs/{digest}") as response:
            shutil.copyfileobj(response, file)
        file.seek(0)
        self._require_digest(digest, f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}")

    def put_blob(self, digest: str, file: IO[bytes]) -> None:
        """Store a file's content as a layer."""
        with self._request("POST", "blobs/uploads/", b"") as response:
            upload = response.headers["Location"]
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(file.seek(0, 2))}
        file.seek(0)
        with self._request("PATCH", upload, file, headers) as response:
            upload = response.headers["Location"]
        with self._request("PUT", f"{upload}{'&' if '?' in upload else '?'}digest={quote(digest)}", b""):
            pass

    def _require_digest(self, digest: str, actual: str) -> None:
        if digest != actual:
            raise ProgramError(f"{self.name}: {digest} arrived as {actual}; run the command again")

    @contextmanager
    def _request(
        self,
        method: str,
        path: str,
        body: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        missing_is_fine: bool = False,
    ) -> Iterator[HTTPResponse | HTTPError]:
        """Send a request for a path in the repository, or for a URL that the registry returned.

        Raises:
            ProgramError: The request fails.
        """
        credentials = self.credentials
        scheme = "http" if on_loopback(credentials.host) else "https"
        base = f"{scheme}://{credentials.host}/v2/{self.name}/"
        request = Request(urljoin(base, path), body, dict(headers or {}), method=method)  # noqa: S310 - see `scheme`
        login = base64.b64encode(f"{credentials.user}:{credentials.password}".encode()).decode()
        # ECR redirects to another host for layers, which must not get the login.
        request.add_unredirected_header("Authorization", f"Basic {login}")
        try:
            with _opener(scheme).open(request, timeout=_SILENCE_SECONDS) as response:
                yield response
        except HTTPError as error:
            with error:
                if not (missing_is_fine and error.code == HTTPStatus.NOT_FOUND):
                    raise ProgramError(f"{credentials.host}/{self.name}: {_reason(error)}") from None
                yield error
        except (OSError, HTTPException) as error:
            message = f"{credentials.host}/{self.name}: the connection to the registry failed ({error})"
            raise ProgramError(
                f"{message}; check the network and run the command again, which skips what is already copied"
            ) from None


def _opener(scheme: str) -> OpenerDirector:
    """Return an opener that uses no proxy for loopback."""
    return build_opener(*([ProxyHandler({})] if scheme == "http" else []))


def _reason(error: HTTPError) -> str:
    """Return the registry's error message, or the HTTP status if it has none."""
    try:
        return "; ".join(entry["message"] for entry in json.load(error)["errors"])
    except (ValueError, LookupError, TypeError):
        return f"{error.code} {error.reason}"


def copy_image(source: Repository, target: Repository, digest: str, tag: str | None) -> None:
    """Copy an image with all its platforms, except blobs that the target has already.

    Args:
        source: The repository that has the image.
        target: The repository to copy it to.
        digest: Its digest in both.
        tag: The tag to give it; None for the parts of an index.

    Raises:
        ProgramError: A request to a registry fails.
    """
    manifest = source.manifest(digest)
    for part in manifest.manifests:
        copy_image(source, target, part, None)
    for blob in manifest.blobs:
        if not target.has_blob(blob):
            with tempfile.TemporaryFile() as file:
                source.fetch_blob(blob, file)
                target.put_blob(blob, file)
    target.put_manifest(tag or digest, manifest)


def copy_attached(source: Repository, target: Repository, digest: str) -> None:
    """Copy what is attached to an image, such as its SBOM, recursively.

    Raises:
        ProgramError: A request to a registry fails.
    """
    for attached in source.referrers(digest):
        copy_image(source, target, attached, None)
        copy_attached(source, target, attached)
