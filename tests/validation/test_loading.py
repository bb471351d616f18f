from datetime import date
from pathlib import Path

import pytest

from fleetform.base.errors import CatalogError, InputError
from fleetform.base.suggestions import suggestion
from fleetform.catalog.files import environment_names
from fleetform.catalog.models import (
    Autoscaling,
    Build,
    Environment,
    HealthCheck,
    Network,
    PolicyException,
    Service,
    State,
)
from fleetform.validation.loading import load
from tests.catalog.catalogs import HEAD, loaded, project, yaml_string

WEB = HEAD + "services:\n  web:\n    image: nginx\n"
KNOWN = suggestion("[key]", [*Service.model_fields, "extends", "enabled_in"])


def problems(root: Path, catalog: str, environment: str = "") -> list[str]:
    """Return the problems of a project, as they are shown."""
    with pytest.raises(CatalogError) as refused:
        loaded(root, catalog, environment)
    assert refused.value.exit_code == 2
    return str(refused.value).splitlines()


def test_a_whole_catalog_becomes_an_environment(tmp_path: Path) -> None:
    catalog = """\
application: shop
account: 123456789012
region: ap-northeast-1
zones: [ap-northeast-1a, ap-northeast-1c]
emulator: false
name_prefix: my_shop
namespace: shop.internal
network: { cidr: 172.16.0.0/20 }
security: shared
container_insights: enhanced
log_retention_in_days: 30
tags: { team: platform, cost: 1.10 }
state: { bucket: shop-state }
exceptions:
  - { rule: FF001, address: "module.*", reason: it is a test }
services:
  web:
    build: { context: containers, dockerfile: web/Dockerfile }
    port: 80
    public: true
    calls: [orders]
    environment: { DEBUG: false, RETRIES: 3, VERSION: 1.10, NAME: null }
    autoscaling: { min: 2, max: 4 }
  orders:
    image: orders:1
    command: [serve, 8080, true]
    port: 8080
    health_check: { command: [check], interval: 10, path: "/healthz?deep=1" }
    cpu: 512
    memory: 2048
    architecture: arm64
    desired_count: 3
"""
    assert loaded(tmp_path, catalog, "services: { orders: { desired_count: 1 } }") == Environment(
        name="dev",
        application="shop",
        account="123456789012",
        region="ap-northeast-1",
        zones=("ap-northeast-1a", "ap-northeast-1c"),
        emulator=False,
        name_prefix="my_shop",
        namespace="shop.internal",
        network=Network(cidr="172.16.0.0/20"),
        security="shared",
        container_insights="enhanced",
        log_retention_in_days=30,
        tags={"team": "platform", "cost": "1.10"},
        state=State(bucket="shop-state"),
        exceptions=(PolicyException(rule="FF001", address="module.*", reason="it is a test"),),
        services={
            "web": Service(
                build=Build(context="containers", dockerfile="web/Dockerfile"),
                port=80,
                public=True,
                calls=("orders",),
                environment={"DEBUG": "false", "RETRIES": "3", "VERSION": "1.10"},
                autoscaling=Autoscaling(min=2, max=4),
            ),
            "orders": Service(
                image="orders:1",
                command=("serve", "8080", "true"),
                port=8080,
                health_check=HealthCheck(command=("check",), interval=10, path="/healthz?deep=1"),
                cpu=512,
                memory=2048,
                architecture="arm64",
                desired_count=1,
            ),
        },
    )


def test_names_follow_from_application_and_environment(tmp_path: Path) -> None:
    environment = loaded(tmp_path, WEB)
    assert (environment.prefix, environment.state_bucket) == ("shop-dev", "shop-dev-tfstate-123456789012")


def test_names_can_be_set(tmp_path: Path) -> None:
    environment = loaded(tmp_path, WEB, "name_prefix: old_shop\nstate: { bucket: old-state }\n")
    assert (environment.prefix, environment.state_bucket) == ("old_shop", "old-state")


def test_all_problems_are_reported_in_one_run(tmp_path: Path) -> None:
    catalog = """\
services:
  web:
    image: nginx
    calls: [ordres]
    prot: 8080
  orders:
    image: orders
    port: 80
"""
    assert problems(tmp_path, HEAD + catalog) == [
        "envs/catalog.yaml:8:13: `web` calls unknown service `ordres`; did you mean `orders`?",
        "envs/catalog.yaml:9:5: unknown key `prot` in `services.web`; did you mean `port`?",
    ]


def test_problems_of_both_files_are_reported_together(tmp_path: Path) -> None:
    catalog = WEB + "    calls: [nobody]\n    calls: [nobody]\n"
    environment = "region: eu-west-1\nregion: eu-west-2\nservices:\n  web: { cpu: much }\n"
    assert problems(tmp_path, catalog, environment) == [
        "envs/catalog.yaml:8:13: `web` calls unknown service `nobody`; add `nobody` under `services`",
        (
            "envs/catalog.yaml:9:5: duplicate key `calls`; it is already defined at envs/catalog.yaml:8:5;"
            " keep"
            " one"
        ),
        (
            "envs/dev/environment.yaml:2:1: duplicate key `region`; "
            "it is already defined at envs/dev/environment.yaml:1:1; keep one"
        ),
        (
            "envs/dev/environment.yaml:4:15: `services.web.cpu` is `much`; expected a whole number, without"
            " quotes"
        ),
    ]


def test_a_problem_of_one_service_does_not_hide_those_of_another(tmp_path: Path) -> None:
    catalog = HEAD + "services:\n  a: { image: x, port: none }\n  b: { image: x, cpu: 300 }\n"
    assert problems(tmp_path, catalog) == [
        "envs/catalog.yaml:6:24: `services.a.port` is `none`; expected a whole number, without quotes",
        (
            "envs/catalog.yaml:7:23: Fargate does not offer 300 CPU units; use one of 256, 512, 1024, 2048, "
            "4096, 8192, 16384"
        ),
    ]


def test_wrong_values_of_an_environment_are_reported(tmp_path: Path) -> None:
    catalog = """\
application: Shop
account: 1234
region: Europe
zones: [a]
emulator: maybe
name_prefix: Shop
namespace: internal
network: { cidr: 8.8.8.0/21 }
security: open
container_insights: 1
log_retention_in_days: 2
tags: { "aws:x": 1, y: "a;b" }
state: { bucket: B }
exceptions: [{ rule: [FF001], address: 1, reason: short }]
services: { Web: { image: "a b" } }
"""
    assert problems(tmp_path, catalog) == [
        (
            "envs/catalog.yaml:1:14: `application` is `Shop`; "
            "expected lower-case letters, digits and single hyphens, at most 24"
        ),
        "envs/catalog.yaml:2:10: `account` is `1234`; expected the 12 digits of an AWS account",
        "envs/catalog.yaml:3:9: `region` is `Europe`; expected a region, such as ap-northeast-1",
        "envs/catalog.yaml:4:8: `zones` is a list; expected 2 or more entries",
        "envs/catalog.yaml:5:11: `emulator` is `maybe`; expected true or false, without quotes",
        (
            "envs/catalog.yaml:6:14: `name_prefix` is `Shop`; expected lower-case words joined by - or _, at "
            "most 40 characters"
        ),
        (
            "envs/catalog.yaml:7:12: `namespace` is `internal`; "
            "expected a DNS domain of two or more labels, such as dev.shop.internal"
        ),
        (
            "envs/catalog.yaml:8:18: `network.cidr` is `8.8.8.0/21`; "
            "expected a private IPv4 network from /16 (AWS's largest) to /21"
        ),
        "envs/catalog.yaml:9:11: `security` is `open`; expected `edges` or `shared`",
        "envs/catalog.yaml:10:21: `container_insights` is `1`; expected `enhanced`, `enabled` or `disabled`",
        (
            "envs/catalog.yaml:11:24: `log_retention_in_days` is `2`; expected a retention of CloudWatch "
            "Logs: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, "
            "2557, 2922, 3288, 3653"
        ),
        (
            "envs/catalog.yaml:12:9: `aws:x` is not a valid key of `tags`; "
            "expected 1 to 128 letters, digits, spaces and . : / = + - @ _, not beginning with aws:"
        ),
        (
            "envs/catalog.yaml:12:24: `tags.y` is `a;b`; "
            "expected at most 256 letters, digits, spaces and . : / = + - @ _"
        ),
        (
            "envs/catalog.yaml:13:18: `state.bucket` is `B`; expected 3 to 63 lower-case letters, digits and"
            " hyphens"
        ),
        "envs/catalog.yaml:14:22: `exceptions[0].rule` is a list; expected text",
        "envs/catalog.yaml:14:51: `exceptions[0].reason` is `short`; expected 10 or more characters",
        (
            "envs/catalog.yaml:15:13: `Web` is not a valid key of `services`; "
            "expected lower-case letters, digits and single hyphens, at most 40"
        ),
        (
            "envs/catalog.yaml:15:27: `services.Web.image` is `a b`; expected an image reference, such as"
            " nginx:1.29"
        ),
    ]


# Wrong YAML of `services.web`, the column, and the problem.
WRONG_SERVICE = [
    ("build: here", 12, "`services.web.build` is `here`; expected a mapping: `key: value` lines"),
    ("build: [here]", 12, "`services.web.build` is a list; expected a mapping: `key: value` lines"),
    ("build: { context: [x] }", 23, "`services.web.build.context` is a list; expected text"),
    (
        "build: { context: ../x }",
        23,
        (
            "`services.web.build.context` is `../x`; "
            "expected a path inside this repository, of letters, digits and . _ - /"
        ),
    ),
    (
        "build: { context: x, dockerfile: /etc/passwd }",
        38,
        (
            "`services.web.build.dockerfile` is `/etc/passwd`; "
            "expected a path inside this repository, of letters, digits and . _ - /"
        ),
    ),
    ("build: {}", 5, "`context` is missing in `services.web.build`; add `context:`"),
    (
        "build: { context: x, shell: y }",
        26,
        "unknown key `shell` in `services.web.build`; known: context, dockerfile, args",
    ),
    ("image: [nginx]", 12, "`services.web.image` is a list; expected text"),
    ("command: run", 14, "`services.web.command` is `run`; expected a list, such as [run]"),
    ("command: a -b 1", 14, "`services.web.command` is `a -b 1`; expected a list, such as [a, -b, 1]"),
    ("command: echo $HOME", 14, "`services.web.command` is `echo $HOME`; expected a list"),
    ("command: []", 14, "`services.web.command` is empty; expected 1 or more entries"),
    ("command: [run, { a: 1 }]", 20, "`services.web.command[1]` is a mapping; expected text"),
    ("command: [run, null]", 20, "`services.web.command[1]` is `null`; expected text"),
    ('port: "80"', 11, "`services.web.port` is `80`; expected a whole number, without quotes"),
    ("port: 0", 11, "`services.web.port` is `0`; expected 1 or more"),
    ("port: 65536", 11, "`services.web.port` is `65536`; expected 65535 or less"),
    ("port: 080", 11, "`services.web.port` is `080`; expected a whole number, without quotes"),
    ("public: yes", 13, "`services.web.public` is `yes`; expected true or false, without quotes"),
    ("public: 1", 13, "`services.web.public` is `1`; expected true or false, without quotes"),
    ("calls: orders", 12, "`services.web.calls` is `orders`; expected a list, such as [orders]"),
    ("calls: { orders: 80 }", 12, "`services.web.calls` is a mapping; expected a list"),
    (
        "calls: [[orders]]",
        13,
        "`services.web.calls[0]` is a list; expected a mapping: `key: value` lines",
    ),
    (
        "environment: [A=1]",
        18,
        "`services.web.environment` is a list; expected a mapping: `key: value` lines",
    ),
    ("environment: { A: [1] }", 23, "`services.web.environment.A` is a list; expected text"),
    (
        "environment: { 1A: x }",
        20,
        (
            "`1A` is not a valid key of `services.web.environment`; "
            "expected letters, digits and _, not beginning with a digit"
        ),
    ),
    (
        "environment: { '[key]': x }",
        20,
        (
            "`[key]` is not a valid key of `services.web.environment`; "
            "expected letters, digits and _, not beginning with a digit"
        ),
    ),
    ("'[key]': 1", 5, f"unknown key `[key]` in `services.web`; {KNOWN}"),
    ("name: x", 5, f"unknown key `name` in `services.web`; {KNOWN}"),
    (
        "health_check: [x]",
        19,
        "`services.web.health_check` is a list; expected a mapping: `key: value` lines",
    ),
    ("health_check: {}", 5, "the health check has neither `command` nor `path`; add one of them"),
    (
        "health_check: { command: [] }",
        30,
        "`services.web.health_check.command` is empty; expected 1 or more entries",
    ),
    (
        "health_check: { command: [x], interval: 4 }",
        45,
        "`services.web.health_check.interval` is `4`; expected 5 or more",
    ),
    (
        "health_check: { command: [x], timeout: 61 }",
        44,
        "`services.web.health_check.timeout` is `61`; expected 60 or less",
    ),
    (
        "health_check: { command: [x], retries: 11 }",
        44,
        "`services.web.health_check.retries` is `11`; expected 10 or less",
    ),
    (
        "health_check: { command: [x], start_period: -1 }",
        49,
        "`services.web.health_check.start_period` is `-1`; expected 0 or more",
    ),
    *(
        (
            f'health_check: {{ command: [x], path: "{path}" }}',
            41,
            (
                f"`services.web.health_check.path` is {shown}; expected a path that begins with / "
                "and has only URL characters, at most 1024, such as /healthz"
            ),
        )
        for path, shown in (
            ("healthz", "`healthz`"),
            ("http://web/", "`http://web/`"),
            ("/a b", "`/a b`"),
            ("/a#b", "`/a#b`"),
            (r"/\x7f", r"`/\x7f`"),
            ("/é", "`/é`"),
            ("/" * 1025, f"`{'/' * 60}…`"),
        )
    ),
    (
        "health_check: { command: [x], intreval: 5 }",
        35,
        "unknown key `intreval` in `services.web.health_check`; did you mean `interval`?",
    ),
    ("cpu: 256.5", 10, "`services.web.cpu` is `256.5`; expected a whole number, without quotes"),
    ("cpu: true", 10, "`services.web.cpu` is `true`; expected a whole number, without quotes"),
    (
        "cpu: 300",
        10,
        "Fargate does not offer 300 CPU units; use one of 256, 512, 1024, 2048, 4096, 8192, 16384",
    ),
    (
        "cpu: 512",
        10,
        "Fargate does not offer 512 CPU units with 512 MiB; set `memory` to one of 1024, 2048, 3072, 4096",
    ),
    (
        "memory: 4096",
        13,
        "Fargate does not offer 256 CPU units with 4096 MiB; set `memory` to one of 512, 1024, 2048",
    ),
    ("architecture: sparc", 19, "`services.web.architecture` is `sparc`; expected `x86_64` or `arm64`"),
    ("desired_count: -1", 20, "`services.web.desired_count` is `-1`; expected 0 or more"),
    ("autoscaling: 3", 18, "`services.web.autoscaling` is `3`; expected a mapping: `key: value` lines"),
    ("autoscaling: []", 18, "`services.web.autoscaling` is empty; expected a mapping: `key: value` lines"),
    ("autoscaling: { min: 3, max: 2 }", 25, "`min` is greater than `max`; swap them"),
    ("autoscaling: { min: 0, max: 0 }", 33, "`services.web.autoscaling.max` is `0`; expected 1 or more"),
    (
        "autoscaling: { min: 1, max: 2, cpu: 95 }",
        41,
        "`services.web.autoscaling.cpu` is `95`; expected 90 or less",
    ),
    ("autoscaling: { max: 2 }", 5, "`min` is missing in `services.web.autoscaling`; add `min:`"),
    ("public: true", 13, "`web` is public but has no `port`; add `port:`"),
    (
        "health_check: { command: [x], path: /x }",
        41,
        "`web` has `health_check.path` but no `port`; add `port:`",
    ),
    (f"cpu: {'x' * 61}", 10, f"`services.web.cpu` is `{'x' * 60}…`; expected a whole number, without quotes"),
]


@pytest.mark.parametrize(
    ("entry", "column", "expected"), WRONG_SERVICE, ids=[entry[:60] for entry, _, _ in WRONG_SERVICE]
)
def test_a_wrong_value_of_a_service_is_refused(
    tmp_path: Path, entry: str, column: int, expected: str
) -> None:
    key = entry.split(":", 1)[0]
    image = "" if key in ("build", "image") else "    image: nginx\n"
    catalog = f"{HEAD}services:\n  web:\n    {entry}\n{image}"
    assert problems(tmp_path, catalog) == [f"envs/catalog.yaml:7:{column}: {expected}"]


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        pytest.param(
            "  a: {}\n",
            ["6:3: `a` has neither `build` nor `image`; add one of them"],
            id="no image",
        ),
        pytest.param(
            "  web: { image: x }\n  wbe: { port: 80 }\n",
            ["7:3: `wbe` has neither `build` nor `image`; add one of them, or did you mean `web`?"],
            id="a name that may be misspelt",
        ),
        pytest.param(
            "  a: { image: x, calls: [q] }\n" + "".join(f"  s{n}: {{ image: x }}\n" for n in range(10, 32)),
            [
                (
                    "6:26: `a` calls unknown service `q`; known:"
                    f" {', '.join(f's{n}' for n in range(10, 30))}, and 2 more"
                )
            ],
            id="many names",
        ),
        pytest.param(
            "  a: { build: { context: x }, image: y }\n",
            ["6:38: `a` has both `build` and `image`; remove one of them"],
            id="two images",
        ),
        pytest.param(
            "  a: { image: x, desired_count: 1, autoscaling: { min: 1, max: 2 } }\n",
            ["6:33: `desired_count` and `autoscaling` cannot be used together; remove one of them"],
            id="desired_count and autoscaling",
        ),
        pytest.param(
            "  a: { image: x, calls: [b, b] }\n  b: { image: x, port: 1 }\n",
            ["6:29: `a` calls `b` twice; list it once"],
            id="duplicate call",
        ),
        pytest.param(
            "  a: { image: x, calls: [b] }\n  b: { image: x }\n",
            ["6:26: `a` calls `b`, which has no `port`; add `port:` to `b`"],
            id="callee without a port",
        ),
        pytest.param(
            "  a: { image: x, port: 1, environment: { PORT: 2 } }\n",
            ["6:48: `PORT` is already set by `port`; remove it here"],
            id="PORT",
        ),
        pytest.param(
            "  a: { image: x, calls: [b-c], environment: { B_C_URL: x, B_URL: y } }\n  b-c: { image: x,"
            " port: 1 }\n",
            ["6:56: `B_C_URL` is already set by `calls: [b-c]`; remove it here"],
            id="URL variable",
        ),
        pytest.param(
            "  '[key]': { image: x, foo: 1 }\n",
            [
                (
                    "6:3: `[key]` is not a valid key of `services`; "
                    "expected lower-case letters, digits and single hyphens, at most 40"
                ),
                f"6:24: unknown key `foo` in `services.[key]`; {KNOWN}",
            ],
            id="a name that pydantic uses",
        ),
        pytest.param(
            "  a--b: { image: x }\n  a-: { image: x }\n  1a: { image: x }\n  "
            + "a" * 41
            + ": { image: x }\n",
            [
                f"{line}:3: `{name}` is not a valid key of `services`; "
                "expected lower-case letters, digits and single hyphens, at most 40"
                for line, name in ((6, "a--b"), (7, "a-"), (8, "1a"), (9, "a" * 41))
            ],
            id="names",
        ),
        pytest.param(
            "  a: []\n", ["6:6: `services.a` is empty; expected a mapping: `key: value` lines"], id="a list"
        ),
    ],
)
def test_services_that_do_not_fit_are_refused(tmp_path: Path, services: str, expected: list[str]) -> None:
    assert problems(tmp_path, f"{HEAD}services:\n{services}") == [
        f"envs/catalog.yaml:{problem}" for problem in expected
    ]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param("name: dev\n", ["1:1: unknown key `name`; did you mean `namespace`?"], id="name"),
        pytest.param("states: {}\n", ["1:1: unknown key `states`; did you mean `state`?"], id="unknown key"),
        pytest.param(
            "network:\n  cdir: x\n",
            ["2:3: unknown key `cdir` in `network`; did you mean `cidr`?"],
            id="nested key",
        ),
        pytest.param(
            "exceptions:\n  - { rule: a, address: b, reason: it is a test, resaon: c }\n",
            ["2:50: unknown key `resaon` in `exceptions[0]`; did you mean `reason`?"],
            id="key in a list",
        ),
        pytest.param(
            "exceptions:\n  - { rule: a, reason: it is a test }\n",
            ["2:5: `address` is missing in `exceptions[0]`; add `address:`"],
            id="missing key in a list",
        ),
        pytest.param("- a\n", ["1:1: expected a mapping; write `key: value` lines"], id="a list"),
        pytest.param("just text\n", ["1:1: expected a mapping; write `key: value` lines"], id="text"),
        pytest.param(
            "zones: [eu-west-1a, us-east-1a, eu-west-1a, eu-west-1, eu-west-1é, eu-west-1ab]\n",
            [
                "1:21: `us-east-1a` is not a zone of eu-west-1; zone names look like `eu-west-1a`",
                "1:33: zone `eu-west-1a` is listed twice; list a different zone",
                "1:45: `eu-west-1` is not a zone of eu-west-1; zone names look like `eu-west-1a`",
                "1:56: `eu-west-1é` is not a zone of eu-west-1; zone names look like `eu-west-1a`",
                "1:68: `eu-west-1ab` is not a zone of eu-west-1; zone names look like `eu-west-1a`",
            ],
            id="zones",
        ),
        pytest.param(
            "zones: [" + ", ".join(f"eu-west-1{letter}" for letter in "abcdefg") + "]\n",
            ["1:8: `zones` is a list; expected 6 or fewer entries"],
            id="too many zones",
        ),
        *(
            pytest.param(
                f"network: {{ cidr: {cidr} }}\n",
                [
                    (
                        f"1:18: `network.cidr` is `{cidr}`; "
                        "expected a private IPv4 network from /16 (AWS's largest) to /21"
                    )
                ],
                id=cidr,
            )
            for cidr in (
                "10.0.0.0/22",
                "10.0.0.0/15",
                "8.8.0.0/16",
                "127.0.0.0/16",
                "0.0.0.0/16",
                "169.254.0.0/16",
            )
        ),
        *(
            pytest.param(
                f"network: {{ cidr: '{cidr}' }}\n",
                [f"1:18: `network.cidr` is `{cidr}`; expected an IPv4 network, such as 10.0.0.0/16"],
                id=cidr,
            )
            for cidr in ("10.0/16", "fd00::/16", "x", "10.0.0.0/٢١")
        ),
        (
            "network: { cidr: 10.0.0.1/16 }",
            ["1:18: `network.cidr` is `10.0.0.1/16`; did you mean the network `10.0.0.0/16`?"],
        ),
        pytest.param(
            # 64 characters minus `-execution`, the prefix and a hyphen are 15.
            f"name_prefix: {'p' * 38}\n"
            "services:\n  fifteen-letters: { image: x }\n  sixteen-letters-x: { image: x }\n",
            [
                (
                    f"4:3: IAM role name `{'p' * 38}-sixteen-letters-x-execution` is longer than 64"
                    " characters; "
                    "with this prefix, a service name can have at most 15 characters"
                )
            ],
            id="name too long",
        ),
    ],
)
def test_an_environment_that_does_not_fit_is_refused(
    tmp_path: Path, environment: str, expected: list[str]
) -> None:
    lines = [f"envs/dev/environment.yaml:{problem}" for problem in expected]
    assert problems(tmp_path, WEB, environment) == lines


def test_an_empty_project_lacks_every_required_key(tmp_path: Path) -> None:
    assert problems(tmp_path, "", "") == [
        f"envs/catalog.yaml:1:1: `{key}` is missing; add `{key}:`"
        for key in ("account", "application", "region", "services", "zones")
    ]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (
            "services: null\n",
            (
                "envs/dev/environment.yaml:1:11: null removes `services`, but it is required; "
                "give it a value, or remove this line"
            ),
        ),
        (
            "services: { web: null }\n",
            "envs/catalog.yaml:5:11: `services` is empty; expected 1 or more entries",
        ),
    ],
)
def test_an_environment_without_services_is_refused(tmp_path: Path, environment: str, expected: str) -> None:
    assert problems(tmp_path, HEAD + "services: { web: { image: nginx } }\n", environment) == [expected]


@pytest.mark.parametrize("catalog", ["- a\n", "just text\n"])
def test_a_catalog_that_is_not_a_mapping_is_refused(tmp_path: Path, catalog: str) -> None:
    lines = problems(tmp_path, catalog, HEAD + "services: { web: { image: nginx } }\n")
    assert lines == ["envs/catalog.yaml:1:1: expected a mapping; write `key: value` lines"]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("dve", "did you mean `dev`?"),
        ("zzz", "known: dev"),
        ("../envs/dev", "known: dev"),
        ("", "known: dev"),
    ],
)
def test_an_unknown_environment_is_refused_with_a_suggestion(tmp_path: Path, name: str, remedy: str) -> None:
    root = project(tmp_path, WEB)
    with pytest.raises(InputError) as refused:
        load(root, name)
    assert str(refused.value) == f"unknown environment `{name}`; {remedy}"


def test_a_missing_catalog_is_refused(tmp_path: Path) -> None:
    root = project(tmp_path, WEB)
    (root / "envs" / "catalog.yaml").unlink()
    with pytest.raises(InputError) as refused:
        load(root, "dev")
    assert str(refused.value) == "envs/catalog.yaml: file not found; create it or choose a different --env"


def test_the_environments_of_a_project_are_its_folders_with_a_file(tmp_path: Path) -> None:
    root = project(tmp_path, WEB)
    (root / "envs" / "empty").mkdir()
    (root / "envs" / "abc").mkdir()
    (root / "envs" / "abc" / "environment.yaml").touch()
    assert environment_names(root) == ["abc", "dev"]


EXCEPTION = """services: {{ web: {{ image: nginx }} }}
exceptions: [{{ rule: FF001, address: "*", reason: it is a test, until: {} }}]
"""


@pytest.mark.parametrize("written", ["2026-12-31", "'2026-12-31'"])
def test_a_day_is_read_with_quotes_and_without(tmp_path: Path, written: str) -> None:
    assert loaded(tmp_path, HEAD + EXCEPTION.format(written)).exceptions[0].until == date(2026, 12, 31)


@pytest.mark.parametrize(
    "written",
    [
        "2026-02-30",
        "2026-1-1",
        "20261231",
        "2026-W01-1",
        "2026-12-31T00:00:00Z",
        "31.12.2026",
        "true",
        "\uff12026-01-01",
    ],
)
def test_an_invalid_day_is_refused_with_an_example(tmp_path: Path, written: str) -> None:
    assert problems(tmp_path, HEAD + EXCEPTION.format(written)) == [
        f"envs/catalog.yaml:6:72: `exceptions[0].until` is `{written}`; expected a day, such as 2026-12-31"
    ]


# Text that would break out of naive quoting, in YAML's double-quoted form.
HOSTILE = [
    *(
        "",
        " ",
        "x",
        "${x}",
        "$${x}",
        "${",
        "%{if true}",
        "%{",
        '"',
        "'",
        "\\",
        "\\b",
        "a\nb",
        "\r\n",
        "\t",
        "$(rm -rf /)",
    ),
    *(
        "`id`",
        "; rm -rf /",
        "../../etc/passwd",
        "/etc/passwd",
        "-rf",
        "--help",
        "<<EOT",
        "EOT",
        "#",
        "//",
        "/* */",
        "}",
    ),
    *(
        "{{ 7 * 7 }}",
        "{% raw %}",
        "é",
        "e\u0301",
        "😀",
        "\u2028",
        "\u202e",
        "\ufeff",
        "\x00",
        "\x1b[31m",
        "\x7f",
        "\x85",
    ),
    *("null", "true", "1.10", "[key]", "name", "a" * 10_000, "${" * 1000, "\\" * 999),
]
TEXT_FIELDS = [
    *(
        ("application",),
        ("account",),
        ("region",),
        ("zones", 0),
        ("name_prefix",),
        ("namespace",),
        ("network", "cidr"),
    ),
    *(("security",), ("container_insights",), ("tags", "key"), ("state", "bucket")),
    *(("exceptions", 0, "rule"), ("exceptions", 0, "address"), ("exceptions", 0, "reason")),
    *(("services", "web", "image"), ("services", "web", "architecture"), ("services", "web", "command", 0)),
    *(("services", "web", "environment", "KEY"), ("services", "web", "calls", 0)),
    *(("services", "web", "health_check", "command", 0), ("services", "web", "entry_point", 0)),
    ("services", "web", "user"),
    *(("services", "api", "build", "context"), ("services", "api", "build", "dockerfile")),
]
HOSTILE_CATALOG = {
    ("application",): "shop",
    ("account",): "123456789012",
    ("region",): "eu-west-1",
    ("zones", 0): "eu-west-1a",
    ("services", "web", "image"): "nginx",
    ("services", "api", "build", "context"): "x",
    ("exceptions", 0, "rule"): "FF001",
    ("exceptions", 0, "address"): "x",
    ("exceptions", 0, "reason"): "it is a test",
}


def yaml_of(values: dict[tuple[str | int, ...], str]) -> str:
    """Return YAML with a value at each path; `zones` gets a second one."""
    text = {path: yaml_string(value) for path, value in values.items()}
    return flow(text, ()) + "\n"


def flow(text: dict[tuple[str | int, ...], str], at: tuple[str | int, ...]) -> str:
    if at in text:
        return text[at]
    steps = list(dict.fromkeys(path[len(at)] for path in text if path[: len(at)] == at))
    if steps == [0]:
        return f"[{', '.join([flow(text, (*at, 0)), *(['eu-west-1b'] if at == ('zones',) else [])])}]"
    return "{" + ", ".join(f"{yaml_string(str(step))}: {flow(text, (*at, step))}" for step in steps) + "}"


def value_at(model: object, path: tuple[str | int, ...]) -> object:
    for step in path:
        model = model[step] if isinstance(model, (dict, tuple)) else getattr(model, str(step))  # type: ignore[index]
    return model


@pytest.mark.parametrize("path", TEXT_FIELDS, ids=lambda path: ".".join(map(str, path)))
def test_a_hostile_text_is_refused_or_kept_exactly(tmp_path: Path, path: tuple[str | int, ...]) -> None:
    for hostile in HOSTILE:
        catalog = yaml_of({**HOSTILE_CATALOG, path: hostile})
        try:
            environment = loaded(tmp_path, catalog)
        except CatalogError:
            continue
        assert value_at(environment, path) == hostile


@pytest.mark.parametrize(
    "place", ["", "services", "services.web", "services.web.environment", "tags", "network"]
)
def test_a_hostile_key_is_refused_or_kept_exactly(tmp_path: Path, place: str) -> None:
    for hostile in HOSTILE:
        path = (*(place.split(".") if place else ()), hostile)
        try:
            environment = loaded(tmp_path, yaml_of({**HOSTILE_CATALOG, path: "x"}))
        except CatalogError:
            continue
        assert hostile in value_at(environment, path[:-1])  # type: ignore[operator]


def test_free_text_takes_everything_that_terraform_and_processes_take(tmp_path: Path) -> None:
    path = ("services", "web", "environment", "KEY")
    texts = [hostile for hostile in HOSTILE if hostile not in ("\0", "e\u0301")]
    loaded_texts = [
        value_at(loaded(tmp_path, yaml_of({**HOSTILE_CATALOG, path: hostile})), path) for hostile in texts
    ]
    assert loaded_texts == texts


def test_accents_that_terraform_would_compose_are_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, WEB + "    environment: { NAME: Cafe\u0301 }\n") == [
        (
            "envs/catalog.yaml:8:26: `services.web.environment.NAME` is `Cafe\u0301`; "
            "expected text with composed accents (Unicode NFC), because Terraform would change this"
        )
    ]


def test_quoted_values_stay_on_one_line_and_do_not_affect_the_terminal(tmp_path: Path) -> None:
    assert problems(tmp_path, WEB + '    "port\\n\\e": 1\n    calls: ["x\\ny"]\n') == [
        "envs/catalog.yaml:8:5: unknown key `port\\n\\x1b` in `services.web`; did you mean `port`?",
        "envs/catalog.yaml:9:13: `web` calls unknown service `x\\ny`; add `x\\ny` under `services`",
    ]


def test_a_file_that_cannot_be_parsed_neither_hides_nor_causes_other_problems(tmp_path: Path) -> None:
    assert problems(tmp_path, "a: [", "region: 1\nregion: 2\n") == [
        "envs/catalog.yaml:1:5: the file ends where a value should be; close the open brackets",
        (
            "envs/dev/environment.yaml:2:1: duplicate key `region`; "
            "it is already defined at envs/dev/environment.yaml:1:1; keep one"
        ),
    ]


def test_only_the_first_of_many_known_words_are_listed(tmp_path: Path) -> None:
    services = "".join(f"  x{number}: {{ image: nginx }}\n" for number in range(22))
    assert problems(
        tmp_path, f"{HEAD}services:\n{services}  web: {{ image: nginx, calls: [payments] }}\n"
    ) == [
        (
            "envs/catalog.yaml:28:32: `web` calls unknown service `payments`; "
            f"known: {', '.join(f'x{number}' for number in range(20))}, and 2 more"
        )
    ]
