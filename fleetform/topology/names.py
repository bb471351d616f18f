"""The DNS names of services."""

from fleetform.catalog.models import CallTarget, Environment


def namespace(environment: Environment) -> str:
    """Return the private DNS namespace."""
    return environment.namespace or f"{environment.name}.{environment.application}.internal"


def dns_label(environment: Environment, service: str) -> str:
    """Return the first label of a service's DNS name: its original name, or its alias in Service Connect."""
    entry = environment.services[service].service_connect
    if environment.discovery == "service_connect" and entry is not None and entry.alias is not None:
        return entry.alias
    return environment.original_name(service)


def dns_name(environment: Environment, service: str) -> str:
    """Return the DNS name of a service."""
    return f"{dns_label(environment, service)}.{namespace(environment)}"


def discoverable_services(environment: Environment) -> tuple[str, ...]:
    """Return the original names of the services with a DNS name: those that listen on a port; sorted."""
    listening = (name for name, service in environment.services.items() if service.listens)
    return tuple(sorted(map(environment.original_name, listening)))


def has_srv_record(environment: Environment, service: str) -> bool:
    """Return whether a service's DNS name has an SRV record (names and ports) instead of addresses."""
    return environment.discovery == "dns" and environment.services[service].discovery.record_type == "SRV"


def services_with_srv_record(environment: Environment) -> tuple[str, ...]:
    """Return the services whose DNS name has an SRV record, sorted."""
    return tuple(name for name in sorted(environment.services) if has_srv_record(environment, name))


def with_original_names(environment: Environment) -> Environment:
    """Return the environment with the original names of all renamed services."""
    if not any(service.renamed_from for service in environment.services.values()):
        return environment
    services = {
        environment.original_name(name): service.model_copy(
            update={
                "renamed_from": (),
                "calls": tuple(_with_original_name(environment, call) for call in service.calls),
            }
        )
        for name, service in environment.services.items()
    }
    return environment.model_copy(update={"services": services})


def _with_original_name(environment: Environment, call: CallTarget) -> CallTarget:
    if call.service is None or call.namespace is not None:
        return call
    return call.model_copy(update={"service": environment.original_name(call.service)})
