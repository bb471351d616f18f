"""Backups, and protection from accidental deletion."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Unknown, Value
from fleetform.policy.helpers.statements import as_list
from fleetform.policy.requirements import FALSE, TRUE, require
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, rule


@rule(
    "FF089",
    "Databases have automated backups.",
    *("aws_db_instance", "aws_rds_cluster", "aws_docdb_cluster", "aws_neptune_cluster"),
    severity=Severity.MEDIUM,
    why="Without backups, data deleted by a wrong statement is lost. A few days of backups cost very little.",
    link="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html",
    checkov=("CKV_AWS_133", "CKV_AWS_360"),
    good='resource "aws_db_instance" "orders" {\n  backup_retention_period = 7\n}\n',
    bad='resource "aws_db_instance" "orders" {\n  engine = "postgres"\n}\n',
)
def databases_are_backed_up(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """The default is none for an instance; clusters always have backups. Replicas rely on their source."""
    days = resource.value("backup_retention_period", default=0 if resource.type == "aws_db_instance" else 1)
    if as_list(resource.value("replicate_source_db")):
        return
    if isinstance(days, Unknown):
        yield Undecided(("backup_retention_period",))
    elif str(days) == "0":
        yield Violation(
            "automated backups are off", "set backup_retention_period", ("backup_retention_period",)
        )


class Guard(NamedTuple):
    """An argument that protects a resource with data from deletion.

    Attributes:
        name: The argument.
        allowed: The accepted values.
        default: The value if it is absent.
        remedy: How to set it.
        message: What happens otherwise.
    """

    name: str
    allowed: Collection[Value]
    default: Value
    remedy: str
    message: str = "it can be deleted at once, along with its data"


_DELETION = Guard("deletion_protection", TRUE, default=False, remedy="set deletion_protection = true")
_SNAPSHOT = Guard(
    "skip_final_snapshot",
    FALSE,
    default=False,
    remedy="set skip_final_snapshot = false, and final_snapshot_identifier",
    message="no snapshot is kept when it is deleted",
)
_GUARDS: Mapping[str, tuple[Guard, ...]] = {
    "aws_cognito_user_pool": (
        Guard("deletion_protection", ("ACTIVE",), "INACTIVE", 'set deletion_protection = "ACTIVE"'),
    ),
    "aws_db_instance": (_DELETION, _SNAPSHOT),
    "aws_docdb_cluster": (_DELETION, _SNAPSHOT),
    "aws_dynamodb_table": (
        Guard(
            "deletion_protection_enabled",
            TRUE,
            default=False,
            remedy="set deletion_protection_enabled = true",
        ),
    ),
    "aws_neptune_cluster": (_DELETION, _SNAPSHOT),
    "aws_rds_cluster": (_DELETION, _SNAPSHOT),
    "aws_s3_bucket": (Guard("force_destroy", FALSE, default=False, remedy="remove force_destroy"),),
}


@rule(
    "FF090",
    "Data in protected environments cannot be deleted by accident.",
    *(*_GUARDS, "aws_secretsmanager_secret"),
    severity=Severity.MEDIUM,
    why="A changed name or a removed block is enough for Terraform to delete the resource and its data.",
    link="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html",
    checkov=("CKV_AWS_139", "CKV_AWS_293"),
    good="""\
resource "aws_db_instance" "orders" {
  deletion_protection       = true
  final_snapshot_identifier = "orders-final"
}

resource "aws_s3_bucket" "orders" {
  bucket = "shop-prod-orders"
}
""",
    bad="""\
resource "aws_db_instance" "orders" {
  skip_final_snapshot = true
}

resource "aws_dynamodb_table" "orders" {
  name = "orders"
}

resource "aws_s3_bucket" "orders" {
  force_destroy = true
}

resource "aws_secretsmanager_secret" "orders" {
  recovery_window_in_days = 0
}
""",
)
def protected_data_is_kept(resource: Resource, facts: Facts) -> Iterator[Violation | Undecided]:
    """AWS itself refuses to delete a bucket with objects, and keeps a secret for 30 days."""
    if not facts.protected or as_list(resource.value("replicate_source_db")):
        return
    if resource.type == "aws_secretsmanager_secret":
        yield from _recovery_window(resource)
    for guard in _GUARDS.get(resource.type, ()):
        violation = Violation(guard.message, guard.remedy, (guard.name,))
        yield from require(resource, guard.allowed, violation, default=guard.default)


def _recovery_window(resource: Resource) -> Iterator[Violation | Undecided]:
    at = ("recovery_window_in_days",)
    days = resource.value(*at, default=30)
    if isinstance(days, Unknown):
        yield Undecided(at)
    elif str(days) == "0":
        yield Violation(
            "it can be deleted at once", "remove recovery_window_in_days, or set it to 7 to 30", at
        )


@rule(
    "FF092",
    "Tables in protected environments have point-in-time recovery.",
    "aws_dynamodb_table",
    severity=Severity.LOW,
    why="Without it, data that a faulty release overwrites or deletes is lost.",
    link="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html",
    checkov=("CKV_AWS_28",),
    good='resource "aws_dynamodb_table" "orders" {\n  point_in_time_recovery {\n    enabled = true\n  }\n}\n',
    bad='resource "aws_dynamodb_table" "orders" {\n  name = "orders"\n}\n',
)
def tables_have_point_in_time_recovery(resource: Resource, facts: Facts) -> Iterator[Violation | Undecided]:
    """DynamoDB has no automatic backups."""
    if facts.protected:
        violation = Violation("point-in-time recovery is off", "set point_in_time_recovery.enabled = true")
        violation = violation._replace(at=("point_in_time_recovery", 0, "enabled"))
        yield from require(resource, TRUE, violation, default=False)
