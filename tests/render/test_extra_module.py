"""What a stack gives to the module in its `extra/`."""

from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import CatalogError, Position
from fleetform.catalog.models import Environment
from fleetform.hcl.parsing import expression, parse
from fleetform.render.declared_variables import Variable
from fleetform.render.extra_module import offered_variables
from fleetform.render.rendering import header, render
from fleetform.render.template import Templates
from fleetform.stacks import FOUNDATION, stacks
from tests.catalog.catalogs import HEAD, loaded

CATALOG = f"""{HEAD}
services:
  web: {{ image: nginx:1.29, port: 80, calls: [order-api] }}
  order-api: {{ image: nginx:1.29, port: 8080, renamed_from: [orders] }}
"""
ALL = f"""{HEAD}
kms_key: arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab
ingress: {{ type: internal_alb }}
network: {{ subnets: private, nat: single }}
services:
  web:
    {{ image: nginx:1.29, port: 80, public: true, exec: true, read_only: false, ingress: {{ paths: [/] }} }}
"""
PLACE = Position(PurePath("envs/dev/services/extra/variables.tf"), 3, 1)


def required(*names: str) -> tuple[Variable, ...]:
    """Variables without a default."""
    return tuple(Variable(name, required=True, place=PLACE) for name in names)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return loaded(tmp_path, CATALOG)


@pytest.fixture(scope="module")
def templates(root: Path) -> Templates:
    return Templates(root / "templates")


def called(environment: Environment, templates: Templates, stack: str, *variables: Variable) -> str:
    """How a stack calls its module."""
    text = render(environment, templates, {}, (), {stack: variables})[stack][PurePath("extra.tf")]
    return text.removeprefix(header("dev"))


def test_a_group_gives_what_is_declared_and_no_more(environment: Environment, templates: Templates) -> None:
    variables = required("vpc_id", "task_role_names", "name")
    assert (
        called(environment, templates, "services", *variables)
        == """\
module "extra" {
  source = "./extra"

  name = var.name
  vpc_id = local.foundation.vpc_id
  task_role_names = {
orders = module.order-api.task_role_name
web = module.web.task_role_name
}
}
"""
    )


def test_the_foundation_gives_what_it_makes(environment: Environment, templates: Templates) -> None:
    assert (
        called(environment, templates, "foundation", *required("subnet_ids", "security_group_ids"))
        == """\
module "extra" {
  source = "./extra"

  subnet_ids = values(module.network.public_subnet_ids)
  security_group_ids = {
orders = module.security.group_ids["orders"]
web = module.security.group_ids["web"]
}
}
"""
    )


def test_a_module_without_variables_is_called(environment: Environment, templates: Templates) -> None:
    assert called(environment, templates, "services") == 'module "extra" {\n  source = "./extra"\n}\n'


def test_nothing_is_called_without_a_module(environment: Environment, templates: Templates) -> None:
    rendered = render(environment, templates, {}, (), {"services": ()})
    assert [stack for stack, files in rendered.items() if PurePath("extra.tf") in files] == ["services"]


def test_a_variable_with_a_default_keeps_it_if_nothing_has_its_name(
    environment: Environment, templates: Templates
) -> None:
    size, region = (Variable(name, required=False, place=PLACE) for name in ("size", "region"))
    assert (
        called(environment, templates, "services", size, region)
        == 'module "extra" {\n  source = "./extra"\n\n  region = var.region\n}\n'
    )


def test_a_variable_without_a_value_is_refused_with_its_place(
    environment: Environment, templates: Templates
) -> None:
    with pytest.raises(CatalogError) as raised:
        render(environment, templates, {}, (), {"services": required("vpcid", "size")})
    can_have = (
        "without a default, it may be account, cluster_arn, discovery_service_arns, name, namespace,"
        " namespace_arn,"
        " region, repository_arns, repository_urls, security_group_ids, subnet_ids, tags, task_role_names,"
        " vpc_id"
    )
    assert [(problem.position, problem.message, problem.remedy) for problem in raised.value.problems] == [
        (PLACE, "the stack has no `size` to give to its `extra/`", can_have),
        (PLACE, "the stack has no `vpcid` to give to its `extra/`", f"did you mean `vpc_id`? {can_have}"),
    ]


def test_a_group_that_all_services_have_left_does_not_take_it_along(
    environment: Environment, templates: Templates
) -> None:
    with pytest.raises(CatalogError) as raised:
        render(environment, templates, {}, ("payments",), {"payments": ()})
    assert str(raised.value) == (
        "envs/dev/payments/extra:1:1: no service is in the group `payments` any more, and an apply would"
        " destroy this"
        " with it; move it to another stack, or delete it"
    )


def test_a_folder_that_is_not_a_stack_is_ignored(environment: Environment, templates: Templates) -> None:
    other = {"tools": required("anything")}
    assert render(environment, templates, {}, (), other) == render(environment, templates, {})


def test_no_service_has_the_modules_name(tmp_path: Path, templates: Templates) -> None:
    environment = loaded(tmp_path, f"{HEAD}services: {{ extra: {{ image: 'nginx:1.29' }} }}\n")
    with pytest.raises(CatalogError) as raised:
        render(environment, templates, {}, (), {"services": ()})
    assert str(raised.value) == (
        "envs/dev/services/extra:1:1: the stack would have two modules named `extra`; rename the service"
        " `extra`"
    )


@pytest.mark.parametrize("catalog", [CATALOG, ALL])
def test_the_foundation_passes_the_same_to_its_module_as_to_other_stacks(
    tmp_path: Path, templates: Templates, catalog: str
) -> None:
    environment = loaded(tmp_path, catalog)
    text = render(environment, templates, {})["foundation"][PurePath("outputs.tf")]
    outputs = {
        block.labels[0]: block.value("value") for block in parse(text.encode(), PurePath("outputs.tf")).blocks
    }
    offer = {
        name: value
        for name, value in offered_variables(environment, FOUNDATION).items()
        if not value.startswith("var.")
    }
    assert {name: without_places(expression(value)) for name, value in offer.items()} == {
        name: without_places(value) for name, value in outputs.items()
    }


def without_places(node: object) -> object:
    """An expression, whatever line it is on."""
    if isinstance(node, tuple):
        return (type(node).__name__, *map(without_places, node))
    return None if isinstance(node, int) else node


def test_the_document_names_all_that_can_be_had(tmp_path: Path, root: Path) -> None:
    environment = loaded(tmp_path, ALL)
    table = (
        (root / "docs/extra.md")
        .read_text(encoding="utf-8")
        .partition("\n| variable |")[2]
        .partition("\n\n")[0]
    )
    named = {name.strip("` ") for line in table.splitlines()[2:] for name in line.split("|")[1].split(",")}
    assert named == {name for stack in stacks(environment) for name in offered_variables(environment, stack)}
