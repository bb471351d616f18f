"""Storage, encryption and recovery, beyond the rules' examples."""

import pytest

from tests.policy.examples import counted


def answers(kind: str, arguments: str, rule: str, *, protected: bool = True) -> tuple[int, int]:
    """Return how often the rule fails, and how often it is undecided."""
    return counted(f'resource "{kind}" "this" {{\n  {arguments}\n}}\n', rule, protected=protected)


@pytest.mark.parametrize(
    ("kind", "arguments", "expected"),
    [
        ("aws_db_instance", "storage_encrypted = true", (0, 0)),
        ("aws_db_instance", 'storage_encrypted = "true"', (0, 0)),
        ("aws_db_instance", "storage_encrypted = var.encrypted", (0, 1)),
        ("aws_db_instance", 'replicate_source_db = "orders"', (0, 0)),
        ("aws_rds_cluster", 'snapshot_identifier = "orders"', (0, 0)),
        ("aws_rds_cluster", 'engine_mode = "serverless"', (0, 0)),
        ("aws_rds_cluster", 'engine_mode = "provisioned"', (1, 0)),
        ("aws_elasticache_replication_group", 'engine = "redis"', (1, 0)),
        ("aws_elasticache_replication_group", 'engine = "valkey"', (0, 0)),
        (
            "aws_elasticache_replication_group",
            'engine = "valkey"\n at_rest_encryption_enabled = false',
            (1, 0),
        ),
        ("aws_ebs_volume", "size = 8", (1, 0)),
        ("aws_opensearch_domain", "encrypt_at_rest {\n enabled = true\n }", (0, 0)),
        ("aws_sqs_queue", "sqs_managed_sse_enabled = true", (0, 0)),
        ("aws_sqs_queue", 'sqs_managed_sse_enabled = false\n kms_master_key_id = "alias/shop"', (0, 0)),
        ("aws_kinesis_stream", 'encryption_type = "KMS"', (0, 0)),
    ],
)
def test_data_is_encrypted_at_rest(kind: str, arguments: str, expected: tuple[int, int]) -> None:
    assert answers(kind, arguments, "FF085") == expected


@pytest.mark.parametrize(
    ("kind", "arguments", "expected"),
    [
        ("aws_ecs_task_definition", 'volume {\n name = "data"\n }', (0, 0)),
        (
            "aws_ecs_task_definition",
            "volume {\n efs_volume_configuration {\n transit_encryption = var.x\n }\n }",
            (0, 1),
        ),
        (
            "aws_ecs_task_definition",
            (
                'volume {\n name = "tmp"\n}\n'
                'volume {\n efs_volume_configuration {\n transit_encryption = "DISABLED"\n }\n}'
            ),
            (1, 0),
        ),
        ("aws_memorydb_cluster", "tls_enabled = false", (1, 0)),
        ("aws_memorydb_cluster", 'node_type = "db.t4g.small"', (0, 0)),
        ("aws_msk_cluster", 'cluster_name = "orders"', (0, 0)),
        (
            "aws_msk_cluster",
            'encryption_info {\n encryption_in_transit {\n client_broker = "TLS_PLAINTEXT"\n }\n }',
            (1, 0),
        ),
        ("aws_opensearch_domain", "node_to_node_encryption {\n enabled = true\n }", (0, 0)),
    ],
)
def test_data_is_encrypted_in_transit(kind: str, arguments: str, expected: tuple[int, int]) -> None:
    assert answers(kind, arguments, "FF086") == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("enable_key_rotation = true", (0, 0)),
        ('key_usage = "SIGN_VERIFY"\n customer_master_key_spec = "RSA_2048"', (0, 0)),
        ('customer_master_key_spec = "HMAC_256"', (0, 0)),
        ('custom_key_store_id = "cks-1"', (0, 0)),
        ("key_usage = var.usage", (0, 1)),
        ("enable_key_rotation = false", (1, 0)),
    ],
)
def test_rotatable_keys_are_rotated(arguments: str, expected: tuple[int, int]) -> None:
    assert answers("aws_kms_key", arguments, "FF094") == expected


@pytest.mark.parametrize(
    ("rule", "kind", "arguments", "expected"),
    [
        ("FF082", "aws_s3_account_public_access_block", "block_public_acls = var.x", (3, 1)),
        ("FF083", "aws_s3_bucket", 'bucket = "shop"', (0, 0)),
        ("FF083", "aws_s3_bucket", 'acl = "log-delivery-write"', (0, 0)),
        ("FF083", "aws_s3_object", 'acl = "public-read"', (1, 0)),
        ("FF083", "aws_s3_bucket_acl", "acl = var.acl", (0, 1)),
        ("FF084", "aws_s3_bucket_policy", "policy = data.aws_iam_policy_document.this.json", (0, 1)),
        ("FF084", "aws_s3_bucket_policy", "policy = jsonencode({ Statement = [] })", (1, 0)),
        (
            "FF084",
            "aws_s3_bucket_policy",
            (
                'policy = jsonencode({ Statement = { Effect = "Deny", Condition = { A = { "s3:TlsVersion" ='
                " 1.2"
                " } } } })"
            ),
            (0, 0),
        ),
        ("FF088", "aws_rds_cluster_instance", "publicly_accessible = false", (0, 0)),
        ("FF088", "aws_mq_broker", 'publicly_accessible = "true"', (1, 0)),
        ("FF089", "aws_rds_cluster", 'engine = "aurora-postgresql"', (0, 0)),
        ("FF089", "aws_db_instance", 'backup_retention_period = "0"', (1, 0)),
        ("FF089", "aws_db_instance", 'replicate_source_db = "orders"', (0, 0)),
        ("FF090", "aws_db_instance", 'replicate_source_db = "orders"', (0, 0)),
        ("FF090", "aws_cognito_user_pool", 'deletion_protection = "ACTIVE"', (0, 0)),
        ("FF090", "aws_cognito_user_pool", 'name = "shop"', (1, 0)),
        ("FF090", "aws_secretsmanager_secret", 'name = "shop"', (0, 0)),
        ("FF092", "aws_dynamodb_table", "point_in_time_recovery {\n enabled = false\n }", (1, 0)),
        ("FF096", "aws_instance", 'launch_template {\n id = "lt-1"\n }', (0, 0)),
        ("FF096", "aws_instance", 'metadata_options {\n http_endpoint = "disabled"\n }', (0, 0)),
        ("FF096", "aws_launch_template", "metadata_options {\n http_tokens = var.x\n }", (0, 1)),
        ("FF096", "aws_launch_template", 'metadata_options {\n http_tokens = "optional"\n }', (1, 0)),
    ],
)
def test_data_is_private_and_recoverable(
    rule: str, kind: str, arguments: str, expected: tuple[int, int]
) -> None:
    assert answers(kind, arguments, rule) == expected


@pytest.mark.parametrize("rule", ["FF090", "FF092"])
def test_unprotected_data_may_be_deleted(rule: str) -> None:
    assert answers("aws_dynamodb_table", 'name = "orders"', rule, protected=False) == (0, 0)


def test_a_plan_includes_defaults() -> None:
    nothing = "storage_encrypted = null\n snapshot_identifier = null\n restore_to_point_in_time = []"
    assert answers("aws_rds_cluster", nothing, "FF085") == (1, 0)
