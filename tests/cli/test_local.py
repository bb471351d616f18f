"""What a person sees of the services that run here; fakes take the engine's place."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleetform.aws.clients import Access
from fleetform.aws.live_state import AppliedEnvironment, AppliedService
from fleetform.base.errors import CheckFailedError, InputError, ProgramError
from fleetform.cli import local
from fleetform.local_runtime.runner import Runner
from fleetform.smoke.script import MARK
from fleetform.topology.applied_rule import AppliedRule
from fleetform.validation.loading import load
from fleetform.workflow.apply import states
from fleetform.workflow.local import local_services
from fleetform.workflow.local.local_services import Site
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace
from tests import small_project
from tests.local_runtime.fake_programs import FakePrograms, facts
from tests.local_runtime.fake_programs import make as make_stand_in

NO_ENGINE = (
    "no program on this machine can run containers (docker: not on PATH; podman: not on PATH);"
    " install and start Docker with Compose"
    " (on Debian: apt-get install docker.io docker-compose), or Podman with Compose (on Debian: apt-get"
    " install podman"
    " netavark aardvark-dns docker-compose)"
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "project").mkdir()
    return small_project.make(tmp_path / "project")


@pytest.fixture
def fake_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePrograms:
    """Docker and its Compose, alone on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "fake-programs"))
    fake_programs = make_stand_in(tmp_path / "fake-programs")
    fake_programs.install("docker", "docker-compose")
    fake_programs.say("docker-compose version", "1.29.2")
    fake_programs.answer("docker compose", "sys.exit(1)")
    return fake_programs


def web(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - what `inspect` says
    """A public container."""
    network = {"Networks": {"shop-local_web--orders": {"IPAddress": "198.18.0.2"}}}
    network["Ports"] = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}  # type: ignore[dict-item]
    return {**facts("web-1", health="healthy"), "NetworkSettings": network, **changes}


def orders(task: int, *, health: str = "healthy") -> dict[str, Any]:
    network = {"Networks": {"shop-local_web--orders": {"IPAddress": f"198.18.0.{task + 2}"}}, "Ports": {}}
    return {**facts(f"orders-{task}", health=health), "NetworkSettings": network}


@pytest.mark.parametrize("task", [local.up, local.down])
def test_a_machine_without_an_engine_is_reported_with_how_to_get_one(
    task: Any,  # noqa: ANN401 - tasks have no common type
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramError) as caught:
        task(project, "local", None)
    assert str(caught.value) == NO_ENGINE


def test_ps_prints_the_count_of_healthy_tasks_as_json(
    project: Project, fake_programs: FakePrograms, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_programs.have("docker", web(), orders(1), orders(2, health="unhealthy"))
    local.ps(project, "local", None, as_json=True)
    assert json.loads(capsys.readouterr().out) == [
        {"service": "orders", "dns_name": "orders.local.shop.internal", "well": 1, "tasks": 2, "url": None},
        {
            "service": "web",
            "dns_name": "web.local.shop.internal",
            "well": 1,
            "tasks": 1,
            "url": "http://127.0.0.1:8080",
        },
    ]


def test_ps_shows_a_table(
    project: Project, fake_programs: FakePrograms, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_programs.have("docker", web(), orders(1))
    local.ps(project, "local", None, as_json=False)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["service", "DNS", "name", "tasks", "URL"],
        ["orders", "orders.local.shop.internal", "1/1", "-"],
        ["web", "web.local.shop.internal", "1/1", "http://127.0.0.1:8080"],
    ]


@pytest.mark.usefixtures("fake_programs")
def test_ps_of_nothing_shows_what_starts_it(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    local.ps(project, "tiny", None, as_json=False)
    assert capsys.readouterr().out == "nothing of tiny runs here; `invoke up --env tiny` starts it\n"


@pytest.mark.usefixtures("fake_programs")
def test_smoke_of_nothing_shows_what_starts_it(project: Project) -> None:
    with pytest.raises(ProgramError) as caught:
        local.smoke(project, "tiny", None, local.SmokeOptions(as_json=True))
    assert str(caught.value) == "tiny is not running on this machine; run `invoke up --env tiny` to start it"


@pytest.mark.parametrize(("code", "well"), [(0, 1), (1, 0)])
def test_a_check_that_the_engine_has_not_made_yet_is_made(
    code: int, well: int, project: Project, fake_programs: FakePrograms
) -> None:
    container = web(
        State={"Status": "running", "StartedAt": "2026-01-02T03:04:05Z", "Health": {"Status": "starting"}}
    )
    container["Config"]["Healthcheck"] = {"Test": ["CMD", "check", "it"]}
    fake_programs.have("docker", container)
    fake_programs.answer("docker exec", f"sys.exit({code})")
    (status,) = local.statuses(local_services.open_site(project, "local", None))
    assert status.well == well
    assert fake_programs.calls()[-1] == ["docker", "exec", "--interactive", "shop-local-web-1", "check", "it"]


def answered(**changed: Any) -> str:  # noqa: ANN401 - JSON
    """What the probe prints of one target."""
    answer = {"resolved": [], "connected": False, "status": None, "error": "", "milliseconds": 1}
    return MARK + json.dumps([answer | changed])


def probes(fake_programs: FakePrograms, answers: Mapping[str, str]) -> None:
    """Lets the probe in each container print what is given for it."""
    for container, text in answers.items():
        fake_programs.say(f"docker exec --interactive {container}", text)


def test_smoke_shows_the_matrix_and_names_what_is_wrong(
    project: Project, fake_programs: FakePrograms, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_programs.have("docker", web(), orders(1))
    probes(
        fake_programs,
        {
            "shop-local-web-1": answered(resolved=["198.18.0.3"], connected=True),
            "shop-local-orders-1": answered(connected=True),
        },
    )
    with pytest.raises(CheckFailedError) as caught:
        local.smoke(project, "local", None, local.SmokeOptions())
    assert str(caught.value) == "1 of 2 pairs of services does not match `calls`"
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("✓ Test every pair of services: WRONG 1, works 1 ")
    assert [line.split() for line in lines] == [
        ["orders", "web"],
        ["orders", "-", "WRONG"],
        ["web", "works", "-"],
        ["orders", "->", "web:80:", "connects,", "but", "orders", "does", "not", "call", "web"],
    ]


def test_a_caller_without_python_is_asked_from_beside(
    project: Project, fake_programs: FakePrograms, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_programs.have("docker", web(), orders(1))
    fake_programs.answer("docker exec", "sys.exit(127)")
    fake_programs.answer(
        "docker run",
        f"web = '--network=container:shop-local-web-1' in words\n"
        f"print({answered(connected=True)!r} if web else {answered(error='timed out')!r})",
    )
    local.smoke(project, "local", None, local.SmokeOptions(as_json=True))
    found = json.loads(capsys.readouterr().out)
    assert [(pair["caller"], pair["callee"], pair["state"]) for pair in found["pairs"]] == [
        ("orders", "web", "blocked"),
        ("web", "orders", "works"),
    ]


def test_a_file_for_junit_that_cannot_be_written_is_wrong_input(
    project: Project, fake_programs: FakePrograms
) -> None:
    fake_programs.have("docker", web(), orders(1))
    probes(
        fake_programs,
        {"shop-local-web-1": answered(connected=True), "shop-local-orders-1": answered(error="timed out")},
    )
    with pytest.raises(InputError) as caught:
        local.smoke(project, "local", None, local.SmokeOptions(junit="no/such/folder.xml", as_json=True))
    assert str(caught.value) == (
        "--junit no/such/folder.xml: No such file or directory; name a file that can be written"
    )


def applied(*public: tuple[str, int]) -> AppliedEnvironment:
    """Public services on their ports."""
    services = [
        AppliedService(
            name,
            1,
            {"containerDefinitions": [{"name": name, "portMappings": [{"containerPort": port}]}]},
            None,
            (name,),
        )
        for name, port in public
    ]
    rules = [AppliedRule("ingress", name, "tcp", port, port, cidr="0.0.0.0/0") for name, port in public]
    return AppliedEnvironment(tuple(services), frozenset(rules), "10.0.0.0/16")


@pytest.fixture
def site(project: Project, tmp_path: Path) -> Site:
    environment = load(project.root, "local")
    return Site(project.root, environment, tmp_path, Runner("docker", ("docker-compose",), os.environ))


@pytest.mark.usefixtures("fake_programs")
def test_a_public_service_has_its_own_port_or_a_free_one(site: Site) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken: int = listener.getsockname()[1]
        ports = local_services.ports(site, applied(("a", taken), ("b", 80)))
    assert ports["a"] not in {taken, ports["b"]}
    assert ports["b"] == 8080 or ports["b"] > 1024


def test_a_port_that_is_published_already_stays(site: Site, fake_programs: FakePrograms) -> None:
    fake_programs.have(
        "docker", web(NetworkSettings={"Networks": {}, "Ports": {"80/tcp": [{"HostPort": "4711"}]}})
    )
    assert local_services.ports(site, applied(("web", 80))) == {"web": 4711}


def test_an_apply_is_remembered_until_something_else_is_rendered(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "has_state", lambda *_: True)
    environment = load(project.root, "local")
    workspace = Workspace(environment, "terraform", project.root / "envs/local", tmp_path, {})
    seen: list[bool] = [local_services.is_applied(workspace)]
    local_services.note_applied(workspace)
    seen.append(local_services.is_applied(workspace))
    small_project.write(project, "envs/local/services/extra.tf", "locals {}\n")
    seen.append(local_services.is_applied(workspace))
    assert seen == [False, True, False]


TASKS = (
    "  report: { image: 'report:1', schedule: rate(1 hour) }\n"
    "  migration: { image: 'migration:1', run_before: [orders, web] }\n"
)


def test_tasks_are_not_started_and_that_is_reported(
    project: Project, fake_programs: FakePrograms, capsys: pytest.CaptureFixture[str]
) -> None:
    small_project.write(project, "envs/catalog.yaml", small_project.CATALOG + TASKS)
    fake_programs.have("docker", web())
    local.ps(project, "local", None, as_json=False)
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "report: not started here: runs at rate(1 hour)",
        "migration: not started here: runs before orders, web",
    ]


def test_services_that_srv_records_find_are_refused(project: Project, site: Site) -> None:
    small_project.edit(project, "envs/catalog.yaml", "8080\n", "8080\n    discovery: { record_type: SRV }\n")
    found = replace(site, environment=load(project.root, "local"))
    with pytest.raises(InputError) as caught:
        local_services.start(found, Access("eu-central-1", {}), {}, print)
    assert str(caught.value) == (
        "orders: local containers do not support SRV records; remove `record_type: SRV`"
    )
