"""The call graph and what follows from it: URLs, DNS names, security groups, routes and subnets.

`calls: [orders]` on `web` gives `web` the variable `ORDERS_URL`, opens `web -> orders:8080` in the security
groups and adds the edge to every picture. In `edges` mode nothing else may open a port between services.
"""

from fleetform.topology.calls import (
    ANYWHERE,
    Call,
    call_urls,
    callees_to_start_first,
    calls,
    calls_of,
    container_variables,
)
from fleetform.topology.endpoints import endpoints, interface_endpoints, needs_internet
from fleetform.topology.ingress import (
    Route,
    listener_ports,
    load_balancer_subnets,
    public_service_ports,
    routes,
)
from fleetform.topology.names import (
    discoverable_services,
    dns_label,
    dns_name,
    namespace,
    services_with_srv_record,
    with_original_names,
)
from fleetform.topology.security_groups import (
    ENDPOINTS,
    INGRESS,
    VPC,
    Rule,
    SecurityGroups,
    public_ports,
    security_groups,
)
from fleetform.topology.subnets import (
    PrivateSubnet,
    adopted_subnets,
    private_subnets,
    public_subnets,
    subnet_blocks,
)

__all__ = [
    "ANYWHERE",
    "ENDPOINTS",
    "INGRESS",
    "VPC",
    "Call",
    "PrivateSubnet",
    "Route",
    "Rule",
    "SecurityGroups",
    "adopted_subnets",
    "call_urls",
    "callees_to_start_first",
    "calls",
    "calls_of",
    "container_variables",
    "discoverable_services",
    "dns_label",
    "dns_name",
    "endpoints",
    "interface_endpoints",
    "listener_ports",
    "load_balancer_subnets",
    "namespace",
    "needs_internet",
    "private_subnets",
    "public_ports",
    "public_service_ports",
    "public_subnets",
    "routes",
    "security_groups",
    "services_with_srv_record",
    "subnet_blocks",
    "with_original_names",
]
