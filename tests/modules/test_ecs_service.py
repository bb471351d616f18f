import json
from typing import Any

import pytest

from .plans import Resources


def test_task_definition(planned: dict[str, Resources]) -> None:
    """A task definition says everything that AWS would add."""
    assert planned["ecs_service"]["aws_ecs_task_definition.this"] == {
        "container_definitions": [
            {
                "environment": [
                    {"name": "PORT", "value": "8080"},
                    {"name": "STOCK_URL", "value": "http://stock.dev.shop.internal:8080"},
                ],
                "essential": True,
                "healthCheck": {
                    "command": ["CMD", "python3", "-m", "common.healthcheck"],
                    "interval": 30,
                    "retries": 3,
                    "startPeriod": 10,
                    "timeout": 5,
                },
                "image": "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/shop-dev-orders"
                "@sha256:0a4d55a8d778e5022fab701977c5d840bbc486d0aa9b9a4f1f0f3f0c0a3e2b17",
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": "/ecs/shop-dev-orders",
                        "awslogs-region": "ap-northeast-1",
                        "awslogs-stream-prefix": "orders",
                        "mode": "blocking",
                    },
                },
                "mountPoints": [],
                "name": "orders",
                "portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
                "readonlyRootFilesystem": True,
                "stopTimeout": 30,
                "systemControls": [],
                "volumesFrom": [],
            }
        ],
        "cpu": "512",
        "family": "shop-dev-orders",
        "memory": "1024",
        "network_mode": "awsvpc",
        "requires_compatibilities": ["FARGATE"],
        "runtime_platform": [{"cpu_architecture": "X86_64", "operating_system_family": "LINUX"}],
        "skip_destroy": False,
        "track_latest": False,
    }


def test_task_definition_of_a_container_with_more_settings(planned: dict[str, Resources]) -> None:
    """Entry point, user, limits and storage are there when they are given."""
    assert planned["app"]["aws_ecs_task_definition.this"] == {
        "container_definitions": [
            {
                "entryPoint": ["/bin/sh", "-c"],
                "environment": [],
                "essential": True,
                "image": "public.ecr.aws/docker/library/busybox:1.37",
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": "/ecs/shop-dev-app",
                        "awslogs-region": "ap-northeast-1",
                        "awslogs-stream-prefix": "app",
                        "mode": "blocking",
                    },
                },
                "mountPoints": [],
                "name": "app",
                "portMappings": [],
                "readonlyRootFilesystem": False,
                "stopTimeout": 30,
                "systemControls": [],
                "ulimits": [{"hardLimit": 65535, "name": "nofile", "softLimit": 4096}],
                "user": "1000:1000",
                "volumesFrom": [],
            }
        ],
        "cpu": "256",
        "ephemeral_storage": [{"size_in_gib": 50}],
        "family": "shop-dev-app",
        "memory": "512",
        "network_mode": "awsvpc",
        "requires_compatibilities": ["FARGATE"],
        "runtime_platform": [{"cpu_architecture": "X86_64", "operating_system_family": "LINUX"}],
        "skip_destroy": False,
        "track_latest": False,
    }


def test_service(planned: dict[str, Resources]) -> None:
    """A service registers with service discovery and rolls a failed deployment back."""
    assert planned["ecs_service"]['aws_ecs_service.fixed["this"]'] == {
        "availability_zone_rebalancing": "ENABLED",
        "capacity_provider_strategy": [{"base": 0, "capacity_provider": "FARGATE", "weight": 1}],
        "cluster": "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev",
        "deployment_circuit_breaker": [{"enable": True, "rollback": True}],
        "deployment_maximum_percent": 200,
        "deployment_minimum_healthy_percent": 100,
        "desired_count": 1,
        "enable_ecs_managed_tags": True,
        "enable_execute_command": False,
        "force_new_deployment": False,
        "name": "shop-dev-orders",
        "network_configuration": [
            {
                "assign_public_ip": False,
                "security_groups": ["sg-0123456789abcdef0"],
                "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            }
        ],
        "propagate_tags": "SERVICE",
        "scheduling_strategy": "REPLICA",
        "service_registries": [
            {
                "container_name": None,
                "container_port": None,
                "port": None,
                "registry_arn": "arn:aws:servicediscovery:ap-northeast-1:123456789012:service/srv-0123456789abcdef",  # noqa: E501 - one ARN
            }
        ],
        "wait_for_steady_state": True,
    }


def test_execution_role_pulls_one_repository(planned: dict[str, Resources]) -> None:
    """ECS may pull from the service's repository and write to its log group, and nothing else."""
    assert planned["ecs_service"]["aws_iam_role_policy.execution"] == {
        "name": "execution",
        "policy": {
            "Statement": [
                {
                    "Action": ["logs:PutLogEvents", "logs:CreateLogStream"],
                    "Effect": "Allow",
                    "Resource": "arn:aws:logs:ap-northeast-1:123456789012:log-group:/ecs/shop-dev-orders:*",
                    "Sid": "WriteLogs",
                },
                {
                    "Action": [
                        "ecr:GetDownloadUrlForLayer",
                        "ecr:BatchGetImage",
                        "ecr:BatchCheckLayerAvailability",
                    ],
                    "Effect": "Allow",
                    "Resource": "arn:aws:ecr:ap-northeast-1:123456789012:repository/shop-dev-orders",
                    "Sid": "PullImages",
                },
                {
                    "Action": "ecr:GetAuthorizationToken",
                    "Effect": "Allow",
                    "Resource": "*",
                    "Sid": "LogInToRegistry",
                },
            ],
            "Version": "2012-10-17",
        },
        "role": "shop-dev-orders-execution",
    }


def test_execution_role_of_public_image(planned: dict[str, Resources]) -> None:
    """A public image needs no permission of the registry."""
    assert planned["worker"]["aws_iam_role_policy.execution"] == {
        "name": "execution",
        "policy": {
            "Statement": [
                {
                    "Action": ["logs:PutLogEvents", "logs:CreateLogStream"],
                    "Effect": "Allow",
                    "Resource": "arn:aws:logs:ap-northeast-1:123456789012:log-group:/ecs/shop-dev-worker:*",
                    "Sid": "WriteLogs",
                }
            ],
            "Version": "2012-10-17",
        },
        "role": "shop-dev-worker-execution",
    }


@pytest.mark.parametrize("role", ["execution", "task"])
def test_roles(planned: dict[str, Resources], role: str) -> None:
    """Only this account's tasks of this region may take a role."""
    assert planned["ecs_service"][f"aws_iam_role.{role}"] == {
        "assume_role_policy": {
            "Statement": [
                {
                    "Action": "sts:AssumeRole",
                    "Condition": {
                        "ArnLike": {"aws:SourceArn": "arn:aws:ecs:ap-northeast-1:123456789012:*"},
                        "StringEquals": {"aws:SourceAccount": "123456789012"},
                    },
                    "Effect": "Allow",
                    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                }
            ],
            "Version": "2012-10-17",
        },
        "force_detach_policies": False,
        "max_session_duration": 3600,
        "name": f"shop-dev-orders-{role}",
        "path": "/",
    }


def test_log_group(planned: dict[str, Resources]) -> None:
    """Logs are kept for a year."""
    assert planned["ecs_service"]["aws_cloudwatch_log_group.this"] == {
        "name": "/ecs/shop-dev-orders",
        "retention_in_days": 365,
        "skip_destroy": False,
    }


def test_command_and_privileged_port(planned: dict[str, Resources]) -> None:
    """A command replaces the image's own, and a process that is not root may listen on port 80."""
    assert planned["autoscaled"]["aws_ecs_task_definition.this"] == {
        "container_definitions": [
            {
                "command": ["nginx", "-g", "daemon off;"],
                "environment": [{"name": "PORT", "value": "80"}],
                "essential": True,
                "image": "public.ecr.aws/nginx/nginx:1.29",
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": "/ecs/shop-dev-web",
                        "awslogs-region": "ap-northeast-1",
                        "awslogs-stream-prefix": "web",
                        "mode": "blocking",
                    },
                },
                "mountPoints": [],
                "name": "web",
                "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
                "readonlyRootFilesystem": True,
                "stopTimeout": 30,
                "systemControls": [{"namespace": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
                "volumesFrom": [],
            }
        ],
        "cpu": "256",
        "family": "shop-dev-web",
        "memory": "512",
        "network_mode": "awsvpc",
        "requires_compatibilities": ["FARGATE"],
        "runtime_platform": [{"cpu_architecture": "ARM64", "operating_system_family": "LINUX"}],
        "skip_destroy": False,
        "track_latest": False,
    }


def test_autoscaled_service(planned: dict[str, Resources]) -> None:
    """An autoscaled service starts at its least number of tasks, spread over the capacity providers."""
    assert planned["autoscaled"]['aws_ecs_service.autoscaled["this"]'] == {
        "availability_zone_rebalancing": "ENABLED",
        "capacity_provider_strategy": [
            {"base": 0, "capacity_provider": "FARGATE_SPOT", "weight": 3},
            {"base": 1, "capacity_provider": "FARGATE", "weight": 1},
        ],
        "cluster": "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev",
        "deployment_circuit_breaker": [{"enable": True, "rollback": True}],
        "deployment_maximum_percent": 200,
        "deployment_minimum_healthy_percent": 100,
        "desired_count": 2,
        "enable_ecs_managed_tags": True,
        "enable_execute_command": False,
        "force_new_deployment": False,
        "name": "shop-dev-web",
        "network_configuration": [
            {
                "assign_public_ip": True,
                "security_groups": ["sg-0123456789abcdef0"],
                "subnets": ["subnet-0123456789abcdef0"],
            }
        ],
        "propagate_tags": "SERVICE",
        "scheduling_strategy": "REPLICA",
        "wait_for_steady_state": True,
    }


def test_autoscaling_target(planned: dict[str, Resources]) -> None:
    """Autoscaling moves the number of tasks between its bounds."""
    assert planned["autoscaled"]['aws_appautoscaling_target.this["this"]'] == {
        "max_capacity": 8,
        "min_capacity": 2,
        "resource_id": "service/shop-dev/shop-dev-web",
        "scalable_dimension": "ecs:service:DesiredCount",
        "service_namespace": "ecs",
    }


def test_autoscaling_policy(planned: dict[str, Resources]) -> None:
    """Autoscaling keeps the average CPU use at the target."""
    assert planned["autoscaled"]['aws_appautoscaling_policy.this["cpu"]'] == {
        "name": "shop-dev-web-cpu",
        "policy_type": "TargetTrackingScaling",
        "resource_id": "service/shop-dev/shop-dev-web",
        "scalable_dimension": "ecs:service:DesiredCount",
        "service_namespace": "ecs",
        "target_tracking_scaling_policy_configuration": [
            {
                "customized_metric_specification": [],
                "disable_scale_in": False,
                "predefined_metric_specification": [
                    {"predefined_metric_type": "ECSServiceAverageCPUUtilization", "resource_label": None}
                ],
                "scale_in_cooldown": None,
                "scale_out_cooldown": None,
                "target_value": 60,
            }
        ],
    }


def test_service_with_a_schedule_of_bounds(planned: dict[str, Resources]) -> None:
    """At certain times other bounds hold, on a target that leaves them alone, and memory is tracked too."""
    found = {address: values for address, values in planned["market"].items() if "autoscaling" in address}
    scaled = {
        "resource_id": "service/shop-dev/shop-dev-market",
        "scalable_dimension": "ecs:service:DesiredCount",
        "service_namespace": "ecs",
    }
    assert found.keys() == {
        'aws_appautoscaling_policy.this["cpu"]',
        'aws_appautoscaling_policy.this["memory"]',
        'aws_appautoscaling_scheduled_action.this["sale"]',
        'aws_appautoscaling_target.scheduled["this"]',
    }
    assert found['aws_appautoscaling_target.scheduled["this"]'] == {
        **scaled,
        "max_capacity": 8,
        "min_capacity": 2,
    }
    assert found['aws_appautoscaling_scheduled_action.this["sale"]'] == {
        **scaled,
        "name": "shop-dev-market-sale",
        "scalable_target_action": [{"max_capacity": "16", "min_capacity": "4"}],
        "schedule": "cron(0 8 * * ? *)",
        "timezone": "Asia/Tokyo",
    }
    assert found['aws_appautoscaling_policy.this["memory"]'] == {
        **scaled,
        "name": "shop-dev-market-memory",
        "policy_type": "TargetTrackingScaling",
        "target_tracking_scaling_policy_configuration": [
            {
                "customized_metric_specification": [],
                "disable_scale_in": False,
                "predefined_metric_specification": [
                    {"predefined_metric_type": "ECSServiceAverageMemoryUtilization", "resource_label": None}
                ],
                "scale_in_cooldown": None,
                "scale_out_cooldown": None,
                "target_value": 80,
            }
        ],
    }


def test_service_that_alarms_roll_back_and_an_srv_record_finds(planned: dict[str, Resources]) -> None:
    """Alarms instead of the circuit breaker roll back, and tasks register with their port."""
    assert planned["market"]['aws_ecs_service.autoscaled["this"]'] == {
        "alarms": [{"alarm_names": ["shop-errors"], "enable": True, "rollback": True}],
        "availability_zone_rebalancing": "ENABLED",
        "capacity_provider_strategy": [{"base": 0, "capacity_provider": "FARGATE", "weight": 1}],
        "cluster": "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev",
        "deployment_circuit_breaker": [{"enable": False, "rollback": False}],
        "deployment_maximum_percent": 200,
        "deployment_minimum_healthy_percent": 100,
        "desired_count": 2,
        "enable_ecs_managed_tags": True,
        "enable_execute_command": False,
        "force_new_deployment": False,
        "name": "shop-dev-market",
        "network_configuration": [
            {
                "assign_public_ip": False,
                "security_groups": ["sg-0123456789abcdef0"],
                "subnets": ["subnet-0123456789abcdef0"],
            }
        ],
        "propagate_tags": "SERVICE",
        "scheduling_strategy": "REPLICA",
        "service_registries": [
            {
                "container_name": "market",
                "container_port": 9000,
                "port": None,
                "registry_arn": "arn:aws:servicediscovery:ap-northeast-1:123456789012:service/srv-0123456789abcdef",  # noqa: E501 - one ARN
            }
        ],
        "wait_for_steady_state": True,
    }


def test_service_connect(planned: dict[str, Resources]) -> None:
    """A service offers its port under its DNS name, and the proxy writes to the service's log group."""
    service = planned["connected"]['aws_ecs_service.fixed["this"]']
    assert service["service_connect_configuration"] == [
        {
            "enabled": True,
            "log_configuration": [
                {
                    "log_driver": "awslogs",
                    "options": {
                        "awslogs-group": "/ecs/shop-dev-connected",
                        "awslogs-region": "ap-northeast-1",
                        "awslogs-stream-prefix": "service-connect",
                    },
                    "secret_option": [],
                }
            ],
            "namespace": "arn:aws:servicediscovery:ap-northeast-1:123456789012:namespace/ns-0123456789abcdef",
            "service": [
                {
                    "client_alias": [{"dns_name": "connected.dev.shop.internal", "port": 8080}],
                    "discovery_name": "connected",
                    "ingress_port_override": None,
                    "port_name": "connected",
                    "timeout": [{"idle_timeout_seconds": None, "per_request_timeout_seconds": 30}],
                    "tls": [],
                }
            ],
        }
    ]
    (container,) = planned["connected"]["aws_ecs_task_definition.this"]["container_definitions"]
    assert container["portMappings"] == [
        {
            "appProtocol": "http",
            "containerPort": 8080,
            "hostPort": 8080,
            "name": "connected",
            "protocol": "tcp",
        }
    ]


def test_another_port_in_service_connect(planned: dict[str, Resources]) -> None:
    """A service offers the port that is named instead of its own, which has no name then."""
    (configuration,) = planned["console"]['aws_ecs_service.fixed["this"]']["service_connect_configuration"]
    assert configuration["service"] == [
        {
            "client_alias": [{"dns_name": "console.dev.shop.internal", "port": 9090}],
            "discovery_name": "console",
            "ingress_port_override": None,
            "port_name": "admin",
            "timeout": [],
            "tls": [],
        }
    ]
    (container,) = planned["console"]["aws_ecs_task_definition.this"]["container_definitions"]
    assert container["portMappings"] == [
        {"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"},
        {"appProtocol": "grpc", "containerPort": 9090, "hostPort": 9090, "name": "admin", "protocol": "tcp"},
    ]


def test_schedule(planned: dict[str, Resources]) -> None:
    """A schedule starts a task where a service's would run, with tags, and no later than is said."""
    assert planned["report"]['aws_scheduler_schedule.this["this"]'] == {
        "flexible_time_window": [{"maximum_window_in_minutes": None, "mode": "OFF"}],
        "kms_key_arn": KMS_KEY,
        "name": "shop-dev-report",
        "schedule_expression": "cron(0 3 * * ? *)",
        "schedule_expression_timezone": "Europe/Berlin",
        "state": "ENABLED",
        "target": [
            {
                "arn": "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev",
                "dead_letter_config": [],
                "ecs_parameters": [
                    {
                        "capacity_provider_strategy": [
                            {"base": 0, "capacity_provider": "FARGATE", "weight": 1}
                        ],
                        "enable_ecs_managed_tags": True,
                        "enable_execute_command": None,
                        "group": None,
                        "launch_type": None,
                        "network_configuration": [
                            {
                                "assign_public_ip": False,
                                "security_groups": ["sg-0123456789abcdef0"],
                                "subnets": ["subnet-0123456789abcdef0"],
                            }
                        ],
                        "placement_constraints": [],
                        "placement_strategy": [],
                        "platform_version": None,
                        "propagate_tags": "TASK_DEFINITION",
                        "reference_id": None,
                        "tags": None,
                        "task_count": 1,
                    }
                ],
                "eventbridge_parameters": [],
                "input": None,
                "kinesis_parameters": [],
                "retry_policy": [{"maximum_event_age_in_seconds": 600, "maximum_retry_attempts": 0}],
                "sagemaker_pipeline_parameters": [],
                "sqs_parameters": [],
            }
        ],
    }


def test_a_schedule_may_start_only_its_task(planned: dict[str, Resources]) -> None:
    """The role may only start tasks of one family in one cluster, with their tags and two roles."""
    account = "arn:aws:iam::123456789012:role/shop-dev-report"
    assert planned["report"]['aws_iam_role_policy.schedule["this"]'] == {
        "name": "schedule",
        "policy": {
            "Statement": [
                {
                    "Action": "ecs:RunTask",
                    "Condition": {
                        "ArnEquals": {
                            "ecs:cluster": "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev"
                        }
                    },
                    "Effect": "Allow",
                    "Resource": "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/shop-dev-report:*",
                    "Sid": "StartTask",
                },
                {
                    "Action": "ecs:TagResource",
                    "Condition": {"StringEquals": {"ecs:CreateAction": "RunTask"}},
                    "Effect": "Allow",
                    "Resource": "arn:aws:ecs:ap-northeast-1:123456789012:task/shop-dev/*",
                    "Sid": "TagTask",
                },
                {
                    "Action": "iam:PassRole",
                    "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
                    "Effect": "Allow",
                    "Resource": [f"{account}-task", f"{account}-execution"],
                    "Sid": "GiveTaskItsRoles",
                },
                {
                    "Action": "kms:Decrypt",
                    "Condition": {
                        "StringEquals": {
                            "kms:EncryptionContext:aws:scheduler:schedule:arn": "arn:aws:scheduler:ap-northeast-1"  # noqa: E501 - one ARN
                            ":123456789012:schedule/default/shop-dev-report"
                        }
                    },
                    "Effect": "Allow",
                    "Resource": KMS_KEY,
                    "Sid": "DecryptSchedule",
                },
            ],
            "Version": "2012-10-17",
        },
        "role": "shop-dev-report-schedule",
    }


def test_only_this_accounts_schedules_may_take_the_role(planned: dict[str, Resources]) -> None:
    """The role that starts a task is for schedules of this account and region."""
    assert planned["report"]['aws_iam_role.schedule["this"]']["assume_role_policy"] == {
        "Statement": [
            {
                "Action": "sts:AssumeRole",
                "Condition": {
                    "ArnEquals": {
                        "aws:SourceArn": "arn:aws:scheduler:ap-northeast-1:123456789012:schedule-group/default"  # noqa: E501 - one ARN
                    },
                    "StringEquals": {"aws:SourceAccount": "123456789012"},
                },
                "Effect": "Allow",
                "Principal": {"Service": "scheduler.amazonaws.com"},
            }
        ],
        "Version": "2012-10-17",
    }


def test_a_scheduled_task_is_not_a_service(planned: dict[str, Resources]) -> None:
    """Nothing keeps a scheduled task running."""
    assert sorted(planned["report"]) == [
        "aws_cloudwatch_log_group.this",
        "aws_ecs_task_definition.this",
        "aws_iam_role.execution",
        'aws_iam_role.schedule["this"]',
        "aws_iam_role.task",
        "aws_iam_role_policy.execution",
        'aws_iam_role_policy.schedule["this"]',
        'aws_scheduler_schedule.this["this"]',
    ]


def test_a_one_off_task_is_only_defined(planned: dict[str, Resources]) -> None:
    """Nothing starts a one-off task."""
    assert sorted(planned["migration"]) == [
        "aws_cloudwatch_log_group.this",
        "aws_ecs_task_definition.this",
        "aws_iam_role.execution",
        "aws_iam_role.task",
        "aws_iam_role_policy.execution",
    ]


def test_service_without_a_port(planned: dict[str, Resources]) -> None:
    """A service without a port cannot be reached."""
    assert planned["worker"]["aws_ecs_task_definition.this"] == {
        "container_definitions": [
            {
                "environment": [],
                "essential": True,
                "image": "public.ecr.aws/docker/library/busybox:1.37",
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": "/ecs/shop-dev-worker",
                        "awslogs-region": "ap-northeast-1",
                        "awslogs-stream-prefix": "worker",
                        "mode": "blocking",
                    },
                },
                "mountPoints": [],
                "name": "worker",
                "portMappings": [],
                "readonlyRootFilesystem": True,
                "stopTimeout": 120,
                "systemControls": [],
                "volumesFrom": [],
            }
        ],
        "cpu": "256",
        "family": "shop-dev-worker",
        "memory": "512",
        "network_mode": "awsvpc",
        "requires_compatibilities": ["FARGATE"],
        "runtime_platform": [{"cpu_architecture": "X86_64", "operating_system_family": "LINUX"}],
        "skip_destroy": False,
        "track_latest": False,
    }


def test_settings_of_a_deployment(planned: dict[str, Resources]) -> None:
    """What a service says of its deployments replaces the defaults."""
    assert planned["worker"]['aws_ecs_service.fixed["this"]'] == {
        "availability_zone_rebalancing": "ENABLED",
        "capacity_provider_strategy": [{"base": 0, "capacity_provider": "FARGATE", "weight": 1}],
        "cluster": "arn:aws:ecs:ap-northeast-1:123456789012:cluster/shop-dev",
        "deployment_circuit_breaker": [{"enable": True, "rollback": True}],
        "deployment_maximum_percent": 150,
        "deployment_minimum_healthy_percent": 50,
        "desired_count": 3,
        "enable_ecs_managed_tags": True,
        "enable_execute_command": False,
        "force_new_deployment": False,
        "name": "shop-dev-worker",
        "network_configuration": [
            {
                "assign_public_ip": False,
                "security_groups": ["sg-0123456789abcdef0"],
                "subnets": ["subnet-0123456789abcdef0"],
            }
        ],
        "propagate_tags": "SERVICE",
        "scheduling_strategy": "REPLICA",
        "wait_for_steady_state": False,
    }


def test_fixed_service_has_no_autoscaling(planned: dict[str, Resources]) -> None:
    """A fixed number of tasks brings no autoscaling."""
    assert sorted(planned["worker"]) == [
        "aws_cloudwatch_log_group.this",
        'aws_ecs_service.fixed["this"]',
        "aws_ecs_task_definition.this",
        "aws_iam_role.execution",
        "aws_iam_role.task",
        "aws_iam_role_policy.execution",
    ]


def _usage_alarm(of: str, metric: str, most: int) -> dict[str, object]:
    return {
        "actions_enabled": True,
        "alarm_actions": ["arn:aws:sns:ap-northeast-1:123456789012:on-call"],
        "alarm_description": f"app: {metric} above {most} %",
        "alarm_name": f"shop-dev-app-{of}",
        "comparison_operator": "GreaterThanThreshold",
        "datapoints_to_alarm": 10,
        "dimensions": {"ClusterName": "shop-dev", "ServiceName": "shop-dev-app"},
        "evaluation_periods": 15,
        "metric_name": metric,
        "namespace": "AWS/ECS",
        "ok_actions": ["arn:aws:sns:ap-northeast-1:123456789012:on-call"],
        "period": 60,
        "statistic": "Average",
        "threshold": most,
        "treat_missing_data": "notBreaching",
    }


def _task_count(key: str, name: str) -> dict[str, object]:
    dimensions = {"ClusterName": "shop-dev", "ServiceName": "shop-dev-app"}
    source = {"dimensions": dimensions, "metric_name": name, "namespace": "ECS/ContainerInsights"}
    return query(id=key, metric=[{**source, "period": 60, "stat": "Average", "unit": ""}])


def query(**values: object) -> dict[str, object]:
    nothing: dict[str, object] = {
        "account_id": "",
        "expression": "",
        "label": "",
        "metric": [],
        "period": None,
        "return_data": False,
    }
    return {**nothing, **values}


def test_alarms(planned: dict[str, Resources]) -> None:
    """The SNS topic is notified when tasks use too much, or when fewer than the desired count run."""
    alarms = {address: values for address, values in planned["app"].items() if "metric_alarm" in address}
    queries = alarms['aws_cloudwatch_metric_alarm.running["this"]'].pop("metric_query")
    assert alarms == {
        'aws_cloudwatch_metric_alarm.usage["cpu"]': _usage_alarm("cpu", "CPUUtilization", 80),
        'aws_cloudwatch_metric_alarm.usage["memory"]': _usage_alarm("memory", "MemoryUtilization", 90),
        'aws_cloudwatch_metric_alarm.running["this"]': {
            "actions_enabled": True,
            "alarm_actions": ["arn:aws:sns:ap-northeast-1:123456789012:on-call"],
            "alarm_description": "app: running below desired count",
            "alarm_name": "shop-dev-app-running",
            "comparison_operator": "GreaterThanThreshold",
            "datapoints_to_alarm": 10,
            "evaluation_periods": 15,
            "ok_actions": ["arn:aws:sns:ap-northeast-1:123456789012:on-call"],
            "threshold": 0,
            "treat_missing_data": "notBreaching",
        },
    }
    assert queries == [
        _task_count("desired", "DesiredTaskCount"),
        _task_count("running", "RunningTaskCount"),
        query(
            id="missing",
            expression="desired - FILL(running, 0)",
            label="Tasks that are missing",
            return_data=True,
        ),
    ]


KMS_KEY = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab"


def container(name: str, image: str, **others: object) -> dict[str, object]:
    """A container of ``full``, with what they have in common."""
    options = {
        "awslogs-group": "/ecs/shop-dev-shop",
        "awslogs-region": "ap-northeast-1",
        "awslogs-stream-prefix": name,
        "max-buffer-size": "4m",
        "mode": "non-blocking",
    }
    return {
        "environment": [],
        "essential": True,
        "image": image,
        "linuxParameters": {"initProcessEnabled": True},
        "logConfiguration": {"logDriver": "awslogs", "options": options},
        "mountPoints": [],
        "name": name,
        "portMappings": [],
        "readonlyRootFilesystem": True,
        "stopTimeout": 30,
        "systemControls": [],
        "volumesFrom": [],
        **others,
    }


def mount(volume: str, *, read_only: bool = False) -> dict[str, object]:
    return {"containerPath": f"/{volume}", "readOnly": read_only, "sourceVolume": volume}


def port(number: int, protocol: str = "tcp", **others: str) -> dict[str, object]:
    return {"containerPort": number, "hostPort": number, "protocol": protocol, **others}


def test_containers_of_a_task_that_has_all(planned: dict[str, Resources]) -> None:
    """Sidecars, secrets, ports, mounts and the order of starts are what ECS has for them."""
    secrets = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret"
    check = {"command": ["CMD", "check"], "interval": 30, "retries": 3, "startPeriod": 10, "timeout": 5}
    assert planned["full"]["aws_ecs_task_definition.this"]["container_definitions"] == [
        container(
            "proxy",
            "210987654321.dkr.ecr.ap-northeast-1.amazonaws.com/envoy:1.31",
            cpu=64,
            healthCheck=check,
            memory=128,
            portMappings=[port(8081, name="http")],
            secrets=[
                {"name": "KEY", "valueFrom": f"{secrets}:proxy-key-AbCdEf"},
                {"name": "TOKEN", "valueFrom": "token"},
            ],
        ),
        container(
            "setup",
            "public.ecr.aws/docker/library/busybox:1.37",
            essential=False,
            mountPoints=[mount("scratch")],
        ),
        container(
            "shop",
            "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/shop-dev-shop:1",
            dependsOn=[
                {"condition": "HEALTHY", "containerName": "proxy"},
                {"condition": "SUCCESS", "containerName": "setup"},
            ],
            environment=[{"name": "LOG_LEVEL", "value": "info"}, {"name": "PORT", "value": "80"}],
            mountPoints=[mount("archive", read_only=True), mount("data"), mount("scratch")],
            portMappings=[
                port(80),
                port(5353, "udp", name="dns"),
                port(9090, name="rpc", appProtocol="grpc"),
            ],
            readonlyRootFilesystem=False,
            secrets=[
                {"name": "API_KEY", "valueFrom": "/shop/api-key"},
                {"name": "PASSWORD", "valueFrom": f"{secrets}:shop/db:password::"},
                {"name": "USER", "valueFrom": f"{secrets}:shop/db:user::"},
            ],
            systemControls=[{"namespace": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
        ),
    ]


def efs(
    file_system: str, *, access_point: str = "", iam: str = "ENABLED", root: str = "/"
) -> list[dict[str, object]]:
    return [
        {
            "authorization_config": [{"access_point_id": access_point, "iam": iam}],
            "file_system_id": file_system,
            "root_directory": root,
            "transit_encryption": "ENABLED",
            "transit_encryption_port": 0,
        }
    ]


def test_volumes(planned: dict[str, Resources]) -> None:
    """What goes to and from EFS is encrypted, for every client; any other folder is the task's."""
    volumes = [
        (volume["name"], volume["efs_volume_configuration"])
        for module in ("full", "routed")
        for volume in planned[module]["aws_ecs_task_definition.this"]["volume"]
    ]
    assert volumes == [
        ("archive", efs("fs-0123456789abcdef1", root="/archive")),
        ("data", efs("fs-0123456789abcdef0", access_point="fsap-0123456789abcdef0")),
        ("scratch", []),
        ("data", efs("fs-0123456789abcdef0", iam="DISABLED")),
    ]


def test_routed_logs(planned: dict[str, Resources]) -> None:
    """The router gets the other containers' output and writes its own to CloudWatch Logs."""
    definitions = planned["routed"]["aws_ecs_task_definition.this"]["container_definitions"]
    keys = ("firelensConfiguration", "logConfiguration", "user")
    assert {each["name"]: {key: each.get(key) for key in keys} for each in definitions} == {
        "log_router": {
            "firelensConfiguration": {"options": {"enable-ecs-log-metadata": "true"}, "type": "fluentbit"},
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": "/ecs/shop-dev-routed",
                    "awslogs-region": "ap-northeast-1",
                    "awslogs-stream-prefix": "log_router",
                    "mode": "blocking",
                },
            },
            "user": "0",
        },
        "routed": {
            "firelensConfiguration": None,
            "logConfiguration": {
                "logDriver": "awsfirelens",
                "options": {"Name": "kinesis_firehose", "delivery_stream": "shop"},
            },
            "user": None,
        },
    }


def allowed(policy: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    """Every effect, action, resource and condition of a policy."""
    return {
        (statement["Effect"], action, resource, json.dumps(statement.get("Condition", {})))
        for statement in policy["Statement"]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_execution_role_of_a_task_that_has_all(planned: dict[str, Resources]) -> None:
    """To start a task, ECS may only read its secrets and use the key that encrypts them."""
    place = "ap-northeast-1:123456789012"
    repository = f"arn:aws:ecr:{place}:repository/shop-dev-shop"
    proxy = "arn:aws:ecr:ap-northeast-1:210987654321:repository/envoy"
    logs = f"arn:aws:logs:{place}:log-group:/ecs/shop-dev-shop:*"
    for_secrets = json.dumps(
        {"StringLike": {"kms:ViaService": ["secretsmanager.ap-northeast-1.*", "ssm.ap-northeast-1.*"]}}
    )
    assert allowed(planned["full"]["aws_iam_role_policy.execution"]["policy"]) == {
        ("Allow", "logs:CreateLogStream", logs, "{}"),
        ("Allow", "logs:PutLogEvents", logs, "{}"),
        ("Allow", "ecr:BatchCheckLayerAvailability", repository, "{}"),
        ("Allow", "ecr:BatchGetImage", repository, "{}"),
        ("Allow", "ecr:GetDownloadUrlForLayer", repository, "{}"),
        ("Allow", "ecr:BatchCheckLayerAvailability", proxy, "{}"),
        ("Allow", "ecr:BatchGetImage", proxy, "{}"),
        ("Allow", "ecr:GetDownloadUrlForLayer", proxy, "{}"),
        ("Allow", "ecr:GetAuthorizationToken", "*", "{}"),
        ("Allow", "ssm:GetParameters", f"arn:aws:ssm:{place}:parameter/shop/api-key", "{}"),
        ("Allow", "ssm:GetParameters", f"arn:aws:ssm:{place}:parameter/token", "{}"),
        (
            "Allow",
            "secretsmanager:GetSecretValue",
            f"arn:aws:secretsmanager:{place}:secret:shop/db-??????",
            "{}",
        ),
        (
            "Allow",
            "secretsmanager:GetSecretValue",
            f"arn:aws:secretsmanager:{place}:secret:proxy-key-AbCdEf",
            "{}",
        ),
        ("Allow", "kms:Decrypt", KMS_KEY, for_secrets),
    }


def test_task_role_of_a_task_that_has_all(planned: dict[str, Resources]) -> None:
    """Containers may do what the service declares, mount its EFS volumes, open a logged shell, no more."""
    place = "ap-northeast-1:123456789012"
    shell_logs = f"arn:aws:logs:{place}:log-group:/ecs-exec/shop-dev:*"
    files = f"arn:aws:elasticfilesystem:{place}"
    point = {"elasticfilesystem:AccessPointArn": f"{files}:access-point/fsap-0123456789abcdef0"}
    at_point = json.dumps({"StringEquals": point})
    here = json.dumps({"StringEquals": {"aws:ResourceAccount": "123456789012"}})
    assert allowed(planned["full"]['aws_iam_role_policy.task["this"]']["policy"]) == {
        ("Allow", "ssmmessages:CreateControlChannel", "*", "{}"),
        ("Allow", "ssmmessages:CreateDataChannel", "*", "{}"),
        ("Allow", "ssmmessages:OpenControlChannel", "*", "{}"),
        ("Allow", "ssmmessages:OpenDataChannel", "*", "{}"),
        ("Allow", "logs:DescribeLogGroups", "arn:aws:logs:ap-northeast-1:123456789012:log-group:*", "{}"),
        ("Allow", "logs:CreateLogStream", shell_logs, "{}"),
        ("Allow", "logs:DescribeLogStreams", shell_logs, "{}"),
        ("Allow", "logs:PutLogEvents", shell_logs, "{}"),
        ("Allow", "kms:Decrypt", KMS_KEY, "{}"),
        ("Allow", "elasticfilesystem:ClientMount", f"{files}:file-system/fs-0123456789abcdef1", "{}"),
        ("Allow", "elasticfilesystem:ClientMount", f"{files}:file-system/fs-0123456789abcdef0", at_point),
        ("Allow", "elasticfilesystem:ClientWrite", f"{files}:file-system/fs-0123456789abcdef0", at_point),
        ("Allow", "s3:GetObject", "arn:aws:s3:::shop-orders/*", here),
        ("Deny", "s3:DeleteObject", "*", "{}"),
    }


def test_resources_of_a_task_that_has_all(planned: dict[str, Resources]) -> None:
    """Every resource that can have tags has the service's, and managed policies are attached."""
    resources = planned["full"]
    tagged = {address for address, values in resources.items() if values.get("tags") == {"team": "shop"}}
    untagged = {
        "aws_iam_role_policy.execution",
        'aws_iam_role_policy.task["this"]',
        'aws_iam_role_policy_attachment.task["arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"]',
    }
    assert resources.keys() - tagged == untagged


def test_log_group_and_shell_of_a_task_that_has_all(planned: dict[str, Resources]) -> None:
    """Logs are encrypted with the key, and the service lets ECS Exec in."""
    resources = planned["full"]
    log_group, service = (
        resources["aws_cloudwatch_log_group.this"],
        resources['aws_ecs_service.fixed["this"]'],
    )
    assert log_group["kms_key_id"] == KMS_KEY
    assert service["enable_execute_command"] is True
