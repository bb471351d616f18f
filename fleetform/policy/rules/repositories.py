"""ECR."""

from collections.abc import Iterator

from fleetform.policy.requirements import require
from fleetform.policy.rule import Facts, Fault, Severity, Undecided, rule
from fleetform.policy.view import Resource

_ECR = "https://docs.aws.amazon.com/AmazonECR/latest/userguide"


@rule(
    "FF002",
    "Image tags are immutable.",
    "aws_ecr_repository",
    severity=Severity.HIGH,
    why="With mutable tags, which are ECR's default, what runs is not what was reviewed.",
    link=f"{_ECR}/image-tag-mutability.html",
    checkov=("CKV_AWS_51",),
    good='resource "aws_ecr_repository" "web" {\n  image_tag_mutability = "IMMUTABLE"\n}\n',
    bad='resource "aws_ecr_repository" "web" {\n  name = "web"\n}\n',
)
def image_tags_are_immutable(resource: Resource, _: Facts) -> Iterator[Fault | Undecided]:
    """ECR's newer values with exclusions are not immutable either."""
    fault = Fault("tags can be pushed over", 'set image_tag_mutability = "IMMUTABLE"', ("image_tag_mutability",))
    yield from require(resource, ("IMMUTABLE",), fault, default="MUTABLE")
