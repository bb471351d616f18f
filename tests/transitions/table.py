"""The changes, each as keys that are merged into one base; null removes a key."""

from dataclasses import dataclass

BASE = """
application: shop
account: "123456789012"
region: eu-central-1
zones: [eu-central-1a, eu-central-1b]
services:
  web: { image: "nginx:1.29", port: 8080, public: true, calls: [orders], health_check: { path: / } }
  orders: { image: "nginx:1.29", port: 8080 }
"""


@dataclass(frozen=True)
class Change:
    """A change of the base.

    Attributes:
        name: What changes.
        after: The keys that change, as YAML.
    """

    name: str
    after: str


CHANGES = (
    Change("desired count", "services: { orders: { desired_count: 3 } }"),
    Change("service connect", "discovery: service_connect"),
    Change("port of a public service", "services: { web: { port: 8081 } }"),
    Change("port of a called service", "services: { orders: { port: 8081 } }"),
    Change("shared security groups", "security: shared"),
    Change("service added", 'services: { extra: { image: "nginx:1.29", port: 8080 } }'),
    Change("call removed", "services: { web: { calls: null } }"),
    Change("call added", "services: { orders: { calls: [web] } }"),
    Change("not public", "services: { web: { public: null } }"),
    Change("autoscaling", "services: { orders: { autoscaling: { min: 1, max: 4, cpu: 70 } } }"),
    Change("cpu and memory", "services: { orders: { cpu: 512, memory: 1024 } }"),
    Change("environment variable", "services: { orders: { environment: { LEVEL: info } } }"),
    Change("zone added", "zones: [eu-central-1a, eu-central-1b, eu-central-1c]"),
    Change("zones reordered", "zones: [eu-central-1b, eu-central-1a]"),
    Change("private subnets", "network: { subnets: private, nat: single }"),
    Change("load balancer", "ingress: { type: alb }"),
    Change(
        "rename",
        "services: { orders: null, sales: { image: 'nginx:1.29', port: 8080, "
        "renamed_from: [orders] }, web: { calls: [sales] } }",
    ),
    Change(
        "swap",
        "services: { orders: null, sales: { image: 'nginx:1.29', port: 8080 }, web: { calls: [sales] } }",
    ),
    Change("group", "services: { orders: { group: back } }"),
    Change("exec", "services: { orders: { exec: true } }"),
    Change("spot", "services: { orders: { capacity_providers: { FARGATE_SPOT: 1 } } }"),
    Change("log retention", "log_retention_in_days: 7"),
    Change("tags", "tags: { team: platform }"),
    Change("flow logs", "network: { flow_logs: false }"),
)
