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
    return tuple(sorted(name for name, service in environment.services.items() if service.port is not None))


def by_srv_record(environment: Environment) -> tuple[str, ...]:
    """The services whose DNS name has an SRV record, which holds the port, and no address. Sorted."""
    if environment.discovery != "dns":
        return ()
    names = discoverable(environment)
    return tuple(name for name in names if environment.services[name].discovery.record_type == "SRV")
