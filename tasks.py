"""Invoke tasks: they parse flags and call the library, whose errors become exit codes here."""

import errno
import functools
import inspect
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from invoke import Collection, Context, Exit, task
from invoke.parser.parser import ParseMachine

if TYPE_CHECKING:
    from types import TracebackType

    from fleetform.console.waves import Driving
    from fleetform.workflow.project import Project

# Invoke forbids Python to keep what it has compiled: a fifth of a second for each task.
sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))

ROOT = Path(__file__).resolve().parent
WORKERS = 4  # twice the processors of CI: the tests of real containers and of Terraform mostly wait
LOCAL = "local"
ALL_LINES = -1
SUITABLE = 0
NO_PORT = -1
WRONG_INPUT = 2
PROGRAM_FAILED = 3
INTERRUPTED = 130
READER_LEFT = 141

TEXT = "text"
ENVIRONMENTS = {"env", "from_", "to"}
FORMATS = (TEXT, "json", "github", "sarif", "junit", "markdown")

FORMAT = {"format_": "How what is wrong in the YAML is told: text, json, github (annotations), sarif, junit, markdown."}
ENV = {"env": "The environment, a folder of envs/; left out: local, which stays on this machine.", **FORMAT}
JSON = {"json": "Print JSON for scripts."}
RUNNER = {"engine": "docker or podman; left out: the first that works."}
YES = {"yes": "Do not ask; for pipelines."}
JOBS = {"jobs": "How many stacks at a time; left out: as many as suit the machine's processors and memory."}
WAIT = {"wait": "Minutes that a state which another run has locked is waited for; left out: 1."}
STACK = {"stack": "Only this stack; may be given several times."}


class Number(int):
    """A flag's whole number; Invoke would show a traceback for anything else."""

    def __new__(cls, value: object) -> Self:
        """Reads what was typed."""
        try:
            return super().__new__(cls, str(value))
        except ValueError:
            raise Exit(f"`{value}` is no whole number", WRONG_INPUT) from None


def leaving_out_words(complete: Callable[[ParseMachine], None]) -> Callable[[ParseMachine], None]:
    """Lets words that are `optional` be missing where Invoke's parser is done with a task; it knows but flags to be."""

    def complete_context(machine: ParseMachine) -> None:
        for word in machine.context.missing_positional_args if machine.context else ():
            if word.optional:
                word.set_value("", cast=False)
        complete(machine)

    return complete_context


ParseMachine.complete_context = leaving_out_words(ParseMachine.complete_context)  # type: ignore[assignment,method-assign]


def end_quietly(kind: type[BaseException], error: BaseException, trace: "TracebackType | None") -> None:
    """Ends without a traceback when whoever read our output has left, as `head` does."""
    if not issubclass(kind, BrokenPipeError):
        sys.__excepthook__(kind, error, trace)
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(READER_LEFT)


sys.excepthook = end_quietly

# A request to end, and a terminal that closes, are a Ctrl-C to us, though not to workers that we fork.
for request in (signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(request) is signal.SIG_DFL:
        signal.signal(request, signal.default_int_handler)
        os.register_at_fork(after_in_child=functools.partial(signal.signal, request, signal.SIG_DFL))


def reporting(function: Callable[..., None]) -> Callable[..., None]:
    """Turns the library's errors, and Ctrl-C, into a message and an exit code.

    Tasks of environments get the flag `--format` by it, which says how the problems of a catalog are told.
    """
    own = inspect.signature(function)

    @functools.wraps(function)
    def wrapper(*args: Any, format_: str = TEXT, **flags: Any) -> None:  # noqa: ANN401 - whatever flags the task has
        from fleetform.catalog.wording import suggestion
        from fleetform.errors import CatalogError, FleetformError

        if format_ not in FORMATS:
            raise Exit(f"`{format_}` is no format; {suggestion(format_, list(FORMATS))}", WRONG_INPUT)
        if "format_" in own.parameters:
            flags["format_"] = format_
        try:
            if format_ != TEXT:
                require_catalogs(flags)
            with telling_of_a_full_disk():
                function(*args, **flags)
                sys.stdout.flush()
        except CatalogError as error:
            from fleetform.console import catalog

            raise Exit(catalog.tell_problems(project(), error.problems, format_), error.exit_code) from None
        except FleetformError as error:
            raise Exit(str(error), error.exit_code) from None
        except KeyboardInterrupt:
            raise Exit("interrupted", INTERRUPTED) from None

    if own.parameters.keys() & ENVIRONMENTS and "format_" not in own.parameters:
        flag = inspect.Parameter("format_", inspect.Parameter.KEYWORD_ONLY, default=TEXT)
        wrapper.__signature__ = own.replace(parameters=[*own.parameters.values(), flag])  # type: ignore[attr-defined]
    return wrapper


@contextmanager
def telling_of_a_full_disk() -> Iterator[None]:
    """Turns the one error of the system that may come from anywhere into a message and an exit code."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise Exit(f"{error}; make room, then run it again", PROGRAM_FAILED) from None


def require_catalogs(flags: Mapping[str, Any]) -> None:
    """Loads what a task is about before it prints anything: a program reads nothing but the problems then."""
    from fleetform.catalog.loading import load

    for flag in sorted(ENVIRONMENTS & flags.keys()):
        load(ROOT, flags[flag])


def driving(names: list[str], jobs: int, wait: int, *, yes: bool = False) -> "Driving":
    """How stacks are planned and applied, as flags say."""
    from fleetform.console.waves import Driving
    from fleetform.errors import InputError

    if jobs < SUITABLE:
        raise InputError(f"--jobs {jobs}: give at least 1, or leave it out for as many as suit this machine")
    if wait < 0:
        raise InputError(f"--wait {wait}: give a number of minutes; 0 waits for nobody")
    return Driving(yes=yes, jobs=jobs, only=frozenset(names), wait=wait)


def project() -> "Project":
    """The checkout that this file stands in."""
    from fleetform.workflow.project import Project

    return Project(ROOT)


@task(help={**ENV, **JSON, "check": "Write nothing; print the diff, and exit 1 if there is one."})
@reporting
def render(_context: Context, env: str = LOCAL, check: bool = False, json: bool = False) -> None:
    """Render the catalog into envs/<env>/: Terraform to review and commit."""
    from fleetform.console import rendering

    rendering.render(project(), env, check=check, as_json=json)


@task(
    help={**ENV, **JSON, "what": "A service, a key of one as web.cpu, or a key as network.cidr; all if left out."},
    optional=["what"],
)
@reporting
def explain(_context: Context, what: str, env: str = LOCAL, json: bool = False) -> None:
    """Show what an environment comes to, and for each value where it is written and what it overrode."""
    from fleetform import explanation

    explanation.explain(project(), env, what, as_json=json)


@task(
    help={
        **ENV,
        **JSON,
        "validate": "Run `terraform validate` too, some seconds a stack.",
        "plan": "Plan too, and judge by the plans what the text leaves open; needs access to AWS.",
        "explain": "Say all of a rule, such as FF001, and check nothing.",
        "fail_on": "The findings that fail the check, these and worse: high, medium or low.",
        "write_baseline": "Accept what is found now, in envs/<env>/policy-baseline.json: only what is new fails then.",
    }
)
@reporting
def check(  # noqa: PLR0913, PLR0917 - a flag each
    _context: Context,
    env: str = LOCAL,
    validate: bool = False,
    plan: bool = False,
    json: bool = False,
    explain: str = "",
    fail_on: str = "low",
    write_baseline: bool = False,
    format_: str = TEXT,
) -> None:
    """Check what is rendered: up to date, formatted, within the policy."""
    from fleetform.console import policy, rendering

    if explain:
        from fleetform.console import rules

        rules.explain(project(), explain, as_json=json)
    elif write_baseline:
        policy.write_baseline(project(), env)
    else:
        telling = policy.Telling(format_, as_json=json, fail_on=fail_on)
        rendering.check(project(), env, telling, validate=validate, plan=plan)


@task(help=JSON)
@reporting
def rules(_context: Context, json: bool = False) -> None:
    """List the rules of the policy."""
    from fleetform.console import rules

    rules.list_rules(project(), as_json=json)


@task(help={"check": "Write nothing; print the diff, and exit 1 if there is one."})
@reporting
def schema(_context: Context, check: bool = False) -> None:
    """Make the catalog's JSON Schema, its reference and that of the policy's rules anew."""
    from fleetform.console import catalog

    catalog.schema(project(), check=check)


@task(
    help={
        "name": "The service's name.",
        "port": "The port that it listens on; left out: none, for a worker that nobody calls.",
        "calls": "The services that it calls, with commas between them.",
        "image": "An image that is built elsewhere; left out: it is built from containers/<name>.",
    }
)
@reporting
def new_service(_context: Context, name: str, port: int = Number(NO_PORT), calls: str = "", image: str = "") -> None:
    """Add a service to the catalog, with comments; nothing else in the file changes."""
    from fleetform.catalog.additions import NewService
    from fleetform.console import catalog

    callees = tuple(callee.strip() for callee in calls.split(",") if callee.strip())
    catalog.new_service(project(), NewService(name, None if port == NO_PORT else port, callees, image or None))


@task(help={"name": "The environment's name.", "like": "The environment that it is a copy of, but for its own names."})
@reporting
def new_env(_context: Context, name: str, like: str) -> None:
    """Make an environment that is like another."""
    from fleetform.console import catalog

    catalog.new_env(project(), name, like)


@task(
    iterable=["service"],
    help={
        **ENV,
        "service": "Only this service; may be given several times.",
        "engine": "docker, podman or buildah; left out: the first that works.",
        "jobs": "How many images are built at a time.",
    },
)
@reporting
def images(_context: Context, service: list[str], env: str = LOCAL, engine: str = "", jobs: int = Number(2)) -> None:
    """Build and push the images that the registry lacks; lock every image's digest and render."""
    from fleetform.console import images
    from fleetform.workflow.images import ImageRequest

    images.make_images(project(), env, ImageRequest(tuple(service), engine or None, jobs))


@task(help={**ENV, **YES, **JSON, "keep": "How many images of each service stay, besides those that are locked."})
@reporting
def prune(_context: Context, env: str = LOCAL, keep: int = Number(30), yes: bool = False, json: bool = False) -> None:
    """Delete old images from the registry, save those that are locked or that a rollback locks."""
    from fleetform.console import images

    images.prune(project(), env, keep, yes=yes, as_json=json)


@task(
    help={
        **ENV,
        **JSON,
        "changed_since": "The commit to compare with: a hash, a branch, a tag.",
        "why": "Say of each stack what makes it differ.",
    }
)
@reporting
def affected(_context: Context, changed_since: str, env: str = LOCAL, why: bool = False, json: bool = False) -> None:
    """List the stacks, and their services, that differ between a commit and the work tree: by content, not by file."""
    from fleetform.console import affected

    affected.show(project(), env, changed_since, why=why, as_json=json)


@task(
    help={
        **JSON,
        "provider": "github, gitlab or atlantis; left out: those whose pipeline is here already.",
        "check": "Write nothing; print the diff, and exit 1 if there is one.",
    }
)
@reporting
def ci(_context: Context, provider: str = "", check: bool = False, json: bool = False) -> None:
    """Write the pipeline that checks, plans and applies all environments on AWS; docs/pipelines.md is its manual.

    github writes .github/workflows/fleetform.yml, gitlab .gitlab-ci.yml, atlantis atlantis.yaml. A pull request is
    checked, and each stack that it affects is planned; the main branch is applied, environment after environment:
    by name, those with `protection` last, or as `applied_after` in their environment.yaml says. A file that was
    written by hand is never overwritten.
    """
    from fleetform.console import pipelines

    pipelines.ci(project(), provider, check=check, as_json=json)


@task(help={**ENV, **JSON})
@reporting
def bootstrap(_context: Context, env: str = LOCAL, json: bool = False) -> None:
    """Make the S3 bucket that holds the environment's Terraform state, or bring it up to date."""
    from fleetform.console import state

    state.bootstrap(project(), env, as_json=json)


@task(
    help={
        **ENV,
        **YES,
        **JSON,
        "unlock": "Remove a stale lock, as STACK:ID, instead.",
    }
)
@reporting
def state_doctor(_context: Context, env: str = LOCAL, unlock: str = "", yes: bool = False, json: bool = False) -> None:
    """Show each stack's state and lock, and how to mend what is wrong; exit 1 if anything is."""
    from fleetform.console import state

    if unlock:
        state.unlock(project(), env, unlock, yes=yes)
    else:
        state.doctor(project(), env, as_json=json)


@task(
    iterable=["stack"],
    help={
        **ENV,
        **STACK,
        **JOBS,
        **WAIT,
        **JSON,
        "changed_since": "Only the stacks that `affected` names for this commit.",
        "details": "Show every change with its values, not only what is risky.",
        "out": "File that gets the plans as Markdown, for a pull request.",
        "fail_on": "Exit 1 if there is any of these to do: add, change, replace, destroy, risk; commas between them.",
        "save": "Keep the plans: `apply --saved` applies just these, or nothing if anything has moved on.",
    },
)
@reporting
def plan(  # noqa: PLR0913, PLR0917 - a flag each
    _context: Context,
    stack: list[str],
    env: str = LOCAL,
    changed_since: str = "",
    jobs: int = Number(SUITABLE),
    wait: int = Number(1),
    details: bool = False,
    out: str = "",
    fail_on: str = "",
    save: bool = False,
    json: bool = False,
) -> None:
    """Show what an apply would do to each stack, and what of it is risky."""
    from fleetform.console import plans, stacks, turns

    telling = plans.Telling(json, details, out, fail_on, save)
    how = driving(stack, jobs, wait)
    with turns.taken(project(), env, "plan", wait):
        stacks.plan(project(), env, changed_since, telling, how)


@task(
    iterable=["stack"],
    help={
        **ENV,
        **STACK,
        **JOBS,
        **WAIT,
        **YES,
        "resume": "Only the stacks that the last apply has left, as they were then.",
        "saved": "The plans that `plan --save` has kept, as they are.",
    },
)
@reporting
def apply(  # noqa: PLR0913, PLR0917 - a flag each
    _context: Context,
    stack: list[str],
    env: str = LOCAL,
    jobs: int = Number(SUITABLE),
    wait: int = Number(1),
    resume: bool = False,
    saved: bool = False,
    yes: bool = False,
) -> None:
    """Plan each stack, show the plans, ask, and apply just these plans."""
    from fleetform.console import stacks, turns

    how = driving(stack, jobs, wait, yes=yes)
    with turns.taken(project(), env, "apply", wait):
        stacks.apply(project(), env, how, resume=resume, kept=saved)


@task(
    help={
        **ENV,
        **JOBS,
        **WAIT,
        **YES,
        "engine": "docker, podman or buildah; left out: the first that works.",
        "severity": "The findings of ECR's scan that stop it, these and worse: critical, high, ...; none for no stop.",
    }
)
@reporting
def deploy(  # noqa: PLR0913, PLR0917 - a flag each
    _context: Context,
    env: str = LOCAL,
    jobs: int = Number(SUITABLE),
    wait: int = Number(1),
    yes: bool = False,
    engine: str = "",
    severity: str = "critical",
) -> None:
    """Render, check, apply, make the images and verify: all that is still to be done."""
    from fleetform import deployment
    from fleetform.console import turns

    how = deployment.Deployment(driving([], jobs, wait, yes=yes), engine or None, severity)
    with turns.taken(project(), env, "deploy", wait):
        deployment.deploy(project(), env, how)


@task(
    iterable=["service"],
    help={
        **FORMAT,
        "from_": "The environment whose images they are.",
        "to": "The environment that gets them.",
        "service": "Only this service; may be given several times.",
        "from_profile": "AWS profile that reads the first one's registry, if it is another account's.",
    },
)
@reporting
def promote(_context: Context, from_: str, to: str, service: list[str], from_profile: str = "") -> None:
    """Give one environment the images of another, by digest and without a build; render it."""
    from fleetform import deployment

    deployment.promote(project(), from_, to, service, from_profile or None)


@task(help={**ENV, "service": "The service."})
@reporting
def rollback(_context: Context, service: str, env: str = LOCAL) -> None:
    """Give a service the image that it had before, as Git has it; render it."""
    from fleetform import deployment

    deployment.rollback(project(), env, service)


@task(help={**ENV, **JSON})
@reporting
def verify(_context: Context, env: str = LOCAL, json: bool = False) -> None:
    """Compare what runs with the catalog, through the AWS API."""
    from fleetform.console import stacks

    stacks.verify(project(), env, as_json=json)


@task(help={**ENV, **JOBS, **WAIT, **JSON})
@reporting
def drift(
    _context: Context,
    env: str = LOCAL,
    jobs: int = Number(SUITABLE),
    wait: int = Number(1),
    json: bool = False,
) -> None:
    """Show what is not as the catalog says: changed outside of Terraform, or not applied yet; exit 1 if anything is."""
    from fleetform.console import stacks, turns

    how = driving([], jobs, wait)
    with turns.taken(project(), env, "drift", wait):
        stacks.drift(project(), env, how, as_json=json)


@task(help={**ENV, **JOBS, **WAIT, **YES})
@reporting
def destroy(
    _context: Context,
    env: str = LOCAL,
    jobs: int = Number(SUITABLE),
    wait: int = Number(1),
    yes: bool = False,
) -> None:
    """Destroy every stack of the environment, dependents first."""
    from fleetform.console import stacks, turns

    how = driving([], jobs, wait, yes=yes)
    with turns.taken(project(), env, "destroy", wait):
        stacks.destroy(project(), env, how)


@task(help={**ENV, **JSON})
@reporting
def runs(_context: Context, env: str = LOCAL, json: bool = False) -> None:
    """List what was applied and destroyed from this checkout: who, when, from which commit, and how it ended."""
    from fleetform.console import runs

    runs.show(project(), env, as_json=json)


@task(help={**ENV, **RUNNER})
@reporting
def up(_context: Context, env: str = LOCAL, engine: str = "") -> None:
    """Run the services on this machine, with the names, variables and ways between them that they have on AWS."""
    from fleetform import laptop
    from fleetform.console import turns

    with turns.taken(project(), env, "up", here=True):
        laptop.up(project(), env, engine or None)


@task(help={**ENV, **RUNNER})
@reporting
def down(_context: Context, env: str = LOCAL, engine: str = "") -> None:
    """Remove what `up` has started."""
    from fleetform import laptop
    from fleetform.console import turns

    with turns.taken(project(), env, "down", here=True):
        laptop.down(project(), env, engine or None)


@task(help={**ENV, **RUNNER, **JSON})
@reporting
def ps(_context: Context, env: str = LOCAL, engine: str = "", json: bool = False) -> None:
    """Show what runs on this machine."""
    from fleetform import laptop

    laptop.ps(project(), env, engine or None, as_json=json)


@task(
    iterable=["service"],
    help={
        **ENV,
        **RUNNER,
        "service": "Only this service; may be given several times.",
        "follow": "Go on with what comes, until Ctrl-C.",
        "tail": "Only so many lines of each container.",
    },
)
@reporting
def logs(
    _context: Context,
    service: list[str],
    env: str = LOCAL,
    engine: str = "",
    follow: bool = False,
    tail: int = Number(ALL_LINES),
) -> None:
    """Show what the services on this machine print."""
    from fleetform import laptop

    excerpt = laptop.Excerpt(tuple(service), follow, None if tail == ALL_LINES else tail)
    laptop.logs(project(), env, engine or None, excerpt)


@task(
    help={
        **ENV,
        **RUNNER,
        **JSON,
        "on_aws": "Try the services of the account, through ECS Exec, instead of those on this machine.",
        "junit": "File that gets the result as JUnit XML, for pipelines.",
    }
)
@reporting
def smoke(
    _context: Context, env: str = LOCAL, engine: str = "", on_aws: bool = False, junit: str = "", json: bool = False
) -> None:
    """Try every call, and every pair of services without one, from inside the callers."""
    from fleetform import laptop

    laptop.smoke(project(), env, engine or None, laptop.Proof(on_aws, junit or None, json))


@task(help={"keep": "Leave it all running instead of destroying it."})
@reporting
def demo(_context: Context, keep: bool = False) -> None:
    """The whole pipe on this machine: render, check, apply, verify, no drift, destroy."""
    from fleetform.demo import demo as run_demo
    from fleetform.screen import Screen

    run_demo(project(), Screen(), keep=keep)


@task
@reporting
def start(_context: Context) -> None:
    """Start the emulator: the AWS API on loopback that `local` runs against."""
    from fleetform.console import emulator

    emulator.start(project(), LOCAL)


@task
@reporting
def stop(_context: Context) -> None:
    """Stop the emulator; what was applied to `local` goes with it."""
    from fleetform.console import emulator

    emulator.stop(project())


@task(help=JSON)
@reporting
def status(_context: Context, json: bool = False) -> None:
    """Say whether the emulator runs, and where."""
    from fleetform.console import emulator

    emulator.status(project(), as_json=json)


def call(*argv: str) -> None:
    """Runs a development tool in the project's root; its exit code is ours."""
    if code := subprocess.call([sys.executable, "-m", *argv], cwd=ROOT):
        raise Exit("", code)


@task(name="test", help={"k": "Only tests whose names match this pytest expression."})
def run_tests(_context: Context, k: str = "") -> None:
    """Run all tests: lint and types first, then pytest."""
    call("ruff", "check", "--quiet", ".")
    call("ruff", "format", "--quiet", "--check", ".")
    call("mypy")
    call("pytest", f"--numprocesses={WORKERS}", *(["-k", k] if k else []))


@task
def requirements(_context: Context) -> None:
    """Remake requirements/*.txt, exact and hashed, from pyproject.toml."""
    compile_ = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version=3.11", "--generate-hashes"]
    plain = [*compile_, "--no-header", "--no-annotate", "--upgrade"]
    call(*plain, "pyproject.toml", "--output-file=requirements/run.txt")
    for group in ("dev", "terraform"):
        constraint = "--constraint=requirements/run.txt"
        call(*plain, f"--group={group}", constraint, f"--output-file=requirements/{group}.txt")
    for group in ("checkov", "rivals"):
        call(*plain, f"--group={group}", f"--output-file=requirements/{group}.txt")


namespace = Collection(
    render,
    explain,
    check,
    rules,
    schema,
    new_service,
    new_env,
    images,
    prune,
    affected,
    ci,
    bootstrap,
    state_doctor,
    plan,
    apply,
    deploy,
    promote,
    rollback,
    verify,
    drift,
    destroy,
    runs,
    up,
    down,
    ps,
    logs,
    smoke,
    demo,
    run_tests,
    requirements,
    Collection("emulator", start, stop, status),
)
