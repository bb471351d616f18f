from pathlib import Path

import pytest

from fleetform.base.errors import ProgramError
from fleetform.catalog.models import Build, Service
from fleetform.images.checks import check_before_push, notices
from fleetform.images.context import read_build_files

SOUND = """\
FROM python:3.13-slim
COPY . .
USER 10001:10001
CMD ["python3", "-m", "web"]
"""
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEA" * 4 + "\n"  # the head of one, and no key
LEFT_OUT = "list it in .dockerignore"


@pytest.fixture(autouse=True)
def _no_hadolint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without hadolint, so that each test is about one check; those of hadolint bring a fake."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def problems(root: Path, dockerfile: str = SOUND, **keys: object) -> list[str]:
    """What is wrong with the service `web`, which is built from the folder `app`."""
    service = Service.model_validate({"build": Build(context="app"), **keys})
    write(root, "Dockerfile", dockerfile)
    assert service.build
    return list(
        map(str, check_before_push("web", service, read_build_files(root, service.build), dockerfile))
    )


def write(root: Path, name: str, content: str = "") -> None:
    """Writes a file of the build context."""
    path = root / "app" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def test_a_service_that_is_built_elsewhere_has_nothing_to_check(tmp_path: Path) -> None:
    write(tmp_path, "Dockerfile")
    context = read_build_files(tmp_path, Build(context="app"))
    assert check_before_push("web", Service(image="nginx:1.29"), context, "") == []


@pytest.mark.parametrize(
    "base", ["python", "python:latest", "registry:5000/team/python", "registry:5000/python:latest"]
)
def test_a_base_that_may_change_is_a_problem(tmp_path: Path, base: str) -> None:
    assert problems(tmp_path, f"# A comment\nFROM --platform=$BUILDPLATFORM {base}\nUSER 1\n") == [
        (
            f"app/Dockerfile:2:1: the base image `{base}` has no fixed version; "
            "use a tag with a version, such as `python:3.13-slim`, or a digest"
        )
    ]


@pytest.mark.parametrize(
    "base", ["scratch", "python@sha256:1", "python:3.13", "registry:5000/python:3", "python:$TAG"]
)
def test_a_base_with_a_fixed_or_unknown_version_is_not_a_problem(tmp_path: Path, base: str) -> None:
    assert problems(tmp_path, f"ARG TAG\nFROM {base}\nUSER 1\n") == []


@pytest.mark.parametrize("use", ["$TAG", "${TAG}", "${OTHER:-latest}"])
def test_the_default_of_an_argument_is_part_of_the_base(tmp_path: Path, use: str) -> None:
    assert problems(tmp_path, f"ARG TAG=latest\nFROM python:{use}\nUSER 1\n") == [
        (
            "app/Dockerfile:2:1: the base image `python:latest` has no fixed version; "
            "use a tag with a version, such as `python:3.13-slim`, or a digest"
        )
    ]


def test_an_earlier_stage_is_a_base_that_stays(tmp_path: Path) -> None:
    assert problems(tmp_path, "FROM python:3.13 AS Build\nFROM build\nUSER 1\n") == []


@pytest.mark.parametrize(
    ("dockerfile", "line"),
    [
        ("FROM scratch\n", 1),
        ("FROM scratch\nUSER root\n", 2),
        ("FROM scratch\nUSER 1\nUSER 0:0\n", 3),
        ("FROM scratch AS build\nUSER 1\nFROM scratch\n", 3),
        ("FROM scratch AS build\nUSER root\nFROM build\n", 2),
        ("FROM scratch\nRUN <<END\nUSER 1\nEND\n", 1),
        ("FROM scratch\nRUN true \\\n# A comment\n  USER 1\n", 1),
    ],
)
def test_an_image_that_runs_as_root_is_a_problem(tmp_path: Path, dockerfile: str, line: int) -> None:
    assert problems(tmp_path, dockerfile) == [
        (
            f"app/Dockerfile:{line}:1: the image runs as root; end it with a `USER` line, such as `USER"
            " 10001:10001`"
        )
    ]


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM scratch AS base\nUSER 1\nFROM base\n",
        "# escape=`\nFROM scratch\nRUN one `\n  two\nuser app\n",
        "FROM scratch\nRUN <<-'A' cat && <<B cat\none\n\tA\ntwo\nB\nUSER app\n",
    ],
)
def test_the_user_is_found_wherever_it_is_set(tmp_path: Path, dockerfile: str) -> None:
    assert problems(tmp_path, dockerfile) == []


EXPOSING = SOUND + "EXPOSE 8080/tcp\n"


def test_a_port_that_nothing_can_move_is_a_problem_if_it_is_not_the_services(tmp_path: Path) -> None:
    assert problems(tmp_path, EXPOSING, port=80) == [
        (
            "app/Dockerfile:5:1: the image exposes 8080, but `web` has port 80 and the image does not read"
            " PORT; "
            "set `port: 8080`, or listen on the port in PORT"
        )
    ]


@pytest.mark.parametrize(
    "keys",
    [
        {"port": 8080},
        {},
        {"port": 80, "command": ["serve", "--listen=0.0.0.0:80"]},
        {"port": 80, "environment": {"LISTEN": "80"}},
    ],
)
def test_a_port_is_fine_if_it_is_the_services_or_the_catalog_moves_it(
    tmp_path: Path, keys: dict[str, object]
) -> None:
    assert problems(tmp_path, EXPOSING, **keys) == []


def test_a_port_is_fine_if_a_file_knows_the_variable(tmp_path: Path) -> None:
    write(tmp_path, "settings.py", 'port = int(os.environ["PORT"])\n')
    assert problems(tmp_path, EXPOSING, port=80) == []


def test_a_port_is_fine_if_the_dockerfile_knows_the_variable(tmp_path: Path) -> None:
    assert problems(tmp_path, EXPOSING + "ENV PORT=8080\n", port=80) == []


def test_a_port_that_only_the_build_knows_is_not_a_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, SOUND + "EXPOSE $LISTEN\n", port=80) == []


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        "web/.env.production",
        "id_ed25519",
        ".aws/credentials",
        "store.p12",
        "terraform.tfstate.backup",
    ],
)
def test_a_file_with_secret_in_its_name_is_a_problem(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    assert problems(tmp_path) == [f"app/{name}:1:1: files with this name usually contain secrets; {LEFT_OUT}"]


@pytest.mark.parametrize(
    "name", [".env.example", "id_rsa.pub", "credentials.py", "environment", ".gitignore"]
)
def test_a_file_whose_name_only_looks_so_is_none(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    assert problems(tmp_path) == []


def test_a_file_that_is_left_out_is_none(tmp_path: Path) -> None:
    write(tmp_path, ".env", "PASSWORD=secret")
    write(tmp_path, ".dockerignore", "**/.env\n")
    assert problems(tmp_path) == []


def test_gits_folder_is_a_problem_once(tmp_path: Path) -> None:
    for name in ("config", "HEAD"):
        write(tmp_path, f"web/.git/{name}")
    assert problems(tmp_path) == [
        f"app/web/.git:1:1: the `.git` folder would be copied into the image; {LEFT_OUT}"
    ]


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("server.pem", KEY, "a private key"),
        ("account.json", '"key": "' + KEY.replace("\n", "\\n"), "a private key"),
        ("settings.py", "ID = 'AKIA" + "QWERTYUIOPASDFGH'", "an AWS access key"),
        ("settings.py", "TOKEN = 'ghp_" + "0aZ" * 12 + "'", "a GitHub token"),
        (".npmrc", "//registry.npmjs.org/:_authToken=0aZ", "a token"),
        (".pypirc", "password: 0aZ", "a token"),
    ],
)
def test_what_can_only_be_a_secret_is_a_problem_at_its_line(
    tmp_path: Path, name: str, content: str, what: str
) -> None:
    write(tmp_path, name, f"\n\n{content}\n")
    assert problems(tmp_path) == [f"app/{name}:3:1: {what} would be copied into the image; {LEFT_OUT}"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("authorities.pem", "-----BEGIN CERTIFICATE-----\nMIIEowIBAAKCAQEA"),
        ("keys.py", 'HEAD = "-----BEGIN PRIVATE KEY-----"\n'),
        ("settings.py", "ID = 'AKIAIOSFODNN7EXAMPLE'"),
        (".npmrc", "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\n# _authToken=1"),
    ],
)
def test_what_only_looks_like_a_secret_is_none(tmp_path: Path, name: str, content: str) -> None:
    write(tmp_path, name, content)
    assert problems(tmp_path) == []


def test_a_secret_behind_a_link_is_not_in_the_context(tmp_path: Path) -> None:
    write(tmp_path, "web.py")
    (tmp_path / "key.pem").write_text(KEY, encoding="utf-8")
    (tmp_path / "app" / "link").symlink_to("../key.pem")
    assert problems(tmp_path) == []


def test_a_long_file_is_not_searched(tmp_path: Path) -> None:
    write(tmp_path, "data", KEY + " " * 1024 * 1024)
    assert problems(tmp_path) == []


def hadolint(root: Path, script: str) -> None:
    """Puts a fake for hadolint on PATH."""
    program = root / "bin" / "hadolint"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


def test_a_machine_without_hadolint_reports_what_is_not_checked(tmp_path: Path) -> None:
    assert notices() == ["Dockerfiles are not linted: hadolint is not on PATH"]
    hadolint(tmp_path, "")
    assert notices() == []


def test_errors_and_warnings_of_hadolint_are_problems(tmp_path: Path) -> None:
    found = """[
      {"code":"DL3008","column":1,"file":"-","level":"warning","line":2,"message":"Pin versions in apt get\
 install."},
      {"code":"DL3015","column":1,"file":"-","level":"info","line":2,"message":"Avoid additional packages"}
    ]"""
    hadolint(tmp_path, f"echo '{found}'; exit 1")
    assert problems(tmp_path) == [
        (
            "app/Dockerfile:2:1: DL3008 Pin versions in apt get install; "
            "fix it, or put `# hadolint ignore=DL3008` above it"
        )
    ]


def test_hadolint_reads_the_dockerfile_and_leaves_to_us_what_we_check(tmp_path: Path) -> None:
    hadolint(
        tmp_path,
        f"echo \"$@\" >'{tmp_path}/argv'; while read -r line; do echo \"$line\"; done >'{tmp_path}/text';"
        " echo []",
    )
    assert problems(tmp_path) == []
    argv = "--no-color --format=json --ignore=DL3002 --ignore=DL3006 --ignore=DL3007 -\n"
    assert [(tmp_path / name).read_text(encoding="utf-8") for name in ("argv", "text")] == [argv, SOUND]


def test_a_hadolint_that_fails_is_reported_with_its_words(tmp_path: Path) -> None:
    hadolint(tmp_path, "echo 'no such option' >&2; exit 2")
    with pytest.raises(ProgramError) as caught:
        problems(tmp_path)
    argv = (
        f"{tmp_path}/bin/hadolint --no-color --format=json --ignore=DL3002 --ignore=DL3006 --ignore=DL3007 -"
    )
    assert str(caught.value) == f"`{argv}` ended with exit code 2:\nno such option"
