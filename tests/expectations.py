"""What must survive a change: services and calls that are in both catalogs."""

from collections.abc import Mapping

from fleetform import topology
from fleetform.catalog.models import Environment
from fleetform.emulator.continuity.violations import Expectations, ExpectedCall, ExpectedService

Edge = tuple[str, str, str]


def expectations(
    before: Environment, after: Environment, risks: Mapping[str, tuple[str, ...]] | None = None
) -> Expectations:
    """Return what is in both catalogs, under the names of the catalog before.

    Args:
        before: What is applied.
        after: What will be applied.
        risks: The interruptions that the plan has shown, by service; see `ALLOWED` of the monitor.
    """
    later = {after.original_name(name): name for name in after.running}
    surviving = {
        name: later[original] for name in before.running if (original := before.original_name(name)) in later
    }
    earlier_calls, later_calls = _calls(before), _calls(after)
    return Expectations(
        region=before.region,
        cluster=before.prefix,
        services=tuple(
            _service(before, after, name, surviving[name], (risks or {}).get(name, ()))
            for name in sorted(surviving)
        ),
        calls=tuple(
            ExpectedCall(
                caller=before.names_by_original[caller],
                callee=before.names_by_original[callee],
                ports=tuple(sorted({earlier_calls[edge], later_calls[edge]})),
                protocol=protocol,
            )
            for edge in sorted(earlier_calls.keys() & later_calls.keys())
            for caller, callee, protocol in [edge]
            if {caller, callee} <= {before.original_name(name) for name in surviving}
        ),
    )


def _service(
    before: Environment, after: Environment, name: str, new_name: str, risks: tuple[str, ...]
) -> ExpectedService:
    both = [(before, name), (after, new_name)]
    entries = [environment.services[each] for environment, each in both]
    names = {topology.dns_name(environment, each) for environment, each in both}
    return ExpectedService(
        name=name,
        ecs_services=tuple(sorted({environment.full_name(each) for environment, each in both})),
        dns_names=tuple(sorted(names)) if all(entry.listens for entry in entries) else (),
        is_public=all(entry.public for entry in entries),
        is_scaled=all(entry.autoscaling is not None for entry in entries),
        risks=risks,
    )


def _calls(environment: Environment) -> dict[Edge, int]:
    """Return the port of each call between services, by original names and protocol."""
    return {
        (
            environment.original_name(call.caller),
            environment.original_name(call.callee),
            call.protocol,
        ): call.port
        for call in topology.calls(environment)
        if call.cidr is None
    }
