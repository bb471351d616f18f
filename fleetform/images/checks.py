"""Checks before an image is built and pushed: its Dockerfile and the files of its build context."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import PurePath, PurePosixPath

from fleetform.base.errors import Position, Problem, ProgramError
from fleetform.catalog.models import Service
from fleetform.images.context import BuildFiles
from fleetform.images.dockerfile import Dockerfile

_HADOLINT = "hadolint"
_LINT_LEVELS = {"error", "warning"}
_OWN_CHECKS = ("DL3002", "DL3006", "DL3007")  # root, no tag, latest: hadolint does not follow stages and ARGs

_EXCLUDE = "list it in .dockerignore"
# Files with keys are short; longer files are data or programs.
_SEARCHED_BYTES = 1024 * 1024

_EXAMPLES = (".example", ".sample", ".template", ".dist")
_SECRET_NAMES = re.compile(
    r"\.env(\..+)?|\.netrc|\.git-credentials|\.dockercfg|\.htpasswd|credentials"
    r"|id_(rsa|dsa|ecdsa|ed25519)|.+\.(p12|pfx|jks|keystore|kdbx|ppk)|.*\.tfstate(\.backup)?"
)
_TOKEN = re.compile(rb"^[^#;\n]*(?:_authToken|_password|_auth|password)\s*[=:]\s*(?![\s$])", re.MULTILINE)
_TOKEN_FILES = {".npmrc", ".pypirc"}
# Only unmistakable secrets: a key's header has to be followed by a key, and AWS's documentation keys do not
# count.
_SECRETS = {
    "a private key": re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:\\n|\s)+[A-Za-z0-9+/=:, -]{16}"),
    "an AWS access key": re.compile(rb"\b(?:AKIA|ASIA)(?![A-Z2-7]*EXAMPLE)[A-Z2-7]{16}\b"),
    "a GitHub token": re.compile(rb"\b(?:gh[opsur]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{82})\b"),
}

_ROOT = re.compile(r"(root|0+)(:.*)?")
_PORT = re.compile(rb"\bPORT\b")


def check_before_push(
    service_name: str, service: Service, context: BuildFiles, dockerfile_text: str
) -> list[Problem]:
    """Check the files that a service's image is built from.

    Args:
        service_name: The service.
        service: Its catalog entry, with `build`.
        context: The files of its build context.
        dockerfile_text: The Dockerfile's text.

    Returns:
        The problems, sorted by position. The Dockerfile is linted only if hadolint is installed; see
        `notices`.

    Raises:
        ProgramError: hadolint fails.
    """
    if service.build is None:
        return []
    folder = PurePath(service.build.context)
    dockerfile = Dockerfile(dockerfile_text)
    shown_as = folder / service.build.dockerfile
    problems = [
        *_check_base_images(dockerfile, shown_as),
        *_check_user(dockerfile, shown_as),
        *_check_port(service_name, service, context, dockerfile, shown_as),
        *_lint(dockerfile_text, shown_as),
        *_check_secrets(context, folder),
    ]
    return sorted(problems, key=lambda problem: (problem.position, problem.message))


def notices() -> list[str]:
    """Return a line for each check that this machine cannot do."""
    return [] if shutil.which(_HADOLINT) else ["Dockerfiles are not linted: hadolint is not on PATH"]


def _check_base_images(dockerfile: Dockerfile, file: PurePath) -> Iterator[Problem]:
    for stage in dockerfile.bases:
        name = stage.base.rsplit("/", maxsplit=1)[-1]
        if stage.base == "scratch" or "@" in name or "$" in stage.base:
            continue
        if ":" not in name or name.endswith(":latest"):
            yield Problem(
                Position(file, stage.line, 1),
                f"the base image `{stage.base}` has no fixed version",
                "use a tag with a version, such as `python:3.13-slim`, or a digest",
            )


def _check_user(dockerfile: Dockerfile, file: PurePath) -> Iterator[Problem]:
    if not dockerfile.stages:
        return
    user = dockerfile.last("USER")
    if user is None or _ROOT.fullmatch(user.value):
        line = user.line if user else dockerfile.stages[-1].line
        remedy = "end it with a `USER` line, such as `USER 10001:10001`"
        yield Problem(Position(file, line, 1), "the image runs as root", remedy)


def _check_port(
    name: str, service: Service, context: BuildFiles, dockerfile: Dockerfile, file: PurePath
) -> Iterator[Problem]:
    """Check that the image listens on its service's port.

    An image that exposes different ports is fine if it can be configured: if a file of the context mentions
    the variable PORT, which every service with a port gets, or if the service's command or environment names
    the port.
    """
    exposed = dockerfile.all("EXPOSE")
    ports = [word.partition("/")[0] for instruction in exposed for word in instruction.value.split()]
    port = str(service.port)
    if service.port is None or not ports or port in ports or not all(map(str.isdecimal, ports)):
        return
    settings = [*(service.entry_point or ()), *(service.command or ()), *service.environment.values()]
    if any(re.search(rf"\b{port}\b", text) for text in settings) or _mentions_port(context, dockerfile):
        return
    yield Problem(
        Position(file, exposed[0].line, 1),
        f"the image exposes {', '.join(ports)}, but `{name}` has port {port} and the image does not read"
        " PORT",
        f"set `port: {ports[0]}`, or listen on the port in PORT",
    )


def _mentions_port(context: BuildFiles, dockerfile: Dockerfile) -> bool:
    texts = (text for _, text in _small_files(context))
    return bool(_PORT.search(dockerfile.text.encode())) or any(map(_PORT.search, texts))


def _small_files(context: BuildFiles) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Read the files of a context that are small and not symbolic links."""
    for file in context.files:
        path = context.folder / file
        if not path.is_symlink() and path.stat().st_size <= _SEARCHED_BYTES:
            yield file, path.read_bytes()


def _lint(text: str, file: PurePath) -> Iterator[Problem]:
    program = shutil.which(_HADOLINT)
    if program is None:
        return
    ignored = [f"--ignore={code}" for code in _OWN_CHECKS]
    argv = [program, "--no-color", "--format=json", *ignored, "-"]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, encoding="utf-8")
    try:
        findings = json.loads(done.stdout)
    except ValueError:
        message = f"`{' '.join(argv)}` ended with exit code {done.returncode}:\n{done.stderr.strip()}"
        raise ProgramError(message) from None
    for entry in findings:
        if entry["level"] in _LINT_LEVELS:
            remedy = f"fix it, or put `# hadolint ignore={entry['code']}` above it"
            message = f"{entry['code']} {entry['message'].strip().rstrip('.')}".replace("\n", " ")
            yield Problem(Position(file, entry["line"], entry["column"]), message, remedy)


def _check_secrets(context: BuildFiles, folder: PurePath) -> Iterator[Problem]:
    git = next((file for file in context.files if ".git" in file.parts), None)
    if git is not None:
        inside = PurePosixPath(*git.parts[: git.parts.index(".git") + 1])
        yield Problem(
            Position(folder / inside, 1, 1), "the `.git` folder would be copied into the image", _EXCLUDE
        )
    for file in context.files:
        if _SECRET_NAMES.fullmatch(file.name) and not file.name.endswith(_EXAMPLES):
            yield Problem(
                Position(folder / file, 1, 1), "files with this name usually contain secrets", _EXCLUDE
            )
    for file, text in _small_files(context):
        patterns = {**_SECRETS, "a token": _TOKEN} if file.name in _TOKEN_FILES else _SECRETS
        for kind, pattern in patterns.items():
            if match := pattern.search(text):
                line = text.count(b"\n", 0, match.start()) + 1
                yield Problem(
                    Position(folder / file, line, 1), f"{kind} would be copied into the image", _EXCLUDE
                )
