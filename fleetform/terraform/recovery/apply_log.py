"""Resources that an apply created but did not save to the state, read from its log.

The next plan imports them.

Terraform saves a state in S3 when a resource is done, at most every 20 seconds, and at the end
(hashicorp/terraform, internal/backend/local/hook_state.go). Its log has the address and id of each created
resource.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleetform.hcl.literals import literal
from fleetform.terraform.plain_text import colorless, one_line

_CREATING = re.compile(r"^(?P<address>\S.*): Creating\.\.\.$", re.MULTILINE)
_CREATED = re.compile(r"^(?P<address>\S.*): Creation complete after \S+ \[id=(?P<id>.*)\]$", re.MULTILINE)
_MISSING = re.compile(
    r'import an existing object to ("(?:[^"\\]|\\.)*"), the provider detected that no object exists'
)
# The catalog has lost the resource in the meantime: only the resource, or its whole module.
_UNCONFIGURED = re.compile(
    r"The configuration for the given import (?!target )(?P<address>.+?) does not exist\. All target"
    r"|Configuration for import target does not exist on \S+ line \d+, in import: \d+: to = (?P<source>.+?)"
    r" The configuration for"
)
# hashicorp/terraform, internal/command/views/operation.go
_QUIT = "Two interrupts received"
_TO_CREATE = re.compile(
    r"^  # (?P<address>\S[^\n]*) will be created\n(?P<body>.*?)^    }$", re.MULTILINE | re.DOTALL
)
# The resource's top-level attributes, not those of nested blocks; and the tag `Name`.
_ATTRIBUTE = re.compile(
    r'^(?: {6}\+ (?P<key>bucket|cluster|name)| {10}\+ "(?P<tag>Name)") += "(?P<value>[^"\\]*)"$', re.MULTILINE
)
_TYPE = re.compile(r"(?:module\.[^.\[]+(?:\[[^]]*\])?\.)*(?P<type>\w+)\.(?P<name>\w+)(?P<key>\[.*\])?")

# Import ids of the resources of our modules: AWS provider 5.100, section "Import" of each resource's page.
_BY_ID = frozenset(
    {
        "aws_cloudwatch_dashboard",
        "aws_cloudwatch_log_group",
        "aws_cloudwatch_metric_alarm",
        "aws_ecr_lifecycle_policy",
        "aws_ecr_repository",
        "aws_ecr_repository_policy",
        "aws_eip",
        "aws_flow_log",
        "aws_iam_role",
        "aws_iam_role_policy",
        "aws_internet_gateway",
        "aws_lb",
        "aws_lb_listener",
        "aws_lb_listener_rule",
        "aws_lb_target_group",
        "aws_nat_gateway",
        "aws_route53_record",
        "aws_route_table",
        "aws_s3_bucket",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_versioning",
        "aws_scheduler_schedule",
        "aws_security_group",
        "aws_service_discovery_http_namespace",
        "aws_service_discovery_service",
        "aws_subnet",
        "aws_vpc",
        "aws_vpc_endpoint",
        "aws_vpc_security_group_egress_rule",
        "aws_vpc_security_group_ingress_rule",
    }
)
# Creating them twice succeeds: AWS updates the existing one, or adds a revision. So they need no import.
_IDEMPOTENT = frozenset(
    {
        "aws_appautoscaling_policy",
        "aws_appautoscaling_scheduled_action",
        "aws_appautoscaling_target",
        "aws_default_network_acl",
        "aws_default_route_table",
        "aws_default_security_group",
        "aws_ecs_cluster_capacity_providers",
        "aws_ecs_task_definition",
        "aws_iam_role_policy_attachment",
        "aws_s3_bucket_lifecycle_configuration",
        "aws_wafv2_web_acl_association",
        "terraform_data",
    }
)
NAME_ATTRIBUTES = {
    "aws_cloudwatch_log_group": "name",
    "aws_ecr_repository": "name",
    "aws_ecs_cluster": "name",
    "aws_iam_role": "name",
    "aws_lb": "name",
    "aws_lb_target_group": "name",
    "aws_s3_bucket": "bucket",
}
"""The types whose names are unique in AWS, with the attribute that holds the name; they are found by it."""
ROUTE = "aws_route"
ASSOCIATION = "aws_route_table_association"
_PRIVATE_NAMESPACE = "aws_service_discovery_private_dns_namespace"
CLOUD_MAP = frozenset(
    {_PRIVATE_NAMESPACE, "aws_service_discovery_http_namespace", "aws_service_discovery_service"}
)
_VPC = "module.network.aws_vpc.this"
_DEFAULT_ROUTE = "0.0.0.0/0"


@dataclass(frozen=True)
class UnsavedResources:
    """Resources that are not in the state although an apply created, or may have created, them.

    Attributes:
        imports: Import ids of the created resources, by address.
        unknown: Ids of the created resources whose import id is unknown, by address.
        pending: Addresses whose creation had started; they may exist.
        state_ids: The ids in the state, by address.
        route_ids: Import ids of the pending routes and route table associations, by address.
    """

    imports: Mapping[str, str]
    unknown: Mapping[str, str]
    pending: tuple[str, ...]
    state_ids: Mapping[str, str] = field(default_factory=dict, compare=False)
    route_ids: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.imports or self.unknown or self.pending)

    def without(self, addresses: Collection[str]) -> "UnsavedResources":
        """Return a copy without some of the pending addresses."""
        pending = tuple(address for address in self.pending if address not in addresses)
        route_ids = {address: id_ for address, id_ in self.route_ids.items() if address not in addresses}
        return replace(self, pending=pending, route_ids=route_ids)

    @property
    def only_pending(self) -> "UnsavedResources":
        """Return a copy with only the pending addresses."""
        return replace(self, imports={}, unknown={})

    def import_id(self, kind: str, id_: str) -> str | None:
        """Return the import id of a resource from its id in AWS.

        None if it needs a VPC id that is unknown.
        """
        vpc = {**self.state_ids, **self.imports}.get(_VPC)
        return _join(":", id_, vpc) if kind == _PRIVATE_NAMESPACE else id_


def find_unsaved(log: str, state: Mapping[str, Any]) -> UnsavedResources:
    """Compare the log of an apply with the state that it should have updated.

    Args:
        log: The output of `terraform apply`, colored or not.
        state: The state as JSON; empty if there is none.
    """
    text = colorless(log)
    state_ids = _ids_by_address(state)
    created = {match["address"]: match["id"] for match in _CREATED.finditer(text)}
    ids = {**state_ids, **created}
    imports, unknown = {}, {}
    for address in sorted(created.keys() - state_ids.keys()):
        kind = _type(address)
        if kind in _IDEMPOTENT:
            continue
        if id_ := _import_id(kind, address, ids):
            imports[address] = id_
        else:
            unknown[address] = created[address]
    started = {match["address"] for match in _CREATING.finditer(text)} - ids.keys()
    pending = sorted(address for address in started if _type(address) not in _IDEMPOTENT)
    routes = {
        address: _route_import_id(address, ids)
        for address in pending
        if _type(address) in {ROUTE, ASSOCIATION}
    }
    route_ids = {address: id_ for address, id_ in routes.items() if id_}
    return UnsavedResources(imports, unknown, tuple(pending), state_ids, route_ids)


def ids_in_state(state: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """Return the pairs of type and id of the resources in a state, and the pairs of type and import id.

    Args:
        state: The state as JSON; empty if there is none.
    """
    ids = _ids_by_address(state)
    kinds = {address: _type(address) for address in ids}
    imported = {(kind, _import_id(kind, address, ids)) for address, kind in kinds.items()}
    return frozenset(
        (kind, id_) for kind, id_ in {*imported, *zip(kinds.values(), ids.values(), strict=True)} if id_
    )


@dataclass(frozen=True)
class PendingCreate:
    """A resource whose creation had started, as planned.

    Attributes:
        address: Its address.
        kind: Its Terraform type.
        name: Its tag `Name`, or its name in Cloud Map; empty if it has none.
        id: The name, or import id, that `find_by_name` takes; empty if the plan does not have it.
    """

    address: str
    kind: str
    name: str
    id: str


def pending_creates(plan: str, addresses: Collection[str]) -> Iterator[PendingCreate]:
    """Yield the resources of some addresses that a plan was to create.

    Args:
        plan: The output of `terraform plan`, colored or not.
        addresses: The addresses of the resources.
    """
    for block in _TO_CREATE.finditer(colorless(plan)):
        if (address := block["address"]) in addresses:
            values = {
                match["key"] or match["tag"]: match["value"] for match in _ATTRIBUTE.finditer(block["body"])
            }
            kind = _type(address)
            name = values.get("name" if kind in CLOUD_MAP else "Name", "")
            yield PendingCreate(address, kind, name, _planned_id(kind, values))


def _planned_id(kind: str, values: Mapping[str, str]) -> str:
    """Return the name, or import id, from the attributes in the plan; empty if they do not have it."""
    if kind != "aws_ecs_service":
        return values.get(NAME_ATTRIBUTES.get(kind, ""), "")
    cluster, name = values.get("cluster", "").rpartition("/")[2], values.get("name", "")
    return f"{cluster}/{name}" if cluster and name else ""


def missing_imports(output: str) -> frozenset[str]:
    """Return the addresses that a plan could not import.

    Their resource, or their configuration, no longer exists.

    Args:
        output: The output of `terraform plan`, colored or not.
    """
    text = one_line(output)
    unconfigured = {match["address"] or match["source"] for match in _UNCONFIGURED.finditer(text)}
    return frozenset(unconfigured.union(json.loads(quoted) for quoted in _MISSING.findall(text)))


def has_quit(log: str) -> bool:
    """Whether a second interrupt ended Terraform at once.

    It has unlocked the state, but perhaps not saved it.

    Args:
        log: The output of `terraform apply`.
    """
    return _QUIT in log


def import_blocks(imports: Mapping[str, str]) -> str:
    """Render the `import` blocks for one plan.

    Args:
        imports: Import ids, by address.
    """
    return "\n".join(
        f"import {{\n  to = {address}\n  id = {literal(id_)}\n}}\n" for address, id_ in imports.items()
    )


def _ids_by_address(state: Mapping[str, Any]) -> dict[str, str]:
    """Return the ids in a state, by address.

    Format: hashicorp/terraform, internal/states/statefile/version4.go.
    """
    return {
        _address(resource, instance): str(instance["attributes"].get("id"))
        for resource in state.get("resources", ())
        if resource["mode"] == "managed"
        for instance in resource["instances"]
    }


def _address(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    module = f"{resource['module']}." if "module" in resource else ""
    key = f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
    return f"{module}{resource['type']}.{resource['name']}{key}"


def _type(address: str) -> str:
    match = _TYPE.fullmatch(address)
    return match["type"] if match else ""


def _import_id(kind: str, address: str, ids: Mapping[str, str]) -> str | None:
    """Return the import id of a resource; None if it is unknown."""
    id_ = ids[address]
    if kind in _BY_ID:
        return id_
    import_ids = {
        "aws_ecs_cluster": id_.rpartition("/")[2],
        "aws_ecs_service": id_.rpartition("service/")[2],
        ROUTE: _route_import_id(address, ids),
        ASSOCIATION: _route_import_id(address, ids),
        _PRIVATE_NAMESPACE: _join(":", id_, ids.get(_VPC)),
    }
    return import_ids.get(kind)


def _route_import_id(address: str, ids: Mapping[str, str]) -> str | None:
    """Return the import id of a route or a route table association, which need not exist.

    None if it is unknown.
    """
    if _type(address) == ROUTE:
        return _join("_", _route_table(address, ids), _DEFAULT_ROUTE)
    return _join("/", ids.get(address.replace(ASSOCIATION, "aws_subnet")), _route_table(address, ids))


def _route_table(address: str, ids: Mapping[str, str]) -> str | None:
    """Return the id of the route table of a route or association.

    The public one, or the private one of its key.
    """
    module, _, rest = address.partition(".aws_route")
    private, key = ".private" in rest, rest[rest.find("[") :]
    return ids.get(f"{module}.aws_route_table.{f'private{key}' if private else 'public'}")


def _join(separator: str, *parts: str | None) -> str | None:
    return None if None in parts else separator.join(filter(None, parts))
