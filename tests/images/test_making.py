"""`make_images`: the lock and the rendered files follow what is in the registry."""

import re
from pathlib import Path

import pytest

from fleetform.base.errors import CheckFailedError, InputError, ProgramError, raise_all
from fleetform.catalog.images_lock import load_lock
from fleetform.cli.images import make_images as show_made_images
from fleetform.workflow.images import build
from fleetform.workflow.images.build import ImageRequest, make_images
from fleetform.workflow.project import Project
from fleetform.workflow.render import files
from tests.catalog.catalogs import HEAD, project
from tests.images.fake_engine import HOST, FakeEngine

CATALOG = f"""\
{HEAD}services:
  web: {{ build: {{ context: web }}, port: 80 }}
  stock: {{ build: {{ context: stock }}, port: 8080 }}
  proxy: {{ image: "nginx:1.29", port: 80 }}
"""
DOCKERFILE = "FROM scratch\nWORKDIR /app\nCOPY main.py ./\nUSER 10001:10001\n"
REQUEST = ImageRequest()


@pytest.fixture
def shop(tmp_path: Path, root: Path, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with two services to build, rendered.

    Its registry is the fake's, and so is its only engine.
    """
    folder = project(tmp_path / "project", CATALOG)
    for name in ("web", "stock"):
        (folder / name).mkdir()
        (folder / name / "Dockerfile").write_text(DOCKERFILE)
        (folder / name / "main.py").write_text(f"print('{name}')\n")
    (folder / "templates").symlink_to(root / "templates")
    monkeypatch.setattr(build, "open_registry", lambda *_: fake_engine.registry)
    monkeypatch.setattr("fleetform.images.engine.ENGINES", ("buildah",))
    monkeypatch.setattr("fleetform.images.checks.notices", lambda: ["not linted"])
    monkeypatch.setattr("fleetform.images.sbom.notices", lambda: ["no SBOMs"])
    files.render_environment(Project(folder), "dev")
    return Project(folder)


def image_line(shop: Project, service: str) -> str:
    """The argument `image` of a rendered service."""
    text = (shop.root / f"envs/dev/services/service_{service}.tf").read_text()
    (line,) = (line for line in text.splitlines() if line.split(" = ")[0].strip() == "image")
    return line.split(" = ", 1)[1]


def test_what_is_missing_is_built_locked_and_rendered_by_digest(
    shop: Project, fake_engine: FakeEngine
) -> None:
    report = make_images(shop, "dev", REQUEST)
    lock = load_lock(shop.root, "dev")
    assert {done.service: done.image for done in report.done} == lock
    assert report.failures == ()
    assert [(done.service, done.status) for done in report.done] == [("web", "built"), ("stock", "built")]
    assert [change.path.name for change in report.changes] == ["service_stock.tf", "service_web.tf"]
    assert image_line(shop, "web") == f'"${{local.foundation.repository_urls["web"]}}@{lock["web"].digest}"'
    assert image_line(shop, "proxy") == '"nginx:1.29"'
    assert {call.split()[0] for call in fake_engine.calls()} == {"build", "login", "push"}


def test_a_second_run_does_nothing_and_needs_no_engine(shop: Project, fake_engine: FakeEngine) -> None:
    make_images(shop, "dev", REQUEST)
    fake_engine.forget()
    (fake_engine.folder / "buildah").unlink()
    report = make_images(shop, "dev", ImageRequest(engine="none"))
    assert [(done.service, done.status) for done in report.done] == [
        ("web", "unchanged"),
        ("stock", "unchanged"),
    ]
    assert report.changes == ()
    assert fake_engine.calls() == []


def test_one_changed_file_makes_one_build(shop: Project, fake_engine: FakeEngine) -> None:
    make_images(shop, "dev", REQUEST)
    fake_engine.forget()
    (shop.root / "stock/main.py").write_text("changed\n")
    report = make_images(shop, "dev", REQUEST)
    assert fake_engine.calls() == ["build shop-dev-stock", f"login {HOST}", "push shop-dev-stock"]
    assert [change.path.name for change in report.changes] == ["service_stock.tf"]


def test_only_the_services_asked_for_are_made(shop: Project, fake_engine: FakeEngine) -> None:
    make_images(shop, "dev", ImageRequest(services=("stock",)))
    assert list(load_lock(shop.root, "dev")) == ["stock"]
    assert image_line(shop, "web") == '"${local.foundation.repository_urls["web"]}:unbuilt"'
    assert fake_engine.calls() == ["build shop-dev-stock", f"login {HOST}", "push shop-dev-stock"]


@pytest.mark.parametrize(
    ("service", "meant"), [("wep", "did you mean `web`?"), ("proxy", "known: web, stock")]
)
def test_a_service_that_is_not_built_here_cannot_be_asked_for(
    shop: Project, service: str, meant: str
) -> None:
    with pytest.raises(InputError) as caught:
        make_images(shop, "dev", ImageRequest(services=(service,)))
    assert str(caught.value) == f"dev has no service `{service}` with `build`; {meant}"


def test_no_jobs_at_all_are_refused(shop: Project) -> None:
    with pytest.raises(InputError) as caught:
        make_images(shop, "dev", ImageRequest(jobs=0))
    assert str(caught.value) == "--jobs 0: must be 1 or more"


def test_another_clone_takes_what_was_pushed(shop: Project, fake_engine: FakeEngine) -> None:
    lock = {done.service: done.image for done in make_images(shop, "dev", REQUEST).done}
    fake_engine.forget()
    (shop.root / "envs/dev/images.lock.yaml").unlink()
    report = make_images(shop, "dev", REQUEST)
    assert [(done.service, done.status) for done in report.done] == [("web", "found"), ("stock", "found")]
    assert load_lock(shop.root, "dev") == lock
    assert fake_engine.calls() == []


def test_what_was_pushed_is_locked_even_if_another_image_fails(
    shop: Project, fake_engine: FakeEngine
) -> None:
    fake_engine.trick("push shop-dev-web", "sys.exit('dial tcp 10.0.0.1:443: connect: connection refused')")
    report = make_images(shop, "dev", REQUEST)
    assert list(load_lock(shop.root, "dev")) == ["stock"]
    assert [change.path.name for change in report.changes] == ["service_stock.tf"]
    with pytest.raises(ProgramError) as caught:
        raise_all(report.failures)
    assert str(caught.value) == (
        "web: push failed: the connection to the registry failed; run the command again, which skips what"
        " is already"
        f" pushed (full output: {shop.work}/environments/dev/logs/image-web.log)\n"
        "    dial tcp 10.0.0.1:443: connect: connection refused"
    )

    fake_engine.untrick("push shop-dev-web")
    fake_engine.forget()
    make_images(shop, "dev", REQUEST)
    assert sorted(load_lock(shop.root, "dev")) == ["stock", "web"]
    assert fake_engine.calls() == ["build shop-dev-web", f"login {HOST}", "push shop-dev-web"]


def test_a_removed_service_leaves_the_lock(shop: Project) -> None:
    make_images(shop, "dev", REQUEST)
    project(shop.root, CATALOG.replace("  web:", "  shop:"))
    make_images(shop, "dev", ImageRequest(services=("stock",)))
    assert list(load_lock(shop.root, "dev")) == ["stock"]


def test_what_should_not_be_pushed_is_not_built(shop: Project, fake_engine: FakeEngine) -> None:
    (shop.root / "web/Dockerfile").write_text(DOCKERFILE.replace("10001:10001", "root"))
    with pytest.raises(CheckFailedError) as caught:
        make_images(shop, "dev", REQUEST)
    assert str(caught.value).startswith("web/Dockerfile:4:1: ")
    assert fake_engine.calls() == []
    assert load_lock(shop.root, "dev") == {}


def test_without_an_engine_nothing_is_changed(shop: Project, fake_engine: FakeEngine) -> None:
    (fake_engine.folder / "buildah").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(ProgramError) as caught:
        make_images(shop, "dev", REQUEST)
    assert str(caught.value) == (
        "no program on this machine can build images (buildah: exit code 1);"
        " install and start Docker, Podman or Buildah"
    )
    assert load_lock(shop.root, "dev") == {}


def timeless(text: str) -> str:
    """What was printed, without times and without spaces at the ends of lines."""
    return re.sub(r" *(\(?[0-9.]+ s\)?)?$", "", text, flags=re.MULTILINE)


def test_a_person_sees_what_was_pushed_what_is_locked_and_what_was_rendered(
    shop: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    show_made_images(shop, "dev", ImageRequest(services=("stock",)))
    (image,) = load_lock(shop.root, "dev").values()
    assert (
        timeless(capsys.readouterr().out)
        == f"""\
  stock: pushed {image.digest}
not linted
no SBOMs
service  tag               digest
stock    {image.tag}  {image.digest}  built
changed  envs/dev/services/service_stock.tf
✓ Images of dev: 1 built
"""
    )
    show_made_images(shop, "dev", ImageRequest(services=("stock",)))
    assert (
        timeless(capsys.readouterr().out)
        == f"""\
service  tag               digest
stock    {image.tag}  {image.digest}  unchanged
✓ Images of dev: 1 unchanged
"""
    )


def test_an_sbom_that_cannot_be_made_is_reported_and_the_image_is_locked(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ProgramError("no artifacts here")

    monkeypatch.setattr("fleetform.images.sbom.notices", list)
    monkeypatch.setattr("fleetform.images.transfer.Repository.referrers", refuse)
    report = make_images(shop, "dev", ImageRequest(services=("stock",)))
    assert report.notices == ("not linted", "stock has no SBOM: no artifacts here")
    assert report.failures == ()
    assert list(load_lock(shop.root, "dev")) == ["stock"]


def test_a_person_sees_what_was_made_even_if_another_image_fails(
    shop: Project, fake_engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_engine.trick("build shop-dev-web", "sys.exit('make: not found')")
    with pytest.raises(ProgramError) as caught:
        show_made_images(shop, "dev", REQUEST)
    (image,) = load_lock(shop.root, "dev").values()
    assert str(caught.value) == (
        "web: build failed: see below"
        f" (full output: {shop.work}/environments/dev/logs/image-web.log)\n    make: not found"
    )
    assert (
        timeless(capsys.readouterr().out)
        == f"""\
  stock: pushed {image.digest}
not linted
no SBOMs
service  tag               digest
stock    {image.tag}  {image.digest}  built
changed  envs/dev/services/service_stock.tf
✗ Images of dev
"""
    )
