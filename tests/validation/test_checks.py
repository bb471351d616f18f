"""Checks of keys against keys."""

from pathlib import Path

import pytest

from fleetform.base.errors import CatalogError
from tests.catalog.catalogs import HEAD, loaded


def problems(root: Path, catalog: str) -> list[str]:
    """Return the problems in line 6: column and message."""
    with pytest.raises(CatalogError) as refused:
        loaded(root, catalog)
    lines = str(refused.value).splitlines()
    return [line.removeprefix("envs/catalog.yaml:6:") for line in lines]


# Keys of `services.a` in addition to its image, which ends at column 21, and the problems.
WRONG: list[tuple[str, list[str]]] = [
    (
        "schedule: rate(1 hour), run_before: [b]",
        ["46: `a` has both `schedule` and `run_before`; remove one of them"],
    ),
    (
        "schedule: rate(1 hour), desired_count: 2",
        ["46: `desired_count` and `schedule` cannot be used together; remove one of them"],
    ),
    (
        "schedule: rate(1 hour), port: 2, public: true",
        [
            "46: `port` and `schedule` cannot be used together; remove one of them",
            "55: `public` and `schedule` cannot be used together; remove one of them",
        ],
    ),
    (
        "run_before: [b], autoscaling: { min: 1, max: 2 }",
        ["39: `autoscaling` and `run_before` cannot be used together; remove one of them"],
    ),
    (
        "run_before: [c]",
        ["35: `a` runs before unknown service `c`; known: b"],
    ),
    (
        "run_before: [b], group: front",
        ["39: a `run_before` task is always in the stack `tasks`; remove `group`"],
    ),
    (
        "group: tasks",
        ["29: `tasks` is reserved for the stack of `run_before` tasks; choose a different name"],
    ),
    (
        "ports: { dns: { container_port: 53, protocol: udp } }, service_connect: { port: dns }",
        ["102: Service Connect supports only TCP; choose a TCP port"],
    ),
    (
        "ports: { admin: 9090 }, discovery: { record_type: SRV }",
        ["72: `a` has an SRV record but no `port`; add `port:`, or set `record_type: A`"],
    ),
    (
        "run_before: [a]",
        ["35: `a` runs before itself; known: b"],
    ),
    (
        "port: 2, autoscaling: { min: 1, max: 2, requests_per_target: 9 }",
        [
            "62: `a` is not public, so the load balancer sends it no requests; add `public: true`",
            (
                "62: `requests_per_target` needs a load balancer, but the environment's `ingress.type` "
                "is `direct`; set that to `alb` or `internal_alb`, or remove this key"
            ),
        ],
    ),
    (
        "port: 2, ingress: {}",
        [
            "31: `a` has `ingress` but is not public; add `public: true`",
            (
                "31: `ingress` needs a load balancer, but the environment's `ingress.type` is `direct`; "
                "set that to `alb` or `internal_alb`, or remove this key"
            ),
        ],
    ),
    (
        "port: 2, public: true, ingress: { port: admni }, ports: { admin: 3 }",
        [
            (
                "45: `ingress` needs a load balancer, but the environment's `ingress.type` is `direct`; "
                "set that to `alb` or `internal_alb`, or remove this key"
            ),
            "62: `a` has no port named `admni`; did you mean `admin`?",
        ],
    ),
    (
        "port: 2, service_connect: { port: admin }",
        ["56: `a` has no port named `admin`; none is defined here"],
    ),
    (
        "autoscaling: { min: 1, max: 2, schedule: { night: { expression: rate(1 day), min: 2, max: 1 } } }",
        ["104: `min` is greater than `max`; swap them"],
    ),
    (
        "capacity_providers: { FARGATE: 0 }",
        ["22: every capacity provider has weight 0; give at least one a `weight`"],
    ),
    (
        "capacity_providers: { FARGATE: { weight: 1, base: 1 }, FARGATE_SPOT: { weight: 1, base: 2 } }",
        [
            (
                "110: `FARGATE` and `FARGATE_SPOT` both have a `base`; remove one of them, because ECS allows"
                " only one"
            )
        ],
    ),
    (
        "capacity_providers: { EC2: 1 }",
        [
            (
                "44: `EC2` is not a valid key of `services.a.capacity_providers`; expected `FARGATE` or"
                " `FARGATE_SPOT`"
            )
        ],
    ),
    (
        "port: 80, ports: { admin: 80 }",
        [
            (
                "48: port 80/tcp is already used by `port`; choose a different one, because the "
                "containers of a task share their ports"
            )
        ],
    ),
    (
        "ports: { a: 80, b: 80, c: { container_port: 80, protocol: udp } }",
        [
            (
                "41: port 80/tcp is already used by `ports.a`; "
                "choose a different one, because the containers of a task share their ports"
            )
        ],
    ),
    (
        "port: 80, sidecars: { s: { image: y, ports: { http: 80 } } }",
        [
            (
                "74: port 80/tcp is already used by `port`; choose a different one, because the "
                "containers of a task share their ports"
            )
        ],
    ),
    (
        "calls: [{}]",
        ["30: a call from `a` has no target; set exactly one of `service`, `host` and `cidr`"],
    ),
    (
        "calls: [{ service: b, host: a.example }]",
        ["30: a call from `a` has `service` and `host`; set exactly one of `service`, `host` and `cidr`"],
    ),
    (
        "calls: [{ host: a.example }]",
        ["30: `a.example` needs a port number; add `port:` with a number"],
    ),
    (
        "calls: [{ cidr: 192.0.2.0/24, port: admin }]",
        ["58: `192.0.2.0/24` needs a port number; add `port:` with a number"],
    ),
    (
        "calls: [{ cidr: 192.0.2.1/24, port: 1 }]",
        ["38: `services.a.calls[0].cidr` is `192.0.2.1/24`; did you mean the network `192.0.2.0/24`?"],
    ),
    (
        "calls: [{ service: b, namespace: x.internal, cidr: 192.0.2.0/24 }]",
        ["30: `b.x.internal` needs a port number; add `port:` with a number"],
    ),
    (
        "calls: [{ service: b, namespace: x.internal, port: 1 }]",
        [
            (
                "55: the network of `b.x.internal` is unknown; "
                "add `cidr:` with its VPC's CIDR block; that VPC must be this one or peered with it"
            )
        ],
    ),
    (
        "calls: [{ service: b_c, namespace: x.internal, cidr: 192.0.2.0/24, port: 1 }]",
        ["41: `b_c` is not a DNS label; write the service's name in its namespace"],
    ),
    (
        "calls: [{ service: b, cidr: 192.0.2.0/24 }]",
        ["30: a call from `a` has `service` and `cidr`; set exactly one of `service`, `host` and `cidr`"],
    ),
    (
        "calls: [{ cidr: 192.0.2.0/24, port: 1, variable: B }]",
        ["71: `192.0.2.0/24` has no DNS name to put in a variable; add `host:`, or remove `variable`"],
    ),
    (
        "calls: [{ host: a.example, namespace: x.internal, port: 1 }]",
        ["60: `namespace` is set without `service`; add the `service:` in that namespace"],
    ),
    (
        "calls: [{ service: b, port: admni }]",
        ["50: `b` has no port named `admni`; did you mean `admin`?"],
    ),
    (
        "calls: [{ service: b, port: 9090 }]",
        ["50: `b` has no port named `9090`; known: admin"],
    ),
    (
        "calls: [{ service: b, protocol: udp }]",
        ["54: the port of `b` already sets the protocol; remove `protocol`"],
    ),
    (
        "calls: [{ service: b, port: admin }, { service: b, port: admin }]",
        ["70: `a` calls `b` twice; list it once"],
    ),
    (
        "calls: [8080]",
        ["30: `a` calls unknown service `8080`; known: b"],
    ),
    (
        "calls: [{ service: c }]",
        ["41: `a` calls unknown service `c`; known: b"],
    ),
    (
        "calls: [{ servcie: b }]",
        ["32: unknown key `servcie` in `services.a.calls[0]`; did you mean `service`?"],
    ),
    (
        "environment: { A: x }, secrets: { A: /x }",
        ["56: `A` is also in `environment`; remove one of them"],
    ),
    (
        "port: 1, secrets: { PORT: /x }",
        ["48: `PORT` is already set by `port`; remove it here"],
    ),
    (
        "calls: [{ service: b, variable: HOME_OF_B }], environment: { HOME_OF_B: x }",
        ["94: `HOME_OF_B` is already set by `calls: [b]`; remove it here"],
    ),
    (
        "calls: [{ service: b, port: admin }], environment: { B_ADMIN_URL: x }",
        ["88: `B_ADMIN_URL` is already set by `calls: [b]`; remove it here"],
    ),
    (
        "calls: [b, { host: b.example, port: 1, variable: B_URL }]",
        ["71: `calls: [b]` already sets `B_URL`; give this call a different `variable`"],
    ),
    (
        "port: 2, calls: [{ service: b, variable: PORT }]",
        ["63: `port` already sets `PORT`; give this call a different `variable`"],
    ),
    (
        "secrets: { A: {} }",
        ["33: `A` has neither `parameter` nor `secret`; set exactly one of them"],
    ),
    (
        "secrets: { A: { parameter: /x, secret: y } }",
        ["33: `A` has both `parameter` and `secret`; set exactly one of them"],
    ),
    (
        "secrets: { A: { parameter: /x, json_key: y } }",
        ["53: SSM parameters have no JSON keys; remove `json_key`, or use `secret`"],
    ),
    (
        "secrets: { A: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:x' }",
        [
            (
                "36: `services.a.secrets.A` is `arn:aws:secretsmanager:eu-west-1:123456789012:secret:x`; "
                "expected a parameter name or ARN, such as /shop/db/password; for Secrets Manager write "
                "`{ secret: ... }`"
            )
        ],
    ),
    (
        "secrets: { A: { secret: x-secret } }",
        [
            (
                "46: Secrets Manager reads the end of `x-secret` as the suffix of an ARN; write the secret's"
                " full ARN"
            )
        ],
    ),
    (
        (
            "volumes: { d: { container_path: /x, efs: "
            "{ file_system_id: fs-01234567, access_point_id: fsap-01234567, root_directory: /y } } }"
        ),
        ["126: `root_directory` conflicts with the access point, which sets the folder; remove one of them"],
    ),
    (
        "logs: { mode: non-blocking, max_buffer_size_mib: 1, routing: { Name: 'null' } }",
        [
            (
                "30: `mode` applies only to CloudWatch Logs, not to `routing`; "
                "remove it, or set it in the options of `routing`"
            ),
            (
                "50: `max_buffer_size_mib` applies only to CloudWatch Logs, not to `routing`; "
                "remove it, or set it in the options of `routing`"
            ),
        ],
    ),
    (
        "logs: { routing: { Name: 'null' } }, sidecars: { log_router: { image: y, user: '1' } }",
        ["101: ECS runs the log router only as user 0; remove `user`"],
    ),
    (
        "exec: true",
        ["22: ECS Exec needs a writable root file system in `a`; add `read_only: false`, or remove `exec`"],
    ),
    (
        "secrets: { A: [x] }",
        ["36: `services.a.secrets.A` is a list; expected a mapping: `key: value` lines"],
    ),
    (
        "health_check: { interval: 5 }",
        ["22: the health check has neither `command` nor `path`; add one of them"],
    ),
    (
        "ulimits: { nofile: { soft_limit: 2, hard_limit: 1 } }",
        ["55: `soft_limit` is greater than `hard_limit`; swap them"],
    ),
    (
        "ulimits: { nproc: { soft_limit: 1, hard_limit: 1 } }",
        ["33: `nproc` is not a valid key of `services.a.ulimits`; expected `nofile`"],
    ),
    (
        "sidecars: { a: { image: y } }",
        ["34: `a` is already the service's own container; choose a different name"],
    ),
    (
        "sidecars: { s: {} }",
        ["34: `image` is missing in `services.a.sidecars.s`; add `image:`"],
    ),
    (
        "sidecars: { s: { image: y, health_check: { path: /x } } }",
        ["65: a sidecar's health check cannot use `path`; use `command`"],
    ),
    (
        "sidecars: { s: { image: y, environment: { A: x }, secrets: { A: /x } } }",
        ["83: `A` is also in `environment`; remove one of them"],
    ),
    (
        "sidecars: { s: { image: y, mounts: { data: /x } } }",
        ["59: unknown volume `data`; none is defined here"],
    ),
    (
        "sidecars: { s: { image: y, mounts: { data: /x } } }, volumes: { dta: /y }",
        ["59: unknown volume `data`; did you mean `dta`?"],
    ),
    (
        "depends_on: { s: start }",
        ["36: unknown sidecar `s`; none is defined here"],
    ),
    (
        "depends_on: { s: healthy }, sidecars: { s: { image: y } }",
        [
            (
                "39: `s` has no health check, so it never becomes healthy; add a `health_check` to `s`, "
                "or wait for `start`"
            )
        ],
    ),
    (
        "depends_on: { s: ready }, sidecars: { s: { image: y } }",
        ["39: `services.a.depends_on.s` is `ready`; expected `start`, `complete`, `success` or `healthy`"],
    ),
    (
        "sidecars: { s: { image: y, depends_on: { t: start } }, t: { image: y, depends_on: { s: start } } }",
        ["49: dependency cycle `s` -> `t` -> `s`; remove one of the dependencies"],
    ),
    (
        "logs: { max_buffer_size_mib: 1 }",
        ["30: `max_buffer_size_mib` requires `mode: non-blocking`; add the mode, or remove this key"],
    ),
    (
        "renamed_from: b",
        ["36: `a` was renamed from `b`, which is still a service; remove one of them"],
    ),
    (
        "renamed_from: [c, b]",
        ["40: `a` was renamed from `b`, which is still a service; remove one of them"],
    ),
    (
        "group: foundation",
        ["29: `foundation` is reserved for the stack of shared resources; choose a different name"],
    ),
    (
        "adopt: { repository: shop-dev-a, ecs_service: shop-dev-a }",
        ["31: `a` has no repository, because it is not built here; remove this key"],
    ),
    (
        "adopt: { log_group: /ecs/a }",
        [
            (
                "42: `/ecs/a` would be replaced by `/ecs/shop-dev-a`, because AWS cannot rename it; "
                "set a matching `name_prefix`, or do not adopt it"
            )
        ],
    ),
    (
        "adopt: { discovery_service: srv-0 }",
        ["31: `a` has no DNS name, because it has no `port`; remove this key"],
    ),
    (
        "schedule: rate(1 hour), adopt: { ecs_service: shop-dev-a }",
        ["55: `a` is not an ECS service, because its tasks run to completion; remove this key"],
    ),
    (
        "renamed_from: a",
        ["36: `a` is already named that; remove `renamed_from`, or write the previous name"],
    ),
    (
        "schedule: hourly",
        [
            (
                "32: `services.a.schedule` is `hourly`; "
                "expected cron(0 3 * * ? *), rate(5 minutes), rate(1 hour) or at(2030-01-31T03:00:00)"
            )
        ],
    ),
    (
        "volumes: { data: x }",
        [
            (
                "39: `services.a.volumes.data` is `x`; "
                "expected an absolute path without spaces and colons, such as /var/data"
            )
        ],
    ),
    (
        "volumes: { data: { container_path: /x, efs: { file_system_id: x } } }",
        [
            (
                "84: `services.a.volumes.data.efs.file_system_id` is `x`; expected an ID, such as"
                " fs-0123456789abcdef0"
            )
        ],
    ),
    (
        "user: a b",
        ["28: `services.a.user` is `a b`; expected a user, by name or number, such as 1000 or app:app"],
    ),
    (
        "stop_timeout: 121",
        ["36: `services.a.stop_timeout` is `121`; expected 120 or less"],
    ),
    (
        "ephemeral_storage: 20",
        ["41: `services.a.ephemeral_storage` is `20`; expected 21 or more"],
    ),
    (
        "task_role: { policies: [x] }",
        [
            (
                "46: `services.a.task_role.policies[0]` is `x`; "
                "expected an ARN, such as arn:aws:iam::123456789012:policy/read-orders"
            )
        ],
    ),
    (
        "task_role: { statements: [{ sid: a b, actions: [x], resources: [y] }] }",
        ["55: `services.a.task_role.statements[0].sid` is `a b`; expected letters and digits, at most 64"],
    ),
    (
        "deployment: { maximum_percent: 100 }",
        ["53: `services.a.deployment.maximum_percent` is `100`; expected 101 or more"],
    ),
    (
        "discovery: { record_type: CNAME }",
        ["48: `services.a.discovery.record_type` is `CNAME`; expected `A` or `SRV`"],
    ),
    (
        "group: Front",
        ["29: `services.a.group` is `Front`; expected lower-case letters, digits and hyphens, at most 40"],
    ),
    (
        "entry_point: run",
        ["35: `services.a.entry_point` is `run`; expected a list, such as [run]"],
    ),
    (
        "ports: { Admin: 1 }",
        [
            (
                "31: `Admin` is not a valid key of `services.a.ports`; "
                "expected lower-case letters, digits and single hyphens, at most 40"
            )
        ],
    ),
    (
        "port: 2, public: true, ingress: { paths: [api], hosts: [x] }",
        [
            (
                "64: `services.a.ingress.paths[0]` is `api`; "
                "expected a path pattern that begins with /, at most 128 characters, such as /api/*"
            ),
            (
                "78: `services.a.ingress.hosts[0]` is `x`; "
                "expected a host name of at most 128 characters, such as shop.example.com or *.example.com"
            ),
        ],
    ),
]


@pytest.mark.parametrize(("entry", "expected"), WRONG, ids=[entry for entry, _ in WRONG])
def test_keys_that_do_not_fit_together_are_refused(tmp_path: Path, entry: str, expected: list[str]) -> None:
    services = (
        f"  a: {{ image: 'x:1', {entry} }}\n  b: {{ image: 'x:1', port: 1, ports: {{ admin: 9090 }} }}\n"
    )
    assert problems(tmp_path, f"{HEAD}services:\n{services}") == expected


def test_two_ports_of_a_service_may_be_called(tmp_path: Path) -> None:
    services = (
        "  a: { image: 'x:1', calls: [b, { service: b, port: admin }] }\n"
        "  b: { image: 'x:1', port: 1, ports: { admin: 9090 } }\n"
    )
    environment = loaded(tmp_path, f"{HEAD}services:\n{services}")
    assert [call.port for call in environment.services["a"].calls] == [None, "admin"]


def test_a_task_that_runs_before_another_such_task_is_refused(tmp_path: Path) -> None:
    services = (
        "  a: { image: 'x:1', run_before: [b] }\n  b: { image: 'x:1', run_before: [c] }\n  c: {"
        " image: 'x:1' }\n"
    )
    assert problems(tmp_path, f"{HEAD}services:\n{services}") == [
        "35: `a` runs before `b`, which is itself a `run_before` task; list the services that wait for both"
    ]


def test_two_services_cannot_have_had_the_same_name(tmp_path: Path) -> None:
    services = "  b: { image: 'x:1', renamed_from: c }\n  a: { image: 'x:1', renamed_from: c }\n"
    assert problems(tmp_path, f"{HEAD}services:\n{services}") == [
        "envs/catalog.yaml:7:36: `b` was already renamed from `c`; remove one of them"
    ]


def test_a_name_is_the_short_form_of_a_call(tmp_path: Path) -> None:
    services = "  b: { image: 'x:1', port: 1 }\n"
    short, long = (
        loaded(tmp_path, f"{HEAD}services:\n  a: {{ image: 'x:1', calls: [{call}] }}\n{services}")
        for call in ("b", "{ service: b }")
    )
    assert short == long
