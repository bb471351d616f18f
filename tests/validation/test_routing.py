"""Conflicts between the load balancer's rules."""

from pathlib import Path

import pytest

from fleetform.base.errors import CatalogError
from tests.catalog.catalogs import HEAD, loaded

# Services and their problems.
WRONG: list[tuple[str, list[str]]] = [
    (
        (
            "  a: { image: 'x:1', port: 80, public: true }\n  b: { image: 'x:1', port: 80, public: true,"
            " ingress: {} }\n"
        ),
        [
            (
                "8:40: `a` and `b` both receive all requests; add `ingress:` with `paths` or `hosts` to one"
                " of"
                " them"
            )
        ],
    ),
    (
        (
            "  a: { image: 'x:1', port: 80, public: true, ingress: { paths: [/x, /y] } }\n"
            "  b: { image: 'x:1', port: 80, public: true, ingress: { paths: [/z, /y] } }\n"
        ),
        ["8:69: `a` already receives `/y`; remove it from one of them"],
    ),
    (
        (
            "  a: { image: 'x:1', port: 80, public: true, ingress: { hosts: [a.example], paths: [/x] } "
            "}\n  b: { image: 'x:1', port: 80, public: true, ingress: { hosts: [a.example], paths: [/x], "
            "priority: 1 } }\n"
        ),
        ["8:85: `a` already receives `a.example/x`; remove it from one of them"],
    ),
    (
        (
            "  a: { image: 'x:1', port: 80, public: true, ingress: { hosts: [a.example] } }\n"
            "  b: { image: 'x:1', port: 80, public: true, ingress: { hosts: [a.example] } }\n"
        ),
        ["8:64: `a` already receives `a.example/*`; remove it from one of them"],
    ),
    (
        (
            "  a: { image: 'x:1', port: 80, public: true, ingress: { paths: [/x], priority: 7 } }\n"
            "  b: { image: 'x:1', port: 80, public: true, ingress: { paths: [/y], priority: 7 } }\n"
        ),
        ["8:80: the rules of `a` and `b` both have priority 7; give one of them a different `priority`"],
    ),
    (
        (
            "  a: { image: 'x:1', port: 80, public: true, ports: { dns: { container_port: 53, protocol: "
            "udp } }, ingress: { port: dns } }\n"
        ),
        ["7:118: a load balancer forwards only to TCP ports; choose a TCP port"],
    ),
]


@pytest.mark.parametrize(("services", "expected"), WRONG, ids=[expected[0] for _, expected in WRONG])
def test_conflicting_rules_are_refused(tmp_path: Path, services: str, expected: list[str]) -> None:
    with pytest.raises(CatalogError) as refused:
        loaded(tmp_path, f"{HEAD}ingress: {{ type: alb }}\nservices:\n{services}", "")
    lines = str(refused.value).splitlines()
    assert [line.removeprefix("envs/catalog.yaml:") for line in lines] == expected


def test_without_a_load_balancer_several_services_may_receive_everything(tmp_path: Path) -> None:
    services = "".join(f"  {name}: {{ image: 'x:1', port: 80, public: true }}\n" for name in "ab")
    environment = loaded(tmp_path, f"{HEAD}services:\n{services}", "")
    assert sorted(environment.services) == ["a", "b"]
