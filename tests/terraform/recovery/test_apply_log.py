"""Resources that a killed apply created, from its log and the state."""

import re
from pathlib import Path

import pytest

from fleetform.terraform.recovery import find_by_name
from fleetform.terraform.recovery.apply_log import (
    _BY_ID,
    _IDEMPOTENT,
    NAME_ATTRIBUTES,
    PendingCreate,
    UnsavedResources,
    find_unsaved,
    ids_in_state,
    import_blocks,
    missing_imports,
    pending_creates,
)

NETWORK = "module.network"
LOG = """\
module.network.aws_vpc.this: Creating...
module.network.aws_iam_role.flow_logs["this"]: Creating...
\x1b[0m\x1b[1mmodule.network.aws_iam_role.flow_logs["this"]: Creation complete after 1s\
 [id=shop-local-flow-logs]\x1b[0m
module.network.aws_vpc.this: Still creating... [10s elapsed]
module.network.aws_vpc.this: Creation complete after 12s [id=vpc-1]
module.network.aws_nat_gateway.this["a"]: Creating...
module.web.terraform_data.discovery_service: Creating...
module.web.terraform_data.discovery_service: Creation complete after 0s [id=11efc605]
module.web.aws_ecs_service.fixed["this"]: Modifications complete after 0s\
 [id=arn:aws:ecs:x:1:service/shop/web]
"""
STATE = {
    "resources": [
        {
            "mode": "managed",
            "module": "module.network",
            "type": "aws_iam_role",
            "name": "flow_logs",
            "instances": [{"index_key": "this", "attributes": {"id": "shop-local-flow-logs"}}],
        },
        {"mode": "data", "type": "aws_region", "name": "current", "instances": [{"attributes": {"id": "x"}}]},
    ]
}


def test_created_resources_that_the_state_lacks_are_unsaved() -> None:
    assert find_unsaved(LOG, STATE) == UnsavedResources(
        {"module.network.aws_vpc.this": "vpc-1"}, {}, ('module.network.aws_nat_gateway.this["a"]',)
    )


def test_without_a_state_every_created_resource_is_unsaved() -> None:
    assert find_unsaved(LOG, {}).imports == {
        'module.network.aws_iam_role.flow_logs["this"]': "shop-local-flow-logs",
        "module.network.aws_vpc.this": "vpc-1",
    }


def test_a_state_has_ids_and_import_ids() -> None:
    instances = [{"attributes": {"id": "arn:aws:ecs:x:1:cluster/shop"}}]
    cluster = {"mode": "managed", "type": "aws_ecs_cluster", "name": "this", "instances": instances}
    assert ids_in_state({"resources": [*STATE["resources"], cluster]}) == {
        ("aws_iam_role", "shop-local-flow-logs"),
        ("aws_ecs_cluster", "arn:aws:ecs:x:1:cluster/shop"),
        ("aws_ecs_cluster", "shop"),
    }
    assert ids_in_state({}) == frozenset()


def test_a_log_without_creations_has_no_unsaved_resources() -> None:
    assert not find_unsaved("Apply complete! Resources: 0 added, 0 changed, 0 destroyed.\n", STATE)


@pytest.mark.parametrize(
    ("address", "found", "expected"),
    [
        ("module.cluster.aws_ecs_cluster.this", "arn:aws:ecs:x:1:cluster/shop-local", "shop-local"),
        (
            'module.web.aws_ecs_service.fixed["this"]',
            "arn:aws:ecs:x:1:service/shop/shop-web",
            "shop/shop-web",
        ),
        ('module.discovery.aws_service_discovery_private_dns_namespace.this["this"]', "ns-1", "ns-1:vpc-1"),
        ("module.network.aws_route.public_internet", "r-rtb-01080289494", "rtb-0_0.0.0.0/0"),
        ('module.network.aws_route.private_internet["a"]', "r-rtb-11080289494", "rtb-1_0.0.0.0/0"),
        ('module.network.aws_route_table_association.public["a"]', "rtbassoc-0", "subnet-0/rtb-0"),
        ('module.network.aws_route_table_association.private["a"]', "rtbassoc-1", "subnet-1/rtb-1"),
        ('module.security.aws_vpc_security_group_ingress_rule.this["web->orders:8080"]', "sgr-1", "sgr-1"),
    ],
)
def test_each_type_has_the_import_id_of_the_provider(address: str, found: str, expected: str) -> None:
    others = {
        "module.network.aws_vpc.this": "vpc-1",
        "module.network.aws_route_table.public": "rtb-0",
        'module.network.aws_route_table.private["a"]': "rtb-1",
        'module.network.aws_subnet.public["a"]': "subnet-0",
        'module.network.aws_subnet.private["a"]': "subnet-1",
    }
    created = {**others, address: found}
    log = "".join(f"{name}: Creation complete after 0s [id={id_}]\n" for name, id_ in created.items())
    assert find_unsaved(log, {}) == UnsavedResources({**others, address: expected}, {}, ())


def test_a_pending_route_has_the_id_of_its_route_table() -> None:
    log = (
        "module.network.aws_route_table.public: Creation complete after 0s [id=rtb-0]\n"
        "module.network.aws_route.public_internet: Creating...\n"
    )
    assert find_unsaved(log, {}).route_ids == {"module.network.aws_route.public_internet": "rtb-0_0.0.0.0/0"}


def test_resources_without_a_known_import_id_are_listed() -> None:
    log = (
        "module.extra.aws_sqs_queue.orders: Creation complete after 0s [id=https://sqs/orders]\n"
        'module.network.aws_route_table_association.public["a"]: Creation complete after 0s [id=rtbassoc-0]\n'
    )
    assert find_unsaved(log, {}) == UnsavedResources(
        {},
        {
            "module.extra.aws_sqs_queue.orders": "https://sqs/orders",
            'module.network.aws_route_table_association.public["a"]': "rtbassoc-0",
        },
        (),
    )


def test_import_blocks_are_rendered() -> None:
    assert import_blocks(
        {'module.web.aws_iam_role.this["a"]': "web", "module.b.aws_vpc.this": "vpc-${1}"}
    ) == (
        'import {\n  to = module.web.aws_iam_role.this["a"]\n  id = "web"\n}\n'
        '\nimport {\n  to = module.b.aws_vpc.this\n  id = "vpc-$${1}"\n}\n'
    )


PLAN = """\
Terraform will perform the following actions:

  # module.cluster.aws_ecs_cluster.this will be created
  + resource "aws_ecs_cluster" "this" {
      + arn      = (known after apply)
      + name     = "shop-local"

      + setting {
          + name  = "containerInsights"
          + value = "enabled"
        }
    }

\x1b[1m  # module.network.aws_subnet.public["a"]\x1b[0m will be created
  + resource "aws_subnet" "public" {
      + cidr_block = "10.0.1.0/24"
      + tags       = {
          + "Name" = "shop-local-a"
        }
    }

  # module.network.aws_vpc.this will be created
  + resource "aws_vpc" "this" {
      + id = (known after apply)
    }

Plan: 3 to add, 0 to change, 0 to destroy.
"""


def test_a_plan_has_the_names_of_pending_resources() -> None:
    addresses = ["module.cluster.aws_ecs_cluster.this", 'module.network.aws_subnet.public["a"]']
    assert list(pending_creates(PLAN, addresses)) == [
        PendingCreate(addresses[0], "aws_ecs_cluster", "", "shop-local"),
        PendingCreate(addresses[1], "aws_subnet", "shop-local-a", ""),
    ]


def test_the_tags_of_every_type_with_a_unique_name_are_read() -> None:
    assert {*NAME_ATTRIBUTES, "aws_ecs_service"} == find_by_name.KINDS.keys()


def test_an_ecs_service_is_imported_by_cluster_and_name() -> None:
    plan = (
        '  # module.web.aws_ecs_service.fixed["this"] will be created\n'
        '  + resource "aws_ecs_service" "fixed" {\n'
        '      + cluster = "arn:aws:ecs:x:1:cluster/shop"\n'
        '      + name    = "shop-web"\n'
        "    }\n"
    )
    address = 'module.web.aws_ecs_service.fixed["this"]'
    assert list(pending_creates(plan, [address])) == [
        PendingCreate(address, "aws_ecs_service", "", "shop/shop-web")
    ]
    without = plan.replace('"arn:aws:ecs:x:1:cluster/shop"', "(known after apply)")
    assert list(pending_creates(without, [address])) == [PendingCreate(address, "aws_ecs_service", "", "")]


def test_a_private_namespace_is_imported_with_its_vpc() -> None:
    found = find_unsaved("module.network.aws_vpc.this: Creation complete after 0s [id=vpc-1]\n", {})
    kinds = "aws_service_discovery_private_dns_namespace", "aws_service_discovery_http_namespace"
    assert [found.import_id(kind, "ns-1") for kind in kinds] == ["ns-1:vpc-1", "ns-1"]
    assert UnsavedResources({}, {}, ()).import_id(kinds[0], "ns-1") is None


def test_some_pending_resources_are_left_out() -> None:
    gateway = 'module.network.aws_nat_gateway.this["a"]'
    found = find_unsaved(LOG, {})
    assert gateway in found.pending
    assert found.without([gateway]).pending == tuple(
        address for address in found.pending if address != gateway
    )
    assert found.only_pending.without([gateway]) == UnsavedResources({}, {}, found.without([gateway]).pending)


NONEXISTENT = """\
\x1b[31m╷\x1b[0m\x1b[0m
\x1b[31m│\x1b[0m \x1b[0m\x1b[1m\x1b[31mError: \x1b[0m\x1b[0m\x1b[1mCannot import non-existent remote\
 object\x1b[0m
\x1b[31m│\x1b[0m \x1b[0m
\x1b[31m│\x1b[0m \x1b[0mWhile attempting to import an existing object to "aws_vpc.this[\\"a\\"]", the
\x1b[31m│\x1b[0m \x1b[0mprovider detected that no object exists with the given id.
\x1b[31m╵\x1b[0m\x1b[0m

Error: Cannot import non-existent remote object

While attempting to import an existing object to
"aws_cloudwatch_log_group.this", the provider detected that no object exists
with the given id. Only pre-existing objects can be imported; check that the
"""
"""Output of Terraform 1.11 to a terminal, then to a file."""
UNCONFIGURED = """
Error: Configuration for import target does not exist

  on fleetform_lost.tf line 9, in import:
   9:   to = module.mail.aws_iam_role.task

The configuration for the given import target module.mail.aws_iam_role.task
does not exist. All target instances must have an associated configuration to
be imported.

Error: Configuration for import target does not exist

The configuration for the given import aws_ecs_service.fixed["my
web"] does not exist. All target instances must have an associated
configuration to be imported.
"""
"""Output of Terraform 1.11 for a deleted module, then for a deleted instance."""


def test_failed_imports_are_read_from_the_output() -> None:
    assert missing_imports(NONEXISTENT) == {'aws_vpc.this["a"]', "aws_cloudwatch_log_group.this"}
    assert missing_imports(UNCONFIGURED) == {
        "module.mail.aws_iam_role.task",
        'aws_ecs_service.fixed["my web"]',
    }
    assert missing_imports("Error: creating IAM Role (web): EntityAlreadyExists") == frozenset()


def test_every_resource_type_of_the_modules_is_known(root: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in root.glob("modules/*/*.tf")]
    kinds = {kind for text in texts for kind in re.findall(r'^resource "(\w+)"', text, re.MULTILINE)}
    assert kinds - _BY_ID - _IDEMPOTENT == {
        "aws_ecs_cluster",
        "aws_ecs_service",
        "aws_route",
        "aws_route_table_association",
        "aws_service_discovery_private_dns_namespace",
    }
