"""Changes of services that an apply must not interrupt, from the catalog to AWS."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleetform import emulator
from fleetform.base.errors import ProgramError
from fleetform.cli import stacks
from fleetform.terraform.plan.models import Action, Change
from fleetform.workflow.apply import terraform
from fleetform.workflow.apply.driver import RunOptions
from fleetform.workflow.project import Project
from fleetform.workflow.render import files
from fleetform.workflow.workspace import open_workspace
from tests.conftest import copy_folder

ROOT = Path(__file__).parents[2]
ENVIRONMENT = "local"
CLUSTER = "shop-local"

CATALOG = """\
application: shop
account: "123456789012"
region: eu-central-1
zones: [eu-central-1a, eu-central-1b]
services:
  api: {{ image: "nginx:1.29", port: 80, public: true, ingress: {{ paths: [/api/*], priority: {api} }} }}
  web: {{ image: "nginx:1.29", port: 80, public: true, ingress: {{ paths: [/*], priority: {web} }} }}
  worker: {{ image: "nginx:1.29", desired_count: {count}, capacity_providers: {{ {provider}: 1 }} }}
"""
MAIL = """\
  mail:
    image: nginx:1.29
    autoscaling: { min: 1, max: 3 }
    adopt: { ecs_service: shop-local-mail, scalable_target: true }
"""
TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/shop-local/shop-local-mail",
    "ScalableDimension": "ecs:service:DesiredCount",
}
BEFORE = {"api": "10", "web": "20", "count": "1", "provider": "FARGATE"}


class Deployed:
    """Services on the emulator.

    Attributes:
        project: Their project.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._catalog = project.root / "envs/catalog.yaml"

    def write(self, text: str) -> None:
        """Write and render a catalog."""
        self._catalog.write_text(text, encoding="utf-8")
        files.render_environment(self.project, ENVIRONMENT)

    def apply(self) -> None:
        """Apply the catalog."""
        stacks.apply(self.project, ENVIRONMENT, RunOptions(yes=True, jobs=1))

    def changes(self) -> tuple[Change, ...]:
        """Return the changes of a new plan of the services."""
        workspace = open_workspace(self.project, ENVIRONMENT)
        planned = terraform.plan(workspace, workspace.stacks[-1])
        return terraform.read_changes(workspace, planned, values=True).changes

    def client(self, name: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Return a client of the AWS API."""
        return open_workspace(self.project, ENVIRONMENT).access.client(name)

    def service(self, name: str) -> dict[str, Any]:
        """Return an ECS service."""
        answer = self.client("ecs").describe_services(cluster=CLUSTER, services=[f"{CLUSTER}-{name}"])
        service: dict[str, Any] = answer["services"][0]
        return service


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The services of `BEFORE`, applied."""
    root = tmp_path_factory.mktemp("project")
    for name in ("fleetform", "modules", "templates"):
        copy_folder(name, root)
    shutil.copy(ROOT / "tasks.py", root)
    folder = root / "envs" / ENVIRONMENT
    folder.mkdir(parents=True)
    (folder / "environment.yaml").write_text(
        "emulator: true\ningress: { type: internal_alb }\n", encoding="utf-8"
    )
    project = Project(root)
    deployed = Deployed(project)
    try:
        deployed.write(CATALOG.format(**BEFORE))
        deployed.apply()
        yield deployed
    finally:
        emulator.stop(project.work)


def priorities(deployed: Deployed) -> dict[str, str]:
    """Return the priorities of the rules by their path."""
    balancing = deployed.client("elbv2")
    (balancer,) = balancing.describe_load_balancers()["LoadBalancers"]
    (listener,) = balancing.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = balancing.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    return {
        rule["Conditions"][0]["PathPatternConfig"]["Values"][0]: rule["Priority"]
        for rule in rules
        if not rule["IsDefault"]
    }


def test_priorities_swap_in_one_call(deployed: Deployed) -> None:
    assert priorities(deployed) == {"/api/*": "10", "/*": "20"}
    deployed.write(CATALOG.format_map({**BEFORE, "api": "20", "web": "10"}))
    deployed.apply()
    assert priorities(deployed) == {"/api/*": "20", "/*": "10"}


def actions(changes: tuple[Change, ...], kind: str) -> list[tuple[Action, bool]]:
    """Return what is done to the resources of a type, and whether each is imported."""
    return [(change.action, bool(change.imported)) for change in changes if change.type == kind]


def test_new_capacity_providers_update_the_service(deployed: Deployed) -> None:
    deployed.write(CATALOG.format_map({**BEFORE, "api": "20", "web": "10", "provider": "FARGATE_SPOT"}))
    assert actions(deployed.changes(), "aws_ecs_service") == [(Action.UPDATE, False)]
    deployed.apply()
    (share,) = deployed.service("worker")["capacityProviderStrategy"]
    assert share["capacityProvider"] == "FARGATE_SPOT"
    assert deployed.changes() == ()


def test_an_adopted_service_with_a_launch_type_is_kept(deployed: Deployed) -> None:
    catalog = CATALOG.format_map({**BEFORE, "api": "20", "web": "10", "provider": "FARGATE_SPOT"}) + MAIL
    worker = deployed.service("worker")
    deployed.client("ecs").create_service(
        cluster=CLUSTER,
        serviceName="shop-local-mail",
        taskDefinition=worker["taskDefinition"],
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=worker["networkConfiguration"],
    )
    scaling = deployed.client("application-autoscaling")
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)

    deployed.write(catalog)
    with pytest.raises(ProgramError, match=r"is adopted and would be replaced.*set `launch_type: FARGATE`"):
        deployed.apply()
    assert deployed.service("mail")["status"] == "ACTIVE"

    deployed.write(f"{catalog}    launch_type: FARGATE\n")
    changes = deployed.changes()
    assert actions(changes, "aws_ecs_service") == [(Action.UPDATE, True)]
    assert actions(changes, "aws_appautoscaling_target") == [(Action.UPDATE, True)]
    deployed.apply()
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (deployed.service("mail")["launchType"], target["MaxCapacity"]) == ("FARGATE", 3)
    assert deployed.changes() == ()
