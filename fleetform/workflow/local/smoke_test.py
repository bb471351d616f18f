"""The smoke test: tests every connection between an environment's services from inside each caller."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fleetform.base.errors import ProgramError
from fleetform.base.program_name import command
from fleetform.catalog.models import Environment
from fleetform.local_runtime.execution import execute, run_beside
from fleetform.local_runtime.inspection import Container
from fleetform.smoke import ecs_exec, probe
from fleetform.smoke.matrix import Matrix, targets, with_answers
from fleetform.smoke.probe import Answer
from fleetform.workflow.local.local_services import Site
from fleetform.workflow.workspace import Workspace

PROBE_IMAGE = "public.ecr.aws/docker/library/python:3.13-slim"
"""The image that provides Python, in the caller's network, if the caller's image has none."""

_AT_ONCE = 4
_ATTEMPTS = 3
# Exit codes of engines if the container does not have the program.
_NOT_FOUND = (126, 127)


@dataclass(frozen=True)
class _Answers:
    """The answers of a caller.

    Attributes:
        answers: Its answers.
        failure: Why it has no answers.
    """

    answers: tuple[Answer, ...] = ()
    failure: str = ""


def smoke_test(site: Site) -> Matrix:
    """Test every pair of services that run on this machine.

    Raises:
        ProgramError: The environment has no containers on this machine.
    """
    if not site.containers():
        name = site.environment.name
        raise ProgramError(
            f"{name} is not running on this machine; run `{command('up', env=name)}` to start it"
        )
    return _with_results(site.environment, lambda caller: _answers(site, site.containers(), caller))


def smoke_test_on_aws(workspace: Workspace) -> Matrix:
    """Test every pair of services that run on AWS, through ECS Exec.

    Raises:
        ProgramError: The AWS CLI or its plugin is missing.
    """
    ecs_exec.require_programs(workspace.variables)
    environment, access = workspace.environment, workspace.access
    return _with_results(environment, lambda caller: ecs_exec.probe_task(environment, access, caller))


def _with_results(environment: Environment, ask: Callable[[str], tuple[Answer, ...]]) -> Matrix:
    """Test all callers; retry those with a wrong pair, as a service may still be starting."""
    results: dict[str, _Answers] = {}
    callers = [name for name in sorted(environment.services) if targets(environment, name)]
    for _ in range(_ATTEMPTS):
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            results |= zip(callers, pool.map(lambda caller: _read_answers(ask, caller), callers), strict=True)
        answers = {caller: each.answers for caller, each in results.items()}
        failures = {caller: each.failure for caller, each in results.items() if each.failure}
        matrix = with_answers(environment, answers, failures)
        callers = sorted({cell.pair.caller for cell in matrix.wrong})
        if not callers:
            break
    return matrix


def _read_answers(ask: Callable[[str], tuple[Answer, ...]], caller: str) -> _Answers:
    try:
        return _Answers(ask(caller))
    except ProgramError as error:
        return _Answers(failure=str(error))


def _answers(site: Site, all_containers: Sequence[Container], caller: str) -> tuple[Answer, ...]:
    callers = [
        container
        for container in all_containers
        if (container.service, container.state) == (caller, "running")
    ]
    if not callers:
        raise ProgramError(f"no task of {caller} is running")
    callees = targets(site.environment, caller, _addresses(all_containers, callers))
    return probe.answers(callees, _output(site, callers[0], probe.probe_request(callees)))


def _addresses(all_containers: Sequence[Container], callers: Sequence[Container]) -> dict[str, list[str]]:
    """Return each service's addresses in networks without the caller.

    In a shared one, it may call the service.
    """
    shared = {network for container in callers for network in container.addresses}
    addresses: dict[str, list[str]] = {}
    for container in all_containers:
        unshared = [address for network, address in container.addresses.items() if network not in shared]
        addresses.setdefault(container.service, []).extend(unshared)
    return addresses


def _output(site: Site, caller: Container, request: probe.ProbeRequest) -> str:
    """Run the probe in the caller's container, or in one that shares its network; return its output."""
    command_line = request.argv, request.stdin
    done = execute(site.runner, caller.name, *command_line, timeout=probe.TIMEOUT)
    if done.code in _NOT_FOUND:
        done = run_beside(site.runner, caller.name, PROBE_IMAGE, *command_line, timeout=probe.TIMEOUT)
    if done.code != 0:
        error = probe.sanitize(done.stderr.strip().rpartition("\n")[2])
        raise ProgramError(
            f"the probe in {caller.name} ended with exit code {done.code}: {error or 'no output'}"
        )
    return done.stdout
