"""Images: pinned, reviewed and always available."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Unknown
from fleetform.policy.helpers.containers import TASK, Container, each_container, example
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, rule

_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"

_ECR_HOST = re.compile(
    r"\d{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)"
)
_MOVING_TAG = re.compile(r"(.+[-_.])?(latest|stable|edge|nightly|main|master)")


class Image(NamedTuple):
    """The parts of an image name: https://github.com/distribution/reference.

    Attributes:
        registry: Its host; Docker Hub if there is none.
        tag: Its tag; empty without.
        digest: Its digest; empty without.
    """

    registry: str
    tag: str
    digest: str

    @classmethod
    def of(cls, name: str) -> "Image":
        """Return the parts of a name."""
        rest, _, digest = name.partition("@")
        first, slash, _ = rest.partition("/")
        registry = first if slash and (re.search(r"[.:]", first) or first == "localhost") else "docker.io"
        _, _, tag = rest.rpartition("/")[2].partition(":")
        return cls(registry, tag, digest)


def _parsed_image(container: Container) -> Iterator[Undecided | Image]:
    """Yield the parts of a container's image; nothing without an image."""
    name = container.value("image")
    if isinstance(name, Unknown):
        yield Undecided(container.at("image"))
    elif isinstance(name, str) and name:
        yield Image.of(name)


@rule(
    "FF047",
    "Images have a version tag or a digest.",
    TASK,
    severity=Severity.MEDIUM,
    why="With a moving tag, tasks of one service run different images, some of them never reviewed.",
    link=f"{_GUIDE}/container-considerations.html",
    good=example('name  = "web"\nimage = "public.ecr.aws/nginx/nginx:1.29.1"'),
    bad=example(
        'name  = "web"\nimage = "public.ecr.aws/nginx/nginx"',
        'name  = "agent"\nimage = "example.com:5000/agent:latest"',
    ),
)
def images_are_versioned(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """A missing tag is `latest`; a digest is a version, whatever the tag."""

    def check(container: Container) -> Iterator[Violation | Undecided]:
        for image in _parsed_image(container):
            if isinstance(image, Undecided):
                yield image
            elif not image.digest and _MOVING_TAG.fullmatch(image.tag or "latest"):
                message = f"container {container.name} uses the moving tag {image.tag or 'latest'}"
                yield Violation(message, "use a version tag or a digest", container.at("image"))

    return each_container(resource, check)


@rule(
    "FF048",
    "Third-party images are pinned by digest.",
    TASK,
    severity=Severity.LOW,
    why="The owner of a public image can push a different one under the same tag.",
    link=f"{_GUIDE}/security-tasks-containers.html",
    good=example(f'name  = "web"\nimage = "public.ecr.aws/nginx/nginx:1.29.1@sha256:{"5b0e" * 16}"'),
    bad=example('name  = "web"\nimage = "public.ecr.aws/nginx/nginx:1.29.1"'),
)
def third_party_images_have_a_digest(resource: Resource, facts: Facts) -> Iterator[Violation | Undecided]:
    """Check protected environments. FF002 keeps tags in private ECR registries; FF047 checks moving tags."""

    def check(container: Container) -> Iterator[Violation | Undecided]:
        for image in _parsed_image(container):
            if isinstance(image, Undecided):
                yield image
            elif not (
                image.digest
                or _ECR_HOST.fullmatch(image.registry)
                or _MOVING_TAG.fullmatch(image.tag or "latest")
            ):
                message = (
                    f"container {container.name} uses tag {image.tag} from {image.registry} without a digest"
                )
                yield Violation(message, f"add the digest: {image.tag}@sha256:...", container.at("image"))

    return each_container(resource, check) if facts.protected else iter(())


@rule(
    "FF049",
    "Images are not pulled from Docker Hub without a login.",
    TASK,
    severity=Severity.LOW,
    why="Docker Hub limits anonymous pulls by IP address: behind a NAT gateway, scaling out fails with 429.",
    link="https://docs.docker.com/docker-hub/usage/pulls/",
    good=example('name  = "web"\nimage = "public.ecr.aws/docker/library/nginx:1.29.1"'),
    bad=example(
        'name  = "web"\nimage = "nginx:1.29.1"', 'name  = "agent"\nimage = "docker.io/example/agent:1.0"'
    ),
)
def images_can_be_pulled(resource: Resource, facts: Facts) -> Iterator[Violation | Undecided]:
    """Check protected environments; with a login, Docker Hub limits pulls by account."""

    def check(container: Container) -> Iterator[Violation | Undecided]:
        for image in () if container.value("repositoryCredentials") else _parsed_image(container):
            if isinstance(image, Undecided):
                yield image
            elif image.registry in {"docker.io", "index.docker.io", "registry-1.docker.io"}:
                message = f"the image of container {container.name} is pulled from Docker Hub without a login"
                remedy = "use a copy in ECR, an ECR pull through cache, or public.ecr.aws/docker/library"
                yield Violation(message, remedy, container.at("image"))

    return each_container(resource, check) if facts.protected else iter(())
