from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import uuid4

import pytest

from fleetform.base.errors import CheckFailedError, InputError
from fleetform.catalog.images_lock import LockedImage
from fleetform.catalog.models import Environment
from fleetform.images.promotion import PromotedImage, RegistrySide, promote, select_images
from fleetform.images.sbom import SPDX, attach_sbom, referrer
from fleetform.images.transfer import Repository
from tests.images.registries import TAG, digest_of, locked, make_repository, push, registry_at

WEB = locked("sha256:" + "2" * 64)
ORDERS = locked("sha256:" + "3" * 64)


def environment(name: str, *built: str, architecture: str = "x86_64", prefix: str = "shop") -> Environment:
    """An environment that builds some services, and runs one that is built elsewhere."""
    services = {service: {"build": {"context": service}, "architecture": architecture} for service in built}
    return Environment.model_validate(
        {
            "name": name,
            "application": "shop",
            "account": "123456789012",
            "region": "eu-west-1",
            "zones": ["eu-west-1a", "eu-west-1b"],
            "name_prefix": prefix,
            "services": {**services, "proxy": {"image": "nginx:1.29"}},
        }
    )


DEV = environment("dev", "web", "orders")


def refusal(target: Environment, lock: Mapping[str, LockedImage], services: Sequence[str] = ()) -> str:
    """Why nothing is promoted."""
    with pytest.raises(InputError) as caught:
        select_images(DEV, target, lock, services)
    return str(caught.value)


def test_all_that_the_target_builds_and_the_source_has_is_chosen() -> None:
    target = environment("prod", "web", "stock")
    assert select_images(DEV, target, {"web": WEB, "orders": ORDERS}, []) == {"web": WEB}


def test_only_what_is_named_is_chosen() -> None:
    target = environment("prod", "web", "orders")
    assert select_images(DEV, target, {"web": WEB, "orders": ORDERS}, ["orders"]) == {"orders": ORDERS}


def test_an_environment_has_nothing_to_promote_to_itself() -> None:
    assert refusal(DEV, {"web": WEB}) == "cannot promote `dev` to itself; choose two different environments"


@pytest.mark.parametrize("name", ["wed", "proxy"])
def test_a_service_that_the_target_does_not_build_is_refused(name: str) -> None:
    message = refusal(environment("prod", "web"), {"web": WEB}, [name])
    hint = "did you mean `web`?" if name == "wed" else "known: web"
    assert message == f"prod has no service `{name}` with `build`; {hint}"


def test_a_source_without_the_image_is_reported_to_make_it() -> None:
    assert refusal(environment("prod", "web"), {"orders": ORDERS}, ["web"]) == (
        "envs/dev/images.lock.yaml has no image of `web`; run `invoke images --env dev --service web`"
    )


def test_a_source_without_any_image_is_reported_to_make_them() -> None:
    assert refusal(environment("prod", "web"), {"orders": ORDERS}) == (
        "envs/dev/images.lock.yaml has no image of a service that prod builds; run `invoke images --env dev`"
    )


def test_an_image_for_another_architecture_is_refused() -> None:
    assert refusal(environment("prod", "web", architecture="arm64"), {"web": WEB}) == (
        "`web` runs on linux/arm64 in prod, but its image is for linux/amd64; "
        "set the same `architecture` in both environments"
    )


@pytest.fixture
def sides(terraform_environment: Mapping[str, str]) -> Iterator[tuple[RegistrySide, RegistrySide]]:
    """Two environments with a repository each, of the service `web`."""
    registry = registry_at(terraform_environment)
    prefix = f"shop-{uuid4().hex[:8]}"
    both = [
        RegistrySide(environment(name, "web", prefix=f"{prefix}-{name}"), registry)
        for name in ("dev", "prod")
    ]
    for side in both:
        make_repository(registry, side.repository("web"))
    yield both[0], both[1]
    for side in both:
        registry.ecr.delete_repository(repositoryName=side.repository("web"), force=True)


def repository_of(side: RegistrySide) -> Repository:
    """The repository of the service `web` on one side."""
    return Repository(side.registry.credentials(), side.repository("web"))


def pushed(side: RegistrySide, word: str) -> LockedImage:
    """An image of the service `web` on one side, and its entry in the lock."""
    return locked(push(repository_of(side), word, TAG))


def test_an_image_is_copied_to_where_it_is_not(sides: tuple[RegistrySide, RegistrySide]) -> None:
    source, target = sides
    image = pushed(source, "one")
    assert promote(source, target, "web", image) == PromotedImage("web", image, "copied")
    assert target.registry.find(target.repository("web"), TAG) == image.digest


def test_the_sbom_of_an_image_goes_with_it(sides: tuple[RegistrySide, RegistrySide]) -> None:
    source, target = sides
    image = pushed(source, "one")
    attach_sbom(repository_of(source), image.digest, b"the SBOM")
    assert promote(source, target, "web", image) == PromotedImage("web", image, "copied")
    ((_, kind),) = repository_of(target).referrers(image.digest).items()
    assert kind == SPDX
    assert repository_of(target).has_blob(digest_of(b"the SBOM")) is True


def test_an_sbom_that_cannot_be_copied_is_reported_and_the_image_is_there(
    sides: tuple[RegistrySide, RegistrySide],
) -> None:
    """Its source has lost what is in it."""
    source, target = sides
    image = pushed(source, "one")
    sbom = referrer(repository_of(source).manifest(image.digest), b"lost")
    source.registry.ecr.put_image(
        repositoryName=source.repository("web"),
        imageManifest=sbom.content.decode(),
        imageManifestMediaType=sbom.media_type,
        imageDigest=digest_of(sbom.content),
    )
    place = f"{repository_of(source).credentials.host}/{source.repository('web')}"
    notice = (
        f"the image's attachments, such as its SBOM, were not copied: {place}:"
        f" {source.repository('web')} has no layer {digest_of(b'{}')}"
    )
    assert promote(source, target, "web", image) == PromotedImage("web", image, "copied", notice)
    assert target.registry.find(target.repository("web"), TAG) == image.digest


def test_an_image_is_not_copied_to_where_it_is(sides: tuple[RegistrySide, RegistrySide]) -> None:
    """The source has none to give."""
    source, target = sides
    image = pushed(target, "one")
    assert promote(source, target, "web", image) == PromotedImage("web", image, "found")


def test_a_tag_with_another_image_stops_it(sides: tuple[RegistrySide, RegistrySide]) -> None:
    source, target = sides
    theirs, ours = pushed(target, "one"), pushed(source, "two")
    with pytest.raises(CheckFailedError) as caught:
        promote(source, target, "web", ours)
    assert str(caught.value) == (
        f"web: {target.repository('web')}:{TAG} is {theirs.digest}, but {ours.digest} in dev: the same"
        " content "
        "was built twice; run `invoke images --env prod` to keep the target's image, or delete it and"
        " promote again"
    )


def test_a_target_without_the_repository_is_reported_to_apply_its_foundation(
    sides: tuple[RegistrySide, RegistrySide],
) -> None:
    source, target = sides
    nowhere = RegistrySide(
        environment("prod", "web", prefix="shop-nowhere"), replace(target.registry, environment="prod")
    )
    with pytest.raises(InputError) as caught:
        promote(source, nowhere, "web", pushed(source, "one"))
    assert str(caught.value) == (
        "ECR has no repository `shop-nowhere-web`, which the foundation creates; "
        "run `invoke apply --env prod` or `invoke deploy --env prod`"
    )
