"""Service discovery: the DNS names of services, and how soon changes are visible."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.hcl.eval.values import Path, Unknown, Value
from fleetform.policy.requirements import number
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, environment_rule, rule

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment

_CLOUD_MAP = "https://docs.aws.amazon.com/cloud-map/latest"
_SERVICE = "aws_service_discovery_service"
_MAX_STALE_SECONDS = 60
"""Seconds that callers may keep calling a task that has died."""
_REMEDY = "set `discovery.ttl` to 10"
_DEFAULT_STOP_TIMEOUT = 30  # the default of ECS: API reference, ContainerDefinition


def _example(dns: str, check: str = "\n  health_check_custom_config {}\n") -> str:
    return f'resource "{_SERVICE}" "orders" {{\n  name = "orders"\n\n  dns_config {{\n{dns}  }}\n{check}}}\n'


def _records(ttl: int, more: str = "") -> str:
    records = f'    dns_records {{\n      type = "A"\n      ttl  = {ttl}\n    }}\n'
    return f'    namespace_id = "ns-1"\n{more}\n{records}'


@environment_rule(
    "FF034",
    "DNS records expire before their task stops.",
    *(_SERVICE, "aws_ecs_task_definition"),
    severity=Severity.MEDIUM,
    why="Callers keep calling a stopped task until its DNS record expires: errors at every deployment.",
    link=f"{_CLOUD_MAP}/api/API_DnsRecord.html",
    good=_example(_records(10)),
    bad=_example(_records(300)),
)
def records_expire_in_time(
    view: View, environment: "Environment"
) -> Iterator[tuple[Resource, Violation | Undecided]]:
    """A task responds for `stop_timeout` after ECS removed it from DNS; a task that dies does not."""
    stop_timeouts = {
        str(task.value("family")): _stop_timeout(task) for task in view.of("aws_ecs_task_definition")
    }
    for service in view.of(_SERVICE):
        stop_timeout = stop_timeouts.get(
            environment.full_name(str(service.value("name"))), _MAX_STALE_SECONDS
        )
        for record, _ in _dns_records(service):
            at = (*record, "ttl")
            ttl = number(service.value(*at))
            if isinstance(ttl, Unknown):
                yield service, Undecided(at)
            elif ttl is not None and ttl > min(stop_timeout, _MAX_STALE_SECONDS):
                when = (
                    f"but the task stops within {stop_timeout}"
                    if stop_timeout < _MAX_STALE_SECONDS
                    else "even if the task has stopped"
                )
                yield (
                    service,
                    Violation(f"callers cache the address for {ttl:g} seconds, {when}", _REMEDY, at),
                )


def _stop_timeout(task: Resource) -> int:
    """Return the longest stop timeout of the task's containers in seconds; `_LONGEST` if it is unknown."""
    containers = task.value("container_definitions")
    if not isinstance(containers, list):
        return _MAX_STALE_SECONDS
    values = [
        number(task.value("container_definitions", index, "stopTimeout")) for index in range(len(containers))
    ]
    seconds = [
        _DEFAULT_STOP_TIMEOUT
        if value is None
        else _MAX_STALE_SECONDS
        if isinstance(value, Unknown)
        else int(value)
        for value in values
    ]
    return max(seconds, default=_MAX_STALE_SECONDS)


def _dns_records(service: Resource) -> Iterator[tuple[Path, Value]]:
    records = service.value("dns_config", 0, "dns_records", default=[])
    for index, record in enumerate(records if isinstance(records, list) else []):
        yield ("dns_config", 0, "dns_records", index), record


@rule(
    "FF035",
    "DNS returns only healthy tasks.",
    _SERVICE,
    severity=Severity.MEDIUM,
    why="Without a health check, Cloud Map returns tasks that ECS knows to be unhealthy.",
    link=f"{_CLOUD_MAP}/dg/services-health-checks.html",
    good=_example(_records(10)),
    bad=_example(_records(10), ""),
)
def dns_returns_healthy_tasks(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """ECS reports health to Cloud Map with a custom health check; Route 53 checks public names itself."""
    if not resource.value("dns_config"):
        return
    checks = [resource.value(f"health_check_{name}") for name in ("custom_config", "config")]
    if any(isinstance(check, Unknown) for check in checks):
        yield Undecided(("health_check_custom_config",))
    elif not any(checks):
        remedy = "add a health_check_custom_config block"
        yield Violation("DNS also returns unhealthy tasks", remedy, ("health_check_custom_config",))


@rule(
    "FF036",
    "DNS answers contain several tasks.",
    _SERVICE,
    severity=Severity.LOW,
    why="With one address in an answer, a caller that caches it has no other to try.",
    link=f"{_CLOUD_MAP}/api/API_DnsConfig.html",
    good=_example(_records(10, '    routing_policy = "MULTIVALUE"\n')),
    bad=_example(_records(10, '    routing_policy = "WEIGHTED"\n')),
)
def dns_answers_have_several_tasks(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """The provider's default is MULTIVALUE; a CNAME, or an alias of a load balancer, must be weighted."""
    at: Path = ("dns_config", 0, "routing_policy")
    kinds = {resource.value(*record, "type") for record, _ in _dns_records(resource)}
    if resource.value(*at) == "WEIGHTED" and kinds <= {"A", "AAAA", "SRV"}:
        yield Violation("a DNS answer contains only one task", 'set routing_policy = "MULTIVALUE"', at)
