"""Resources of a load balancer that exist before its environment: a certificate, a hosted zone, a web ACL.

AWS: the team created them. The emulator's account is empty, so any name is accepted.
"""

from contextlib import suppress
from typing import cast

from moto.acm.models import AWSCertificateManagerBackend, CertificateNotFound
from moto.elbv2.models import ELBv2Backend
from moto.route53.models import FakeZone, Route53Backend
from moto.wafv2.models import FakeWebACL, WAFV2Backend

from fleetform.emulator.gaps.patches import Method, wrap


def accept_any_certificate() -> None:
    """Accept any certificate ARN in a listener.

    Moto: ``elbv2/models.py`` create_listener and modify_listener require one that was created through its
    API.
    """

    def set_certificate_in_use_by(original: Method) -> Method:
        def used(backend: AWSCertificateManagerBackend, arn: str, load_balancer_name: str) -> None:
            with suppress(CertificateNotFound):
                original(backend, arn, load_balancer_name)

        return used

    def certificate_exists(_: Method) -> Method:
        def exists(_backend: ELBv2Backend, **_kwargs: str) -> bool:
            return True

        return exists

    wrap(AWSCertificateManagerBackend, "set_certificate_in_use_by", set_certificate_in_use_by)
    wrap(ELBv2Backend, "_certificate_exists", certificate_exists)


def accept_any_hosted_zone() -> None:
    """Accept any hosted zone ID for a record; the name of the zone is arbitrary.

    Moto: ``route53/models.py`` get_hosted_zone knows only zones that were created through its API.
    """

    def get_hosted_zone(original: Method) -> Method:
        def found(backend: Route53Backend, id_: str) -> FakeZone:
            key = id_.removeprefix("/hostedzone/")
            zone = FakeZone(".", key, private_zone=False, caller_reference=key)  # type: ignore[abstract] # as moto does
            backend.zones.setdefault(key, zone)
            return cast("FakeZone", original(backend, id_))

        return found

    wrap(Route53Backend, "get_hosted_zone", get_hosted_zone)


def accept_any_web_acl() -> None:
    """Accept any web ACL ARN.

    Moto: ``wafv2/models.py`` associate_web_acl knows only those that were created through its API.
    """

    def associate_web_acl(original: Method) -> Method:
        def associated(backend: WAFV2Backend, web_acl_arn: str, resource_arn: str) -> None:
            name, identifier = web_acl_arn.split("/")[-2:]
            allow: dict[str, dict[str, str]] = {"Allow": {}}
            acl = FakeWebACL(
                name, backend.account_id, web_acl_arn, identifier, {}, allow, description=None, rules=None
            )
            backend.wacls.setdefault(web_acl_arn, acl)
            original(backend, web_acl_arn, resource_arn)

        return associated

    wrap(WAFV2Backend, "associate_web_acl", associate_web_acl)
