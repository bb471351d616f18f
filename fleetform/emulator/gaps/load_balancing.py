"""Load balancers: the priorities of their rules, and resources that exist before the environment.

The team created the latter: a certificate, a hosted zone, a web ACL. The emulator's account is empty, so any
name is accepted.
"""

from contextlib import suppress
from typing import Any, cast

from moto.acm.models import AWSCertificateManagerBackend, CertificateNotFound
from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend, FakeListenerRule, FakeRule
from moto.route53.models import FakeZone, Route53Backend
from moto.wafv2.models import FakeWebACL, WAFV2Backend

from fleetform.emulator.gaps.patches import Method, wrap

# Without default rules (ELB user guide, "Quotas for your Application Load Balancers").
RULES = 100


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


def swap_priorities() -> None:
    """Accept that rules swap their priorities in one call.

    AWS (API_SetRulePriorities): there may be no conflict in the new order; other rules keep their priority.
    Moto: ``elbv2/models.py`` set_rule_priorities also refuses what another rule of the same call has now.
    """

    def set_rule_priorities(original: Method) -> Method:
        def changed(backend: ELBv2Backend, rule_priorities: list[dict[str, Any]]) -> list[FakeRule]:
            rules = {
                each["RuleArn"]: backend.describe_rules(listener_arn=None, rule_arns=[each["RuleArn"]])[0]
                for each in rule_priorities
            }
            before = {arn: rule.priority for arn, rule in rules.items()}
            for rule in rules.values():
                rule.priority = None
            try:
                return cast("list[FakeRule]", original(backend, rule_priorities))
            except ELBClientError:
                for arn, rule in rules.items():
                    rule.priority = before[arn]
                raise

        return changed

    wrap(ELBv2Backend, "set_rule_priorities", set_rule_priorities)


def limit_rules() -> None:
    """Refuse more rules than a load balancer may have.

    AWS (API_CreateRule, errors): TooManyRules.
    Moto: ``elbv2/models.py`` create_rule has no limit.
    """

    def create_rule(original: Method) -> Method:
        def created(backend: ELBv2Backend, listener_arn: str, *args: Any, **kwargs: Any) -> FakeListenerRule:  # noqa: ANN401 -- passed on
            for balancer in backend.load_balancers.values():
                listeners = balancer.listeners
                count = sum(len(listener.rules) - 1 for listener in listeners.values())
                if listener_arn in listeners and count >= RULES:
                    message = "The maximum number of rules on the load balancer has been reached"
                    raise ELBClientError("TooManyRules", message)
            return cast("FakeListenerRule", original(backend, listener_arn, *args, **kwargs))

        return created

    wrap(ELBv2Backend, "create_rule", create_rule)
