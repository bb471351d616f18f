"""The files of a new project, except those that are rendered from its catalog."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import jinja2

from fleetform import __version__
from fleetform.base import fingerprint, package_data
from fleetform.workflow import vendored
from fleetform.workflow.setup.answers import PORT, SAMPLE, SAMPLE_PORT, Answers

ENVIRONMENTS = ("dev", "local", "prod")
_SHARED = ("dev",)  # those with `security: shared`

_HIDDEN = ("gitattributes", "gitignore")
_SERVICE = "containers/service/"
_CONTAINERS: Final = "containers"
_CATALOGS: Final = "envs"
# The READMEs describe Fleetform's repository, and Python needs no package files here.
_NOT_IN_PROJECTS = ("README.md", "__init__.py")


def project_files(answers: Answers) -> dict[str, bytes]:
    """Return the files of a project by path, with its vendored files and their lock."""
    written = dict(_from_templates(answers))
    if answers.sample:
        written |= _sample(answers)
    return {
        **vendored.package_files(),
        **written,
        vendored.LOCK: vendored.format_lock(vendored.package_lock()).encode(),
    }


def _from_templates(answers: Answers) -> Iterator[tuple[str, bytes]]:
    """Yield the files that templates produce; those of the sample replace catalogs and services."""
    folder = package_data.folder("templates") / vendored.PROJECT_TEMPLATES
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - YAML, Python and Markdown from validated names
    )
    values = _values(answers)
    for name in sorted(environment.list_templates(["j2"])):
        path = PurePosixPath(name.removesuffix(".j2"))
        template = environment.get_template(name)
        if name.startswith(_SERVICE):
            for service in () if answers.sample else answers.services:
                text = template.render(values, service=service)
                yield f"{_CONTAINERS}/{service}/{path.name}", text.encode()
        elif not (answers.sample and name.startswith(f"{_CATALOGS}/")):
            hidden = f".{path}" if path.name in _HIDDEN else path.as_posix()
            yield hidden, template.render(values).encode()


def _values(answers: Answers) -> dict[str, object]:
    """Return the variables of the templates."""
    first, *others = answers.services
    ports = dict.fromkeys(answers.services, PORT)
    callers = [first] * len(others)
    if answers.sample:
        ports[first] = SAMPLE_PORT
        callers = [*answers.services[:-1]]
    return {
        "application": answers.application,
        "account": answers.account,
        "region": answers.region,
        "zones": answers.zones,
        "services": answers.services,
        "port": PORT,
        "version": __version__,
        "environments": ENVIRONMENTS,
        "shared": _SHARED,
        "calls": [(caller, callee, ports[callee]) for caller, callee in zip(callers, others, strict=True)],
        "public": {first: ports[first]},
    }


def _sample(answers: Answers) -> dict[str, bytes]:
    """Return the sample's catalogs and services, for the account and region of the answers."""
    catalogs = _files(package_data.folder(_CATALOGS), (".yaml",))
    texts = {
        f"{_CATALOGS}/{path}": _adapted(content.decode(), answers).encode()
        for path, content in catalogs.items()
        if path.count("/") == 0 or PurePosixPath(path).name == "environment.yaml"
    }
    services = {
        f"{_CONTAINERS}/{path}": content
        for path, content in _files(package_data.folder(_CONTAINERS)).items()
        if PurePosixPath(path).name not in _NOT_IN_PROJECTS
    }
    return texts | services


def _adapted(text: str, answers: Answers) -> str:
    """Return a catalog of the sample with other values than its own."""
    text = text.replace(f"[{', '.join(SAMPLE.zones)}]", f"[{', '.join(answers.zones)}]")
    text = text.replace(SAMPLE.region, answers.region).replace(SAMPLE.account, answers.account)
    return re.sub(
        rf"(?m)^(application: |  domain: ){SAMPLE.application}\b", rf"\g<1>{answers.application}", text
    )


def _files(folder: Path, endings: tuple[str, ...] = ("",)) -> dict[str, bytes]:
    """Read the files below a folder by path from it."""
    paths = [Path(path) for path in fingerprint.files(folder, endings)]
    ignore_file = folder / ".dockerignore"
    if ignore_file.is_file():
        paths.append(ignore_file)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(paths)
        if "__pycache__" not in path.parts
    }
