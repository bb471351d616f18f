"""Copying an image between repositories, byte for byte, so that its digest stays.

No engine does it: an engine unpacks what it pulls, and packs it anew, into another digest, when it pushes. The requests
are those that engines make: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md.
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
    """What a registry knows a manifest or a layer by."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def on_loopback(host: str) -> bool:
    """Whether a registry is on this machine, where it speaks HTTP."""
    return bool(_LOOPBACK.fullmatch(host))


@dataclass(frozen=True)
class Manifest:
    """What a digest stands for.

    Attributes:
        media_type: What kind it is.
        content: Its bytes.
    """

    media_type: str
    content: bytes

    @property
    def manifests(self) -> list[str]:
        """Digests of the images that it lists, if it is an index of several platforms."""
        return [part["digest"] for part in json.loads(self.content).get("manifests", [])]

    @property
    def blobs(self) -> list[str]:
        """Digests of configuration and layers; those that are elsewhere are fetched from there."""
        manifest = json.loads(self.content)
        parts = [manifest.get("config"), *manifest.get("layers", [])]
        return [part["digest"] for part in parts if part and not part.get("urls")]


@dataclass(frozen=True)
class Repository:
    """A repository, and the right to use it.

    Attributes:
        credentials: Those of its registry.
        name: Its name in it.
    """

    credentials: Credentials
    name: str

    def manifest(self, digest: str) -> Manifest:
        """The manifest of a digest."""
        with self._ask("GET", f"manifests/{digest}", headers={"Accept": ", ".join(_MANIFEST_TYPES)}) as response:
            content = response.read()
            self._prove(digest, digest_of(content))
            return Manifest(response.headers["Content-Type"], content)

    def put_manifest(self, reference: str, manifest: Manifest) -> None:
        """Keeps a manifest under a tag or its digest; what it names has to be there."""
        with self._ask("PUT", f"manifests/{reference}", manifest.content, {"Content-Type": manifest.media_type}):
            pass

    def referrers(self, digest: str) -> dict[str, str]:
        """What is attached to an image: digests, with what each holds; nothing if the registry cannot say."""
        with self._ask("GET", f"referrers/{digest}", headers={"Accept": _INDEX_TYPE}, missing_is_fine=True) as response:
            content = response.read() if response.status == HTTPStatus.OK else b'{"manifests": []}'
        try:
            return {part["digest"]: part["artifactType"] for part in json.loads(content)["manifests"]}
        except (ValueError, LookupError, TypeError):
            place = f"{self.credentials.host}/{self.name}"
            raise ProgramError(f"{place}: the list of what is attached to {digest} is no OCI index") from None

    def has_blob(self, digest: str) -> bool:
        """Whether a layer is there."""
        with self._ask("HEAD", f"blobs/{digest}", missing_is_fine=True) as response:
            return response.status == HTTPStatus.OK

    def fetch_blob(self, digest: str, file: BufferedRandom) -> None:
        """Writes a layer to a file."""
        with self._ask("GET", f"blobs/{digest}") as response:
            shutil.copyfileobj(response, file)
        file.seek(0)
        self._prove(digest, f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}")

    def put_blob(self, digest: str, file: IO[bytes]) -> None:
        """Keeps a file's content as a layer."""
        with self._ask("POST", "blobs/uploads/", b"") as response:
            upload = response.headers["Location"]
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(file.seek(0, 2))}
        file.seek(0)
        with self._ask("PATCH", upload, file, headers) as response:
            upload = response.headers["Location"]
        with self._ask("PUT", f"{upload}{'&' if '?' in upload else '?'}digest={quote(digest)}", b""):
            pass

    def _prove(self, digest: str, actual: str) -> None:
        if digest != actual:
            raise ProgramError(f"{self.name}: {digest} came as {actual}; run it again")

    @contextmanager
    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        missing_is_fine: bool = False,
    ) -> Iterator[HTTPResponse | HTTPError]:
        """Asks for a path in the repository, or for a URL that the registry gave.

        Raises:
            ProgramError: The registry refuses, or does not answer.
        """
        credentials = self.credentials
        scheme = "http" if on_loopback(credentials.host) else "https"
        base = f"{scheme}://{credentials.host}/v2/{self.name}/"
        request = Request(urljoin(base, path), body, dict(headers or {}), method=method)  # noqa: S310 - see `scheme`
        login = base64.b64encode(f"{credentials.user}:{credentials.password}".encode()).decode()
        # ECR sends layers from elsewhere, which has no business with the login.
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
            message = f"{credentials.host}/{self.name}: the registry does not answer, or went away half-way ({error})"
            raise ProgramError(f"{message}; check the network; what is there is not sent again") from None


def _opener(scheme: str) -> OpenerDirector:
    """Loopback is reached without any proxy."""
    return build_opener(*([ProxyHandler({})] if scheme == "http" else []))


def _reason(error: HTTPError) -> str:
    """Why a registry refuses, in its own words if it has any."""
    try:
        return "; ".join(entry["message"] for entry in json.load(error)["errors"])
    except (ValueError, LookupError, TypeError):
        return f"{error.code} {error.reason}"


def copy_image(source: Repository, target: Repository, digest: str, tag: str | None) -> None:
    """Copies an image, of several platforms if it has them; what is there already is not copied again.

    Args:
        source: Where it is.
        target: Where it is to be.
        digest: Its digest, here and there.
        tag: The tag that it gets; None for the parts of an index.

    Raises:
        ProgramError: A registry refuses, or does not answer.
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
    """Copies what is attached to an image, such as its SBOM, and what is attached to that.

    Raises:
        ProgramError: A registry refuses, or does not answer.
    """
    for attached in source.referrers(digest):
        copy_image(source, target, attached, None)
        copy_attached(source, target, attached)
