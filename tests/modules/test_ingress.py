from .plans import Resources
from .test_ecs_service import query

NOT_FOUND = {
    "authenticate_cognito": [],
    "authenticate_oidc": [],
    "fixed_response": [{"content_type": "text/plain", "message_body": "Not found", "status_code": "404"}],
    "forward": [],
    "redirect": [],
    "target_group_arn": None,
    "type": "fixed-response",
}
CERTIFICATE = "arn:aws:acm:ap-northeast-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
BUCKET = "shop-prod-access-logs-123456789012"


def load_balancer(**values: object) -> dict[str, object]:
    """A load balancer with what every one has."""
    return {
        "client_keep_alive": 3600,
        "desync_mitigation_mode": "defensive",
        "drop_invalid_header_fields": True,
        "enable_http2": True,
        "enable_tls_version_and_cipher_suite_headers": False,
        "enable_waf_fail_open": False,
        "enable_xff_client_port": False,
        "enable_zonal_shift": False,
        "load_balancer_type": "application",
        "preserve_host_header": False,
        "security_groups": ["sg-0123456789abcdef0"],
        "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "xff_header_processing_mode": "append",
        **values,
    }


def test_load_balancer(planned: dict[str, Resources]) -> None:
    """It is protected, drops what is malformed, and logs what it does."""
    assert planned["ingress"]["aws_lb.this"] == load_balancer(
        name="shop-prod",
        internal=False,
        idle_timeout=60,
        enable_deletion_protection=True,
        access_logs=[{"bucket": BUCKET, "enabled": True, "prefix": None}],
    )


def test_listeners(planned: dict[str, Resources]) -> None:
    """HTTP leads to HTTPS, which speaks TLS 1.2 and 1.3 and finds nothing by itself."""
    redirect = {
        "host": "#{host}",
        "path": "/#{path}",
        "port": "443",
        "protocol": "HTTPS",
        "query": "#{query}",
        "status_code": "HTTP_301",
    }
    listeners = {
        address: values for address, values in planned["ingress"].items() if "aws_lb_listener" in address
    }
    assert listeners == {
        'aws_lb_listener.this["http"]': {
            "default_action": [
                {**NOT_FOUND, "fixed_response": [], "redirect": [redirect], "type": "redirect"}
            ],
            "port": 80,
            "protocol": "HTTP",
        },
        'aws_lb_listener.this["https"]': {
            "certificate_arn": CERTIFICATE,
            "default_action": [NOT_FOUND],
            "port": 443,
            "protocol": "HTTPS",
            "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        },
    }


def test_logs(planned: dict[str, Resources]) -> None:
    """The bucket of the logs is encrypted, closed to the public, and forgets."""
    buckets = {
        address: values for address, values in planned["ingress"].items() if "aws_s3_bucket" in address
    }
    del buckets['aws_s3_bucket_policy.logs["this"]']  # among the permissions
    lifecycle = buckets.pop('aws_s3_bucket_lifecycle_configuration.logs["this"]')
    (rule,) = lifecycle.pop("rule")
    assert lifecycle["bucket"] == BUCKET
    assert {key: value for key, value in rule.items() if value} == {
        "abort_incomplete_multipart_upload": [{"days_after_initiation": 1}],
        "expiration": [{"date": None, "days": 365, "expired_object_delete_marker": False}],
        "filter": [
            {
                "and": [],
                "object_size_greater_than": None,
                "object_size_less_than": None,
                "prefix": "",
                "tag": [],
            }
        ],
        "id": "expire",
        "noncurrent_version_expiration": [{"newer_noncurrent_versions": None, "noncurrent_days": 30}],
        "status": "Enabled",
    }
    assert buckets == {
        'aws_s3_bucket.logs["this"]': {"bucket": BUCKET, "force_destroy": False},
        'aws_s3_bucket_public_access_block.logs["this"]': {
            "block_public_acls": True,
            "block_public_policy": True,
            "bucket": BUCKET,
            "ignore_public_acls": True,
            "restrict_public_buckets": True,
        },
        'aws_s3_bucket_server_side_encryption_configuration.logs["this"]': {
            "bucket": BUCKET,
            "rule": [
                {
                    "apply_server_side_encryption_by_default": [
                        {"kms_master_key_id": "", "sse_algorithm": "AES256"}
                    ],
                    "bucket_key_enabled": None,
                }
            ],
        },
        'aws_s3_bucket_versioning.logs["this"]': {
            "bucket": BUCKET,
            "versioning_configuration": [{"status": "Enabled"}],
        },
    }


def test_alarm(planned: dict[str, Resources]) -> None:
    """The SNS topic is notified when the load balancer itself fails more than 1 % of the requests."""
    alarm = planned["ingress"]['aws_cloudwatch_metric_alarm.errors["this"]']
    of_load_balancer = {"namespace": "AWS/ApplicationELB", "period": 60, "stat": "Sum", "unit": ""}
    assert alarm == {
        "actions_enabled": True,
        "alarm_actions": ["arn:aws:sns:ap-northeast-1:123456789012:on-call"],
        "alarm_description": "Load balancer: more than 1 % of requests fail with a 5xx error of its own",
        "alarm_name": "shop-prod-load-balancer-errors",
        "comparison_operator": "GreaterThanThreshold",
        "datapoints_to_alarm": 3,
        "evaluation_periods": 5,
        "metric_query": [
            query(id="errors", metric=[{**of_load_balancer, "metric_name": "HTTPCode_ELB_5XX_Count"}]),
            query(id="requests", metric=[{**of_load_balancer, "metric_name": "RequestCount"}]),
            query(
                id="share",
                expression="100 * FILL(errors, 0) / (FILL(errors, 0) + FILL(requests, 0))",
                label="Requests that end in an error, percent",
                return_data=True,
            ),
        ],
        "ok_actions": ["arn:aws:sns:ap-northeast-1:123456789012:on-call"],
        "threshold": 1,
        "treat_missing_data": "notBreaching",
    }


def test_alarms_of_a_balanced_service(planned: dict[str, Resources]) -> None:
    """A balanced service has alarms for errors and slow responses; one for tasks only on request."""
    alarms = {
        address.partition(".")[2]: (
            values["alarm_name"],
            values["threshold"],
            values.get("extended_statistic"),
        )
        for address, values in planned["balanced"].items()
        if "metric_alarm" in address
    }
    name = "shop-dev-a-service-with-a-long-name"
    assert alarms == {
        'errors["this"]': (f"{name}-errors", 5, None),
        'response_time["this"]': (f"{name}-response-time", 0.3, "p99"),
        'usage["cpu"]': (f"{name}-cpu", 90, None),
        'usage["memory"]': (f"{name}-memory", 90, None),
    }


def test_record(planned: dict[str, Resources]) -> None:
    """The domain leads to the load balancer."""
    assert planned["ingress"]['aws_route53_record.this["this"]'] == {
        "alias": [{"evaluate_target_health": True}],
        "name": "shop.example.com",
        "type": "A",
        "zone_id": "Z0123456789ABCDEFGHIJ",
    }


def test_inside_the_vpc(planned: dict[str, Resources]) -> None:
    """Without certificate, domain and logs it is a load balancer with a listener for HTTP."""
    acl = (
        "arn:aws:wafv2:ap-northeast-1:123456789012:regional/webacl/shop/12345678-1234-1234-1234-123456789012"
    )
    assert planned["internal_ingress"] == {
        "aws_lb.this": load_balancer(
            name="shop-dev", internal=True, idle_timeout=120, enable_deletion_protection=False
        ),
        'aws_lb_listener.this["http"]': {"default_action": [NOT_FOUND], "port": 80, "protocol": "HTTP"},
        'aws_wafv2_web_acl_association.this["this"]': {"web_acl_arn": acl},
    }


def test_target_group(planned: dict[str, Resources]) -> None:
    """A target group has a name of 32 characters at most, and the service's health check path."""
    assert planned["balanced"]['aws_lb_target_group.this["this"]'] == {
        "deregistration_delay": "60",
        "health_check": [
            {
                "enabled": True,
                "healthy_threshold": 3,
                "interval": 5,
                "matcher": "200-399",
                "path": "/healthz",
                "port": "traffic-port",
                "protocol": "HTTP",
                "timeout": 4,
                "unhealthy_threshold": 3,
            }
        ],
        "lambda_multi_value_headers_enabled": False,
        "name": "shop-dev-a-service-with-a-2ce46b",
        "port": 80,
        "protocol": "HTTP",
        "proxy_protocol_v2": False,
        "slow_start": 0,
        "target_type": "ip",
        "vpc_id": "vpc-0123456789abcdef0",
    }


def test_listener_rule(planned: dict[str, Resources]) -> None:
    """A service's rule sends it the requests for its hosts and paths."""
    rule = planned["balanced"]['aws_lb_listener_rule.this["this"]']
    conditions = [
        {key: values for key, values in condition.items() if values} for condition in rule["condition"]
    ]
    assert rule["priority"] == 100
    assert [action["type"] for action in rule["action"]] == ["forward"]
    assert conditions == [
        {"host_header": [{"values": ["shop.example.com"]}]},
        {"path_pattern": [{"values": ["/api/*"]}]},
    ]


def test_balanced_service(planned: dict[str, Resources]) -> None:
    """The load balancer sends requests to the service's container, and waits for its grace period."""
    service = planned["balanced"]['aws_ecs_service.autoscaled["this"]']
    assert service["health_check_grace_period_seconds"] == 90
    assert service["load_balancer"] == [
        {"container_name": "a-service-with-a-long-name", "container_port": 80, "elb_name": ""}
    ]


def test_requests_for_each_task(planned: dict[str, Resources]) -> None:
    """The number of tasks follows the requests, beside the CPU."""
    policies = {
        address: [
            (metric["predefined_metric_specification"][0]["predefined_metric_type"], metric["target_value"])
            for metric in values["target_tracking_scaling_policy_configuration"]
        ]
        for address, values in planned["balanced"].items()
        if "aws_appautoscaling_policy" in address
    }
    assert policies == {
        'aws_appautoscaling_policy.requests["this"]': [("ALBRequestCountPerTarget", 1000)],
        'aws_appautoscaling_policy.this["cpu"]': [("ECSServiceAverageCPUUtilization", 60)],
    }
