"""What Amazon EC2 refuses to delete, because something uses it: ``DependencyViolation``.

AWS (EC2 API reference, "Error codes for the Amazon EC2 API"): the resource has a dependent object.
Terraform's provider repeats such a request for minutes, so a deletion in the wrong order fails in the end.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any, cast

from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.models.subnets import Subnet
from moto.ec2.models.vpcs import VPC, VPCEndPoint
from moto.elbv2.models import FakeLoadBalancer, elbv2_backends

from fleetform.emulator.gaps.patches import Method, wrap


def keep_groups_in_use() -> None:
    """Refuse to delete a security group that something has, or that a rule of another group names.

    AWS (API_DeleteSecurityGroup): DependencyViolation (hashicorp/terraform#31658).
    Moto: ``ec2/models/security_groups.py`` delete_security_group deletes it.
    """

    def delete_security_group(original: Method) -> Method:
        def deleted(backend: EC2Backend, name: str | None = None, group_id: str | None = None) -> None:
            group = backend.get_security_group_by_name_or_id(group_id or name or "")
            if group and not group.is_default and _is_group_used(backend, group):
                raise DependencyViolationError(f"resource {group.id} has a dependent object")
            original(backend, name=name, group_id=group_id)

        return deleted

    wrap(EC2Backend, "delete_security_group", delete_security_group)


def _is_group_used(backend: EC2Backend, group: SecurityGroup) -> bool:
    holders = chain(
        ([each.id for each in interface.group_set] for interface in backend.enis.values()),
        (endpoint.security_group_ids or () for endpoint in _endpoints(backend)),
        (balancer.security_groups or () for balancer in _load_balancers(backend)),
    )
    others = (
        other for groups in backend.groups.values() for other in groups.values() if other.id != group.id
    )
    rules = (rule for other in others for rule in chain(other.ingress_rules, other.egress_rules))
    return any(group.id in held for held in holders) or any(
        rule.source_group.get("GroupId") == group.id for rule in rules
    )


def keep_subnets_in_use() -> None:
    """Refuse to delete a subnet that has a network interface, an endpoint or a load balancer.

    AWS (API_DeleteSubnet): all that is in it must be deleted first (hashicorp/terraform#31658).
    Moto: ``ec2/models/subnets.py`` delete_subnet deletes it.
    """

    def delete_subnet(original: Method) -> Method:
        def deleted(backend: EC2Backend, subnet_id: str) -> Subnet:
            holders = chain(
                ([interface.subnet.id] for interface in backend.enis.values()),
                (endpoint.subnet_ids or () for endpoint in _endpoints(backend)),
                ([subnet.id for subnet in balancer.subnets] for balancer in _load_balancers(backend)),
            )
            if any(subnet_id in held for held in holders):
                message = f"The subnet '{subnet_id}' has dependencies and cannot be deleted."
                raise DependencyViolationError(message)
            return cast("Subnet", original(backend, subnet_id))

        return deleted

    wrap(EC2Backend, "delete_subnet", delete_subnet)


def keep_gateways_in_use() -> None:
    """Refuse to detach an internet gateway while something in its VPC has a public address.

    AWS (API_DetachInternetGateway): the VPC must not contain running instances with public addresses
    (hashicorp/terraform#1303, jenkins-x/terraform-aws-eks-jx#373).
    Moto: ``ec2/models/internet_gateways.py`` detach_internet_gateway detaches it.
    """

    def detach_internet_gateway(original: Method) -> Method:
        def detached(backend: EC2Backend, internet_gateway_id: str, vpc_id: str) -> None:
            public = chain(
                (each.vpc_id for each in backend.enis.values() if each.public_ip),
                (each.vpc_id for each in _load_balancers(backend) if each.scheme == "internet-facing"),
            )
            if vpc_id in public:
                message = (
                    f"Network {vpc_id} has some mapped public address(es). Please unmap those public "
                    "address(es) before detaching the gateway."
                )
                raise DependencyViolationError(message)
            original(backend, internet_gateway_id, vpc_id)

        return detached

    wrap(EC2Backend, "detach_internet_gateway", detach_internet_gateway)


def keep_vpcs_in_use() -> None:
    """Refuse to delete a VPC that has an internet gateway, an endpoint, a NAT gateway or a security group.

    AWS (API_DeleteVpc): only its default security group, network ACL and main route table go with it.
    Moto: ``ec2/models/vpcs.py`` delete_vpc looks for subnets, VPN gateways and route tables.
    """

    def delete_vpc(original: Method) -> Method:
        def deleted(backend: EC2Backend, vpc_id: str) -> VPC:
            parts = chain(
                (vars(each)["vpc"].id for each in backend.internet_gateways.values() if vars(each)["vpc"]),
                (each.vpc_id for each in _endpoints(backend)),
                (each.vpc_id for each in backend.nat_gateways.values() if each.state != "deleted"),
                (vpc_id for group in backend.groups.get(vpc_id, {}).values() if not group.is_default),
            )
            if vpc_id in parts:
                raise DependencyViolationError(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
            return cast("VPC", original(backend, vpc_id))

        return deleted

    wrap(EC2Backend, "delete_vpc", delete_vpc)


def keep_addresses_in_use() -> None:
    """Refuse to release an Elastic IP address that a NAT gateway has.

    AWS (API_ReleaseAddress): InvalidIPAddress.InUse until it is disassociated.
    Moto: ``ec2/models/elastic_ip_addresses.py`` release_address disassociates it.
    """

    def release_address(original: Method) -> Method:
        def released(backend: EC2Backend, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- passed on
            identifier = kwargs.get("allocation_id")
            for address in backend.addresses:
                if address.allocation_id == identifier and address.eni and address.eni.id in backend.enis:
                    message = f"The address {address.public_ip} is associated with {address.eni.id}."
                    raise EC2ClientError("InvalidIPAddress.InUse", message)
            original(backend, *args, **kwargs)

        return released

    wrap(EC2Backend, "release_address", release_address)


def _endpoints(backend: EC2Backend) -> Iterator[VPCEndPoint]:
    return (each for each in backend.vpc_end_points.values() if each.state != "deleted")


def _load_balancers(backend: EC2Backend) -> list[FakeLoadBalancer]:
    return list(elbv2_backends[backend.account_id][backend.region_name].load_balancers.values())
