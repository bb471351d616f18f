from .plans import Resources


def test_example(planned: dict[str, Resources]) -> None:
    """The cluster has container insights and both kinds of Fargate."""
    assert planned["cluster"] == {
        "aws_ecs_cluster.this": {
            "name": "shop-dev",
            "setting": [{"name": "containerInsights", "value": "enabled"}],
        },
        "aws_ecs_cluster_capacity_providers.this": {
            "capacity_providers": ["FARGATE", "FARGATE_SPOT"],
            "cluster_name": "shop-dev",
            "default_capacity_provider_strategy": [{"base": 0, "capacity_provider": "FARGATE", "weight": 1}],
        },
    }


def test_exec(planned: dict[str, Resources]) -> None:
    """What ECS Exec does is encrypted and written to a log group of its own."""
    key = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab"
    logs = {
        "cloud_watch_encryption_enabled": True,
        "cloud_watch_log_group_name": "/ecs-exec/shop-dev",
        "s3_bucket_encryption_enabled": None,
        "s3_bucket_name": None,
        "s3_key_prefix": None,
    }
    command = {"kms_key_id": key, "log_configuration": [logs], "logging": "OVERRIDE"}
    resources = planned["exec_cluster"]
    assert resources["aws_ecs_cluster.this"]["configuration"] == [
        {"execute_command_configuration": [command], "managed_storage_configuration": []}
    ]
    assert resources['aws_cloudwatch_log_group.exec["this"]'] == {
        "kms_key_id": key,
        "name": "/ecs-exec/shop-dev",
        "retention_in_days": 30,
        "skip_destroy": False,
    }
