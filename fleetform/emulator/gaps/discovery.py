"""AWS Cloud Map."""

from typing import Any, cast

from moto.core.exceptions import JsonRESTError
from moto.route53.models import route53_backends
from moto.servicediscovery.models import Service, ServiceDiscoveryBackend
from moto.utilities.utils import get_partition

from fleetform.emulator.gaps.patches import Method, wrap


def find_namespaces() -> None:
    """Put a discovery service into the namespace that its DNS configuration names, as Terraform does.

    AWS (Cloud Map API_CreateService): the namespace is ``NamespaceId`` or the older
    ``DnsConfig.NamespaceId``. Moto: ``servicediscovery/models.py`` create_service takes the first only;
    DiscoverInstances finds nothing then.
    """

    def create_service(original: Method) -> Method:
        def created(backend: ServiceDiscoveryBackend, **kwargs: Any) -> Service:  # noqa: ANN401 -- passed on
            service = original(backend, **kwargs)
            if service.dns_config and not service.namespace_id:
                service.namespace_id = service.dns_config.get("NamespaceId")
            return cast("Service", service)

        return created

    wrap(ServiceDiscoveryBackend, "create_service", create_service)


def delete_hosted_zones() -> None:
    """Delete a DNS namespace's hosted zone with it.

    AWS (Cloud Map API_DeleteNamespace, API_CreatePrivateDnsNamespace): the zone belongs to the namespace.
    Moto: ``servicediscovery/models.py`` delete_namespace leaves the zone it made.
    """

    def delete_namespace(original: Method) -> Method:
        def deleted(backend: ServiceDiscoveryBackend, namespace_id: str) -> str:
            namespace = backend.namespaces.get(namespace_id)
            operation = original(backend, namespace_id)
            zone = namespace.dns_properties.get("HostedZoneId") if namespace else None
            if zone:
                route53_backends[backend.account_id][get_partition(backend.region_name)].delete_hosted_zone(
                    zone
                )
            return cast("str", operation)

        return deleted

    wrap(ServiceDiscoveryBackend, "delete_namespace", delete_namespace)


def refuse_existing_services() -> None:
    """Refuse a second service of the same name in a namespace.

    AWS (Cloud Map API_CreateService, errors): ServiceAlreadyExists.
    Moto: ``servicediscovery/models.py`` create_service accepts it.
    """

    def create_service(original: Method) -> Method:
        def created(backend: ServiceDiscoveryBackend, **given: Any) -> Service:  # noqa: ANN401 -- passed on
            namespace = given["namespace_id"] or (given["dns_config"] or {}).get("NamespaceId")
            for service in backend.services.values():
                if (service.name, service.namespace_id) == (given["name"], namespace):
                    raise JsonRESTError("ServiceAlreadyExists", "Service already exists.")
            return cast("Service", original(backend, **given))

        return created

    wrap(ServiceDiscoveryBackend, "create_service", create_service)


def refuse_existing_namespaces() -> None:
    """Refuse a second namespace of the same name, but accept another one in the same VPC.

    AWS (Cloud Map API_CreateHttpNamespace, API_CreatePrivateDnsNamespace, errors): NamespaceAlreadyExists,
    ConflictingDomainExists.
    Moto: ``servicediscovery/models.py`` accepts the first, and refuses any second namespace of a VPC.
    """

    def create_http_namespace(original: Method) -> Method:
        def created(backend: ServiceDiscoveryBackend, name: str, *args: Any, **kwargs: Any) -> str:  # noqa: ANN401 -- passed on
            if any((each.name, each.type) == (name, "HTTP") for each in backend.namespaces.values()):
                raise JsonRESTError("NamespaceAlreadyExists", "Namespace already exists.")
            return cast("str", original(backend, name, *args, **kwargs))

        return created

    def create_private_dns_namespace(original: Method) -> Method:
        def created(backend: ServiceDiscoveryBackend, **given: Any) -> str:  # noqa: ANN401 -- passed on
            others = {key: each for key, each in backend.namespaces.items() if each.name != given["name"]}
            for key in others:
                del backend.namespaces[key]
            try:
                return cast("str", original(backend, **given))
            finally:
                backend.namespaces.update(others)

        return created

    wrap(ServiceDiscoveryBackend, "create_http_namespace", create_http_namespace)
    wrap(ServiceDiscoveryBackend, "create_private_dns_namespace", create_private_dns_namespace)


def keep_names_in_use() -> None:
    """Refuse to delete a service that has instances, and a namespace that has services.

    AWS (Cloud Map API_DeleteService, API_DeleteNamespace): ResourceInUse
    (hashicorp/terraform-provider-aws#4853, #7607).
    Moto: ``servicediscovery/models.py`` deletes both.
    """

    def delete_service(original: Method) -> Method:
        def deleted(backend: ServiceDiscoveryBackend, service_id: str) -> None:
            if backend.get_service(service_id).instances:
                message = (
                    "Service contains registered instances; delete the instances before deleting the service"
                )
                raise JsonRESTError("ResourceInUse", message)
            original(backend, service_id)

        return deleted

    def delete_namespace(original: Method) -> Method:
        def deleted(backend: ServiceDiscoveryBackend, namespace_id: str) -> str:
            services = [each.id for each in backend.services.values() if each.namespace_id == namespace_id]
            if services:
                message = f"Namespace has associated services: {', '.join(services)}"
                raise JsonRESTError("ResourceInUse", message)
            return cast("str", original(backend, namespace_id))

        return deleted

    wrap(ServiceDiscoveryBackend, "delete_service", delete_service)
    wrap(ServiceDiscoveryBackend, "delete_namespace", delete_namespace)
