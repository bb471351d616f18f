"""Amazon VPC: resources that EC2 creates and deletes implicitly."""

from typing import Any, cast

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.nat_gateways import NatGateway
from moto.ec2.models.network_acls import NetworkAclEntry
from moto.ec2.models.vpcs import VPC
from moto.ec2.utils import random_private_ip

from fleetform.emulator.gaps.patches import Method, wrap


def delete_network_acls() -> None:
    """Delete a VPC's default network ACL with it.

    AWS (EC2 API_DeleteVpc): the default security group, network ACL and route table go with the VPC.
    Moto: ``ec2/models/vpcs.py`` delete_vpc leaves the network ACL.
    """

    def delete_vpc(original: Method) -> Method:
        def deleted(backend: EC2Backend, vpc_id: str) -> VPC:
            vpc = cast("VPC", original(backend, vpc_id))
            for key in [key for key, acl in backend.network_acls.items() if acl.vpc_id == vpc_id]:
                del backend.network_acls[key]
            return vpc

        return deleted

    wrap(EC2Backend, "delete_vpc", delete_vpc)


def report_missing_network_acl_entries() -> None:
    """Report a missing network ACL entry as not found.

    AWS (EC2 API_DeleteNetworkAclEntry, error codes): InvalidNetworkAclEntry.NotFound, after which Terraform
    continues. Moto: ``ec2/models/network_acls.py`` raises StopIteration: an error 500, which is retried for
    an hour.
    """

    def delete_network_acl_entry(original: Method) -> Method:
        def deleted(backend: EC2Backend, acl: str, rule_number: int, *others: Any) -> NetworkAclEntry:  # noqa: ANN401 -- passed on
            try:
                return cast("NetworkAclEntry", original(backend, acl, rule_number, *others))
            except StopIteration:
                message = f"The network acl entry identified by {rule_number} does not exist"
                raise EC2ClientError("InvalidNetworkAclEntry.NotFound", message) from None

        return deleted

    wrap(EC2Backend, "delete_network_acl_entry", delete_network_acl_entry)


def delete_nat_interfaces() -> None:
    """Delete a NAT gateway's network interface with it, and disassociate its address.

    AWS (EC2 API_NatGatewayAddress, API_DeleteNatGateway): the interface is the gateway's; the address stays.
    Moto: ``ec2/models/nat_gateways.py`` creates it with the gateway, but delete_nat_gateway keeps it.
    """

    def delete_nat_gateway(original: Method) -> Method:
        def deleted(backend: EC2Backend, nat_gateway_id: str) -> NatGateway:
            gateway = cast("NatGateway", original(backend, nat_gateway_id))
            interface = gateway._eni  # noqa: SLF001 -- it has no other name
            for address in backend.addresses:
                if address.eni is interface:
                    backend.disassociate_address(association_id=address.association_id)
            backend.delete_network_interface(interface.id)
            return gateway

        return deleted

    wrap(EC2Backend, "delete_nat_gateway", delete_nat_gateway)


def route_to_gateway_endpoints() -> None:
    """Update the routes to a gateway endpoint when its route tables change.

    AWS (EC2 API_ModifyVpcEndpoint): its route tables have a route to it.
    Moto: ``ec2/models/vpcs.py`` adds routes only when it creates the endpoint; delete_vpc_endpoints fails
    without one.
    """

    def modify_vpc_endpoint(original: Method) -> Method:
        def modified(backend: EC2Backend, vpc_id: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- passed on
            (endpoint,) = backend.describe_vpc_endpoints(vpc_end_point_ids=[vpc_id])
            before = {*endpoint.route_table_ids}
            original(backend, vpc_id, *args, **kwargs)
            after, prefix_list = {*endpoint.route_table_ids}, endpoint.destination_prefix_list_id or ""
            for table in after - before:
                backend.create_route(
                    table, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_list
                )
            for table in before - after:
                backend.delete_route(table, prefix_list)

        return modified

    wrap(EC2Backend, "modify_vpc_endpoint", modify_vpc_endpoint)


def follow_subnets_of_endpoints() -> None:
    """Create and delete the network interfaces of an endpoint whose subnets change.

    AWS (EC2 API_ModifyVpcEndpoint): an interface endpoint has one in each of its subnets.
    Moto: ``ec2/models/vpcs.py`` creates them only with the endpoint, and all in the default security group.
    """

    def modify_vpc_endpoint(original: Method) -> Method:
        def modified(backend: EC2Backend, vpc_id: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- passed on
            original(backend, vpc_id, *args, **kwargs)
            (endpoint,) = backend.describe_vpc_endpoints(vpc_end_point_ids=[vpc_id])
            if endpoint.vpc_endpoint_type != "Interface":
                return
            subnets: list[str] = endpoint.subnet_ids or []
            interfaces = {backend.enis[each].subnet.id: each for each in endpoint.network_interface_ids}
            for subnet in interfaces.keys() - {*subnets}:
                backend.delete_network_interface(interfaces.pop(subnet))
            for subnet in subnets:
                if subnet not in interfaces:
                    interfaces[subnet] = backend.create_network_interface(subnet, random_private_ip()).id
            endpoint.network_interface_ids = list(interfaces.values())

        return modified

    wrap(EC2Backend, "modify_vpc_endpoint", modify_vpc_endpoint)
