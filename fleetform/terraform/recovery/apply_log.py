"""What an apply made that was killed before it saved its state: found in its log, and imported by the next plan.

Terraform saves a state in S3 every 20 seconds at best, when a resource is done, and at its end
(hashicorp/terraform, internal/backend/local/hook_state.go). Its log names each resource that is made, with its id.
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
_MISSING = re.compile(r'import an existing object to ("(?:[^"\\]|\\.)*"), the provider detected that no object exists')
# Of what the catalog has lost since: a resource in a module that is still there, or a module.
_UNCONFIGURED = re.compile(
    r"The configuration for the given import (?!target )(?P<address>.+?) does not exist\. All target"
    r"|Configuration for import target does not exist on \S+ line \d+, in import: \d+: to = (?P<source>.+?)"
    r" The configuration for"
)
# hashicorp/terraform, internal/command/views/operation.go
_QUIT = "Two interrupts received"
_TO_CREATE = re.compile(r"^  # (?P<address>\S[^\n]*) will be created\n(?P<body>.*?)^    }$", re.MULTILINE | re.DOTALL)
# Its own, not those of blocks in it; and a tag.
_ATTRIBUTE = re.compile(
    r'^(?: {6}\+ (?P<key>bucket|cluster|name)| {10}\+ "(?P<tag>Name)") += "(?P<value>[^"\\]*)"$', re.MULTILINE
)
_TYPE = re.compile(r"(?:module\.[^.\[]+(?:\[[^]]*\])?\.)*(?P<type>\w+)\.(?P<name>\w+)(?P<key>\[.*\])?")

# How each resource of our modules is imported: pages of the AWS provider 5.100, section "Import".
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
# AWS takes their creation as a change of what is there, or makes another revision: nothing is in the way.
_RECREATABLE = frozenset(
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
NAMED = {
    "aws_cloudwatch_log_group": "name",
    "aws_ecr_repository": "name",
    "aws_ecs_cluster": "name",
    "aws_iam_role": "name",
    "aws_lb": "name",
    "aws_lb_target_group": "name",
    "aws_s3_bucket": "bucket",
}
"""The types of which AWS takes but one of a name, with the attribute that has it: by that they are found."""
ROUTE = "aws_route"
ASSOCIATION = "aws_route_table_association"
_PRIVATE_NAMESPACE = "aws_service_discovery_private_dns_namespace"
CLOUD_MAP = frozenset({_PRIVATE_NAMESPACE, "aws_service_discovery_http_namespace", "aws_service_discovery_service"})
_VPC = "module.network.aws_vpc.this"
_DEFAULT_ROUTE = "0.0.0.0/0"


@dataclass(frozen=True)
class UnsavedResources:
    """What is not in a state although it was made.

    Attributes:
        imports: What is known by what to import it, by address.
        unknown: The ids of what is not, by address.
        begun: Addresses of what had begun and may have been made.
        held: The ids that the state has, by address.
        wired: By what to import the routes and the associations of route tables among what had begun, by address.
    """

    imports: Mapping[str, str]
    unknown: Mapping[str, str]
    begun: tuple[str, ...]
    held: Mapping[str, str] = field(default_factory=dict, compare=False)
    wired: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __bool__(self) -> bool:
        """Whether anything is lost."""
        return bool(self.imports or self.unknown or self.begun)

    def without(self, addresses: Collection[str]) -> "UnsavedResources":
        """The same, but for some addresses of what had begun."""
        begun = tuple(address for address in self.begun if address not in addresses)
        wired = {address: id_ for address, id_ in self.wired.items() if address not in addresses}
        return replace(self, begun=begun, wired=wired)

    @property
    def unanswered(self) -> "UnsavedResources":
        """What had begun, and nothing else."""
        return replace(self, imports={}, unknown={})

    def import_id(self, kind: str, id_: str) -> str | None:
        """By what a thing is imported whose id AWS has told; None if that is not known."""
        vpc = {**self.held, **self.imports}.get(_VPC)
        return _joined(":", id_, vpc) if kind == _PRIVATE_NAMESPACE else id_


def find_unsaved(log: str, state: Mapping[str, Any]) -> UnsavedResources:
    """Compares what the log of an apply says with the state that it should have got into.

    Args:
        log: What Terraform printed, in colour or not.
        state: The state; empty if there is none.
    """
    text = colorless(log)
    held = _held_by(state)
    made = {found["address"]: found["id"] for found in _CREATED.finditer(text)}
    ids = {**held, **made}
    imports, unknown = {}, {}
    for address in sorted(made.keys() - held.keys()):
        kind = _type(address)
        if kind in _RECREATABLE:
            continue
        if found := _import_id(kind, address, ids):
            imports[address] = found
        else:
            unknown[address] = made[address]
    started = {found["address"] for found in _CREATING.finditer(text)} - made.keys() - held.keys()
    left = sorted(address for address in started if _type(address) not in _RECREATABLE)
    wired = {
        address: _routes_and_associations(address, ids) for address in left if _type(address) in {ROUTE, ASSOCIATION}
    }
    known = {address: id_ for address, id_ in wired.items() if id_}
    return UnsavedResources(imports, unknown, tuple(left), held, known)


def without_imported(state: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """The types of what a state has, each with its id, and with that by which it is imported.

    Args:
        state: The state; empty if there is none.
    """
    ids = _held_by(state)
    kinds = {address: _type(address) for address in ids}
    imported = {(kind, _import_id(kind, address, ids)) for address, kind in kinds.items()}
    return frozenset((kind, id_) for kind, id_ in {*imported, *zip(kinds.values(), ids.values(), strict=True)} if id_)


@dataclass(frozen=True)
class PendingCreate:
    """What had begun, as its plan says.

    Attributes:
        address: Its address.
        kind: Its type.
        name: Its tag `Name`, or its name in Cloud Map; empty if it has none.
        id: By what it is found, and imported but for `named.import_id`; empty if its plan does not say so.
    """

    address: str
    kind: str
    name: str
    id: str


def pending_creates(plan: str, addresses: Collection[str]) -> Iterator[PendingCreate]:
    """What a plan says of resources.

    Args:
        plan: What Terraform printed, in colour or not.
        addresses: Those of the resources.
    """
    for block in _TO_CREATE.finditer(colorless(plan)):
        if (address := block["address"]) in addresses:
            values = {found["key"] or found["tag"]: found["value"] for found in _ATTRIBUTE.finditer(block["body"])}
            kind = _type(address)
            name = values.get("name" if kind in CLOUD_MAP else "Name", "")
            yield PendingCreate(address, kind, name, _named(kind, values))


def _named(kind: str, values: Mapping[str, str]) -> str:
    """By what a resource is imported, as far as its plan knows; empty if it does not."""
    if kind != "aws_ecs_service":
        return values.get(NAMED.get(kind, ""), "")
    cluster, name = values.get("cluster", "").rpartition("/")[2], values.get("name", "")
    return f"{cluster}/{name}" if cluster and name else ""


def missing_imports(output: str) -> frozenset[str]:
    """The addresses whose imports a plan refused: what they would have imported is not there any more, or they are not.

    Args:
        output: What Terraform printed, in colour or not.
    """
    text = one_line(output)
    unconfigured = {found["address"] or found["source"] for found in _UNCONFIGURED.finditer(text)}
    return frozenset(unconfigured.union(json.loads(quoted) for quoted in _MISSING.findall(text)))


def has_quit(log: str) -> bool:
    """Whether a Terraform ended at once when it was told to: it unlocks its state then, and may not have saved it.

    Args:
        log: What it printed.
    """
    return _QUIT in log


def import_blocks(imports: Mapping[str, str]) -> str:
    """The text of a file that imports resources, for one plan."""
    return "\n".join(f"import {{\n  to = {address}\n  id = {literal(id_)}\n}}\n" for address, id_ in imports.items())


def _held_by(state: Mapping[str, Any]) -> dict[str, str]:
    """Ids by address: https://developer.hashicorp.com/terraform/internals/json-format has the words."""
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
    found = _TYPE.fullmatch(address)
    return found["type"] if found else ""


def _import_id(kind: str, address: str, ids: Mapping[str, str]) -> str | None:
    """What a resource is imported by; None if that is not known."""
    own = ids[address]
    if kind in _BY_ID:
        return own
    known = {
        "aws_ecs_cluster": own.rpartition("/")[2],
        "aws_ecs_service": own.rpartition("service/")[2],
        ROUTE: _routes_and_associations(address, ids),
        ASSOCIATION: _routes_and_associations(address, ids),
        _PRIVATE_NAMESPACE: _joined(":", own, ids.get(_VPC)),
    }
    return known.get(kind)


def _routes_and_associations(address: str, ids: Mapping[str, str]) -> str | None:
    """The same of a route, or the association of a route table, which may not have been made."""
    if _type(address) == ROUTE:
        return _joined("_", _table(address, ids), _DEFAULT_ROUTE)
    return _joined("/", ids.get(address.replace(ASSOCIATION, "aws_subnet")), _table(address, ids))


def _table(address: str, ids: Mapping[str, str]) -> str | None:
    """The route table of one of our routes or associations: the public one, or the private one of the same key."""
    module, _, rest = address.partition(".aws_route")
    private, key = ".private" in rest, rest[rest.find("[") :]
    return ids.get(f"{module}.aws_route_table.{f'private{key}' if private else 'public'}")


def _joined(sign: str, *parts: str | None) -> str | None:
    return None if None in parts else sign.join(filter(None, parts))
