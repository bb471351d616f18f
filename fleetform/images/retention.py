"""Old images: which of a repository may go, and their deletion."""

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
"""Images in one request: API reference, BatchDeleteImage and BatchGetImage."""

_INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
# What refers to an image by its own tag, where it was pushed without `subject`: OCI distribution specification,
# "Referrers Tag Schema"; cosign's signatures have `.sig` and the like behind it.
_REFERRER_TAG = re.compile(r"sha256-([0-9a-f]{64})(\..+)?")


@dataclass(frozen=True)
class StoredImage:
    """An image in a repository.

    Attributes:
        digest: Digest of its manifest.
        tags: Its tags; what has none is ECR's own lifecycle policy's.
        pushed: When it was pushed.
        size: Bytes of its layers, some of which other images may have too.
        parts: Digests of the images that it is the index of.
        subject: Digest of the image that it is about, such as the one that it signs; empty if it is an image itself.
    """

    digest: str
    tags: tuple[str, ...]
    pushed: datetime
    size: int = 0
    parts: tuple[str, ...] = ()
    subject: str = ""


def is_tagged(image: StoredImage, names: Collection[str]) -> bool:
    """Whether one of the names is the image's digest or one of its tags."""
    return not {image.digest, *image.tags}.isdisjoint(names)


def select_expired(images: Sequence[StoredImage], locked: Collection[str], keep: int) -> tuple[StoredImage, ...]:
    """The tagged images that may go; what belongs to another image stays and goes with that, and is not counted.

    Args:
        images: All of a repository.
        locked: Digests and tags of what stays however old it is.
        keep: How many of the others stay, the newest.
    """
    parts = {part for image in images for part in image.parts}
    whole = [image for image in images if not image.subject and image.digest not in parts]
    tagged = sorted((image for image in whole if image.tags), key=lambda image: (image.pushed, image.digest))
    newest = tagged[-keep:]
    untagged = [image for image in whole if not image.tags]  # until they expire, what belongs to them has to stay
    kept = {image.digest for image in (*newest, *untagged, *(image for image in images if is_tagged(image, locked)))}
    kept = _with_parts(images, kept)
    return tuple(image for image in images if image.tags and image.digest not in kept)


def _with_parts(images: Sequence[StoredImage], digests: set[str]) -> set[str]:
    """The images of these digests with their parts, what is about them, and what belongs to those in turn."""
    found = set(digests)
    while True:
        more = {part for image in images if image.digest in found for part in image.parts}
        more |= {image.digest for image in images if image.subject in found}
        if more <= found:
            return found
        found |= more


def read_images(registry: Registry, repository: str) -> list[StoredImage]:
    """All images of a repository.

    Raises:
        InputError: There is no such repository.
        ProgramError: ECR does not answer, or does not tell what an index is made of.
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
        page = registry.ask("describe_images", registryId=registry.account, repositoryName=repository, **page)
        yield from page.get("imageDetails", ())
        if "nextToken" not in page:
            return
        page = {"nextToken": page["nextToken"]}


def _subject(tags: Iterable[str]) -> str:
    found = filter(None, map(_REFERRER_TAG.fullmatch, tags))
    return next((f"sha256:{match[1]}" for match in found), "")


def _parts(registry: Registry, repository: str, indexes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The digests that each index names."""
    parts = {}
    for batch in _batches(indexes):
        answer = registry.ask(
            "batch_get_image",
            registryId=registry.account,
            repositoryName=repository,
            imageIds=[{"imageDigest": digest} for digest in batch],
            acceptedMediaTypes=list(_INDEX_TYPES),
        )
        if failures := _describe_failures(repository, answer):
            raise ProgramError("\n".join([*failures, "what an index is made of is not known: nothing was deleted"]))
        for image in answer["images"]:
            named = json.loads(image["imageManifest"]).get("manifests", ())
            parts[image["imageId"]["imageDigest"]] = tuple(part["digest"] for part in named)
    return parts


def delete_images(registry: Registry, repository: str, images: Sequence[StoredImage]) -> list[str]:
    """Deletes images by their tags: one that has got another since then stays.

    An index goes before its parts, which ECR keeps as long as an index names them.

    Returns:
        A line for each tag that could not be deleted.

    Raises:
        InputError: There is no such repository.
        ProgramError: ECR does not answer.
    """
    failures = []
    for group in _indexes_first(images):
        failures += _delete(registry, repository, [{"imageTag": tag} for image in group for tag in image.tags])
    return failures


def delete_all(registry: Registry, repository: str) -> list[str]:
    """Deletes all images of a repository, with a tag or without.

    Returns:
        A line for each image that could not be deleted.

    Raises:
        InputError: There is no such repository.
        ProgramError: ECR does not answer.
    """
    failures = []
    for group in _indexes_first(read_images(registry, repository)):
        failures += _delete(registry, repository, [{"imageDigest": image.digest} for image in group])
    return failures


def _indexes_first(images: Sequence[StoredImage]) -> tuple[list[StoredImage], list[StoredImage]]:
    return [image for image in images if image.parts], [image for image in images if not image.parts]


def _delete(registry: Registry, repository: str, identifiers: Sequence[dict[str, str]]) -> list[str]:
    """Deletes what is named; a line for each failure."""
    failures = []
    for batch in _batches(identifiers):
        answer = registry.ask(
            "batch_delete_image", registryId=registry.account, repositoryName=repository, imageIds=list(batch)
        )
        failures += _describe_failures(repository, answer)
    return failures


def _describe_failures(repository: str, answer: dict[str, Any]) -> list[str]:
    """A line for each failure in an answer."""
    return [
        f"{repository} {' '.join(failure['imageId'].values())}: {failure['failureReason']} ({failure['failureCode']})"
        for failure in answer.get("failures", ())
    ]


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))
