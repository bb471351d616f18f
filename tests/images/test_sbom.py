"""SBOMs: syft's arguments, what is attached to an image, and that neither loses what was pushed."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest

from fleetform.catalog.models import Build
from fleetform.images.building import BuildContext, BuildListener, PushedImage, build_and_push
from fleetform.images.context import BuildFiles, content_key, read_build_files
from fleetform.images.engine import Buildah, Image
from fleetform.images.image_specs import ImageSpec
from fleetform.images.registry import Credentials, Registry
from fleetform.images.sbom import SPDX, attach_sbom, create_sbom, notices, referrer, variables
from fleetform.images.transfer import Manifest, Repository
from tests.images.registries import MANIFEST_TYPE, digest_of, make_repository, push_layers, registry_at

CONFIG_TYPE, LAYER_TYPE = (f"application/vnd.oci.image.{kind}" for kind in ("config.v1+json", "layer.v1.tar"))
PACKAGE = "usr/lib/python3/dist-packages/left_pad-1.2.3.dist-info/METADATA"
METADATA = b"Metadata-Version: 2.1\nName: left-pad\nVersion: 1.2.3\n"


def described(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def archive() -> bytes:
    """A layer with a package in it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as layer:
        entry = tarfile.TarInfo(PACKAGE)
        entry.size = len(METADATA)
        layer.addfile(entry, io.BytesIO(METADATA))
    return file.getvalue()


LAYER = archive()
CONFIG = json.dumps(
    {"architecture": "arm64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest_of(LAYER)]}}
).encode()
IMAGE = Manifest(
    MANIFEST_TYPE,
    json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": described(CONFIG_TYPE, CONFIG),
            "layers": [described(LAYER_TYPE, LAYER)],
        }
    ).encode(),
)
DIGEST = digest_of(IMAGE.content)


@dataclass(frozen=True)
class Hand(Buildah):
    """An engine that pushes the one image, by hand.

    Attributes:
        repository: Where it goes.
    """

    repository: Repository

    def build(self, image: Image, context: BuildFiles) -> list[str]:  # noqa: ARG002 - one image for all
        """See `Engine`."""
        return ["true"]

    def login(self, credentials: Credentials, private: Path) -> list[str]:  # noqa: ARG002 - it has the right already
        """See `Engine`."""
        return ["true"]

    def push(self, image: Image, private: Path) -> list[str]:  # noqa: ARG002 - it has the right already
        """See `Engine`."""
        push_layers(self.repository, CONFIG, LAYER)
        self.repository.put_manifest(image.tag, IMAGE)
        return ["true"]

    def digest(self, image: Image, private: Path, lines: Sequence[str]) -> str:  # noqa: ARG002 - one image for all
        """See `Engine`."""
        return DIGEST


@pytest.fixture(scope="module")
def registry(terraform_environment: Mapping[str, str]) -> Registry:
    return registry_at(terraform_environment)


@pytest.fixture
def repository(registry: Registry) -> Iterator[Repository]:
    """A repository that ends with the test, if the test does not end it."""
    made = make_repository(registry)
    yield made
    delete(registry, made)


def delete(registry: Registry, repository: Repository) -> None:
    if repository.name in {
        each["repositoryName"] for each in registry.ecr.describe_repositories()["repositories"]
    }:
        registry.ecr.delete_repository(repositoryName=repository.name, force=True)


@pytest.fixture
def web(tmp_path: Path, repository: Repository) -> ImageSpec:
    """An image of the repository."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Dockerfile").write_text("FROM scratch\n")
    context = read_build_files(tmp_path, Build(context="web"))
    key = content_key(context, ("linux/arm64",), {})
    return ImageSpec("web", repository.name, "linux/arm64", {}, context, key, "1" * 40)


@pytest.fixture
def context(tmp_path: Path, repository: Repository) -> BuildContext:
    return BuildContext(Hand(repository), tmp_path / "work", sboms=True)


@pytest.fixture
def syft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Writes a fake for syft, first on PATH; `$file` is where the SBOM is to go."""

    def write(script: str) -> None:
        program = tmp_path / "bin" / "syft"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nfor last in "$@"; do :; done\nfile=${{last#*=*=}}\n{script}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=":")

    return write


def content_of(repository: Repository, digest: str) -> bytes:
    """The only layer of a manifest."""
    (layer,) = json.loads(repository.manifest(digest).content)["layers"]
    with TemporaryFile() as file:
        repository.fetch_blob(layer["digest"], file)
        file.seek(0)
        return file.read()


def test_syft_reads_the_image_from_its_registry_by_digest() -> None:
    assert create_sbom(
        "127.0.0.1:5000/shop-dev-web@sha256:1", "linux/arm64", Path("/private/web.spdx.json")
    ) == [
        "syft",
        "scan",
        "registry:127.0.0.1:5000/shop-dev-web@sha256:1",
        "--platform=linux/arm64",
        "--output=spdx-json=/private/web.spdx.json",
    ]


@pytest.mark.parametrize(
    ("host", "http"), [("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "false"), ("127.0.0.1:5000", "true")]
)
def test_syft_finds_its_login_in_its_environment(host: str, http: str) -> None:
    assert variables({"PATH": "/bin"}, Credentials("AWS", "secret", host)) == {
        "PATH": "/bin",
        "SYFT_CHECK_FOR_APP_UPDATE": "false",
        "SYFT_REGISTRY_AUTH_AUTHORITY": host,
        "SYFT_REGISTRY_AUTH_USERNAME": "AWS",
        "SYFT_REGISTRY_AUTH_PASSWORD": "secret",
        "SYFT_REGISTRY_INSECURE_USE_HTTP": http,
    }


def test_an_sbom_is_an_artifact_whose_subject_is_the_image() -> None:
    attached = referrer(IMAGE, b"an SBOM")
    assert attached.media_type == "application/vnd.oci.image.manifest.v1+json"
    assert json.loads(attached.content) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/spdx+json",
        "config": described("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [
            {
                **described("application/spdx+json", b"an SBOM"),
                "annotations": {"org.opencontainers.image.title": "sbom.spdx.json"},
            }
        ],
        "subject": described("application/vnd.oci.image.manifest.v1+json", IMAGE.content),
    }


def test_a_machine_without_syft_reports_that_there_will_be_no_sbom(
    syft: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert notices() == ["images get no SBOM: syft is not on PATH"]
    syft("")
    assert notices() == []


def test_the_sbom_that_syft_makes_names_the_packages_of_the_image(
    registry: Registry, repository: Repository, web: ImageSpec, context: BuildContext
) -> None:
    """The image is for another processor than most machines that test it."""
    outcome = build_and_push([web], registry, context)
    assert outcome.done == (PushedImage("web", web.locked(DIGEST), "built"),)
    assert outcome.failures == ()
    ((digest, kind),) = repository.referrers(DIGEST).items()
    sbom = json.loads(content_of(repository, digest))
    packages = {(each["name"], each["versionInfo"]) for each in sbom["packages"]}
    image = (f"{repository.credentials.host}/{repository.name}", DIGEST)
    assert kind == SPDX
    assert sbom["spdxVersion"] == "SPDX-2.3"
    assert packages == {("left-pad", "1.2.3"), image}
    assert sorted(path.name for path in context.folder.rglob("*")) == [
        "image-login.log",
        "image-web.log",
        "logs",
    ]


def test_an_sbom_does_not_hide_the_image_from_ecrs_api(
    registry: Registry,
    repository: Repository,
    web: ImageSpec,
    context: BuildContext,
    syft: Callable[[str], None],
) -> None:
    syft('echo "{}" >"$file"')
    build_and_push([web], registry, context)
    assert registry.find(repository.name, web.tag) == DIGEST
    assert content_of(repository, *repository.referrers(DIGEST)) == b"{}\n"


def test_an_image_that_has_an_sbom_gets_no_other(
    registry: Registry,
    repository: Repository,
    web: ImageSpec,
    context: BuildContext,
    syft: Callable[[str], None],
) -> None:
    """As when another content gave the same image."""
    push_layers(repository, CONFIG, LAYER)
    repository.put_manifest("earlier", IMAGE)
    attach_sbom(repository, DIGEST, b"the SBOM")
    there = repository.referrers(DIGEST)
    syft("exit 1")
    assert build_and_push([web], registry, context).done == (PushedImage("web", web.locked(DIGEST), "built"),)
    assert repository.referrers(DIGEST) == there


def test_a_syft_that_fails_loses_nothing_and_is_reported(
    registry: Registry,
    repository: Repository,
    web: ImageSpec,
    context: BuildContext,
    syft: Callable[[str], None],
) -> None:
    syft("echo 'no such image' >&2; exit 1")
    image = f"{repository.credentials.host}/{repository.name}@{DIGEST}"
    outcome = build_and_push([web], registry, context)
    (done,) = outcome.done
    argv, _, rest = done.notice.partition(" --output")
    assert done.image == web.locked(DIGEST)
    assert done.status == "built"
    assert outcome.failures == ()
    assert argv == f"web has no SBOM: `syft scan registry:{image} --platform=linux/arm64"
    assert rest.endswith(f"web.spdx.json` ended with exit code 1; its output is in {context.log('web')}")
    assert context.log("web").read_text() == "no such image\n"
    assert repository.referrers(DIGEST) == {}


def test_a_syft_that_writes_nothing_loses_nothing_and_is_reported(
    registry: Registry, web: ImageSpec, context: BuildContext, syft: Callable[[str], None]
) -> None:
    syft("exit 0")
    (done,) = build_and_push([web], registry, context).done
    assert done.notice.startswith("web has no SBOM: [Errno 2] No such file or directory: ")
    assert done.image == web.locked(DIGEST)


def test_a_registry_that_refuses_the_sbom_is_reported_in_its_words(
    registry: Registry, repository: Repository, web: ImageSpec, tmp_path: Path, syft: Callable[[str], None]
) -> None:
    """Its repository goes away once the image is pushed."""

    def moves(_service: str, line: str) -> None:
        if line == "SBOM":
            delete(registry, repository)

    syft('echo "{}" >"$file"')
    context = BuildContext(Hand(repository), tmp_path / "work", listener=BuildListener(moves), sboms=True)
    message = (
        f"The repository with name '{repository.name}' does not exist in the registry with id '123456789012'"
    )
    notice = f"web has no SBOM: {repository.credentials.host}/{repository.name}: {message}"
    assert build_and_push([web], registry, context).done == (
        PushedImage("web", web.locked(DIGEST), "built", notice),
    )


def test_the_login_is_in_no_argument_of_syft_and_in_no_file(
    registry: Registry,
    repository: Repository,
    web: ImageSpec,
    context: BuildContext,
    syft: Callable[[str], None],
) -> None:
    syft('echo "{}" >"$file"; echo "$@"; echo "password: ${#SYFT_REGISTRY_AUTH_PASSWORD}"')
    build_and_push([web], registry, context)
    password = repository.credentials.password
    logs = [path.read_text() for path in context.folder.rglob("*") if path.is_file()]
    assert f"password: {len(password)}" in context.log("web").read_text().splitlines()
    assert [log for log in logs if password in log] == []
