"""Encryption of data at rest and in transit, and the keys for it."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Path, Unknown, Value
from fleetform.policy.helpers.statements import as_list
from fleetform.policy.requirements import TRUE, require
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, rule


class Switch(NamedTuple):
    """An argument that turns on encryption.

    Attributes:
        path: The argument.
        default: The value if it is absent.
        allowed: The accepted values.
    """

    path: Path
    default: Value
    allowed: Collection[Value] = TRUE

    def violation(self, message: str) -> Violation:
        """Return the answer for a resource where it is off."""
        name = ".".join(str(step) for step in self.path if step != 0)
        value = "true" if self.allowed is TRUE else f'"{next(iter(self.allowed))}"'
        return Violation(message, f"set {name} = {value}", self.path)


# With the defaults of the provider or of AWS. AWS always encrypts other types: S3, DynamoDB, ECR...
_AT_REST: Mapping[str, Switch] = {
    "aws_db_instance": Switch(("storage_encrypted",), default=False),
    "aws_docdb_cluster": Switch(("storage_encrypted",), default=False),
    "aws_ebs_volume": Switch(("encrypted",), default=False),
    "aws_efs_file_system": Switch(("encrypted",), default=False),
    "aws_elasticache_replication_group": Switch(("at_rest_encryption_enabled",), default=False),
    "aws_kinesis_stream": Switch(("encryption_type",), "NONE", ("KMS",)),
    "aws_neptune_cluster": Switch(("storage_encrypted",), default=False),
    "aws_opensearch_domain": Switch(("encrypt_at_rest", 0, "enabled"), default=False),
    "aws_rds_cluster": Switch(("storage_encrypted",), default=False),
    "aws_sqs_queue": Switch(("sqs_managed_sse_enabled",), default=True),
}

# Arguments with which the resource is a copy, encrypted like its source.
_SOURCES = (
    *("global_cluster_identifier", "replicate_source_db", "replication_source_identifier", "snapshot_id"),
    *("restore_to_point_in_time", "snapshot_identifier", "global_replication_group_id"),
)


@rule(
    "FF085",
    "Data is encrypted at rest.",
    *_AT_REST,
    severity=Severity.MEDIUM,
    why="A copied disk or snapshot is readable, and most resources can only be encrypted at creation.",
    link="https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/protecting-data-at-rest.html",
    checkov=(
        *(
            "CKV_AWS_3",
            "CKV_AWS_5",
            "CKV_AWS_16",
            "CKV_AWS_27",
            "CKV_AWS_29",
            "CKV_AWS_42",
            "CKV_AWS_43",
            "CKV_AWS_44",
        ),
        *("CKV_AWS_74", "CKV_AWS_96"),
    ),
    good="""\
resource "aws_db_instance" "orders" {
  engine            = "postgres"
  storage_encrypted = true
}

resource "aws_sqs_queue" "orders" {
  name = "orders"
}
""",
    bad="""\
resource "aws_db_instance" "orders" {
  engine = "postgres"
}

resource "aws_efs_file_system" "orders" {
  encrypted = false
}

resource "aws_kinesis_stream" "orders" {
  name = "orders"
}

resource "aws_sqs_queue" "orders" {
  sqs_managed_sse_enabled = false
}
""",
)
def data_is_encrypted_at_rest(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Ignore copies, which are encrypted as their source is; a queue may use AWS's key or its own."""
    switch = _AT_REST[resource.type]
    is_copy = any(as_list(resource.value(name)) for name in _SOURCES)
    has_key = resource.type == "aws_sqs_queue" and resource.value("kms_master_key_id") is not None
    if is_copy or has_key:
        return
    encrypted_mode = "serverless" if resource.type == "aws_rds_cluster" else "valkey"
    mode = resource.value("engine_mode" if resource.type == "aws_rds_cluster" else "engine")
    default = mode == encrypted_mode or switch.default
    yield from require(
        resource, switch.allowed, switch.violation("data is not encrypted at rest"), default=default
    )


_IN_TRANSIT: Mapping[str, tuple[Switch, ...]] = {
    "aws_elasticache_replication_group": (Switch(("transit_encryption_enabled",), default=False),),
    "aws_memorydb_cluster": (Switch(("tls_enabled",), default=True),),
    "aws_msk_cluster": (
        Switch(("encryption_info", 0, "encryption_in_transit", 0, "client_broker"), "TLS", ("TLS",)),
        Switch(("encryption_info", 0, "encryption_in_transit", 0, "in_cluster"), default=True),
    ),
    "aws_opensearch_domain": (
        Switch(("node_to_node_encryption", 0, "enabled"), default=False),
        Switch(("domain_endpoint_options", 0, "enforce_https"), default=True),
    ),
}


@rule(
    "FF086",
    "Data is encrypted in transit.",
    *(*_IN_TRANSIT, "aws_ecs_task_definition"),
    severity=Severity.MEDIUM,
    why="An attacker inside the network can read the data, and the passwords sent with it.",
    link="https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/protecting-data-in-transit.html",
    checkov=("CKV_AWS_6", "CKV_AWS_30", "CKV_AWS_81", "CKV_AWS_97", "CKV_AWS_202"),
    good="""\
resource "aws_elasticache_replication_group" "orders" {
  transit_encryption_enabled = true
}

resource "aws_ecs_task_definition" "orders" {
  volume {
    name = "data"

    efs_volume_configuration {
      file_system_id     = "fs-0123456789abcdef0"
      transit_encryption = "ENABLED"
    }
  }
}
""",
    bad="""\
resource "aws_elasticache_replication_group" "orders" {
  engine = "redis"
}

resource "aws_ecs_task_definition" "orders" {
  volume {
    name = "data"

    efs_volume_configuration {
      file_system_id = "fs-0123456789abcdef0"
    }
  }
}
""",
)
def data_is_encrypted_in_transit(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """By default, ECS mounts EFS without TLS."""
    if resource.type == "aws_ecs_task_definition":
        yield from _mounts(resource)
        return
    for switch in _IN_TRANSIT[resource.type]:
        violation = switch.violation("traffic is not encrypted")
        yield from require(resource, switch.allowed, violation, default=switch.default)


def _mounts(resource: Resource) -> Iterator[Violation | Undecided]:
    for index, volume in enumerate(as_list(resource.value("volume"))):
        if isinstance(volume, dict) and as_list(volume.get("efs_volume_configuration")):
            at = ("volume", index, "efs_volume_configuration", 0, "transit_encryption")
            violation = Violation(
                "the file system is mounted without TLS", 'set transit_encryption = "ENABLED"', at
            )
            yield from require(resource, ("ENABLED",), violation, default="DISABLED")


@rule(
    "FF094",
    "KMS keys are rotated.",
    "aws_kms_key",
    severity=Severity.LOW,
    why="KMS rotates keys once a year without downtime. Data that is already encrypted stays readable.",
    link="https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
    checkov=("CKV_AWS_7",),
    good='resource "aws_kms_key" "this" {\n  enable_key_rotation = true\n}\n',
    bad='resource "aws_kms_key" "this" {\n  description = "shop-prod"\n}\n',
)
def keys_are_rotated(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Check symmetric keys with KMS's own key material; KMS rotates no others."""
    defaults = (("key_usage", "ENCRYPT_DECRYPT"), ("customer_master_key_spec", "SYMMETRIC_DEFAULT"))
    values = [resource.value(name, default=value) for name, value in defaults]
    if resource.value("custom_key_store_id") is not None or values != [value for _, value in defaults]:
        yield from (
            Undecided((name,))
            for (name, _), value in zip(defaults, values, strict=True)
            if isinstance(value, Unknown)
        )
        return
    violation = Violation(
        "its key material is never rotated", "set enable_key_rotation = true", ("enable_key_rotation",)
    )
    yield from require(resource, TRUE, violation, default=False)
