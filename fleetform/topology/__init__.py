"""The call graph: what follows from who calls whom.

`calls: [orders]` on `web` gives `web` the variable `ORDERS_URL`, opens `web -> orders:8080` in the security groups and
puts the edge into every picture. Nothing else may open a port between services in `edges` mode.
"""

from fleetform.topology.calls import Call, calls, calls_of, urls
from fleetform.topology.ingress import Route, front, listeners, routes
from fleetform.topology.names import discoverable, dns_name, namespace
from fleetform.topology.security import ANYWHERE, Rule, SecurityGroups, security_groups
from fleetform.topology.subnets import public_subnets

__all__ = [
    "ANYWHERE",
    "Call",
    "Route",
    "Rule",
    "SecurityGroups",
    "calls",
    "calls_of",
    "discoverable",
    "dns_name",
    "front",
    "listeners",
    "namespace",
    "public_subnets",
    "routes",
    "security_groups",
    "urls",
]
