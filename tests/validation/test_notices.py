from pathlib import Path, PurePath

import pytest

from fleetform.catalog.models import Environment
from fleetform.catalog.nodes import parse_yaml
from fleetform.validation.loading import load_with_notices
from fleetform.validation.notices import find_call_cycles, find_notices
from tests import sample
from tests.catalog.catalogs import HEAD, project


def notices_of(root: Path, services: str, environment: str = "") -> list[str]:
    """Return the notices of a project, without the catalog's name."""
    lines = map(str, load_with_notices(project(root, f"{HEAD}services:\n{services}", environment), "dev")[1])
    return [line.removeprefix("envs/catalog.yaml:") for line in lines]


def test_a_good_catalog_has_no_notices(tmp_path: Path) -> None:
    services = """\
  web: { image: "nginx:1.29", port: 80, public: true, calls: [orders] }
  orders: { image: "registry.example:5000/orders@sha256:0123", port: 8080 }
  worker: { image: "worker:1", calls: [orders] }
"""
    assert notices_of(tmp_path, services) == []


def test_a_call_cycle_is_reported(tmp_path: Path) -> None:
    services = """\
  web: { image: "x:1", port: 80, public: true, calls: [orders] }
  orders: { image: "x:1", port: 80, calls: [stock] }
  stock:
    image: x:1
    port: 80
    calls: [orders]
"""
    assert notices_of(tmp_path, services) == [
        "7:37: `orders`, `stock` call each other in a cycle; make sure that each can start without the others"
    ]


def test_an_unreachable_service_is_reported(tmp_path: Path) -> None:
    services = '  a: { image: "x:1", port: 80 }\n  b: { image: "x:1", port: 80, calls: [a] }\n'
    assert notices_of(tmp_path, services) == [
        (
            "7:3: `b` has a port, but nothing calls it and it is not public; "
            "call it from a service, make it public, or remove its port if it is a worker"
        )
    ]


@pytest.mark.parametrize(
    ("image", "column"), [("nginx", 15), ("nginx:latest", 15), ("registry.example:5000/team/app", 15)]
)
def test_a_mutable_image_is_reported(tmp_path: Path, image: str, column: int) -> None:
    assert notices_of(tmp_path, f'  a: {{ image: "{image}" }}\n') == [
        f"6:{column}: `{image}` can change at any time; pin a tag or, better, a digest"
    ]


def test_a_group_with_more_rules_than_the_default_quota_is_reported(tmp_path: Path) -> None:
    callers = "".join(f'  c{number}: {{ image: "x:1", calls: [a] }}\n' for number in range(60))
    called = '  a: { image: "x:1", port: 80, public: true }\n'
    assert notices_of(tmp_path, called + callers) == [
        (
            "6:3: the security group of `a` gets 61 inbound rules; "
            "request a higher quota than AWS's default of 60, or call fewer services"
        )
    ]


@pytest.mark.parametrize(("settings", "column"), [("nat: none", 1), ("nat: single, endpoints: [logs]", 43)])
def test_an_endpoint_group_with_more_rules_than_the_default_quota_is_reported(
    tmp_path: Path, settings: str, column: int
) -> None:
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/x:1"
    services = "".join(f'  c{number}: {{ image: "{image}" }}\n' for number in range(61))
    network = f"network: {{ subnets: private, {settings} }}\n"
    endpoint_notices = [line for line in notices_of(tmp_path, services, network) if "endpoints" in line]
    assert endpoint_notices == [
        (
            f"envs/dev/environment.yaml:1:{column}: the security group of the VPC's endpoints gets 61"
            " inbound rules, "
            "one per service; request a higher quota than AWS's default of 60, or use `nat` instead"
        )
    ]


def test_a_shared_group_does_not_have_a_rule_for_each_call(tmp_path: Path) -> None:
    callers = "".join(f'  c{number}: {{ image: "x:1", calls: [a] }}\n' for number in range(60))
    called = '  a: { image: "x:1", port: 80, public: true }\n'
    assert notices_of(tmp_path, called + callers, "security: shared\n") == []


@pytest.mark.parametrize("kind", ["internal_alb", "none"])
def test_a_public_service_that_the_internet_cannot_reach_is_reported(kind: str) -> None:
    text = (
        f"{HEAD}ingress: {{ type: {kind} }}\nservices:\n  web: {{ image: 'x:1', port: 80, public: true }}\n"
    )
    tree, _ = parse_yaml(text, PurePath("catalog.yaml"))
    plain = tree.plain()
    assert isinstance(plain, dict)
    environment = Environment.model_validate({**plain, "name": "dev"})
    assert list(map(str, find_notices(environment, tree))) == [
        (
            "catalog.yaml:7:42: `web` is public, but unreachable from the internet; "
            f"the environment's `ingress.type` is `{kind}`"
        )
    ]


def test_a_load_balancer_without_https_on_the_internet_is_reported(tmp_path: Path) -> None:
    services = '  a: { image: "x:1", port: 80, public: true }\n'
    assert notices_of(tmp_path, services, "ingress: { type: alb }\n") == [
        (
            "envs/dev/environment.yaml:1:18: the load balancer serves only unencrypted HTTP; add a"
            " `certificate`"
        )
    ]


@pytest.mark.parametrize(
    ("callees", "expected"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"a": ("b",), "b": ("c",), "c": ()}, [], id="none"),
        pytest.param({"a": ("b", "c"), "b": ("d",), "c": ("d",), "d": ()}, [], id="two ways"),
        pytest.param({"b": ("a",), "a": ("b",)}, [["a", "b"]], id="two"),
        pytest.param(
            {"d": ("a",), "a": ("b",), "b": ("c",), "c": ("a",)}, [["a", "b", "c"]], id="one beside them"
        ),
        pytest.param(
            {"c": ("d",), "d": ("c", "a"), "a": ("b",), "b": ("a",)},
            [["a", "b"], ["c", "d"]],
            id="two circles",
        ),
        pytest.param({"a": ("b", "c"), "b": ("a",), "c": ("a",)}, [["a", "b", "c"]], id="circles that meet"),
    ],
)
def test_call_cycles_are_the_services_that_reach_each_other(
    callees: dict[str, tuple[str, ...]], expected: list[list[str]]
) -> None:
    assert find_call_cycles(callees) == expected


def test_a_long_call_cycle_is_found() -> None:
    names = [f"s{number:04}" for number in range(3000)]
    assert find_call_cycles({name: (names[index - 1],) for index, name in enumerate(names)}) == [names]


@pytest.mark.parametrize("name", sample.ENVIRONMENTS)
def test_the_sample_environments_have_no_notices(name: str) -> None:
    assert load_with_notices(sample.FOLDER, name)[1] == []
