"""The commands of each engine, and which one is chosen."""

import json
from pathlib import Path, PurePosixPath

import pytest

from fleetform.base.errors import InputError, ProgramError
from fleetform.images.context import BuildFiles
from fleetform.images.engine import Buildah, Docker, Engine, Image, Podman, find_engine
from fleetform.images.registry import Credentials

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
IMAGE = Image(ECR, "shop-prod-web", "0123456789abcdef", "linux/arm64", {"B": "2", "A": "x y"})
LOCAL = Image("127.0.0.1:5566", "shop-local-web", "0123456789abcdef", "linux/amd64")
CONTEXT = BuildFiles(Path("/s/context"), (PurePosixPath("main.py"),), Path("/s/Dockerfile"))
CREDENTIALS = Credentials("AWS", "secret", ECR)
LOCAL_CREDENTIALS = Credentials("AWS", "secret", "127.0.0.1:5566")
PRIVATE = Path("/p")
OPTIONS = [
    "--platform=linux/arm64",
    f"--tag={ECR}/shop-prod-web:0123456789abcdef",
    "--file=/s/Dockerfile",
    "--build-arg=A=x y",
    "--build-arg=B=2",
    "/s/context",
]
REPRODUCIBLE = [
    "--format=docker",
    "--isolation=chroot",
    "--timestamp=0",
    "--no-cache",
    "--identity-label=false",
]
DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("engine", "begin"),
    [
        (Docker(), ["docker", "buildx", "build", "--load", "--provenance=false", "--progress=plain"]),
        (Docker(buildx=False), ["docker", "build"]),
        (Buildah(), ["buildah", "build", *REPRODUCIBLE]),
        (Podman(), ["podman", "build", *REPRODUCIBLE]),
    ],
)
def test_the_staged_context_is_built_under_the_name_that_is_pushed(engine: Engine, begin: list[str]) -> None:
    assert engine.build(IMAGE, CONTEXT) == [*begin, *OPTIONS]


@pytest.mark.parametrize(
    ("engine", "argv"),
    [
        (Docker(), ["docker", "image", "inspect"]),
        (Buildah(), ["buildah", "inspect", "--type=image"]),
        (Podman(), ["podman", "inspect", "--type=image"]),
    ],
)
def test_an_image_is_looked_up_by_its_name(engine: Engine, argv: list[str]) -> None:
    assert engine.look_up(IMAGE) == [*argv, IMAGE.reference]


@pytest.mark.parametrize(
    ("engine", "argv"),
    [
        (Docker(), ["docker", "login", "--username=AWS", "--password-stdin", ECR]),
        (
            Buildah(),
            ["buildah", "login", "--username=AWS", "--password-stdin", "--authfile=/p/auth.json", ECR],
        ),
        (Podman(), ["podman", "login", "--username=AWS", "--password-stdin", "--authfile=/p/auth.json", ECR]),
    ],
)
def test_a_login_has_the_password_nowhere_in_its_arguments(engine: Engine, argv: list[str]) -> None:
    assert engine.login(CREDENTIALS, PRIVATE) == argv


@pytest.mark.parametrize(
    ("engine", "argv"),
    [
        (Docker(), ["docker", "push"]),
        (
            Buildah(),
            [
                "buildah",
                "push",
                "--format=oci",
                "--authfile=/p/auth.json",
                "--digestfile=/p/shop-prod-web.digest",
            ],
        ),
        (
            Podman(),
            [
                "podman",
                "push",
                "--format=oci",
                "--authfile=/p/auth.json",
                "--digestfile=/p/shop-prod-web.digest",
            ],
        ),
    ],
)
def test_a_push_names_what_was_built(engine: Engine, argv: list[str]) -> None:
    assert engine.push(IMAGE, PRIVATE) == [*argv, IMAGE.reference]


@pytest.mark.parametrize("engine", [Buildah(), Podman()])
def test_a_registry_on_loopback_is_spoken_to_without_tls(engine: Engine) -> None:
    assert [
        [option for option in argv if option.startswith("--tls")]
        for argv in (engine.login(LOCAL_CREDENTIALS, PRIVATE), engine.push(LOCAL, PRIVATE))
    ] == [["--tls-verify=false"]] * 2


@pytest.mark.parametrize("host", ["localhost.example.com", "127.0.0.1.example.com:80", "10.0.0.1:5000"])
def test_no_other_registry_is(host: str) -> None:
    assert Buildah().push(Image(host, "web", "1", "linux/amd64"), PRIVATE) == [
        "buildah",
        "push",
        "--format=oci",
        "--authfile=/p/auth.json",
        "--digestfile=/p/web.digest",
        f"{host}/web:1",
    ]


def test_docker_prints_the_digest() -> None:
    lines = ["0b44730ee83d: Pushed", f"0123456789abcdef: digest: {DIGEST} size: 939"]
    assert Docker().digest(IMAGE, PRIVATE, lines) == DIGEST


def test_docker_that_prints_no_digest_has_none() -> None:
    assert Docker().digest(IMAGE, PRIVATE, ["0b44730ee83d: Pushed"]) is None


@pytest.mark.parametrize("engine", [Buildah(), Podman()])
def test_the_others_write_the_digest_into_a_file(engine: Engine, tmp_path: Path) -> None:
    assert engine.digest(IMAGE, tmp_path, []) is None
    (tmp_path / "shop-prod-web.digest").write_text(DIGEST)
    assert engine.digest(IMAGE, tmp_path, []) == DIGEST


def test_a_build_has_the_users_own_logins_and_a_push_only_ours() -> None:
    base = {"HOME": "/home/me"}
    assert [Docker().build_variables(base), Docker(buildx=False).build_variables(base)] == [
        {"HOME": "/home/me", "DOCKER_BUILDKIT": "1"},
        {"HOME": "/home/me", "DOCKER_BUILDKIT": "0"},
    ]
    assert Docker().push_variables(base, PRIVATE) == {"HOME": "/home/me", "DOCKER_CONFIG": "/p"}
    assert [engine.push_variables(base, PRIVATE) for engine in (Buildah(), Podman())] == [base, base]


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        ('{"auths": {"x": {"auth": "eDp5"}}, "credsStore": "desktop", "currentContext": "colima"}', "colima"),
        ("not JSON", None),
        (None, None),
    ],
)
def test_docker_keeps_the_users_context_and_none_of_the_logins(
    tmp_path: Path, config: str | None, kept: str | None
) -> None:
    """The empty entry keeps Docker from the desktop's keychain."""
    own, private = tmp_path / "own", tmp_path / "private"
    private.mkdir()
    (own / "contexts").mkdir(parents=True)
    if config is not None:
        (own / "config.json").write_text(config)
    Docker().prepare(CREDENTIALS, private, {"DOCKER_CONFIG": str(own)})
    context = {"currentContext": kept} if kept else {}
    assert json.loads((private / "config.json").read_text()) == {**context, "auths": {ECR: {}}}
    assert (private / "contexts").readlink() == own / "contexts"


def test_credentials_do_not_show_their_password() -> None:
    assert repr(CREDENTIALS) == f"Credentials(user='AWS', host='{ECR}')"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(folder: Path, name: str, script: str) -> None:
    """Writes a shell script; `$*` are its arguments."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


NO_DAEMON = (
    "echo 'Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?' >&2; exit 1"
)
WITHOUT_BUILDX = 'case "$*" in "buildx version") exit 1;; esac'


@pytest.mark.parametrize(
    ("scripts", "found"),
    [
        ({"docker": "exit 0", "podman": "exit 0", "buildah": "exit 0"}, Docker(buildx=True)),
        ({"docker": WITHOUT_BUILDX}, Docker(buildx=False)),
        ({"docker": NO_DAEMON, "podman": "exit 0", "buildah": "exit 0"}, Podman()),
        ({"docker": NO_DAEMON, "buildah": "exit 0"}, Buildah()),
    ],
)
def test_the_first_engine_that_answers_is_found(
    programs: Path, scripts: dict[str, str], found: Engine
) -> None:
    for name, script in scripts.items():
        program(programs, name, script)
    assert find_engine(None) == found


def test_an_engine_can_be_chosen(programs: Path) -> None:
    for name in ("docker", "podman", "buildah"):
        program(programs, name, "exit 0")
    assert [find_engine(name) for name in ("docker", "podman", "buildah")] == [Docker(), Podman(), Buildah()]


def test_without_an_engine_each_ones_reason_is_reported(programs: Path) -> None:
    program(programs, "docker", NO_DAEMON)
    program(programs, "podman", "exit 3")
    with pytest.raises(ProgramError) as caught:
        find_engine(None)
    assert str(caught.value) == (
        "no program on this machine can build images (docker: Cannot connect to the Docker daemon at unix:///x."
        " Is the docker daemon running?; podman: exit code 3; buildah: not on PATH);"
        " install and start Docker, Podman or Buildah"
    )


def test_only_the_chosen_engine_is_reported_as_missing(programs: Path) -> None:
    program(programs, "docker", "exit 0")
    with pytest.raises(ProgramError) as caught:
        find_engine("buildah")
    assert str(caught.value) == (
        "buildah cannot build images (buildah: not on PATH); install and start Docker, Podman or Buildah"
    )


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        find_engine("kaniko")
    assert str(caught.value) == "--engine kaniko: unknown engine; choose one of docker, podman, buildah"
