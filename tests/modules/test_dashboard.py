import json

from .plans import Resources


def _widget(place: tuple[int, int], title: str, stat: str, metrics: list[list[object]]) -> dict[str, object]:
    properties = {
        "title": title,
        "region": "ap-northeast-1",
        "period": 60,
        "stat": stat,
        "view": "timeSeries",
        "metrics": metrics,
    }
    return {"type": "metric", "x": place[0], "y": place[1], "width": 8, "height": 6, "properties": properties}


def _of_services(namespace: str, metric: str) -> list[list[object]]:
    return [
        [
            namespace,
            metric,
            "ClusterName",
            "shop-dev",
            "ServiceName",
            f"shop-dev-{service}",
            {"label": service},
        ]
        for service in ("orders", "web")
    ]


def _of_load_balancer(metric: str) -> list[list[object]]:
    return [["AWS/ApplicationELB", metric, "LoadBalancer", "app/shop-dev/0123456789abcdef"]]


def test_example(planned: dict[str, Resources]) -> None:
    """The dashboard shows the load balancer's requests first, then what each service uses."""
    resource = planned["dashboard"]["aws_cloudwatch_dashboard.this"]
    assert resource["dashboard_name"] == "shop-dev"
    assert json.loads(resource["dashboard_body"]) == {
        "widgets": [
            _widget((0, 0), "Errors of services, 5xx", "Sum", _of_load_balancer("HTTPCode_Target_5XX_Count")),
            _widget((8, 0), "Requests a minute", "Sum", _of_load_balancer("RequestCount")),
            _widget((16, 0), "Response time, p99 in seconds", "p99", _of_load_balancer("TargetResponseTime")),
            _widget((0, 6), "CPU, percent", "Average", _of_services("AWS/ECS", "CPUUtilization")),
            _widget((8, 6), "Memory, percent", "Average", _of_services("AWS/ECS", "MemoryUtilization")),
            _widget(
                (16, 6), "Tasks running", "Average", _of_services("ECS/ContainerInsights", "RunningTaskCount")
            ),
        ]
    }
