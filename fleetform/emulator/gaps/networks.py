"""What EC2 makes by itself in a VPC, and removes again: a look at the account would find it left over."""

from typing import cast

from moto.ec2.models import EC2Backend
from moto.ec2.models.nat_gateways import NatGateway
from moto.ec2.models.vpcs import VPC

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


def delete_nat_interfaces() -> None:
    """Delete a NAT gateway's network interface with it.

    AWS (EC2 API_NatGatewayAddress): the interface is the gateway's.
    Moto: ``ec2/models/nat_gateways.py`` makes it with the gateway, and delete_nat_gateway leaves it.
    """

    def delete_nat_gateway(original: Method) -> Method:
        def deleted(backend: EC2Backend, nat_gateway_id: str) -> NatGateway:
            gateway = cast("NatGateway", original(backend, nat_gateway_id))
            backend.delete_network_interface(gateway._eni.id)  # noqa: SLF001 -- it has no other name
            return gateway

        return deleted

    wrap(EC2Backend, "delete_nat_gateway", delete_nat_gateway)
