"""The call graph and what follows from it: URLs, DNS names, security groups, routes and subnets.

`calls: [orders]` on `web` gives `web` the variable `ORDERS_URL`, opens `web -> orders:8080` in the security
groups and adds the edge to every picture. In `edges` mode nothing else may open a port between services.
"""

from fleetform.topology.calls import ANYWHERE, Call, callees_first, calls, calls_of, urls, variables
from fleetform.topology.endpoints import endpoints, interface_endpoints
from fleetform.topology.ingress import Route, front, front_ports, listeners, routes
from fleetform.topology.internet import needs_internet
from fleetform.topology.names import by_srv_record, discoverable, dns_name, label, namespace, under_first_names
from fleetform.topology.security_groups import (
    ENDPOINTS,
    INGRESS,
    VPC,
    Rule,
    SecurityGroups,
    public_ports,
    security_groups,
)
from fleetform.topology.subnets import PrivateSubnet, private_subnets, public_subnets

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
    "by_srv_record",
    "callees_first",
    "calls",
    "calls_of",
    "discoverable",
    "dns_name",
    "endpoints",
    "front",
    "front_ports",
    "interface_endpoints",
    "label",
    "listeners",
    "namespace",
    "needs_internet",
    "private_subnets",
    "public_ports",
    "public_subnets",
    "routes",
    "security_groups",
    "under_first_names",
    "urls",
    "variables",
]
