"""What an environment is once its catalog is read: frozen models that the rest of the library works from.

Keys are ECS's and Terraform's own words. Every default is also the default of the module variable of the same name; a
test holds the two together.
"""

from fleetform.catalog.container import (
    LOG_ROUTER,
    Container,
    EfsVolume,
    HealthCheck,
    Port,
    Secret,
    Sidecar,
    Ulimit,
    Volume,
)
from fleetform.catalog.environment import Environment, Front, Monitoring, Network, PolicyException, Registry, State, Vpc
from fleetform.catalog.service import (
    Autoscaling,
    Build,
    Callee,
    CapacityProvider,
    Deployment,
    Discovery,
    Ingress,
    Logs,
    PolicyCondition,
    Schedule,
    ScheduledBounds,
    Service,
    ServiceConnect,
    Statement,
    TaskRole,
    url_variable,
)
from fleetform.catalog.types import LOG_RETENTION_IN_DAYS, SUBNET_PREFIX, Entry

__all__ = [
    "LOG_RETENTION_IN_DAYS",
    "LOG_ROUTER",
    "SUBNET_PREFIX",
    "Autoscaling",
    "Build",
    "Callee",
    "CapacityProvider",
    "Container",
    "Deployment",
    "Discovery",
    "EfsVolume",
    "Entry",
    "Environment",
    "Front",
    "HealthCheck",
    "Ingress",
    "Logs",
    "Monitoring",
    "Network",
    "PolicyCondition",
    "PolicyException",
    "Port",
    "Registry",
    "Schedule",
    "ScheduledBounds",
    "Secret",
    "Service",
    "ServiceConnect",
    "Sidecar",
    "State",
    "Statement",
    "TaskRole",
    "Ulimit",
    "Volume",
    "Vpc",
    "url_variable",
]
