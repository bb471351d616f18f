"""Services and environments that are added to a project.

Checked as a whole first, written as a whole or not at all.
"""

from pathlib import Path

import pytest

from fleetform.base.errors import CatalogError, InputError, ProgramError
from fleetform.catalog.additions import NewService
from fleetform.validation.loading import load
from fleetform.workflow.catalog.additions import add_environment, add_service
from fleetform.workflow.project import Project
from tests import small_project

ENVIRONMENT = "envs/tiny/environment.yaml"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return small_project.make(tmp_path)


def test_a_service_that_is_added_is_in_every_environment(project: Project) -> None:
    assert add_service(project, NewService("mail", 25, ("orders",))) == ["local", "tiny"]
    mails = [load(project.root, env).services["mail"] for env in ("local", "tiny")]
    assert [
        (mail.port, [call.service for call in mail.calls], mail.build and mail.build.context)
        for mail in mails
    ] == [(25, ["orders"], "containers/mail")] * 2


def test_adding_a_service_changes_only_the_catalog(project: Project) -> None:
    before = small_project.content(project)
    add_service(project, NewService("mail"))
    after = small_project.content(project)
    assert {name for name in after if after[name] != before.get(name)} == {"envs/catalog.yaml"}


@pytest.mark.parametrize(
    ("service", "message"),
    [
        (
            NewService("Mail"),
            "`Mail` is not a valid name: expected lower-case letters, digits and single hyphens, at most 40",
        ),
        (NewService("orders"), "service `orders` already exists; choose a different name"),
        (NewService("mail", 25, ("ordres",)), "--calls: unknown service `ordres`; did you mean `orders`?"),
        (NewService("mail", 25, ("mail",)), "--calls: unknown service `mail`; known: orders, web"),
        (
            NewService("mail", 99999, image="a b"),
            """`services.mail.image` is `a b`; expected an image reference, such as nginx:1.29
`services.mail.port` is `99999`; expected 65535 or less
nothing was written""",
        ),
        (
            NewService("mail", 25, ("orders", "orders")),
            "`mail` calls `orders` twice; list it once\nnothing was written",
        ),
    ],
)
def test_a_service_that_is_wrong_is_not_written(project: Project, service: NewService, message: str) -> None:
    before = small_project.content(project)
    with pytest.raises(InputError) as caught:
        add_service(project, service)
    assert str(caught.value) == message
    assert small_project.content(project) == before


def test_a_service_that_one_environment_has_is_one_already(project: Project) -> None:
    small_project.edit(project, ENVIRONMENT, "services: {", "services: { mail: { image: 'mail:1' },")
    with pytest.raises(InputError, match=r"^service `mail` already exists; choose a different name$"):
        add_service(project, NewService("mail"))


def test_a_catalog_that_is_wrong_already_is_reported_with_its_places(project: Project) -> None:
    small_project.edit(project, "envs/catalog.yaml", "calls: [orders]", "calls: [ordres]")
    with pytest.raises(CatalogError) as caught:
        add_service(project, NewService("mail"))
    message = "envs/catalog.yaml:10:13: `web` calls unknown service `ordres`; did you mean `orders`?"
    assert str(caught.value) == message


def test_a_project_without_an_environment_gets_no_service(tmp_path: Path) -> None:
    small_project.write(Project(tmp_path), "envs/catalog.yaml", small_project.CATALOG)
    with pytest.raises(
        InputError, match=r"^no environment in envs/; write envs/<name>/environment.yaml first$"
    ):
        add_service(Project(tmp_path), NewService("mail"))


def test_an_environment_that_is_added_is_like_the_other(project: Project) -> None:
    small_project.edit(project, ENVIRONMENT, "30", "30\nname_prefix: old-tiny")
    made = add_environment(project, "small", "tiny")
    like, new = load(project.root, "tiny"), load(project.root, "small")
    assert made.omitted_keys == ("name_prefix",)
    assert like.prefix == "old-tiny"
    assert new.prefix == "shop-small"
    assert new.log_retention_in_days == 30
    assert new.model_dump() == like.model_dump() | {"name": "small", "name_prefix": None}


def test_adding_an_environment_changes_no_other(project: Project) -> None:
    before = small_project.content(project)
    add_environment(project, "small", "tiny")
    after = small_project.content(project)
    assert after.keys() - before.keys() == {"envs/small/environment.yaml"}
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize(
    ("name", "like", "message"),
    [
        (
            "../x",
            "tiny",
            "`../x` is not a valid name: expected lower-case letters, digits and single hyphens, at most 40",
        ),
        ("small", "tin", "unknown environment `tin`; did you mean `tiny`?"),
        ("local", "tiny", "envs/local already exists; choose a different name"),
    ],
)
def test_an_environment_that_is_wrong_is_not_written(
    project: Project, name: str, like: str, message: str
) -> None:
    before = small_project.content(project)
    with pytest.raises(InputError) as caught:
        add_environment(project, name, like)
    assert str(caught.value) == message
    assert small_project.content(project) == before


def test_an_environment_whose_names_get_too_long_is_not_written(project: Project) -> None:
    longer = "name_prefix: t\nservices: { a-rather-long-name: { image: a:1 },"
    small_project.edit(project, ENVIRONMENT, "services: {", longer)
    before = small_project.content(project)
    with pytest.raises(InputError, match=r"longer than 64 characters; .*\nnothing was written$"):
        add_environment(project, "an-environment-of-a-rather-long-name", "tiny")
    assert small_project.content(project) == before


def test_a_folder_that_is_in_the_way_is_left_alone(project: Project) -> None:
    (project.root / "envs/small").symlink_to("nowhere")
    with pytest.raises(InputError, match=r"^envs/small already exists; choose a different name$"):
        add_environment(project, "small", "tiny")
    assert (project.root / "envs/small").is_symlink()


def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        if target.is_relative_to(project.root):
            raise OSError(28, "No space left on device")
        source.rename(target)

    before = small_project.content(project)
    monkeypatch.setattr(Path, "replace", full)
    message = "cannot be written: No space left on device; fix that and run the command again"
    with pytest.raises(ProgramError, match=rf"^envs/catalog.yaml: {message}$"):
        add_service(project, NewService("mail"))
    with pytest.raises(ProgramError, match=rf"^envs/small/environment.yaml: {message}$"):
        add_environment(project, "small", "tiny")
    assert small_project.content(project) == before
    assert not (project.root / "envs/small").exists()
