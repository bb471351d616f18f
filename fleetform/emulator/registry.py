"""The image registry of the emulator's ECR, which engines push to and pull from.

Moto answers ECR's API but has no registry. This one runs in the emulator's process, so that it shares
repositories, tags and tokens with moto. It implements the OCI distribution specification 1.1
(https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md). It refuses the same requests as
ECR, with the same messages: credentials that are not from GetAuthorizationToken, unknown repositories, tags
that already exist in an immutable repository. As in ECR, repositories do not share layers.
"""

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from moto.ecr.models import ECRBackend, Image, Repository, ecr_backends
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import wrap_file

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/v2/"

_CHUNK_BYTES = 1 << 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_ROUTES = Map(
    [
        Rule("/v2/", endpoint="ping", methods=["GET"]),
        Rule("/v2/<path:name>/blobs/uploads/", endpoint="begin_upload", methods=["POST"]),
        Rule("/v2/<path:name>/blobs/uploads/<uuid:upload>", endpoint="continue_upload", methods=["PATCH"]),
        Rule("/v2/<path:name>/blobs/uploads/<uuid:upload>", endpoint="finish_upload", methods=["PUT"]),
        Rule("/v2/<path:name>/blobs/<digest>", endpoint="send_blob", methods=["GET"]),
        Rule("/v2/<path:name>/tags/list", endpoint="list_tags", methods=["GET"]),
        Rule("/v2/<path:name>/referrers/<digest>", endpoint="list_referrers", methods=["GET"]),
        Rule("/v2/<path:name>/manifests/<reference>", endpoint="send_manifest", methods=["GET"]),
        Rule("/v2/<path:name>/manifests/<reference>", endpoint="put_manifest", methods=["PUT"]),
    ]
)


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """A request that is answered with an error.

    Args:
        status: The HTTP status.
        code: The specification's error code.
        message: The message that the engine shows to its user.
    """

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def is_registry_path(environ: "WSGIEnvironment") -> bool:
    """Return whether a request is for the registry.

    AWS APIs with paths below ``/v2/`` sign their requests.
    """
    signed = environ.get("HTTP_AUTHORIZATION", "").startswith("AWS4-")
    return environ["PATH_INFO"].startswith(PREFIX) and not signed


@dataclass(frozen=True)
class Registry:
    """The registry of one account.

    Attributes:
        account: The account whose repositories it has, in all regions.
        storage: The folder of layers and unfinished uploads; created if necessary.
        lock: Held whenever moto's state is used.
    """

    account: str
    storage: Path
    lock: threading.Lock

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one WSGI request."""
        request = Request(environ)
        try:
            self._authorize(request)
            endpoint, values = _ROUTES.bind_to_environ(environ).match()
            answer: WSGIApplication = getattr(self, endpoint)(request, **values)
        except Refusal as refusal:
            answer = _errors(refusal)
        except HTTPException as error:
            answer = error
        return answer(environ, start_response)

    def ping(self, _request: Request) -> Response:
        """Confirm that this is a registry."""
        return Response("{}", mimetype="application/json")

    def begin_upload(self, _request: Request, name: str) -> Response:
        """Start the upload of a layer."""
        self._repository(name)
        upload = uuid4()
        self._upload(upload).parent.mkdir(parents=True, exist_ok=True)
        self._upload(upload).touch()
        return _upload_accepted(name, upload, 0)

    def continue_upload(self, request: Request, name: str, upload: UUID) -> Response:
        """Take a part of a layer, or all of it."""
        return _upload_accepted(name, upload, self._receive(request, upload))

    def finish_upload(self, request: Request, name: str, upload: UUID) -> Response:
        """Take the rest of a layer, and keep it if it is what the engine says."""
        self._repository(name)
        self._receive(request, upload)
        with self._upload(upload).open("rb") as file:
            digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        if digest != request.args.get("digest"):
            self._upload(upload).unlink()
            raise Refusal(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID", f"the layer's digest is {digest}")
        blob = self._blob(name, digest)
        blob.parent.mkdir(parents=True, exist_ok=True)
        self._upload(upload).replace(blob)
        return _created(f"/v2/{name}/blobs/{digest}", digest)

    def send_blob(self, request: Request, name: str, digest: str) -> Response:
        """Send a layer or an image's configuration."""
        self._repository(name)
        blob = self._blob(name, digest)
        if not blob.is_file():
            raise Refusal(HTTPStatus.NOT_FOUND, "BLOB_UNKNOWN", f"{name} has no layer {digest}")
        return Response(
            wrap_file(request.environ, blob.open("rb"), _CHUNK_BYTES),
            headers={"Content-Length": str(blob.stat().st_size), "Docker-Content-Digest": digest},
            mimetype="application/octet-stream",
            direct_passthrough=True,
        )

    def list_tags(self, _request: Request, name: str) -> Response:
        """List a repository's tags."""
        _, repository = self._repository(name)
        tags = sorted(tag for image in repository.images for tag in image.image_tags)
        return Response(json.dumps({"name": name, "tags": tags}), mimetype="application/json")

    def list_referrers(self, request: Request, name: str, digest: str) -> Response:
        """List what is attached to an image, such as its SBOM; the list is empty for an unknown digest."""
        _, repository = self._repository(name)
        artifact_type = request.args.get("artifactType")
        descriptors = [
            _referrer(image) for image in repository.images if _subject(_manifest_of(image)) == digest
        ]
        selected = [each for each in descriptors if artifact_type in (None, each["artifactType"])]
        index = {"schemaVersion": 2, "mediaType": _INDEX_TYPE, "manifests": selected}
        filters = {"OCI-Filters-Applied": "artifactType"} if artifact_type else {}
        return Response(json.dumps(index), headers=filters, content_type=_INDEX_TYPE)

    def send_manifest(self, _request: Request, name: str, reference: str) -> Response:
        """Send the manifest that a tag or a digest names."""
        _, repository = self._repository(name)
        image = _find(repository, reference)
        if not image:
            raise Refusal(HTTPStatus.NOT_FOUND, "MANIFEST_UNKNOWN", "Requested image not found")
        return Response(
            image.image_manifest,
            headers={"Docker-Content-Digest": image.image_digest},
            content_type=image.image_manifest_media_type,
        )

    def put_manifest(self, request: Request, name: str, reference: str) -> Response:
        """Store a manifest, which creates the image in the registry and in ECR's API."""
        body = request.get_data()
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if _DIGEST.fullmatch(reference) and reference != digest:
            raise Refusal(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID", f"the manifest's digest is {digest}")
        with self.lock:
            backend, repository = self._find_repository(name)
            manifest = _manifest(body)
            if _require_pushable(repository, reference, digest):
                self._require_parts(repository, manifest)
                tag: Any = None if reference == digest else reference  # as moto's own API calls it
                image = backend.put_image(name, body.decode(), tag, request.mimetype, digest)
                vars(image).update(
                    artifact_media_type=_artifact_type(manifest)
                )  # moto's DescribeImages lacks it
        answer = _created(f"/v2/{name}/manifests/{digest}", digest)
        if subject := _subject(manifest):
            answer.headers["OCI-Subject"] = subject
        return answer

    def _authorize(self, request: Request) -> None:
        login = request.authorization
        if login is None:
            raise Refusal(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", "Not Authorized")
        token = f"{self.account}-auth-token"  # from moto's GetAuthorizationToken
        if login.username == "AWS" and hmac.compare_digest((login.password or "").encode(), token.encode()):
            return
        if request.path == PREFIX:  # a login
            raise Refusal(HTTPStatus.BAD_REQUEST, "DENIED", "Your authorization token is invalid.")
        message = "Your authorization token has expired. Reauthenticate and try again."
        raise Refusal(HTTPStatus.FORBIDDEN, "DENIED", message)

    def _repository(self, name: str) -> tuple[ECRBackend, Repository]:
        with self.lock:
            return self._find_repository(name)

    def _find_repository(self, name: str) -> tuple[ECRBackend, Repository]:
        """Return the repository and its region's backend; the caller holds the lock."""
        for backend in ecr_backends[self.account].values():
            if name in backend.repositories:
                return backend, backend.repositories[name]
        message = f"The repository with name '{name}' does not exist in the registry with id '{self.account}'"
        raise Refusal(HTTPStatus.NOT_FOUND, "NAME_UNKNOWN", message)

    def _require_parts(self, repository: Repository, manifest: dict[str, Any]) -> None:
        """Refuse a manifest whose layers, configuration or manifests have not been pushed."""
        layers = [part["digest"] for part in (manifest.get("config"), *manifest.get("layers", [])) if part]
        missing = [digest for digest in layers if not self._blob(repository.name, digest).is_file()]
        missing += [
            part["digest"] for part in manifest.get("manifests", []) if not _find(repository, part["digest"])
        ]
        if missing:
            message = f"{repository.name} has no {', '.join(missing)}"
            raise Refusal(HTTPStatus.BAD_REQUEST, "MANIFEST_BLOB_UNKNOWN", message)

    def _receive(self, request: Request, upload: UUID) -> int:
        """Append a request's body to an upload, and return the upload's size in bytes."""
        path = self._upload(upload)
        if not path.is_file():
            raise Refusal(HTTPStatus.NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", f"no upload {upload}")
        with path.open("ab") as file:
            while chunk := request.stream.read(_CHUNK_BYTES):
                file.write(chunk)
            return file.tell()

    def _upload(self, upload: UUID) -> Path:
        return self.storage / "uploads" / str(upload)

    def _blob(self, name: str, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise Refusal(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID", f"{digest} is not a SHA-256 digest")
        return self.storage / "blobs" / name / digest.removeprefix("sha256:")


def _require_pushable(repository: Repository, reference: str, digest: str) -> bool:
    """Return whether to add an image, which is not needed if it exists.

    Refuse existing tags that are immutable.
    """
    existing = _find(repository, reference)
    if existing and reference != digest and repository.is_tag_immutable():
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "TAG_INVALID",
            f"The image tag '{reference}' already exists in the '{repository.name}' repository "
            "and cannot be overwritten because the repository is immutable.",
        )
    return existing is None or existing.image_digest != digest


def _find(repository: Repository, reference: str) -> Image | None:
    """Return the image with a tag or a digest."""
    images = (image for image in repository.images if reference in (image.image_digest, *image.image_tags))
    return next(images, None)


def _manifest(body: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(body)
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise Refusal(HTTPStatus.BAD_REQUEST, "MANIFEST_INVALID", "the manifest is not a JSON object")
    return manifest


def _manifest_of(image: Image) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(image.image_manifest)
    return manifest


def _subject(manifest: dict[str, Any]) -> str | None:
    """Return the digest of the image that a manifest is attached to."""
    digest: str | None = (manifest.get("subject") or {}).get("digest")
    return digest


def _artifact_type(manifest: dict[str, Any]) -> str | None:
    """Return a manifest's artifact type, or the type of its configuration; an index has none."""
    kind: str | None = manifest.get("artifactType") or (manifest.get("config") or {}).get("mediaType")
    return kind


def _referrer(image: Image) -> dict[str, Any]:
    """Return the descriptor of an image that refers to another image."""
    manifest = _manifest_of(image)
    return {
        "mediaType": image.image_manifest_media_type,
        "size": len(image.image_manifest.encode()),
        "digest": image.image_digest,
        "artifactType": _artifact_type(manifest),
        "annotations": manifest.get("annotations", {}),
    }


def _upload_accepted(name: str, upload: UUID, size: int) -> Response:
    headers = {"Location": f"/v2/{name}/blobs/uploads/{upload}", "Range": f"0-{max(size - 1, 0)}"}
    return Response(status=HTTPStatus.ACCEPTED, headers={**headers, "Docker-Upload-UUID": str(upload)})


def _created(location: str, digest: str) -> Response:
    return Response(
        status=HTTPStatus.CREATED, headers={"Location": location, "Docker-Content-Digest": digest}
    )


def _errors(refusal: Refusal) -> Response:
    """Return the specification's error document; a 401 also names the authentication scheme."""
    body = json.dumps({"errors": [{"code": refusal.code, "message": str(refusal)}]})
    answer = Response(body, refusal.status, mimetype="application/json")
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = 'Basic realm="emulator",service="ecr.amazonaws.com"'
    return answer
