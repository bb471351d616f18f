"""Checks of keys against keys."""

from pathlib import Path

import pytest

from fleetform.errors import CatalogError
from tests.catalog.catalogs import HEAD, loaded


def problems(root: Path, catalog: str) -> list[str]:
    """Where in line 6 something is wrong, and what is said."""
    with pytest.raises(CatalogError) as refused:
        loaded(root, catalog)
    lines = str(refused.value).splitlines()
    return [line.removeprefix("envs/catalog.yaml:6:") for line in lines]


# What `services.a` has besides its image, which ends at column 21, and what is said of it.
WRONG: list[tuple[str, list[str]]] = [
    (
        "schedule: rate(1 hour), run_before: [b]",
        ["46: `a` has both `schedule` and `run_before`; keep one of them"],
    ),
    (
        "schedule: rate(1 hour), desired_count: 2",
        ["46: `desired_count` and `schedule` exclude each other; keep one of them"],
    ),
    (
        "schedule: rate(1 hour), port: 2, public: true",
        [
            "46: `port` and `schedule` exclude each other; keep one of them",
            "55: `public` and `schedule` exclude each other; keep one of them",
        ],
    ),
    (
        "run_before: [b], autoscaling: { min: 1, max: 2 }",
        ["39: `autoscaling` and `run_before` exclude each other; keep one of them"],
    ),
    (
        "run_before: [c]",
        ["35: `a` runs before `c`, which is no other service; known: b"],
    ),
    (
        "run_before: [b], group: front",
        ["39: a task with `run_before` is in the stack `tasks`, and in no group; remove it"],
    ),
    (
        "group: tasks",
        ["29: `tasks` is the stack of tasks that run before services are updated; choose another name"],
    ),
    (
        "ports: { dns: { container_port: 53, protocol: udp } }, service_connect: { port: dns }",
        ["102: Service Connect's proxies speak TCP; name a port of tcp"],
    ),
    (
        "ports: { admin: 9090 }, discovery: { record_type: SRV }",
        ["72: an SRV record holds the `port` of `a`, which has none; give it one, or choose `A`"],
    ),
    (
        "run_before: [a]",
        ["35: `a` runs before `a`, which is no other service; known: b"],
    ),
    (
        "port: 2, autoscaling: { min: 1, max: 2, requests_per_target: 9 }",
        [
            "62: `a` gets no requests from a load balancer: it is not public; add `public: true`",
            (
                "62: `requests_per_target` needs a load balancer, and the environment's `ingress.type` is `direct`; "
                "choose `alb` or `internal_alb` there, or remove it"
            ),
        ],
    ),
    (
        "port: 2, ingress: {}",
        [
            "31: `a` has `ingress` but is not public; add `public: true`",
            (
                "31: `ingress` needs a load balancer, and the environment's `ingress.type` is `direct`; "
                "choose `alb` or `internal_alb` there, or remove it"
            ),
        ],
    ),
    (
        "port: 2, public: true, ingress: { port: admni }, ports: { admin: 3 }",
        [
            (
                "45: `ingress` needs a load balancer, and the environment's `ingress.type` is `direct`; "
                "choose `alb` or `internal_alb` there, or remove it"
            ),
            "62: `admni` is none of the `ports` of `a`; did you mean `admin`?",
        ],
    ),
    (
        "port: 2, service_connect: { port: admin }",
        ["56: `admin` is none of the `ports` of `a`; none is known here"],
    ),
    (
        ("autoscaling: { min: 1, max: 2, schedule: { night: { expression: rate(1 day), min: 2, max: 1 } } }"),
        ["104: `min` is greater than `max`; swap them"],
    ),
    (
        "capacity_providers: { FARGATE: 0 }",
        ["22: no capacity provider has a weight; give one a weight"],
    ),
    (
        "capacity_providers: { FARGATE: { weight: 1, base: 1 }, FARGATE_SPOT: { weight: 1, base: 2 } }",
        ["110: `FARGATE` and `FARGATE_SPOT` both have a `base`; ECS allows one; keep one of them"],
    ),
    (
        "capacity_providers: { EC2: 1 }",
        ["44: `EC2` cannot be a key of `services.a.capacity_providers`; `FARGATE` or `FARGATE_SPOT` is expected"],
    ),
    (
        "port: 80, ports: { admin: 80 }",
        [("48: port 80 of tcp is that of `port` already; the containers of a task share their ports: choose another")],
    ),
    (
        "ports: { a: 80, b: 80, c: { container_port: 80, protocol: udp } }",
        [
            (
                "41: port 80 of tcp is that of `ports.a` already; "
                "the containers of a task share their ports: choose another"
            )
        ],
    ),
    (
        "port: 80, sidecars: { s: { image: y, ports: { http: 80 } } }",
        [("74: port 80 of tcp is that of `port` already; the containers of a task share their ports: choose another")],
    ),
    (
        "calls: [{}]",
        ["30: a call of `a` names nothing; name one of `service`, `host` and `cidr`"],
    ),
    (
        "calls: [{ service: b, host: a.example }]",
        ["30: a call of `a` names `service` and `host`; name one of `service`, `host` and `cidr`"],
    ),
    (
        "calls: [{ host: a.example }]",
        ["30: `a.example` needs a port's number; add `port:` with the number"],
    ),
    (
        "calls: [{ cidr: 192.0.2.0/24, port: admin }]",
        ["58: `192.0.2.0/24` needs a port's number; add `port:` with the number"],
    ),
    (
        "calls: [{ cidr: 192.0.2.1/24, port: 1 }]",
        [("38: `services.a.calls[0].cidr` is `192.0.2.1/24`; did you mean the network `192.0.2.0/24`?")],
    ),
    (
        "calls: [{ service: b, namespace: x.internal, cidr: 192.0.2.0/24 }]",
        ["30: `b.x.internal` needs a port's number; add `port:` with the number"],
    ),
    (
        "calls: [{ service: b, namespace: x.internal, port: 1 }]",
        [
            (
                "55: nothing here knows the network of `b.x.internal`; "
                "add `cidr:` with its VPC's, which has to be peered with this one or be the same"
            )
        ],
    ),
    (
        "calls: [{ service: b_c, namespace: x.internal, cidr: 192.0.2.0/24, port: 1 }]",
        ["41: `b_c` is no DNS label; give the service's name in its namespace"],
    ),
    (
        "calls: [{ service: b, cidr: 192.0.2.0/24 }]",
        ["30: a call of `a` names `service` and `cidr`; name one of `service`, `host` and `cidr`"],
    ),
    (
        "calls: [{ cidr: 192.0.2.0/24, port: 1, variable: B }]",
        ["71: `192.0.2.0/24` has no name for a variable to hold; add `host:`, or remove it"],
    ),
    (
        "calls: [{ host: a.example, namespace: x.internal, port: 1 }]",
        ["60: `namespace` without `service`; name the service in it"],
    ),
    (
        "calls: [{ service: b, port: admni }]",
        ["50: `admni` is none of the `ports` of `b`; did you mean `admin`?"],
    ),
    (
        "calls: [{ service: b, port: 9090 }]",
        ["50: `9090` is none of the `ports` of `b`; known: admin"],
    ),
    (
        "calls: [{ service: b, protocol: udp }]",
        ["54: the protocol is that of the port of `b`; remove it"],
    ),
    (
        "calls: [{ service: b, port: admin }, { service: b, port: admin }]",
        ["70: `a` calls `b` twice; name it once"],
    ),
    (
        "calls: [8080]",
        ["30: `a` calls `8080`, which is no service; known: b"],
    ),
    (
        "calls: [{ service: c }]",
        ["41: `a` calls `c`, which is no service; known: b"],
    ),
    (
        "calls: [{ servcie: b }]",
        ["32: unknown key `servcie` in `services.a.calls[0]`; did you mean `service`?"],
    ),
    (
        "environment: { A: x }, secrets: { A: /x }",
        ["56: `A` is in `environment` too; keep one of them"],
    ),
    (
        "port: 1, secrets: { PORT: /x }",
        ["48: `PORT` is set by Fleetform; remove it: `port` sets it"],
    ),
    (
        "calls: [{ service: b, variable: HOME_OF_B }], environment: { HOME_OF_B: x }",
        ["94: `HOME_OF_B` is set by Fleetform; remove it: `calls: [b]` sets it"],
    ),
    (
        "calls: [{ service: b, port: admin }], environment: { B_ADMIN_URL: x }",
        ["88: `B_ADMIN_URL` is set by Fleetform; remove it: `calls: [b]` sets it"],
    ),
    (
        "calls: [b, { host: b.example, port: 1, variable: B_URL }]",
        ["71: `calls: [b]` sets `B_URL` already; give this call another `variable`"],
    ),
    (
        "port: 2, calls: [{ service: b, variable: PORT }]",
        ["63: `port` sets `PORT` already; give this call another `variable`"],
    ),
    (
        "secrets: { A: {} }",
        ["33: `A` has neither `parameter` nor `secret`; give one of them"],
    ),
    (
        "secrets: { A: { parameter: /x, secret: y } }",
        ["33: `A` has both `parameter` and `secret`; give one of them"],
    ),
    (
        "secrets: { A: { parameter: /x, json_key: y } }",
        ["53: SSM parameters have no keys; remove it, or name a `secret`"],
    ),
    (
        "secrets: { A: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:x' }",
        [
            (
                "36: `services.a.secrets.A` is `arn:aws:secretsmanager:eu-west-1:123456789012:secret:x`; "
                "a parameter's name or ARN is expected, such as /shop/db/password; "
                "Secrets Manager's are `{ secret: ... }`"
            )
        ],
    ),
    (
        "secrets: { A: { secret: x-secret } }",
        ["46: Secrets Manager takes the end of `x-secret` for that of an ARN; give the secret's whole ARN"],
    ),
    (
        (
            "volumes: { d: { container_path: /x, efs: "
            "{ file_system_id: fs-01234567, access_point_id: fsap-01234567, root_directory: /y } } }"
        ),
        ["126: an access point sets the folder, and `root_directory` names another; keep one of them"],
    ),
    (
        "logs: { mode: non-blocking, max_buffer_size_mib: 1, routing: { Name: 'null' } }",
        [
            (
                "30: `mode` is for CloudWatch Logs, and `routing` leads elsewhere; "
                "remove it, or say it in the options of `routing`"
            ),
            (
                "50: `max_buffer_size_mib` is for CloudWatch Logs, and `routing` leads elsewhere; "
                "remove it, or say it in the options of `routing`"
            ),
        ],
    ),
    (
        "logs: { routing: { Name: 'null' } }, sidecars: { log_router: { image: y, user: '1' } }",
        ["101: ECS runs the log router as user 0 alone; remove it"],
    ),
    (
        "exec: true",
        [
            (
                "22: ECS Exec's agent writes to the root file system of `a`, which is read-only; "
                "add `read_only: false`, or leave `exec` out"
            )
        ],
    ),
    (
        "secrets: { A: [x] }",
        ["36: `services.a.secrets.A` is a list; a mapping is expected: `key: value` lines"],
    ),
    (
        "health_check: { interval: 5 }",
        ["22: a health check has neither `command` nor `path`; give one of them"],
    ),
    (
        "ulimits: { nofile: { soft_limit: 2, hard_limit: 1 } }",
        ["55: `soft_limit` is greater than `hard_limit`; swap them"],
    ),
    (
        "ulimits: { nproc: { soft_limit: 1, hard_limit: 1 } }",
        ["33: `nproc` cannot be a key of `services.a.ulimits`; `nofile` is expected"],
    ),
    (
        "sidecars: { a: { image: y } }",
        ["34: `a` is the service's own container; choose another name"],
    ),
    (
        "sidecars: { s: {} }",
        ["34: `image` is missing in `services.a.sidecars.s`; add `image:`"],
    ),
    (
        "sidecars: { s: { image: y, health_check: { path: /x } } }",
        ["65: a sidecar has no `path` to ask; give a `command`"],
    ),
    (
        "sidecars: { s: { image: y, environment: { A: x }, secrets: { A: /x } } }",
        ["83: `A` is in `environment` too; keep one of them"],
    ),
    (
        "sidecars: { s: { image: y, mounts: { data: /x } } }",
        ["59: `data` is none of the service's `volumes`; none is known here"],
    ),
    (
        "sidecars: { s: { image: y, mounts: { data: /x } } }, volumes: { dta: /y }",
        ["59: `data` is none of the service's `volumes`; did you mean `dta`?"],
    ),
    (
        "depends_on: { s: start }",
        ["36: `s` is no sidecar; none is known here"],
    ),
    (
        "depends_on: { s: healthy }, sidecars: { s: { image: y } }",
        [("39: `s` has no health check, so that it is never healthy; give `s` a `health_check`, or wait for `start`")],
    ),
    (
        "depends_on: { s: ready }, sidecars: { s: { image: y } }",
        [("39: `services.a.depends_on.s` is `ready`; `start`, `complete`, `success` or `healthy` is expected")],
    ),
    (
        ("sidecars: { s: { image: y, depends_on: { t: start } }, t: { image: y, depends_on: { s: start } } }"),
        ["49: `s` -> `t` -> `s` wait for each other; let one of them start first"],
    ),
    (
        "logs: { max_buffer_size_mib: 1 }",
        ["30: `max_buffer_size_mib` is for `mode: non-blocking`; add the mode, or remove it"],
    ),
    (
        "renamed_from: b",
        ["36: `b`, which `a` was, is a service still; remove one of the two"],
    ),
    (
        "renamed_from: [c, b]",
        ["40: `b`, which `a` was, is a service still; remove one of the two"],
    ),
    (
        "group: foundation",
        ["29: `foundation` is the stack of what services have in common; choose another name"],
    ),
    (
        "adopt: { repository: shop-dev-a, ecs_service: shop-dev-a }",
        ["31: `a` is not built here, and so has no repository; remove it"],
    ),
    (
        "adopt: { log_group: /ecs/a }",
        [
            (
                "42: `/ecs/a` would be replaced by `/ecs/shop-dev-a`, as AWS does not rename it; "
                "give a `name_prefix` that fits, or do not adopt it"
            )
        ],
    ),
    (
        "adopt: { discovery_service: srv-0 }",
        ["31: `a` has no `port`, and so no DNS name; remove it"],
    ),
    (
        "schedule: rate(1 hour), adopt: { ecs_service: shop-dev-a }",
        ["55: `a` is started, not kept running, and so is no ECS service; remove it"],
    ),
    (
        "renamed_from: a",
        ["36: `a` has that name already; remove `renamed_from`, or give the name before"],
    ),
    (
        "schedule: hourly",
        [
            (
                "32: `services.a.schedule` is `hourly`; "
                "cron(0 3 * * ? *), rate(5 minutes), rate(1 hour) or at(2030-01-31T03:00:00) is expected"
            )
        ],
    ),
    (
        "volumes: { data: x }",
        [
            (
                "39: `services.a.volumes.data` is `x`; "
                "an absolute path without spaces and colons is expected, such as /var/data"
            )
        ],
    ),
    (
        "volumes: { data: { container_path: /x, efs: { file_system_id: x } } }",
        [("84: `services.a.volumes.data.efs.file_system_id` is `x`; an ID is expected, such as fs-0123456789abcdef0")],
    ),
    (
        "user: a b",
        ["28: `services.a.user` is `a b`; a user is expected, by name or number, such as 1000 or app:app"],
    ),
    (
        "stop_timeout: 121",
        ["36: `services.a.stop_timeout` is `121`; 120 or less is expected"],
    ),
    (
        "ephemeral_storage: 20",
        ["41: `services.a.ephemeral_storage` is `20`; 21 or more is expected"],
    ),
    (
        "task_role: { policies: [x] }",
        [
            (
                "46: `services.a.task_role.policies[0]` is `x`; "
                "an ARN is expected, such as arn:aws:iam::123456789012:policy/read-orders"
            )
        ],
    ),
    (
        "task_role: { statements: [{ sid: a b, actions: [x], resources: [y] }] }",
        [("55: `services.a.task_role.statements[0].sid` is `a b`; letters and digits are expected, 64 at most")],
    ),
    (
        "deployment: { maximum_percent: 100 }",
        ["53: `services.a.deployment.maximum_percent` is `100`; 101 or more is expected"],
    ),
    (
        "discovery: { record_type: CNAME }",
        ["48: `services.a.discovery.record_type` is `CNAME`; `A` or `SRV` is expected"],
    ),
    (
        "group: Front",
        [("29: `services.a.group` is `Front`; lower-case letters, digits and hyphens are expected, 40 at most")],
    ),
    (
        "entry_point: run",
        ["35: `services.a.entry_point` is `run`; a list is expected, such as [run]"],
    ),
    (
        "ports: { Admin: 1 }",
        [
            (
                "31: `Admin` cannot be a key of `services.a.ports`; "
                "lower-case letters, digits and single hyphens are expected, 40 at most"
            )
        ],
    ),
    (
        "port: 2, public: true, ingress: { paths: [api], hosts: [x] }",
        [
            (
                "64: `services.a.ingress.paths[0]` is `api`; "
                "a path pattern is expected that begins with /, 128 characters at most, such as /api/*"
            ),
            (
                "78: `services.a.ingress.hosts[0]` is `x`; "
                "a host name is expected, 128 characters at most, such as shop.example.com or *.example.com"
            ),
        ],
    ),
]


@pytest.mark.parametrize(("entry", "found"), WRONG, ids=[entry for entry, _ in WRONG])
def test_keys_that_do_not_fit_each_other_are_refused(tmp_path: Path, entry: str, found: list[str]) -> None:
    services = f"  a: {{ image: 'x:1', {entry} }}\n  b: {{ image: 'x:1', port: 1, ports: {{ admin: 9090 }} }}\n"
    assert problems(tmp_path, f"{HEAD}services:\n{services}") == found


def test_two_ports_of_a_service_may_be_called(tmp_path: Path) -> None:
    services = (
        "  a: { image: 'x:1', calls: [b, { service: b, port: admin }] }\n"
        "  b: { image: 'x:1', port: 1, ports: { admin: 9090 } }\n"
    )
    made = loaded(tmp_path, f"{HEAD}services:\n{services}")
    assert [call.port for call in made.services["a"].calls] == [None, "admin"]


def test_a_task_that_runs_before_another_such_task_is_refused(tmp_path: Path) -> None:
    services = "  a: { image: 'x:1', run_before: [b] }\n  b: { image: 'x:1', run_before: [c] }\n  c: { image: 'x:1' }\n"
    assert problems(tmp_path, f"{HEAD}services:\n{services}") == [
        "35: `a` runs before `b`, which is run before services as well; name the services that wait for both"
    ]


def test_two_services_cannot_have_had_the_same_name(tmp_path: Path) -> None:
    services = "  b: { image: 'x:1', renamed_from: c }\n  a: { image: 'x:1', renamed_from: c }\n"
    assert problems(tmp_path, f"{HEAD}services:\n{services}") == [
        "envs/catalog.yaml:7:36: `c` became `b` already; keep one of them"
    ]


def test_a_name_alone_is_the_short_form_of_a_call(tmp_path: Path) -> None:
    services = "  b: { image: 'x:1', port: 1 }\n"
    short, long = (
        loaded(tmp_path, f"{HEAD}services:\n  a: {{ image: 'x:1', calls: [{call}] }}\n{services}")
        for call in ("b", "{ service: b }")
    )
    assert short == long
