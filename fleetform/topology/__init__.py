"""The call graph: what follows from who calls whom.

`calls: [orders]` on `web` gives `web` the variable `ORDERS_URL`, opens `web -> orders:8080` in the security groups and
puts the edge into every picture. Nothing else may open a port between services in `edges` mode.
"""

from fleetform.topology.calls import Call, calls, calls_of, urls
from fleetform.topology.names import discoverable, dns_name, namespace, under_first_names
from fleetform.topology.security import ANYWHERE, Rule, SecurityGroups, security_groups
from fleetform.topology.subnets import public_subnets

__all__ = [
    "ANYWHERE",
    "Call",
    "Rule",
    "SecurityGroups",
    "calls",
    "calls_of",
    "discoverable",
    "dns_name",
    "namespace",
    "public_subnets",
    "security_groups",
    "under_first_names",
    "urls",
]
