"""Image retention: selects the old images of a repository, and deletes them."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from fleetform.base.errors import ProgramError
from fleetform.images.registry import Registry

T = TypeVar("T")

_BATCH = 100
"""Images per request: API reference, BatchDeleteImage and BatchGetImage."""

_INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
# Tag of a manifest that refers to an image but was pushed without `subject`: OCI distribution specification,
# "Referrers Tag Schema". cosign appends `.sig` and similar suffixes for signatures.
_REFERRER_TAG = re.compile(r"sha256-([0-9a-f]{64})(\..+)?")


@dataclass(frozen=True)
class StoredImage:
    """An image in a repository.

    Attributes:
        digest: Digest of its manifest.
        tags: Its tags. Images without tags are left to ECR's lifecycle policy.
        pushed: When it was pushed.
        size: Bytes of its layers, which it may share with other images.
        parts: Digests of the images that it lists, if it is an index.
        subject: Digest of the image that it refers to, such as the image that it signs; empty for an ordinary
            image.
    """

    digest: str
    tags: tuple[str, ...]
    pushed: datetime
    size: int = 0
    parts: tuple[str, ...] = ()
    subject: str = ""


def is_tagged(image: StoredImage, names: Collection[str]) -> bool:
    """Return whether the names include the image's digest or one of its tags."""
    return not {image.digest, *image.tags}.isdisjoint(names)


def select_expired(
    images: Sequence[StoredImage], locked: Collection[str], keep: int
) -> tuple[StoredImage, ...]:
    """Return the tagged images to delete. What belongs to another image shares its fate and is not counted.

    Args:
        images: All images of a repository.
        locked: Digests and tags of images to keep, however old they are.
        keep: How many of the newest images to keep.
    """
    parts = {part for image in images for part in image.parts}
    whole = [image for image in images if not image.subject and image.digest not in parts]
    tagged = sorted((image for image in whole if image.tags), key=lambda image: (image.pushed, image.digest))
    newest = tagged[-keep:]
    untagged = [image for image in whole if not image.tags]  # what belongs to them stays until they expire
    kept = {
        image.digest
        for image in (*newest, *untagged, *(image for image in images if is_tagged(image, locked)))
    }
    kept = _with_parts(images, kept)
    return tuple(image for image in images if image.tags and image.digest not in kept)


def _with_parts(images: Sequence[StoredImage], digests: set[str]) -> set[str]:
    """Add the parts of images and the manifests that refer to them to their digests, recursively."""
    closure = set(digests)
    while True:
        more = {part for image in images if image.digest in closure for part in image.parts}
        more |= {image.digest for image in images if image.subject in closure}
        if more <= closure:
            return closure
        closure |= more


def read_images(registry: Registry, repository: str) -> list[StoredImage]:
    """Read all images of a repository.

    Raises:
        InputError: The repository does not exist.
        ProgramError: A request to ECR fails, or ECR cannot return the manifest of an index.
    """
    details = list(_details(registry, repository))
    indexes = [each["imageDigest"] for each in details if each.get("imageManifestMediaType") in _INDEX_TYPES]
    parts = _parts(registry, repository, indexes)
    return [
        StoredImage(
            each["imageDigest"],
            tuple(each.get("imageTags", ())),
            each["imagePushedAt"],
            each.get("imageSizeInBytes", 0),
            parts.get(each["imageDigest"], ()),
            each.get("subjectManifestDigest") or _subject(each.get("imageTags", ())),
        )
        for each in details
    ]


def _details(registry: Registry, repository: str) -> Iterator[dict[str, Any]]:
    page: dict[str, Any] = {}
    while True:
        page = registry.call(
            "describe_images", registryId=registry.account, repositoryName=repository, **page
        )
        yield from page.get("imageDetails", ())
        if "nextToken" not in page:
            return
        page = {"nextToken": page["nextToken"]}


def _subject(tags: Iterable[str]) -> str:
    matches = filter(None, map(_REFERRER_TAG.fullmatch, tags))
    return next((f"sha256:{match[1]}" for match in matches), "")


def _parts(registry: Registry, repository: str, indexes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read the digests that each index lists."""
    parts = {}
    for batch in _batches(indexes):
        answer = registry.call(
            "batch_get_image",
            registryId=registry.account,
            repositoryName=repository,
            imageIds=[{"imageDigest": digest} for digest in batch],
            acceptedMediaTypes=list(_INDEX_TYPES),
        )
        if failures := _describe_failures(repository, answer):
            raise ProgramError(
                "\n".join([*failures, "cannot read the contents of an index; nothing was deleted"])
            )
        for image in answer["images"]:
            manifests = json.loads(image["imageManifest"]).get("manifests", ())
            parts[image["imageId"]["imageDigest"]] = tuple(manifest["digest"] for manifest in manifests)
    return parts


def delete_images(registry: Registry, repository: str, images: Sequence[StoredImage]) -> list[str]:
    """Delete images by their tags, so that an image which got a new tag in the meantime stays.

    Indexes are deleted before their parts, as ECR refuses to delete an image that an index lists.

    Returns:
        A line for each tag that could not be deleted.

    Raises:
        InputError: The repository does not exist.
        ProgramError: A request to ECR fails.
    """
    failures = []
    for group in _indexes_first(images):
        failures += _delete(
            registry, repository, [{"imageTag": tag} for image in group for tag in image.tags]
        )
    return failures


def delete_all(registry: Registry, repository: str) -> list[str]:
    """Delete all images of a repository, with or without tags.

    Returns:
        A line for each image that could not be deleted.

    Raises:
        InputError: The repository does not exist.
        ProgramError: A request to ECR fails.
    """
    failures = []
    for group in _indexes_first(read_images(registry, repository)):
        failures += _delete(registry, repository, [{"imageDigest": image.digest} for image in group])
    return failures


def _indexes_first(images: Sequence[StoredImage]) -> tuple[list[StoredImage], list[StoredImage]]:
    return [image for image in images if image.parts], [image for image in images if not image.parts]


def _delete(registry: Registry, repository: str, identifiers: Sequence[dict[str, str]]) -> list[str]:
    """Delete images; return a line for each failure."""
    failures = []
    for batch in _batches(identifiers):
        answer = registry.call(
            "batch_delete_image", registryId=registry.account, repositoryName=repository, imageIds=list(batch)
        )
        failures += _describe_failures(repository, answer)
    return failures


def _describe_failures(repository: str, answer: dict[str, Any]) -> list[str]:
    """Return a line for each failure in an answer."""
    return [
        f"{repository} {' '.join(failure['imageId'].values())}: {failure['failureReason']}"
        f" ({failure['failureCode']})"
        for failure in answer.get("failures", ())
    ]


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))
