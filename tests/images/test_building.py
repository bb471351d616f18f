"""From wanted images to images in the registry, with a fake for the engine."""

import hashlib
import os
from pathlib import Path

import pytest

from fleetform.base.errors import CheckFailedError, ProgramError
from fleetform.catalog.images_lock import LockedImage
from fleetform.catalog.models import Build
from fleetform.images.building import (
    BuildContext,
    BuildListener,
    LocalImage,
    PushedImage,
    build_and_push,
    build_locally,
    look_up_images,
)
from fleetform.images.context import content_key, read_build_files
from fleetform.images.engine import Buildah
from fleetform.images.image_specs import ImageSpec
from tests.images.fake_engine import HOST, FakeEngine

DIGEST, OTHER = (f"sha256:{digit * 64}" for digit in "ab")


def wanted(root: Path, service: str) -> ImageSpec:
    """An image of a context of its own."""
    folder = root / service
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(f"FROM scratch\nLABEL of={service}\n")
    context = read_build_files(root, Build(context=service))
    key = content_key(context, ("linux/amd64",), {})
    return ImageSpec(service, f"shop-dev-{service}", "linux/amd64", {}, context, key, "1" * 40)


def pushed(image: ImageSpec) -> str:
    """The digest that the fake gives an image."""
    return f"sha256:{hashlib.sha256(f'{image.repository}:{image.tag}'.encode()).hexdigest()}"


@pytest.fixture
def web(tmp_path: Path) -> ImageSpec:
    return wanted(tmp_path, "web")


@pytest.fixture
def stock(tmp_path: Path) -> ImageSpec:
    return wanted(tmp_path, "stock")


@pytest.fixture
def images(web: ImageSpec, stock: ImageSpec) -> list[ImageSpec]:
    return [web, stock]


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    return BuildContext(Buildah(), tmp_path / "work")


def test_what_the_lock_and_the_registry_have_is_unchanged(fake_engine: FakeEngine, web: ImageSpec) -> None:
    fake_engine.push(f"{web.repository}:{web.tag}", DIGEST)
    locked = LockedImage(web.tag, DIGEST, ("linux/amd64",), "2" * 40, web.content_key)
    assert look_up_images([web], {"web": locked}, fake_engine.registry) == [
        PushedImage("web", locked, "unchanged")
    ]


def test_what_only_the_registry_has_is_found(fake_engine: FakeEngine, web: ImageSpec) -> None:
    fake_engine.push(f"{web.repository}:{web.tag}", DIGEST)
    older = LockedImage("0" * 16, OTHER, ("linux/amd64",), "", "0" * 64)
    found = [PushedImage("web", web.locked(DIGEST), "found")]
    assert [look_up_images([web], lock, fake_engine.registry) for lock in ({}, {"web": older})] == [
        found,
        found,
    ]


def test_an_image_that_the_registry_lacks_is_not_found_even_if_locked(
    fake_engine: FakeEngine, web: ImageSpec, stock: ImageSpec
) -> None:
    fake_engine.push(f"{web.repository}:{web.tag}", DIGEST)
    found = look_up_images([stock, web], {"stock": stock.locked(OTHER)}, fake_engine.registry)
    assert found == [PushedImage("web", web.locked(DIGEST), "found")]


def test_a_tag_of_a_different_image_than_the_locked_one_stops_it(
    fake_engine: FakeEngine, web: ImageSpec
) -> None:
    fake_engine.push(f"{web.repository}:{web.tag}", OTHER)
    with pytest.raises(CheckFailedError) as caught:
        look_up_images([web], {"web": web.locked(DIGEST)}, fake_engine.registry)
    assert str(caught.value) == (
        f"web: shop-dev-web:{web.tag} is {OTHER} in the registry but {DIGEST} in the lock:"
        " the image was replaced; find out why, then delete the wrong entry from the registry or the lock"
    )


def test_images_are_built_and_pushed_with_one_login(
    fake_engine: FakeEngine, web: ImageSpec, stock: ImageSpec, context: BuildContext
) -> None:
    outcome = build_and_push([web, stock], fake_engine.registry, context)
    assert outcome.done == (
        PushedImage("web", web.locked(pushed(web)), "built"),
        PushedImage("stock", stock.locked(pushed(stock)), "built"),
    )
    assert outcome.failures == ()
    assert fake_engine.calls() == [
        "build shop-dev-stock",
        "build shop-dev-web",
        f"login {HOST}",
        "push shop-dev-stock",
        "push shop-dev-web",
    ]


def test_logs_are_left_and_nothing_else(
    fake_engine: FakeEngine, web: ImageSpec, context: BuildContext
) -> None:
    for _ in range(2):
        build_and_push([web], fake_engine.registry, context)
    left = {path.relative_to(context.folder).as_posix(): path for path in context.folder.rglob("*")}
    assert sorted(left) == ["logs", "logs/image-login.log", "logs/image-web.log"]
    assert left["logs/image-web.log"].read_text() == "build goes well\npush goes well\n"


def test_an_engine_finds_the_login_in_a_folder_for_this_user_only(
    fake_engine: FakeEngine, web: ImageSpec, context: BuildContext
) -> None:
    code = 'import os; print(oct(os.stat(pathlib.Path(options["--authfile"]).parent).st_mode))'
    fake_engine.trick("push shop-dev-web", code)
    build_and_push([web], fake_engine.registry, context)
    assert context.log("web").read_text().splitlines()[1] == "0o40700"


def test_a_listener_gets_each_step_and_line(fake_engine: FakeEngine, web: ImageSpec, tmp_path: Path) -> None:
    moves: list[tuple[str, str]] = []
    ends: list[PushedImage] = []
    watch = BuildListener(
        lambda service, line: moves.append((service, line)), lambda done, _: ends.append(done)
    )
    build_and_push([web], fake_engine.registry, BuildContext(Buildah(), tmp_path / "work", listener=watch))
    assert moves == [
        (HOST, "login goes well"),
        ("web", "build"),
        ("web", "build goes well"),
        ("web", "push"),
        ("web", "push goes well"),
    ]
    assert ends == [PushedImage("web", web.locked(pushed(web)), "built")]


def test_as_many_are_built_at_a_time_as_there_are_jobs(fake_engine: FakeEngine, tmp_path: Path) -> None:
    """Each build waits until the other has begun: one after the other they would never end."""
    for own, other in (("a", "b"), ("b", "a")):
        os.mkfifo(fake_engine.folder / f"{own} has begun")
        code = f"""\
import threading
tell = threading.Thread(target=(folder / "{own} has begun").write_text, args=("yes",))
tell.start()
(folder / "{other} has begun").read_text()
tell.join()
"""
        fake_engine.trick(f"build shop-dev-{own}", code)
    outcome = build_and_push(
        [wanted(tmp_path, name) for name in "ab"],
        fake_engine.registry,
        BuildContext(Buildah(), tmp_path / "w"),
    )
    assert [done.status for done in outcome.done] == ["built", "built"]


FAILURES = {
    "build": (
        "write /big: no space left on device",
        "the disk is full; free space, such as with `docker system prune` or `buildah rmi --prune`",
    ),
    "push": (
        "denied: Your authorization token has expired. Reauthenticate and try again.",
        "the registry token has expired; run the command again to get a new one",
    ),
}


@pytest.mark.parametrize("step", FAILURES)
def test_one_that_fails_leaves_the_others_and_the_next_run_completes_it(
    fake_engine: FakeEngine, images: list[ImageSpec], context: BuildContext, step: str
) -> None:
    web, stock = images
    output, meaning = FAILURES[step]
    fake_engine.trick(f"{step} shop-dev-web", f"sys.exit({output!r})")
    outcome = build_and_push(images, fake_engine.registry, context)
    assert outcome.done == (PushedImage("stock", stock.locked(pushed(stock)), "built"),)
    assert [(type(error), str(error)) for error in outcome.failures] == [
        (ProgramError, f"web: {step} failed: {meaning} (full output: {context.log('web')})\n    {output}")
    ]

    fake_engine.untrick(f"{step} shop-dev-web")
    assert build_and_push([web], fake_engine.registry, context).done == (
        PushedImage("web", web.locked(pushed(web)), "built"),
    )


def test_an_unknown_failure_is_shown_by_the_end_of_its_output(
    fake_engine: FakeEngine, web: ImageSpec, context: BuildContext
) -> None:
    fake_engine.trick("build shop-dev-web", "print(*range(20), sep='\\n'); sys.exit(2)")
    (error,) = build_and_push([web], fake_engine.registry, context).failures
    assert str(error).splitlines() == [
        f"web: build failed: see below (full output: {context.log('web')})",
        *(f"    {number}" for number in range(8, 20)),
    ]


def test_a_login_that_fails_builds_nothing(
    fake_engine: FakeEngine, web: ImageSpec, context: BuildContext
) -> None:
    fake_engine.trick(f"login {HOST}", "sys.exit('invalid status code from registry 400 (Bad Request)')")
    with pytest.raises(ProgramError) as caught:
        build_and_push([web], fake_engine.registry, context)
    assert str(caught.value) == (
        f"{HOST}: login failed: the registry refused the login; check that the AWS credentials may push to"
        " ECR"
        f" (full output: {context.log('login')})\n    invalid status code from registry 400 (Bad Request)"
    )
    assert fake_engine.calls() == [f"login {HOST}"]


def test_an_engine_that_is_missing_is_reported(
    fake_engine: FakeEngine, web: ImageSpec, context: BuildContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(fake_engine.folder))
    fake_engine.trick("build shop-dev-web", "pathlib.Path(__file__).unlink()")
    (error,) = build_and_push([web], fake_engine.registry, context).failures
    assert str(error) == (
        "web: push failed: cannot run buildah: No such file or directory; check the installation"
    )


def test_what_was_pushed_has_to_be_in_the_registry(
    fake_engine: FakeEngine, web: ImageSpec, context: BuildContext
) -> None:
    fake_engine.trick(
        "push shop-dev-web",
        f"""
(folder / "pushed" / name).write_text("{OTHER}")
pathlib.Path(options["--digestfile"]).write_text("{DIGEST}")
sys.exit(0)
""",
    )
    (error,) = build_and_push([web], fake_engine.registry, context).failures
    assert str(error) == (
        f"shop-dev-web:{web.tag} was pushed as {DIGEST}, but the registry has {OTHER}; run the command again"
    )


def test_a_disk_that_is_full_while_a_context_is_copied_is_reported(
    fake_engine: FakeEngine, web: ImageSpec, context: BuildContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "Dockerfile")

    monkeypatch.setattr("shutil.copyfile", fail)
    (error,) = build_and_push([web], fake_engine.registry, context).failures
    assert (
        str(error)
        == "web: [Errno 28] No space left on device: 'Dockerfile'; fix that and run the command again"
    )


def test_files_that_change_meanwhile_are_not_built(
    fake_engine: FakeEngine, web: ImageSpec, context: BuildContext
) -> None:
    (web.context.folder / "Dockerfile").write_text("FROM scratch\n")
    (error,) = build_and_push([web], fake_engine.registry, context).failures
    assert (
        str(error)
        == f"web: files in {web.context.folder} changed while they were being read; run the command again"
    )
    assert fake_engine.calls() == [f"login {HOST}"]


def test_ctrl_c_ends_the_engines_and_leaves_no_login(
    fake_engine: FakeEngine, web: ImageSpec, context: BuildContext
) -> None:
    """The engine interrupts us once it waits; it would wait for ever."""
    code = """\
import os, signal, time
print("waits")
sys.stdout.flush()
os.kill(os.getppid(), signal.SIGINT)
while True:
    time.sleep(0.05)
"""
    fake_engine.trick("build shop-dev-web", code)
    with pytest.raises(KeyboardInterrupt):
        build_and_push([web], fake_engine.registry, context)
    assert sorted(path.name for path in context.folder.iterdir()) == ["logs"]
    assert context.log("web").read_text().splitlines()[0] == "waits"
    assert fake_engine.calls() == ["build shop-dev-web", f"login {HOST}"]


def here(image: ImageSpec) -> str:
    """Its name in the engine's own store."""
    return f"localhost/{image.repository}:{image.tag}"


def test_what_the_engines_own_store_lacks_is_built_there_and_nothing_is_pushed(
    fake_engine: FakeEngine, images: list[ImageSpec], context: BuildContext
) -> None:
    web, stock = images
    build_locally([web], context)
    fake_engine.forget()
    outcome = build_locally(images, context)
    assert outcome.done == (LocalImage("web", here(web), "found"), LocalImage("stock", here(stock), "built"))
    assert outcome.failures == ()
    assert fake_engine.calls() == ["build shop-dev-stock", "inspect shop-dev-stock", "inspect shop-dev-web"]
    assert sorted(path.name for path in context.folder.rglob("*")) == [
        "image-stock.log",
        "image-web.log",
        "logs",
    ]


def test_one_that_cannot_be_built_here_leaves_the_others(
    fake_engine: FakeEngine, images: list[ImageSpec], context: BuildContext
) -> None:
    stock = images[1]
    fake_engine.trick("build shop-dev-web", "sys.exit('dial tcp: i/o timeout')")
    outcome = build_locally(images, context)
    assert outcome.done == (LocalImage("stock", here(stock), "built"),)
    (error,) = outcome.failures
    assert str(error) == (
        "web: build failed: cannot fetch a base image; check the FROM lines, the network and the login to its"
        f" registry (full output: {context.log('web')})\n    dial tcp: i/o timeout"
    )


def test_a_disk_that_is_full_while_a_context_is_copied_here_is_reported(
    fake_engine: FakeEngine, web: ImageSpec, context: BuildContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "Dockerfile")

    monkeypatch.setattr("shutil.copyfile", fail)
    (error,) = build_locally([web], context).failures
    assert (
        str(error)
        == "web: [Errno 28] No space left on device: 'Dockerfile'; fix that and run the command again"
    )
    assert fake_engine.calls() == ["inspect shop-dev-web"]
