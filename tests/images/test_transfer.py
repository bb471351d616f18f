import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pytest

from fleetform.base.errors import ProgramError
from fleetform.images.registry import Credentials, Registry
from fleetform.images.transfer import Manifest, Repository, copy_attached, copy_image
from tests.images.registries import (
    digest_of,
    index_of,
    layers_of,
    make_repository,
    manifest_of,
    push,
    push_layers,
    registry_at,
)

Make = Callable[[], Repository]


@pytest.fixture(scope="module")
def registry(terraform_environment: Mapping[str, str]) -> Registry:
    return registry_at(terraform_environment)


@pytest.fixture
def make(registry: Registry) -> Iterator[Make]:
    """Makes a repository that ends with the test."""
    made = []

    def make() -> Repository:
        made.append(make_repository(registry))
        return made[-1]

    yield make
    for repository in made:
        registry.ecr.delete_repository(repositoryName=repository.name, force=True)


def refusal(source: Repository, target: Repository, digest: str) -> str:
    """Why a copy fails."""
    with pytest.raises(ProgramError) as caught:
        copy_image(source, target, digest, "one")
    return str(caught.value)


def test_a_copy_has_the_digest_the_tag_and_every_byte(registry: Registry, make: Make) -> None:
    source, target = make(), make()
    digest = push(source, "web", "one")
    copy_image(source, target, digest, "one")
    assert registry.find(target.name, "one") == digest
    assert target.manifest(digest) == source.manifest(digest)
    assert [target.has_blob(digest_of(layer)) for layer in layers_of("web")] == [True, True]


def test_a_copy_of_several_platforms_has_them_all(registry: Registry, make: Make) -> None:
    source, target = make(), make()
    images = [manifest_of(*layers_of(platform)) for platform in ("amd64", "arm64")]
    for platform, image in zip(("amd64", "arm64"), images, strict=True):
        push_layers(source, *layers_of(platform))
        source.put_manifest(digest_of(image.content), image)
    index = index_of(*images)
    source.put_manifest("one", index)
    copy_image(source, target, digest_of(index.content), "one")
    assert registry.find(target.name, "one") == digest_of(index.content)
    assert [target.manifest(digest_of(image.content)) for image in images] == images


def test_layers_that_are_there_are_not_copied_again(make: Make) -> None:
    """The source has none to give."""
    source, target = make(), make()
    layers = layers_of("web")
    push_layers(source, *layers)
    digest = push(source, "web", "one")
    push_layers(target, *layers)
    empty = _Empty(source.credentials, source.name)
    copy_image(empty, target, digest, "one")
    assert target.manifest(digest) == source.manifest(digest)


class _Empty(Repository):
    """A repository that gives manifests alone."""

    def fetch_blob(self, digest: str, file: object) -> None:
        raise AssertionError(digest, file)


def attach(repository: Repository, subject: str, word: str) -> str:
    """Attaches something to an image; returns its digest."""
    layers = layers_of(word)
    push_layers(repository, *layers)
    manifest = manifest_of(*layers, artifactType=f"x/{word}", subject={"digest": subject})
    repository.put_manifest(digest_of(manifest.content), manifest)
    return digest_of(manifest.content)


def test_what_is_attached_to_an_image_is_listed_with_its_kind(make: Make) -> None:
    source = make()
    image, other = push(source, "web", "one"), push(source, "other", "two")
    attached = {attach(source, image, word): f"x/{word}" for word in ("sbom", "signature")}
    assert source.referrers(image) == attached
    assert source.referrers(other) == {}


def test_what_is_attached_is_copied_with_what_is_attached_to_that(make: Make) -> None:
    source, target = make(), make()
    image = push(source, "web", "one")
    sbom = attach(source, image, "sbom")
    signature = attach(source, sbom, "signature")
    copy_image(source, target, image, "one")
    copy_attached(source, target, image)
    assert target.referrers(image) == {sbom: "x/sbom"}
    assert target.referrers(sbom) == {signature: "x/signature"}
    assert [target.has_blob(digest_of(layer)) for layer in layers_of("sbom")] == [True, True]


def test_layers_that_are_elsewhere_are_not_copied() -> None:
    elsewhere = {"digest": "sha256:1", "urls": ["https://example.com/layer"]}
    manifest = manifest_of(b"{}", layers=[elsewhere, {"digest": "sha256:2"}])
    assert manifest.blobs == [digest_of(b"{}"), "sha256:2"]


def test_an_image_that_is_not_there_is_reported_in_the_registrys_words(make: Make) -> None:
    source = make()
    assert refusal(source, source, digest_of(b"")) == (
        f"{source.credentials.host}/{source.name}: Requested image not found"
    )


def test_a_login_that_has_expired_is_reported_in_the_registrys_words(make: Make) -> None:
    source = make()
    digest = push(source, "web", "one")
    expired = replace(source, credentials=replace(source.credentials, password="old"))
    assert refusal(expired, source, digest) == (
        f"{source.credentials.host}/{source.name}: Your authorization token has expired. Reauthenticate and"
        " try again."
    )


def test_a_tag_that_is_taken_is_reported_in_the_registrys_words(make: Make) -> None:
    source, target = make(), make()
    push(target, "other", "one")
    assert refusal(source, target, push(source, "web", "one")) == (
        f"{target.credentials.host}/{target.name}: The image tag 'one' already exists in the '{target.name}' "
        "repository and cannot be overwritten because the repository is immutable."
    )


def test_a_registry_that_is_not_there_is_reported_with_what_to_do(make: Make) -> None:
    source = make()
    digest = push(source, "web", "one")
    gone = Repository(Credentials("AWS", "x", "127.0.0.1:1"), "shop-prod-web")
    assert refusal(source, gone, digest) == (
        "127.0.0.1:1/shop-prod-web: the connection to the registry failed "
        "(<urlopen error [Errno 111] Connection refused>); check the network and run the command again,"
        " which skips "
        "what is already copied"
    )


Answers = Callable[[http.server.BaseHTTPRequestHandler], None]


@contextmanager
def served(answer: Answers) -> Iterator[Repository]:
    """A repository in a registry of one answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield Repository(Credentials("AWS", "secret", f"127.0.0.1:{server.server_port}"), "shop-dev-web")
        server.shutdown()


def send(handler: http.server.BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    """Sends an answer."""
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def test_content_that_differs_from_its_digest_is_refused() -> None:
    with served(lambda handler: send(handler, 200, b"another")) as source:
        assert refusal(source, source, digest_of(b"one")) == (
            f"shop-dev-web: {digest_of(b'one')} arrived as {digest_of(b'another')}; run the command again"
        )


def test_an_answer_that_ends_half_way_is_reported_with_what_to_do() -> None:
    with served(lambda handler: send(handler, 200, b"one", **{"Content-Length": "4"})) as source:
        assert refusal(source, source, digest_of(b"one")) == (
            f"{source.credentials.host}/shop-dev-web: the connection to the registry failed "
            "(IncompleteRead(3 bytes read, 1 more expected)); check the network and run the command again,"
            " which skips "
            "what is already copied"
        )


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]"])
def test_a_refusal_without_words_is_reported_by_its_status(body: bytes) -> None:
    with served(lambda handler: send(handler, 503, body)) as source:
        assert refusal(source, source, digest_of(b"one")) == (
            f"{source.credentials.host}/shop-dev-web: 503 Service Unavailable"
        )


def test_a_registry_that_cannot_list_attachments_has_none() -> None:
    """As the specification has it for registries before 1.1."""
    with served(lambda handler: send(handler, 404, b"404 page not found")) as source:
        assert source.referrers(digest_of(b"one")) == {}


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"manifests": [1]}', b'{"manifests": [{"digest": "x"}]}']
)
def test_a_list_of_what_is_attached_that_is_none_is_reported(body: bytes) -> None:
    with served(lambda handler: send(handler, 200, body)) as source, pytest.raises(ProgramError) as caught:
        source.referrers("sha256:1")
    place = f"{source.credentials.host}/shop-dev-web"
    assert str(caught.value) == f"{place}: the list of attachments of sha256:1 is not an OCI index"


def test_a_login_is_not_sent_on_to_where_the_layers_are() -> None:
    """As ECR does, the registry sends the one that asks to another host."""
    logins = []
    manifest = json.dumps({}).encode()

    def store(handler: http.server.BaseHTTPRequestHandler) -> None:
        logins.append(handler.headers["Authorization"])
        send(handler, 200, manifest, **{"Content-Type": "x/y"})

    with served(store) as elsewhere:

        def redirect(handler: http.server.BaseHTTPRequestHandler) -> None:
            logins.append(handler.headers["Authorization"])
            send(handler, 307, Location=f"http://{elsewhere.credentials.host}/layer")

        with served(redirect) as source:
            assert source.manifest(digest_of(manifest)) == Manifest("x/y", manifest)
    assert logins == ["Basic QVdTOnNlY3JldA==", None]
