"""The DNS names of services."""

from fleetform.catalog.models import Callee, Environment


def namespace(environment: Environment) -> str:
    """The private DNS namespace."""
    return environment.namespace or f"{environment.name}.{environment.application}.internal"


def dns_name(environment: Environment, service: str) -> str:
    """The name that a service is found by."""
    return f"{environment.first_name(service)}.{namespace(environment)}"


def discoverable(environment: Environment) -> tuple[str, ...]:
    """The services that have a DNS name, by their first names: those that listen on a port. Sorted."""
    listening = (name for name, service in environment.services.items() if service.port is not None)
    return tuple(sorted(map(environment.first_name, listening)))


def under_first_names(environment: Environment) -> Environment:
    """The environment as if no service had ever been renamed."""
    if not any(service.renamed_from for service in environment.services.values()):
        return environment
    services = {
        environment.first_name(name): service.model_copy(
            update={"renamed_from": (), "calls": tuple(_under_first_name(environment, call) for call in service.calls)}
        )
        for name, service in environment.services.items()
    }
    return environment.model_copy(update={"services": services})


def _under_first_name(environment: Environment, call: Callee) -> Callee:
    if call.service is None or call.namespace is not None:
        return call
    return call.model_copy(update={"service": environment.first_name(call.service)})
