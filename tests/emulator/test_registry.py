"""The emulator's image registry, over the requests that engines make of it."""

import base64
import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from fleetform.aws.clients import Access
from fleetform.emulator import Emulator, environment, start, stop

Client = Callable[[str], Any]

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
SBOM_TYPE = "application/spdx+json"
LAYER = gzip.compress(b"a layer", mtime=0)
CONFIG = b'{"architecture":"amd64","os":"linux"}'


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "size": len(content), "digest": digest_of(content)}


def manifest(**changes: object) -> bytes:
    """The manifest of an image of one layer."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": descriptor("application/vnd.oci.image.config.v1+json", CONFIG),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", LAYER)],
            **changes,
        }
    ).encode()


def referrer(subject: bytes, **changes: object) -> bytes:
    """The manifest of an SBOM of an image, which holds the same layer."""
    return manifest(artifactType=SBOM_TYPE, subject=descriptor(MANIFEST_TYPE, subject), **changes)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, code and message of a refusal."""
        (error,) = json.loads(self.body)["errors"]
        return self.status, error["code"], error["message"]


@dataclass(frozen=True)
class Session:
    """An engine's session with one repository.

    Attributes:
        host: The registry.
        repository: Its name.
        token: What it logs in with; None for not at all.
    """

    host: str
    repository: str
    token: str | None

    def ask(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None = None, media_type: str = ""
    ) -> Answer:
        """Asks for a path below the repository's, or for one from the root."""
        login = base64.b64encode(f"AWS:{self.token}".encode()).decode()
        headers = {"Authorization": f"Basic {login}"} if self.token else {}
        connection = HTTPConnection(self.host, timeout=60)
        try:
            url = path if path.startswith("/") else f"/v2/{self.repository}/{path}"
            connection.request(
                method, url, body, {**headers, "Content-Type": media_type} if media_type else headers
            )
            response: HTTPResponse = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def push_blob(self, content: bytes) -> Answer:
        """Pushes a layer in one piece."""
        location = self.ask("POST", "blobs/uploads/").headers["Location"]
        return self.ask("PUT", f"{location}?digest={digest_of(content)}", content)

    def put(self, reference: str, content: bytes, media_type: str = MANIFEST_TYPE) -> Answer:
        """Puts a manifest."""
        return self.ask("PUT", f"manifests/{reference}", content, media_type)

    def push(self, tag: str, content: bytes) -> Answer:
        """Pushes an image of the one layer."""
        for blob in (LAYER, CONFIG):
            assert self.push_blob(blob).status == 201
        return self.put(tag, content)


def token(ecr: Any) -> str:  # noqa: ANN401 - boto3 makes its clients at run time
    (data,) = ecr.get_authorization_token()["authorizationData"]
    return base64.b64decode(data["authorizationToken"]).decode().removeprefix("AWS:")


@pytest.fixture
def make_session(emulator: Emulator, client: Client) -> Iterator[Callable[..., Session]]:
    """Makes a repository, which ends with the test, and a session with it."""
    ecr = client("ecr")
    made = []

    def make(mutability: str = "IMMUTABLE") -> Session:
        name = f"shop-{uuid4().hex}/web"
        ecr.create_repository(repositoryName=name, imageTagMutability=mutability)
        made.append(name)
        return Session(emulator.registry, name, token(ecr))

    yield make
    for name in made:
        ecr.delete_repository(repositoryName=name, force=True)


@pytest.fixture
def session(make_session: Callable[..., Session]) -> Session:
    """A session with a repository whose tags are immutable."""
    return make_session()


def images(client: Client, session: Session) -> list[tuple[list[str], str]]:
    """Tags and digest of each image that ECR's API knows of."""
    details = client("ecr").describe_images(repositoryName=session.repository)["imageDetails"]
    return sorted((detail.get("imageTags", []), detail["imageDigest"]) for detail in details)


def test_what_is_pushed_is_an_image_to_the_api_and_can_be_pulled(client: Client, session: Session) -> None:
    pushed = session.push("one", manifest())
    digest = digest_of(manifest())
    assert pushed.status == 201
    assert pushed.headers["Docker-Content-Digest"] == digest
    assert images(client, session) == [(["one"], digest)]
    for reference in ("one", digest):
        pulled = session.ask("GET", f"manifests/{reference}")
        facts = (pulled.headers["Content-Type"], pulled.headers["Docker-Content-Digest"], pulled.body)
        assert facts == (MANIFEST_TYPE, digest, manifest())
    assert session.ask("GET", f"blobs/{digest_of(LAYER)}").body == LAYER
    assert json.loads(session.ask("GET", "tags/list").body) == {"name": session.repository, "tags": ["one"]}


def test_a_head_request_returns_size_and_digest(session: Session) -> None:
    session.push("one", manifest())
    for path, content in (("manifests/one", manifest()), (f"blobs/{digest_of(LAYER)}", LAYER)):
        answer = session.ask("HEAD", path)
        facts = (
            answer.status,
            answer.headers["Content-Length"],
            answer.headers["Docker-Content-Digest"],
            answer.body,
        )
        assert facts == (200, str(len(content)), digest_of(content), b"")


def test_a_layer_may_come_in_parts_and_chunks(session: Session) -> None:
    location = session.ask("POST", "blobs/uploads/").headers["Location"]
    first = session.ask("PATCH", location, iter([LAYER[:5], LAYER[5:9]]))
    assert first.status == 202
    assert first.headers["Location"] == location
    assert first.headers["Range"] == "0-8"
    assert session.ask("PUT", f"{location}?digest={digest_of(LAYER)}", LAYER[9:]).status == 201
    assert session.ask("GET", f"blobs/{digest_of(LAYER)}").body == LAYER


def test_a_layer_that_is_not_what_the_engine_reports_is_refused(session: Session) -> None:
    location = session.ask("POST", "blobs/uploads/").headers["Location"]
    wanted = f"{location}?digest={digest_of(LAYER)}"
    refused = session.ask("PUT", wanted, b"half of it")
    assert refused.error == (400, "DIGEST_INVALID", f"the layer's digest is {digest_of(b'half of it')}")
    assert session.ask("PUT", wanted, LAYER).error[:2] == (404, "BLOB_UPLOAD_UNKNOWN")
    assert session.ask("HEAD", f"blobs/{digest_of(LAYER)}").status == 404


def test_an_image_without_its_layers_is_refused(client: Client, session: Session) -> None:
    session.push_blob(CONFIG)
    message = f"{session.repository} has no {digest_of(LAYER)}"
    assert session.put("one", manifest()).error == (400, "MANIFEST_BLOB_UNKNOWN", message)
    assert images(client, session) == []


def test_a_manifest_that_is_not_an_object_is_refused(session: Session) -> None:
    assert session.put("one", b"[").error == (400, "MANIFEST_INVALID", "the manifest is not a JSON object")


def test_a_manifest_of_another_digest_than_its_name_is_refused(session: Session) -> None:
    refused = session.put(digest_of(b""), manifest())
    assert refused.error == (400, "DIGEST_INVALID", f"the manifest's digest is {digest_of(manifest())}")


def test_an_immutable_tag_is_refused_even_with_the_same_digest(client: Client, session: Session) -> None:
    """As ECR does: aws/containers-roadmap#2179."""
    session.push("one", manifest())
    message = (
        f"The image tag 'one' already exists in the '{session.repository}' repository "
        "and cannot be overwritten because the repository is immutable."
    )
    for content in (manifest(), manifest(annotations={"another": "digest"})):
        assert session.push("one", content).error == (400, "TAG_INVALID", message)
    assert images(client, session) == [(["one"], digest_of(manifest()))]


def test_an_image_may_get_a_second_tag(client: Client, session: Session) -> None:
    session.push("one", manifest())
    assert session.put("two", manifest()).status == 201
    assert images(client, session) == [(["one", "two"], digest_of(manifest()))]


def test_a_mutable_tag_goes_to_the_image_that_was_pushed_last(
    client: Client, make_session: Callable[..., Session]
) -> None:
    session = make_session("MUTABLE")
    last = manifest(annotations={"another": "digest"})
    answers = [session.push("one", content).status for content in (manifest(), last, last)]
    assert answers == [201, 201, 201]
    tagged = [digest for tags, digest in images(client, session) if tags == ["one"]]
    assert tagged == [digest_of(last)]


def test_an_index_needs_the_images_that_it_names(client: Client, session: Session) -> None:
    index = json.dumps({"schemaVersion": 2, "manifests": [descriptor(MANIFEST_TYPE, manifest())]}).encode()
    missing = f"{session.repository} has no {digest_of(manifest())}"
    assert session.put("one", index, INDEX_TYPE).error == (400, "MANIFEST_BLOB_UNKNOWN", missing)
    for _ in range(2):  # engines push an image by its digest as often as they like
        assert session.push(digest_of(manifest()), manifest()).status == 201
    assert session.put("one", index, INDEX_TYPE).status == 201
    assert images(client, session) == [([], digest_of(manifest())), (["one"], digest_of(index))]


def referrers(
    session: Session, subject: bytes, query: str = ""
) -> tuple[int, str, str | None, list[dict[str, Any]]]:
    """What a repository lists as attached to an image.

    Status, media type, filters that were applied, descriptors.
    """
    answer = session.ask("GET", f"referrers/{digest_of(subject)}{query}")
    headers, index = answer.headers, json.loads(answer.body)
    assert index["schemaVersion"] == 2
    assert index["mediaType"] == INDEX_TYPE
    return answer.status, headers["Content-Type"], headers.get("OCI-Filters-Applied"), index["manifests"]


def test_what_refers_to_an_image_is_listed_with_its_type_and_annotations(session: Session) -> None:
    session.push("one", manifest())
    sbom = referrer(manifest(), annotations={"of": "one"})
    signature = manifest(subject=descriptor(MANIFEST_TYPE, manifest()))
    for content in (sbom, signature):
        pushed = session.put(digest_of(content), content)
        assert pushed.status == 201
        assert pushed.headers["OCI-Subject"] == digest_of(manifest())
    of_sbom = {"artifactType": SBOM_TYPE, "annotations": {"of": "one"}}
    of_signature = {"artifactType": "application/vnd.oci.image.config.v1+json", "annotations": {}}
    described = [
        {**descriptor(MANIFEST_TYPE, sbom), **of_sbom},
        {**descriptor(MANIFEST_TYPE, signature), **of_signature},
    ]
    assert referrers(session, manifest()) == (200, INDEX_TYPE, None, described)
    query = "?artifactType=application%2Fspdx%2Bjson"
    assert referrers(session, manifest(), query) == (200, INDEX_TYPE, "artifactType", described[:1])


def test_what_refers_to_an_image_may_come_before_it(session: Session) -> None:
    for blob in (LAYER, CONFIG):
        session.push_blob(blob)
    sbom = referrer(manifest())
    for _ in range(2):
        assert session.put(digest_of(sbom), sbom).headers["OCI-Subject"] == digest_of(manifest())
    _, _, _, found = referrers(session, manifest())
    assert [each["digest"] for each in found] == [digest_of(sbom)]


def test_an_image_that_nothing_refers_to_has_an_empty_list(
    session: Session, make_session: Callable[..., Session]
) -> None:
    other = make_session()
    other.push("one", manifest())
    other.put(digest_of(referrer(manifest())), referrer(manifest()))
    pushed = session.push("one", manifest())
    assert "OCI-Subject" not in pushed.headers
    assert referrers(session, manifest()) == (200, INDEX_TYPE, None, [])


def test_what_refers_to_an_image_is_an_untagged_image_to_the_api(client: Client, session: Session) -> None:
    session.push("one", manifest())
    session.put(digest_of(referrer(manifest())), referrer(manifest()))
    details = client("ecr").describe_images(repositoryName=session.repository)["imageDetails"]
    assert [(detail.get("imageTags"), detail["artifactMediaType"]) for detail in details] == [
        (["one"], "application/vnd.oci.image.config.v1+json"),
        (None, SBOM_TYPE),
    ]


def test_a_repository_does_not_see_the_layers_of_another(make_session: Callable[..., Session]) -> None:
    first, second = make_session(), make_session()
    first.push_blob(LAYER)
    assert second.ask("HEAD", f"blobs/{digest_of(LAYER)}").status == 404
    assert second.ask("GET", f"blobs/{digest_of(LAYER)}").error == (
        404,
        "BLOB_UNKNOWN",
        f"{second.repository} has no layer {digest_of(LAYER)}",
    )


def test_an_image_deleted_through_the_api_is_not_listed(client: Client, session: Session) -> None:
    session.push("one", manifest())
    client("ecr").batch_delete_image(
        repositoryName=session.repository, imageIds=[{"imageDigest": digest_of(manifest())}]
    )
    assert session.ask("GET", "manifests/one").error == (404, "MANIFEST_UNKNOWN", "Requested image not found")


def test_a_repository_that_ecr_does_not_have_is_refused(session: Session) -> None:
    message = "The repository with name 'none' does not exist in the registry with id '123456789012'"
    for method, path in (("POST", "/v2/none/blobs/uploads/"), ("GET", "/v2/none/manifests/one")):
        assert session.ask(method, path).error == (404, "NAME_UNKNOWN", message)


def test_without_a_login_the_registry_shows_how_to_log_in(session: Session) -> None:
    answer = Session(session.host, session.repository, token=None).ask("GET", "/v2/")
    assert answer.error == (401, "UNAUTHORIZED", "Not Authorized")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="emulator",service="ecr.amazonaws.com"'


def test_another_token_than_ecrs_is_refused(session: Session) -> None:
    stranger = Session(session.host, session.repository, token="old")
    assert session.ask("GET", "/v2/").status == 200
    assert stranger.ask("GET", "/v2/").error == (400, "DENIED", "Your authorization token is invalid.")
    assert stranger.ask("POST", "blobs/uploads/").error == (
        403,
        "DENIED",
        "Your authorization token has expired. Reauthenticate and try again.",
    )


def test_apis_below_the_same_path_are_still_the_emulators(client: Client) -> None:
    assert client("sesv2").list_email_identities()["EmailIdentities"] == []


def test_images_end_with_the_emulator(folder: Path) -> None:
    for _ in range(2):
        emulator = start(folder, port=0)
        ecr = Access("eu-central-1", environment(emulator, os.environ)).client("ecr")
        ecr.create_repository(repositoryName="web")
        session = Session(urlsplit(emulator.url).netloc, "web", token(ecr))
        assert session.ask("HEAD", f"blobs/{digest_of(LAYER)}").status == 404
        assert session.push("one", manifest()).status == 201
        stop(folder)
        assert [path.name for path in folder.iterdir()] == ["emulator.log"]
