"""Security groups of Amazon EC2."""

import inspect
from itertools import chain
from typing import Any

from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule

from fleetform.emulator.gaps.patches import Method, wrap


def describe_group_rules() -> None:
    """Return the description of a security group rule whose peer is a group or a prefix list.

    AWS (EC2 API_SecurityGroupRule): ``description``, for any kind of peer.
    Moto: ``ec2/models/security_groups.py`` SecurityGroupRule.description searches only the addresses.
    """

    def init(original: Method) -> Method:
        def initialised(rule: SecurityGroupRule, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- passed on
            original(rule, *args, **kwargs)
            given = inspect.signature(original).bind(rule, *args, **kwargs).arguments
            for peer in (given.get("source_group"), given.get("prefix_list_id")):
                if peer and "Description" in peer:
                    rule.ip_range = {"Description": peer["Description"]}

        return initialised

    wrap(SecurityGroupRule, "__init__", init)


def modify_every_kind_of_rule() -> None:
    """Modify security group rules for all protocols, and rules whose peer is not an IPv4 range.

    AWS (EC2 API_ModifySecurityGroupRules): ports are for TCP, UDP and ICMP; each kind of peer can be changed.
    Moto: ``ec2/models/security_groups.py`` modify_security_group_rules refuses a rule without ports, and
    ignores a new group, prefix list or IPv6 range.
    """

    def modify(original: Method) -> Method:
        def modified(backend: SecurityGroupBackend, group_id: str, rules: dict[str, dict[str, Any]]) -> None:
            all_ports = {"FromPort": -1, "ToPort": -1}
            for given in rules.values():
                given.update(all_ports if given.get("IpProtocol") == "-1" else {})
            original(backend, group_id, rules)
            group = backend.get_security_group_by_name_or_id(group_id)
            for rule in chain(group.ingress_rules, group.egress_rules) if group else ():
                if rule.id in rules:
                    complete_rule(rule, rules[rule.id])

        return modified

    wrap(SecurityGroupBackend, "modify_security_group_rules", modify)


def complete_rule(rule: SecurityGroupRule, given: dict[str, Any]) -> None:
    """Set the properties of a rule that moto's modification ignores."""
    if rule.ip_protocol == "-1":
        rule.from_port = rule.to_port = None
    if "CidrIpv6" in given:
        rule.ip_range["CidrIpv6"] = given["CidrIpv6"]
    if "PrefixListId" in given:
        rule.prefix_list_id = given["PrefixListId"]
    if "ReferencedGroupId" in given:
        description = {"Description": given["Description"]} if "Description" in given else {}
        rule.source_group = rule.source_group | {"GroupId": given["ReferencedGroupId"]} | description
