"""AWS Cloud Map."""

from typing import Any, cast

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
