"""Checks against AWS's limits."""

from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import CatalogError
from fleetform.catalog.inheritance import resolve_inheritance
from fleetform.catalog.nodes import parse_yaml
from fleetform.validation.loading import validate
from tests.catalog.catalogs import HEAD, loaded

WEB = HEAD + "services:\n  web: { image: 'nginx:1', port: 80, public: true }\n"


def problems(root: Path, environment: str) -> list[str]:
    """Return the problems of an environment, without its file's name."""
    with pytest.raises(CatalogError) as refused:
        loaded(root, WEB, environment)
    lines = str(refused.value).splitlines()
    return [line.removeprefix("envs/dev/environment.yaml:") for line in lines]


# An environment and its problems.
WRONG: list[tuple[str, list[str]]] = [
    (
        "adopt: { cluster: web }",
        [
            (
                "1:19: `web` would be replaced by `shop-dev`, because AWS cannot rename it; "
                "set a matching `name_prefix`, or do not adopt it"
            )
        ],
    ),
    (
        "adopt: { namespace: ns-0 }",
        [
            (
                "1:10: an adopted namespace needs an adopted or existing VPC; add `vpc`, or `network: { vpc:"
                " ... }`"
            )
        ],
    ),
    (
        (
            "adopt: { vpc: vpc-01234567 }\n"
            "network: { vpc: { id: vpc-01234567, public_subnets: [subnet-01234567, subnet-01234568] } }\n"
        ),
        ["1:10: `adopt.vpc` and `network.vpc` cannot be used together; remove one of them"],
    ),
    (
        "network: { nat: single }",
        ["1:17: NAT gateways require private subnets; add `subnets: private`, or remove this key"],
    ),
    (
        "network: { endpoints: [s3] }",
        ["1:23: endpoints require private subnets; add `subnets: private`, or remove this key"],
    ),
    (
        "network: { subnets: private, nat: single, endpoints: [ecr_api] }\ningress: { type: alb }\n",
        [
            (
                "1:55: `network.endpoints[0]` is `ecr_api`; "
                "expected the end of an endpoint's name, such as s3, ecr.api or secretsmanager"
            ),
        ],
    ),
    (
        "network: { subnets: private, nat: single, endpoints: [logs, logs] }\ningress: { type: alb }\n",
        ["1:61: endpoint `logs` is listed twice; list it once"],
    ),
    (
        (
            "network: { subnets: private }\ningress: { type: alb }\n"
            "services: { web: { sidecars: { log: { image: 'log:1' } } } }\n"
        ),
        [
            (
                "envs/catalog.yaml:6:17: `nginx:1` is not in ECR in eu-west-1, and private subnets "
                "without NAT cannot reach other registries; copy the image there, or add `nat: single` "
                "or `nat: per_zone` to `network`"
            ),
            (
                "3:46: `log:1` is not in ECR in eu-west-1, and private subnets without NAT cannot reach "
                "other registries; copy the image there, or add `nat: single` or `nat: per_zone` to "
                "`network`"
            ),
        ],
    ),
    (
        (
            "network: { subnets: private, endpoints: [logs, ssmmessages] }\ningress: { type: alb }\n"
            "services:\n  web: { image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1, secrets: { "
            "KEY: /key } }\n"
        ),
        [
            (
                "1:41: tasks cannot start without NAT gateways or endpoints for `ecr.api`, `ecr.dkr`, `ssm`; "
                "list them too, or remove `endpoints`"
            ),
        ],
    ),
    (
        "network: { subnets: private, nat: single }",
        [
            (
                "1:21: `ingress.type: direct` needs public addresses, which tasks in private subnets do "
                "not have; add `ingress: { type: alb }`"
            )
        ],
    ),
    (
        (
            "network: { cidr: 10.0.0.0/21, subnets: private, nat: single }\n"
            "ingress: { type: alb }\n"
            "zones: [eu-west-1a, eu-west-1b, eu-west-1c, eu-west-1d]\n"
        ),
        [
            (
                "1:18: 10.0.0.0/21 has room for only 7 subnets; use a larger network for 4 zones with "
                "public and private subnets"
            )
        ],
    ),
    (
        (
            "network: { cidr: 10.0.0.0/16, vpc: { id: vpc-0123456789abcdef0, public_subnets: [subnet-01"
            "234567, subnet-01234567] } }"
        ),
        [
            "1:12: `cidr` and `vpc` cannot be used together; remove one of them",
            "1:99: subnet `subnet-01234567` is listed twice; list a different subnet",
        ],
    ),
    (
        "network: { vpc: { id: vpc-0123456789abcdef0, public_subnets: [subnet-01234567] } }",
        [
            (
                "1:62: `public_subnets` lists 1 subnets for 2 zones; list one subnet for each zone, in the"
                " same"
                " order"
            )
        ],
    ),
    (
        (
            "network: { nat: none, subnets: private, "
            "vpc: { id: vpc-0123456789abcdef0, public_subnets: [subnet-01234567, subnet-01234568] } }\n"
            "ingress: { type: none }\n"
        ),
        [
            "1:12: `nat` and `vpc` cannot be used together; remove one of them",
            (
                "1:41: `private_subnets` lists 0 subnets for 2 zones; list one subnet for each zone, in the"
                " same order"
            ),
        ],
    ),
    (
        (
            "network: { endpoints: [s3], flow_logs: true, vpc: { id: vpc-01234567, tags: { Name: a }, "
            "public_subnets: [subnet-01234567, subnet-01234568], public_subnet_tags: { tier: a } } }"
        ),
        [
            "1:12: `endpoints` and `vpc` cannot be used together; remove one of them",
            "1:29: `flow_logs` and `vpc` cannot be used together; remove one of them",
            "1:46: `vpc` has both `id` and `tags`; set exactly one of them",
            "1:90: `public_subnets` and `public_subnet_tags` cannot be used together; remove one of them",
        ],
    ),
    (
        "network: { subnets: private, vpc: { private_subnet_tags: { tier: a } } }\ningress: { type: alb }\n",
        [
            (
                "1:30: `public_subnets` lists 0 subnets for 2 zones; list one subnet for each zone, in the"
                " same"
                " order"
            ),
            "1:30: `vpc` has neither `id` nor `tags`; set exactly one of them",
        ],
    ),
    (
        "network: { vpc: { id: vpc-x } }",
        ["1:23: `network.vpc.id` is `vpc-x`; expected an ID, such as vpc-0123456789abcdef0"],
    ),
    (
        "ingress: { certificate: 'arn:aws:acm:eu-west-1:123456789012:certificate/x', domain: a.example }",
        [
            (
                "1:12: `certificate` needs a load balancer, but `ingress.type` is `direct`; "
                "set that to `alb` or `internal_alb`, or remove this key"
            ),
            (
                "1:77: `domain` needs a load balancer, but `ingress.type` is `direct`; "
                "set that to `alb` or `internal_alb`, or remove this key"
            ),
        ],
    ),
    (
        "ingress: { type: alb, certificate: 'arn:aws:acm:us-east-1:999999999999:certificate/x' }",
        [
            (
                "1:36: `ingress.certificate` is in account 999999999999; use one in the environment's "
                "account 123456789012"
            ),
            "1:36: `ingress.certificate` is in us-east-1; use one in the environment's region eu-west-1",
        ],
    ),
    (
        "ingress: { type: elb }",
        ["1:18: `ingress.type` is `elb`; expected `direct`, `alb`, `internal_alb` or `none`"],
    ),
    (
        "ingress: { cidrs: [192.0.2.1/24] }",
        ["1:20: `ingress.cidrs[0]` is `192.0.2.1/24`; did you mean the network `192.0.2.0/24`?"],
    ),
    (
        "services: { web: { autoscaling: { min: 1, max: 2, requests_per_target: 10 } } }",
        [
            (
                "1:51: `requests_per_target` needs a load balancer, but the environment's `ingress.type` "
                "is `direct`; set that to `alb` or `internal_alb`, or remove this key"
            )
        ],
    ),
    (
        (
            "services: { web: { ingress: { paths: [/a, /b, /c], hosts: [a.example, b.example, c.example] "
            "} } }\ningress: { type: alb }\n"
        ),
        ["1:20: a load balancer rule can have at most 5 paths and hosts; combine some with wildcards"],
    ),
    (
        "role: arn:aws:iam::999999999999:role/deploy",
        ["1:7: `role` is in account 999999999999; use one in the environment's account 123456789012"],
    ),
    (
        "role: deploy",
        ["1:7: `role` is `deploy`; expected an ARN, such as arn:aws:iam::123456789012:role/deploy"],
    ),
    (
        "kms_key: 'arn:aws:kms:eu-west-1:123456789012:key/x'",
        [
            (
                "1:10: `kms_key` is `arn:aws:kms:eu-west-1:123456789012:key/x`; expected an ARN, such as"
                " arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab"
            )
        ],
    ),
    (
        "kms_key: 'arn:aws:kms:us-east-1:123456789012:key/mrk-1234abcd12ab34cda6ef1234567890ab'",
        ["1:10: `kms_key` is in us-east-1; use one in the environment's region eu-west-1"],
    ),
    (
        "namespace_arn: 'arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-0123456789abcdef'",
        [
            "1:1: `namespace_arn` is set without `namespace`; add `namespace:` with its name",
            "1:16: `namespace_arn` is in us-east-1; use one in the environment's region eu-west-1",
        ],
    ),
    (
        (
            "discovery: service_connect\nservices: { a: { image: 'x:1', schedule: rate(1 hour), calls:"
            " [web] }"
            " }\n"
        ),
        [
            (
                "2:56: `a` is a task, and tasks cannot call Service Connect names; "
                "set `discovery: dns`, or remove its calls"
            )
        ],
    ),
    (
        (
            "discovery: service_connect\n"
            "services:\n"
            "  web: { ports: { admin: 9090 } }\n"
            "  a: { image: 'x:1', calls: [{ service: web, port: admin }, b] }\n"
            "  b: { image: 'x:1', port: 1, ports: { admin: 2 }, service_connect: { port: admin } }\n"
        ),
        [
            (
                "4:52: `a` calls `web` on port `admin`, but Service Connect offers only its `port`; "
                "call its `port`, or offer a different one: `service_connect: { port: ... }`"
            ),
            (
                "4:61: `a` calls `b` on its `port`, but Service Connect offers only port `admin`; "
                "call port `admin`, or offer a different one: `service_connect: { port: ... }`"
            ),
        ],
    ),
    (
        (
            "services:\n"
            "  web: { ports: { admin: 9090 }, discovery: { record_type: SRV } }\n"
            "  a: { image: 'x:1', calls: [web, { service: web, port: admin }] }\n"
        ),
        [
            (
                "3:57: `a` calls `web` on port `admin`, but its SRV record holds only its `port`; "
                "call its `port`, or set `record_type: A`"
            )
        ],
    ),
    (
        (
            "discovery: service_connect\nservices: { a: { image: 'x:1', port: 1, service_connect: { alias:"
            " web"
            " } } }\n"
        ),
        ["2:16: `web` and `a` have the same name in Service Connect; give one of them a different `alias`"],
    ),
    (
        "name_prefix: my_shop\ningress: { type: alb }\n",
        [
            (
                "1:14: `my_shop` is not a valid load balancer name; set a `name_prefix` of at most 32 "
                "letters, digits and hyphens that does not begin with `internal-`"
            )
        ],
    ),
    (
        "name_prefix: internal-shop\ningress: { type: alb }\n",
        [
            (
                "1:14: `internal-shop` is not a valid load balancer name; set a `name_prefix` of at most "
                "32 letters, digits and hyphens that does not begin with `internal-`"
            )
        ],
    ),
    (
        "name_prefix: ppppppppppppppppppppppppppppppppp\ningress: { type: internal_alb }\n",
        [
            (
                "1:14: `ppppppppppppppppppppppppppppppppp` is not a valid load balancer name; set a "
                "`name_prefix` of at most 32 letters, digits and hyphens that does not begin with "
                "`internal-`"
            )
        ],
    ),
    (
        "ingress: { hosted_zone: Z0123, access_logs: false }",
        [
            "1:12: `hosted_zone` is set without `domain`; add `domain:`",
            (
                "1:12: `hosted_zone` needs a load balancer, but `ingress.type` is `direct`; "
                "set that to `alb` or `internal_alb`, or remove this key"
            ),
            (
                "1:32: `access_logs` needs a load balancer, but `ingress.type` is `direct`; "
                "set that to `alb` or `internal_alb`, or remove this key"
            ),
        ],
    ),
    (
        "ingress: { type: alb, web_acl: 'arn:aws:wafv2:us-east-1:123456789012:regional/webacl/shop/x' }",
        ["1:32: `ingress.web_acl` is in us-east-1; use one in the environment's region eu-west-1"],
    ),
    (
        "ingress: { type: alb, hosted_zone: example.com, domain: shop.example.com }",
        [
            (
                "1:36: `ingress.hosted_zone` is `example.com`; expected a hosted zone ID, such as"
                " Z0123456789ABCDEFGHIJ"
            )
        ],
    ),
    (
        "tags: { Team: a, team: b }",
        ["1:18: tags `Team` and `team` differ only in case, which IAM ignores; remove one of them"],
    ),
    (
        "tags: { name: a }",
        ["1:9: tags `Name` and `name` differ only in case, which IAM ignores; remove one of them"],
    ),
    (
        "services: { web: { tags: { application: a, Application: b } } }",
        [
            (
                "1:28: tags `Application` and `application` differ only in case, which IAM ignores; remove"
                " one"
                " of them"
            )
        ],
    ),
    (
        "services: { web: { calls: [{ cidr: 10.0.3.0/24, port: 1 }] } }",
        ["1:36: 10.0.3.0/24 overlaps the environment's network 10.0.0.0/16; call the services in it by name"],
    ),
    (
        (
            "network: { subnets: private }\n"
            "ingress: { type: alb }\n"
            "services: { web: { image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1,\n"
            "calls: [{ host: a.example.com, port: 1 }, { cidr: 8.8.8.0/24, port: 1 }, "
            "{ host: b.example.com, cidr: 10.9.0.0/16, port: 1 }] } }"
        ),
        [
            (
                f"4:{column}: `{called}` is on the internet, which is unreachable without NAT; "
                "set `network.nat` to `single` or `per_zone`, or add the private `cidr:` that it is in"
            )
            for column, called in ((9, "a.example.com"), (43, "8.8.8.0/24"))
        ],
    ),
    (
        (
            "services: { web: { sidecars: { s: { image: 'y:1', cpu: 200, memory: 400 }, t: { image: 'y:"
            "1', cpu: 57, memory: 113 } } } }"
        ),
        [
            (
                "1:20: the sidecars' `cpu` adds up to 257, but the task has only 256; "
                "raise the service's `cpu`, or lower theirs"
            ),
            (
                "1:20: the sidecars' `memory` adds up to 513, but the task has only 512; "
                "raise the service's `memory`, or lower theirs"
            ),
        ],
    ),
]


@pytest.mark.parametrize(("environment", "expected"), WRONG, ids=[environment for environment, _ in WRONG])
def test_a_catalog_that_aws_would_refuse_is_refused(
    tmp_path: Path, environment: str, expected: list[str]
) -> None:
    assert problems(tmp_path, environment) == expected


INSIDE = "services: { web: { public: false, image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1 } }\n"


@pytest.mark.parametrize(
    ("network", "endpoints"),
    [
        ("{ subnets: private }", None),
        (
            "{ subnets: private, endpoints: [logs, ecr.dkr, ecr.api, sqs] }",
            ("logs", "ecr.dkr", "ecr.api", "sqs"),
        ),
        ("{ subnets: private, nat: single, endpoints: [] }", ()),
        ("{ subnets: private, vpc: { id: vpc-01234567, private_subnet_tags: { tier: private } } }", None),
        ("{ endpoints: [] }", ()),
    ],
)
def test_a_network_in_which_tasks_can_start_is_valid(
    tmp_path: Path, network: str, endpoints: tuple[str, ...] | None
) -> None:
    assert loaded(tmp_path, WEB, f"network: {network}\n{INSIDE}").network.endpoints == endpoints


def tags(count: int) -> str:
    return "tags: { " + ", ".join(f"t{number}: x" for number in range(count)) + " }\n"


def test_a_resource_has_as_many_tags_as_aws_allows(tmp_path: Path) -> None:
    assert len(loaded(tmp_path, WEB, tags(47)).tags) == 47


def test_more_tags_than_aws_allows_are_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, tags(48)) == [
        (
            "1:1: a resource can have at most 50 tags, but this one has 51 including application,"
            " environment, "
            "Name; remove some"
        )
    ]


def test_variables_that_a_task_definition_has_no_room_for_are_refused(tmp_path: Path) -> None:
    environment = f"services: {{ web: {{ environment: {{ A: '{'é' * 32_800}' }} }} }}\n"
    assert problems(tmp_path, environment) == [
        (
            "1:20: the variables and commands of `web` take 65622 bytes, but ECS limits a task "
            "definition to 65536; move long values to a file in the image or to S3"
        )
    ]


def test_a_policy_that_is_too_long_is_refused(tmp_path: Path) -> None:
    statement = f"{{ actions: ['s3:GetObject'], resources: ['{'x' * 10_240}'] }}"
    assert problems(tmp_path, f"services: {{ web: {{ task_role: {{ statements: [{statement}] }} }} }}\n") == [
        (
            "1:33: the statements have 10287 characters, but IAM limits a role to 10240; "
            "create a managed policy and list it in `policies`"
        )
    ]


def test_more_containers_than_a_task_may_have_are_refused(tmp_path: Path) -> None:
    sidecars = ", ".join(f"s{number}: {{ image: 'y:1' }}" for number in range(10))
    assert problems(tmp_path, f"services: {{ web: {{ sidecars: {{ {sidecars} }} }} }}\n") == [
        "1:20: a task can have at most 10 containers, including the service's own; keep at most 9 sidecars"
    ]


def test_a_default_bucket_name_that_is_too_long_is_refused() -> None:
    text = WEB.replace("shop", "a-shop-of-many-services")
    tree, _ = parse_yaml(text, PurePath("catalog.yaml"))
    with pytest.raises(CatalogError) as refused:
        validate(resolve_inheritance(tree, "integration-of-everything", ["integration-of-everything"]))
    assert str(refused.value) == (
        "catalog.yaml:1:14: bucket name "
        "`a-shop-of-many-services-integration-of-everything-tfstate-123456789012` is longer than 63 "
        "characters; set a shorter one with `state: { bucket: ... }`"
    )
