"""KMS keys for the output of services."""

from collections.abc import Iterator, Mapping

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Path, Unknown
from fleetform.policy.requirements import require_present
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, rule

_KEYS: Mapping[str, tuple[str, Path]] = {
    "aws_cloudwatch_log_group": ("logs", ("kms_key_id",)),
    "aws_ecr_repository": ("images", ("encryption_configuration", 0, "kms_key")),
    "aws_ecs_cluster": (
        "ECS Exec sessions",
        ("configuration", 0, "execute_command_configuration", 0, "kms_key_id"),
    ),
}


@rule(
    "FF061",
    "Logs, images and ECS Exec sessions use a customer managed key.",
    *_KEYS,
    severity=Severity.LOW,
    why="An AWS key decrypts for everyone that IAM allows. Your own key has a policy and a log of each use.",
    link="https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-mgmt",
    checkov=("CKV_AWS_136", "CKV_AWS_158", "CKV_AWS_224"),
    good="""\
resource "aws_cloudwatch_log_group" "web" {
  kms_key_id = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab"
}
""",
    bad="""\
resource "aws_cloudwatch_log_group" "web" {
  name = "/ecs/web"
}

resource "aws_ecr_repository" "web" {
  encryption_configuration {
    encryption_type = "AES256"
  }
}
""",
)
def customer_keys_are_used(resource: Resource, facts: Facts) -> Iterator[Violation | Undecided]:
    """Check protected environments; ECS Exec only where the cluster configures its logging."""
    what, at = _KEYS[resource.type]
    if not facts.protected or (resource.type == "aws_ecs_cluster" and not _configures_logging(resource, at)):
        return
    yield from require_present(
        resource, Violation(f"{what} are not encrypted with a customer managed key", "set a KMS key", at)
    )


def _configures_logging(resource: Resource, at: Path) -> bool:
    return isinstance(resource.value(*at[:-1]), dict | Unknown)
