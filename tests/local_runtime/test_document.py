"""The Compose document: golden files, which the real docker-compose reads, and what cannot be translated."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleetform.aws.live_state import AppliedService
from fleetform.base.errors import InputError
from fleetform.local_runtime.document import document
from fleetform.local_runtime.networks import Network
from fleetform.local_runtime.tasks import ContainerOrder
from tests.conftest import program
from tests.generated import Generated
from tests.local_runtime import golden
from tests.local_runtime.applied import ECR, container, definition, environment, everyone, listening, service

NETWORK = Network("n", ("web",), None, internal=True, subnet="198.18.0.0/28")


@pytest.mark.parametrize("case", golden.CASES)
def test_an_environment_becomes_its_golden_file(case: str, generated: Generated) -> None:
    generated.check(golden.path(case), golden.made(case))


def compose_config(file: Path, *options: str) -> str:
    """What docker-compose reads out of a file; it has nothing to complain about."""
    done = subprocess.run(
        [program("docker-compose"), "--file", str(file), "config", *options],
        env={**os.environ, **golden.SECRETS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("case", golden.CASES)
def test_docker_compose_reads_every_golden_file(case: str) -> None:
    assert compose_config(golden.path(case), "--quiet") == ""


def test_docker_compose_finds_the_values_that_the_task_definition_has() -> None:
    read = yaml.safe_load(compose_config(golden.path("everything")))["services"]["api-1-api"]["environment"]
    assert {name: value.replace("$$", "$") for name, value in read.items()} == {
        "GREETING": 'Grüße, "$USER"\n${HOME}: 100 %',
        "EMPTY": "",
        "NUMBER": "1e3",
        "OCTAL": "0o17",
        "WORD": "yes",
        "DB_PASSWORD": "a$b",
        "api.key": "key",
    }


def services(
    applied_service: AppliedService, images: dict[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """The Compose services of an environment of one service without networks."""
    text = document(environment([applied_service], set()), "shop-local", images or {}, (), {})
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)["services"]
    return found


def test_a_service_without_tasks_has_no_containers() -> None:
    applied = environment([service("web", 80), service("orders", 8080, tasks=0)], set())
    assert list(yaml.safe_load(document(applied, "shop-local", {}, (), {}))["services"]) == ["web-1"]


def test_a_task_without_networks_has_none() -> None:
    assert services(service("web", 80))["web-1"]["network_mode"] == "none"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (f"{ECR}/shop-local-web:unbuilt", "localhost/web:1"),
        (f"{ECR}/shop-local-web@sha256:{'0' * 64}", "localhost/web:1"),
        (f"{ECR}/shop-local-web", "localhost/web:1"),
        (f"{ECR}/shop-local-web-log:1", f"{ECR}/shop-local-web-log:1"),
        (f"{ECR}/shop-prod-web:1", f"{ECR}/shop-prod-web:1"),
        ("shop-local-web:1", "shop-local-web:1"),
        ("nginx:1.29", "nginx:1.29"),
    ],
)
def test_only_an_image_of_the_own_repository_is_replaced(image: str, expected: str) -> None:
    made = definition("web", [container("web", image=image)])
    found = services(AppliedService("web", 1, made, None, ("web",)), {"web": "localhost/web:1"})
    assert found["web-1"]["image"] == expected


@pytest.mark.parametrize(
    ("containers", "holder", "apart"),
    [
        ({"log": {}, "web": {}}, "web", set()),
        ({"log": {}, "proxy": {}}, "log", set()),
        ({"web": {"log": "START"}, "log": {}}, "log", set()),
        ({"web": {"migrate": "SUCCESS"}, "migrate": {}}, "web", {"migrate"}),
        (
            {"web": {"migrate": "COMPLETE"}, "migrate": {"fetch": "SUCCESS"}, "fetch": {}},
            "web",
            {"migrate", "fetch"},
        ),
        ({"web": {"migrate": "SUCCESS"}, "migrate": {"proxy": "HEALTHY"}, "proxy": {}}, "proxy", set()),
        (
            {"web": {"proxy": "HEALTHY"}, "proxy": {"certificate": "SUCCESS"}, "certificate": {}},
            "proxy",
            {"certificate"},
        ),
    ],
)
def test_the_network_is_held_by_a_container_that_stays_and_waits_for_none_that_does(
    containers: dict[str, dict[str, str]], holder: str, apart: set[str]
) -> None:
    made = [
        container(
            name, dependsOn=[{"containerName": other, "condition": how} for other, how in waits.items()]
        )
        for name, waits in containers.items()
    ]
    order = ContainerOrder("web", made)
    assert order.network_holder == holder
    assert order.before_holder == apart


def test_a_container_that_comes_before_the_network_is_attached_by_itself_and_takes_no_name() -> None:
    waiting = container("web", dependsOn=[{"containerName": "migrate", "condition": "SUCCESS"}])
    made = definition("web", [waiting, container("migrate", essential=False)])
    applied = environment([AppliedService("web", 1, made, "web.local.shop.internal", ("web",))], set())
    found = yaml.safe_load(document(applied, "shop-local", {}, (NETWORK,), {}))
    assert found["services"]["web-1"]["networks"] == {"n": {"aliases": ["web.local.shop.internal"]}}
    assert found["services"]["web-1-migrate"]["networks"] == {"n": {}}


def test_a_name_resolves_only_where_its_service_is_the_callee() -> None:
    found = yaml.safe_load(golden.made("edges"))["services"]["orders-1"]["networks"]
    aliases = {"aliases": ["orders.local.shop.internal"]}
    assert found == {"orders--outward": aliases, "orders--stock": {}, "web--orders": aliases}


def test_only_the_first_task_of_a_public_service_is_published() -> None:
    applied = environment([service("web", 80, tasks=2)], {everyone("web", 80)})
    found = yaml.safe_load(document(applied, "shop-local", {}, (), {"web": 8080}))["services"]
    assert {name: made.get("ports") for name, made in found.items()} == {
        "web-1": ["127.0.0.1:8080:80"],
        "web-2": None,
    }


def test_everything_that_cannot_be_translated_is_refused_at_once() -> None:
    broken = container(
        "web",
        privileged=True,
        extraHosts=[{"hostname": "a", "ipAddress": "10.0.0.1"}],
        dnsServers=[],
        portMappings=[{**listening(80)[0], "containerPortRange": "80-90"}],
        linuxParameters={"devices": [{"hostPath": "/dev/fuse"}], "initProcessEnabled": True},
        healthCheck={"command": ["curl", "-f", "http://localhost"]},
        restartPolicy={"enabled": True, "ignoredExitCodes": [0]},
    )
    volumes = [
        {"name": "data", "host": {"sourcePath": "/data"}},
        {"name": "block", "configuredAtLaunch": True},
    ]
    made = definition("web", [broken], networkMode="bridge", pidMode="task", volumes=volumes, cpu=".25 vCPU")
    web = AppliedService("web", 1, made, None, ("web",))
    with pytest.raises(InputError) as caught:
        document(environment([web, service("orders", 8080)], set()), "shop-local", {}, (), {"orders": 8080})
    remedy = "; containers on this machine do not support that, so remove it"
    assert str(caught.value).splitlines() == [
        *(
            f"task definition shop-local-web:3: {what}{remedy}"
            for what in (
                "`pidMode`",
                "`networkMode` is bridge, not awsvpc",
                "`cpu` is .25 vCPU, not a whole number",
                "volume `data`: `host.sourcePath`",
                "volume `block`: `configuredAtLaunch`",
                "container `web`: `extraHosts`",
                "container `web`: `privileged`",
                "container `web`: `linuxParameters.devices`",
                "container `web`: `portMappings.containerPortRange`",
                "container `web`: `restartPolicy.ignoredExitCodes`",
                (
                    "container `web`: `healthCheck.command` starts with curl, not with one of CMD, CMD-SHELL,"
                    " NONE"
                ),
            )
        ),
        "orders has no public port; only one can be published on this machine",
    ]


def test_two_public_ports_are_refused() -> None:
    made = definition("web", [container("web", portMappings=[*listening(80), *listening(81)])])
    applied = environment(
        [AppliedService("web", 1, made, None, ("web",))], {everyone("web", 80), everyone("web", 81)}
    )
    with pytest.raises(InputError) as caught:
        document(applied, "shop-local", {}, (), {"web": 8080})
    assert str(caught.value) == "web has 2 public ports (80, 81); only one can be published on this machine"


def test_two_containers_that_would_have_one_name_are_refused() -> None:
    made = definition("web", [container("web"), container("2")])
    applied = environment(
        [AppliedService("web", 1, made, None, ("web",)), service("web-1", 80, tasks=2)], set()
    )
    with pytest.raises(InputError) as caught:
        document(applied, "shop-local", {}, (), {})
    assert str(caught.value) == (
        "two containers would have the name web-1-2; rename the container or the service"
    )
