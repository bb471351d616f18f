"""Amazon ECR."""

import json
from datetime import UTC, datetime
from typing import Any, cast

from moto.core.responses import ActionResult
from moto.ecr.models import Image, Repository
from moto.ecr.responses import ECRResponse

from fleetform.emulator.gaps.patches import Method, parameter, wrap


def record_precise_push_times() -> None:
    """Record push times precisely, so that images pushed in the same second can be sorted.

    AWS (ECR API_ImageDetail): ``imagePushedAt`` is JavaScript's date format, which has milliseconds.
    Moto: ``ecr/models.py`` Image.image_pushed_at has whole seconds.
    """

    def init(original: Method) -> Method:
        def initialised(image: Image, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- passed on
            original(image, *args, **kwargs)
            vars(image)["image_pushed_at"] = datetime.now(UTC).timestamp()

        return initialised

    wrap(Image, "__init__", init)


def record_subjects() -> None:
    """Record which image a signature or another attachment refers to.

    AWS (ECR API_ImageDetail): ``subjectManifestDigest``.
    Moto: ``ecr/models.py`` Image does not look for a ``subject`` in the manifest.
    """

    def init(original: Method) -> Method:
        def initialised(image: Image, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- passed on
            original(image, *args, **kwargs)
            if subject := _manifest(image).get("subject"):
                vars(image)["subject_manifest_digest"] = subject["digest"]

        return initialised

    wrap(Image, "__init__", init)


def measure_images() -> None:
    """Report the size of an image including its layers.

    AWS (ECR API_ImageDetail): ``imageSizeInBytes`` is the size of the image in the repository.
    Moto: ``ecr/models.py`` get_image_size_in_bytes returns only the configuration's size.
    """

    def get_image_size_in_bytes(original: Method) -> Method:
        def measured(image: Image) -> int | None:
            manifest = _manifest(image)
            if "config" not in manifest:
                return cast("int | None", original(image))
            return sum(int(part["size"]) for part in (manifest["config"], *manifest["layers"]))

        return measured

    wrap(Image, "get_image_size_in_bytes", get_image_size_in_bytes)


def keep_parts_of_indexes() -> None:
    """Refuse to delete an image while an index lists it.

    AWS (ECR API_ImageFailure): ``ImageReferencedByManifestList``.
    Moto: ``ecr/models.py`` batch_delete_image deletes it, and the index cannot be pulled any more.
    """

    def batch_delete_image(original: Method) -> Method:
        def deleted(response: ECRResponse) -> ActionResult:
            repository = response.ecr_backend._get_repository(parameter(response, "repositoryName"), None)  # noqa: SLF001
            ids = parameter(response, "imageIds")
            needed = [each for each in ids if _is_needed(repository, each)]
            rest = [each for each in ids if each not in needed]
            if not needed:
                return cast("ActionResult", original(response))
            answer = (
                response.ecr_backend.batch_delete_image(repository.name, None, rest)
                if rest
                else {"failures": []}
            )
            return ActionResult(answer | {"failures": [*answer["failures"], *map(_refusal, needed)]})

        return deleted

    wrap(ECRResponse, "batch_delete_image", batch_delete_image)


def _is_needed(repository: Repository, identifier: dict[str, str]) -> bool:
    """Return whether an index lists the image to delete. One of several tags may be removed."""
    parts = {part["digest"] for image in repository.images for part in _manifest(image).get("manifests", ())}
    tag, digest = identifier.get("imageTag"), identifier.get("imageDigest")
    return any(
        image.image_digest in parts and (digest == image.image_digest or image.image_tags == [tag])
        for image in repository.images
    )


def _refusal(identifier: dict[str, str]) -> dict[str, Any]:
    return {
        "imageId": identifier,
        "failureCode": "ImageReferencedByManifestList",
        "failureReason": "Requested image referenced by manifest list",
    }


def _manifest(image: Image) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(image.image_manifest))
