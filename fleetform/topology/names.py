"""The DNS names of services."""

from fleetform.catalog.models import Environment


def namespace(environment: Environment) -> str:
    """The private DNS namespace."""
    return environment.namespace or f"{environment.name}.{environment.application}.internal"


def label(environment: Environment, service: str) -> str:
    """The first label of a service's name: the service's, or the alias that it has in Service Connect."""
    entry = environment.services[service].service_connect
    if environment.discovery == "service_connect" and entry is not None and entry.alias is not None:
        return entry.alias
    return service


def dns_name(environment: Environment, service: str) -> str:
    """The name that a service is found by."""
    return f"{label(environment, service)}.{namespace(environment)}"


def discoverable(environment: Environment) -> tuple[str, ...]:
    """The services that have a DNS name: those that listen on a port. Sorted."""
    services = environment.services.items()
    return tuple(sorted(name for name, service in services if service.port is not None or service.ports))


def has_srv_record(environment: Environment, service: str) -> bool:
    """Whether a service's DNS name has an SRV record, which holds the port, and no address."""
    return environment.discovery == "dns" and environment.services[service].discovery.record_type == "SRV"


def by_srv_record(environment: Environment) -> tuple[str, ...]:
    """The services whose DNS name has an SRV record. Sorted."""
    return tuple(name for name in discoverable(environment) if has_srv_record(environment, name))
