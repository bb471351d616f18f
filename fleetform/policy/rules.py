"""The rules. Adding one is adding a function here.

A rule says what is wrong with one resource and how to mend it, or None. It never fails what is UNKNOWN.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fleetform.policy.view import UNKNOWN, Known, Resource

# Tuples, not sets: what somebody writes instead of a string may be a list, which no set takes.
_ANYWHERE = ("0.0.0.0/0", "::/0")
_ALL_PROTOCOLS = ("-1", -1)


@dataclass(frozen=True)
class Context:
    """What rules know besides the resource.

    Attributes:
        public_ports: Ports of the catalog's public services, or of the load balancer before them.
    """

    public_ports: frozenset[int]


Check: TypeAlias = Callable[[Resource, Context], str | None]


@dataclass(frozen=True)
class Rule:
    """A rule of the policy.

    Attributes:
        id: `FF001`...
        title: What must be so, in a line.
        types: The resource types that it looks at.
        check: Says what is wrong, or None.
    """

    id: str
    title: str
    types: frozenset[str]
    check: Check


RULES: dict[str, Rule] = {}


def _rule(identifier: str, title: str, *types: str) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        RULES[identifier] = Rule(identifier, title, frozenset(types), check)
        return check

    return register


def _open_to_anywhere(resource: Resource) -> bool:
    return any(resource.values.get(key) in _ANYWHERE for key in ("cidr_ipv4", "cidr_ipv6"))


def _for_all_protocols(resource: Resource) -> bool:
    return resource.values.get("ip_protocol") in _ALL_PROTOCOLS


@_rule("FF001", "Only public ports are open to the internet.", "aws_vpc_security_group_ingress_rule")
def only_public_ports_face_the_internet(resource: Resource, context: Context) -> str | None:
    """A port that is open to any address is scanned within minutes."""
    first, last = resource.values.get("from_port"), resource.values.get("to_port")
    if not _open_to_anywhere(resource) or (first is UNKNOWN and not _for_all_protocols(resource)):
        return None
    if first in tuple(context.public_ports) and last in (first, UNKNOWN):
        return None
    what = f"port {first} is" if last in (first, UNKNOWN) else f"ports {first} to {last} are"
    if _for_all_protocols(resource):
        what = "all ports are"
    return f"{what} open to the internet; set `public: true` on its service or name who calls it in `calls`"


@_rule("FF002", "Image tags are immutable.", "aws_ecr_repository")
def image_tags_are_immutable(resource: Resource, _: Context) -> str | None:
    """With mutable tags, what runs is not what was reviewed. ECR's default is mutable."""
    if resource.values.get("image_tag_mutability") in ("IMMUTABLE", UNKNOWN):
        return None
    return 'tags can be pushed over; set image_tag_mutability = "IMMUTABLE"'


@_rule("FF003", "Logs are kept for a set time.", "aws_cloudwatch_log_group")
def logs_have_a_retention(resource: Resource, _: Context) -> str | None:
    """CloudWatch Logs keeps, and bills, logs for ever unless told otherwise."""
    if resource.values.get("retention_in_days") not in (None, 0):
        return None
    return "logs are kept for ever; set retention_in_days"


@_rule(
    "FF004",
    "IAM policies name their actions.",
    *(
        "aws_iam_policy_document",
        "aws_iam_policy",
        "aws_iam_role_policy",
        "aws_iam_user_policy",
        "aws_iam_group_policy",
    ),
)
def iam_actions_are_named(resource: Resource, _: Context) -> str | None:
    """A wildcard grants what nobody reviewed, and what AWS adds tomorrow."""
    wild = sorted({action for action in _actions(dict(resource.values)) if action == "*" or action.endswith(":*")})
    return f"allows {', '.join(wild)}; name the actions that are needed" if wild else None


def _actions(value: Known) -> Iterator[str]:
    """Every action that is allowed anywhere in a policy, in HCL's or JSON's form."""
    if isinstance(value, list):
        for item in value:
            yield from _actions(item)
    if not isinstance(value, dict) or "Deny" in (value.get("effect"), value.get("Effect")):
        return
    for key, item in value.items():
        if key in {"actions", "Action"}:
            yield from (action for action in (item if isinstance(item, list) else [item]) if isinstance(action, str))
        else:
            yield from _actions(item)


@_rule("FF005", "The VPC resolves DNS names.", "aws_vpc")
def the_vpc_resolves_names(resource: Resource, _: Context) -> str | None:
    """Without DNS support and host names nothing fails, and names of service discovery do not resolve."""
    wanted: Mapping[str, Known] = {"enable_dns_support": True, "enable_dns_hostnames": False}
    off = [name for name, default in wanted.items() if resource.values.get(name, default) not in (True, UNKNOWN)]
    return f"discovery names do not resolve; set {' and '.join(f'{name} = true' for name in off)}" if off else None


@_rule("FF006", "Security groups are opened by port.", "aws_vpc_security_group_ingress_rule")
def groups_are_opened_by_port(resource: Resource, _: Context) -> str | None:
    """A group open to another on every port lets services call what they did not declare."""
    if not _for_all_protocols(resource) or _open_to_anywhere(resource):
        return None
    return "every port is open, whatever `calls` says; use `security: edges`"


@_rule("FF007", "Egress is opened by port.", "aws_vpc_security_group_egress_rule")
def egress_is_opened_by_port(resource: Resource, _: Context) -> str | None:
    """Whatever runs in a task can send anything anywhere."""
    if not _for_all_protocols(resource) or not _open_to_anywhere(resource):
        return None
    return "everything may leave; use `security: edges`"


@_rule(
    "FF008",
    "Security group rules are resources of their own.",
    *("aws_security_group", "aws_default_security_group", "aws_security_group_rule"),
)
def rules_are_resources_of_their_own(resource: Resource, _: Context) -> str | None:
    """Inline rules and `aws_security_group_rule` undo what other resources say, and no rule here looks into them."""
    if resource.type != "aws_security_group_rule" and not resource.values.keys() & {"ingress", "egress", "dynamic"}:
        return None
    return "its rules undo those of other resources; use aws_vpc_security_group_ingress_rule and _egress_rule"
