"""Services with `defaults`, `templates`, `extends` and `enabled_in`, and what is rejected."""

from pathlib import Path

import pytest

from fleetform.base.errors import CatalogError
from fleetform.base.suggestions import suggestion
from fleetform.catalog.inheritance import MAX_TEMPLATES
from fleetform.catalog.models import Service
from fleetform.catalog.nodes import Plain
from fleetform.validation.loading import load, read_environment
from tests.catalog.catalogs import HEAD, loaded, project

FIRST = HEAD.count("\n") + 1
"""The line after the head."""


def services(root: Path, catalog: str, environment: str = "") -> dict[str, Plain]:
    """Return the keys set for each service, in any layer, except those that all cases share."""
    inherited = read_environment(project(root, HEAD + catalog, environment), "dev")
    assert inherited.problems == []
    environment_services = loaded(root, HEAD + catalog, environment).services
    return {name: service.model_dump(exclude_unset=True) for name, service in environment_services.items()}


def problems(root: Path, catalog: str, environment: str = "") -> list[str]:
    """Return the problems of a catalog as `line:column: message`, with lines counted from below the head."""
    with pytest.raises(CatalogError) as refused:
        loaded(root, HEAD + catalog, environment)
    return [
        f"{problem.position.line - FIRST + 1}:{problem.position.column}: {problem.message}; {problem.remedy}"
        for problem in refused.value.problems
    ]


def test_defaults_are_laid_under_every_service(tmp_path: Path) -> None:
    catalog = """\
defaults:
  image: nginx:1
  cpu: 512
  memory: 1024
  environment: { LEVEL: INFO, ZONE: a }
services:
  web: { port: 80, environment: { LEVEL: DEBUG } }
  orders: { cpu: 1024, memory: 2048 }
"""
    assert services(tmp_path, catalog) == {
        "web": {
            "image": "nginx:1",
            "port": 80,
            "environment": {"LEVEL": "DEBUG", "ZONE": "a"},
            "cpu": 512,
            "memory": 1024,
        },
        "orders": {
            "image": "nginx:1",
            "environment": {"LEVEL": "INFO", "ZONE": "a"},
            "cpu": 1024,
            "memory": 2048,
        },
    }


# Templates that extend each other, each with its own variable.
TEMPLATES = """\
templates:
  base: { command: [base], environment: { BASE: 1 } }
  left: { extends: base, command: [left], environment: { LEFT: 1 } }
  right: { extends: base, environment: { RIGHT: 1 } }
  top: { extends: [left, right], environment: { TOP: 1 } }
  plain: { command: [plain] }
"""


@pytest.mark.parametrize(
    ("service", "command", "variables"),
    [
        pytest.param("extends: base", "base", ["BASE"], id="one"),
        pytest.param("extends: [base]", "base", ["BASE"], id="a list of one"),
        pytest.param("extends: left", "left", ["BASE", "LEFT"], id="two levels"),
        pytest.param("extends: top", "left", ["BASE", "LEFT", "RIGHT", "TOP"], id="three levels"),
        pytest.param("extends: [base, plain]", "plain", ["BASE"], id="the later wins"),
        pytest.param("extends: [plain, base]", "base", ["BASE"], id="in the order of the list"),
        pytest.param(
            "extends: [left, right]", "left", ["BASE", "LEFT", "RIGHT"], id="a shared base is laid once"
        ),
        pytest.param("extends: left, command: [own]", "own", ["BASE", "LEFT"], id="the service wins"),
        pytest.param("extends: left, environment: { LEFT: ~ }", "left", ["BASE"], id="null removes"),
        pytest.param("extends: left, environment: null", "left", [], id="null removes a mapping"),
        pytest.param("extends: []", "default", [], id="nothing"),
        pytest.param("extends: null", "default", [], id="null"),
    ],
)
def test_templates_are_laid_over_the_defaults_and_under_the_service(
    tmp_path: Path, service: str, command: str, variables: list[str]
) -> None:
    catalog = (
        f"defaults: {{ image: nginx:1, command: [default] }}\n{TEMPLATES}services:\n  web: {{ {service} }}\n"
    )
    web = loaded(tmp_path, HEAD + catalog).services["web"]
    assert web.command == (command,)
    assert sorted(web.environment) == variables


def test_templates_are_not_services(tmp_path: Path) -> None:
    catalog = "templates:\n  base: { image: nginx:1 }\nservices:\n  web: { extends: base }\n"
    assert services(tmp_path, catalog) == {"web": {"image": "nginx:1"}}


def test_the_environment_is_laid_over_the_catalog_before_anything_is_inherited(tmp_path: Path) -> None:
    catalog = """\
defaults: { image: nginx:1, cpu: 256 }
templates:
  large: { cpu: 1024, memory: 2048 }
  larger: { cpu: 2048, memory: 4096 }
services:
  web: { extends: large }
  orders: { memory: 1024 }
"""
    environment = """\
defaults: { cpu: 512, memory: 1024 }
templates: { larger: { memory: 8192 } }
services:
  web: { extends: larger }
  orders: { memory: null, cpu: null }
"""
    assert services(tmp_path, catalog, environment) == {
        "web": {"image": "nginx:1", "cpu": 2048, "memory": 8192},
        "orders": {"image": "nginx:1"},
    }


def test_an_inherited_value_equals_one_that_is_written_in_full(tmp_path: Path) -> None:
    catalog = (
        "defaults: { image: nginx:1, environment: { VERSION: 1.10, ON: no } }\nservices: { web: {"
        " port: 80 } }\n"
    )
    assert loaded(tmp_path, HEAD + catalog).services == {
        "web": Service(image="nginx:1", port=80, environment={"VERSION": "1.10", "ON": "no"})
    }


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_a_service_is_only_in_its_enabled_environments(tmp_path: Path, environment: str) -> None:
    catalog = HEAD + (
        "services:\n  web: { image: nginx:1 }\n  debug: { image: nginx:1, enabled_in: [dev, local] }\n"
    )
    root = project(tmp_path, catalog)
    add_environments(root, "local", "prod")
    assert list(load(root, environment).services) == ["web", "debug"][: 2 if environment == "dev" else 1]


def add_environments(root: Path, *names: str) -> None:
    """Add environments that change nothing."""
    for name in names:
        (root / "envs" / name).mkdir()
        (root / "envs" / name / "environment.yaml").write_text("", encoding="utf-8")


def test_a_template_sets_enabled_in_for_its_services(tmp_path: Path) -> None:
    catalog = """\
templates: { tool: { image: nginx:1, enabled_in: [prod] } }
services:
  web: { image: nginx:1 }
  debug: { extends: tool }
  trace: { extends: tool, enabled_in: [dev] }
  probe: { extends: tool, enabled_in: null }
"""
    root = project(tmp_path, HEAD + catalog)
    add_environments(root, "prod")
    assert {name: list(load(root, name).services) for name in ("dev", "prod")} == {
        "dev": ["web", "trace", "probe"],
        "prod": ["web", "debug", "probe"],
    }


def test_a_call_to_a_disabled_service_is_refused(tmp_path: Path) -> None:
    catalog = """\
services:
  web: { image: nginx:1, calls: [debug] }
  debug: { image: nginx:1, port: 80, calls: [trace], enabled_in: [prod] }
  trace: { image: nginx:1, port: 80, enabled_in: [prod] }
"""
    root = project(tmp_path, HEAD + catalog)
    add_environments(root, "prod")
    with pytest.raises(CatalogError) as refused:
        load(root, "dev")
    assert str(refused.value) == (
        "envs/catalog.yaml:6:34: `web` calls `debug`, which is not enabled in `dev`; add `dev` to its "
        "`enabled_in` at envs/catalog.yaml:7:66, or remove the call in `dev`"
    )
    assert list(load(root, "prod").services) == ["web", "debug", "trace"]


@pytest.mark.parametrize(
    ("catalog", "expected"),
    [
        pytest.param(
            "templates: { a: { extends: a } }\nservices: { web: { image: nginx:1 } }\n",
            ["1:28: `a` extends itself: a -> a; remove `a` from its `extends`"],
            id="itself",
        ),
        pytest.param(
            "templates:\n  a: { extends: b }\n  b: { extends: [c] }\n  c: { extends: a }\n"
            "services:\n  web: { image: nginx:1, extends: [a, c] }\n",
            ["4:17: `c` extends itself: a -> b -> c -> a; remove `a` from its `extends`"],
            id="a cycle, once",
        ),
        pytest.param(
            "templates:\n  base: {}\nservices:\n  web: { image: nginx:1, extends: bsae }\n",
            ["4:35: `web` extends unknown template `bsae`; did you mean `base`?"],
            id="unknown",
        ),
        pytest.param(
            "services:\n  web: { image: nginx:1, extends: base }\n",
            ["2:35: `web` extends unknown template `base`; none is defined here"],
            id="no templates at all",
        ),
        pytest.param(
            "templates:\n  one: { extends: tow }\n  two: {}\nservices: { web: { image: nginx:1 } }\n",
            ["2:19: `one` extends unknown template `tow`; did you mean `two`?"],
            id="unknown to an unused template",
        ),
        pytest.param(
            "services:\n  web: { image: nginx:1 }\n  orders: { image: nginx:1, extends: web }\n",
            [
                (
                    "3:38: `orders` extends `web`, which is a service; move what they share to a template"
                    " that"
                    " both extend"
                )
            ],
            id="a service",
        ),
        pytest.param(
            "templates: { a: {} }\nservices:\n  web: { image: nginx:1, extends: [a, a, 1, { b: c }] }\n",
            [
                "3:39: `web` extends `a` twice; list it once",
                (
                    "3:42: `web` extends something that is not a name; expected a template name or a list of"
                    " names"
                ),
                (
                    "3:45: `web` extends something that is not a name; expected a template name or a list of"
                    " names"
                ),
            ],
            id="no names",
        ),
        pytest.param(
            "defaults: { extends: a }\ntemplates: { a: {} }\nservices: { web: { image: nginx:1 } }\n",
            [
                (
                    "1:13: unknown key `extends` in `defaults`;"
                    f" {suggestion('extends', list(Service.model_fields))}"
                ),
            ],
            id="defaults",
        ),
        pytest.param(
            "services:\n  web: { image: nginx:1, enabled_in: [dev, prd, [x]] }\n",
            [
                "2:44: `enabled_in` names unknown environment `prd`; known: dev",
                (
                    "2:49: `enabled_in` has an entry that is not a name; expected a list of environments,"
                    " such"
                    " as [dev]"
                ),
            ],
            id="unknown environments",
        ),
        pytest.param(
            (
                "templates: { a: { enabled_in: dev } }\nservices:\n  web: { image: nginx:1, enabled_in: [] "
                "}\n  orders: { image: nginx:1, extends: a }\n"
            ),
            [
                "1:31: `enabled_in` is not a list; expected a list of environments, such as [dev]",
                "3:38: `enabled_in` is empty; expected a list of environments, such as [dev]",
            ],
            id="no list of environments",
        ),
        pytest.param(
            "services:\n  web: { image: nginx:1, extend: a, enabled: [dev] }\n",
            [
                "2:26: unknown key `extend` in `services.web`; did you mean `extends`?",
                "2:37: unknown key `enabled` in `services.web`; did you mean `enabled_in`?",
            ],
            id="misspelt keys",
        ),
        pytest.param(
            "default: {}\ntemplate: {}\nservices: { web: { image: nginx:1 } }\n",
            [
                "1:1: unknown key `default`; did you mean `defaults`?",
                "2:1: unknown key `template`; did you mean `templates`?",
            ],
            id="misspelt top-level keys",
        ),
        pytest.param(
            "defaults: [1]\ntemplates: 2\nservices: { web: { image: nginx:1 } }\n",
            [
                "1:11: `defaults` is a list; expected a mapping: `key: value` lines",
                "2:12: `templates` is `2`; expected a mapping: `key: value` lines",
            ],
            id="no mappings",
        ),
        pytest.param(
            "templates: { A: {}, b: 1 }\nservices: { web: { image: nginx:1 } }\n",
            [
                (
                    "1:14: `A` is not a valid key of `templates`;"
                    " expected lower-case letters, digits and single hyphens, at most 40"
                ),
                "1:24: `templates.b` is `1`; expected a mapping: `key: value` lines",
            ],
            id="no templates",
        ),
    ],
)
def test_a_wrong_extends_or_enabled_in_is_refused_with_its_position(
    tmp_path: Path, catalog: str, expected: list[str]
) -> None:
    assert problems(tmp_path, catalog) == expected


def test_mistakes_in_an_unused_template_are_reported(tmp_path: Path) -> None:
    catalog = """\
templates:
  unused:
    prot: 80
    cpu: much
    health_check: { intreval: 5 }
    build: {}
services:
  web: { image: nginx:1 }
"""
    assert problems(tmp_path, catalog) == [
        "3:5: unknown key `prot` in `templates.unused`; did you mean `port`?",
        "4:10: `templates.unused.cpu` is `much`; expected a whole number, without quotes",
        "5:21: unknown key `intreval` in `templates.unused.health_check`; did you mean `interval`?",
    ]


def test_a_mistake_in_a_default_is_reported_once_at_its_position(tmp_path: Path) -> None:
    catalog = """\
defaults:
  prot: 80
  cpu: much
  environment: { 1A: x }
templates:
  base: { memory: little }
services:
  web: { image: nginx:1, extends: base }
  orders: { image: nginx:1, extends: base }
  stock: { image: nginx:1, port: none }
"""
    assert problems(tmp_path, catalog) == [
        "2:3: unknown key `prot` in `defaults`; did you mean `port`?",
        "3:8: `defaults.cpu` is `much`; expected a whole number, without quotes",
        (
            "4:18: `1A` is not a valid key of `defaults.environment`;"
            " expected letters, digits and _, not beginning with a digit"
        ),
        "6:19: `templates.base.memory` is `little`; expected a whole number, without quotes",
        "10:34: `services.stock.port` is `none`; expected a whole number, without quotes",
    ]


def test_a_mistake_that_only_services_show_is_reported_once(tmp_path: Path) -> None:
    catalog = """\
defaults:
  cpu: 300
  calls: [nobody]
  health_check: { interval: 10 }
services:
  web: { image: nginx:1 }
  orders: { image: nginx:1 }
  stock: { image: nginx:1, health_check: { command: [check] } }
"""
    assert problems(tmp_path, catalog) == [
        "2:8: Fargate does not offer 300 CPU units; use one of 256, 512, 1024, 2048, 4096, 8192, 16384",
        "3:11: `web` calls unknown service `nobody` (same in 2 more services); known: orders, stock",
        "4:3: the health check has neither `command` nor `path`; add one of them",
    ]


def test_a_default_size_that_fargate_lacks_is_reported_once(tmp_path: Path) -> None:
    catalog = "defaults: { cpu: 512 }\nservices: { web: { image: nginx:1 }, orders: { image: nginx:1 } }\n"
    assert problems(tmp_path, catalog) == [
        (
            "1:18: Fargate does not offer 512 CPU units with 512 MiB; set `memory` to one of 1024, 2048,"
            " 3072, 4096"
        )
    ]


def test_two_keys_that_a_default_lacks_are_two_problems(tmp_path: Path) -> None:
    catalog = (
        "defaults: { autoscaling: {} }\nservices:\n  web: { image: nginx:1 }\n  orders: { image: nginx:1 }\n"
    )
    assert problems(tmp_path, catalog) == [
        "1:13: `max` is missing in `services.web.autoscaling` (same in 1 more service); add `max:`",
        "1:13: `min` is missing in `services.web.autoscaling` (same in 1 more service); add `min:`",
    ]


def test_a_services_own_mistake_is_reported_at_the_service(tmp_path: Path) -> None:
    catalog = (
        "defaults: { cpu: 256 }\nservices:\n  web: { port: 80 }\n  orders: { image: nginx:1, build: {"
        " context: x } }\n"
    )
    assert problems(tmp_path, catalog) == [
        "3:3: `web` has neither `build` nor `image`; add one of them",
        "4:20: `orders` has both `build` and `image`; remove one of them",
    ]


def test_keys_missing_because_of_a_wrong_extends_are_not_reported(tmp_path: Path) -> None:
    catalog = """\
templates:
  base: { extends: bare, port: 80 }
services:
  web: { extends: bsae }
  orders: { extends: base }
  stock: {}
"""
    assert problems(tmp_path, catalog) == [
        "2:20: `base` extends unknown template `bare`; none is defined here",
        "4:19: `web` extends unknown template `bsae`; did you mean `base`?",
        "6:3: `stock` has neither `build` nor `image`; add one of them",
    ]


def chain(length: int) -> str:
    """Return templates that each extend the next, and a service that extends the first."""
    steps = "".join(f"  t{number}: {{ extends: t{number + 1} }}\n" for number in range(length - 1))
    last = f"  t{length - 1}: {{ cpu: 512, memory: 1024 }}\n"
    return f"templates:\n{steps}{last}services:\n  web: {{ image: x:1, extends: t0 }}\n"


def test_templates_may_extend_each_other_up_to_a_limit(tmp_path: Path) -> None:
    assert loaded(tmp_path, HEAD + chain(MAX_TEMPLATES)).services["web"].cpu == 512


def test_templates_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, chain(MAX_TEMPLATES + 1)) == [
        "36:31: `web` extends more than 32 templates; merge some of them"
    ]


def test_a_chain_of_thousands_of_templates_is_refused_at_the_limit(tmp_path: Path) -> None:
    assert (
        problems(tmp_path, chain(5_000))[0]
        == "34:19: `t0` extends more than 32 templates; merge some of them"
    )


def test_a_list_of_templates_is_limited_too(tmp_path: Path) -> None:
    names = [f"t{number}" for number in range(MAX_TEMPLATES + 1)]
    templates = "".join(f"  {name}: {{}}\n" for name in names)
    catalog = f"templates:\n{templates}services:\n  web:\n    image: x:1\n    extends:\n" + "".join(
        f"      - {name}\n" for name in names
    )
    line = catalog[: catalog.index("- t32")].count("\n") + 1
    assert problems(tmp_path, catalog) == [
        f"{line}:9: `web` extends more than 32 templates; merge some of them"
    ]


def test_templates_that_fan_out_at_every_level_count_only_once(tmp_path: Path) -> None:
    levels = [
        f"  a{n}: {{ extends: [a{n + 1}, b{n + 1}] }}\n  b{n}: {{ extends: [a{n + 1}, b{n + 1}] }}\n"
        for n in range(14)
    ]
    catalog = (
        f"templates:\n{''.join(levels)}  a14: {{ cpu: 512, memory: 1024 }}\n  b14: {{ cpu: 1024, memory:"
        f" 2048 }}\n"
        "services:\n  web: { image: x:1, extends: a0 }\n"
    )
    assert loaded(tmp_path, HEAD + catalog).services["web"].cpu == 1024
