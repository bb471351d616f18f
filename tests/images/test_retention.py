from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber

from fleetform.base.errors import ProgramError
from fleetform.images.registry import Registry
from fleetform.images.retention import StoredImage, delete_images, read_images, select_expired
from fleetform.images.transfer import Manifest, Repository
from tests.images.registries import (
    ACCOUNT,
    INDEX_TYPE,
    MANIFEST_TYPE,
    digest_of,
    index_of,
    layers_of,
    make_repository,
    manifest_of,
    push_layers,
    registry_at,
)

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import ImageIdentifierTypeDef

START = datetime(2026, 1, 1, tzinfo=UTC)
REPOSITORY = {"registryId": ACCOUNT, "repositoryName": "shop-dev-web"}


def digest(number: int) -> str:
    return f"sha256:{number:064}"


def image(number: int, *tags: str, parts: tuple[str, ...] = (), subject: str = "") -> StoredImage:
    """An image that was pushed in the hour of its number, with its number as its tag if it is given none."""
    pushed = START + timedelta(hours=number)
    return StoredImage(digest(number), tags or (str(number),), pushed, 1, parts, subject)


def untagged(number: int, *, parts: tuple[str, ...] = (), subject: str = "") -> StoredImage:
    return StoredImage(digest(number), (), START + timedelta(hours=number), 1, parts, subject)


def numbers(images: tuple[StoredImage, ...]) -> list[int]:
    return [int(image.digest[-4:]) for image in images]


def test_the_newest_stay_in_any_order_of_the_listing() -> None:
    assert numbers(select_expired([image(2), image(4), image(1), image(3)], (), 2)) == [2, 1]


def test_images_pushed_at_the_same_time_are_chosen_in_the_same_way_in_any_order() -> None:
    images = [StoredImage(digest(number), (str(number),), START) for number in range(4)]
    assert numbers(select_expired(images, (), 2)) == [0, 1]
    assert numbers(select_expired(images[::-1], (), 2)) == [1, 0]


def test_a_repository_with_no_more_than_is_kept_loses_nothing() -> None:
    assert select_expired([image(1), image(2)], (), 2) == ()
    assert select_expired([], (), 2) == ()


@pytest.mark.parametrize("name", [digest(1), "one", "other"])
def test_what_is_locked_by_digest_or_by_one_of_its_tags_stays(name: str) -> None:
    images = [image(1, "one", "other"), image(2), image(3)]
    assert numbers(select_expired(images, {name}, 1)) == [2]


def test_what_is_locked_counts_if_it_is_among_the_newest() -> None:
    assert numbers(select_expired([image(1), image(2), image(3)], {digest(3)}, 1)) == [1, 2]


def test_what_has_no_tag_is_left_to_the_lifecycle_policy_and_not_counted() -> None:
    assert numbers(select_expired([image(1), image(2), untagged(3)], (), 1)) == [1]


def test_parts_stay_with_their_index_and_are_not_counted() -> None:
    index = image(3, parts=(digest(1), digest(2)))
    assert numbers(select_expired([image(0), image(1, "3-arm64"), untagged(2), index], (), 1)) == [0]


def test_parts_of_a_locked_index_stay() -> None:
    old = [image(1, "2-arm64"), image(2, parts=(digest(1),))]
    assert numbers(select_expired([*old, image(3), image(4)], {digest(2)}, 1)) == [3]


def test_parts_go_with_their_index() -> None:
    old = [image(1, "2-arm64"), image(2, parts=(digest(1),))]
    assert numbers(select_expired([*old, image(3)], (), 1)) == [1, 2]


def test_a_part_of_two_indexes_stays_with_the_one_that_stays() -> None:
    shared = image(1, "arm64")
    images = [shared, image(2, parts=(digest(1),)), image(3, parts=(digest(1),))]
    assert numbers(select_expired(images, (), 1)) == [2]


def test_a_locked_part_stays_without_its_index() -> None:
    images = [image(1, "arm64"), image(2, parts=(digest(1),)), image(3)]
    assert numbers(select_expired(images, {"arm64"}, 1)) == [2]


def test_parts_of_an_index_without_a_tag_stay_until_that_expires() -> None:
    """ECR would refuse to delete them."""
    assert select_expired([image(1, "arm64"), untagged(2, parts=(digest(1),)), image(3)], (), 1) == ()


def test_a_signature_stays_with_its_image_and_is_not_counted() -> None:
    images = [image(1), image(2), image(3, "signature", subject=digest(2)), untagged(4, subject=digest(2))]
    assert numbers(select_expired(images, (), 1)) == [1]


def test_a_signature_of_a_locked_image_and_of_its_part_stays() -> None:
    old = [
        untagged(1),
        image(2, parts=(digest(1),)),
        image(3, "a", subject=digest(1)),
        image(4, subject=digest(2)),
    ]
    assert numbers(select_expired([*old, image(5), image(6)], {digest(2)}, 1)) == [5]


def test_a_signature_goes_with_its_image() -> None:
    images = [
        image(1),
        image(2),
        image(3, "signature", subject=digest(1)),
        image(4, "sbom", subject=digest(3)),
    ]
    assert numbers(select_expired(images, (), 1)) == [1, 3, 4]


def test_a_signature_of_a_deleted_image_is_deleted() -> None:
    assert numbers(select_expired([image(1), image(2, subject=digest(9))], (), 1)) == [2]


@pytest.fixture
def registry(terraform_environment: Mapping[str, str]) -> Registry:
    return registry_at(terraform_environment)


@pytest.fixture
def repository(registry: Registry) -> Iterator[Repository]:
    made = make_repository(registry)
    push_layers(made, *layers_of("web"))
    yield made
    registry.ecr.delete_repository(repositoryName=made.name, force=True)


def numbered(number: int) -> Manifest:
    """One of many images of the same layers."""
    return manifest_of(*layers_of("web"), annotations={"number": str(number)})


def facts(image: StoredImage) -> tuple[tuple[str, ...], str, tuple[str, ...], str]:
    return image.tags, image.digest, image.parts, image.subject


def test_images_are_read_with_their_parts_and_what_they_are_about(
    registry: Registry, repository: Repository
) -> None:
    part, other = numbered(1), numbered(2)
    index = index_of(part)
    about = {"subject": {"mediaType": MANIFEST_TYPE, "size": 1, "digest": digest_of(other.content)}}
    signature, old_signature = manifest_of(*layers_of("web"), **about), numbered(3)
    old_tag = digest_of(other.content).replace(":", "-") + ".sig"
    repository.put_manifest(digest_of(part.content), part)
    for tag, manifest in (
        ("index", index),
        ("other", other),
        ("signature", signature),
        (old_tag, old_signature),
    ):
        repository.put_manifest(tag, manifest)
    images = read_images(registry, repository.name)
    assert sorted(map(facts, images)) == sorted(
        [
            ((), digest_of(part.content), (), ""),
            (("index",), digest_of(index.content), (digest_of(part.content),), ""),
            (("other",), digest_of(other.content), (), ""),
            (("signature",), digest_of(signature.content), (), digest_of(other.content)),
            ((old_tag,), digest_of(old_signature.content), (), digest_of(other.content)),
        ]
    )


def test_an_index_goes_before_its_parts(registry: Registry, repository: Repository) -> None:
    """The emulator refuses the part as ECR does, even in the request that deletes the index."""
    part = numbered(1)
    repository.put_manifest("arm64", part)
    repository.put_manifest("index", index_of(part))
    assert delete_images(registry, repository.name, read_images(registry, repository.name)) == []
    assert read_images(registry, repository.name) == []


def test_an_image_that_has_got_another_tag_since_stays(registry: Registry, repository: Repository) -> None:
    repository.put_manifest("one", numbered(1))
    images = read_images(registry, repository.name)
    repository.put_manifest("two", numbered(1))
    assert delete_images(registry, repository.name, images) == []
    assert [each.tags for each in read_images(registry, repository.name)] == [("two",)]


def test_what_ecr_does_not_delete_is_reported_image_by_image(
    registry: Registry, repository: Repository
) -> None:
    for number in (1, 2):
        repository.put_manifest(str(number), numbered(number))
    repository.put_manifest("index", index_of(numbered(2)))
    images = [StoredImage(digest(number), (tag,), START) for number, tag in enumerate(("1", "2", "3"))]
    assert sorted(delete_images(registry, repository.name, images)) == [
        f"{repository.name} 2: Requested image referenced by manifest list (ImageReferencedByManifestList)",
        f"{repository.name} 3: Requested image not found (ImageNotFound)",
    ]
    assert sorted(each.tags for each in read_images(registry, repository.name)) == [("2",), ("index",)]


@pytest.fixture
def stub() -> Iterator[tuple[Registry, Stubber]]:
    """A registry whose answers are given, in order."""
    client: ECRClient = boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1"
    ).client("ecr")
    with Stubber(client) as answers:
        yield Registry(client, ACCOUNT, "dev"), answers
        answers.assert_no_pending_responses()


def test_all_pages_are_read(stub: tuple[Registry, Stubber]) -> None:
    registry, answers = stub
    for number, asked, more in ((1, {}, {"nextToken": "two"}), (2, {"nextToken": "two"}, {})):
        detail = {
            "imageDigest": digest(number),
            "imageTags": ["a"],
            "imagePushedAt": START,
            "imageSizeInBytes": 7,
        }
        answers.add_response("describe_images", {"imageDetails": [detail], **more}, {**REPOSITORY, **asked})
    assert read_images(registry, "shop-dev-web") == [StoredImage(digest(n), ("a",), START, 7) for n in (1, 2)]


def test_no_request_deletes_more_than_ecr_takes(stub: tuple[Registry, Stubber]) -> None:
    registry, answers = stub
    tags = [str(number) for number in range(250)]
    for some in (tags[:100], tags[100:200], tags[200:]):
        identifiers: list[ImageIdentifierTypeDef] = [{"imageTag": tag} for tag in some]
        answers.add_response("batch_delete_image", {}, {**REPOSITORY, "imageIds": identifiers})
    images = [
        StoredImage(digest(number), tuple(tags[number * 2 : number * 2 + 2]), START) for number in range(125)
    ]
    assert delete_images(registry, "shop-dev-web", images) == []


def test_an_index_that_cannot_be_read_stops_before_anything_is_deleted(
    stub: tuple[Registry, Stubber],
) -> None:
    registry, answers = stub
    detail = {"imageDigest": digest(1), "imagePushedAt": START, "imageManifestMediaType": INDEX_TYPE}
    answers.add_response("describe_images", {"imageDetails": [detail]})
    reason = {"failureCode": "KmsError", "failureReason": "no key"}
    answers.add_response("batch_get_image", {"failures": [{"imageId": {"imageDigest": digest(1)}, **reason}]})
    with pytest.raises(ProgramError) as caught:
        read_images(registry, "shop-dev-web")
    assert str(caught.value) == (
        f"shop-dev-web {digest(1)}: no key (KmsError)\ncannot read the contents of an index; nothing was"
        " deleted"
    )
