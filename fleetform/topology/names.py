"""The DNS names of services."""

from fleetform.catalog.models import Environment


def namespace(environment: Environment) -> str:
    """The private DNS namespace."""
    return environment.namespace or f"{environment.name}.{environment.application}.internal"


def dns_name(environment: Environment, service: str) -> str:
    """The name that a service is found by."""
    return f"{service}.{namespace(environment)}"


def discoverable(environment: Environment) -> tuple[str, ...]:
    """The services that have a DNS name: those that listen on a port. Sorted."""
    services = environment.services.items()
    return tuple(sorted(name for name, service in services if service.port is not None or service.ports))
