"""ECR."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.hcl.eval.values import Unknown
from fleetform.policy.requirements import TRUE, require
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, environment_rule, rule

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment

Answers: TypeAlias = Iterator[tuple[Resource, Violation | Undecided]]

_REPOSITORY = "aws_ecr_repository"
_SCAN = ("image_scanning_configuration", 0, "scan_on_push")
_ECR = "https://docs.aws.amazon.com/AmazonECR/latest/userguide"


@rule(
    "FF002",
    "Image tags are immutable.",
    "aws_ecr_repository",
    severity=Severity.HIGH,
    why="With mutable tags, the ECR default, the image that runs may not be the one that was reviewed.",
    link=f"{_ECR}/image-tag-mutability.html",
    checkov=("CKV_AWS_51",),
    good='resource "aws_ecr_repository" "web" {\n  image_tag_mutability = "IMMUTABLE"\n}\n',
    bad='resource "aws_ecr_repository" "web" {\n  name = "web"\n}\n',
)
def image_tags_are_immutable(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """ECR's newer values with exclusions are not immutable either."""
    violation = Violation(
        "tags can be overwritten", 'set image_tag_mutability = "IMMUTABLE"', ("image_tag_mutability",)
    )
    yield from require(resource, ("IMMUTABLE",), violation, default="MUTABLE")


@environment_rule(
    "FF068",
    "Images are scanned for vulnerabilities.",
    *(_REPOSITORY, "aws_ecr_registry_scanning_configuration"),
    severity=Severity.MEDIUM,
    why="Otherwise known vulnerabilities are deployed unnoticed.",
    link=f"{_ECR}/image-scanning.html",
    checkov=("CKV_AWS_163",),
    good='resource "aws_ecr_repository" "web" {\n  image_scanning_configuration {\n    scan_on_push ='
    " true\n  }\n}\n",
    bad='resource "aws_ecr_repository" "web" {\n  name = "web"\n}\n',
    keeps=lambda _: [_SCAN],
)
def images_are_scanned(view: View, _: "Environment") -> Answers:
    """A registry's scanning configuration replaces that of its repositories."""
    violation = Violation("images are not scanned", "set scan_on_push = true", _SCAN)
    for repository in () if view.of("aws_ecr_registry_scanning_configuration") else view.of(_REPOSITORY):
        for answer in require(repository, TRUE, violation, default=False):
            yield repository, answer


@environment_rule(
    "FF069",
    "Repositories have a lifecycle policy.",
    *(_REPOSITORY, "aws_ecr_lifecycle_policy"),
    severity=Severity.LOW,
    why="Otherwise every build is kept, and billed, forever.",
    link=f"{_ECR}/LifecyclePolicies.html",
    good="""\
resource "aws_ecr_repository" "web" {
  name = "web"
}

resource "aws_ecr_lifecycle_policy" "web" {
  repository = aws_ecr_repository.web.name
  policy     = "{}"
}
""",
    bad='resource "aws_ecr_repository" "web" {\n  name = "web"\n}\n',
)
def repositories_have_a_lifecycle_policy(view: View, _: "Environment") -> Answers:
    """Match a lifecycle policy with its repository by name, or by a reference to it."""
    policies = [(policy.stack, policy.value("repository")) for policy in view.of("aws_ecr_lifecycle_policy")]
    for repository in view.of(_REPOSITORY):
        name = repository.value("name")
        references = {(repository.stack, Unknown(f"{repository.address}.{part}")) for part in ("name", "id")}
        referenced = {
            (stack, target._replace(present=False))
            for stack, target in policies
            if isinstance(target, Unknown)
        }
        if references & referenced or (isinstance(name, str) and name in [target for _, target in policies]):
            continue
        if any(not target.reference for _, target in referenced):
            yield repository, Undecided()
        else:
            yield repository, Violation("images are kept forever", "add an aws_ecr_lifecycle_policy")
