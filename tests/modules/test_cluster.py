from .plans import Resources


def test_example(planned: dict[str, Resources]) -> None:
    """The cluster has container insights and both kinds of Fargate."""
    assert planned["cluster"] == {
        "aws_ecs_cluster.this": {"name": "shop-dev", "setting": [{"name": "containerInsights", "value": "enabled"}]},
        "aws_ecs_cluster_capacity_providers.this": {
            "capacity_providers": ["FARGATE", "FARGATE_SPOT"],
            "cluster_name": "shop-dev",
            "default_capacity_provider_strategy": [{"base": 0, "capacity_provider": "FARGATE", "weight": 1}],
        },
    }
