"""Every way between an environment's services, tried from inside each caller."""

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
"""Lends its Python, in the caller's network, where the caller's image has none."""

_AT_ONCE = 4
_ATTEMPTS = 3
# What the engines answer where a container has no such program.
_NOT_FOUND = (126, 127)


@dataclass(frozen=True)
class _Answers:
    """What a caller says.

    Attributes:
        answers: Its answers.
        failure: Why there are none.
    """

    answers: tuple[Answer, ...] = ()
    failure: str = ""


def smoke_test(site: Site) -> Matrix:
    """Tries every pair of services that run here.

    Raises:
        ProgramError: Nothing of the environment runs here.
    """
    if not site.containers():
        name = site.environment.name
        raise ProgramError(f"nothing of {name} runs here; `{command('up', env=name)}` starts it")
    return _with_results(site.environment, lambda caller: _answers(site, site.containers(), caller))


def smoke_test_on_aws(workspace: Workspace) -> Matrix:
    """Tries every pair of services that run in the account, through ECS Exec.

    Raises:
        ProgramError: The AWS CLI or its plugin is missing.
    """
    ecs_exec.require_programs(workspace.variables)
    environment, access = workspace.environment, workspace.access
    return _with_results(environment, lambda caller: ecs_exec.probe_task(environment, access, caller))


def _with_results(environment: Environment, ask: Callable[[str], tuple[Answer, ...]]) -> Matrix:
    """Asks all callers; those with a pair that is wrong again: a service may be on its way up."""
    told: dict[str, _Answers] = {}
    callers = [name for name in sorted(environment.services) if targets(environment, name)]
    for _ in range(_ATTEMPTS):
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            told |= zip(callers, pool.map(lambda caller: _read_answers(ask, caller), callers), strict=True)
        answers = {caller: each.answers for caller, each in told.items()}
        failures = {caller: each.failure for caller, each in told.items() if each.failure}
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


def _answers(site: Site, found: Sequence[Container], caller: str) -> tuple[Answer, ...]:
    own = [container for container in found if (container.service, container.state) == (caller, "running")]
    if not own:
        raise ProgramError(f"no task of {caller} runs")
    asked = targets(site.environment, caller, _addresses(found, own))
    return probe.answers(asked, _output(site, own[0], probe.probe_request(asked)))


def _addresses(found: Sequence[Container], own: Sequence[Container]) -> dict[str, list[str]]:
    """Addresses of each service in networks that the caller is not in: in those that it is, it answers its callers."""
    shared = {network for container in own for network in container.addresses}
    addresses: dict[str, list[str]] = {}
    for container in found:
        there = [address for network, address in container.addresses.items() if network not in shared]
        addresses.setdefault(container.service, []).extend(there)
    return addresses


def _output(site: Site, caller: Container, question: probe.ProbeRequest) -> str:
    """What the probe prints in the caller, or beside it."""
    asked = question.argv, question.stdin
    done = execute(site.runner, caller.name, *asked, timeout=probe.TIMEOUT)
    if done.code in _NOT_FOUND:
        done = run_beside(site.runner, caller.name, PROBE_IMAGE, *asked, timeout=probe.TIMEOUT)
    if done.code != 0:
        complaint = probe.sanitize(done.stderr.strip().rpartition("\n")[2])
        raise ProgramError(f"the probe in {caller.name} ended with exit code {done.code}: {complaint or 'silently'}")
    return done.stdout
